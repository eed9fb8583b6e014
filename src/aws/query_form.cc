#include "aws/query_form.h"

#include <algorithm>
#include <span>

#include "aws/scalar.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

using Pair = std::pair<std::string, std::string>;

constexpr std::size_t depth_limit = 60;

Error malformed(Protocol protocol, const std::string& message, std::string_view key) {
  Error error = errors::coded(protocol == Protocol::Ec2 ? "InvalidParameterValue" : "MalformedInput", message, 400);
  error.where = std::string(key.substr(0, 200));
  return error;
}

// Orders keys so that those under one prefix stand together: '.' before everything else.
bool before(const Pair& a, const Pair& b) {
  const std::size_t common = std::min(a.first.size(), b.first.size());
  for (std::size_t i = 0; i < common; ++i) {
    const char x = a.first[i];
    const char y = b.first[i];
    if (x == y) continue;
    if (x == '.') return true;
    if (y == '.') return false;
    return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  }
  return a.first.size() < b.first.size();
}

/// Pairs of one prefix, sorted; `at` is where the rest of their keys begins.
struct Group {
  std::string_view name;  // the next segment of the keys
  std::span<const Pair> pairs;
  std::size_t at = 0;  // past the name

  // The pair whose key ends here, null where there is none.
  const Pair* own() const { return !pairs.empty() && pairs.front().first.size() == at ? &pairs.front() : nullptr; }
  // The pairs whose keys go on.
  std::span<const Pair> inner() const {
    std::size_t first = 0;
    while (first < pairs.size() && pairs[first].first.size() <= at) ++first;
    return pairs.subspan(first);
  }
};

template <class Function>
Result<void> each_group(std::span<const Pair> pairs, std::size_t begin, Function&& function) {
  for (std::size_t i = 0; i < pairs.size();) {
    const std::string_view key = pairs[i].first;
    const std::size_t end = std::min(key.find('.', begin), key.size());
    const std::string_view name = key.substr(begin, end - begin);
    std::size_t next = i + 1;
    while (next < pairs.size()) {
      const std::string_view other = pairs[next].first;
      if (other.size() < end || other.substr(begin, end - begin) != name || (other.size() > end && other[end] != '.'))
        break;
      ++next;
    }
    FIXPOINT_CHECK(function(Group{name, pairs.subspan(i, next - i), end}));
    i = next;
  }
  return {};
}

std::optional<std::size_t> index_of(std::string_view name) {
  if (name.empty() || name.size() > 9) return {};
  std::size_t index = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return {};
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

class Reader {
 public:
  explicit Reader(Protocol protocol) : protocol_(protocol) {}

  Result<json::Value> structure(std::span<const Pair> pairs, std::size_t begin, const Shape& shape, std::size_t depth) {
    if (depth > depth_limit)
      return fail(malformed(protocol_, "Parameters are nested too deep", pairs.empty() ? "" : pairs[0].first));
    json::Object object;
    FIXPOINT_CHECK(each_group(pairs, begin, [&](const Group& group) -> Result<void> {
      const Member* member = protocol_ == Protocol::Ec2 ? shape.find_query(group.name) : shape.find_wire(group.name);
      if (member == nullptr) return {};
      FIXPOINT_TRY(value, read(group, *member->shape, member->timestamp_format, depth + 1));
      object.set(member->name, std::move(value));
      return {};
    }));
    return json::Value(std::move(object));
  }

 private:
  Result<json::Value> read(const Group& group, const Shape& shape, TimestampFormat format, std::size_t depth) {
    switch (shape.type) {
      case ShapeType::Structure: return structure(group.inner(), group.at + 1, shape, depth);
      case ShapeType::List: return list(group, shape, depth);
      case ShapeType::Map: return map(group, shape, depth);
      default: break;
    }
    const Pair* own = group.own();
    if (own == nullptr)
      return fail(
          malformed(protocol_, "The parameter takes one value, not parameters within it", group.pairs[0].first));
    auto value = scalar_value(own->second, shape.type, format_of(format, TimestampFormat::Iso8601), Reading::Lenient);
    if (!value)
      return fail(malformed(
          protocol_, "The value for parameter " + own->first.substr(0, 200) + " is invalid: " + value.error().message,
          own->first));
    return value;
  }

  // Collects what stands under numbers, in the order of the numbers. Clients flatten or do not (`X.1`, `X.member.1`).
  Result<std::vector<std::pair<std::size_t, Group>>> numbered(const Group& group) {
    std::vector<std::pair<std::size_t, Group>> found;
    FIXPOINT_CHECK(each_group(group.inner(), group.at + 1, [&](const Group& child) -> Result<void> {
      if (const auto index = index_of(child.name)) {
        found.emplace_back(*index, child);
        return {};
      }
      return each_group(child.inner(), child.at + 1, [&](const Group& grandchild) -> Result<void> {
        const auto index = index_of(grandchild.name);
        if (!index)
          return fail(
              malformed(protocol_, "A list's parameters are numbered: NAME.1, NAME.2", grandchild.pairs[0].first));
        found.emplace_back(*index, grandchild);
        return {};
      });
    }));
    std::ranges::sort(found, {}, [](const auto& entry) { return entry.first; });
    return found;
  }

  Result<json::Value> list(const Group& group, const Shape& shape, std::size_t depth) {
    json::Array items;
    FIXPOINT_TRY(entries, numbered(group));
    items.reserve(entries.size());
    for (const auto& [index, entry] : entries) {
      FIXPOINT_TRY(value, read(entry, *shape.element.shape, shape.element.timestamp_format, depth + 1));
      items.push_back(std::move(value));
    }
    return json::Value(std::move(items));
  }

  Result<json::Value> map(const Group& group, const Shape& shape, std::size_t depth) {
    const std::string_view key_name = shape.key.wire_name.empty() ? "key" : shape.key.wire_name;
    const std::string_view value_name = shape.element.wire_name.empty() ? "value" : shape.element.wire_name;
    json::Object object;
    FIXPOINT_TRY(entries, numbered(group));
    for (const auto& [index, entry] : entries) {
      std::string key;
      json::Value value;
      FIXPOINT_CHECK(each_group(entry.inner(), entry.at + 1, [&](const Group& part) -> Result<void> {
        if (equals_ignore_case(part.name, key_name) && part.own() != nullptr) {
          key = part.own()->second;
        } else if (equals_ignore_case(part.name, value_name)) {
          FIXPOINT_TRY(content, read(part, *shape.element.shape, shape.element.timestamp_format, depth + 1));
          value = std::move(content);
        }
        return {};
      }));
      object.set(key, std::move(value));
    }
    return json::Value(std::move(object));
  }

  Protocol protocol_;
};

class Writer {
 public:
  Writer(std::string& out, Protocol protocol) : out_(out), ec2_(protocol == Protocol::Ec2) {}

  void structure(const json::Value& value, const Shape& shape, const std::string& prefix) {
    if (!value.is_object()) return;
    for (const json::Member& entry : value.as_object()) {
      const Member* member = shape.find(entry.key);
      if (member == nullptr || entry.value.is_null()) continue;
      const std::string_view name = ec2_ ? member->query_name : member->wire_name;
      const std::string key = prefix.empty() ? std::string(name) : prefix + "." + std::string(name);
      write(entry.value, *member->shape, member->timestamp_format, key, member->flattened);
    }
  }

 private:
  void write(const json::Value& value, const Shape& shape, TimestampFormat format, const std::string& key,
             bool flattened) {
    switch (shape.type) {
      case ShapeType::Structure: structure(value, shape, key); return;
      case ShapeType::List: list(value, shape, key, flattened); return;
      case ShapeType::Map: map(value, shape, key, flattened); return;
      default: pair(key, scalar_text(value, shape.type, format_of(format, TimestampFormat::Iso8601))); return;
    }
  }

  void list(const json::Value& value, const Shape& shape, const std::string& key, bool flattened) {
    if (!value.is_array()) return;
    if (value.as_array().empty()) {
      if (!ec2_) pair(key, "");
      return;
    }
    std::string prefix = key + ".";
    if (!flattened && !ec2_)
      prefix += std::string(shape.element.wire_name.empty() ? "member" : shape.element.wire_name) + ".";
    std::size_t index = 0;
    for (const json::Value& item : value.as_array())
      write(item, *shape.element.shape, shape.element.timestamp_format, prefix + std::to_string(++index),
            shape.element.flattened);
  }

  void map(const json::Value& value, const Shape& shape, const std::string& key, bool flattened) {
    if (!value.is_object()) return;
    const std::string prefix = key + (flattened ? "." : ".entry.");
    std::size_t index = 0;
    for (const json::Member& entry : value.as_object()) {
      const std::string place = prefix + std::to_string(++index) + ".";
      pair(place + std::string(shape.key.wire_name.empty() ? "key" : shape.key.wire_name), entry.key);
      write(entry.value, *shape.element.shape, shape.element.timestamp_format,
            place + std::string(shape.element.wire_name.empty() ? "value" : shape.element.wire_name),
            shape.element.flattened);
    }
  }

  void pair(std::string_view key, std::string_view value) {
    out_ += '&';
    out_ += uri_encode(key);
    out_ += '=';
    out_ += uri_encode(value);
  }

  std::string& out_;
  bool ec2_;
};

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text, bool plus_is_space,
                                                                    std::size_t limit) {
  std::vector<Pair> pairs;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    if (pairs.size() == limit)
      return fail(
          errors::coded("MalformedQueryString", "There are more than " + std::to_string(limit) + " parameters", 400));
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string key = uri_decode(part.substr(0, equals), plus_is_space);
    std::string value = equals < part.size() ? uri_decode(part.substr(equals + 1), plus_is_space) : std::string();
    if (!is_valid_utf8(key) || !is_valid_utf8(value))
      return fail(errors::coded("MalformedQueryString", "A parameter is not valid UTF-8", 400));
    pairs.emplace_back(std::move(key), std::move(value));
  }
  return pairs;
}

std::string form_value(std::string_view form, std::string_view key) {
  while (!form.empty()) {
    const std::string_view part = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), part.size() + 1));
    if (part.size() > key.size() && part[key.size()] == '=' && part.starts_with(key))
      return uri_decode(part.substr(key.size() + 1), true);
  }
  return {};
}

Result<json::Value> read_query(std::string_view form, const Shape& shape, Protocol protocol) {
  FIXPOINT_TRY(pairs, parse_form(form, true));
  std::ranges::sort(pairs, before);
  return Reader(protocol).structure(pairs, 0, shape, 0);
}

void write_query(std::string& out, const json::Value& canonical, const Shape& shape, Protocol protocol) {
  Writer(out, protocol).structure(canonical, shape, {});
}

}  // namespace fixpoint::aws
