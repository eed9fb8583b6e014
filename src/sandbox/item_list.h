#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "json/value.h"

namespace fixpoint::sandbox {

/// Lists whose items are told apart by one of their members, or by all that they are where `key` is empty. What is put
/// in and taken out comes from a request and may be long: the time grows with the lengths of both lists, not with
/// their product.

enum class Same : std::uint8_t { Replace, Keep };

/// Puts `items` at the end of `list`. One that is there already is replaced in its place, or kept as it is. An item
/// without the member `key` is like no other.
void put_items(json::Array& list, json::Array items, std::string_view key, Same same = Same::Replace);

/// Takes the items out whose member `key` is one of `gone`. Returns for each of `gone` whether it was there; one that
/// comes twice is not there the second time.
std::vector<bool> take_items(json::Array& list, const json::Array& gone, std::string_view key);

/// Takes out what `list` and `gone` have equal members `key` of: `gone` holds items, not keys.
void take_same(json::Array& list, const json::Array& gone, std::string_view key);

/// Takes the members out that are named in `gone`, as take_items does.
std::vector<bool> take_members(json::Object& members, const json::Array& gone);

/// The texts of a list, to look others up in; they live as long as the list.
std::unordered_set<std::string_view> texts_in(const json::Value& list);

}  // namespace fixpoint::sandbox
