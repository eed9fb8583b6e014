#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/model.h"
#include "aws/pack.h"
#include "base/error.h"

namespace fixpoint::aws {

/// All services that this process knows, loaded one by one on first use. Thread-safe: a service is loaded once, by
/// whoever asks first; those who ask for it meanwhile wait, and those who ask for another do not.
class Models {
 public:
  struct Options {
    std::filesystem::path pack;     ///< instead of the pack in the binary; empty for that one
    std::filesystem::path overlay;  ///< models of the user's own (see list_overlay); empty for none
  };
  /// Reads the pack's index. Every model of the overlay is built once to see that it is sound, and then forgotten.
  /// Errors: `InvalidModelPack`, `InvalidModel` (naming the file).
  static Result<std::unique_ptr<Models>> open(const Options& options);
  ~Models();
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  /// What is known of each service without loading it. Sorted by name.
  std::span<const PackEntry> services() const { return entries_; }
  /// The service of that botocore name (`securityhub`, `stepfunctions`). Errors: `UnknownService` with the nearest name
  /// that there is; `InvalidModel`. An error is not kept: the next call tries again.
  Result<std::shared_ptr<const Service>> get(std::string_view name) const;
  /// True where that service is in memory.
  bool is_loaded(std::string_view name) const;

  /// The services that are signed for under that name (`elasticloadbalancing` is elb and elbv2), else those of that
  /// endpoint prefix; sorted by name. Empty where there is none.
  std::span<const PackEntry* const> by_signing_name(std::string_view signing_name) const;
  std::span<const PackEntry* const> by_endpoint_prefix(std::string_view endpoint_prefix) const;

  /// Who is meant by an X-Amz-Target header, `AWSEvents.PutEvents`. The prefix may hold dots itself.
  struct Target {
    const PackEntry* service = nullptr;
    std::string_view operation;  ///< within the header's text
  };
  /// Nothing where no service has that prefix.
  std::optional<Target> by_target(std::string_view header) const;

 private:
  struct Slot;
  struct Names;
  Models();
  void index();
  Result<std::shared_ptr<const Service>> load(std::size_t at) const;

  ModelPack pack_;
  std::vector<PackEntry> entries_;
  std::vector<OverlayEntry> overlay_;
  std::vector<std::unique_ptr<Slot>> slots_;  // beside entries_
  std::unique_ptr<Names> names_;
};

}  // namespace fixpoint::aws
