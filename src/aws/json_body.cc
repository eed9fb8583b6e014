#include "aws/json_body.h"

#include <cmath>

#include "base/clock.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

// As the services put it: "STRING_VALUE cannot be converted to Integer".
std::string_view token_name(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::Null: return "NULL_VALUE";
    case json::Value::Kind::Bool: return value.as_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case json::Value::Kind::String: return "STRING_VALUE";
    case json::Value::Kind::Array: return "START_ARRAY";
    case json::Value::Kind::Object: return "START_OBJECT";
    case json::Value::Kind::Int: return "NUMBER_VALUE";
    default: return value.as_int64() ? "NUMBER_VALUE" : "DECIMAL_VALUE";
  }
}

std::string_view type_word(ShapeType type) {
  switch (type) {
    case ShapeType::Structure: return "Structure";
    case ShapeType::List: return "List";
    case ShapeType::Map: return "Map";
    case ShapeType::String: return "String";
    case ShapeType::Blob: return "Blob";
    case ShapeType::Boolean: return "Boolean";
    case ShapeType::Byte: return "Byte";
    case ShapeType::Short: return "Short";
    case ShapeType::Integer: return "Integer";
    case ShapeType::Long: return "Long";
    case ShapeType::Float: return "Float";
    case ShapeType::Double: return "Double";
    case ShapeType::Timestamp: return "Timestamp";
    default: return "Document";
  }
}

class Reader {
 public:
  Reader(JsonNames names, Reading reading) : names_(names), reading_(reading) {}

  Result<void> read(json::Value& value, const Shape& shape, TimestampFormat format, bool json_text) {
    if (json_text) return read_json_text(value);
    switch (shape.type) {
      case ShapeType::Structure: return structure(value, shape, BodyPart::All);
      case ShapeType::List: return list(value, shape);
      case ShapeType::Map: return map(value, shape);
      case ShapeType::String:
        if (value.is_string()) return {};
        if (reading_ == Reading::Lenient && (value.is_number() || value.is_bool())) {
          value = scalar_text(value, ShapeType::String, TimestampFormat::Default);
          return {};
        }
        return wrong(value, shape);
      case ShapeType::Boolean:
        if (value.is_bool()) return {};
        if (reading_ == Reading::Lenient && value.is_string()) return from_text(value, shape, format);
        return wrong(value, shape);
      case ShapeType::Byte:
      case ShapeType::Short:
      case ShapeType::Integer:
      case ShapeType::Long: return integer(value, shape);
      case ShapeType::Float:
      case ShapeType::Double: return number(value, shape);
      case ShapeType::Timestamp: return timestamp(value, shape, format_of(format, TimestampFormat::UnixTimestamp));
      case ShapeType::Blob:
        if (!value.is_string()) return wrong(value, shape);
        if (!base64_decode(value.as_string())) return refuse("The value is not valid base64");
        return {};
      case ShapeType::Document: return {};
    }
    return {};
  }

  Result<void> structure(json::Value& value, const Shape& shape, BodyPart part) {
    if (!value.is_object()) return wrong(value, shape);
    json::Object& object = value.as_object();
    bool as_it_is = true;
    std::size_t taken = 0;
    for (json::Member& entry : object) {
      const Member* member = find(shape, entry.key);
      if (member == nullptr || entry.value.is_null() || !is_in(part, member->location)) {
        as_it_is = false;
        continue;
      }
      as_it_is = as_it_is && member->name == entry.key;
      if (auto done = read(entry.value, *member->shape, member->timestamp_format, member->json_value); !done)
        return in(member->name, std::move(done));
      ++taken;
    }
    if (shape.is_union && reading_ == Reading::Strict && taken != 1)
      return refuse("A union must have exactly one member; this one has " + std::to_string(taken));
    if (as_it_is) return {};
    json::Object kept;
    kept.reserve(taken);
    for (json::Member& entry : object) {
      const Member* member = find(shape, entry.key);
      if (member == nullptr || entry.value.is_null() || !is_in(part, member->location)) continue;
      if (shape.has_wire_names && kept.contains(member->name)) continue;
      kept.append(std::string(member->name), std::move(entry.value));
    }
    value = std::move(kept);
    return {};
  }

 private:
  const Member* find(const Shape& shape, std::string_view key) const {
    return names_ == JsonNames::Wire ? shape.find_wire(key) : shape.find(key);
  }

  Result<void> list(json::Value& value, const Shape& shape) {
    if (!value.is_array()) return wrong(value, shape);
    std::size_t index = 0;
    for (json::Value& item : value.as_array()) {
      // Nulls stay: where the list may not hold them, validation says so.
      if (!item.is_null())
        if (auto done = read(item, *shape.element.shape, shape.element.timestamp_format, shape.element.json_value);
            !done)
          return at(index, std::move(done));
      ++index;
    }
    return {};
  }

  Result<void> map(json::Value& value, const Shape& shape) {
    if (!value.is_object()) return wrong(value, shape);
    for (json::Member& entry : value.as_object()) {
      if (entry.value.is_null()) continue;
      if (auto done = read(entry.value, *shape.element.shape, shape.element.timestamp_format, shape.element.json_value);
          !done)
        return in(entry.key, std::move(done));
    }
    return {};
  }

  Result<void> integer(json::Value& value, const Shape& shape) {
    if (reading_ == Reading::Lenient && value.is_string()) return from_text(value, shape, TimestampFormat::Default);
    if (!value.is_number()) return wrong(value, shape);
    const auto exact = value.as_int64();
    const auto [smallest, largest] = integer_range(shape.type);
    if (!exact) return reading_ == Reading::Lenient ? Result<void>() : wrong(value, shape);
    if (reading_ == Reading::Strict && (*exact < smallest || *exact > largest))
      return refuse(value.number_text() + " is not a valid " + std::string(type_word(shape.type)) +
                    ": it has to be from " + std::to_string(smallest) + " to " + std::to_string(largest));
    if (value.kind() != json::Value::Kind::Int) value = *exact;
    return {};
  }

  Result<void> number(json::Value& value, const Shape& shape) {
    if (value.is_number()) return {};
    if (value.is_string()) {
      const std::string& text = value.as_string();
      if (text == "NaN" || text == "Infinity" || text == "-Infinity") return {};
      if (reading_ == Reading::Lenient) return from_text(value, shape, TimestampFormat::Default);
    }
    return wrong(value, shape);
  }

  Result<void> timestamp(json::Value& value, const Shape& shape, TimestampFormat format) {
    if (value.is_number()) {
      if (format == TimestampFormat::UnixTimestamp || reading_ == Reading::Lenient) return {};
      return wrong(value, shape);
    }
    if (!value.is_string() || (format == TimestampFormat::UnixTimestamp && reading_ == Reading::Strict))
      return wrong(value, shape);
    return from_text(value, shape, format);
  }

  Result<void> from_text(json::Value& value, const Shape& shape, TimestampFormat format) {
    auto read_value = scalar_value(value.as_string(), shape.type, format, reading_);
    if (!read_value) return refuse(std::move(read_value.error().message));
    value = std::move(*read_value);
    return {};
  }

  // A string that holds JSON; a service that sends plain JSON instead is understood.
  Result<void> read_json_text(json::Value& value) {
    if (!value.is_string()) return {};
    auto parsed = json::parse(value.as_string());
    if (!parsed) return refuse("The value is not valid JSON: " + parsed.error().message);
    value = std::move(*parsed);
    return {};
  }

  Result<void> wrong(const json::Value& value, const Shape& shape) const {
    return refuse(std::string(token_name(value)) + " cannot be converted to " + std::string(type_word(shape.type)));
  }
  Result<void> refuse(std::string message) const {
    if (reading_ == Reading::Lenient) return {};
    return fail(errors::serialization(std::move(message)));
  }

  // The place is put together on the way out, so that a good document costs nothing for it.
  static Result<void> in(std::string_view name, Result<void> failed) {
    std::string& where = failed.error().where;
    where = std::string(name) + (where.empty() || where.front() == '[' ? "" : ".") + where;
    return failed;
  }
  static Result<void> at(std::size_t index, Result<void> failed) {
    std::string& where = failed.error().where;
    where = "[" + std::to_string(index) + "]" + (where.empty() || where.front() == '[' ? "" : ".") + where;
    return failed;
  }

  JsonNames names_;
  Reading reading_;
};

class Writer {
 public:
  Writer(std::string& out, JsonNames names) : out_(out), names_(names) {}

  void structure(const json::Value& value, const Shape& shape, BodyPart part) {
    out_ += '{';
    bool first = true;
    if (value.is_object()) {
      for (const json::Member& entry : value.as_object()) {
        if (entry.value.is_null()) continue;
        const Member* member = shape.find(entry.key);
        if (member == nullptr || !is_in(part, member->location)) continue;
        if (!first) out_ += ',';
        first = false;
        json::print_string_to(out_, names_ == JsonNames::Wire ? member->wire_name : member->name);
        out_ += ':';
        write(entry.value, *member);
      }
    }
    out_ += '}';
  }

  void write(const json::Value& value, const Member& member) {
    if (member.json_value) {
      json::print_string_to(out_, json::print(value));
      return;
    }
    write(value, *member.shape, member.timestamp_format);
  }

  void write(const json::Value& value, const Shape& shape, TimestampFormat format) {
    if (value.is_null()) {
      out_ += "null";
      return;
    }
    switch (shape.type) {
      case ShapeType::Structure: structure(value, shape, BodyPart::All); return;
      case ShapeType::List: list(value, shape); return;
      case ShapeType::Map: map(value, shape); return;
      case ShapeType::Timestamp: timestamp(value, format_of(format, TimestampFormat::UnixTimestamp)); return;
      case ShapeType::String:
      case ShapeType::Blob:
        if (value.is_string())
          json::print_string_to(out_, value.as_string());
        else if (value.is_number() || value.is_bool())
          json::print_string_to(out_, scalar_text(value, ShapeType::String, format));
        else
          json::print_string_to(out_, json::print(value));
        return;
      case ShapeType::Float:
      case ShapeType::Double:
        if (value.kind() == json::Value::Kind::Double && !std::isfinite(value.as_double())) {
          json::print_string_to(out_, print_double(value.as_double()));
          return;
        }
        json::print_to(out_, value);
        return;
      default: json::print_to(out_, value); return;
    }
  }

 private:
  void list(const json::Value& value, const Shape& shape) {
    out_ += '[';
    if (value.is_array()) {
      bool first = true;
      for (const json::Value& item : value.as_array()) {
        if (!first) out_ += ',';
        first = false;
        write(item, shape.element);
      }
    }
    out_ += ']';
  }

  void map(const json::Value& value, const Shape& shape) {
    out_ += '{';
    if (value.is_object()) {
      bool first = true;
      for (const json::Member& entry : value.as_object()) {
        if (!first) out_ += ',';
        first = false;
        json::print_string_to(out_, entry.key);
        out_ += ':';
        write(entry.value, shape.element);
      }
    }
    out_ += '}';
  }

  void timestamp(const json::Value& value, TimestampFormat format) {
    const auto epoch = epoch_of(value);
    if (format == TimestampFormat::UnixTimestamp && epoch)
      out_ += print_double(*epoch);
    else
      json::print_string_to(out_, scalar_text(value, ShapeType::Timestamp, format));
  }

  std::string& out_;
  JsonNames names_;
};

}  // namespace

Result<void> read_json(json::Value& value, const Shape& shape, JsonNames names, Reading reading, BodyPart part) {
  Reader reader(names, reading);
  if (shape.type == ShapeType::Structure) return reader.structure(value, shape, part);
  return reader.read(value, shape, shape.timestamp_format, false);
}

void write_json(std::string& out, const json::Value& canonical, const Shape& shape, JsonNames names, BodyPart part) {
  Writer writer(out, names);
  if (shape.type == ShapeType::Structure)
    writer.structure(canonical, shape, part);
  else
    writer.write(canonical, shape, shape.timestamp_format);
}

}  // namespace fixpoint::aws
