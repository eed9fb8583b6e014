#include "changes/dry_run.h"

#include "base/arn.h"
#include "base/hash.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr std::string_view token_start = "dryrun-";

bool agree(const Value& read, const Value& change) {
  if (!read.is_object() || !change.is_object()) return false;
  bool common = false;
  for (const auto& member : read.as_object()) {
    const Value* other = change.find(member.key);
    if (other == nullptr) continue;
    if (!(*other == member.value)) return false;
    common = true;
  }
  return common;
}

bool names(std::string_view pattern, std::string_view operation) {
  return pattern.ends_with('*') ? operation.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == operation;
}

}  // namespace

void IntendedAccount::rest(const Change& planned) {
  const std::string name = planned.call() + " (" + planned.step + ")";
  if (rests_on_.find(name) == std::string::npos) rests_on_ += (rests_on_.empty() ? "" : ", ") + name;
}

Result<Value> IntendedAccount::call(const aws::CallContext& context, std::string_view service,
                                    std::string_view operation, const Value& input) {
  if (!recipes_.reads(service, operation))
    return fail(errors::validation("a dry run makes no changing call, and " + std::string(service) + ":" +
                                   std::string(operation) + " is one"));
  auto answer = account_.call(context, service, operation, input);
  for (const Change& planned : planned_) {
    // Buckets belong to no region; what else is read elsewhere is another thing, though it may have the same name.
    const bool elsewhere = planned.region != context.region && service != "s3" && service != "s3control";
    if (planned.account != context.account || elsewhere) continue;
    const Recipe* recipe = recipes_.find(planned.service, planned.operation);
    if (recipe == nullptr || recipe->intended.empty()) {
      if (planned.service == service) rest(planned);
      continue;
    }
    for (const Intended& intended : recipe->intended) {
      if (intended.service != service || !names(intended.operation, operation)) continue;
      jsonata::Bindings bindings;
      bindings.borrow("input", planned.input);
      bindings.borrow("read", input);
      if (planned.before) bindings.borrow("before", *planned.before);
      const Value shown = answer ? *answer : Value();
      if (answer) bindings.borrow("state", shown);
      bindings.set("token", Value(dry_token(planned.execution, planned.step)));
      bindings.set("account", Value(context.account));
      bindings.set("region", Value(context.region));
      bindings.set("partition", Value(partition_of_region(context.region)));
      if (intended.when) {
        FIXPOINT_TRY(holds, intended.when->fill(Value(), bindings));
        if (!holds || !holds->bool_or(false)) continue;
      } else if (!agree(input, planned.input)) {
        continue;
      }
      if (intended.unknown) rest(planned);
      if (intended.unknown && !intended.answer) continue;
      if (!intended.error.empty()) {
        answer = fail(errors::coded(intended.error, "as it would be after " + planned.call() + ", which was not made"));
        continue;
      }
      FIXPOINT_TRY(filled, intended.answer->fill(Value(), bindings));
      answer = filled ? std::move(*filled) : Value(json::Object());
    }
  }
  return answer;
}

std::string dry_token(const std::string& execution, const std::string& step) {
  return std::string(token_start) + sha256_hex(execution + "/" + step).substr(0, 12);
}

bool holds_dry_token(std::string_view text) {
  return text.find(token_start) != std::string_view::npos;
}

namespace {

class Shaper {
 public:
  Shaper(const aws::Operation& operation, const Value& input, const aws::CallContext& context, const std::string& token)
      : operation_(operation), input_(input), context_(context), token_(token) {}

  Value structure(const aws::Shape& shape, int depth) {
    json::Object out;
    for (const aws::Member& member : shape.members) {
      if (auto value = member_of(member, depth)) out.set(member.name, std::move(*value));
      if (shape.is_union && !out.empty()) break;
    }
    return out;
  }

 private:
  static bool names(std::string_view name) {
    for (const std::string_view ending : {"Id", "ID", "Arn", "ARN", "Name", "Url"})
      if (name.ends_with(ending)) return true;
    return name == "arn" || name == "name" || name == "id" || name == "Location";
  }
  // What went wrong with parts of the request: in a dry run nothing did.
  static bool tells_failures(std::string_view name) {
    for (const std::string_view start : {"Failed", "Failure", "Unprocessed", "Error", "Unsuccessful", "NextToken"})
      if (name.starts_with(start)) return true;
    return false;
  }

  std::optional<Value> member_of(const aws::Member& member, int depth) {
    const aws::Shape& shape = *member.shape;
    if (tells_failures(member.name)) {
      if (member.required && shape.type == aws::ShapeType::List) return Value(json::Array());
      if (!member.required) return std::nullopt;
    }
    if (const Value* said = input_.find(member.name); said != nullptr && fits(*said, shape)) return *said;
    switch (shape.type) {
      case aws::ShapeType::Structure: {
        if (depth >= depth_limit) return std::nullopt;
        Value inner = structure(shape, depth + 1);
        if (inner.size() == 0 && !member.required) return std::nullopt;
        return inner;
      }
      case aws::ShapeType::List: {
        if (depth >= depth_limit || shape.element.shape == nullptr) return std::nullopt;
        json::Array list;
        if (shape.element.shape->type == aws::ShapeType::Structure) {
          Value inner = structure(*shape.element.shape, depth + 1);
          if (inner.size() > 0) list.push_back(std::move(inner));
        }
        if (list.empty() && !member.required) return std::nullopt;
        return Value(std::move(list));
      }
      case aws::ShapeType::Map: return member.required ? std::optional<Value>(json::Object()) : std::nullopt;
      case aws::ShapeType::String:
        if (!shape.enum_values.empty())
          return member.required ? std::optional<Value>(std::string(shape.enum_values.front())) : std::nullopt;
        if (!member.required && !names(member.name)) return std::nullopt;
        return Value(text_for(member.name));
      // ec2's own way to say that all went well.
      case aws::ShapeType::Boolean:
        if (member.name == "Return") return Value(true);
        return member.required ? std::optional<Value>(false) : std::nullopt;
      case aws::ShapeType::Blob: return member.required ? std::optional<Value>("") : std::nullopt;
      case aws::ShapeType::Document: return member.required ? std::optional<Value>(json::Object()) : std::nullopt;
      default: return member.required ? std::optional<Value>(0) : std::nullopt;
    }
  }

  static bool fits(const Value& value, const aws::Shape& shape) {
    switch (shape.type) {
      case aws::ShapeType::String: return value.is_string();
      case aws::ShapeType::Boolean: return value.is_bool();
      case aws::ShapeType::Integer:
      case aws::ShapeType::Long:
      case aws::ShapeType::Float:
      case aws::ShapeType::Double: return value.is_number();
      default: return false;
    }
  }

  std::string text_for(std::string_view name) const {
    if (!name.ends_with("Arn") && !name.ends_with("ARN") && name != "arn") return token_;
    return "arn:" + std::string(partition_of_region(context_.region)) + ":" +
           std::string(operation_.service->signing_name) + ":" + context_.region + ":" + context_.account + ":" +
           token_;
  }

  static constexpr int depth_limit = 4;
  const aws::Operation& operation_;
  const Value& input_;
  const aws::CallContext& context_;
  const std::string& token_;
};

}  // namespace

Value dry_answer(const aws::Operation* operation, const Value& input, const aws::CallContext& context,
                 const std::string& token) {
  if (operation == nullptr || operation->output == nullptr) return json::Object();
  return Shaper(*operation, input, context, token).structure(*operation->output, 0);
}

}  // namespace fixpoint::changes
