#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fixpoint::catalog {

/// The data files that the binary carries (the repository's `catalog/`), with a folder of the user's own laid over
/// them. Paths are relative: `controls/S3.4.yaml`. Immutable once set up, so safe to read from several threads.
class Catalog {
 public:
  /// What the binary carries.
  static Catalog embedded();

  /// Every file of the folder replaces the one of the same path or is added. Errors: ValidationException naming a
  /// folder that cannot be read; files above 1 MiB are refused.
  Result<void> overlay(const std::string& folder);

  /// The paths that begin with `folder` + "/", sorted.
  std::vector<std::string> list(std::string_view folder) const;
  /// Null where there is none.
  const std::string* find(std::string_view path) const;

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

}  // namespace fixpoint::catalog
