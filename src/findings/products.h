#pragma once

#include <array>
#include <span>
#include <string_view>

#include "json/value.h"

namespace fixpoint::findings {

/// A product whose findings come in, as Security Hub names it.
struct Product {
  std::string_view path;  ///< "aws/guardduty": what a ProductArn has behind ":product/"
  std::string_view name;
  std::string_view company;
  std::string_view description;
};

/// By their path.
std::span<const Product> products();

/// Null for one that is not known here. An account's own product is `ACCOUNT/default`, Default of Personal.
const Product* product_of(std::string_view product_arn);

/// What Security Hub adds to ProductFields; not counted among those that a finding may have.
inline constexpr std::array<std::string_view, 3> own_product_fields{
    "aws/securityhub/ProductName", "aws/securityhub/CompanyName", "aws/securityhub/FindingId"};

/// Fills in ProductName, CompanyName and these product fields. What the finding says itself stays, and a name that it
/// says at one place alone is taken for the other; a product that is not known here gets no name.
/// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-top-level-attributes.html#asff-productname
void fill_product(json::Value& finding);

}  // namespace fixpoint::findings
