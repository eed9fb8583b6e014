#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "aws/scalar.h"
#include "base/error.h"
#include "json/value.h"

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

namespace fixpoint::aws {

/// What an XML document of the wire may be.
struct XmlLimits {
  std::size_t bytes = 8UL * 1024 * 1024;
  std::size_t depth = 100;  ///< elements within each other
};
inline constexpr XmlLimits response_xml_limits{.bytes = 64UL * 1024 * 1024, .depth = 100};

/// A parsed document. Entities other than XML's own five are never expanded.
class XmlDocument {
 public:
  /// Errors, code MalformedXML: not well-formed, no valid UTF-8, a document type declaration, beyond the limits.
  static Result<XmlDocument> parse(std::string_view text, XmlLimits limits = {});
  ~XmlDocument();
  XmlDocument(XmlDocument&&) noexcept;
  XmlDocument& operator=(XmlDocument&&) noexcept;

  pugi::xml_node root() const;

 private:
  XmlDocument();
  std::unique_ptr<pugi::xml_document> document_;
};

/// The part of an element's or attribute's name that follows its prefix.
std::string_view local_name(std::string_view name);
/// The first child element of that local name; a null node where there is none.
pugi::xml_node find_element(const pugi::xml_node& parent, std::string_view name);
/// All text of an element.
std::string element_text(const pugi::xml_node& element);

/// The canonical JSON of an element. Names come with or without a prefix; elements that the model does not know are
/// left out. `part` leaves members that are bound to header or URI alone. `wire_default` is the format of
/// timestamps without one. Error: MalformedXML with the place in `where`.
Result<json::Value> read_xml(const pugi::xml_node& element, const Shape& shape, Reading reading,
                             BodyPart part = BodyPart::All);

/// Whether the namespace that a structure's shape has by itself is written.
enum class Namespaces : std::uint8_t { Rest, Query };

/// Writes the members of a structure as elements, without an element around them.
void write_xml_members(std::string& out, const json::Value& canonical, const Shape& shape,
                       BodyPart part = BodyPart::All, Namespaces namespaces = Namespaces::Rest);
/// Writes one element `name`, with the namespace `ns` where it has one.
void write_xml(std::string& out, std::string_view name, const json::Value& canonical, const Shape& shape,
               const XmlNamespace& ns, BodyPart part = BodyPart::All, Namespaces namespaces = Namespaces::Rest);

void escape_xml_to(std::string& out, std::string_view text, bool attribute = false);
/// `<name>text</name>`
void write_xml_text(std::string& out, std::string_view name, std::string_view text);
/// The name of the root element of a payload: the member's, else the shape's.
std::string_view payload_root(const Member& member);

}  // namespace fixpoint::aws
