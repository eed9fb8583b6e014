#pragma once

#include <string>

#include "json/text.h"

namespace fixpoint::findings {

/// A Compliance Finding with the members of a real one of Security Hub V2 (OCSF 1.6.0; the values are made up).
inline json::Value ocsf_sample(const std::string& uid =
                                   "arn:aws:securityhub:us-east-1:111111111111:security-control/"
                                   "S3.4/finding/1") {
  return *json::parse(R"({"activity_id":1,"activity_name":"Create","category_name":"Findings","category_uid":2,
    "class_name":"Compliance Finding","class_uid":2003,
    "cloud":{"account":{"uid":"111111111111"},"provider":"AWS","region":"us-east-1"},
    "compliance":{"control":"S3.4","requirements":["CIS AWS Foundations Benchmark v1.4.0/2.1.1"],
      "standards":["standards/aws-foundational-security-best-practices/v/1.0.0"],"status":"Fail","status_id":3},
    "finding_info":{"analytic":{"category":"AWS::Config::ConfigRule","name":"securityhub-s3-bucket-sse-1a2b3c4d",
        "type":"Rule","type_id":1},
      "created_time":1704164645678,"created_time_dt":"2024-01-02T03:04:05.678Z","desc":"The bucket has no encryption.",
      "first_seen_time":1704164645000,"first_seen_time_dt":"2024-01-02T03:04:05.000Z",
      "last_seen_time":1704164646000,"last_seen_time_dt":"2024-01-02T03:04:06.000Z",
      "modified_time":1704164646000,"modified_time_dt":"2024-01-02T03:04:06.000Z",
      "title":"S3 buckets should have encryption",
      "types":["Software and Configuration Checks/Industry and Regulatory Standards","Posture Management"],
      "uid":")" + uid +
                      R"("},
    "metadata":{"product":{"name":"Security Hub","uid":"arn:aws:securityhub:us-east-1::productv2/aws/securityhub",
      "vendor_name":"AWS"},"profiles":["cloud","datetime"],
      "uid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","version":"1.6.0"},
    "remediation":{"desc":"Turn it on.","references":["https://docs.aws.amazon.com/console/securityhub/S3.4/remediation"]},
    "resources":[{"cloud_partition":"aws","owner":{"account":{"uid":"111111111111"}},"region":"us-east-1",
      "tags":[{"name":"team","value":"pay"}],"type":"AWS::S3::Bucket","uid":"a-bucket","uid_alt":"arn:aws:s3:::a-bucket"}],
    "severity":"Medium","severity_id":3,"status":"New","status_id":1,"time":1704164646000,
    "time_dt":"2024-01-02T03:04:06.000Z","type_name":"Compliance Finding: Create","type_uid":200301,
    "vendor_attributes":{"severity":"Medium","severity_id":3}})");
}

/// A Detection Finding as Prowler 5 writes it: seconds for times, a local time without offset beside them, no
/// metadata.uid, the result of the check in status_code.
inline json::Value prowler_sample(const std::string& check = "s3_bucket_default_encryption",
                                  const std::string& resource = "arn:aws:s3:::a-bucket") {
  return *json::parse(R"({"message":"Bucket a-bucket has no encryption.","metadata":{"event_code":")" + check + R"(",
      "product":{"name":"Prowler","uid":"prowler","vendor_name":"Prowler","version":"5.4.0"},
      "profiles":["cloud","datetime"],"tenant_uid":"","version":"1.4.0"},
    "severity_id":3,"severity":"Medium","status":"New","status_code":"FAIL",
    "status_detail":"Bucket a-bucket has no encryption.","status_id":1,
    "unmapped":{"related_url":"","categories":["encryption"],"compliance":{"CIS-1.4":["2.1.1"]}},
    "activity_name":"Create","activity_id":1,
    "finding_info":{"created_time":1704164645,"created_time_dt":"2024-01-02T04:04:05.913874",
      "desc":"Check if S3 buckets have default encryption","product_uid":"prowler","title":"Default encryption",
      "types":["Data Protection"],"uid":"prowler-aws-)" +
                      check + R"(-111111111111-us-east-1-a-bucket"},
    "resources":[{"cloud_partition":"aws","region":"us-east-1","data":{"details":"","metadata":{"name":"a-bucket"}},
      "group":{"name":"s3"},"labels":[],"name":"a-bucket","type":"AwsS3Bucket","uid":")" +
                      resource + R"("}],
    "category_name":"Findings","category_uid":2,"class_name":"Detection Finding","class_uid":2004,
    "cloud":{"account":{"name":"","type":"AWS Account","type_id":10,"uid":"111111111111","labels":[]},
      "org":{"name":"","uid":""},"provider":"aws","region":"us-east-1"},
    "remediation":{"desc":"Set it.","references":["aws s3api put-bucket-encryption","https://docs.prowler.com/x"]},
    "risk_details":"Data may be read.","time":1704164645,"time_dt":"2024-01-02T04:04:05.913874","type_uid":200401,
    "type_name":"Detection Finding: Create"})");
}

}  // namespace fixpoint::findings
