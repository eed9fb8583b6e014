#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace fixpoint::json {

class Value;
struct Member;
class ListedMember;

using Array = std::vector<Value>;

/// Members in the order in which they came. Finding one is linear up to 16 members and by hash beyond.
class Object {
 public:
  Object();
  Object(std::initializer_list<ListedMember> members);
  Object(const Object& other);
  Object(Object&& other) noexcept;
  Object& operator=(const Object& other);
  Object& operator=(Object&& other) noexcept;
  ~Object();

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  /// Null where there is none. The pointer is valid until the object changes.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// The member of that name, made null at the end where there is none.
  Value& operator[](std::string_view key);
  /// Sets or replaces; a replaced member keeps its place.
  void set(std::string_view key, Value value);
  /// Appends without a look whether the key is there already: for who knows that it is new.
  void append(std::string key, Value value);
  bool erase(std::string_view key);
  void reserve(std::size_t members);

  const Member* begin() const;
  const Member* end() const;
  Member* begin();
  Member* end();

  /// The same members with equal values, in whatever order.
  bool operator==(const Object& other) const;

 private:
  struct Index;
  std::optional<std::size_t> position(std::string_view key) const;
  void reindex();

  std::vector<Member> members_;
  std::unique_ptr<Index> index_;  // only where there are more than 16 members
};

/// A number as it was written, kept where no int64 and no shortest double says the same: `1.10`,
/// `18446744073709551616`.
struct NumberText {
  std::string text;
};

/// One JSON value. A value type: copies are deep. Reads are safe from several threads, changes are not.
class Value {
 public:
  enum class Kind : std::uint8_t { Null, Bool, Int, Double, NumberText, String, Array, Object };

  Value() = default;
  Value(std::nullptr_t) {}                                      // NOLINT(google-explicit-constructor)
  Value(bool value) : data_(value) {}                           // NOLINT(google-explicit-constructor)
  Value(int value) : data_(std::int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Value(long value) : data_(std::int64_t{value}) {}             // NOLINT(google-explicit-constructor)
  Value(long long value) : data_(std::int64_t{value}) {}        // NOLINT(google-explicit-constructor)
  Value(unsigned value) : data_(std::int64_t{value}) {}         // NOLINT(google-explicit-constructor)
  Value(unsigned long value);                                   // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                         // NOLINT(google-explicit-constructor)
  Value(const char* text) : data_(std::string(text)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : data_(std::string(text)) {}    // NOLINT(google-explicit-constructor)
  Value(std::string text) : data_(std::move(text)) {}           // NOLINT(google-explicit-constructor)
  Value(json::Array items) : data_(std::move(items)) {}         // NOLINT(google-explicit-constructor)
  Value(json::Object members) : data_(std::move(members)) {}    // NOLINT(google-explicit-constructor)
  Value(json::NumberText number) : data_(std::move(number)) {}  // NOLINT(google-explicit-constructor)

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::Null; }
  bool is_bool() const { return kind() == Kind::Bool; }
  bool is_number() const { return kind() == Kind::Int || kind() == Kind::Double || kind() == Kind::NumberText; }
  bool is_string() const { return kind() == Kind::String; }
  bool is_array() const { return kind() == Kind::Array; }
  bool is_object() const { return kind() == Kind::Object; }

  /// The as_... and get... calls that return a reference or a plain value are for who has looked at the kind: on any
  /// other kind they throw std::bad_variant_access.
  bool as_bool() const { return std::get<bool>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  std::string& as_string() { return std::get<std::string>(data_); }
  const json::Array& as_array() const { return std::get<json::Array>(data_); }
  json::Array& as_array() { return std::get<json::Array>(data_); }
  const json::Object& as_object() const { return std::get<json::Object>(data_); }
  json::Object& as_object() { return std::get<json::Object>(data_); }

  /// The nearest double of any number; throws on what is none.
  double as_double() const;
  /// The exact integer, also of `3.0` and `3e2`; nothing where the value is no integer within int64.
  std::optional<std::int64_t> as_int64() const;
  /// A number as it is printed; throws on what is none.
  std::string number_text() const;

  /// Reads without looking first. A member of what is no object, or of no such name, is null.
  const Value* find(std::string_view key) const;
  const Value& operator[](std::string_view key) const;
  const Value& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  const Value& operator[](std::size_t index) const;  ///< null past the end or on what is no array
  const Value& operator[](int index) const { return (*this)[static_cast<std::size_t>(index)]; }
  /// The text, or `otherwise` where the value is no string.
  std::string_view string_or(std::string_view otherwise) const;
  bool bool_or(bool otherwise) const { return is_bool() ? as_bool() : otherwise; }
  std::int64_t int_or(std::int64_t otherwise) const { return as_int64().value_or(otherwise); }
  std::size_t size() const;  ///< elements or members; 0 for what holds none

  /// Turns null into an object or array where it is one, and throws on other kinds.
  Value& at_or_make(std::string_view key);
  void push_back(Value value);
  void set(std::string_view key, Value value);

  /// Numbers compare by value, objects without regard to order.
  bool operator==(const Value& other) const;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, json::NumberText, std::string, json::Array, json::Object>
      data_;
};

struct Member {
  std::string key;
  Value value;
};

/// A member in a list that an object is made of: it gives its value away, so that what is written as lists within lists
/// is made once, and not copied at every level.
class ListedMember {
 public:
  ListedMember(std::string_view key, Value value) : key_(key), value_(std::move(value)) {}

 private:
  friend class Object;
  std::string_view key_;
  mutable Value value_;
};

/// An array of these, moved where they can be: `json::Array{...}` copies each.
template <class... Items>
Array array_of(Items&&... items) {
  Array out;
  out.reserve(sizeof...(items));
  (out.emplace_back(std::forward<Items>(items)), ...);
  return out;
}

/// "null", "a boolean", "a number", "a string", "an array", "an object": for sentences.
std::string_view kind_name(const Value& value);

}  // namespace fixpoint::json
