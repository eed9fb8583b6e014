#include "aws/limits.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "catalog/catalog.h"
#include "json/yaml.h"

// Every file of catalog/limits, against the models.
namespace fixpoint::changes {
namespace {

aws::CallLimits all() {
  aws::CallLimits limits;
  const catalog::Catalog catalog = catalog::Catalog::embedded();
  for (const std::string& path : catalog.list("limits")) {
    const auto form = json::parse_yaml(*catalog.find(path));
    if (!form) throw std::runtime_error(path + ": " + describe(form.error()));
    const auto added = limits.add(std::filesystem::path(path).stem().string(), *form);
    if (!added) throw std::runtime_error(path + ": " + describe(added.error()));
  }
  return limits;
}

TEST(LimitFiles, name_operations_that_there_are) {
  const auto models = aws::Models::open({}).value();
  const aws::CallLimits limits = all();
  EXPECT_GE(limits.named().size(), 7U);
  for (const auto& [service, operations] : limits.named()) {
    const auto model = models->get(service);
    ASSERT_TRUE(model) << service << " is no service: " << describe(model.error());
    for (const std::string& operation : operations)
      EXPECT_TRUE((*model)->find_operation(operation) != nullptr) << service << " has no operation " << operation;
  }
}

TEST(LimitFiles, hold_what_aws_documents) {
  const aws::CallLimits limits = all();
  const json::Value nothing = json::Object();
  const auto limit = [&](const char* service, const char* operation, const json::Value& input) {
    return limits.of(service, operation, input).limit;
  };
  EXPECT_EQ(limit("securityhub", "GetFindings", nothing), (aws::Limit{3, 6}));
  EXPECT_EQ(limit("securityhub", "BatchUpdateFindings", nothing), (aws::Limit{10, 30}));
  EXPECT_EQ(limit("securityhub", "BatchImportFindings", nothing), (aws::Limit{10, 30}));
  EXPECT_EQ(limit("securityhub", "UpdateStandardsControl", nothing), (aws::Limit{1, 5}));
  EXPECT_EQ(limit("ec2", "DescribeHosts", nothing), (aws::Limit{20, 100}));
  EXPECT_EQ(limit("ec2", "DescribeSecurityGroups", nothing), (aws::Limit{10, 50}));
  EXPECT_EQ(limit("ec2", "DescribeSecurityGroups", json::Object{{"MaxResults", 5}}), (aws::Limit{20, 100}));
  EXPECT_EQ(limit("ec2", "RevokeSecurityGroupIngress", nothing), (aws::Limit{5, 50}));
  EXPECT_EQ(limit("ec2", "ModifyHosts", nothing), (aws::Limit{5, 50}));
  EXPECT_EQ(limit("ec2", "EnableSnapshotBlockPublicAccess", nothing), (aws::Limit{0.1, 1}));
  EXPECT_EQ(limit("kms", "EnableKeyRotation", nothing), (aws::Limit{5, 5}));
  EXPECT_EQ(limit("kms", "GetKeyRotationStatus", nothing), (aws::Limit{30, 30}));
  EXPECT_EQ(limit("cloudtrail", "GetTrailStatus", nothing), (aws::Limit{10, 10}));
  EXPECT_EQ(limit("cloudtrail", "StartLogging", nothing), (aws::Limit{1, 1}));
  EXPECT_EQ(limit("lambda", "GetFunction", nothing), (aws::Limit{100, 100}));
  EXPECT_EQ(limits.of("lambda", "TagResource", nothing).bucket, limits.of("lambda", "AddPermission", nothing).bucket);
  EXPECT_EQ(limit("s3", "GetBucketEncryption", nothing), aws::CallLimits::unknown);
}

}  // namespace
}  // namespace fixpoint::changes
