#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "changes/recipes.h"
#include "json/yaml.h"

namespace fixpoint::changes {
namespace {

const aws::Models& models() {
  static const std::unique_ptr<aws::Models> opened = aws::Models::open({}).value();
  return *opened;
}

const Recipes& recipes() {
  static const Recipes loaded = Recipes::load(catalog::Catalog::embedded()).value();
  return loaded;
}

// HTTP calls these methods safe: the client asks for no change. RFC 9110, section 9.2.1
TEST(CatalogReads, an_operation_that_is_a_get_reads) {
  std::size_t seen = 0;
  for (const auto& entry : models().services()) {
    const auto service = models().get(entry.name);
    ASSERT_TRUE(service) << entry.name;
    if (entry.protocols[0].find("rest") == std::string::npos) continue;
    for (const auto& operation : (*service)->operations()) {
      if (operation.method != "GET" && operation.method != "HEAD") continue;
      ++seen;
      EXPECT_TRUE(recipes().reads(entry.name, operation.name)) << entry.name << ":" << operation.name;
    }
  }
  EXPECT_GT(seen, 400U);
}

// What deletes, replaces or amends by its HTTP method is never taken for a read.
TEST(CatalogReads, an_operation_that_is_a_put_patch_or_delete_changes) {
  for (const auto& entry : models().services()) {
    const auto service = models().get(entry.name);
    ASSERT_TRUE(service) << entry.name;
    if (entry.protocols[0].find("rest") == std::string::npos) continue;
    for (const auto& operation : (*service)->operations())
      if (operation.method == "PUT" || operation.method == "PATCH" || operation.method == "DELETE")
        EXPECT_FALSE(recipes().reads(entry.name, operation.name)) << entry.name << ":" << operation.name;
  }
}

TEST(CatalogReads, the_lists_name_operations_whose_names_mislead) {
  const Recipes bare = Recipes::load(catalog::Catalog()).value();  // by the names alone
  const auto catalog = catalog::Catalog::embedded();
  std::size_t seen = 0;
  for (const auto& path : catalog.list("operations")) {
    const std::string service = path.substr(11, path.size() - 11 - 5);
    const auto model = models().get(service);
    ASSERT_TRUE(model) << path << " is no service";
    const auto form = json::parse_yaml(*catalog.find(path)).value();
    for (const auto* list : {"reads", "changes"})
      for (std::size_t i = 0; i < form[list].size(); ++i) {
        const std::string name(form[list][i].string_or(""));
        ++seen;
        EXPECT_NE((*model)->find_operation(name), nullptr) << path << ": there is no operation " << name;
        EXPECT_EQ(bare.reads(service, name), list == std::string_view("changes"))
            << path << ": the name of " << name << " says it already";
      }
  }
  EXPECT_GT(seen, 50U);
}

TEST(CatalogReads, what_only_calculates_reads_and_what_asks_and_acts_changes) {
  const struct {
    const char* service;
    const char* operation;
    bool reads;
  } table[] = {
      {"kms", "GenerateDataKey", true},
      {"kms", "Verify", true},
      {"kms", "GetParametersForImport", false},
      {"iam", "SimulatePrincipalPolicy", true},
      {"iam", "GenerateCredentialReport", true},
      {"sts", "AssumeRole", true},
      {"s3", "SelectObjectContent", true},
      {"s3", "RestoreObject", false},
      {"cloudformation", "ValidateTemplate", true},
      {"cloudformation", "DetectStackDrift", false},
      {"events", "TestEventPattern", true},
      {"stepfunctions", "TestState", false},
      {"apigateway", "TestInvokeMethod", false},
      {"redshift", "GetClusterCredentials", false},
      {"dynamodb", "Query", true},
      {"dynamodb", "TransactGetItems", true},
      {"dynamodb", "ExecuteStatement", false},
      {"config", "SelectResourceConfig", true},
      {"config", "StartConfigRulesEvaluation", false},
      {"accessanalyzer", "CheckNoPublicAccess", true},
      {"sqs", "ReceiveMessage", false},
      {"lambda", "Invoke", false},
      {"logs", "StartQuery", false},
  };
  for (const auto& row : table)
    EXPECT_EQ(recipes().reads(row.service, row.operation), row.reads) << row.service << ":" << row.operation;
}

}  // namespace
}  // namespace fixpoint::changes
