#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "findings/fields.h"
#include "json/value.h"

namespace fixpoint::findings {

/// AwsSecurityFindingFilters, checked and ready to be asked. Immutable.
///
/// Filters on different fields are joined by AND. On one field EQUALS, PREFIX, CONTAINS, CONTAINS_WORD and every filter
/// of another kind than text are joined by OR; NOT_EQUALS, PREFIX_NOT_EQUALS and NOT_CONTAINS by AND; and the two
/// groups by AND. https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_StringFilter.html and API_MapFilter.html
class Filters {
 public:
  static constexpr std::size_t most_fields = 10;  ///< API_GetFindings: "up to 10 finding attributes"
  static constexpr std::size_t most_values = 20;  ///< "for each attribute, up to 20 filter values"

  enum class Comparison : std::uint8_t {
    Equals,
    Prefix,
    Contains,
    ContainsWord,
    NotEquals,
    PrefixNotEquals,
    NotContains
  };

  struct Test {
    Comparison comparison = Comparison::Equals;  // of text, map
    std::string value;                           // of text, map, keyword
    std::string key;                             // of map
    double low = 0, high = 0;                    // of numbers; of dates in milliseconds; both ends belong to it
    bool truth = false;
    std::string network;  // 4 or 16 bytes
    int bits = 0;

    bool is_negative() const { return comparison >= Comparison::NotEquals; }
    /// Whether a text is what the comparison names, its NOT left aside.
    bool holds(std::string_view text) const;
    /// Whether one value of a field of that kind is what the test asks for, its NOT left aside.
    bool fits(FieldRule::Kind kind, const json::Value& value) const;
  };
  struct Field {
    const FieldRule* rule = nullptr;
    std::vector<Test> tests;
    bool matches(const json::Value& finding) const;
  };

  /// `filters` is the request's member, or null for none. Errors: InvalidInputException naming the filter: an unknown
  /// field, more fields or values than AWS takes, a comparison that the field does not take or that AWS lets nobody
  /// join with another of the same field, a time, range, block or number that is none.
  static Result<Filters> compile(const json::Value& filters, TimeMs now_ms);

  /// One filter of a field of that kind; `where` is its path below Filters. Error: InvalidInputException.
  static Result<Test> compile_test(FieldRule::Kind kind, const std::string& where, const json::Value& filter,
                                   TimeMs now_ms);

  bool matches(const json::Value& finding) const;
  bool empty() const { return fields_.empty(); }
  /// Whether a DateRange counts from the time of compile: who keeps such filters compiles them anew to ask them later.
  bool is_of_a_time() const { return of_a_time_; }
  /// The same for equal requests, whatever the order of their members: what a page's token is bound to.
  const std::string& asked() const { return asked_; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
  std::string asked_;
  bool of_a_time_ = false;
};

}  // namespace fixpoint::findings
