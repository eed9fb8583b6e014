#include <cmath>

#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/integer_picture.h"
#include "jsonata/time_picture.h"

namespace fixpoint::jsonata {
namespace {

// Pictures cost time that grows with their length.
std::optional<std::string_view> text_in(Evaluator& e, const Item& item) {
  if (!item.is_string()) return {};
  e.charge(1 + item.size);
  return item.string();
}

Item now(Evaluator& e, const Arguments& a) {
  return e.string(format_time(static_cast<double>(e.now_ms()), text_in(e, a[0]), text_in(e, a[1])));
}

Item millis(Evaluator& e, const Arguments&) {
  return Item::of(static_cast<std::int64_t>(e.now_ms()));
}

Item from_millis(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  return e.string(format_time(a[0].as_double(), text_in(e, a[1]), text_in(e, a[2])));
}

Item to_millis(Evaluator& e, const Arguments& a) {
  const auto text = text_in(e, a[0]);
  if (!text) return {};
  const auto picture = text_in(e, a[1]);
  if (!picture) return Item::of(parse_iso_time(*text));
  const auto ms = parse_time(*text, *picture, static_cast<double>(e.now_ms()));
  return ms ? Item::of(*ms) : Item();
}

Item format_integer(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  return e.string(IntegerPicture(text_in(e, a[1]).value_or("")).format(std::floor(a[0].as_double())));
}

Item parse_integer(Evaluator& e, const Arguments& a) {
  const auto text = text_in(e, a[0]);
  if (!text) return {};
  const double value = IntegerPicture(text_in(e, a[1]).value_or("")).parse(*text);
  return std::isnan(value) ? Item() : Item::of(value);
}

constexpr Builtin table[] = {
    {"now", "<s?s?:s>", 2, now},
    {"millis", "<:n>", 0, millis},
    {"fromMillis", "<n-s?s?:s>", 3, from_millis},
    {"toMillis", "<s-s?:n>", 2, to_millis},
    {"formatInteger", "<n-s:s>", 2, format_integer},
    {"parseInteger", "<s-s:n>", 2, parse_integer},
};

}  // namespace

std::span<const Builtin> time_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
