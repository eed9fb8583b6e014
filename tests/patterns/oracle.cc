#include "oracle.h"

#include <algorithm>
#include <map>

#include "patterns/fold.h"
#include "patterns/json_reader.h"

namespace fixpoint::patterns {
namespace {

struct Field {
  std::string path;
  char type = 'n';  // t: text, d: number, w: true, false or null
  std::string value;
  std::map<int, int> membership;  // array: element
};

struct Flattener {
  std::vector<Field> fields;
  int arrays = 0;

  void value(JsonReader& reader, const std::string* path, const std::map<int, int>& membership) {
    const char c = reader.peek();
    if (c == '{') {
      reader.take('{');
      if (reader.take('}')) return;
      do {
        std::string name;
        reader.string(name);
        reader.take(':');
        const std::string full = path == nullptr ? name : *path + "." + name;
        value(reader, &full, membership);
      } while (reader.take(','));
      reader.take('}');
    } else if (c == '[') {
      reader.take('[');
      const int array = arrays++;
      if (reader.take(']')) return;
      int index = 0;
      do {
        const char e = reader.peek();
        auto inner = membership;
        if (e == '{' || e == '[') inner[array] = index;
        value(reader, path, inner);
        ++index;
      } while (reader.take(','));
      reader.take(']');
    } else {
      Field field{*path, 't', {}, membership};
      if (c == '"') {
        reader.string(field.value);
      } else {
        std::string_view word;
        reader.scalar(word);
        field.value = word;
        field.type = word == "true" || word == "false" || word == "null" ? 'w' : 'd';
      }
      fields.push_back(std::move(field));
    }
  }
};

// A number as digits without point, sign and exponent, aligned by padding: slow and plain.
struct Plain {
  bool negative = false;
  std::string digits;
  long long exponent = 0;  // of the last digit
};

Plain plain(std::string_view text) {
  Plain out;
  std::size_t i = 0;
  if (text[0] == '-') {
    out.negative = true;
    i = 1;
  }
  bool point = false;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    out.digits += text[i];
    if (point) --out.exponent;
  }
  if (i < text.size()) {
    long long e = 0;
    bool minus = false;
    for (++i; i < text.size(); ++i) {
      if (text[i] == '-')
        minus = true;
      else if (text[i] != '+' && e < 1'000'000'000'000LL)
        e = e * 10 + (text[i] - '0');
    }
    out.exponent += minus ? -e : e;
  }
  while (!out.digits.empty() && out.digits.front() == '0') out.digits.erase(0, 1);
  while (!out.digits.empty() && out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.exponent;
  }
  if (out.digits.empty()) return {};
  return out;
}

Plain plain(const Decimal& number) {
  if (number.sign == 0) return {};
  Plain out;
  out.negative = number.sign < 0;
  out.digits = std::to_string(number.head) + number.tail;
  out.exponent = number.exponent - static_cast<long long>(out.digits.size());
  while (out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.exponent;
  }
  return out;
}

int order(const Plain& a, const Plain& b) {
  const int sign_a = a.digits.empty() ? 0 : a.negative ? -1 : 1;
  const int sign_b = b.digits.empty() ? 0 : b.negative ? -1 : 1;
  if (sign_a != sign_b) return sign_a < sign_b ? -1 : 1;
  if (sign_a == 0) return 0;
  const long long top_a = a.exponent + static_cast<long long>(a.digits.size());
  const long long top_b = b.exponent + static_cast<long long>(b.digits.size());
  int result = 0;
  if (top_a != top_b) {
    result = top_a < top_b ? -1 : 1;
  } else {
    std::string x = a.digits;
    std::string y = b.digits;
    x.resize(std::max(x.size(), y.size()), '0');
    y.resize(x.size(), '0');
    result = x.compare(y);
  }
  return sign_a < 0 ? -result : result;
}

std::string folded(const std::string& text) {
  std::string out;
  fold_to(out, text);
  return out;
}

bool wild(const std::string& value, const Wildcard& pieces) {
  // reach[i][j]: the first i characters of the value match the first j of the pattern; by table, quadratic.
  std::vector<int> pattern;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    if (p > 0) pattern.push_back(-1);
    for (const char c : pieces[p]) pattern.push_back(static_cast<unsigned char>(c));
  }
  std::vector<char> reach(pattern.size() + 1, 0);
  reach[0] = 1;
  for (std::size_t j = 0; j < pattern.size(); ++j) reach[j + 1] = reach[j] && pattern[j] == -1;
  for (const char c : value) {
    std::vector<char> next(pattern.size() + 1, 0);
    for (std::size_t j = 0; j < pattern.size(); ++j)
      next[j + 1] =
          pattern[j] == -1 ? (next[j] || reach[j + 1]) : (reach[j] && pattern[j] == static_cast<unsigned char>(c));
    reach = std::move(next);
  }
  return reach.back() != 0;
}

bool holds(const Test& test, const Field& field) {
  const bool text = field.type == 't';
  switch (test.kind) {
    case Kind::Null: return field.type == 'w' && field.value == "null";
    case Kind::True: return field.type == 'w' && field.value == "true";
    case Kind::False: return field.type == 'w' && field.value == "false";
    case Kind::Exists: return true;
    case Kind::Absent: return false;
    case Kind::Number: return field.type == 'd' && order(plain(field.value), plain(test.number)) == 0;
    case Kind::Range: {
      if (field.type != 'd') return false;
      if ((test.bounds & has_bottom) != 0) {
        const int o = order(plain(field.value), plain(test.number));
        if (o < 0 || (o == 0 && (test.bounds & bottom_open) != 0)) return false;
      }
      if ((test.bounds & has_top) != 0) {
        const int o = order(plain(field.value), plain(test.top));
        if (o > 0 || (o == 0 && (test.bounds & top_open) != 0)) return false;
      }
      return true;
    }
    case Kind::AnythingBut:
      for (const Test& one : test.but)
        if (holds(one, field)) return false;
      return true;
    case Kind::Text: return text && field.value == test.text;
    case Kind::Prefix: return text && field.value.starts_with(test.text);
    case Kind::Suffix: return text && field.value.ends_with(test.text);
    case Kind::EqualsIgnoreCase: return text && folded(field.value) == test.text;
    case Kind::PrefixIgnoreCase: return text && folded(field.value).starts_with(test.text);
    case Kind::SuffixIgnoreCase: return text && folded(field.value).ends_with(test.text);
    case Kind::Wildcard: return text && wild(field.value, test.pieces);
    case Kind::Cidr: {
      Address address;
      if (!text || !parse_address(field.value, address) || address.v6 != test.cidr.base.v6) return false;
      const int width = address.v6 ? 128 : 32;
      for (int bit = 0; bit < test.cidr.bits; ++bit) {
        const int from_low = width - 1 - bit;
        const auto of = [&](const Address& a) {
          return (from_low >= 64 ? a.high >> (from_low - 64) : a.low >> from_low) & 1;
        };
        if (of(address) != of(test.cidr.base)) return false;
      }
      return true;
    }
  }
  return false;
}

bool agree(const std::map<int, int>& a, const std::map<int, int>& b) {
  for (const auto& [array, index] : a) {
    const auto other = b.find(array);
    if (other != b.end() && other->second != index) return false;
  }
  return true;
}

bool choose(const Pattern& pattern, const std::vector<Pattern::Field>& branch, std::size_t at,
            const std::vector<Field>& fields, const std::map<int, int>& chosen) {
  if (at == branch.size()) return true;
  const std::string& path = pattern.paths[branch[at].path];
  for (const Test& test : pattern.tests[branch[at].tests]) {
    if (test.kind == Kind::Absent) {
      const bool there = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return field.path == path && agree(chosen, field.membership);
      });
      if (!there && choose(pattern, branch, at + 1, fields, chosen)) return true;
      continue;
    }
    for (const Field& field : fields) {
      if (field.path != path || !holds(test, field) || !agree(chosen, field.membership)) continue;
      auto more = chosen;
      more.insert(field.membership.begin(), field.membership.end());
      if (choose(pattern, branch, at + 1, fields, more)) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<bool> oracle_matches(const Pattern& pattern, std::string_view event_text) {
  JsonReader check(event_text);
  if (check.peek() != '{' || !check.skip_value(max_depth) || check.peek() != '\0' || !check.at_end()) return {};
  JsonReader reader(event_text);
  Flattener flat;
  flat.value(reader, nullptr, {});
  for (auto branch : pattern.branches) {
    std::sort(branch.begin(), branch.end(), [&](const Pattern::Field& a, const Pattern::Field& b) {
      return pattern.paths[a.path] < pattern.paths[b.path];
    });
    if (choose(pattern, branch, 0, flat.fields, {})) return true;
  }
  return false;
}

std::optional<bool> oracle_matches(std::string_view pattern_text, std::string_view event_text) {
  const auto pattern = compile(pattern_text);
  if (!pattern) return {};
  return oracle_matches(*pattern, event_text);
}

}  // namespace fixpoint::patterns
