#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "json/value.h"
#include "patterns/machine.h"

namespace fixpoint::services::sns {

/// Checks a filter policy: the language of event patterns (patterns/LANGUAGE.md), and SNS's own limits: five keys, 150
/// combinations, no nesting where it goes by attributes. Errors: InvalidParameter in SNS's words.
/// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
Result<void> check_filter_policy(const std::string& policy, bool by_body, const std::string& before);

/// Message attributes as the document that a filter policy is held against: texts, numbers, the values of a
/// String.Array; nothing of binary ones.
json::Value filter_document(const json::Value& attributes);

/// Filter policies made ready for matching. Thread-safe.
class Filters {
 public:
  static constexpr std::size_t kept_limit = 2000;  ///< policies; beyond that they are read anew

  /// False also where the policy cannot be read, or `document` is no JSON object.
  bool matches(const std::string& policy, std::string_view document);

 private:
  std::shared_ptr<const patterns::Machine> machine(const std::string& policy);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const patterns::Machine>, std::less<>> kept_;
};

}  // namespace fixpoint::services::sns
