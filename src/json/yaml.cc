#include "json/yaml.h"

#include <algorithm>
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::json {
namespace {

constexpr int depth_limit = 100;

struct Refusal {
  std::string message;
  YAML::Mark mark;
};

std::string place(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

// YAML 1.2.2, section 10.3.2. yaml-cpp itself follows YAML 1.1 (octal 012, yes as a boolean), so it is asked for text
// only.
Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view digits = std::string_view(text).substr(text[0] == '+' || text[0] == '-' ? 1 : 0);
  if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos) {
    const std::string_view without_plus = text[0] == '+' ? digits : std::string_view(text);
    if (const auto integer = to_int64(without_plus)) return *integer;
    return NumberText{std::string(without_plus)};
  }
  if (digits.starts_with("0x") || digits.starts_with("0o"))
    return text;  // identifiers and colours more often than numbers
  const bool number_like = !digits.empty() && digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                           digits.find_first_of("0123456789") != std::string_view::npos;
  if (number_like) {
    if (const auto number = to_double(text[0] == '+' ? digits : std::string_view(text))) return *number;
  }
  return text;
}

class Reader {
 public:
  explicit Reader(YamlOptions options) : options_(options) {}

  Value read(const YAML::Node& node, int depth) {
    if (depth > depth_limit) throw Refusal{"the YAML text is nested too deeply (at most 100 levels)", node.Mark()};
    if (++nodes_ > options_.node_limit)
      throw Refusal{"the YAML text has too many nodes, counting what its aliases repeat", node.Mark()};
    const std::string& tag = node.Tag();
    if (tag.size() > 1 && tag[0] == '!' && tag != "!") {
      if (!options_.short_tags) throw Refusal{"the tag " + tag + " has no meaning here", node.Mark()};
      return short_form(tag, node, depth);
    }
    static constexpr std::string_view core = "tag:yaml.org,2002:";
    if (tag.starts_with(core)) {
      static constexpr std::string_view known[] = {"str", "int", "float", "bool", "null", "map", "seq"};
      if (std::find(std::begin(known), std::end(known), std::string_view(tag).substr(core.size())) == std::end(known))
        throw Refusal{"the tag !!" + tag.substr(core.size()) + " has no meaning here", node.Mark()};
    }
    return untagged(node, tag, depth);
  }

 private:
  Value untagged(const YAML::Node& node, const std::string& tag, int depth) {
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        // "?" is what yaml-cpp calls a plain scalar, "!" a quoted one.
        if (tag == "?" || tag.empty()) return plain_scalar(node.Scalar());
        if (tag == "!" || tag.ends_with(":str")) return node.Scalar();
        if (tag.starts_with("tag:yaml.org,2002:")) return plain_scalar(node.Scalar());
        throw Refusal{"the tag " + tag + " has no meaning here", node.Mark()};
      case YAML::NodeType::Sequence: {
        Array items;
        for (const auto& item : node) items.push_back(read(item, depth + 1));
        return items;
      }
      case YAML::NodeType::Map: {
        Object members;
        for (const auto& entry : node) {
          if (!entry.first.IsScalar()) throw Refusal{"a name in a mapping has to be text", entry.first.Mark()};
          const std::string& key = entry.first.Scalar();
          if (members.contains(key)) throw Refusal{"'" + key + "' stands twice in one mapping", entry.first.Mark()};
          members.append(key, read(entry.second, depth + 1));
        }
        return members;
      }
      default: return {};
    }
  }

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
  Value short_form(const std::string& tag, const YAML::Node& node, int depth) {
    const std::string name = tag.substr(1);
    static constexpr std::string_view known[] = {
        "And",    "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs",       "If",        "ImportValue", "Join",
        "Length", "Not",    "Or",   "Select", "Split",     "Sub",    "ToJsonString", "Transform", "ForEach"};
    Value inner = node.IsScalar() ? Value(node.Scalar()) : untagged(node, "", depth);
    Object out;
    if (name == "Ref" || name == "Condition") {
      out.append(name, std::move(inner));
      return out;
    }
    for (const std::string_view k : known)
      if (k == name) {
        out.append("Fn::" + name, std::move(inner));
        return out;
      }
    throw Refusal{"the tag " + tag + " has no meaning here", node.Mark()};
  }

  YamlOptions options_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<Value> parse_yaml(std::string_view text, YamlOptions options) {
  constexpr std::size_t text_limit = 4UL * 1024 * 1024;
  if (text.size() > text_limit) return fail(errors::too_large("the YAML text has more than 4 MiB"));
  if (!is_valid_utf8(text)) return fail(errors::serialization("the YAML text is not valid UTF-8"));
  // JSON is YAML too, and much faster read as what it is; what is no JSON is read again below.
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    if (auto json = parse(text, {.depth = depth_limit})) return json;
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return Value();
    if (documents.size() > 1)
      return fail(errors::serialization("the text holds more than one YAML document", place(documents[1].Mark())));
    return Reader(options).read(documents[0], 0);
  } catch (const Refusal& refusal) {
    return fail(errors::serialization(refusal.message, place(refusal.mark)));
  } catch (const YAML::Exception& e) {
    return fail(errors::serialization("not YAML: " + e.msg, place(e.mark)));
  }
}

}  // namespace fixpoint::json
