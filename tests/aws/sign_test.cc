#include "aws/sign.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

// The credentials of the AWS documentation's examples.
const Credentials documented{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const TimeMs day = *parse_basic_iso8601("20130524T000000Z");

SigningOptions s3_options() {
  return SigningOptions::for_service("s3", "us-east-1", day);
}

HttpRequest s3_request(std::string method, std::string target) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.add("Host", "examplebucket.s3.amazonaws.com");
  return request;
}

std::string signature_in(const HttpRequest& request) {
  const std::string_view header = request.headers.get("Authorization");
  const std::size_t at = header.find("Signature=");
  return at == std::string_view::npos ? "none" : std::string(header.substr(at + 10));
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
TEST(Sign, gives_the_documented_signature_of_a_get_of_an_object) {
  HttpRequest request = s3_request("GET", "/test.txt");
  request.headers.add("Range", "bytes=0-9");
  ASSERT_TRUE(sign(request, documented, s3_options()));
  EXPECT_EQ(request.headers.get("Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Sign, gives_the_documented_signature_of_a_put_of_an_object) {
  HttpRequest request = s3_request("PUT", "/test$file.text");
  request.headers.add("Date", "Fri, 24 May 2013 00:00:00 GMT");
  request.headers.add("x-amz-storage-class", "REDUCED_REDUNDANCY");
  request.body = "Welcome to Amazon S3.";
  ASSERT_TRUE(sign(request, documented, s3_options()));
  EXPECT_EQ(request.headers.get("x-amz-content-sha256"),
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  EXPECT_EQ(signature_in(request), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Sign, gives_the_documented_signature_of_a_parameter_without_a_value) {
  HttpRequest request = s3_request("GET", "/?lifecycle");
  ASSERT_TRUE(sign(request, documented, s3_options()));
  EXPECT_EQ(signature_in(request), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(Sign, gives_the_documented_signature_of_a_listing) {
  HttpRequest request = s3_request("GET", "/?max-keys=2&prefix=J");
  ASSERT_TRUE(sign(request, documented, s3_options()));
  EXPECT_EQ(signature_in(request), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
TEST(Sign, gives_the_documented_presigned_url) {
  HttpRequest request = s3_request("GET", "/test.txt");
  ASSERT_TRUE(presign(request, documented, s3_options(), 86400));
  EXPECT_TRUE(
      request.target.ends_with("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << request.target;
}

// The worked example of the general signing guide: IAM ListUsers of 2015-08-30.
TEST(Sign, gives_the_documented_signature_of_iam_list_users) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/?Action=ListUsers&Version=2010-05-08";
  request.headers = {{"Host", "iam.amazonaws.com"},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  const auto options = SigningOptions::for_service("iam", "us-east-1", *parse_basic_iso8601("20150830T123600Z"));
  EXPECT_EQ(hex_encode(derive_signing_key(credentials.secret, {"20150830", "us-east-1", "iam"})),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  ASSERT_TRUE(sign(request, credentials, options));
  EXPECT_EQ(signature_in(request), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(Sign, encodes_a_path_twice_but_for_s3) {
  std::string path;
  append_canonical_path(path, "/insights/results/arn%3Aaws%3Ai/a", PathRule::Normalized);
  EXPECT_EQ(path, "/insights/results/arn%253Aaws%253Ai/a");
  path.clear();
  append_canonical_path(path, "/bucket/a%20b//./c", PathRule::AsSent);
  EXPECT_EQ(path, "/bucket/a%20b//./c");
  path.clear();
  append_canonical_path(path, "/bucket/(a)%7e!/b%2fc/", PathRule::AsSent);
  EXPECT_EQ(path, "/bucket/%28a%29~%21/b%2Fc/");
}

TEST(Sign, removes_dot_segments_and_empty_ones_where_paths_are_normalized) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", "/"},
                                                                 {"/", "/"},
                                                                 {"//", "/"},
                                                                 {"/./", "/"},
                                                                 {"/..", "/"},
                                                                 {"/../../a", "/a"},
                                                                 {"/a/b/..", "/a"},
                                                                 {"/a/./b/", "/a/b/"},
                                                                 {"//a//", "/a/"},
                                                                 {"/a/.", "/a"},
                                                                 {"/.a/..b", "/.a/..b"},
                                                                 {"/a/b/../../..", "/"}};
  for (const auto& [path, expected] : cases) {
    std::string out;
    append_canonical_path(out, path, PathRule::Normalized);
    EXPECT_EQ(out, expected) << path;
  }
}

TEST(Sign, sorts_the_query_by_encoded_name_and_value) {
  std::string out;
  append_canonical_query(out, "b=2&a=%2f&b=1&&a&c=%&d=x%20y&%e1%88%b4=1");
  EXPECT_EQ(out, "%E1%88%B4=1&a=&a=%2F&b=1&b=2&c=%25&d=x%20y");
}

TEST(Sign, leaves_out_what_proxies_change) {
  HttpRequest request = s3_request("GET", "/k");
  request.headers.add("User-Agent", "fixpoint");
  request.headers.add("Expect", "100-continue");
  request.headers.add("X-Amzn-Trace-Id", "Root=1");
  ASSERT_TRUE(sign(request, documented, s3_options()));
  EXPECT_NE(request.headers.get("Authorization").find("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"),
            std::string_view::npos);
}

TEST(Sign, replaces_the_signature_and_token_of_an_earlier_attempt) {
  HttpRequest request = s3_request("GET", "/k");
  Credentials session = documented;
  session.session_token = "TOKEN";
  ASSERT_TRUE(sign(request, session, s3_options()));
  ASSERT_TRUE(sign(request, documented, s3_options()));
  HttpRequest fresh = s3_request("GET", "/k");
  ASSERT_TRUE(sign(fresh, documented, s3_options()));
  EXPECT_EQ(request.headers.get("Authorization"), fresh.headers.get("Authorization"));
  EXPECT_FALSE(request.headers.has("X-Amz-Security-Token"));
}

// Found by the fuzzer: a query that ends in a question mark swallowed the parameter after it.
TEST(Sign, keeps_its_parameters_apart_from_those_of_the_request) {
  for (const char* target : {"/k?a=b?", "/k?", "/k?a&", "/k?a"}) {
    HttpRequest request = s3_request("GET", target);
    ASSERT_TRUE(presign(request, documented, s3_options(), 60));
    EXPECT_NE(request.target.find(std::string_view(target).ends_with('&') || std::string_view(target) == "/k?"
                                      ? std::string(target) + "X-Amz-Algorithm"
                                      : std::string(target) + "&X-Amz-Algorithm"),
              std::string::npos)
        << request.target;
  }
}

TEST(Sign, refuses_what_it_cannot_sign) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/";
  EXPECT_FALSE(sign(request, documented, s3_options()));
  EXPECT_FALSE(presign(request, documented, s3_options(), 60));
  request = s3_request("GET", "/");
  for (const int seconds : {0, -1, 604801}) {
    const auto refused = presign(request, documented, s3_options(), seconds);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "ValidationException");
    EXPECT_NE(refused.error().message.find("604800"), std::string::npos);
  }
}

TEST(SigningKeys, forgets_old_keys_but_never_confuses_secrets) {
  SigningKeys keys(64);
  const CredentialScope scope{"20130524", "us-east-1", "s3"};
  const std::string first = keys.key("one", scope);
  EXPECT_EQ(first, derive_signing_key("one", scope));
  EXPECT_NE(first, keys.key("two", scope));
  for (int i = 0; i < 1000; ++i) (void)keys.key("secret" + std::to_string(i), scope);
  EXPECT_LE(keys.size(), 64U);
  EXPECT_EQ(keys.key("one", scope), first);
}

}  // namespace
}  // namespace fixpoint::aws
