#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/api.h"
#include "base/error.h"
#include "changes/change.h"
#include "changes/recipes.h"
#include "json/value.h"

namespace fixpoint::changes {

/// What is known of one changing call. The expressions of a recipe see `$input`, `$before`, `$output`, and `$account`,
/// `$region` and `$partition` of the context; what is null is not bound, so `$exists($before)` is false where there was
/// nothing. Borrows.
struct Facts {
  const aws::CallContext& context;
  const json::Value& input;
  const json::Value* before = nullptr;
  const json::Value* output = nullptr;
};

struct Call {
  std::string service;
  std::string operation;
  json::Value input;
  std::vector<std::string> done = {};  ///< error codes that say that it is taken back already
  std::size_t step = 0;                ///< the place in the recipe's undo that it comes from
  std::string region = {};             ///< where it is made; empty: where its execution is
  std::string account = {};            ///< the same
};

/// Reads what the call with this input is about to overwrite; nothing where that is absent (or where the recipe reads
/// nothing). The first read is the state; where it is absent, or `take` takes nothing of it,
/// the others are not made. An answer of `also` becomes the
/// member of its name, or none where it is absent; later reads see in `$before` what is there so far. Errors: those of
/// the account, the message saying that the state before could not be read, for what cannot be read cannot be put back;
/// those of the expressions.
Result<std::optional<json::Value>> read_before(const Recipe& recipe, const aws::CallContext& context,
                                               const json::Value& input, aws::Api& account);

/// What the call answered as far as its recipe can tell (`lost`), by the state that it left or a read of its own; an
/// empty object where it cannot, or where that state was not read. Errors: those of the account and the expressions.
Result<json::Value> lost_answer(const Recipe* recipe, const Change& change, const aws::CallContext& context,
                                aws::Api& account);

/// True where two states of that recipe are the same, as far as it compares them. A null is absent. Errors: those of
/// the expression.
Result<bool> same_state(const Recipe& recipe, const json::Value& one, const json::Value& other);

/// True where the later change overwrote the state that the earlier one left: both read it with the same call in the
/// same account and region, of the same thing, and the one saw what the other left. What cannot be told is false.
bool follows(const Recipes& recipes, const Change& earlier, const Change& later);

/// "possible", "possible, but SENTENCE" where the undo leaves something otherwise than it was, or "CANNOT BE UNDONE:
/// SENTENCE". Known before the call is made, so it sees no `$output`.
Result<std::string> say_undo(const Recipe& recipe, const Facts& facts);

/// The calls that take back the call, in their order; none where it changed nothing. Errors: ValidationException where
/// it cannot be undone; those of the expressions.
Result<std::vector<Call>> inverse(const Recipe& recipe, const Facts& facts);

}  // namespace fixpoint::changes
