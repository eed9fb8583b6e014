#pragma once

#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/clock.h"
#include "changes/change.h"
#include "changes/recipes.h"
#include "json/value.h"

/// Whether a call of which nobody heard the answer may be made again, where no state tells whether it was made.
namespace fixpoint::changes {

/// The shortest time that a service is documented to know a token by (CodeBuild's five minutes:
/// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html): what is older may be made twice.
inline constexpr TimeMs token_lives_ms = 5 * 60'000;

/// The member of the input by which the service knows a repeated call; null where it has none, or `operation` is null.
const aws::Member* token_member(const aws::Operation* operation);

/// The input with such a token, the same for the same step of an execution; as it is where the operation takes none, or
/// the input has one.
json::Value with_token(const aws::Operation* operation, const json::Value& input, const std::string& execution,
                       const std::string& step);
/// The input without it: clients make one up for each call, so that it is no part of what a call means.
json::Value without_token(const aws::Operation* operation, const json::Value& input);

/// True where making the call again does no more than making it once: the recipe says so; or, where it says nothing,
/// the input of the change has a token that the service still knows, or the model or HTTP calls the operation
/// idempotent. Where neither speaks of it: false.
bool may_repeat(const Recipe* recipe, const aws::Operation* operation, const Change& change, TimeMs now_ms);

}  // namespace fixpoint::changes
