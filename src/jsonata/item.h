#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

// The values that an evaluation works on. An Item is 16 bytes and owns nothing: it points into the borrowed document,
// into the expression, or into the Arena of the evaluation, all of which outlive it.

namespace fixpoint::jsonata {

struct Node;
struct Builtin;
struct ArrayNode;
struct ObjectNode;
struct TupleNode;
struct FunctionNode;
struct Frame;

enum class Tag : std::uint8_t {
  Undefined,
  Null,
  Bool,
  Double,
  Int,         ///< exact
  NumberText,  ///< a number of the document that neither an int64 nor a double holds
  String,
  Array,       ///< made by this evaluation
  JsonArray,   ///< of the document
  Object,      ///< made by this evaluation
  JsonObject,  ///< of the document
  Function,
  Tuple,  ///< an element of a tuple stream; never seen by expressions
};

struct Item {
  Tag tag = Tag::Undefined;
  bool detached = false;   ///< a function that was handed on as an argument: it no longer sees its caller's context
  std::uint32_t size = 0;  ///< of a string, in bytes
  union {
    bool boolean;
    double number;
    std::int64_t integer;
    const char* text;
    const json::Value* spelled;
    ArrayNode* array;
    const json::Array* json_array;
    ObjectNode* object;
    const json::Object* json_object;
    FunctionNode* function;
    TupleNode* tuple;
  };

  Item() : integer(0) {}
  static Item null() {
    Item item;
    item.tag = Tag::Null;
    return item;
  }
  static Item of(bool value) {
    Item item;
    item.tag = Tag::Bool;
    item.boolean = value;
    return item;
  }
  static Item of(double value) {
    Item item;
    item.tag = Tag::Double;
    item.number = value;
    return item;
  }
  static Item of(std::int64_t value) {
    Item item;
    item.tag = Tag::Int;
    item.integer = value;
    return item;
  }
  static Item count(std::size_t value) { return of(static_cast<std::int64_t>(value)); }
  /// The bytes stay where they are.
  static Item of(std::string_view bytes) {
    Item item;
    item.tag = Tag::String;
    item.size = static_cast<std::uint32_t>(bytes.size());
    item.text = bytes.data();
    return item;
  }
  static Item of(ArrayNode* node) {
    Item item;
    item.tag = Tag::Array;
    item.array = node;
    return item;
  }
  static Item of(ObjectNode* node) {
    Item item;
    item.tag = Tag::Object;
    item.object = node;
    return item;
  }
  static Item of(FunctionNode* node) {
    Item item;
    item.tag = Tag::Function;
    item.function = node;
    return item;
  }
  static Item of(TupleNode* node) {
    Item item;
    item.tag = Tag::Tuple;
    item.tuple = node;
    return item;
  }
  static Item of(const json::Value& value);

  bool is_undefined() const { return tag == Tag::Undefined; }
  bool is_number() const { return tag == Tag::Double || tag == Tag::Int || tag == Tag::NumberText; }
  bool is_string() const { return tag == Tag::String; }
  bool is_array() const { return tag == Tag::Array || tag == Tag::JsonArray; }
  bool is_object() const { return tag == Tag::Object || tag == Tag::JsonObject; }
  bool is_function() const { return tag == Tag::Function; }
  std::string_view string() const { return {text, size}; }
  /// The nearest double of a number.
  double as_double() const;
};

/// Memory that is given back all at once. Throws Failure U1001 when it passes its limit.
class Arena {
 public:
  explicit Arena(std::size_t limit_bytes) : limit_(limit_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > static_cast<std::size_t>(end_ - next_)) more(bytes);
    char* start = next_;
    next_ += bytes;
    return start;
  }
  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T))) T{std::forward<Args>(args)...};
  }
  std::string_view copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* start = static_cast<char*>(allocate(bytes.size()));
    std::memcpy(start, bytes.data(), bytes.size());
    text_end_ = start + bytes.size();
    after_text_ = next_;
    return {start, bytes.size()};
  }
  /// One string of two; in place where `a` ends where the last string ends, and nothing was allocated since.
  std::string_view join(std::string_view a, std::string_view b);
  /// Keeps something alive as long as the memory.
  void hold(std::shared_ptr<const void> thing) { held_.push_back(std::move(thing)); }
  /// Counts memory that is held elsewhere, such as a std::string that is being built.
  void check_room_for(std::size_t bytes) const;

 private:
  void more(std::size_t bytes);

  std::size_t limit_;
  std::size_t used_ = 0;
  std::size_t next_chunk_ = std::size_t{16} * 1024;
  char* next_ = first_;
  char* end_ = first_ + sizeof(first_);
  char* text_end_ = nullptr;    // of the last string
  char* after_text_ = nullptr;  // what next_ was then
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::vector<std::shared_ptr<const void>> held_;
  alignas(16) char first_[4096];
};

/// JSONata's arrays carry marks that decide how they merge into others; those of a document carry none.
struct ArrayNode {
  enum Mark : std::uint8_t {
    sequence = 1,        ///< made by a path or function: one element stands for itself, none for undefined
    keep_singleton = 2,  ///< a sequence that stays an array
    constructed = 4,     ///< by [...] at the end of a path: does not merge into what surrounds it
    outer_wrapper = 8,   ///< holds an input that is an array
    tuple_stream = 16,
  };
  Item* items = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
  std::uint8_t marks = 0;
  bool is_range = false;  ///< no items: the integers from `first` on
  double first = 0;
  const Arena* owner = nullptr;  ///< marks may be changed by the evaluation that owns it only

  bool has(Mark mark) const { return (marks & mark) != 0; }
};

/// Any array, read by index.
class ArrayView {
 public:
  explicit ArrayView(const Item& item) {
    if (item.tag == Tag::JsonArray) {
      values_ = item.json_array->data();
      size_ = item.json_array->size();
    } else if (item.tag == Tag::Array) {
      size_ = item.array->size;
      items_ = item.array->items;
      first_ = item.array->first;
    }
  }
  /// The one element `item`, which must stay where it is.
  static ArrayView of_one(const Item& item) {
    ArrayView view{Item()};
    view.items_ = &item;
    view.size_ = 1;
    return view;
  }
  std::size_t size() const { return size_; }
  Item operator[](std::size_t i) const {
    if (items_ != nullptr) return items_[i];
    if (values_ != nullptr) return Item::of(values_[i]);
    return Item::of(static_cast<std::int64_t>(first_ + static_cast<double>(i)));
  }

 private:
  const Item* items_ = nullptr;
  const json::Value* values_ = nullptr;
  double first_ = 0;
  std::size_t size_ = 0;
};

struct ObjectMember {
  std::string_view key;
  Item value;
};

/// An object made by the evaluation. A transform changes it in place.
struct ObjectNode {
  ObjectMember* members = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
  std::uint32_t* slots = nullptr;  ///< an index by hash where there are many members
  std::uint32_t slot_count = 0;

  Item* find(std::string_view key) const;
  /// The key's bytes stay where they are.
  void set(Arena& arena, std::string_view key, const Item& value);
  void erase(std::string_view key);

 private:
  void index(Arena& arena);
};

/// Variables by name, the innermost first. Names live in the expression.
struct Binding {
  std::string_view name;
  Item value;
};

struct Frame {
  const Frame* outer = nullptr;
  Binding* bindings = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;

  void bind(Arena& arena, std::string_view name, const Item& value);
  void reserve(Arena& arena, std::uint32_t more);
  const Item* find(std::string_view name) const {
    for (const Frame* frame = this; frame != nullptr; frame = frame->outer)
      for (std::uint32_t i = 0; i < frame->size; ++i)
        if (frame->bindings[i].name == name) return &frame->bindings[i].value;
    return nullptr;
  }
};

/// One combination of the variables that `@`, `#` and `%` bind in a path; "@" is the value itself.
struct TupleNode {
  Item value;
  Binding* bindings = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;

  void set(Arena& arena, std::string_view name, const Item& item);
};

struct FunctionNode {
  enum class Kind : std::uint8_t { Native, Lambda, Partial, Regex, RegexNext, Transform };
  Kind kind = Kind::Native;
  bool thunk = false;                  ///< a call that is still to be made: the tail of a function
  std::uint8_t arity = 0;              ///< how many arguments a function like $map gives it
  const Builtin* builtin = nullptr;    ///< of Native
  const Node* node = nullptr;          ///< of Lambda, Regex and Transform
  Frame* frame = nullptr;              ///< what a Lambda or Transform closes over
  Item input;                          ///< the context of a Lambda; the subject of a RegexNext
  std::size_t from = 0;                ///< of RegexNext: the byte where the next match may start
  const FunctionNode* base = nullptr;  ///< of Partial
  const Item* bound = nullptr;         ///< of Partial: an argument for each place; a null Tuple is an open one
  std::uint32_t bound_count = 0;
};

/// Calls `visit(std::string_view key, const Item& value)` for each member of an object.
template <class Visit>
void each_member(const Item& object, Visit&& visit);

Item member(const Item& object, std::string_view key);  ///< undefined where there is none, or it is no object
std::size_t member_count(const Item& object);

/// JavaScript's order: by UTF-16 code units. Negative, zero or positive.
int compare_strings(std::string_view a, std::string_view b);
/// JSONata's `=`: arrays and objects by content, functions by identity.
bool deep_equal(const Item& a, const Item& b, int depth = 0);

/// Arrays and objects within each other, in what is compared, printed, copied or given to a caller.
constexpr int deepest_nesting = 500;
[[noreturn]] void too_deeply_nested();

/// For an API's caller, as JSON.stringify would: members that are functions are left out, elements that are functions
/// or undefined become null. Numbers are integers where they can be.
json::Value to_json(const Item& item);

// The rest is inline.

template <class Visit>
void each_member(const Item& object, Visit&& visit) {
  if (object.tag == Tag::JsonObject) {
    for (const auto& m : *object.json_object) visit(std::string_view(m.key), Item::of(m.value));
  } else if (object.tag == Tag::Object) {
    for (std::uint32_t i = 0; i < object.object->size; ++i)
      visit(object.object->members[i].key, object.object->members[i].value);
  }
}

inline Item Item::of(const json::Value& value) {
  Item item;
  switch (value.kind()) {
    case json::Value::Kind::Null: item.tag = Tag::Null; break;
    case json::Value::Kind::Bool:
      item.tag = Tag::Bool;
      item.boolean = value.as_bool();
      break;
    case json::Value::Kind::Int: return of(*value.as_int64());
    case json::Value::Kind::Double: return of(value.as_double());
    case json::Value::Kind::NumberText:
      item.tag = Tag::NumberText;
      item.spelled = &value;
      break;
    case json::Value::Kind::String: return of(std::string_view(value.as_string()));
    case json::Value::Kind::Array:
      item.tag = Tag::JsonArray;
      item.json_array = &value.as_array();
      break;
    case json::Value::Kind::Object:
      item.tag = Tag::JsonObject;
      item.json_object = &value.as_object();
      break;
  }
  return item;
}

}  // namespace fixpoint::jsonata
