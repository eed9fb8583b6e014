#include "jsonata/expression.h"

#include <charconv>

#include "base/text.h"
#include "jsonata/evaluator.h"
#include "jsonata/syntax.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {

/// Everything that a kept value needs to live: what it was made in, and of.
struct KeptState {
  explicit KeptState(std::size_t memory_bytes) : arena(memory_bytes) {}

  static Result<Item> run(Arena& arena, const Program* program, Item input, const Bindings& bindings,
                          const Budget& budget);

  Arena arena;
  std::shared_ptr<const Program> program;
  Bindings bindings;
  Item item;
};

namespace {

constexpr std::size_t longest_text = std::size_t{1024} * 1024;

Error error_of(Failure failure, std::string_view text) {
  Error error;
  error.code = failure.code;
  // What the parser says names its token already, and what an expression says by $error or $assert is its own sentence.
  const bool own_words = failure.code[0] == 'S' || failure.code == "D3137" || failure.code == "D3141";
  if (!own_words && !failure.token.empty() && failure.message.find(failure.token) == std::string::npos)
    error.message = "in '" + failure.token + "': ";
  error.message += failure.message;
  error.message = without_lone_surrogates(std::move(error.message));
  if (failure.place != Failure::nowhere)
    error.where = "position " + std::to_string(utf16_units(text.substr(0, std::min(failure.place, text.size()))));
  return error;
}

Result<std::optional<json::Value>> value_of(const Item& item, const Program* program) {
  if (item.is_undefined()) return std::nullopt;
  if (item.is_function())
    return fail(Error{"T1006", "the result is a function, which has no JSON; call it, or leave it out", {}, false, 0});
  try {
    return to_json(item);
  } catch (Failure& failure) {
    return fail(error_of(std::move(failure), program == nullptr ? std::string_view() : program->text));
  }
}

}  // namespace

Result<Item> KeptState::run(Arena& arena, const Program* program, Item input, const Bindings& bindings,
                            const Budget& budget) {
  if (program == nullptr) return Item();
  try {
    Evaluator evaluator(arena, budget, bindings.now_ms_ ? *bindings.now_ms_ : SystemClock().now_ms());
    auto* frame = arena.make<Frame>();
    frame->reserve(arena, static_cast<std::uint32_t>(bindings.entries_.size() + 1));
    for (const Bindings::Entry& entry : bindings.entries_) {
      Item value;
      if (entry.borrowed != nullptr)
        value = Item::of(*entry.borrowed);
      else if (entry.kept && entry.kept->state_ != nullptr)
        value = entry.kept->state_->item;
      if (value.is_function()) value.detached = true;
      frame->bind(arena, entry.name, value);
    }
    frame->bind(arena, "$", input);
    // An input that is an array is one thing, not a sequence of things.
    if (input.is_array()) {
      ArrayNode* outer = evaluator.new_array(ArrayNode::sequence | ArrayNode::outer_wrapper, 1);
      evaluator.push(outer, input);
      input = Item::of(outer);
    }
    return evaluator.evaluate(program->root, input, frame);
  } catch (Failure& failure) {
    return fail(error_of(std::move(failure), program->text));
  }
}

void Bindings::borrow(std::string name, const json::Value& value) {
  Entry& made = entry(std::move(name));
  made.borrowed = &value;
}

void Bindings::set(std::string name, json::Value value) {
  Entry& made = entry(std::move(name));
  made.owned = std::make_shared<const json::Value>(std::move(value));
  made.borrowed = made.owned.get();
}

void Bindings::set(std::string name, Kept value) {
  entry(std::move(name)).kept = std::move(value);
}

Bindings::Entry& Bindings::entry(std::string name) {
  for (Entry& known : entries_)
    if (known.name == name) {
      known = Entry{std::move(name), nullptr, nullptr, {}};
      return known;
    }
  return entries_.emplace_back(Entry{std::move(name), nullptr, nullptr, {}});
}

bool Kept::is_undefined() const {
  return state_ == nullptr || state_->item.is_undefined();
}

bool Kept::is_function() const {
  return state_ != nullptr && state_->item.is_function();
}

Result<std::optional<json::Value>> Kept::value() const {
  if (state_ == nullptr) return std::nullopt;
  return value_of(state_->item, state_->program.get());
}

const std::string& Expression::text() const {
  static const std::string none;
  return program_ == nullptr ? none : program_->text;
}

Result<std::optional<json::Value>> Expression::evaluate(const json::Value& input, const Bindings& bindings,
                                                        const Budget& budget) const {
  Arena arena(budget.memory_bytes);
  return KeptState::run(arena, program_.get(), Item::of(input), bindings, budget).and_then([&](const Item& item) {
    return value_of(item, program_.get());
  });
}

Result<std::optional<json::Value>> Expression::evaluate_without_input(const Bindings& bindings,
                                                                      const Budget& budget) const {
  Arena arena(budget.memory_bytes);
  return KeptState::run(arena, program_.get(), Item(), bindings, budget).and_then([&](const Item& item) {
    return value_of(item, program_.get());
  });
}

Result<Kept> Expression::keep(const json::Value& input, const Bindings& bindings, const Budget& budget) const {
  auto state = std::make_shared<KeptState>(budget.memory_bytes);
  state->program = program_;
  state->bindings = bindings;
  auto item = KeptState::run(state->arena, program_.get(), Item::of(input), state->bindings, budget);
  if (!item) return fail(std::move(item.error()));
  state->item = *item;
  Kept kept;
  kept.state_ = std::move(state);
  return kept;
}

Result<Expression> compile(std::string_view text) {
  auto program = std::make_shared<Program>();
  try {
    if (text.size() > longest_text)
      throw Failure{"U1001",
                    "the expression has " + std::to_string(text.size()) + " bytes; at most " +
                        std::to_string(longest_text) + " are taken",
                    Failure::nowhere,
                    {}};
    if (!is_valid_utf8(text)) throw Failure{"S0201", "the expression is not valid UTF-8", Failure::nowhere, {}};
    program->text = std::string(text);
    program->root = resolve(*program, parse(*program));
  } catch (Failure& failure) {
    return fail(error_of(std::move(failure), text));
  }
  Expression expression;
  expression.program_ = std::move(program);
  return expression;
}

std::optional<std::size_t> position_of(const Error& error) {
  constexpr std::string_view start = "position ";
  if (!error.where.starts_with(start)) return {};
  std::size_t position = 0;
  const char* from = error.where.data() + start.size();
  const char* end = error.where.data() + error.where.size();
  const auto [stopped, failed] = std::from_chars(from, end, position);
  if (failed != std::errc() || stopped != end) return {};
  return position;
}

}  // namespace fixpoint::jsonata
