#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/api.h"
#include "aws/model.h"
#include "base/error.h"
#include "changes/change.h"
#include "changes/recipes.h"
#include "json/value.h"

namespace fixpoint::changes {

/// The account as it would be had the planned changes been made: reads are answered by the account, and what the
/// recipes' `intended` say is laid over the answer, change by change, of those in the same account and region. Changing
/// calls are refused: it makes none.
/// Used by one thread.
class IntendedAccount final : public aws::Api {
 public:
  IntendedAccount(aws::Api& account, const Recipes& recipes, std::vector<Change> planned)
      : account_(account), recipes_(recipes), planned_(std::move(planned)) {}

  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override;

  void add(Change planned) { planned_.push_back(std::move(planned)); }
  /// The planned calls that an answer so far may rest on though it does not show them: of the same service, with a
  /// recipe that does not say how reads look afterwards, or with none. Joined by commas; empty for none.
  const std::string& rests_on() const { return rests_on_; }

 private:
  void rest(const Change& planned);

  aws::Api& account_;
  const Recipes& recipes_;
  std::vector<Change> planned_;
  std::string rests_on_;
};

/// A name that stands for one that the service would have given, and shows it: "dryrun-" and twelve digits, the same
/// for the same step of an execution.
std::string dry_token(const std::string& execution, const std::string& step);
/// True where the text holds such a name.
bool holds_dry_token(std::string_view text);

/// An answer in the shape of the operation's output: members that the model requires or that name something (ids,
/// names, ARNs) are there, what the input says of the same name is repeated, other names hold the token, lists of
/// things that are named have one. `operation` may be null: then it is empty.
json::Value dry_answer(const aws::Operation* operation, const json::Value& input, const aws::CallContext& context,
                       const std::string& token);

}  // namespace fixpoint::changes
