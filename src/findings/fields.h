#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace fixpoint::findings {

/// What a filter of AwsSecurityFindingFilters asks about, and how the index holds it.
/// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFindingFilters.html
struct FieldRule {
  enum class Kind : std::uint8_t { Text, Number, Date, Ip, Map, Boolean, Keyword };
  /// Term and Name: each value has the set of the findings that have it; a term's value is had by many, a name's by
  /// few. Column: each finding has its number or time, side by side. None: the documents have to be read.
  enum class Index : std::uint8_t { None, Term, Name, Column };

  std::string_view name;
  Kind kind;
  std::string_view path;  ///< members from the finding down, dots between; arrays on the way mean any element
  Index index;
  std::uint8_t code;  ///< of the field in the database; never given to another
};

/// The index's own sets: all findings there are.
inline constexpr std::uint8_t all_findings_code = 1;
/// The findings that came as OCSF documents, and the metadata.uid that such a document brought along, held as names.
inline constexpr std::uint8_t ocsf_code = 30;
inline constexpr std::uint8_t ocsf_uid_code = 31;

std::span<const FieldRule> all_fields();
/// Whether the field of that code is held as names.
bool holds_names(std::uint8_t code);
/// Null where there is none of that name.
const FieldRule* find_field(std::string_view name);
/// The field's path, taken apart.
std::span<const std::string_view> path_of(const FieldRule& field);

/// Calls `each` with every value at the path, arrays taken apart; stops and gives true where it gives true.
template <class Each>
bool any_value_at(const json::Value& value, std::span<const std::string_view> path, const Each& each) {
  if (value.is_array()) {
    for (const json::Value& item : value.as_array())
      if (any_value_at(item, path, each)) return true;
    return false;
  }
  if (path.empty()) return each(value);
  const json::Value* next = value.find(path.front());
  return next != nullptr && any_value_at(*next, path.subspan(1), each);
}

}  // namespace fixpoint::findings
