#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/api.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "changes/exceptions.h"
#include "changes/recipes.h"
#include "jsonata/template.h"

namespace fixpoint::changes {

/// How to read a resource's tags: `catalog/tags/*.yaml`, each a list of {arn, call, input, take, absent}. `arn` is a
/// pattern in which `*` is any text; the first that fits a resource is taken. Its expressions see `$arn`, `$account`,
/// `$region`, `$partition` (of the ARN, where it names them), `$resource` (what follows the ARN's fifth colon) and
/// `$name` (what follows its last slash or colon); `take` gives a list of {Key, Value} (or {TagKey, TagValue}, {key,
/// value}) or a mapping. Immutable.
class TagRules {
 public:
  /// Errors: ValidationException naming file and place.
  static Result<TagRules> load(const catalog::Catalog& catalog);

  /// Reads live, through the account, in the account and region that the ARN names, else in those of the context. What
  /// no rule fits is asked of the tagging API. Errors: the account's, or ValidationException for what is no ARN: that a
  /// resource's tags cannot be told is never "no tags".
  /// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
  Result<Tags> read(const aws::CallContext& context, const std::string& arn, aws::Api& account) const;

  struct Rule {
    std::string arn;
    CallTemplate call;
    jsonata::Template take;
    std::vector<std::string> absent;  ///< error codes that mean that it has none
  };
  const std::vector<Rule>& all() const { return rules_; }

 private:
  std::vector<Rule> rules_;
};

}  // namespace fixpoint::changes
