#include "aws/xml_body.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

// XML 1.0 has no way to write these at all, not even as a reference.
bool is_unwritable(unsigned char c) {
  return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

class Writer {
 public:
  Writer(std::string& out, Namespaces namespaces) : out_(out), namespaces_(namespaces) {}

  void members(const json::Value& value, const Shape& shape, BodyPart part) {
    if (!value.is_object()) return;
    for (const Member& member : shape.members) {
      if (member.xml_attribute || !is_in(part, member.location)) continue;
      const json::Value* content = value.find(member.name);
      if (content != nullptr && !content->is_null()) write_member(member, *content);
    }
  }

  void element(std::string_view name, const json::Value& value, const Shape& shape, const XmlNamespace& ns,
               TimestampFormat format, BodyPart part) {
    const std::string_view local = name;
    out_ += '<';
    out_ += local;
    // In responses of the query protocols a structure's own namespace says nothing, but one for attributes (xsi:type).
    const bool inherits = ns.uri.empty() && (namespaces_ == Namespaces::Rest || shape.type != ShapeType::Structure ||
                                             !shape.xml_namespace.prefix.empty());
    name_space(inherits ? shape.xml_namespace : ns);
    if (shape.type == ShapeType::Structure) attributes(value, shape);
    const std::size_t open = out_.size();
    out_ += '>';
    const std::size_t start = out_.size();
    content(value, shape, format, part);
    if (out_.size() == start) {
      out_.resize(open);
      out_ += "/>";
      return;
    }
    out_ += "</";
    out_ += local;
    out_ += '>';
  }

 private:
  void write_member(const Member& member, const json::Value& value) {
    const Shape& shape = *member.shape;
    const bool inherits = member.xml_namespace.uri.empty() && member.flattened && shape.type == ShapeType::Map;
    const XmlNamespace& ns = inherits ? shape.xml_namespace : member.xml_namespace;
    if (member.flattened && shape.type == ShapeType::List) {
      if (!value.is_array()) return;
      for (const json::Value& item : value.as_array())
        if (!item.is_null())
          element(member.wire_name, item, *shape.element.shape,
                  shape.element.xml_namespace.uri.empty() ? ns : shape.element.xml_namespace,
                  shape.element.timestamp_format, BodyPart::All);
      return;
    }
    if (member.flattened && shape.type == ShapeType::Map) {
      entries(member.wire_name, value, shape, ns);
      return;
    }
    element(member.wire_name, value, shape, ns, member.timestamp_format, BodyPart::All);
  }

  void content(const json::Value& value, const Shape& shape, TimestampFormat format, BodyPart part) {
    switch (shape.type) {
      case ShapeType::Structure: members(value, shape, part); return;
      case ShapeType::List:
        if (!value.is_array()) return;
        for (const json::Value& item : value.as_array())
          if (!item.is_null())
            element(shape.element.wire_name.empty() ? "member" : shape.element.wire_name, item, *shape.element.shape,
                    shape.element.xml_namespace, shape.element.timestamp_format, BodyPart::All);
        return;
      case ShapeType::Map: entries("entry", value, shape, {}); return;
      default: escape_xml_to(out_, scalar_text(value, shape.type, format_of(format, TimestampFormat::Iso8601))); return;
    }
  }

  void entries(std::string_view name, const json::Value& value, const Shape& shape, const XmlNamespace& ns) {
    if (!value.is_object()) return;
    for (const json::Member& entry : value.as_object()) {
      if (entry.value.is_null()) continue;
      out_ += '<';
      out_ += name;
      name_space(ns);
      out_ += '>';
      element(shape.key.wire_name.empty() ? "key" : shape.key.wire_name, entry.key, *shape.key.shape,
              shape.key.xml_namespace, shape.key.timestamp_format, BodyPart::All);
      element(shape.element.wire_name.empty() ? "value" : shape.element.wire_name, entry.value, *shape.element.shape,
              shape.element.xml_namespace, shape.element.timestamp_format, BodyPart::All);
      out_ += "</";
      out_ += name;
      out_ += '>';
    }
  }

  void name_space(const XmlNamespace& ns) {
    if (ns.uri.empty()) return;
    out_ += " xmlns";
    if (!ns.prefix.empty()) {
      out_ += ':';
      out_ += ns.prefix;
    }
    out_ += "=\"";
    escape_xml_to(out_, ns.uri, true);
    out_ += '"';
  }

  void attributes(const json::Value& value, const Shape& shape) {
    for (const Member& member : shape.members) {
      if (!member.xml_attribute) continue;
      const json::Value* content = value.find(member.name);
      if (content == nullptr || content->is_null()) continue;
      out_ += ' ';
      out_ += member.wire_name;
      out_ += "=\"";
      escape_xml_to(out_, scalar_text(*content, member.shape->type, member.timestamp_format), true);
      out_ += '"';
    }
  }

  std::string& out_;
  Namespaces namespaces_;
};

}  // namespace

void escape_xml_to(std::string& out, std::string_view text, bool attribute) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"':
        if (attribute)
          out += "&quot;";
        else
          out += c;
        break;
      // A parser turns a bare CR into LF, and in attributes line ends and tabs into blanks.
      case '\r': out += "&#13;"; break;
      case '\n':
        if (attribute)
          out += "&#10;";
        else
          out += c;
        break;
      case '\t':
        if (attribute)
          out += "&#9;";
        else
          out += c;
        break;
      default:
        // U+FFFE and U+FFFF, of which two bytes are there already.
        if ((c == '\xBE' || c == '\xBF') && out.ends_with("\xEF\xBF"))
          out.resize(out.size() - 2);
        else if (!is_unwritable(static_cast<unsigned char>(c)))
          out += c;
    }
  }
}

void write_xml_text(std::string& out, std::string_view name, std::string_view text) {
  out += '<';
  out += name;
  out += '>';
  escape_xml_to(out, text);
  out += "</";
  out += name;
  out += '>';
}

std::string_view payload_root(const Member& member) {
  // Models that were converted from Smithy's repeat the member's name, which is in lower case, where it says nothing.
  const bool repeats = member.wire_name == member.name && !member.name.empty() && member.name.front() >= 'a';
  if (member.has_wire_name && !repeats) return member.wire_name;
  return member.shape->location_name.empty() ? member.shape->name : member.shape->location_name;
}

void write_xml_members(std::string& out, const json::Value& canonical, const Shape& shape, BodyPart part,
                       Namespaces namespaces) {
  Writer(out, namespaces).members(canonical, shape, part);
}

void write_xml(std::string& out, std::string_view name, const json::Value& canonical, const Shape& shape,
               const XmlNamespace& ns, BodyPart part, Namespaces namespaces) {
  Writer(out, namespaces).element(name, canonical, shape, ns, shape.timestamp_format, part);
}

}  // namespace fixpoint::aws
