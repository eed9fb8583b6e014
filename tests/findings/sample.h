#pragma once

#include <string>

#include "json/text.h"

namespace fixpoint::findings {

/// A finding of S3.4 on a bucket, valid as it stands.
inline json::Value sample(const std::string& id = "finding-1") {
  return *json::parse(R"({"SchemaVersion":"2018-10-08","Id":")" + id + R"(",
    "ProductArn":"arn:aws:securityhub:us-east-1::product/aws/securityhub","GeneratorId":"security-control/S3.4","AwsAccountId":"111111111111",
    "Types":["Software and Configuration Checks/Industry and Regulatory Standards"],"CreatedAt":"2024-01-02T03:04:05.678Z",
    "UpdatedAt":"2024-01-02T03:04:05.678Z","Severity":{"Label":"MEDIUM"},"Title":"Bucket is not encrypted","Description":"d",
    "ProductFields":{"aws/securityhub/ProductName":"Security Hub"},
    "Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a","Tags":{"team":"pay"}},{"Type":"AwsAccount","Id":"AWS::::Account:111111111111"}],
    "Compliance":{"Status":"FAILED","SecurityControlId":"S3.4"},"Network":{"SourceIpV4":"10.1.2.3","SourcePort":42}})");
}

}  // namespace fixpoint::findings
