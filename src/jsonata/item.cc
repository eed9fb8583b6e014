#include "jsonata/item.h"

#include <algorithm>
#include <functional>

#include "jsonata/failure.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

constexpr std::uint32_t index_from = 12;  // members; fewer are found sooner by looking at each
constexpr std::uint32_t free_slot = 0xffffffff;

std::uint32_t slot_of(std::string_view key, std::uint32_t slots) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>()(key)) & (slots - 1);
}

// Surrogates (code points from U+10000) sort below U+E000 to U+FFFF in UTF-16, and above them in UTF-8.
int utf16_rank(unsigned char byte) {
  if (byte >= 0xf0) return 0xee;
  return byte >= 0xee ? byte + 1 : byte;
}

Item find_in(const json::Object& object, std::string_view key) {
  const json::Value* found = object.find(key);
  return found == nullptr ? Item() : Item::of(*found);
}

json::Value number_to_json(const Item& item) {
  if (item.tag == Tag::Int) return item.integer;
  if (item.tag == Tag::NumberText) return *item.spelled;
  if (std::fabs(item.number) <= 9007199254740992.0 && std::trunc(item.number) == item.number)
    return static_cast<std::int64_t>(item.number);
  return item.number;
}

json::Value convert(const Item& item, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  switch (item.tag) {
    case Tag::Bool: return item.boolean;
    case Tag::Double:
    case Tag::Int:
    case Tag::NumberText: return number_to_json(item);
    case Tag::String:
      if (has_lone_surrogate(item.string())) return without_lone_surrogates(std::string(item.string()));
      return json::Value(item.string());
    case Tag::JsonArray: return json::Value(*item.json_array);
    case Tag::JsonObject: return json::Value(*item.json_object);
    case Tag::Array: {
      json::Array out;
      const ArrayView view(item);
      out.reserve(view.size());
      for (std::size_t i = 0; i < view.size(); ++i) out.push_back(convert(view[i], depth + 1));
      return json::Value(std::move(out));
    }
    case Tag::Object: {
      json::Object out;
      out.reserve(item.object->size);
      for (std::uint32_t i = 0; i < item.object->size; ++i) {
        const ObjectMember& m = item.object->members[i];
        if (!m.value.is_undefined() && !m.value.is_function())
          out.append(without_lone_surrogates(std::string(m.key)), convert(m.value, depth + 1));
      }
      return json::Value(std::move(out));
    }
    case Tag::Tuple: return convert(item.tuple->value, depth + 1);
    default: return nullptr;
  }
}

}  // namespace

void too_deeply_nested() {
  throw Failure{"U1001",
                "a value has more than " + std::to_string(deepest_nesting) + " arrays and objects within each other",
                Failure::nowhere,
                {}};
}

void Arena::more(std::size_t bytes) {
  const std::size_t chunk = std::max(bytes, next_chunk_);
  check_room_for(chunk);
  chunks_.push_back(std::unique_ptr<char[]>(new char[chunk]));
  used_ += chunk;
  next_chunk_ = std::min<std::size_t>(next_chunk_ * 2, std::size_t{1024} * 1024);
  next_ = chunks_.back().get();
  end_ = next_ + chunk;
}

void Arena::check_room_for(std::size_t bytes) const {
  if (bytes <= limit_ && used_ <= limit_ - bytes) return;
  throw Failure{"U1001",
                "the expression needs more memory than the " + std::to_string(limit_) + " bytes that it may use",
                Failure::nowhere,
                {}};
}

std::string_view Arena::join(std::string_view a, std::string_view b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  const std::size_t total = a.size() + b.size();
  if (total > 0x7fffffff) check_room_for(static_cast<std::size_t>(-1));
  if (reinterpret_cast<std::uintptr_t>(a.data() + a.size()) == reinterpret_cast<std::uintptr_t>(text_end_) &&
      after_text_ == next_ && b.size() <= static_cast<std::size_t>(end_ - text_end_)) {
    std::memmove(text_end_, b.data(), b.size());
    text_end_ += b.size();
    const auto used = static_cast<std::size_t>(text_end_ - next_ + 7) & ~std::size_t{7};
    if (text_end_ > next_) next_ += used;
    after_text_ = next_;
    return {a.data(), total};  // NOLINT(bugprone-suspicious-stringview-data-usage): b stands behind a now
  }
  char* start = static_cast<char*>(allocate(total));
  std::memcpy(start, a.data(), a.size());
  std::memcpy(start + a.size(), b.data(), b.size());
  text_end_ = start + total;
  after_text_ = next_;
  return {start, total};
}

double Item::as_double() const {
  if (tag == Tag::Double) return number;
  if (tag == Tag::Int) return static_cast<double>(integer);
  return spelled->as_double();
}

Item* ObjectNode::find(std::string_view key) const {
  if (slots != nullptr) {
    for (std::uint32_t slot = slot_of(key, slot_count); slots[slot] != free_slot; slot = (slot + 1) & (slot_count - 1))
      if (members[slots[slot]].key == key) return &members[slots[slot]].value;
    return nullptr;
  }
  for (std::uint32_t i = 0; i < size; ++i)
    if (members[i].key == key) return &members[i].value;
  return nullptr;
}

void ObjectNode::set(Arena& arena, std::string_view key, const Item& value) {
  if (Item* there = find(key)) {
    *there = value;
    return;
  }
  if (size == capacity) {
    const std::uint32_t wanted = capacity == 0 ? 4 : capacity * 2;
    auto* moved = static_cast<ObjectMember*>(arena.allocate(wanted * sizeof(ObjectMember)));
    std::copy(members, members + size, moved);
    members = moved;
    capacity = wanted;
  }
  new (&members[size]) ObjectMember{key, value};
  ++size;
  if (size < index_from) return;
  if (slots == nullptr || size * 2 > slot_count) {
    index(arena);
    return;
  }
  std::uint32_t slot = slot_of(key, slot_count);
  while (slots[slot] != free_slot) slot = (slot + 1) & (slot_count - 1);
  slots[slot] = size - 1;
}

void ObjectNode::index(Arena& arena) {
  slot_count = 32;
  while (slot_count < size * 4) slot_count *= 2;
  slots = static_cast<std::uint32_t*>(arena.allocate(slot_count * sizeof(std::uint32_t)));
  std::fill(slots, slots + slot_count, free_slot);
  for (std::uint32_t i = 0; i < size; ++i) {
    std::uint32_t slot = slot_of(members[i].key, slot_count);
    while (slots[slot] != free_slot) slot = (slot + 1) & (slot_count - 1);
    slots[slot] = i;
  }
}

void ObjectNode::erase(std::string_view key) {
  const Item* there = find(key);
  if (there == nullptr) return;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (&members[i].value != there) continue;
    std::copy(members + i + 1, members + size, members + i);
    break;
  }
  --size;
  // The places behind it have moved. Deleting is rare; looking at each member from here on is what it costs.
  slots = nullptr;
  slot_count = 0;
}

void Frame::reserve(Arena& arena, std::uint32_t more) {
  if (size + more <= capacity) return;
  const std::uint32_t wanted = std::max(size + more, capacity * 2);
  auto* moved = static_cast<Binding*>(arena.allocate(wanted * sizeof(Binding)));
  std::copy(bindings, bindings + size, moved);
  bindings = moved;
  capacity = wanted;
}

void Frame::bind(Arena& arena, std::string_view name, const Item& value) {
  for (std::uint32_t i = 0; i < size; ++i)
    if (bindings[i].name == name) {
      bindings[i].value = value;
      return;
    }
  if (size == capacity) reserve(arena, capacity == 0 ? 2 : capacity);
  new (&bindings[size]) Binding{name, value};
  ++size;
}

void TupleNode::set(Arena& arena, std::string_view name, const Item& item) {
  for (std::uint32_t i = 0; i < size; ++i)
    if (bindings[i].name == name) {
      bindings[i].value = item;
      return;
    }
  if (size == capacity) {
    const std::uint32_t wanted = capacity == 0 ? 2 : capacity * 2;
    auto* moved = static_cast<Binding*>(arena.allocate(wanted * sizeof(Binding)));
    std::copy(bindings, bindings + size, moved);
    bindings = moved;
    capacity = wanted;
  }
  new (&bindings[size]) Binding{name, item};
  ++size;
}

Item member(const Item& object, std::string_view key) {
  if (object.tag == Tag::JsonObject) return find_in(*object.json_object, key);
  if (object.tag == Tag::Object) {
    const Item* found = object.object->find(key);
    return found == nullptr ? Item() : *found;
  }
  return {};
}

std::size_t member_count(const Item& object) {
  if (object.tag == Tag::JsonObject) return object.json_object->size();
  return object.tag == Tag::Object ? object.object->size : 0;
}

int compare_strings(std::string_view a, std::string_view b) {
  const std::size_t shared = std::min(a.size(), b.size());
  const auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shared), b.begin());
  if (differ.first == a.begin() + static_cast<std::ptrdiff_t>(shared))
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
  return utf16_rank(static_cast<unsigned char>(*differ.first)) - utf16_rank(static_cast<unsigned char>(*differ.second));
}

bool deep_equal(const Item& a, const Item& b, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  if (a.is_number() && b.is_number()) {
    if (a.tag == Tag::Int && b.tag == Tag::Int) return a.integer == b.integer;
    if (a.tag == Tag::NumberText && b.tag == Tag::NumberText) return *a.spelled == *b.spelled;
    return a.as_double() == b.as_double();
  }
  if (a.is_string() && b.is_string()) return a.string() == b.string();
  if (a.is_array() && b.is_array()) {
    const ArrayView x(a);
    const ArrayView y(b);
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!deep_equal(x[i], y[i], depth + 1)) return false;
    return true;
  }
  if (a.is_object() && b.is_object()) {
    if (member_count(a) != member_count(b)) return false;
    bool same = true;
    each_member(a, [&](std::string_view key, const Item& value) {
      if (!same) return;
      const Item other = member(b, key);
      same = !other.is_undefined() && deep_equal(value, other, depth + 1);
    });
    return same;
  }
  if (a.tag != b.tag) return false;
  switch (a.tag) {
    case Tag::Undefined:
    case Tag::Null: return true;
    case Tag::Bool: return a.boolean == b.boolean;
    case Tag::Function: return a.function == b.function;
    default: return false;
  }
}

json::Value to_json(const Item& item) {
  return convert(item, 0);
}

}  // namespace fixpoint::jsonata
