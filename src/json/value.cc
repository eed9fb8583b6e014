#include "json/value.h"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/text.h"

namespace fixpoint::json {
namespace {

constexpr std::size_t linear_limit = 16;
constexpr std::uint32_t free_slot = 0xFFFFFFFFU;

double double_of(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// An exact decimal as digits and exponent, so that numbers beyond int64 and double compare by value.
struct Decimal {
  bool negative = false;
  std::string digits;  // without leading or trailing zeros; empty is zero
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

Decimal decimal_of(std::string_view text) {
  Decimal d;
  if (text.starts_with('-')) {
    d.negative = true;
    text.remove_prefix(1);
  }
  const auto e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    d.exponent = to_int64(power).value_or(0);
    text = text.substr(0, e);
  }
  bool point = false;
  for (const char c : text) {
    if (c == '.') {
      point = true;
    } else {
      d.digits += c;
      if (point) --d.exponent;
    }
  }
  while (!d.digits.empty() && d.digits.back() == '0') {
    d.digits.pop_back();
    ++d.exponent;
  }
  d.digits.erase(0, std::min(d.digits.find_first_not_of('0'), d.digits.size()));
  if (d.digits.empty()) return {};
  return d;
}

}  // namespace

// Open addressing over positions in the members' vector; rebuilt when half full.
struct Object::Index {
  std::vector<std::uint32_t> slots;
};

Object::Object() = default;
Object::Object(std::initializer_list<ListedMember> members) {
  reserve(members.size());
  for (const ListedMember& m : members) set(m.key_, std::move(m.value_));
}
Object::Object(const Object& other)
    : members_(other.members_), index_(other.index_ ? std::make_unique<Index>(*other.index_) : nullptr) {}
Object::Object(Object&& other) noexcept = default;
Object& Object::operator=(const Object& other) {
  if (this != &other) *this = Object(other);
  return *this;
}
Object& Object::operator=(Object&& other) noexcept = default;
Object::~Object() = default;

std::size_t Object::size() const {
  return members_.size();
}
const Member* Object::begin() const {
  return members_.data();
}
const Member* Object::end() const {
  return members_.data() + members_.size();
}
Member* Object::begin() {
  return members_.data();
}
Member* Object::end() {
  return members_.data() + members_.size();
}
void Object::reserve(std::size_t members) {
  members_.reserve(members);
}

std::optional<std::size_t> Object::position(std::string_view key) const {
  if (!index_) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i].key == key) return i;
    return {};
  }
  const std::size_t mask = index_->slots.size() - 1;
  for (std::size_t slot = std::hash<std::string_view>()(key) & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t at = index_->slots[slot];
    if (at == free_slot) return {};
    if (members_[at].key == key) return at;
  }
}

void Object::reindex() {
  if (members_.size() <= linear_limit) {
    index_.reset();
    return;
  }
  std::size_t capacity = 64;
  while (capacity < members_.size() * 4) capacity *= 2;
  index_ = std::make_unique<Index>();
  index_->slots.assign(capacity, free_slot);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    std::size_t slot = std::hash<std::string_view>()(members_[i].key) & (capacity - 1);
    while (index_->slots[slot] != free_slot) slot = (slot + 1) & (capacity - 1);
    index_->slots[slot] = static_cast<std::uint32_t>(i);
  }
}

const Value* Object::find(std::string_view key) const {
  const auto at = position(key);
  return at ? &members_[*at].value : nullptr;
}
Value* Object::find(std::string_view key) {
  const auto at = position(key);
  return at ? &members_[*at].value : nullptr;
}

Value& Object::operator[](std::string_view key) {
  if (Value* found = find(key)) return *found;
  append(std::string(key), Value());
  return members_.back().value;
}

void Object::set(std::string_view key, Value value) {
  (*this)[key] = std::move(value);
}

void Object::append(std::string key, Value value) {
  if (members_.capacity() == 0) members_.reserve(4);  // what follows one member is seldom none
  members_.push_back(Member{std::move(key), std::move(value)});
  if (index_ && members_.size() * 2 < index_->slots.size()) {
    const std::size_t mask = index_->slots.size() - 1;
    std::size_t slot = std::hash<std::string_view>()(members_.back().key) & mask;
    while (index_->slots[slot] != free_slot) slot = (slot + 1) & mask;
    index_->slots[slot] = static_cast<std::uint32_t>(members_.size() - 1);
  } else if (members_.size() > linear_limit) {
    reindex();
  }
}

bool Object::erase(std::string_view key) {
  const auto at = position(key);
  if (!at) return false;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(*at));
  reindex();
  return true;
}

bool Object::operator==(const Object& other) const {
  if (size() != other.size()) return false;
  for (const Member& m : members_) {
    const Value* theirs = other.find(m.key);
    if (theirs == nullptr || !(*theirs == m.value)) return false;
  }
  return true;
}

Value::Value(unsigned long value) {
  if (value <= static_cast<unsigned long>(INT64_MAX))
    data_ = static_cast<std::int64_t>(value);
  else
    data_ = json::NumberText{std::to_string(value)};
}

double Value::as_double() const {
  if (const auto* i = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&data_)) return *d;
  return double_of(std::get<json::NumberText>(data_).text);
}

std::optional<std::int64_t> Value::as_int64() const {
  if (const auto* i = std::get_if<std::int64_t>(&data_)) return *i;
  if (const auto* d = std::get_if<double>(&data_)) {
    if (std::trunc(*d) != *d || *d < -9223372036854775808.0 || *d >= 9223372036854775808.0) return {};
    return static_cast<std::int64_t>(*d);
  }
  if (const auto* n = std::get_if<json::NumberText>(&data_)) {
    Decimal decimal = decimal_of(n->text);
    if (decimal.digits.empty()) return 0;
    if (decimal.exponent < 0 || decimal.exponent > 18) return {};
    decimal.digits.append(static_cast<std::size_t>(decimal.exponent), '0');
    return to_int64((decimal.negative ? "-" : "") + decimal.digits);
  }
  return {};
}

std::string Value::number_text() const {
  if (const auto* i = std::get_if<std::int64_t>(&data_)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&data_)) return print_double(*d);
  return std::get<json::NumberText>(data_).text;
}

const Value* Value::find(std::string_view key) const {
  return is_object() ? as_object().find(key) : nullptr;
}

const Value& Value::operator[](std::string_view key) const {
  static const Value null;
  const Value* found = find(key);
  return found != nullptr ? *found : null;
}

const Value& Value::operator[](std::size_t index) const {
  static const Value null;
  return is_array() && index < as_array().size() ? as_array()[index] : null;
}

std::string_view Value::string_or(std::string_view otherwise) const {
  return is_string() ? std::string_view(as_string()) : otherwise;
}

std::size_t Value::size() const {
  if (is_array()) return as_array().size();
  if (is_object()) return as_object().size();
  return 0;
}

Value& Value::at_or_make(std::string_view key) {
  if (is_null()) data_ = json::Object();
  return as_object()[key];
}

void Value::push_back(Value value) {
  if (is_null()) data_ = json::Array();
  as_array().push_back(std::move(value));
}

void Value::set(std::string_view key, Value value) {
  at_or_make(key) = std::move(value);
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number()) {
    const auto mine = as_int64();
    const auto theirs = other.as_int64();
    if (mine || theirs) return mine == theirs;
    if (kind() == Kind::Double && other.kind() == Kind::Double) return as_double() == other.as_double();
    return decimal_of(number_text()) == decimal_of(other.number_text());
  }
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case Kind::Null: return true;
    case Kind::Bool: return as_bool() == other.as_bool();
    case Kind::String: return as_string() == other.as_string();
    case Kind::Array: return as_array() == other.as_array();
    default: return as_object() == other.as_object();
  }
}

std::string_view kind_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null: return "null";
    case Value::Kind::Bool: return "a boolean";
    case Value::Kind::String: return "a string";
    case Value::Kind::Array: return "an array";
    case Value::Kind::Object: return "an object";
    default: return "a number";
  }
}

}  // namespace fixpoint::json
