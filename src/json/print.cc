#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::json {
namespace {

constexpr char digits[] = "0123456789abcdef";

void print_number(std::string& out, const Value& value) {
  if (value.kind() == Value::Kind::Double && !std::isfinite(value.as_double()))
    out += "null";
  else
    out += value.number_text();
}

void new_line(std::string& out, int level) {
  out += '\n';
  out.append(static_cast<std::size_t>(level) * 2, ' ');
}

// Values come from parse or from code, both bounded in depth, so the recursion is too.
void print_any(std::string& out, const Value& value, int level, bool pretty, bool canonical) {
  switch (value.kind()) {
    case Value::Kind::Null: out += "null"; return;
    case Value::Kind::Bool: out += value.as_bool() ? "true" : "false"; return;
    case Value::Kind::String: print_string_to(out, value.as_string()); return;
    case Value::Kind::Array: {
      const Array& items = value.as_array();
      out += '[';
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        if (pretty) new_line(out, level + 1);
        print_any(out, items[i], level + 1, pretty, canonical);
      }
      if (pretty && !items.empty()) new_line(out, level);
      out += ']';
      return;
    }
    case Value::Kind::Object: {
      const Object& members = value.as_object();
      std::vector<const Member*> order;
      order.reserve(members.size());
      for (const Member& m : members) order.push_back(&m);
      if (canonical) std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->key < b->key; });
      out += '{';
      bool first = true;
      for (const Member* m : order) {
        if (!first) out += ',';
        first = false;
        if (pretty) new_line(out, level + 1);
        print_string_to(out, m->key);
        out += pretty ? ": " : ":";
        print_any(out, m->value, level + 1, pretty, canonical);
      }
      if (pretty && !first) new_line(out, level);
      out += '}';
      return;
    }
    default:
      if (canonical && value.kind() == Value::Kind::NumberText) {
        if (const auto integer = value.as_int64()) {
          out += std::to_string(*integer);
          return;
        }
      }
      print_number(out, value);
  }
}

void print_plain(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null: out += "null"; return;
    case Value::Kind::Bool: out += value.as_bool() ? "true" : "false"; return;
    case Value::Kind::String: print_string_to(out, value.as_string()); return;
    case Value::Kind::Array: {
      char separator = '[';
      for (const Value& item : value.as_array()) {
        out += separator;
        separator = ',';
        print_plain(out, item);
      }
      if (separator == '[') out += '[';
      out += ']';
      return;
    }
    case Value::Kind::Object: {
      char separator = '{';
      for (const Member& m : value.as_object()) {
        out += separator;
        separator = ',';
        print_string_to(out, m.key);
        out += ':';
        print_plain(out, m.value);
      }
      if (separator == '{') out += '{';
      out += '}';
      return;
    }
    default: print_number(out, value);
  }
}

}  // namespace

void print_string_to(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;  // start of the run that needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(clean, i - clean));
    clean = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += digits[c >> 4];
        out += digits[c & 15];
    }
  }
  out.append(text.substr(clean));
  out += '"';
}

void print_to(std::string& out, const Value& value) {
  print_plain(out, value);
}

std::string print(const Value& value) {
  std::string out;
  print_plain(out, value);
  return out;
}

std::string print_pretty(const Value& value) {
  std::string out;
  print_any(out, value, 0, true, false);
  return out;
}

std::string print_canonical(const Value& value) {
  std::string out;
  print_any(out, value, 0, false, true);
  return out;
}

}  // namespace fixpoint::json
