#pragma once

#include <gtest/gtest.h>
#include <string>

#include "base/text.h"
#include "findings/asff.h"
#include "json/text.h"
#include "sources/sources.h"

namespace fixpoint::sources {

inline const Caller caller{"111111111111", "us-east-1"};

inline json::Value parsed(const std::string& text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value();
}

/// What is taken of a document; an empty list and a failure where it is refused.
inline Taken taken_from(const std::string& document, const Caller& by = caller) {
  auto taken = take(parsed(document), by);
  EXPECT_TRUE(taken) << document << "\n" << (taken ? "" : describe(taken.error()));
  if (!taken) return Taken{std::vector<json::Value>(1), std::vector<json::Value>(1), {}};
  return std::move(*taken);
}

/// The sentence with which a document is refused.
inline std::string refusal_of(const std::string& document, const Caller& by = caller) {
  const auto taken = take(parsed(document), by);
  if (taken) return "taken: " + document;
  EXPECT_EQ(taken.error().code, "InvalidInputException");
  return taken.error().message;
}

/// The one finding of a document, which is valid in the finding format.
inline json::Value valid_from(const std::string& document, const Caller& by = caller) {
  const Taken taken = taken_from(document, by);
  EXPECT_EQ(taken.findings.size(), 1U);
  const auto valid = findings::validate_asff(taken.findings[0]);
  EXPECT_TRUE(valid) << (valid ? "" : describe(valid.error())) << "\n" << json::print_pretty(taken.findings[0]);
  return taken.findings[0];
}

/// A document with a member set to a value, both JSON; `member` is a path with dots, all of whose objects are there.
inline std::string with(const std::string& document, const std::string& member, const std::string& value) {
  json::Value whole = parsed(document);
  json::Value* at = &whole;
  std::size_t from = 0;
  for (auto dot = member.find('.'); dot != std::string::npos; dot = member.find('.', from)) {
    at = at->as_object().find(member.substr(from, dot - from));
    from = dot + 1;
  }
  at->set(member.substr(from), parsed(value));
  return json::print(whole);
}

/// A document without a member.
inline std::string without(const std::string& document, const std::string& member) {
  json::Value whole = parsed(document);
  json::Value* at = &whole;
  std::size_t from = 0;
  for (auto dot = member.find('.'); dot != std::string::npos; dot = member.find('.', from)) {
    at = at->as_object().find(member.substr(from, dot - from));
    from = dot + 1;
  }
  at->as_object().erase(member.substr(from));
  return json::print(whole);
}

/// A finding in the AWS Security Finding Format, valid as it stands.
inline std::string finding() {
  return R"({"SchemaVersion":"2018-10-08","Id":"f-1","ProductArn":"arn:aws:securityhub:us-east-1::product/aws/securityhub",
    "GeneratorId":"security-control/S3.4","AwsAccountId":"111111111111","Types":["Software and Configuration Checks"],
    "CreatedAt":"2024-01-02T03:04:05.678Z","UpdatedAt":"2024-01-02T03:04:05.678Z","Severity":{"Label":"MEDIUM"},
    "Title":"t","Description":"d","Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a"}]})";
}

}  // namespace fixpoint::sources
