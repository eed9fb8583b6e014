#pragma once

#include <memory>
#include <string_view>

#include "patterns/machine_data.h"

namespace fixpoint::patterns {

/// Makes a machine of patterns, one by one: a pattern is not needed any more once it was added.
class Builder {
 public:
  Builder();
  ~Builder();
  /// In the order of the rule numbers.
  void add(std::string_view name, const Pattern& pattern);
  std::unique_ptr<const MachineData> finish();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace fixpoint::patterns
