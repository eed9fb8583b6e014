#include "aws/validate.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "aws/models.h"
#include "json/text.h"
#include "support/paths.h"

namespace fixpoint::aws {
namespace {

constexpr std::string_view model = R"({
  "metadata": {"protocol": "PROTOCOL", "apiVersion": "2020-01-01", "endpointPrefix": "tiny", "serviceId": "Tiny", "jsonVersion": "1.1"},
  "operations": {"Put": {"name": "Put", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "In"}}},
  "shapes": {
    "In": {"type": "structure", "required": ["Name"], "members": {
      "Name": {"shape": "Name"}, "Color": {"shape": "Color"}, "Size": {"shape": "Size"}, "Names": {"shape": "Names"},
      "Tags": {"shape": "Tags"}, "Data": {"shape": "Data"}, "Secret": {"shape": "Secret"}, "Either": {"shape": "Either"},
      "Inner": {"shape": "In"}, "On": {"shape": "Flag"}, "When": {"shape": "When"}, "Ratio": {"shape": "Ratio"}}},
    "Name": {"type": "string", "min": 2, "max": 5, "pattern": "[a-zé]+"},
    "Color": {"type": "string", "enum": ["RED", "BLUE"]},
    "Size": {"type": "integer", "min": 1, "max": 9},
    "Names": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Tags": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Color"}},
    "Data": {"type": "blob", "max": 3},
    "Secret": {"type": "string", "min": 8, "sensitive": true},
    "Either": {"type": "structure", "union": true, "members": {"A": {"shape": "Size"}, "B": {"shape": "Size"}}},
    "Flag": {"type": "boolean"}, "When": {"type": "timestamp"}, "Ratio": {"type": "double", "max": 1.5}
  }
})";

Result<void> check(std::string_view input, std::string protocol = "json") {
  std::string text(model);
  text.replace(text.find("PROTOCOL"), 8, protocol);
  const auto service = Service::from_botocore("tiny", json::parse(text).value(), nullptr, nullptr).value();
  return validate(*service->find_operation("Put"), json::parse(input).value());
}

std::string said(std::string_view input, std::string protocol = "json") {
  const auto result = check(input, std::move(protocol));
  return result ? "right" : result.error().code + ": " + result.error().message;
}

TEST(validate, takes_what_the_model_allows) {
  EXPECT_EQ(said(R"({"Name":"abé","Color":"RED","Size":9,"Names":["ab"],"Tags":{"ab":"BLUE"},"Data":"AAAA",
    "Secret":"12345678","Either":{"A":1},"Inner":{"Name":"ab"},"On":true,"When":1.5,"Ratio":"NaN","Unknown":{}})"),
            "right");
  EXPECT_EQ(said(R"({"Name":"ab","When":"2024-01-02T03:04:05Z","Color":null})"), "right");
}

TEST(validate, names_every_constraint_that_is_not_met) {
  EXPECT_EQ(
      said(R"({"Color":"GREEN"})"),
      "ValidationException: 2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member "
      "must not be null; Value 'GREEN' at 'color' failed to satisfy constraint: Member must satisfy enum value set: "
      "[RED, BLUE]");
  EXPECT_EQ(
      said(R"({"Name":"ab","Size":10})"),
      "ValidationException: 1 validation error detected: Value '10' at 'size' failed to satisfy constraint: Member "
      "must have value less than or equal to 9");
  EXPECT_EQ(
      said(R"({"Name":"AB"})"),
      "ValidationException: 1 validation error detected: Value 'AB' at 'name' failed to satisfy constraint: Member "
      "must satisfy regular expression pattern: [a-zé]+");
}

struct Bad {
  std::string_view input, part;
};

TEST(validate, says_where_and_what) {
  for (const Bad& bad : {
           Bad{R"({"Name":"a"})", "Member must have length greater than or equal to 2"},
           Bad{R"({"Name":"éééééé"})", "Member must have length less than or equal to 5"},
           Bad{R"({"Name":"ab","Names":["ab","ab","ab"]})", "Value at 'names' failed"},
           Bad{R"({"Name":"ab","Names":["ab","a"]})", "Value 'a' at 'names.2.member' failed"},
           Bad{R"({"Name":"ab","Tags":{"ab":"X"}})", "Value 'X' at 'tags.ab.member' failed"},
           Bad{R"({"Name":"ab","Data":"AAAAAAA="})", "Value at 'data' failed"},
           Bad{R"({"Name":"ab","Inner":{"Inner":{}}})", "2 validation errors detected: Value null at 'inner.name'"},
           Bad{R"({"Name":"ab","Either":{}})", "exactly one member"},
           Bad{R"({"Name":"ab","Either":{"A":1,"B":2}})", "exactly one member"},
           Bad{R"({"Name":"ab","Ratio":1.75})", "less than or equal to 1.5"},
           Bad{R"({"Name":7})", "SerializationException: The value at 'name' must be a string, not a number"},
           Bad{R"({"Name":"ab","Size":2147483648})", "an integer from -2147483648 to 2147483647"},
           Bad{R"({"Name":"ab","Size":1.5})", "must be an integer"},
           Bad{R"({"Name":"ab","On":"true"})", "must be a boolean"},
           Bad{R"({"Name":"ab","Data":"***"})", "must be base64 text"},
           Bad{R"({"Name":"ab","When":"soon"})", "SerializationException"},
           Bad{R"([])", "The input must be an object"},
       })
    EXPECT_NE(said(bad.input).find(bad.part), std::string::npos) << bad.input << " " << said(bad.input);
}

TEST(validate, keeps_secrets_and_long_values_out_of_its_messages) {
  EXPECT_EQ(said(R"({"Name":"ab","Secret":"hunter2"})").find("hunter2"), std::string::npos);
  EXPECT_LT(said(R"({"Name":")" + std::string(5000, 'A') + "\"}").size(), 600U);
}

TEST(validate, refuses_what_is_nested_too_deep) {
  // Built rather than parsed: the parser has a bound of its own.
  json::Value input = json::Object{{"Name", "ab"}};
  for (int i = 0; i < 200; ++i) input = json::Object{{"Name", "ab"}, {"Inner", std::move(input)}};
  std::string text(model);
  text.replace(text.find("PROTOCOL"), 8, "json");
  const auto service = Service::from_botocore("tiny", json::parse(text).value(), nullptr, nullptr).value();
  const auto result = validate(*service->find_operation("Put"), input);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "The input is nested deeper than 128 levels");
}

TEST(validate, speaks_as_the_family_of_the_service_does) {
  EXPECT_EQ(said("{}", "ec2"), "MissingParameter: The request must contain the parameter Name");
  EXPECT_EQ(said(R"({"Name":"a"})", "ec2"), "right");
  EXPECT_EQ(said("{}", "query").substr(0, 15), "ValidationError");
  EXPECT_EQ(said("{}", "rest-xml").substr(0, 14), "InvalidRequest");
  EXPECT_EQ(said(R"({"Name":"ab","Inner":{}})", "rest-xml").substr(0, 13), "MalformedXML:");
  EXPECT_NE(said(R"({"Name":"ab","Inner":{}})", "rest-xml").find("'Inner.Name'"), std::string::npos);
  EXPECT_EQ(said(R"({"Name":"A","Color":"GREEN"})", "rest-xml"), "right");
}

TEST(validate, knows_security_hub_s_code) {
  const auto models = Models::open({}).value();
  const auto& hub = *models->get("securityhub").value();
  const auto result = validate(*hub.find_operation("BatchUpdateFindings"), json::Object{});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "InvalidInputException");
  EXPECT_EQ(result.error().where, "findingIdentifiers");
}

TEST(validate, answers_each_case_of_the_data) {
  std::ifstream file(test::test_data("aws/data/validation_cases.json"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto data = json::parse(text).value();
  const auto service = Service::from_botocore("cases", data["model"], nullptr, nullptr).value();
  const auto& cases = data["cases"].as_array();
  ASSERT_GE(cases.size(), 20U);
  for (const json::Value& each : cases) {
    const auto result = validate(*service->find_operation("Put"), each["input"]);
    const std::string_view says = each["says"].string_or("");
    EXPECT_EQ(result.has_value(), says.empty()) << json::print(each);
    if (result) continue;
    EXPECT_EQ(result.error().code, "ValidationException");
    EXPECT_NE(result.error().message.find(says), std::string::npos) << result.error().message;
  }
}

std::string called_with(std::string_view input, std::string protocol = "json") {
  std::string text(model);
  text.replace(text.find("PROTOCOL"), 8, protocol);
  const auto service = Service::from_botocore("tiny", json::parse(text).value(), nullptr, nullptr).value();
  const auto result = validate_call(*service->find_operation("Put"), json::parse(input).value());
  return result ? "right" : result.error().code + ": " + result.error().message;
}

TEST(validate_call, leaves_values_to_the_service_that_may_know_more_than_the_model) {
  for (const char* protocol : {"json", "ec2", "query", "rest-xml", "rest-json"})
    EXPECT_EQ(called_with(R"({"Name":"much too long","Color":"GREEN","Size":99,"Secret":"s"})", protocol), "right")
        << protocol;
}

TEST(validate_call, refuses_what_would_not_be_sent_or_not_be_understood) {
  for (const char* protocol : {"json", "ec2", "query", "rest-xml", "rest-json"}) {
    EXPECT_EQ(called_with(R"({"Color":"RED"})", protocol),
              "ValidationException: Value null at 'Name' failed to satisfy constraint: Member must not be null");
    EXPECT_EQ(called_with(R"({"Name":"ab","Inner":{"Name":"ab","Sise":1}})", protocol),
              "ValidationException: There is no member 'Sise' at 'Inner': expected one of Name, Color, Size, Names, "
              "Tags, Data, Secret, Either, Inner, On, When, Ratio");
    EXPECT_EQ(called_with(R"({"Name":"ab","Size":"1"})", protocol),
              "ValidationException: The value at 'Size' must be an integer, not a string");
    EXPECT_EQ(
        called_with(R"({"Name":"ab","Either":{"A":1,"B":2}})", protocol),
        "ValidationException: Value at 'Either' failed to satisfy constraint: Member must have exactly one member "
        "set");
  }
}

}  // namespace
}  // namespace fixpoint::aws
