#include "sandbox/declared.h"

#include "account.h"
#include "sandbox/declaration.h"

namespace fixpoint::sandbox {
namespace {

TEST(Declared, every_file_of_the_catalog_is_read_and_its_operations_are_there) {
  const auto catalog = catalog::Catalog::embedded();
  Accounts aws;
  const auto all = aws.sandbox().operations();
  for (const std::string& path : catalog.list("sandbox")) {
    std::string service;
    const auto read = read_declarations(path, *catalog.find(path), service);
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_EQ(path, "sandbox/" + service + ".yaml");
    EXPECT_FALSE(read->empty()) << path;
    for (const auto& [operation, declared] : *read) {
      EXPECT_EQ(std::count(all.begin(), all.end(), std::pair(service, operation)), 1) << service << ":" << operation;
      // What has to be there says with which error it is not, in AWS's words.
      using Verb = Declared::Verb;
      if (declared->verb == Verb::Read || declared->verb == Verb::Update || declared->verb == Verb::Delete)
        EXPECT_TRUE(declared->missing || declared->type->missing || declared->by_default || declared->ignore_missing)
            << service << ":" << operation;
    }
  }
}

TEST(Declared, every_operation_is_one_of_its_services_model) {
  Accounts aws;
  for (const auto& [service, operation] : aws.sandbox().operations()) {
    // Only a name that the model lacks is complained of before the answer is looked at.
    const std::string bad = misfit_answer(service, operation, yaml("{frob: 1}"));
    EXPECT_EQ(bad.find("no operation"), std::string::npos) << bad;
    EXPECT_FALSE(bad.empty()) << service << ":" << operation << " takes any answer";
  }
}

std::string refusal(const std::string& text) {
  std::string service;
  const auto read = read_declarations("x.yaml", text, service);
  return read ? "accepted" : describe(read.error());
}

TEST(Declared, a_wrong_declaration_is_refused_with_its_place) {
  const std::string head = "service: x\ntypes: {t: {id: '{in.A}'}}\noperations: {Op: ";
  EXPECT_EQ(refusal(head + "{read: t}}"), "accepted");
  EXPECT_NE(refusal(head + "{read: u}}").find("'u' is no type of this file (at x.yaml: operations.Op.read)"),
            std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, frob: 1}}").find("'frob' is not known here"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, delete: t}}").find("more than one"), std::string::npos);
  EXPECT_NE(refusal(head + "{answer: {}}}").find("says none of"), std::string::npos);
  EXPECT_NE(refusal(head + "{create: t}}").find("need 'body'"), std::string::npos);
  EXPECT_NE(refusal(head + "{list: t}}").find("needs 'into'"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: $out.X}}").find("begins with nothing that is bound"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: '{in.X'}}").find("not closed"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: '{in.X!shout}'}}").find("!shout"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, checks: [{has: $in.A}]}}").find("needs its error"), std::string::npos);
  EXPECT_NE(refusal("service: [").find("x.yaml"), std::string::npos);
}

TEST(Logs, groups_keep_their_retention_and_filters) {
  Accounts aws;
  aws.ok("logs:CreateLogGroup", "{logGroupName: /app, tags: {a: b}}");
  EXPECT_EQ(aws.error("logs:CreateLogGroup", "{logGroupName: /app}").code, "ResourceAlreadyExistsException");
  aws.ok("logs:PutRetentionPolicy", "{logGroupName: /app, retentionInDays: 365}");
  const auto group = aws.ok("logs:DescribeLogGroups", "{logGroupNamePrefix: /a}")["logGroups"][0];
  EXPECT_EQ(group["retentionInDays"], 365);
  EXPECT_EQ(group["arn"], "arn:aws:logs:us-east-1:111111111111:log-group:/app:*");
  EXPECT_EQ(aws.code("logs:PutRetentionPolicy", "{logGroupName: /app, retentionInDays: 2}"),
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:PutRetentionPolicy", "{logGroupName: /none, retentionInDays: 1}"),
            "ResourceNotFoundException");
  aws.ok("logs:DeleteRetentionPolicy", "{logGroupName: /app}");
  EXPECT_TRUE(aws.ok("logs:DescribeLogGroups")["logGroups"][0]["retentionInDays"].is_null());
  EXPECT_EQ(aws.code("logs:PutMetricFilter", "{logGroupName: /none, filterName: f}"), "ResourceNotFoundException");
  aws.ok("logs:PutMetricFilter", "{logGroupName: /app, filterName: f, filterPattern: x, metricTransformations: []}");
  EXPECT_EQ(aws.ok("logs:DescribeMetricFilters", "{logGroupName: /app}")["metricFilters"][0]["filterPattern"], "x");
  aws.ok("logs:UntagLogGroup", "{logGroupName: /app, tags: [a]}");
  EXPECT_EQ(aws.ok("logs:ListTagsLogGroup", "{logGroupName: /app}"), yaml("{tags: {}}"));
  aws.ok("logs:DeleteLogGroup", "{logGroupName: /app}");
  EXPECT_EQ(aws.ok("logs:DescribeMetricFilters", "{}")["metricFilters"].size(), 0u);
  for (int i = 0; i < 60; ++i) aws.ok("logs:CreateLogGroup", "{logGroupName: g" + std::to_string(i) + "}");
  const auto page = aws.ok("logs:DescribeLogGroups", "{limit: 50}");
  EXPECT_EQ(page["logGroups"].size(), 50u);
  EXPECT_EQ(
      aws.ok("logs:DescribeLogGroups", "{nextToken: '" + page["nextToken"].as_string() + "'}")["logGroups"].size(),
      10u);
  EXPECT_EQ(aws.code("logs:DescribeLogGroups", "{nextToken: made-up}"), "InvalidParameterException");
}

}  // namespace
}  // namespace fixpoint::sandbox
