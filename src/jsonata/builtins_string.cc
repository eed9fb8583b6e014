#include <cmath>

#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

Item string(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  return Item::of(e.text_of(a[0], a[1].tag == Tag::Bool && a[1].boolean));
}

// A place as JavaScript's slice takes it: from the end where it is negative, and never outside.
std::size_t slice_place(double place, std::size_t size) {
  if (std::isnan(place)) return 0;
  place = std::trunc(place);
  if (place < 0) place += static_cast<double>(size);
  if (place <= 0) return 0;
  return place >= static_cast<double>(size) ? size : static_cast<std::size_t>(place);
}

Item substring(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined() || !a[0].is_string()) return {};
  const std::string_view text = a[0].string();
  e.charge(1 + text.size() / 64);
  const std::size_t size = code_points(text);
  double start = a[1].is_number() ? a[1].as_double() : 0;
  if (static_cast<double>(size) + start < 0) start = 0;
  std::size_t end = size;
  if (a[2].is_number()) {
    const double length = a[2].as_double();
    if (length <= 0) return Item::of(std::string_view(""));
    end = slice_place(start >= 0 ? start + length : static_cast<double>(size) + start + length, size);
  }
  const std::size_t first = slice_place(start, size);
  if (first >= end) return Item::of(std::string_view(""));
  if (size == text.size()) return Item::of(text.substr(first, end - first));
  const std::size_t from = byte_of_code_point(text, first);
  return Item::of(text.substr(from, byte_of_code_point(text.substr(from), end - first)));
}

Item substring_before(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  if (!a[1].is_string()) return a[0];
  e.charge(1 + a[0].size / 64);
  const auto at = a[0].string().find(a[1].string());
  return at == std::string_view::npos ? a[0] : Item::of(a[0].string().substr(0, at));
}

Item substring_after(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  if (!a[1].is_string()) return a[0];
  e.charge(1 + a[0].size / 64);
  const auto at = a[0].string().find(a[1].string());
  return at == std::string_view::npos ? a[0] : Item::of(a[0].string().substr(at + a[1].size));
}

Item lowercase(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 64);
  return e.string(lower(a[0].string()));
}

Item uppercase(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 64);
  return e.string(upper(a[0].string()));
}

Item length(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 64);
  return Item::count(code_points(a[0].string()));
}

Item trim(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 64);
  std::string out;
  bool blank = false;
  for (const char c : a[0].string()) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += c;
  }
  return e.string(out);
}

Item pad(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  const std::string_view text = a[0].string();
  std::string_view fill = a[2].is_string() ? a[2].string() : std::string_view();
  if (fill.empty()) fill = " ";
  const double width = a[1].is_number() ? std::trunc(a[1].as_double()) : 0;
  const double missing = std::fabs(width) - static_cast<double>(code_points(text));
  if (!(missing > 0)) return a[0];
  e.arena().check_room_for(static_cast<std::size_t>(std::min(missing, 1e18)));
  const auto wanted = static_cast<std::size_t>(missing);
  e.charge(wanted);
  std::string padding;
  const std::size_t characters = code_points(fill);
  for (std::size_t done = 0; done < wanted; done += characters) {
    padding += done + characters <= wanted ? fill : fill.substr(0, byte_of_code_point(fill, wanted - done));
    if ((padding.size() & 0xfff) < fill.size()) e.arena().check_room_for(padding.size());
  }
  return e.string(width > 0 ? std::string(text) + padding : padding + std::string(text));
}

Item join(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const std::string_view separator = a[1].is_string() ? a[1].string() : std::string_view();
  const ArrayView view(a[0]);
  std::string out;
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (i > 0) out += separator;
    const Item part = view[i];
    if (part.is_string()) out += part.string();
    e.charge(1 + (part.is_string() ? part.size / 64 : 0));
    if ((i & 0xff) == 0) e.arena().check_room_for(out.size());
  }
  return e.string(out);
}

constexpr Builtin table[] = {
    {"string", "<x-b?:s>", 1, string},
    {"substring", "<s-nn?:s>", 3, substring},
    {"substringBefore", "<s-s:s>", 2, substring_before},
    {"substringAfter", "<s-s:s>", 2, substring_after},
    {"lowercase", "<s-:s>", 1, lowercase},
    {"uppercase", "<s-:s>", 1, uppercase},
    {"length", "<s-:n>", 1, length},
    {"trim", "<s-:s>", 1, trim},
    {"pad", "<s-ns?:s>", 3, pad},
    {"join", "<a<s>s?:s>", 2, join},
};

}  // namespace

std::span<const Builtin> string_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
