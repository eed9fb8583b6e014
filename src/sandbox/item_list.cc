#include "sandbox/item_list.h"

#include <string>
#include <unordered_map>

#include "json/text.h"

namespace fixpoint::sandbox {
namespace {

const json::Value& key_of(const json::Value& item, std::string_view key) {
  return key.empty() ? item : item[key];
}

// Keys as texts that are equal where the values are.
using Places = std::unordered_map<std::string, std::size_t>;

}  // namespace

void put_items(json::Array& list, json::Array items, std::string_view key, Same same) {
  if (items.empty()) return;
  Places places;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const json::Value& its = key_of(list[i], key); !its.is_null())
      places.try_emplace(json::print_canonical(its), i);
  for (json::Value& item : items) {
    if (const json::Value& its = key_of(item, key); !its.is_null())
      if (const auto [place, is_new] = places.try_emplace(json::print_canonical(its), list.size()); !is_new) {
        if (same == Same::Replace) list[place->second] = std::move(item);
        continue;
      }
    list.push_back(std::move(item));
  }
}

std::vector<bool> take_items(json::Array& list, const json::Array& gone, std::string_view key) {
  std::vector<bool> found(gone.size());
  Places asked;
  for (std::size_t i = 0; i < gone.size(); ++i) asked.try_emplace(json::print_canonical(gone[i]), i);
  std::erase_if(list, [&](const json::Value& item) {
    const auto place = asked.find(json::print_canonical(key_of(item, key)));
    if (place == asked.end()) return false;
    found[place->second] = true;
    return true;
  });
  return found;
}

void take_same(json::Array& list, const json::Array& gone, std::string_view key) {
  json::Array keys;
  keys.reserve(gone.size());
  for (const json::Value& item : gone) keys.push_back(item[key]);
  take_items(list, keys, key);
}

std::vector<bool> take_members(json::Object& members, const json::Array& gone) {
  std::vector<bool> found(gone.size());
  Places asked;
  for (std::size_t i = 0; i < gone.size(); ++i)
    if (gone[i].is_string()) asked.try_emplace(gone[i].as_string(), i);
  json::Object kept;
  kept.reserve(members.size());
  for (json::Member& member : members) {
    if (const auto place = asked.find(member.key); place != asked.end())
      found[place->second] = true;
    else
      kept.append(member.key, std::move(member.value));
  }
  members = std::move(kept);
  return found;
}

std::unordered_set<std::string_view> texts_in(const json::Value& list) {
  std::unordered_set<std::string_view> out;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i].is_string()) out.insert(list[i].as_string());
  return out;
}

}  // namespace fixpoint::sandbox
