#include "aws/endpoints.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::aws {
namespace {

std::shared_ptr<const Service> service_with(std::string_view prefix, std::string_view signing_name = {}) {
  json::Value model = *json::parse(R"({"version": "2.0", "metadata": {"apiVersion": "2020-01-01", "protocol": "json",
    "jsonVersion": "1.1", "serviceId": "X", "signatureVersion": "v4", "targetPrefix": "X", "uid": "x"},
    "operations": {}, "shapes": {}})");
  model.as_object().find("metadata")->set("endpointPrefix", std::string(prefix));
  if (!signing_name.empty()) model.as_object().find("metadata")->set("signingName", std::string(signing_name));
  const auto service = Service::from_botocore("x", model, {}, {});
  if (!service) throw std::runtime_error(describe(service.error()));
  return *service;
}

TEST(Endpoints, follow_the_rule_of_prefix_region_and_suffix) {
  const std::tuple<std::string_view, std::string_view, std::string_view, std::string_view> cases[] = {
      {"securityhub", "eu-west-1", "securityhub.eu-west-1.amazonaws.com", "eu-west-1"},
      {"monitoring", "cn-north-1", "monitoring.cn-north-1.amazonaws.com.cn", "cn-north-1"},
      {"sts", "us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
      {"kms", "us-iso-east-1", "kms.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
      {"kms", "us-isob-east-1", "kms.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
      {"iam", "eu-west-1", "iam.amazonaws.com", "us-east-1"},
      {"iam", "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
      {"iam", "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
      {"cloudfront", "ap-south-1", "cloudfront.amazonaws.com", "us-east-1"},
      {"organizations", "eu-west-1", "organizations.us-east-1.amazonaws.com", "us-east-1"},
  };
  for (const auto& [prefix, region, host, signing_region] : cases) {
    const auto endpoint = endpoint_of(*service_with(prefix), region);
    ASSERT_TRUE(endpoint) << describe(endpoint.error());
    EXPECT_EQ(endpoint->base_url(), "https://" + std::string(host));
    EXPECT_EQ(endpoint->region, signing_region);
  }
  EXPECT_EQ(endpoint_of(*service_with("api.ecr", "ecr"), "us-east-1")->service, "ecr");
}

TEST(Endpoints, refuse_a_region_that_would_lead_elsewhere) {
  for (const char* region : {"", "us-east-1.evil.example/", "a b", "-x", "us_east_1", "x@y"}) {
    const auto refused = endpoint_of(*service_with("sts"), region);
    ASSERT_FALSE(refused) << region;
    EXPECT_EQ(refused.error().code, "ValidationException");
  }
}

TEST(Endpoints, can_be_one_url_for_everything) {
  const auto endpoint = endpoint_at("http://127.0.0.1:4566/aws/", *service_with("iam"), "eu-west-1");
  ASSERT_TRUE(endpoint) << describe(endpoint.error());
  EXPECT_EQ(endpoint->base_url(), "http://127.0.0.1:4566");
  EXPECT_EQ(endpoint->base_path, "/aws");
  EXPECT_EQ(endpoint->region, "us-east-1");
  EXPECT_TRUE(endpoint->overridden);
  for (const char* url : {"", "127.0.0.1:4566", "ftp://x", "http://", "http:///path", "http://u@host", "http://h?x"}) {
    const auto refused = endpoint_at(url, *service_with("iam"), "eu-west-1");
    ASSERT_FALSE(refused) << url;
    EXPECT_NE(refused.error().message.find(std::string("'") + url + "'"), std::string::npos);
  }
}

TEST(Endpoints, move_a_bucket_into_the_host_where_it_can_be_there) {
  const auto s3 = service_with("s3");
  const auto addressed = [&](std::string target, std::string_view bucket, bool overridden = false) -> std::string {
    Endpoint endpoint =
        overridden ? *endpoint_at("http://127.0.0.1:4566", *s3, "us-west-2") : *endpoint_of(*s3, "us-west-2");
    const auto done = address_bucket(endpoint, target, bucket);
    if (!done) return done.error().code;
    return endpoint.host + ' ' + target + ' ' + endpoint.region;
  };
  EXPECT_EQ(addressed("/my-bucket/a%20b?x", "my-bucket"), "my-bucket.s3.us-west-2.amazonaws.com /a%20b?x us-west-2");
  EXPECT_EQ(addressed("/my-bucket?encryption", "my-bucket"),
            "my-bucket.s3.us-west-2.amazonaws.com /?encryption us-west-2");
  EXPECT_EQ(addressed("/my-bucket", "my-bucket"), "my-bucket.s3.us-west-2.amazonaws.com / us-west-2");
  EXPECT_EQ(addressed("/my.bucket/k", "my.bucket"), "s3.us-west-2.amazonaws.com /my.bucket/k us-west-2");
  EXPECT_EQ(addressed("/Bucket/k", "Bucket"), "s3.us-west-2.amazonaws.com /Bucket/k us-west-2");
  EXPECT_EQ(addressed("/my-bucket/k", "my-bucket", true), "127.0.0.1:4566 /my-bucket/k us-west-2");
  const std::string_view arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/point";
  EXPECT_EQ(addressed("/arn%3Aaws%3As3%3Aeu-west-1%3A111122223333%3Aaccesspoint%2Fpoint/k", arn),
            "point-111122223333.s3-accesspoint.eu-west-1.amazonaws.com /k eu-west-1");
  EXPECT_EQ(addressed("/arn%3Aaws%3As3%3Aeu-west-1%3A111122223333%3Aaccesspoint/point?x", arn),
            "point-111122223333.s3-accesspoint.eu-west-1.amazonaws.com /?x eu-west-1");
  EXPECT_EQ(addressed("/x", "arn:aws:s3:::bucket"), "ValidationException");
  EXPECT_EQ(addressed("/x", "arn:aws:s3:evil/:1:accesspoint/p"), "ValidationException");
}

}  // namespace
}  // namespace fixpoint::aws
