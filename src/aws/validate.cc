#include "aws/validate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "aws/pattern.h"
#include "aws/scalar.h"
#include "base/utf8.h"

namespace fixpoint::aws {
namespace {

constexpr int max_depth = 128;
constexpr std::size_t max_errors = 100;
constexpr std::size_t max_echo = 64;

// A place in the input, kept on the stack and spelled out only for a message.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;  // of a list's element, from 1
  bool element = false;   // of a list or map
};

std::string cut(std::string_view text) {
  const std::string_view first = first_bytes(text, max_echo);
  return std::string(first) + (first.size() < text.size() ? "..." : "");
}

std::string limit_text(double limit) {
  std::array<char, 40> text{};
  const bool whole = std::floor(limit) == limit && std::abs(limit) < 9e15;
  const int length = std::snprintf(text.data(), text.size(), whole ? "%.0f" : "%.15g", limit);
  return {text.data(), static_cast<std::size_t>(length)};
}

double characters(std::string_view text) {
  return static_cast<double>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

// The number of bytes that a base64 text stands for, or -1 where it is none.
double base64_bytes(std::string_view text) {
  if (text.size() % 4 != 0) return -1;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const auto alphabet = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::ranges::all_of(text.substr(0, text.size() - padding), alphabet)) return -1;
  const std::size_t groups = text.size() / 4;
  return static_cast<double>(groups * 3 - padding);
}

bool is_float_word(const json::Value& value) {
  const std::string_view text = value.string_or("");
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

class Check {
 public:
  Check(const Operation& operation, bool caller)
      : operation_(operation), protocol_(operation.service->protocol), caller_(caller) {}

  void structure(const Shape& shape, const json::Value& value, const Path* at, int depth, bool hidden) {
    if (!value.is_object()) return wrong_type(at, "an object", value);
    std::size_t present = 0;
    for (const Member& member : shape.members) {
      const json::Value* found = value.find(member.name);
      const Path path{at, member.name};
      if (found == nullptr || found->is_null()) {
        if (member.required && !member.idempotency_token) missing(path);
      } else {
        ++present;
        this->member(member, *found, &path, depth, hidden);
      }
      if (full()) return;
    }
    if (caller_) unknown(shape, value, at);
    if (shape.is_union && !shape.event_stream && present != 1)
      failed(at, nullptr, "Member must have exactly one member set");
  }

  Result<void> result() {
    if (count_ == 0) return {};
    if (caller_) return fail(made("ValidationException", std::move(text_)));
    if (fatal_) return fail(made(std::move(code_), std::move(text_)));
    switch (protocol_) {
      case Protocol::Ec2: return fail(made(std::move(code_), std::move(text_)));
      // What is nested stands in the document, which then does not fit its schema: S3 has a code of its own for that.
      // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
      case Protocol::RestXml:
        if (where_.find('.') != std::string::npos)
          return fail(made(
              "MalformedXML",
              "The XML you provided was not well-formed or did not validate against our published schema: " + text_));
        return fail(made("InvalidRequest", std::move(text_)));
      default: break;
    }
    std::string message =
        std::to_string(count_) + (count_ == 1 ? " validation error" : " validation errors") + " detected: " + text_;
    const bool query = protocol_ == Protocol::Query;
    // Security Hub's older operations have a word of their own; those of V2 know the usual one.
    const auto& errors = operation_.errors;
    const bool hub = operation_.service->name == "securityhub" && std::ranges::none_of(errors, [](const Shape* error) {
                       return error->name == "ValidationException";
                     });
    return fail(made(query ? "ValidationError"
                     : hub ? "InvalidInputException"
                           : "ValidationException",
                     std::move(message)));
  }

 private:
  Error made(std::string code, std::string message) {
    Error error = errors::coded(std::move(code), std::move(message), 400);
    error.where = std::move(where_);
    return error;
  }
  bool full() const { return fatal_ || count_ >= max_errors; }
  bool is_ec2() const { return protocol_ == Protocol::Ec2 && !caller_; }
  bool has_limits() const { return !caller_ && protocol_ != Protocol::RestXml && protocol_ != Protocol::Ec2; }

  std::string spell(const Path* at) const {
    if (at == nullptr) return {};
    std::string text = spell(at->parent);
    if (!text.empty()) text += '.';
    if (at->element) return text + (at->index != 0 ? std::to_string(at->index) : cut(at->name)) + ".member";
    std::string name(at->name);
    if (has_limits() && !name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] + 32);
    return text + name;
  }

  void note(const Path* at) {
    if (count_++ == 0) where_ = spell(at);
  }

  void malformed(const Path* at) {
    ++count_;
    where_ = spell(at);
    fatal_ = true;
    switch (protocol_) {
      case Protocol::Query: code_ = "MalformedInput"; break;
      case Protocol::Ec2: code_ = "InvalidParameterValue"; break;
      case Protocol::RestXml: code_ = "MalformedXML"; break;
      default: code_ = "SerializationException"; break;
    }
  }

  void wrong_type(const Path* at, std::string_view expected, const json::Value& value) {
    malformed(at);
    const std::string place = spell(at);
    text_ = (place.empty() ? "The input" : "The value at '" + place + "'") + " must be " + std::string(expected) +
            ", not " + std::string(json::kind_name(value));
  }

  void unknown(const Shape& shape, const json::Value& value, const Path* at) {
    for (const json::Member& entry : value.as_object()) {
      if (full()) return;
      if (shape.find(entry.key) != nullptr) continue;
      std::string known;
      for (const Member& member : shape.members) {
        if (known.size() > 500) {
          known += ", ...";
          break;
        }
        known += (known.empty() ? "" : ", ") + std::string(member.name);
      }
      const Path path{at, entry.key};
      note(&path);
      add("There is no member '" + cut(entry.key) + "' " + (at == nullptr ? "in the input" : "at '" + spell(at) + "'") +
          (known.empty() ? ", which has none" : ": expected one of " + known));
    }
  }

  void missing(const Path& path) {
    if (is_ec2()) {
      if (count_ == 0) {
        code_ = "MissingParameter";
        text_ = "The request must contain the parameter " + spell(&path);
      }
      return note(&path);
    }
    note(&path);
    add("Value null at '" + spell(&path) + "' failed to satisfy constraint: Member must not be null");
  }

  void add(const std::string& sentence) {
    if (!text_.empty()) text_ += "; ";
    text_ += sentence;
  }

  // `value` null: not to be echoed.
  void failed(const Path* at, const json::Value* value, const std::string& constraint) {
    std::string echo;
    if (value != nullptr && value->is_string()) echo = cut(value->as_string());
    if (value != nullptr && value->is_number()) echo = cut(value->number_text());
    const bool shown = value != nullptr && (value->is_string() || value->is_number());
    if (is_ec2()) {
      if (count_ == 0) {
        code_ = "InvalidParameterValue";
        text_ = (shown ? "Value (" + echo + ") for parameter " : std::string("Value for parameter ")) + spell(at) +
                " is invalid. " + constraint;
      }
      return note(at);
    }
    note(at);
    add((shown ? "Value '" + echo + "' at '" : std::string("Value at '")) + spell(at) +
        "' failed to satisfy constraint: " + constraint);
  }

  void limits(const Shape& shape, double size, std::string_view what, const Path* at, const json::Value* echo) {
    if (!has_limits()) return;
    if (shape.max && size > *shape.max)
      failed(at, echo, "Member must have " + std::string(what) + " less than or equal to " + limit_text(*shape.max));
    if (shape.min && size < *shape.min)
      failed(at, echo, "Member must have " + std::string(what) + " greater than or equal to " + limit_text(*shape.min));
  }

  void member(const Member& member, const json::Value& value, const Path* at, int depth, bool hidden) {
    if (member.json_value || member.shape->event_stream) return;
    if (depth >= max_depth) {
      malformed(at);
      text_ = "The input is nested deeper than " + std::to_string(max_depth) + " levels";
      return;
    }
    hidden = hidden || member.sensitive || member.shape->sensitive;
    const Shape& shape = *member.shape;
    const json::Value* echo = hidden ? nullptr : &value;
    switch (shape.type) {
      case ShapeType::Structure: return structure(shape, value, at, depth + 1, hidden);
      case ShapeType::List: {
        if (!value.is_array()) return wrong_type(at, "a list", value);
        limits(shape, static_cast<double>(value.size()), "length", at, echo);
        std::size_t index = 0;
        for (const json::Value& item : value.as_array()) {
          const Path path{at, {}, ++index, true};
          if (!item.is_null()) this->member(shape.element, item, &path, depth + 1, hidden);
          if (full()) return;
        }
        return;
      }
      case ShapeType::Map: {
        if (!value.is_object()) return wrong_type(at, "an object", value);
        limits(shape, static_cast<double>(value.size()), "length", at, echo);
        for (const json::Member& item : value.as_object()) {
          const Path path{at, item.key, 0, true};
          text(*shape.key.shape, item.key, nullptr, &path);
          if (!item.value.is_null()) this->member(shape.element, item.value, &path, depth + 1, hidden);
          if (full()) return;
        }
        return;
      }
      case ShapeType::String:
        if (!value.is_string()) return wrong_type(at, "a string", value);
        return text(shape, value.as_string(), echo, at);
      case ShapeType::Blob: {
        if (!value.is_string()) return wrong_type(at, "a base64 string", value);
        if (member.streaming) return;
        const double bytes = base64_bytes(value.as_string());
        if (bytes < 0) return wrong_type(at, "base64 text", value);
        return limits(shape, bytes, "length", at, nullptr);
      }
      case ShapeType::Boolean:
        if (!value.is_bool()) wrong_type(at, "a boolean", value);
        return;
      case ShapeType::Byte:
      case ShapeType::Short:
      case ShapeType::Integer:
      case ShapeType::Long: {
        const auto number = value.is_number() ? value.as_int64() : std::nullopt;
        const auto [least, most] = integer_range(shape.type);
        if (!number) return wrong_type(at, "an integer", value);
        if (*number < least || *number > most)
          return wrong_type(at, "an integer from " + std::to_string(least) + " to " + std::to_string(most), value);
        return limits(shape, static_cast<double>(*number), "value", at, echo);
      }
      case ShapeType::Float:
      case ShapeType::Double:
        if (is_float_word(value)) return;
        if (!value.is_number()) return wrong_type(at, "a number", value);
        return limits(shape, value.as_double(), "value", at, echo);
      case ShapeType::Timestamp:
        if (!value.is_number() && !(value.is_string() && epoch_of(value)))
          wrong_type(at, "a number of seconds since the epoch or a date", value);
        return;
      case ShapeType::Document: return;
    }
  }

  void text(const Shape& shape, std::string_view text, const json::Value* echo, const Path* at) {
    if (caller_ || protocol_ == Protocol::RestXml) return;
    if (!shape.enum_values.empty() && std::ranges::find(shape.enum_values, text) == shape.enum_values.end()) {
      std::string allowed;
      for (const std::string_view each : shape.enum_values)
        allowed += (allowed.empty() ? "" : ", ") + std::string(each);
      failed(at, echo, "Member must satisfy enum value set: [" + allowed + "]");
      return;
    }
    if (!has_limits()) return;
    if (shape.min || shape.max) limits(shape, characters(text), "length", at, echo);
    if (shape.pattern != nullptr && !shape.pattern->matches(text))
      failed(at, echo, "Member must satisfy regular expression pattern: " + std::string(shape.pattern->text()));
  }

  const Operation& operation_;
  Protocol protocol_;
  bool caller_;
  std::size_t count_ = 0;
  bool fatal_ = false;
  std::string code_;
  std::string text_;
  std::string where_;
};

const json::Value& object_or_nothing(const json::Value& input) {
  static const json::Value nothing{json::Object{}};
  return input.is_null() ? nothing : input;
}

}  // namespace

Result<void> validate(const Operation& operation, const json::Value& input) {
  if (operation.input == nullptr) return {};
  Check check(operation, false);
  check.structure(*operation.input, object_or_nothing(input), nullptr, 0, false);
  return check.result();
}

Result<void> validate_call(const Operation& operation, const json::Value& input) {
  static const Shape no_members;
  Check check(operation, true);
  check.structure(operation.input != nullptr ? *operation.input : no_members, object_or_nothing(input), nullptr, 0,
                  false);
  return check.result();
}

}  // namespace fixpoint::aws
