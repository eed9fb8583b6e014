#include "findings/filters.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "base/text.h"
#include "findings/timestamp.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;
using Kind = FieldRule::Kind;
using Comparison = Filters::Comparison;
using Test = Filters::Test;

Error bad(const std::string& where, const std::string& message) {
  return errors::invalid_input("Filters." + where + " " + message, "Filters." + where);
}

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
  bool of_maps;
};
constexpr ComparisonName comparison_names[] = {{"EQUALS", Comparison::Equals, true},
                                               {"PREFIX", Comparison::Prefix, false},
                                               {"NOT_EQUALS", Comparison::NotEquals, true},
                                               {"PREFIX_NOT_EQUALS", Comparison::PrefixNotEquals, false},
                                               {"CONTAINS", Comparison::Contains, true},
                                               {"NOT_CONTAINS", Comparison::NotContains, true},
                                               {"CONTAINS_WORD", Comparison::ContainsWord, false}};

Result<Comparison> comparison_of(const std::string& where, const Value& filter, bool of_map) {
  const std::string_view name = filter["Comparison"].string_or("");
  std::string taken;
  for (const auto& known : comparison_names) {
    if (of_map && !known.of_maps) continue;
    if (known.name == name) return known.comparison;
    taken += (taken.empty() ? "" : ", ") + std::string(known.name);
  }
  return fail(
      bad(where + ".Comparison", (name.empty() ? "is missing" : "is '" + std::string(name.substr(0, 40)) + "'") + "; " +
                                     (of_map ? "a map" : "text") + " takes " + taken));
}

Result<std::string> text_of(const std::string& where, const Value& filter, const char* member) {
  const Value& value = filter[member];
  if (value.is_null()) return fail(bad(where + "." + member, "is missing"));
  if (!value.is_string())
    return fail(bad(where + "." + member, "has to be a string, not " + std::string(json::kind_name(value))));
  if (trim(value.as_string()).empty()) return fail(bad(where + "." + member, "must not be empty"));
  return value.as_string();
}

Result<Test> compile_text(const std::string& where, const Value& filter) {
  Test test;
  FIXPOINT_TRY(comparison, comparison_of(where, filter, false));
  FIXPOINT_TRY(value, text_of(where, filter, "Value"));
  test.comparison = comparison;
  test.value = std::move(value);
  return test;
}

Result<Test> compile_map(const std::string& where, const Value& filter) {
  Test test;
  FIXPOINT_TRY(key, text_of(where, filter, "Key"));
  FIXPOINT_TRY(comparison, comparison_of(where, filter, true));
  FIXPOINT_TRY(value, text_of(where, filter, "Value"));
  test.key = std::move(key);
  test.comparison = comparison;
  test.value = std::move(value);
  return test;
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_NumberFilter.html: all bounds that are given hold.
Result<Test> compile_number(const std::string& where, const Value& filter) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Test test;
  test.low = -infinity;
  test.high = infinity;
  bool any = false;
  for (const auto* name : {"Eq", "Gte", "Gt", "Lte", "Lt"}) {
    const Value* bound = filter.find(name);
    if (bound == nullptr || bound->is_null()) continue;
    if (!bound->is_number())
      return fail(bad(where + "." + name, "has to be a number, not " + std::string(json::kind_name(*bound))));
    any = true;
    const double number = bound->as_double();
    const std::string_view kind = name;
    if (kind == "Eq" || kind == "Gte") test.low = std::max(test.low, number);
    if (kind == "Gt") test.low = std::max(test.low, std::nextafter(number, infinity));
    if (kind == "Eq" || kind == "Lte") test.high = std::min(test.high, number);
    if (kind == "Lt") test.high = std::min(test.high, std::nextafter(number, -infinity));
  }
  if (!any) return fail(bad(where, "has no bound; give Eq, Gte, Lte, Gt or Lt"));
  return test;
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DateFilter.html and API_DateRange.html
Result<Test> compile_date(const std::string& where, const Value& filter, TimeMs now_ms) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Test test;
  test.low = -infinity;
  test.high = infinity;
  const Value& range = filter["DateRange"];
  const bool bounded = !filter["Start"].is_null() || !filter["End"].is_null();
  if (!range.is_null()) {
    if (bounded) return fail(bad(where, "has a DateRange and a Start or End; give one of the two"));
    const auto days = range["Value"].as_int64();
    if (!days || *days < 0 || *days > 1'000'000 || range["Unit"].string_or("") != "DAYS")
      return fail(bad(where + ".DateRange", "has to be {\"Value\": days, \"Unit\": \"DAYS\"}"));
    // The model's newer member: what happened before the range instead of within it.
    const std::string_view comparison = range["Comparison"].string_or("WITHIN");
    const double edge = static_cast<double>(now_ms) - static_cast<double>(*days) * 86'400'000;
    if (comparison == "WITHIN")
      test.low = edge;
    else if (comparison == "OLDER_THAN")
      test.high = edge - 1;
    else
      return fail(bad(where + ".DateRange.Comparison",
                      "is '" + std::string(comparison.substr(0, 40)) + "'; it has to be WITHIN or OLDER_THAN"));
    return test;
  }
  if (!bounded) return fail(bad(where, "has neither Start, End nor DateRange"));
  for (const auto* name : {"Start", "End"}) {
    const Value& bound = filter[name];
    if (bound.is_null()) continue;
    const auto time = parse_timestamp(bound.string_or(""));
    if (!time) return fail(bad(where + "." + name, time.error().message));
    (std::string_view(name) == "Start" ? test.low : test.high) = static_cast<double>(*time);
  }
  return test;
}

std::string address_bytes(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {reinterpret_cast<char*>(bytes.data()), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {reinterpret_cast<char*>(bytes.data()), 16};
  return {};
}

bool same_bits(std::string_view a, std::string_view b, int bits) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xFF : (0xFF << (8 - bits)) & 0xFF;
    if (((static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])) & mask) != 0) return false;
  }
  return true;
}

Result<Test> compile_ip(const std::string& where, const Value& filter) {
  Test test;
  FIXPOINT_TRY(cidr, text_of(where, filter, "Cidr"));
  const auto slash = cidr.find('/');
  test.network = address_bytes(cidr.substr(0, slash));
  const int most = static_cast<int>(test.network.size()) * 8;
  const auto bits = slash == std::string::npos ? std::optional<std::int64_t>(most) : to_int64(cidr.substr(slash + 1));
  if (test.network.empty() || !bits || *bits < 0 || *bits > most)
    return fail(bad(where + ".Cidr",
                    "is '" + cidr.substr(0, 80) + "'; it has to be a block such as 10.0.0.0/8 or 2001:db8::/32"));
  test.bits = static_cast<int>(*bits);
  return test;
}

// "You can't have both a CONTAINS filter and a NOT_CONTAINS filter on the same field. Similarly, you can't provide both
// an EQUALS filter and a NOT_EQUALS or PREFIX_NOT_EQUALS filter on the same field. ... CONTAINS filters can only be
// used with other CONTAINS filters. NOT_CONTAINS filters can only be used with other NOT_CONTAINS filters."
// (API_StringFilter)
Result<void> check_joint(const Filters::Field& field) {
  const std::string name(field.rule->name);
  const auto has = [&](Comparison comparison) {
    return std::any_of(field.tests.begin(), field.tests.end(),
                       [&](const Test& test) { return test.comparison == comparison; });
  };
  for (const auto& [label, comparison, of_maps] : comparison_names) {
    if (comparison != Comparison::Contains && comparison != Comparison::NotContains) continue;
    if (has(comparison) && std::any_of(field.tests.begin(), field.tests.end(),
                                       [c = comparison](const Test& test) { return test.comparison != c; }))
      return fail(bad(name, "joins " + std::string(label) + " with another comparison; on one field " +
                                std::string(label) + " stands only with its like"));
  }
  if (has(Comparison::Equals) && (has(Comparison::NotEquals) || has(Comparison::PrefixNotEquals)))
    return fail(bad(name, "has EQUALS and a NOT_EQUALS or PREFIX_NOT_EQUALS; on one field give the one or the other"));
  return {};
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool left = at == 0 || !is_word(text[at - 1]);
    const bool right = at + word.size() >= text.size() || !is_word(text[at + word.size()]);
    if (left && right) return true;
  }
  return false;
}

// Any text of the finding, wherever it stands; without recursion, since a finding is nested as its sender likes.
bool any_text_contains(const Value& finding, std::string_view keyword) {
  std::vector<const Value*> left{&finding};
  while (!left.empty()) {
    const Value& value = *left.back();
    left.pop_back();
    if (value.is_string() && value.as_string().find(keyword) != std::string::npos) return true;
    if (value.is_array())
      for (const Value& item : value.as_array()) left.push_back(&item);
    if (value.is_object())
      for (const auto& member : value.as_object()) left.push_back(&member.value);
  }
  return false;
}

bool any_holds(const Value& finding, const FieldRule& rule, const Test& test) {
  const auto path = path_of(rule);
  // A finding that does not say that it is a sample is none.
  if (rule.kind == Kind::Boolean && finding.find(path.front()) == nullptr) return !test.truth;
  return any_value_at(finding, path, [&](const Value& value) { return test.fits(rule.kind, value); });
}

}  // namespace

bool Filters::Test::holds(std::string_view text) const {
  switch (comparison) {
    case Comparison::Equals:
    case Comparison::NotEquals: return text == value;
    case Comparison::Prefix:
    case Comparison::PrefixNotEquals: return text.starts_with(value);
    case Comparison::Contains:
    case Comparison::NotContains: return text.find(value) != std::string_view::npos;
    case Comparison::ContainsWord: return contains_word(text, value);
  }
  return false;
}

bool Filters::Test::fits(Kind kind, const Value& given) const {
  switch (kind) {
    case Kind::Text: {
      if (given.is_string()) return holds(given.as_string());
      if (given.is_bool()) return holds(given.as_bool() ? "true" : "false");
      return given.is_number() && holds(given.number_text());
    }
    case Kind::Map: {
      const Value* member = given.find(key);
      return member != nullptr && member->is_string() && holds(member->as_string());
    }
    case Kind::Number: return given.is_number() && given.as_double() >= low && given.as_double() <= high;
    case Kind::Date: {
      const auto time = parse_timestamp(given.string_or(""));
      return time && static_cast<double>(*time) >= low && static_cast<double>(*time) <= high;
    }
    case Kind::Ip: return same_bits(address_bytes(std::string(given.string_or(""))), network, bits);
    case Kind::Boolean: return given.bool_or(false) == truth;
    case Kind::Keyword: return any_text_contains(given, value);
  }
  return false;
}

bool Filters::Field::matches(const Value& finding) const {
  bool has_positive = false;
  bool positive = false;
  for (const Test& test : tests) {
    if (test.is_negative()) {
      if (any_holds(finding, *rule, test)) return false;
    } else if (!positive) {
      has_positive = true;
      positive = any_holds(finding, *rule, test);
    }
  }
  return positive || !has_positive;
}

Result<Filters::Test> Filters::compile_test(Kind kind, const std::string& where, const Value& filter, TimeMs now_ms) {
  if (!filter.is_object()) return fail(bad(where, "has to be an object, not " + std::string(json::kind_name(filter))));
  switch (kind) {
    case Kind::Text: return compile_text(where, filter);
    case Kind::Map: return compile_map(where, filter);
    case Kind::Number: return compile_number(where, filter);
    case Kind::Date: return compile_date(where, filter, now_ms);
    case Kind::Ip: return compile_ip(where, filter);
    case Kind::Boolean: {
      Test test;
      if (!filter["Value"].is_bool()) return fail(bad(where + ".Value", "has to be true or false"));
      test.truth = filter["Value"].as_bool();
      return test;
    }
    case Kind::Keyword: {
      Test test;
      FIXPOINT_TRY(value, text_of(where, filter, "Value"));
      test.value = std::move(value);
      return test;
    }
  }
  return fail(errors::internal("a filter of no kind"));
}

Result<Filters> Filters::compile(const Value& filters, TimeMs now_ms) {
  Filters out;
  if (filters.is_null()) return out;
  if (!filters.is_object())
    return fail(
        errors::invalid_input("Filters has to be an object, not " + std::string(json::kind_name(filters)), "Filters"));
  out.asked_ = json::print_canonical(filters);
  for (const auto& member : filters.as_object()) {
    const FieldRule* rule = find_field(member.key);
    if (rule == nullptr)
      return fail(bad(member.key.substr(0, 80), "is no filter; AwsSecurityFindingFilters lists those that there are"));
    if (member.value.is_null()) continue;
    if (!member.value.is_array())
      return fail(bad(member.key, "has to be an array, not " + std::string(json::kind_name(member.value))));
    if (member.value.size() > most_values)
      return fail(bad(member.key, "has " + std::to_string(member.value.size()) + " values; at most 20 are taken"));
    if (member.value.size() == 0) continue;
    Field field;
    field.rule = rule;
    for (std::size_t i = 0; i < member.value.size(); ++i) {
      FIXPOINT_TRY(test, compile_test(rule->kind, member.key + "[" + std::to_string(i) + "]", member.value[i], now_ms));
      field.tests.push_back(std::move(test));
      out.of_a_time_ = out.of_a_time_ || (rule->kind == Kind::Date && !member.value[i]["DateRange"].is_null());
    }
    FIXPOINT_CHECK(check_joint(field));
    out.fields_.push_back(std::move(field));
  }
  if (out.fields_.size() > most_fields)
    return fail(errors::invalid_input(
        "Filters names " + std::to_string(out.fields_.size()) + " attributes; at most 10 are taken", "Filters"));
  return out;
}

bool Filters::matches(const Value& finding) const {
  return std::all_of(fields_.begin(), fields_.end(), [&](const Field& field) { return field.matches(finding); });
}

}  // namespace fixpoint::findings
