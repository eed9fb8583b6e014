#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// How often AWS lets an account call an operation in a region: a bucket of `burst` tokens that fills at `rate` tokens
/// a second; a call takes one.
struct Limit {
  double rate = 0;
  double burst = 0;
  bool operator==(const Limit&) const = default;
};

/// The limits of AWS's APIs, as catalog/limits/ has them: what AWS documents, file by file, with the page. Immutable
/// once set up, so safe to read from several threads. The form is described in catalog/limits/README.md.
class CallLimits {
 public:
  /// Takes one service's file. Error: ValidationException with the place.
  Result<void> add(std::string_view service, const json::Value& form);

  /// Which bucket a call takes its token from: calls of one account and region that share `bucket` share it.
  struct Share {
    std::string bucket;
    Limit limit;
  };
  Share of(std::string_view service, std::string_view operation, const json::Value& input) const;

  /// True where the file says that making the call twice is making it once.
  bool idempotent(std::string_view service, std::string_view operation) const;

  /// Of operations that no file speaks of: a rate that few calls of AWS refuse. The first throttled answer lowers it.
  static constexpr Limit unknown{20, 50};

  /// Every operation that a file names, by service: for tests.
  const std::map<std::string, std::set<std::string>, std::less<>>& named() const { return named_; }

 private:
  struct Rule {
    enum class Kind { All, Reads, Changes };
    std::vector<std::string> operations;  // empty: every one
    Kind kind = Kind::All;
    std::vector<std::string> unless;  // members whose presence in the input leads past this rule
    bool together = false;
    Limit limit;
  };
  struct Service {
    std::vector<Rule> rules;
    std::set<std::string, std::less<>> idempotent;
  };
  std::map<std::string, Service, std::less<>> services_;
  std::map<std::string, std::set<std::string>, std::less<>> named_;
};

}  // namespace fixpoint::aws
