#include "aws/rest_binding.h"

#include <algorithm>

#include "aws/query_form.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

bool is_s3(const Operation& operation) {
  return operation.service->name == "s3";
}

Error at_member(Error error, std::string_view member) {
  error.where = std::string(member) + (error.where.empty() ? "" : "." + error.where);
  return error;
}

// A text in a list of a header is quoted where it holds what separates texts.
std::string quoted_item(std::string text) {
  if (text.find_first_of("\",") == std::string::npos) return text;
  return '"' + replace_all(replace_all(std::move(text), "\\", "\\\\"), "\"", "\\\"") + '"';
}

std::string header_text(const json::Value& value, const Member& member) {
  const Shape& shape = *member.shape;
  if (member.json_value) return base64_encode(json::print(value));
  if (shape.type == ShapeType::List) {
    std::string text;
    if (!value.is_array()) return text;
    for (const json::Value& item : value.as_array()) {
      if (item.is_null()) continue;
      if (!text.empty()) text += ", ";
      std::string part = header_text(item, shape.element);
      text += shape.element.shape->type == ShapeType::String ? quoted_item(std::move(part)) : part;
    }
    return text;
  }
  return scalar_text(value, shape.type, format_of(member.timestamp_format, TimestampFormat::Rfc822));
}

// Takes a list of a header apart: texts may be quoted, HTTP dates hold a comma of their own.
Result<std::vector<std::string>> split_list(std::string_view text, const Member& element) {
  std::vector<std::string> items;
  const bool dates = element.shape->type == ShapeType::Timestamp &&
                     format_of(element.timestamp_format, TimestampFormat::Rfc822) == TimestampFormat::Rfc822;
  std::size_t at = 0;
  while (at <= text.size()) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    std::string item;
    if (at < text.size() && text[at] == '"' && element.shape->type == ShapeType::String) {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        item += text[at];
      }
      if (at == text.size()) return fail(errors::serialization("A quoted text of the list does not end"));
      ++at;
      while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
      if (at < text.size() && text[at] != ',')
        return fail(errors::serialization("After a quoted text of the list a comma has to come"));
    } else {
      std::size_t end = text.find(',', at);
      if (dates && end != std::string_view::npos) end = text.find(',', end + 1);
      end = std::min(end, text.size());
      item = trim(text.substr(at, end - at));
      at = end;
    }
    items.push_back(std::move(item));
    ++at;
  }
  return items;
}

Result<json::Value> header_value(std::string_view text, const Member& member, Reading reading) {
  const Shape& shape = *member.shape;
  if (member.json_value) {
    const auto bytes = base64_decode(text);
    if (!bytes) return fail(errors::serialization("The header is not base64"));
    return json::parse(*bytes);
  }
  if (shape.type == ShapeType::List) {
    json::Array items;
    if (text.empty()) return json::Value(std::move(items));
    FIXPOINT_TRY(texts, split_list(text, shape.element));
    for (const std::string& item : texts) {
      FIXPOINT_TRY(value, header_value(item, shape.element, reading));
      items.push_back(std::move(value));
    }
    return json::Value(std::move(items));
  }
  if (!is_valid_utf8(text)) return fail(errors::serialization("The header is not valid UTF-8"));
  return scalar_value(text, shape.type, format_of(member.timestamp_format, TimestampFormat::Rfc822), reading);
}

std::string query_text(const json::Value& value, const Member& member) {
  return scalar_text(value, member.shape->type, format_of(member.timestamp_format, TimestampFormat::Iso8601));
}

void append_query(std::string& target, char& separator, std::string_view key, std::string_view value) {
  target += separator;
  separator = '&';
  target += uri_encode(key);
  target += '=';
  target += uri_encode(value);
}

Result<json::Value> query_value(std::string_view text, const Member& member) {
  return scalar_value(text, member.shape->type, format_of(member.timestamp_format, TimestampFormat::Iso8601),
                      Reading::Strict);
}

}  // namespace

Result<std::string> write_target(const Operation& operation, const json::Value& input) {
  std::string target;
  for (const UriTemplate::Segment& segment : operation.uri.segments) {
    target += '/';
    if (!segment.label) {
      target += segment.text;
      continue;
    }
    const json::Value& value = input[segment.member->name];
    const std::string text = value.is_null() ? std::string() : query_text(value, *segment.member);
    if (text.empty())
      return fail(errors::validation("The parameter '" + std::string(segment.member->name) +
                                         "' is part of the request's path and must not be empty",
                                     std::string(segment.member->name)));
    target += uri_encode(text, segment.greedy);
  }
  if (target.empty() || operation.uri.trailing_slash) target += '/';

  char separator = '?';
  for (const UriTemplate::FixedQuery& fixed : operation.uri.query) {
    target += separator;
    separator = '&';
    target += fixed.key;
    if (fixed.has_value) {
      target += '=';
      target += fixed.value;
    }
  }
  const Bindings* bindings = operation.input != nullptr ? operation.input->bindings.get() : nullptr;
  if (bindings == nullptr) return target;
  for (const Member* member : bindings->query) {
    const json::Value& value = input[member->name];
    if (value.is_null()) continue;
    if (member->shape->type == ShapeType::List) {
      if (!value.is_array()) continue;
      for (const json::Value& item : value.as_array())
        if (!item.is_null())
          append_query(target, separator, member->wire_name, query_text(item, member->shape->element));
    } else {
      append_query(target, separator, member->wire_name, query_text(value, *member));
    }
  }
  if (bindings->query_map != nullptr && input[bindings->query_map->name].is_object()) {
    const Member& element = bindings->query_map->shape->element;
    for (const json::Member& entry : input[bindings->query_map->name].as_object()) {
      // A member that is bound to the same key by name comes first.
      const Member* named = bindings->find_query(entry.key);
      if (named != nullptr && !input[named->name].is_null()) continue;
      if (entry.value.is_array()) {
        for (const json::Value& item : entry.value.as_array())
          append_query(target, separator, entry.key, query_text(item, element.shape->element));
      } else if (!entry.value.is_null()) {
        append_query(target, separator, entry.key, query_text(entry.value, element));
      }
    }
  }
  return target;
}

void write_headers(Headers& headers, const Shape& shape, const json::Value& value) {
  if (!shape.bindings) return;
  for (const Member* member : shape.bindings->headers) {
    const json::Value& content = value[member->name];
    if (content.is_null()) continue;
    std::string text = header_text(content, *member);
    headers.set(member->wire_name, std::move(text));
  }
  for (const Member* member : shape.bindings->prefix_headers) {
    const json::Value& map = value[member->name];
    if (!map.is_object()) continue;
    for (const json::Member& entry : map.as_object())
      if (!entry.value.is_null())
        headers.set(std::string(member->wire_name) + entry.key, header_text(entry.value, member->shape->element));
  }
}

bool match_path(const UriTemplate& uri, std::string_view path, bool keep_empty, std::vector<std::string_view>* labels) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (!keep_empty && path.ends_with('/')) path.remove_suffix(1);
  const auto& segments = uri.segments;
  bool ended = path.empty();  // nothing is left, not even an empty segment
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (ended) return false;
    const UriTemplate::Segment& segment = segments[i];
    if (segment.label && segment.greedy) {
      // All but as many segments as the template has after it.
      std::size_t end = path.size();
      for (std::size_t after = segments.size() - 1; after > i; --after) {
        const std::size_t slash = path.substr(0, end).rfind('/');
        if (slash == std::string_view::npos || segments[after].label ||
            path.substr(slash + 1, end - slash - 1) != segments[after].text)
          return false;
        end = slash;
      }
      if (end == 0) return false;
      if (labels != nullptr) labels->push_back(path.substr(0, end));
      return true;
    }
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (segment.label) {
      if (part.empty()) return false;
      if (labels != nullptr) labels->push_back(part);
    } else if (part != segment.text) {
      return false;
    }
    ended = slash == std::string_view::npos;
    path.remove_prefix(ended ? path.size() : slash + 1);
    // "/bucket/" is the bucket, not an object without a name.
    if (keep_empty && path.empty()) ended = true;
  }
  return ended;
}

Result<void> read_target(json::Object& input, const Operation& operation, std::string_view path,
                         std::string_view query) {
  std::vector<std::string_view> labels;
  if (!match_path(operation.uri, path, is_s3(operation), &labels))
    return fail(errors::internal("The path '" + std::string(path) + "' is not that of " + std::string(operation.name)));
  std::size_t at = 0;
  for (const UriTemplate::Segment& segment : operation.uri.segments) {
    if (!segment.label) continue;
    const std::string text = uri_decode(labels[at++]);
    if (!is_valid_utf8(text))
      return fail(errors::serialization("The path is not valid UTF-8", std::string(segment.member->name)));
    auto value = query_value(text, *segment.member);
    if (!value) return fail(at_member(std::move(value.error()), segment.member->name));
    input.set(segment.member->name, std::move(*value));
  }
  const Bindings* bindings = operation.input != nullptr ? operation.input->bindings.get() : nullptr;
  if (bindings == nullptr || query.empty() || (bindings->query.empty() && bindings->query_map == nullptr)) return {};
  FIXPOINT_TRY(pairs, parse_form(query, true));
  for (auto& [key, text] : pairs) {
    const Member* member = bindings->find_query(key);
    if (member != nullptr) {
      const bool list = member->shape->type == ShapeType::List;
      auto value = query_value(text, list ? member->shape->element : *member);
      if (!value && is_s3(operation) && is_integer(member->shape->type))
        return fail(
            errors::coded("InvalidArgument", "Provided " + key + " not an integer or within integer range", 400));
      if (!value) return fail(at_member(std::move(value.error()), member->name));
      if (list)
        input[member->name].push_back(std::move(*value));
      else
        input.set(member->name, std::move(*value));
      continue;
    }
    if (bindings->query_map == nullptr) continue;
    const bool fixed = std::ranges::any_of(operation.uri.query, [&](const auto& f) { return f.key == key; });
    if (fixed || key.starts_with("X-Amz-")) continue;
    json::Value& map = input[bindings->query_map->name];
    if (map.is_null()) map = json::Object();
    if (bindings->query_map->shape->element.shape->type == ShapeType::List)
      map.as_object()[key].push_back(std::move(text));
    else
      map.as_object().set(key, std::move(text));
  }
  return {};
}

Result<void> read_headers(json::Object& value, const Shape& shape, const Headers& headers, Reading reading,
                          BodyPart part) {
  if (!shape.bindings) return {};
  for (const Member* member : shape.bindings->headers) {
    const std::string* text = headers.find(member->wire_name);
    if (text == nullptr) continue;
    auto content = header_value(*text, *member, reading);
    if (!content) return fail(at_member(std::move(content.error()), member->name));
    value.set(member->name, std::move(*content));
  }
  for (const Member* member : shape.bindings->prefix_headers) {
    json::Object map;
    const std::string_view prefix = member->wire_name;
    for (const auto& [name, text] : headers)
      if (equals_ignore_case(std::string_view(name).substr(0, prefix.size()), prefix))
        map.set(std::string_view(name).substr(prefix.size()), text);
    if (!map.empty() || part == BodyPart::Response) value.set(member->name, std::move(map));
  }
  return {};
}

}  // namespace fixpoint::aws
