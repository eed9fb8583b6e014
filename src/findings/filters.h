#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::findings {

/// AwsSecurityFindingFilters, checked and ready to be asked. Immutable.
/// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFindingFilters.html
/// Filters on different fields are joined by AND. On one field EQUALS, PREFIX, CONTAINS, CONTAINS_WORD and every filter
/// of another kind than text are joined by OR, NOT_EQUALS, PREFIX_NOT_EQUALS and NOT_CONTAINS by AND, and the two
/// groups by AND.
class Filters {
 public:
  /// `filters` is the request's member, or null for none. Errors: InvalidInputException naming the filter (an unknown
  /// field, a comparison that the field does not take, more than 20 filters on a field, a time or range that is none).
  static Result<Filters> compile(const json::Value& filters, TimeMs now_ms);

  bool matches(const json::Value& finding) const;
  bool empty() const { return fields_.empty(); }

  /// For an index: the values that `field` has to equal one of, where the filters ask for nothing else on it; else
  /// empty.
  std::vector<std::string> equal_to_one_of(std::string_view field) const;

  struct Test {
    enum class Kind { Text, Number, Date, Ip, Map, Boolean } kind = Kind::Text;
    std::string comparison;
    std::string value;  // of text, map, keyword
    std::string key;    // of map
    double low = 0, high = 0;
    bool truth = false;
    std::string network;  // 4 or 16 bytes
    int bits = 0;
  };
  struct Field {
    std::string name;
    std::vector<std::string_view> path;  // members from the finding down; arrays on the way mean any element
    std::vector<Test> tests;
  };

 private:
  std::vector<Field> fields_;
};

}  // namespace fixpoint::findings
