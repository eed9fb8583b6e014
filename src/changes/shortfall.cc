#include "changes/shortfall.h"

#include <algorithm>
#include <array>
#include <set>

#include "aws/retry.h"
#include "base/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr std::size_t shown_items = 10;
constexpr std::size_t shown_text = 300;

std::string lower_first(std::string_view name) {
  return name.empty() ? std::string() : to_lower(name.substr(0, 1)) + std::string(name.substr(1));
}

bool counts_failures(const aws::Member& member) {
  const std::string name = lower_first(member.name);
  return (member.shape->type == aws::ShapeType::Integer || member.shape->type == aws::ShapeType::Long) &&
         name.starts_with("failed") && name.ends_with("Count");
}

bool lists_failures(const aws::Member& member) {
  switch (member.shape->type) {
    case aws::ShapeType::List:
    case aws::ShapeType::Map:
    case aws::ShapeType::Structure: break;
    default: return false;
  }
  const std::string name = lower_first(member.name);
  for (const std::string_view start : {"unsuccessful", "failed", "failure", "unprocessed"})
    if (name.starts_with(start)) return true;
  return name == "errors" || name.ends_with("Errors") || name.ends_with("Failures");
}

// "Return", with which ec2 says that all went well.
bool says_yes(const aws::Member& member) {
  return member.name == "Return" && member.shape->type == aws::ShapeType::Boolean;
}

// The text of the first of the members that is there and is one.
std::string first_text(const Value& item, std::initializer_list<std::string_view> members) {
  for (const auto member : members)
    if (const std::string_view text = item[member].string_or(""); !text.empty()) return std::string(text);
  return {};
}

std::string code_in(const Value& item) {
  return first_text(item, {"Code", "ErrorCode", "errorCode", "code", "FailureCode", "failureCode", "ExceptionName"});
}

std::string message_in(const Value& item) {
  return first_text(item, {"Message", "ErrorMessage", "errorMessage", "message", "FailureMessage", "failureReason",
                           "ExceptionDescription", "reason", "Reason", "detail", "Result", "ProcessingResult"});
}

bool tells_why(std::string_view member) {
  for (const std::string_view part : {"Error", "error", "Message", "message", "Code", "Failure", "failure", "Reason",
                                      "reason", "Result", "detail", "Exception"})
    if (member.find(part) != std::string_view::npos) return true;
  return member == "code";
}

// What an item is called: its first text that says no reason, at the item or one below it.
std::string name_in(const Value& item) {
  if (item.is_string()) return item.as_string();
  if (!item.is_object()) return {};
  for (const auto& member : item.as_object())
    if (member.value.is_string() && !tells_why(member.key)) return member.value.as_string();
  for (const auto& member : item.as_object()) {
    if (!member.value.is_object() || tells_why(member.key)) continue;
    for (const auto& inner : member.value.as_object())
      if (inner.value.is_string()) return inner.value.as_string();
  }
  return {};
}

Shortfall::Item item_of(const Value& item, std::string name = {}) {
  Shortfall::Item out{name.empty() ? name_in(item) : std::move(name), code_in(item), message_in(item)};
  for (const auto* inner : {"Error", "error", "ErrorDetail", "ErrorDetails", "Failure"}) {
    const Value& error = item[inner];
    if (out.code.empty()) out.code = code_in(error);
    if (out.message.empty()) out.message = message_in(error);
  }
  return out;
}

// The members of an answer whose list has an entry for each thing, with a code for those that failed.
bool marks_failures(const aws::Member& member) {
  return member.shape->type == aws::ShapeType::List && member.shape->element.shape != nullptr &&
         member.shape->element.shape->type == aws::ShapeType::Structure &&
         (member.shape->element.shape->find("ErrorCode") != nullptr ||
          member.shape->element.shape->find("errorCode") != nullptr);
}

bool names_what_was_made(const aws::Member& member, const Value& value) {
  for (const std::string_view ending : {"Id", "ID", "Arn", "ARN"})
    if (member.name.ends_with(ending)) return !value.string_or("").empty();
  return false;
}

std::int64_t size_of(const Value& value) {
  return value.is_array() || value.is_object() ? static_cast<std::int64_t>(value.size()) : 0;
}

// How many things the input names: its longest list or map, at the top or one below. More is less: a call is never
// taken for one of which nothing was done because a shorter list was counted.
std::int64_t asked_by(const Value& input) {
  std::int64_t most = 0;
  if (!input.is_object()) return most;
  for (const auto& member : input.as_object()) {
    if (member.value.is_array() || member.value.is_object()) most = std::max(most, size_of(member.value));
    if (!member.value.is_object()) continue;
    for (const auto& inner : member.value.as_object()) most = std::max(most, size_of(inner.value));
  }
  return most;
}

void add_items(std::vector<Shortfall::Item>& items, const Value& failures) {
  if (failures.is_array()) {
    for (const Value& item : failures.as_array()) items.push_back(item_of(item));
  } else if (failures.is_object()) {
    for (const auto& member : failures.as_object()) items.push_back(item_of(member.value, member.key));
  }
}

Result<std::optional<Shortfall>> by_declaration(const Failures& declared, const Value& input, const Value& answer) {
  jsonata::Bindings bindings;
  bindings.borrow("input", input);
  bindings.borrow("output", answer);
  FIXPOINT_TRY(given, declared.items->fill(Value(), bindings));
  if (!given) return std::optional<Shortfall>();
  Shortfall out;
  add_items(out.items, given->is_array() ? *given : Value(json::Array{*given}));
  if (out.items.empty()) return std::optional<Shortfall>();
  out.count = static_cast<std::int64_t>(out.items.size());
  if (!declared.of) return std::optional(std::move(out));
  FIXPOINT_TRY(of, declared.of->fill(Value(), bindings));
  out.asked = of ? of->int_or(0) : 0;
  out.whole = out.asked > 0 && out.count >= out.asked;
  return std::optional(std::move(out));
}

std::optional<Shortfall> by_shape(const aws::Shape& shape, const Value& input, const Value& answer) {
  Shortfall out;
  bool says_no = false;
  bool counts = false;
  bool some_done = false;
  for (const aws::Member& member : shape.members) {
    const Value* found = answer.find(member.name);
    if (found == nullptr) continue;
    if (says_yes(member)) {
      says_no = found->is_bool() && !found->as_bool();
    } else if (counts_failures(member)) {
      counts = true;
      out.count = std::max(out.count, found->int_or(0));
    } else if (lists_failures(member)) {
      add_items(out.items, *found);
    }
  }
  for (const aws::Member& member : shape.members) {
    const Value* found = answer.find(member.name);
    if (found == nullptr || tells_failures(member)) continue;
    if (!counts || !marks_failures(member)) {
      some_done = some_done || size_of(*found) > 0 || names_what_was_made(member, *found);
      continue;
    }
    for (const Value& entry : found->is_array() ? found->as_array() : json::Array()) {
      if (code_in(entry).empty())
        some_done = true;
      else
        out.items.push_back(item_of(entry));
    }
  }
  if (out.items.empty() && out.count == 0 && !says_no) return std::nullopt;
  out.count = std::max(out.count, static_cast<std::int64_t>(out.items.size()));
  out.asked = asked_by(input);
  // Where the things that were done are not listed either, what failed has to be all that the call named.
  out.whole = !some_done && (out.count == 0 || (out.asked > 0 && out.count >= out.asked));
  return out;
}

}  // namespace

bool tells_failures(const aws::Member& member) {
  return says_yes(member) || counts_failures(member) || lists_failures(member);
}

Error Shortfall::error() const {
  std::set<std::string> codes;
  for (const Item& item : items) codes.insert(item.code);
  const bool one_code = codes.size() == 1 && !codes.begin()->empty();
  std::string message = "it was answered with success, and says that ";
  if (count == 0)
    message += "it did not succeed";
  else if (asked >= count)
    message += std::to_string(count) + " of " + std::to_string(asked) + (asked == 1 ? " was" : " were") + " not done";
  else
    message += std::to_string(count) + (count == 1 ? " was" : " were") + " not done";
  for (std::size_t i = 0; i < std::min(items.size(), shown_items); ++i) {
    const Item& item = items[i];
    std::string why = item.code;
    if (!item.message.empty()) why += (why.empty() ? "" : ": ") + item.message.substr(0, shown_text);
    message += (i == 0 ? ": " : ", ") + (item.what.empty() ? "one" : item.what.substr(0, shown_text)) +
               (why.empty() ? "" : " (" + why + ")");
  }
  if (items.size() > shown_items) message += " and " + std::to_string(items.size() - shown_items) + " more";
  Error error = errors::coded(!whole     ? "PartlyUnsuccessful"
                              : one_code ? *codes.begin()
                                         : "Unsuccessful",
                              std::move(message), 400);
  error.retryable = whole && one_code && aws::is_throttling_code(*codes.begin());
  return error;
}

bool Shortfall::all_of(const std::vector<std::string>& codes) const {
  return !items.empty() && std::all_of(items.begin(), items.end(), [&](const Item& item) {
    return std::find(codes.begin(), codes.end(), item.code) != codes.end();
  });
}

Result<std::optional<Shortfall>> shortfall_of(const Failures* declared, const aws::Operation* operation,
                                              const Value& input, const Value& answer) {
  if (declared != nullptr && declared->items) return by_declaration(*declared, input, answer);
  if (declared != nullptr) return std::optional<Shortfall>();
  if (operation == nullptr || operation->output == nullptr || !answer.is_object()) return std::optional<Shortfall>();
  return by_shape(*operation->output, input, answer);
}

}  // namespace fixpoint::changes
