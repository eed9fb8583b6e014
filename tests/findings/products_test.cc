#include "findings/products.h"

#include <gtest/gtest.h>

#include "findings/asff.h"
#include "json/text.h"
#include "sample.h"

namespace fixpoint::findings {
namespace {

using json::Value;

Value filled(const std::string& product_arn, Value more = json::Object()) {
  Value finding = sample();
  finding.as_object().erase("ProductFields");
  finding.set("ProductArn", product_arn);
  for (const auto& member : more.as_object()) finding.set(member.key, member.value);
  fill_product(finding);
  return finding;
}

std::string names_of(const Value& finding) {
  const Value& fields = finding["ProductFields"];
  return json::print(json::Array{finding["ProductName"], finding["CompanyName"], fields["aws/securityhub/ProductName"],
                                 fields["aws/securityhub/CompanyName"]});
}

// The names are those of findings that Security Hub answered: an account's own product, its checks, Inspector's.
TEST(Products, a_finding_gets_the_names_of_its_product) {
  const Value own = filled("arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default");
  EXPECT_EQ(names_of(own), R"(["Default","Personal","Default","Personal"])");
  EXPECT_EQ(own["ProductFields"]["aws/securityhub/FindingId"],
            Value("arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default/finding-1"));
  EXPECT_EQ(names_of(filled("arn:aws:securityhub:us-east-1::product/aws/securityhub")),
            R"(["Security Hub","AWS","Security Hub","AWS"])");
  EXPECT_EQ(names_of(filled("arn:aws-cn:securityhub:cn-north-1::product/aws/inspector")),
            R"(["Inspector","Amazon","Inspector","Amazon"])");
  EXPECT_EQ(names_of(filled("arn:aws:securityhub:us-east-1::product/prowler/prowler")),
            R"(["Prowler","Prowler","Prowler","Prowler"])");
}

TEST(Products, what_a_finding_says_itself_stays) {
  const std::string own = "arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default";
  EXPECT_EQ(names_of(filled(own, json::Object{{"ProductName", "Scanner"}})),
            R"(["Scanner","Personal","Scanner","Personal"])");
  EXPECT_EQ(names_of(filled(own, json::Object{{"ProductFields", json::Object{{"aws/securityhub/CompanyName", "Acme"},
                                                                             {"team", "red"}}}})),
            R"(["Default","Acme","Default","Acme"])");
  const Value both = filled(own, json::Object{{"ProductName", "Top"},
                                              {"ProductFields", json::Object{{"aws/securityhub/ProductName", "Below"},
                                                                             {"aws/securityhub/FindingId", "mine"}}}});
  EXPECT_EQ(names_of(both), R"(["Top","Personal","Below","Personal"])");
  EXPECT_EQ(both["ProductFields"]["aws/securityhub/FindingId"], Value("mine"));
}

TEST(Products, a_product_that_is_not_known_gets_no_name) {
  for (const char* path : {"111111111111/other", "11111111111x/default", "aws/guarddut", "aws/guarddutyy", "default"}) {
    const Value finding = filled(std::string("arn:aws:securityhub:us-east-1::product/") + path);
    EXPECT_EQ(names_of(finding), "[null,null,null,null]") << path;
    EXPECT_EQ(finding["ProductFields"]["aws/securityhub/FindingId"],
              Value(std::string("arn:aws:securityhub:us-east-1::product/") + path + "/finding-1"));
  }
}

TEST(Products, every_product_is_found_by_its_arn) {
  for (const Product& product : products())
    EXPECT_EQ(product_of("arn:aws:securityhub:us-east-1::product/" + std::string(product.path)), &product)
        << product.path;
}

TEST(Products, fields_that_were_added_are_not_counted) {
  Value finding = sample();
  json::Object fields;
  for (int i = 0; i < 50; ++i) fields.set("field-" + std::to_string(i), "v");
  finding.set("ProductFields", fields);
  ASSERT_TRUE(validate_asff(finding));
  fill_product(finding);
  EXPECT_EQ(finding["ProductFields"].size(), 53U);
  EXPECT_TRUE(validate_asff(finding)) << "an export comes back";
  finding.at_or_make("ProductFields").set("one-more", "v");
  EXPECT_FALSE(validate_asff(finding));
}

}  // namespace
}  // namespace fixpoint::findings
