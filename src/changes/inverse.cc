#include "changes/inverse.h"

#include <algorithm>

#include "base/arn.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr int depth_limit = 200;  // as deep as a parsed document can be

jsonata::Bindings bind(const Facts& facts) {
  jsonata::Bindings bindings;
  bindings.borrow("input", facts.input);
  if (facts.before != nullptr) bindings.borrow("before", *facts.before);
  if (facts.output != nullptr) bindings.borrow("output", *facts.output);
  bindings.set("account", Value(facts.context.account));
  bindings.set("region", Value(facts.context.region));
  bindings.set("partition", Value(partition_of_region(facts.context.region)));
  return bindings;
}

// What is undefined does not hold: a condition over a member that is not there.
Result<bool> holds(const std::optional<jsonata::Template>& when, const jsonata::Bindings& bindings) {
  if (!when) return true;
  FIXPOINT_TRY(value, when->fill(Value(), bindings));
  if (!value) return false;
  if (!value->is_bool()) return fail(errors::validation("a condition of a recipe gives neither true nor false"));
  return value->as_bool();
}

Result<std::string> first_that_holds(const std::vector<Recipe::Caveat>& caveats, const jsonata::Bindings& bindings) {
  for (const auto& caveat : caveats) {
    FIXPOINT_TRY(now, holds(caveat.when, bindings));
    if (now) return caveat.because;
  }
  return std::string();
}

// The items that a step is made for; one that is nothing where it is made once.
Result<std::vector<std::optional<Value>>> items_of(const Recipe::Undo& step, const jsonata::Bindings& bindings) {
  std::vector<std::optional<Value>> items;
  if (!step.each) {
    items.emplace_back();
    return items;
  }
  FIXPOINT_TRY(given, step.each->fill(Value(), bindings));
  if (!given) return items;
  if (!given->is_array()) {
    items.emplace_back(std::move(*given));
    return items;
  }
  for (Value& item : given->as_array()) items.emplace_back(std::move(item));
  return items;
}

// True where one text is the other, or the ARN of what the other names in the account and region of the change.
bool same_name(const std::string& one, const std::string& other, const Change& change) {
  if (one == other) return true;
  const std::string& longer = one.size() > other.size() ? one : other;
  const std::string& shorter = one.size() > other.size() ? other : one;
  const auto arn = parse_arn(longer);
  if (!arn || shorter.empty()) return false;
  if (!arn->account.empty() && arn->account != change.account) return false;
  if (!arn->region.empty() && arn->region != change.region) return false;
  const std::string& name = arn->resource;
  return name == shorter || name.ends_with("/" + shorter) || name.ends_with(":" + shorter);
}

bool same_input(const Value& one, const Value& other, const Change& change, int depth = 0) {
  if (one.is_string() && other.is_string()) return same_name(one.as_string(), other.as_string(), change);
  if (depth > depth_limit || one.size() != other.size()) return false;
  if (one.is_array() && other.is_array()) {
    for (std::size_t i = 0; i < one.size(); ++i)
      if (!same_input(one[i], other[i], change, depth + 1)) return false;
    return true;
  }
  if (one.is_object() && other.is_object())
    return std::all_of(one.as_object().begin(), one.as_object().end(), [&](const auto& member) {
      const Value* there = other.find(member.key);
      return there != nullptr && same_input(member.value, *there, change, depth + 1);
    });
  return one == other;
}

// Which thing the state is read of: the input of the read.
std::optional<Value> thing_read(const CallTemplate& call, const Change& change) {
  const aws::CallContext context{change.account, change.region, change.execution, {}};
  auto input = call.input.fill(change.input, bind({context, change.input, nullptr, nullptr}));
  if (!input) return std::nullopt;
  Value thing = *input ? std::move(**input) : Value(json::Object());
  // Whose it has to be says nothing of which it is.
  if (thing.is_object()) thing.as_object().erase("ExpectedBucketOwner");
  return thing;
}

// True where both take the same part of what is read, going by the same of their inputs.
bool same_part(const Recipe::Read& one, const Change& earlier, const Recipe::Read& other, const Change& later) {
  if (one.take_text != other.take_text) return false;
  return std::all_of(one.take_by.begin(), one.take_by.end(), [&](const std::string& member) {
    return member.empty() ? earlier.input == later.input : earlier.input[member] == later.input[member];
  });
}

}  // namespace

Result<std::optional<Value>> read_before(const Recipe& recipe, const aws::CallContext& context, const Value& input,
                                         aws::Api& account) {
  std::optional<Value> before;
  for (const auto& read : recipe.before) {
    const auto bindings = bind({context, input, before ? &*before : nullptr, nullptr});
    FIXPOINT_TRY(filled, read.call.input.fill(input, bindings));
    auto answer = account.call(context, read.call.service, read.call.operation,
                               filled ? std::move(*filled) : Value(json::Object()));
    if (!answer) {
      const bool absent = std::find(read.absent.begin(), read.absent.end(), answer.error().code) != read.absent.end();
      if (absent && read.name.empty()) return std::nullopt;
      if (absent) continue;
      answer.error().message = "the state before could not be read: " + answer.error().message;
      return fail(std::move(answer.error()));
    }
    std::optional<Value> state = std::move(*answer);
    if (read.take) {
      FIXPOINT_TRY(taken, read.take->fill(*state, bindings));
      state = std::move(taken);
    }
    if (read.name.empty()) {
      if (!state) return std::nullopt;
      before = std::move(state);
    } else if (state) {
      if (!before->is_object())
        return fail(errors::validation("a recipe with 'also' has to take an object, so that " + read.name +
                                       " can become a member of it"));
      before->set(read.name, std::move(*state));
    }
  }
  return before;
}

Result<Value> lost_answer(const Recipe* recipe, const Change& change, const aws::CallContext& context,
                          aws::Api& account) {
  if (recipe == nullptr || !recipe->lost || !change.left_read) return Value(json::Object());
  auto bindings = bind({context, change.input, change.before ? &*change.before : nullptr, nullptr});
  if (change.left) bindings.borrow("left", *change.left);
  Value read;
  if (const auto& call = recipe->lost->call) {
    FIXPOINT_TRY(input, call->input.fill(Value(), bindings));
    FIXPOINT_TRY(answer, account.call(context, call->service, call->operation, input.value_or(Value(json::Object()))));
    read = std::move(answer);
  }
  FIXPOINT_TRY(filled, recipe->lost->answer.fill(read, bindings));
  return filled ? std::move(*filled) : Value(json::Object());
}

Result<bool> same_state(const Recipe& recipe, const Value& one, const Value& other) {
  if (one == other) return true;
  if (!recipe.compare || one.is_null() || other.is_null()) return false;
  const auto part = [&](const Value& state) {
    jsonata::Bindings bindings;
    bindings.borrow("state", state);
    return recipe.compare->fill(Value(), bindings);
  };
  FIXPOINT_TRY(first, part(one));
  FIXPOINT_TRY(second, part(other));
  return first == second;
}

bool follows(const Recipes& recipes, const Change& earlier, const Change& later) {
  const Recipe* recipe = recipes.find(earlier.service, earlier.operation);
  const Recipe* other_recipe = recipes.find(later.service, later.operation);
  if (recipe == nullptr || other_recipe == nullptr || recipe->before.empty() || other_recipe->before.empty())
    return false;
  const Recipe::Read& one = recipe->before[0];
  const Recipe::Read& other = other_recipe->before[0];
  if (one.call.service != other.call.service || one.call.operation != other.call.operation ||
      earlier.account != later.account || earlier.region != later.region || !earlier.left_read || !later.before_read)
    return false;
  const Value left = earlier.left.value_or(Value());
  if (left != later.before.value_or(Value())) return false;
  // Of another part of it the same is seen by chance, but for a list that names what is in it.
  if (!same_part(one, earlier, other, later) && !(left.is_array() && left.size() > 0)) return false;
  const auto thing = thing_read(one.call, earlier);
  const auto other_thing = thing_read(other.call, later);
  return thing && other_thing && same_input(*thing, *other_thing, earlier);
}

Result<std::string> say_undo(const Recipe& recipe, const Facts& facts) {
  const auto bindings = bind(facts);
  FIXPOINT_TRY(never, first_that_holds(recipe.irreversible, bindings));
  if (!never.empty()) return "CANNOT BE UNDONE: " + never;
  FIXPOINT_TRY(rest, first_that_holds(recipe.leaves, bindings));
  return rest.empty() ? std::string("possible") : "possible, but " + rest;
}

Result<std::vector<Call>> inverse(const Recipe& recipe, const Facts& facts) {
  const auto all = bind(facts);
  FIXPOINT_TRY(never, first_that_holds(recipe.irreversible, all));
  if (!never.empty()) return fail(errors::validation("it cannot be undone: " + never));
  std::vector<Call> calls;
  for (std::size_t i = 0; i < recipe.undo.size(); ++i) {
    const auto& step = recipe.undo[i];
    auto bindings = all;
    FIXPOINT_TRY(items, items_of(step, bindings));
    for (auto& item : items) {
      if (item) bindings.set("item", std::move(*item));
      FIXPOINT_TRY(now, holds(step.when, bindings));
      if (!now) continue;
      FIXPOINT_TRY(input, step.call.input.fill(Value(), bindings));
      calls.push_back(
          {step.call.service, step.call.operation, input ? std::move(*input) : Value(json::Object()), step.done, i});
    }
  }
  return calls;
}

}  // namespace fixpoint::changes
