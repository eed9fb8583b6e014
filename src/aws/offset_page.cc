#include "aws/offset_page.h"

#include <optional>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

using json::Value;

constexpr std::size_t mark_bytes = 6;

// What an item is known by.
std::string mark_of(const Value& item) {
  const bool named = item.is_object() && !item.as_object().empty();
  return sha256(json::print(named ? item.as_object().begin()->value : item)).substr(0, mark_bytes);
}

// Where the next page began, and the marks of the items on both sides of that place.
struct Place {
  std::size_t at = 0;
  std::string last, next;
};

std::string seal(const Place& place) {
  return base64_encode(place.last + place.next + std::to_string(place.at));
}

std::optional<Place> open(std::string_view token) {
  const auto bytes = base64_decode(token);
  if (!bytes || bytes->size() <= 2 * mark_bytes) return {};
  const auto number = to_int64(std::string_view(*bytes).substr(2 * mark_bytes));
  if (!number || *number <= 0) return {};
  return Place{static_cast<std::size_t>(*number), bytes->substr(0, mark_bytes), bytes->substr(mark_bytes, mark_bytes)};
}

// The item with that mark that is nearest to a place: several may be known by the same.
std::optional<std::size_t> nearest(const json::Array& items, const std::string& mark, std::size_t place) {
  std::optional<std::size_t> found;
  const auto distance = [&](std::size_t at) { return at > place ? at - place : place - at; };
  for (std::size_t i = 0; i < items.size(); ++i)
    if (mark_of(items[i]) == mark && (!found || distance(i) < distance(*found))) found = i;
  return found;
}

std::size_t place_in(const json::Array& items, const Place& place) {
  const bool unmoved =
      place.at < items.size() && mark_of(items[place.at]) == place.next && mark_of(items[place.at - 1]) == place.last;
  if (unmoved) return place.at;
  if (const auto next = nearest(items, place.next, place.at)) return *next;
  if (const auto last = nearest(items, place.last, place.at - 1)) return *last + 1;
  return place.at;
}

}  // namespace

Result<Value> offset_page(const json::Array& items, std::size_t limit, std::string_view token, const char* member,
                          const Error& bad_token) {
  std::size_t skip = 0;
  if (!token.empty()) {
    const auto place = open(token);
    if (!place) return fail(bad_token);
    skip = place_in(items, *place);
  }
  json::Array page;
  for (std::size_t i = skip; i < items.size() && page.size() < limit; ++i) page.push_back(items[i]);
  const std::size_t next = skip + page.size();
  Value out{json::Object{{member, std::move(page)}}};
  if (next > skip && next < items.size())
    out.set("NextToken", seal({next, mark_of(items[next - 1]), mark_of(items[next])}));
  return out;
}

}  // namespace fixpoint::aws
