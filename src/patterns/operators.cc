#include "patterns/operators.h"

#include <algorithm>

#include "patterns/fold.h"

namespace fixpoint::patterns {
namespace {

constexpr std::string_view known_operators =
    "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr and exists are the operators";

bool is_number_start(char c) {
  return c == '-' || (c >= '0' && c <= '9');
}

std::string folded(std::string_view text) {
  std::string out;
  fold_to(out, text);
  return out;
}

}  // namespace

std::string PatternPlace::found() const {
  std::string_view rest = text_.substr(std::min(reader_.position(), text_.size()));
  const auto end = rest.find_first_of("\r\n");
  std::string_view shown = rest.substr(0, end);
  if (shown.empty()) return "the end of the text";
  // A string or a scalar is shown whole where it is short.
  std::size_t stop = 0;
  if (shown[0] == '"') {
    for (stop = 1; stop < shown.size() && shown[stop] != '"'; ++stop)
      if (shown[stop] == '\\') ++stop;
    ++stop;
  } else if (shown[0] == '{' || shown[0] == '[') {
    stop = shown.size();
  } else {
    stop = shown.find_first_of(",]} \t");
    if (stop == 0) stop = 1;
  }
  if (stop < shown.size()) shown = shown.substr(0, stop);
  if (shown.size() <= 40) return std::string(shown);
  std::size_t cut = 40;
  while (cut > 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0U) == 0x80) --cut;
  return std::string(shown.substr(0, cut)) + "...";
}

bool PatternPlace::refuse(const std::string& reason, const std::string& right) {
  reader_.peek();
  const Place place = place_of(text_, reader_.position());
  std::string path = "$";
  for (const Part& part : path_) {
    if (part.name == nullptr)
      path += "[" + std::to_string(part.index) + "]";
    else if (!part.name->empty() && part.name->find_first_of(".[]'\" ") == std::string::npos)
      path += "." + *part.name;
    else
      path += "['" + *part.name + "']";
  }
  error_ = errors::coded("InvalidEventPatternException", "", 400);
  error_.where = path + ", line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
  error_.message =
      "Event pattern is not valid. Reason: " + reason + "\n at " + error_.where + ": found " + found() + "; " + right;
  return false;
}

bool PatternPlace::syntax() {
  return refuse("The pattern is not valid JSON: " + reader_.fault(), "RFC 8259 JSON is wanted");
}

bool PatternPlace::syntax(const std::string& fault) {
  return refuse("The pattern is not valid JSON: " + fault, "RFC 8259 JSON is wanted");
}

bool Operators::values(std::vector<Test>& tests) {
  const std::size_t start = reader_.position();
  reader_.take('[');
  if (reader_.peek() == ']') {
    reader_.move_to(start);
    return place_.refuse("Empty arrays are not allowed", "list at least one value, or {\"exists\": true} for any");
  }
  do {
    const Step step(place_, tests.size());
    Test& test = tests.emplace_back();
    const char c = reader_.peek();
    if (c == '{') {
      if (!expression(test)) return false;
    } else if (c == '[') {
      return place_.refuse("Match value must be String, number, true, false, or null",
                           "lists are not nested: write the values side by side");
    } else if (!literal(test)) {
      return false;
    }
  } while (reader_.take(','));
  if (!reader_.take(']')) return place_.syntax("a ',' or ']' should stand here");
  return true;
}

bool Operators::literal(Test& test) {
  if (reader_.peek() == '"') {
    test.kind = Kind::Text;
    return reader_.string(test.text) || place_.syntax();
  }
  std::string_view word;
  if (!reader_.scalar(word)) return place_.syntax();
  if (word == "true") {
    test.kind = Kind::True;
  } else if (word == "false") {
    test.kind = Kind::False;
  } else if (word == "null") {
    test.kind = Kind::Null;
  } else {
    test.kind = Kind::Number;
    parse_decimal(word, test.number);
  }
  return true;
}

bool Operators::one_key_only() {
  if (reader_.peek() == ',')
    return place_.refuse("Only one key allowed in match expression",
                         "write a second operator as an object of its own, beside this one");
  if (!reader_.take('}')) return place_.syntax("a '}' should stand here");
  return true;
}

bool Operators::expression(Test& test) {
  const std::size_t start = reader_.position();
  reader_.take('{');
  if (reader_.peek() == '}') {
    reader_.move_to(start);
    return place_.refuse("Match expression name not found", std::string(known_operators));
  }
  std::string name;
  const std::size_t name_at = reader_.position();
  if (!reader_.string(name)) return place_.syntax();
  if (!reader_.take(':')) return place_.syntax("a ':' should stand here");
  const Step step(place_, name);
  reader_.peek();
  const std::size_t value_at = reader_.position();
  reader_.move_to(name_at);
  if (name != "exactly" && name != "prefix" && name != "suffix" && name != "equals-ignore-case" && name != "wildcard" &&
      name != "anything-but" && name != "numeric" && name != "cidr" && name != "exists")
    return place_.refuse("Unrecognized match type " + name, std::string(known_operators));
  reader_.move_to(value_at);
  return operand(name, test) && one_key_only();
}

bool Operators::operand(const std::string& name, Test& test) {
  if (name == "exactly") {
    test.kind = Kind::Text;
    return text_operand("exact match pattern must be a string", test.text);
  }
  if (name == "prefix" || name == "suffix") return affix(name, test);
  if (name == "equals-ignore-case") {
    test.kind = Kind::EqualsIgnoreCase;
    if (!text_operand("equals-ignore-case match pattern must be a string", test.text)) return false;
    test.text = folded(test.text);
    return true;
  }
  if (name == "wildcard") return wildcard(test, "wildcard match pattern must be a string");
  if (name == "anything-but") return anything_but(test);
  if (name == "numeric") return numeric(test);
  if (name == "cidr") {
    test.kind = Kind::Cidr;
    const std::size_t at = reader_.position();
    std::string text;
    if (!text_operand("prefix match pattern must be a string", text)) return false;
    std::string reason;
    if (parse_cidr(text, test.cidr, reason)) return true;
    reader_.move_to(at);
    return place_.refuse(reason, "an address block is written like 10.0.0.0/24 or 2001:db8::/32");
  }
  std::string_view word;
  const std::size_t at = reader_.position();
  if ((reader_.peek() == 't' || reader_.peek() == 'f') && reader_.scalar(word)) {
    test.kind = word == "true" ? Kind::Exists : Kind::Absent;
    return true;
  }
  reader_.move_to(at);
  return place_.refuse("exists match pattern must be either true or false.", "write true or false without quotes");
}

bool Operators::text_operand(const std::string& reason, std::string& out) {
  if (reader_.peek() != '"') return place_.refuse(reason, "a string in double quotes is wanted");
  return reader_.string(out) || place_.syntax();
}

bool Operators::affix(const std::string& name, Test& test) {
  const bool prefix = name == "prefix";
  test.kind = prefix ? Kind::Prefix : Kind::Suffix;
  if (reader_.peek() != '{' || old_) return text_operand(name + " match pattern must be a string", test.text);
  test.kind = prefix ? Kind::PrefixIgnoreCase : Kind::SuffixIgnoreCase;
  const std::size_t start = reader_.position();
  reader_.take('{');
  if (reader_.peek() == '}') {
    reader_.move_to(start);
    return place_.refuse((prefix ? "Prefix" : "Suffix") + std::string(" expression name not found"),
                         "only equals-ignore-case may stand here");
  }
  const std::size_t name_at = reader_.position();
  std::string inner;
  if (!reader_.string(inner)) return place_.syntax();
  if (!reader_.take(':')) return place_.syntax("a ':' should stand here");
  if (inner != "equals-ignore-case") {
    reader_.move_to(name_at);
    return place_.refuse("Unsupported " + name + " pattern: " + inner, "only equals-ignore-case may stand here");
  }
  const Step step(place_, inner);
  if (!text_operand("equals-ignore-case match pattern must be a string", test.text)) return false;
  test.text = folded(test.text);
  return one_key_only();
}

bool Operators::wildcard(Test& test, const std::string& not_text) {
  test.kind = Kind::Wildcard;
  reader_.peek();
  const std::size_t at = reader_.position();
  std::string text;
  if (!text_operand(not_text, text)) return false;
  std::string reason;
  std::size_t position = 0;
  if (parse_wildcard(text, test.pieces, reason, position)) return true;
  reader_.move_to(at);
  return place_.refuse(reason,
                       text[position] == '*'
                           ? "one star stands for any text, also the empty one; \\\\* is a star itself"
                           : "a backslash stands before a star or a backslash, and is itself written \\\\\\\\ in JSON");
}

bool Operators::number(Decimal& out, const std::string& sign) {
  const char c = reader_.peek();
  std::string_view word;
  if (!is_number_start(c))
    return place_.refuse("Value of " + sign + " must be numeric", "a number without quotes is wanted");
  if (!reader_.scalar(word)) return place_.syntax();
  parse_decimal(word, out);
  return true;
}

bool Operators::numeric(Test& test) {
  if (reader_.peek() != '[')
    return place_.refuse("Value of numeric must be an array.", "write it like [\">=\", 5] or [\">\", 0, \"<=\", 5]");
  reader_.take('[');
  if (reader_.peek() != '"')
    return place_.refuse("Invalid member in numeric match: " + place_.found(),
                         "a comparison comes first: \"=\", \"<\", \"<=\", \">\" or \">=\"");
  const std::size_t sign_at = reader_.position();
  std::string sign;
  if (!reader_.string(sign)) return place_.syntax();
  if (sign != "=" && sign != "<" && sign != "<=" && sign != ">" && sign != ">=") {
    reader_.move_to(sign_at);
    return place_.refuse("Unrecognized numeric range operator: " + sign,
                         "the comparisons are \"=\", \"<\", \"<=\", \">\" and \">=\"");
  }
  if (!reader_.take(',') && reader_.peek() != ']') return place_.syntax("a ',' should stand here");
  Decimal first;
  if (!number(first, sign == "=" ? "equals" : sign)) return false;
  const bool lower = sign[0] == '>';
  if (sign == "=") {
    test.kind = Kind::Number;
    test.number = first;
  } else {
    test.kind = Kind::Range;
    const bool open = sign.size() == 1;
    (lower ? test.number : test.top) = first;
    test.bounds = lower ? (open ? has_bottom | bottom_open : has_bottom) : (open ? has_top | top_open : has_top);
  }
  if (reader_.take(']')) return true;
  if (!reader_.take(',')) return place_.syntax("a ',' or ']' should stand here");
  reader_.peek();
  if (!lower)
    return place_.refuse("Too many elements in numeric expression",
                         "only \">\" and \">=\" are followed by an upper bound: [\">\", 0, \"<=\", 5]");
  if (reader_.peek() != '"')
    return place_.refuse("Bad value in numeric range: " + place_.found(),
                         "the upper bound begins with \"<\" or \"<=\"");
  const std::size_t second_at = reader_.position();
  std::string second;
  if (!reader_.string(second)) return place_.syntax();
  if (second != "<" && second != "<=") {
    reader_.move_to(second_at);
    return place_.refuse("Bad numeric range operator: " + second, "the upper bound begins with \"<\" or \"<=\"");
  }
  if (!reader_.take(',') && reader_.peek() != ']') return place_.syntax("a ',' should stand here");
  reader_.peek();
  const std::size_t top_at = reader_.position();
  if (!number(test.top, second)) return false;
  test.bounds |= second == "<" ? has_top | top_open : has_top;
  if (reader_.peek() == ',')
    return place_.refuse("Too many terms in numeric range expression", "a range has one lower and one upper bound");
  if (!reader_.take(']')) return place_.syntax("a ']' should stand here");
  if (compare(test.number, test.top) >= 0) {
    reader_.move_to(top_at);
    return place_.refuse("Bottom must be less than top", "for one value alone write [\"=\", number]");
  }
  return true;
}

bool Operators::anything_but(Test& test) {
  test.kind = Kind::AnythingBut;
  const char c = reader_.peek();
  if (c == '[') return anything_but_list(test);
  if (c == '{') return anything_but_operator(test);
  if (c == '"' || is_number_start(c)) return literal(test.but.emplace_back());
  return place_.refuse(
      "Value of anything-but must be an array or single string/number value.",
      "give a string, a number, a list of either, or an object with prefix, suffix, wildcard or equals-ignore-case");
}

bool Operators::anything_but_list(Test& test) {
  const std::size_t start = reader_.position();
  reader_.take('[');
  const char* mixed = "Inside anything but list, either all values are number or string, mixed type is not supported";
  if (reader_.peek() == ']') {
    reader_.move_to(start);
    return place_.refuse(mixed, "list at least one string or number");
  }
  do {
    const Step step(place_, test.but.size());
    const char c = reader_.peek();
    if (c != '"' && !is_number_start(c))
      return place_.refuse("Inside anything but list, start|null|boolean is not supported.",
                           "the list holds strings, or it holds numbers");
    const std::size_t at = reader_.position();
    if (!literal(test.but.emplace_back())) return false;
    if (test.but.back().kind != test.but.front().kind) {
      reader_.move_to(at);
      return place_.refuse(mixed, "use two lists in two objects, or one kind of value");
    }
  } while (reader_.take(','));
  if (!reader_.take(']')) return place_.syntax("a ',' or ']' should stand here");
  return true;
}

bool Operators::anything_but_operator(Test& test) {
  const std::size_t start = reader_.position();
  reader_.take('{');
  if (reader_.peek() == '}') {
    reader_.move_to(start);
    return place_.refuse("Anything-But expression name not found",
                         "prefix, suffix, wildcard or equals-ignore-case may stand here");
  }
  const std::size_t name_at = reader_.position();
  std::string name;
  if (!reader_.string(name)) return place_.syntax();
  if (!reader_.take(':')) return place_.syntax("a ':' should stand here");
  const bool affixes = name == "prefix" || name == "suffix";
  if ((!affixes && name != "equals-ignore-case" && name != "wildcard") || (name == "wildcard" && old_)) {
    reader_.move_to(name_at);
    return place_.refuse("Unsupported anything-but pattern: " + name,
                         "prefix, suffix, wildcard or equals-ignore-case may stand here");
  }
  const Step step(place_, name);
  const std::string not_text =
      affixes              ? "prefix/suffix match pattern must be a string"
      : name == "wildcard" ? "wildcard match pattern must be a string"
                           : "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
  const auto one = [&](Test& inner) {
    reader_.peek();
    const std::size_t at = reader_.position();
    if (name == "wildcard") return wildcard(inner, not_text);
    inner.kind = name == "prefix" ? Kind::Prefix : name == "suffix" ? Kind::Suffix : Kind::EqualsIgnoreCase;
    if (!text_operand(not_text, inner.text)) return false;
    if (affixes && inner.text.empty()) {
      reader_.move_to(at);
      return place_.refuse("Null prefix/suffix not allowed",
                           "every text begins and ends with the empty one, so nothing could match");
    }
    if (!affixes) inner.text = folded(inner.text);
    return true;
  };
  const char c = reader_.peek();
  if (c == '[' && !(affixes && old_)) {
    const std::size_t list_at = reader_.position();
    reader_.take('[');
    if (reader_.peek() == ']') {
      reader_.move_to(list_at);
      return place_.refuse("Empty arrays are not allowed", "list at least one string");
    }
    do {
      const Step index(place_, test.but.size());
      if (!one(test.but.emplace_back())) return false;
    } while (reader_.take(','));
    if (!reader_.take(']')) return place_.syntax("a ',' or ']' should stand here");
  } else if (c == '{' || c == 't' || c == 'f' || c == 'n') {
    return place_.refuse("Value of anything-but must be an array or single string/number value.",
                         "a string or a list of strings is wanted");
  } else if (!one(test.but.emplace_back())) {
    return false;
  }
  return one_key_only();
}

}  // namespace fixpoint::patterns
