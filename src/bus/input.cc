#include "bus/input.h"

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::size_t most_variables = 100;
constexpr std::size_t longest_template = 8192;
// No target takes more (a message of a queue has at most 1 MiB), and a template may name a variable thousands of times.
constexpr std::size_t longest_input_bytes = 1024UL * 1024;
constexpr std::string_view rule_arn = "aws.events.rule-arn";
constexpr std::string_view rule_name = "aws.events.rule-name";
constexpr std::string_view ingestion_time = "aws.events.event.ingestion-time";
constexpr std::string_view event_without_detail = "aws.events.event";
constexpr std::string_view event_whole = "aws.events.event.json";

bool is_predefined(std::string_view name) {
  return name == rule_arn || name == rule_name || name == ingestion_time || name == event_without_detail ||
         name == event_whole;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
                              std::string_view::npos;
}

// The recorded form: without `detail`, and with detail-type as detailType.
Value without_detail(const Value& event) {
  json::Object out;
  for (const auto* member : {"id", "account", "detail-type", "time", "source", "region", "resources", "version"})
    if (const Value* value = event.find(member))
      out.append(std::string_view(member) == "detail-type" ? "detailType" : member, *value);
  return out;
}

// A string's characters as they stand between its quotes.
std::string escaped(std::string_view text) {
  std::string quoted;
  json::print_string_to(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Result<TargetInput> TargetInput::read(const Value& target) {
  const std::string id(target["Id"].string_or(""));
  int given = 0;
  for (const auto* member : {"Input", "InputPath", "InputTransformer"})
    if (const Value* value = target.find(member); value != nullptr && !value->is_null()) ++given;
  if (given > 1)
    return fail(errors::validation("Only one of Input, InputPath, or InputTransformer must be provided for target " +
                                   id + "."));
  TargetInput out;
  if (const Value* constant = target.find("Input"); constant != nullptr && !constant->is_null()) {
    const auto parsed = json::parse(constant->string_or(""));
    if (!parsed)
      return fail(errors::validation("Input of target " + id + " has to be JSON text: " + parsed.error().message +
                                         " (" + parsed.error().where + ")",
                                     "Input"));
    out.constant_ = json::print(*parsed);
  } else if (const Value* path = target.find("InputPath"); path != nullptr && !path->is_null()) {
    FIXPOINT_TRY(read, Path::read(path->string_or("")));
    out.path_ = std::move(read);
  } else if (const Value* form = target.find("InputTransformer"); form != nullptr && !form->is_null()) {
    FIXPOINT_CHECK(out.read_transformer(*form, id));
  }
  return out;
}

Result<void> TargetInput::read_transformer(const Value& form, const std::string& target_id) {
  const Value& map = form["InputPathsMap"];
  if (map.size() > most_variables)
    return fail(errors::validation("InputPathsMap of target " + target_id + " has " + std::to_string(map.size()) +
                                       " variables; at most 100 are taken",
                                   "InputTransformer.InputPathsMap"));
  if (map.is_object())
    for (const auto& member : map.as_object()) {
      if (!is_variable_name(member.key) || to_lower(member.key).starts_with("aws"))
        return fail(errors::validation("InputPathsMap of target " + target_id + ": '" + member.key.substr(0, 80) +
                                           "' is no name for a variable: letters, digits, '_', '-' and '.', and not "
                                           "AWS at the start",
                                       "InputTransformer.InputPathsMap"));
      FIXPOINT_TRY(path, Path::read(member.value.string_or("")));
      paths_.emplace(member.key, std::move(path));
    }
  const std::string_view text = form["InputTemplate"].string_or("");
  if (trim(text).empty() || text.size() > longest_template)
    return fail(errors::validation("InputTemplate of target " + target_id + " has " + std::to_string(text.size()) +
                                       " characters; 1 to 8192 are taken",
                                   "InputTransformer.InputTemplate"));
  makes_text_ = trim(text).front() == '"';
  bool in_quotes = false;
  Piece literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::size_t close = c == '<' ? text.find('>', i) : std::string_view::npos;
    const std::string_view name =
        close == std::string_view::npos ? std::string_view() : text.substr(i + 1, close - i - 1);
    if (is_variable_name(name)) {
      if (!paths_.contains(name) && !is_predefined(name))
        return fail(errors::validation("InputTemplate for target " + target_id + " contains invalid placeholder " +
                                       std::string(name) + "."));
      if (!literal.text.empty()) pieces_.push_back(std::exchange(literal, {}));
      pieces_.push_back({std::string(name), true, in_quotes});
      i = close;
      continue;
    }
    literal.text += c;
    if (c == '\\' && in_quotes && i + 1 < text.size())
      literal.text += text[++i];
    else if (c == '"')
      in_quotes = !in_quotes;
  }
  if (!literal.text.empty()) pieces_.push_back(std::move(literal));
  return {};
}

// With numbers and with strings in the place of its variables it is no JSON.
Result<void> TargetInput::check_template(const std::string& target_id) const {
  if (makes_text_ || pieces_.empty()) return {};
  Error last;
  for (const auto* stand_in : {"0", "\"x\""}) {
    std::string text;
    for (const Piece& piece : pieces_) text += !piece.variable ? piece.text : piece.in_quotes ? "x" : stand_in;
    const auto parsed = json::parse(text);
    if (parsed) return {};
    last = parsed.error();
  }
  return fail(errors::validation("InputTemplate for target " + target_id +
                                     " makes no JSON of any event: " + last.message + " (" + last.where +
                                     "); a text stands between quotes, as in \"<name> is here\"",
                                 "InputTransformer.InputTemplate"));
}

Result<std::string> TargetInput::render(const Value& event, std::string_view event_text, const Rule& rule,
                                        TimeMs ingested_ms) const {
  if (constant_) return *constant_;
  if (path_) {
    const auto part = path_->in(event);
    return part ? json::print(*part) : std::string("null");
  }
  if (pieces_.empty()) return std::string(event_text);
  std::string out;
  for (const Piece& piece : pieces_) {
    if (out.size() > longest_input_bytes)
      return fail(errors::validation("the InputTransformer makes more than " + std::to_string(longest_input_bytes) +
                                         " bytes of the event, which no target takes",
                                     "InputTransformer.InputTemplate"));
    if (!piece.variable) {
      out += piece.text;
      continue;
    }
    Value value{std::string()};  // of a variable that leads nowhere
    if (piece.text == rule_arn)
      value = rule.arn;
    else if (piece.text == rule_name)
      value = rule.name;
    else if (piece.text == ingestion_time)
      value = format_iso8601(static_cast<double>(ingested_ms - ingested_ms % 1000) / 1000);
    else if (piece.text == event_without_detail)
      value = without_detail(event);
    else if (piece.text == event_whole)
      value = event;
    else if (auto part = paths_.find(piece.text)->second.in(event))
      value = std::move(*part);
    if (!piece.in_quotes)
      out += json::print(value);
    else if (value.is_string())
      out += escaped(value.as_string());
    else
      out += makes_text_ ? replace_all(json::print(value), "\"", "") : json::print(value);
  }
  if (makes_text_) return out;
  const auto parsed = json::parse(out);
  if (!parsed)
    return fail(errors::validation(
        "the InputTransformer made no JSON of the event: " + parsed.error().message + " (" + parsed.error().where + ")",
        "InputTransformer.InputTemplate"));
  return json::print(*parsed);
}

}  // namespace fixpoint::bus
