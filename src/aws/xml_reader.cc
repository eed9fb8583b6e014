#include <charconv>
#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "aws/xml_body.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

Error malformed(std::string message, std::string where = {}) {
  Error error = errors::coded("MalformedXML", std::move(message), 400);
  error.where = std::move(where);
  return error;
}

// Elements within each other, counted on the text so that no parser's stack depends on it.
bool deeper_than(const pugi::xml_document& document, std::size_t limit) {
  pugi::xml_node node = document.first_child();
  std::size_t depth = 1;
  while (node) {
    if (depth > limit) return true;
    if (node.first_child()) {
      node = node.first_child();
      ++depth;
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
      if (node.type() == pugi::node_document) return false;
    }
    node = node.next_sibling();
  }
  return false;
}

std::string joined(std::string_view outer, std::string_view inner) {
  if (outer.empty()) return std::string(inner);
  if (inner.empty()) return std::string(outer);
  return std::string(outer) + "." + std::string(inner);
}

class Reader {
 public:
  explicit Reader(Reading reading) : reading_(reading) {}

  Result<json::Value> read(const pugi::xml_node& element, const Shape& shape, TimestampFormat format) {
    switch (shape.type) {
      case ShapeType::Structure: return structure(element, shape, BodyPart::All);
      case ShapeType::List: return list(element, shape);
      case ShapeType::Map: return map(element, shape);
      default: return scalar(element_text(element), shape, format);
    }
  }

  Result<json::Value> structure(const pugi::xml_node& element, const Shape& shape, BodyPart part) {
    json::Object object;
    for (const pugi::xml_node& child : element.children()) {
      if (child.type() != pugi::node_element) continue;
      const Member* member = shape.find_wire(local_name(child.name()));
      if (member == nullptr || member->xml_attribute || !is_in(part, member->location)) continue;
      auto done = take(object, child, *member);
      if (!done) {
        done.error().where = joined(member->name, done.error().where);
        return fail(std::move(done.error()));
      }
    }
    for (const pugi::xml_attribute& attribute : element.attributes()) {
      const Member* member = shape.find_wire(attribute.name());
      if (member == nullptr) member = shape.find_wire(local_name(attribute.name()));
      if (member == nullptr || !member->xml_attribute) continue;
      FIXPOINT_TRY(value, scalar(attribute.value(), *member->shape, member->timestamp_format));
      object.set(member->name, std::move(value));
    }
    return json::Value(std::move(object));
  }

 private:
  Result<void> take(json::Object& object, const pugi::xml_node& child, const Member& member) {
    const Shape& shape = *member.shape;
    if (member.flattened && shape.type == ShapeType::List) {
      FIXPOINT_TRY(value, read(child, *shape.element.shape, shape.element.timestamp_format));
      object[member.name].push_back(std::move(value));
      return {};
    }
    if (member.flattened && shape.type == ShapeType::Map) {
      json::Value& into = object[member.name];
      if (into.is_null()) into = json::Object();
      return entry(into.as_object(), child, shape);
    }
    FIXPOINT_TRY(value, read(child, shape, member.timestamp_format));
    object.set(member.name, std::move(value));
    return {};
  }

  Result<json::Value> list(const pugi::xml_node& element, const Shape& shape) {
    json::Array items;
    for (const pugi::xml_node& child : element.children()) {
      if (child.type() != pugi::node_element) continue;
      auto value = read(child, *shape.element.shape, shape.element.timestamp_format);
      if (!value) {
        value.error().where = joined("[" + std::to_string(items.size()) + "]", value.error().where);
        return value;
      }
      items.push_back(std::move(*value));
    }
    return json::Value(std::move(items));
  }

  Result<json::Value> map(const pugi::xml_node& element, const Shape& shape) {
    json::Object object;
    for (const pugi::xml_node& child : element.children())
      if (child.type() == pugi::node_element) FIXPOINT_CHECK(entry(object, child, shape));
    return json::Value(std::move(object));
  }

  Result<void> entry(json::Object& object, const pugi::xml_node& element, const Shape& shape) {
    const std::string_view key_name = shape.key.wire_name.empty() ? "key" : shape.key.wire_name;
    const std::string_view value_name = shape.element.wire_name.empty() ? "value" : shape.element.wire_name;
    const pugi::xml_node key = find_element(element, key_name);
    if (!key) return fail(malformed("An entry of a map lacks its <" + std::string(key_name) + ">"));
    const pugi::xml_node value = find_element(element, value_name);
    if (!value) return {};
    std::string name = element_text(key);
    FIXPOINT_TRY(content, read(value, *shape.element.shape, shape.element.timestamp_format));
    object.set(name, std::move(content));
    return {};
  }

  Result<json::Value> scalar(std::string_view text, const Shape& shape, TimestampFormat format) {
    if (reading_ == Reading::Lenient && text.empty() && shape.type != ShapeType::String &&
        shape.type != ShapeType::Blob)
      return json::Value();
    // Blanks around numbers, booleans and times are layout.
    auto value = scalar_value(shape.type == ShapeType::String ? text : trim(text), shape.type,
                              format_of(format, TimestampFormat::Iso8601), reading_);
    if (!value) return fail(malformed(std::move(value.error().message)));
    return value;
  }

  Reading reading_;
};

// What https://www.w3.org/TR/xml/#NT-Char lets a document hold, given as a reference.
bool is_char(std::uint32_t c) {
  return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

// The reference that begins at '&': its length, 0 where it is none that XML has without a document type declaration.
std::size_t reference_length(std::string_view text) {
  const std::size_t end = text.substr(0, 16).find(';');
  if (end == std::string_view::npos) return 0;
  const std::string_view name = text.substr(1, end - 1);
  for (const std::string_view known : {"amp", "lt", "gt", "quot", "apos"})
    if (name == known) return end + 1;
  const bool is_hex = name.starts_with("#x");
  if (!is_hex && !name.starts_with("#")) return 0;
  const std::string_view digits = name.substr(is_hex ? 2 : 1);
  std::uint32_t value = 0;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || last != digits.data() + digits.size() || !is_char(value)) return 0;
  return end + 1;
}

// What pugixml lets pass: characters that no document may hold, and references to nothing, at which it would cut a text
// off or keep it as it stands. The offset and what is wrong there; nothing where all is well.
std::optional<std::pair<std::size_t, const char*>> unlawful(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') return {{at, "a control character"}};
    // U+FFFE and U+FFFF
    if (byte == 0xEF && (text.substr(at, 3) == "\xEF\xBF\xBE" || text.substr(at, 3) == "\xEF\xBF\xBF"))
      return {{at, "a code point that is no character"}};
    if (byte == '&') {
      if (reference_length(text.substr(at)) == 0) return {{at, "'&' that begins no reference"}};
    } else if (byte == '<') {
      // In these, '&' stands for itself.
      for (const auto& [opening, closing] :
           {std::pair<std::string_view, std::string_view>{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}}) {
        if (text.substr(at, opening.size()) != opening) continue;
        const std::size_t end = text.find(closing, at + opening.size());
        if (end == std::string_view::npos) return {};  // the parser says so
        for (std::size_t inside = at; inside < end; ++inside) {
          const auto within = static_cast<unsigned char>(text[inside]);
          if (within < 0x20 && within != '\t' && within != '\n' && within != '\r')
            return {{inside, "a control character"}};
        }
        at = end + closing.size() - 1;
        break;
      }
    }
  }
  return {};
}

}  // namespace

XmlDocument::XmlDocument() : document_(std::make_unique<pugi::xml_document>()) {}
XmlDocument::~XmlDocument() = default;
XmlDocument::XmlDocument(XmlDocument&&) noexcept = default;
XmlDocument& XmlDocument::operator=(XmlDocument&&) noexcept = default;

Result<XmlDocument> XmlDocument::parse(std::string_view text, XmlLimits limits) {
  if (text.size() > limits.bytes)
    return fail(malformed("The XML document is longer than " + std::to_string(limits.bytes) + " bytes"));
  if (!is_valid_utf8(text)) return fail(malformed("The XML document is not valid UTF-8"));
  if (const auto wrong = unlawful(text))
    return fail(malformed(std::string("The XML document is not well-formed: there is ") + wrong->second,
                          "byte " + std::to_string(wrong->first)));
  XmlDocument parsed;
  const auto result = parsed.document_->load_buffer(
      text.data(), text.size(),
      pugi::parse_default | pugi::parse_doctype | pugi::parse_ws_pcdata_single | pugi::parse_fragment,
      pugi::encoding_utf8);
  if (!result)
    return fail(malformed(std::string("The XML document is not well-formed: ") + result.description(),
                          "byte " + std::to_string(result.offset)));
  std::size_t roots = 0;
  for (const pugi::xml_node& child : parsed.document_->children()) {
    if (child.type() == pugi::node_doctype) return fail(malformed("A document type declaration is not allowed"));
    const bool is_text = child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata;
    if (child.type() == pugi::node_element) ++roots;
    if (roots > 1 || (is_text && !trim(child.value()).empty()))
      return fail(malformed("The XML document is not well-formed: there is more than its one element"));
  }
  if (!parsed.document_->document_element()) return fail(malformed("The XML document has no element"));
  if (deeper_than(*parsed.document_, limits.depth + 1))
    return fail(malformed("The XML document is nested deeper than " + std::to_string(limits.depth) + " elements"));
  return parsed;
}

pugi::xml_node XmlDocument::root() const {
  return document_->document_element();
}

std::string_view local_name(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node find_element(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children())
    if (child.type() == pugi::node_element && local_name(child.name()) == name) return child;
  return {};
}

std::string element_text(const pugi::xml_node& element) {
  const pugi::xml_node first = element.first_child();
  if (first && !first.next_sibling()) return first.value();
  std::string text;
  for (const pugi::xml_node& child : element.children())
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
  return text;
}

Result<json::Value> read_xml(const pugi::xml_node& element, const Shape& shape, Reading reading, BodyPart part) {
  Reader reader(reading);
  if (shape.type == ShapeType::Structure) return reader.structure(element, shape, part);
  return reader.read(element, shape, shape.timestamp_format);
}

}  // namespace fixpoint::aws
