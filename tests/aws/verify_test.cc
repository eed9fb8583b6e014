#include "aws/verify.h"

#include <gtest/gtest.h>
#include <map>

#include "aws/sign.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TimeMs day = *parse_basic_iso8601("20130524T000000Z");

class Keys final : public KeyLookup {
 public:
  std::shared_ptr<const KeyRecord> find(std::string_view access_key) const override {
    const auto found = records.find(access_key);
    return found == records.end() ? nullptr : found->second;
  }
  void add(const std::string& access_key, KeyRecord record) {
    records[access_key] = std::make_shared<const KeyRecord>(std::move(record));
  }
  std::map<std::string, std::shared_ptr<const KeyRecord>, std::less<>> records;
};

class Verify : public testing::Test {
 protected:
  Verify() {
    auto principal = std::make_shared<Principal>();
    principal->account = "111122223333";
    principal->arn = "arn:aws:iam::111122223333:user/alice";
    keys.add("AKIAIOSFODNN7EXAMPLE", {std::string(secret), "", {}, principal});
    keys.add("ASIASESSION", {"session secret", "TOKEN", day + 3600'000, principal});
  }

  static HttpRequest request_to(const std::string& service) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    request.headers.add("Host", service + ".us-east-1.amazonaws.com");
    if (service == "dynamodb" || service == "kms") {
      request.headers.add("Content-Type", "application/x-amz-json-1.1");
      request.headers.add("X-Amz-Target", "TrentService.ListKeys");
      request.body = "{}";
    } else if (service == "sts" || service == "ec2") {
      request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
      request.body = "Action=GetCallerIdentity&Version=2011-06-15";
    } else if (service == "s3") {
      request.method = "PUT";
      request.target = "/bucket/key";
      request.body = "hello";
    } else {
      request.target = "/findings/import";
      request.body = R"({"Findings":[]})";
    }
    return request;
  }
  HttpRequest signed_to(const std::string& service) const {
    HttpRequest request = request_to(service);
    EXPECT_TRUE(sign(request, credentials, SigningOptions::for_service(service, "us-east-1", clock.now_ms())));
    return request;
  }
  // "CODE STATUS", or "ok".
  std::string answer(const HttpRequest& request, std::string_view service = {}) const {
    const auto verified = verifier.verify(request, {.service = service});
    if (verified) return "ok";
    last_message = verified.error().message;
    return verified.error().code + ' ' + std::to_string(verified.error().http_status);
  }

  Keys keys;
  ManualClock clock{day};
  Verifier verifier{keys, clock};
  Credentials credentials{"AKIAIOSFODNN7EXAMPLE", std::string(secret), ""};
  mutable std::string last_message;
};

TEST_F(Verify, says_who_called_and_for_what) {
  const auto verified = verifier.verify(signed_to("securityhub"));
  ASSERT_TRUE(verified) << describe(verified.error());
  EXPECT_EQ(verified->principal->account, "111122223333");
  EXPECT_EQ(verified->access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(verified->scope.to_string(), "20130524/us-east-1/securityhub/aws4_request");
  EXPECT_EQ(verified->signed_at_ms, day);
  EXPECT_FALSE(verified->presigned);
  EXPECT_FALSE(verified->decoded_body);
}

// Each failure, as each family of services answers it.
TEST_F(Verify, refuses_an_unknown_key) {
  credentials.access_key = "AKIANOBODY";
  EXPECT_EQ(answer(signed_to("sts")), "InvalidClientTokenId 403");
  EXPECT_EQ(last_message, "The security token included in the request is invalid.");
  EXPECT_EQ(answer(signed_to("ec2")), "AuthFailure 401");
  EXPECT_EQ(answer(signed_to("kms")), "UnrecognizedClientException 400");
  EXPECT_EQ(answer(signed_to("securityhub")), "UnrecognizedClientException 403");
  EXPECT_EQ(answer(signed_to("s3")), "InvalidAccessKeyId 403");
}

TEST_F(Verify, refuses_a_wrong_signature) {
  credentials.secret = "another secret";
  EXPECT_EQ(answer(signed_to("sts")), "SignatureDoesNotMatch 403");
  EXPECT_EQ(answer(signed_to("ec2")), "AuthFailure 401");
  EXPECT_EQ(answer(signed_to("kms")), "InvalidSignatureException 400");
  EXPECT_EQ(answer(signed_to("securityhub")), "InvalidSignatureException 403");
  EXPECT_EQ(answer(signed_to("s3")), "SignatureDoesNotMatch 403");
}

TEST_F(Verify, refuses_whatever_was_changed_after_signing) {
  const HttpRequest good = signed_to("securityhub");
  ASSERT_EQ(answer(good), "ok");
  HttpRequest changed = good;
  changed.body += ' ';
  EXPECT_EQ(answer(changed), "InvalidSignatureException 403");
  changed = good;
  changed.method = "PUT";
  EXPECT_EQ(answer(changed), "InvalidSignatureException 403");
  changed = good;
  changed.target += "?a=b";
  EXPECT_EQ(answer(changed), "InvalidSignatureException 403");
  changed = good;
  changed.headers.set("Host", "elsewhere");
  EXPECT_EQ(answer(changed), "InvalidSignatureException 403");
  changed = good;
  changed.headers.add("Host", "elsewhere");
  EXPECT_EQ(answer(changed), "InvalidSignatureException 403");
  changed = good;
  changed.headers.add("Accept", "not signed, and free to change");
  EXPECT_EQ(answer(changed), "ok");
}

TEST_F(Verify, refuses_a_clock_that_is_off) {
  std::map<std::string, HttpRequest> requests;
  for (const char* service : {"sts", "ec2", "kms", "securityhub", "s3"}) requests[service] = signed_to(service);
  clock.set_ms(day + 5 * 60'000);
  for (const auto& [service, request] : requests) EXPECT_EQ(answer(request), "ok") << service;
  clock.set_ms(day + 15 * 60'000 + 1000);
  EXPECT_EQ(answer(requests["sts"]), "SignatureDoesNotMatch 403");
  EXPECT_EQ(last_message,
            "Signature expired: 20130524T000000Z is now earlier than 20130524T001001Z (20130524T001501Z - 5 min.)");
  EXPECT_EQ(answer(requests["kms"]), "InvalidSignatureException 400");
  EXPECT_EQ(answer(requests["securityhub"]), "InvalidSignatureException 403");
  EXPECT_EQ(answer(requests["ec2"]), "RequestExpired 400");
  EXPECT_EQ(answer(requests["s3"]), "RequestTimeTooSkewed 403");
  clock.set_ms(day - 15 * 60'000 - 1000);
  EXPECT_EQ(answer(requests["sts"]), "SignatureDoesNotMatch 403");
  EXPECT_EQ(
      last_message,
      "Signature not yet current: 20130524T000000Z is still later than 20130523T234959Z (20130523T234459Z + 5 min.)");
  EXPECT_EQ(answer(requests["s3"]), "RequestTimeTooSkewed 403");
}

TEST_F(Verify, refuses_a_request_that_says_nothing_of_who_calls) {
  EXPECT_EQ(answer(request_to("sts")), "MissingAuthenticationToken 403");
  EXPECT_EQ(answer(request_to("kms")), "MissingAuthenticationTokenException 400");
  EXPECT_EQ(answer(request_to("securityhub")), "MissingAuthenticationTokenException 403");
  EXPECT_EQ(answer(request_to("s3"), "s3"), "AccessDenied 403");
}

TEST_F(Verify, takes_a_session_only_with_its_own_token_and_until_it_ends) {
  credentials = {"ASIASESSION", "session secret", "TOKEN"};
  EXPECT_EQ(answer(signed_to("sts")), "ok");
  EXPECT_EQ(answer(signed_to("s3")), "ok");
  credentials.session_token = "FORGED";
  EXPECT_EQ(answer(signed_to("sts")), "InvalidClientTokenId 403");
  EXPECT_EQ(answer(signed_to("kms")), "UnrecognizedClientException 400");
  EXPECT_EQ(answer(signed_to("s3")), "InvalidToken 400");
  credentials.session_token.clear();
  EXPECT_EQ(answer(signed_to("sts")), "InvalidClientTokenId 403");
  credentials.session_token = "TOKEN";
  clock.set_ms(day + 3600'000);
  EXPECT_EQ(answer(signed_to("sts")), "ExpiredToken 403");
  EXPECT_EQ(answer(signed_to("ec2")), "RequestExpired 400");
  EXPECT_EQ(answer(signed_to("kms")), "ExpiredTokenException 400");
  EXPECT_EQ(answer(signed_to("securityhub")), "ExpiredTokenException 403");
  EXPECT_EQ(answer(signed_to("s3")), "ExpiredToken 400");
}

TEST_F(Verify, refuses_a_token_with_a_key_that_has_none) {
  credentials.session_token = "TOKEN";
  EXPECT_EQ(answer(signed_to("sts")), "InvalidClientTokenId 403");
  EXPECT_EQ(answer(signed_to("s3")), "InvalidToken 400");
}

TEST_F(Verify, says_what_an_authorization_lacks) {
  HttpRequest request = signed_to("sts");
  request.headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/sts/aws4_request");
  EXPECT_EQ(answer(request), "IncompleteSignature 400");
  EXPECT_EQ(last_message,
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
            "parameter.");
  request = signed_to("sts");
  request.headers.remove("X-Amz-Date");
  EXPECT_EQ(answer(request), "IncompleteSignature 400");
  for (const char* header :
       {"", " ", "Bearer abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ,,,=,Credential", "Basic YTpi"}) {
    request.headers.set("Authorization", header);
    EXPECT_EQ(answer(request), "IncompleteSignature 400") << header;
  }
  for (const char* credential : {"A", "A/20130524/us-east-1/sts", "/20130524/us-east-1/sts/aws4_request",
                                 "A/20130524//sts/aws4_request", "A/20130524/us-east-1/sts/aws4_request/x"}) {
    request = signed_to("sts");
    request.headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(credential) +
                                             ", SignedHeaders=host;x-amz-date, Signature=00");
    EXPECT_EQ(answer(request), "IncompleteSignature 400") << credential;
  }
  request = signed_to("s3");
  request.headers.set("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=");
  EXPECT_EQ(answer(request, "s3"), "InvalidRequest 400");
}

TEST_F(Verify, refuses_a_scope_that_does_not_fit) {
  HttpRequest request = signed_to("sts");
  request.headers.set("X-Amz-Date", "20130525T000000Z");
  EXPECT_EQ(answer(request), "SignatureDoesNotMatch 403");
  EXPECT_NE(last_message.find("'20130524' != '20130525'"), std::string::npos) << last_message;
  request = signed_to("sts");
  request.headers.set("Authorization",
                      replace_all(std::string(request.headers.get("Authorization")), "aws4_request", "aws5_request"));
  EXPECT_EQ(answer(request), "SignatureDoesNotMatch 403");
  request.headers.set("X-Amz-Date", "yesterday");
  request.headers.set("Authorization",
                      replace_all(std::string(request.headers.get("Authorization")), "aws5_request", "aws4_request"));
  EXPECT_EQ(answer(request), "IncompleteSignature 400");
}

// A scope that names nothing known once let its holder call every service, and by none of S3's rules.
TEST_F(Verify, wants_a_scope_of_the_service_that_is_called) {
  const auto scoped = [&](const std::string& form, const std::string& service, const std::string& region) {
    HttpRequest request = request_to(form);
    EXPECT_TRUE(sign(request, credentials, SigningOptions::for_service(service, region, day)));
    return request;
  };
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
  for (const char* other : {"foo", "fixpoint", "STS", "s3"}) {
    EXPECT_EQ(answer(scoped("sts", other, "us-east-1"), "sts"), "SignatureDoesNotMatch 403") << other;
    EXPECT_EQ(last_message, "Credential should be scoped to correct service: 'sts'.");
    EXPECT_EQ(answer(scoped("kms", other, "us-east-1"), "kms"), "InvalidSignatureException 400") << other;
    EXPECT_EQ(answer(scoped("securityhub", other, "us-east-1"), "securityhub"), "InvalidSignatureException 403");
    EXPECT_EQ(answer(scoped("ec2", other, "us-east-1"), "ec2"), "AuthFailure 401") << other;
  }
  EXPECT_EQ(answer(scoped("s3", "foo", "us-east-1"), "s3"), "AuthorizationHeaderMalformed 400");
  EXPECT_EQ(last_message,
            "The authorization header is malformed; incorrect service \"foo\". This endpoint belongs to \"s3\".");
  EXPECT_EQ(answer(scoped("sts", "sts", "us-east-1"), "sts"), "ok");
  HttpRequest object = request_to("s3");
  object.method = "GET";
  ASSERT_TRUE(presign(object, credentials, SigningOptions::for_service("foo", "us-east-1", day), 60));
  EXPECT_EQ(answer(object, "s3"), "AuthorizationQueryParametersError 400");
}

TEST_F(Verify, wants_a_scope_of_a_region) {
  const auto in_region = [&](const std::string& service, const std::string& region) {
    HttpRequest request = request_to(service);
    EXPECT_TRUE(sign(request, credentials, SigningOptions::for_service(service, region, day)));
    return request;
  };
  for (const std::string& region : {std::string("us east 1"), std::string("us_east_1"), std::string("*"),
                                    std::string("us-east-1:x"), std::string("-"), std::string(64, 'a')}) {
    EXPECT_EQ(answer(in_region("sts", region)), "SignatureDoesNotMatch 403") << region;
    EXPECT_EQ(last_message, "Credential should be scoped to a valid region, not '" + region + "'.");
    EXPECT_EQ(answer(in_region("s3", region)), "AuthorizationHeaderMalformed 400") << region;
  }
  for (const char* region : {"us-gov-west-1", "aws-global", "eu-isoe-west-1"})
    EXPECT_EQ(answer(in_region("sts", region)), "ok") << region;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
TEST_F(Verify, says_of_a_query_of_version_2_that_version_4_is_wanted) {
  HttpRequest object = request_to("s3");
  object.method = "GET";
  object.target += "?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1141889120&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D";
  EXPECT_EQ(answer(object, "s3"), "InvalidRequest 400");
  EXPECT_EQ(last_message,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
  HttpRequest query = request_to("sts");
  query.target = "/?Action=GetCallerIdentity&AWSAccessKeyId=A&Signature=x&SignatureVersion=2";
  EXPECT_EQ(answer(query, "sts"), "IncompleteSignature 400");
  object.target = "/bucket/key?AWSAccessKeyId=A&Expires=1";
  EXPECT_EQ(answer(object, "s3"), "AccessDenied 403");
}

TEST_F(Verify, wants_the_headers_signed_that_say_what_is_called) {
  HttpRequest request = signed_to("kms");
  request.headers.set("Authorization", replace_all(std::string(request.headers.get("Authorization")), "host;", ""));
  EXPECT_EQ(answer(request), "InvalidSignatureException 400");
  EXPECT_EQ(last_message, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  HttpRequest without_target = request_to("kms");
  without_target.headers.remove("X-Amz-Target");
  ASSERT_TRUE(sign(without_target, credentials, SigningOptions::for_service("kms", "us-east-1", day)));
  without_target.headers.add("X-Amz-Target", "TrentService.ScheduleKeyDeletion");
  EXPECT_EQ(answer(without_target), "InvalidSignatureException 400");
  HttpRequest object = signed_to("s3");
  object.headers.add("x-amz-acl", "public-read");
  EXPECT_EQ(answer(object), "AccessDenied 403");
  EXPECT_EQ(last_message, "There were headers present in the request which were not signed");
}

TEST_F(Verify, holds_the_body_against_its_hash) {
  HttpRequest request = signed_to("s3");
  request.body = "hallo";
  EXPECT_EQ(answer(request), "XAmzContentSHA256Mismatch 400");
  request = request_to("s3");
  SigningOptions options = SigningOptions::for_service("s3", "us-east-1", day);
  options.body_signed = false;
  ASSERT_TRUE(sign(request, credentials, options));
  request.body = "anything";
  EXPECT_EQ(answer(request), "ok");
  request = request_to("s3");
  options.body_signed = true;
  options.sends_content_sha256 = false;
  ASSERT_TRUE(sign(request, credentials, options));
  EXPECT_EQ(answer(request), "InvalidRequest 400");
  request.headers.set("x-amz-content-sha256", "not a hash");
  EXPECT_EQ(answer(request), "AccessDenied 403");  // it is not signed
}

TEST_F(Verify, takes_a_presigned_url_until_it_expires) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/bucket/a%20b?versionId=1";
  request.headers.add("Host", "127.0.0.1:9000");
  ASSERT_TRUE(presign(request, credentials, SigningOptions::for_service("s3", "us-east-1", day), 300));
  const auto verified = verifier.verify(request);
  ASSERT_TRUE(verified) << describe(verified.error());
  EXPECT_TRUE(verified->presigned);
  clock.set_ms(day + 300'000);
  EXPECT_EQ(answer(request), "ok");
  clock.set_ms(day + 301'000);
  EXPECT_EQ(answer(request), "AccessDenied 403");
  EXPECT_EQ(last_message, "Request has expired");
  clock.set_ms(day - 16 * 60'000);
  EXPECT_EQ(answer(request), "AccessDenied 403");
  EXPECT_EQ(last_message, "Request is not yet valid");
  clock.set_ms(day);
  HttpRequest changed = request;
  changed.target = replace_all(request.target, "versionId=1", "versionId=2");
  EXPECT_EQ(answer(changed), "SignatureDoesNotMatch 403");
  changed.target = replace_all(request.target, "X-Amz-Expires=300", "X-Amz-Expires=604801");
  EXPECT_EQ(answer(changed), "AuthorizationQueryParametersError 400");
  changed.target = replace_all(request.target, "X-Amz-Expires=300", "X-Amz-Expires=-1");
  EXPECT_EQ(answer(changed), "AuthorizationQueryParametersError 400");
  changed.target = replace_all(request.target, "&X-Amz-Expires=300", "");
  EXPECT_EQ(answer(changed), "AuthorizationQueryParametersError 400");
  changed = request;
  changed.headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request");
  EXPECT_EQ(answer(changed), "InvalidArgument 400");
}

TEST_F(Verify, answers_an_expired_presigned_call_as_its_service_does) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/?Action=GetCallerIdentity&Version=2011-06-15";
  request.headers.add("Host", "sts.amazonaws.com");
  ASSERT_TRUE(presign(request, credentials, SigningOptions::for_service("sts", "us-east-1", day), 60));
  EXPECT_EQ(answer(request), "ok");
  clock.set_ms(day + 61'000);
  EXPECT_EQ(answer(request), "SignatureDoesNotMatch 403");
  EXPECT_EQ(last_message, "Signature expired: 20130524T000100Z is now earlier than 20130524T000101Z");
}

TEST_F(Verify, never_says_a_secret) {
  credentials = {"ASIASESSION", "session secret", "TOKEN"};
  for (const char* service : {"sts", "ec2", "kms", "securityhub", "s3"}) {
    HttpRequest request = signed_to(service);
    const std::string authorization(request.headers.get("Authorization"));
    const std::string right = authorization.substr(authorization.find("Signature=") + 10);
    request.headers.set("Authorization", replace_all(authorization, right, std::string(64, '0')));
    const auto refused = verifier.verify(request);
    ASSERT_FALSE(refused);
    for (const std::string& word : {right, std::string("session secret"), std::string("TOKEN")}) {
      EXPECT_EQ(describe(refused.error()).find(word), std::string::npos) << service;
    }
  }
}

TEST_F(Verify, bounds_the_list_of_signed_headers) {
  HttpRequest request = signed_to("sts");
  std::string names = "host";
  for (int i = 0; i < 5000; ++i) names += ";a";
  request.headers.set(
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/sts/aws4_request, SignedHeaders=" + names +
          ", Signature=00");
  EXPECT_EQ(answer(request), "IncompleteSignature 400");
}

// The upload of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html: 66560 letters in two chunks.
class Streaming : public Verify {
 protected:
  HttpRequest upload(const std::string& kind, bool trailer) {
    HttpRequest request;
    request.method = "PUT";
    request.target = "/examplebucket/chunkObject.txt";
    request.headers = {{"Host", "s3.amazonaws.com"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"x-amz-content-sha256", kind},
                       {"Content-Encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "66560"}};
    if (trailer)
      request.headers.add("x-amz-trailer", "x-amz-checksum-crc32c");
    else
      request.headers.add("Content-Length", "66824");
    EXPECT_TRUE(sign(request, credentials, SigningOptions::for_service("s3", "us-east-1", day)));
    seed = std::string(request.headers.get("Authorization"));
    seed = seed.substr(seed.find("Signature=") + 10);
    const CredentialScope scope{"20130524", "us-east-1", "s3"};
    signing = {derive_signing_key(secret, scope), "20130524T000000Z", scope.to_string(), seed};
    return request;
  }
  static std::string framed(std::string_view chunk, std::string_view signature) {
    const std::string digits = chunk.empty() ? "0" : chunk.size() == 65536 ? "10000" : "400";
    return digits + ";chunk-signature=" + std::string(signature) + "\r\n" + std::string(chunk) + "\r\n";
  }
  std::string seed;
  ChunkSigning signing;
  const std::string first = std::string(65536, 'a');
  const std::string second = std::string(1024, 'a');
};

TEST_F(Streaming, takes_the_documented_upload_in_chunks) {
  HttpRequest request = upload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false);
  ASSERT_EQ(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  request.body = framed(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
                 framed(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
                 framed("", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
  ASSERT_EQ(request.body.size(), 66824U);
  const auto verified = verifier.verify(request);
  ASSERT_TRUE(verified) << describe(verified.error());
  ASSERT_TRUE(verified->decoded_body);
  EXPECT_EQ(verified->decoded_body->payload, first + second);

  HttpRequest changed = request;
  changed.body[100] = 'b';
  EXPECT_EQ(answer(changed), "SignatureDoesNotMatch 403");
  changed = request;
  changed.body = framed(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(answer(changed), "SignatureDoesNotMatch 403");
  changed.body = framed("", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
  EXPECT_EQ(answer(changed), "SignatureDoesNotMatch 403");
  for (const std::size_t cut : {0, 1, 50, 87, 1000, 65623, 65624, 66700}) {
    changed.body = request.body.substr(0, cut);
    EXPECT_EQ(answer(changed), "IncompleteBody 400") << cut;
  }
}

TEST_F(Streaming, takes_trailers_with_their_signature) {
  HttpRequest request = upload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true);
  // As on https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
  EXPECT_EQ(seed, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  const std::string one = chunk_signature(signing, seed, first);
  EXPECT_EQ(one, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  const std::string two = chunk_signature(signing, one, second);
  EXPECT_EQ(two, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  const std::string end = chunk_signature(signing, two, "");
  EXPECT_EQ(end, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  const std::string trailer = trailer_signature(signing, end, "x-amz-checksum-crc32c:sOO8/Q==\n");
  std::string last = framed("", end);
  last.resize(last.size() - 2);
  const std::string chunks = framed(first, one) + framed(second, two) + last;
  request.body = chunks + "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + trailer + "\r\n\r\n";
  const auto verified = verifier.verify(request);
  ASSERT_TRUE(verified) << describe(verified.error());
  ASSERT_EQ(verified->decoded_body->trailers.size(), 1U);
  EXPECT_EQ(verified->decoded_body->trailers[0].first, "x-amz-checksum-crc32c");
  EXPECT_EQ(verified->decoded_body->trailers[0].second, "sOO8/Q==");
  request.body = chunks + "x-amz-checksum-crc32c:AAAA/Q==\r\nx-amz-trailer-signature:" + trailer + "\r\n\r\n";
  EXPECT_EQ(answer(request), "SignatureDoesNotMatch 403");
  request.body = chunks + "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
  EXPECT_EQ(answer(request), "SignatureDoesNotMatch 403");
  request.body = chunks + "\r\n";  // a trailer was announced
  EXPECT_EQ(answer(request), "MalformedTrailerError 400");
}

TEST_F(Streaming, takes_unsigned_chunks_with_a_trailer) {
  HttpRequest request = upload("STREAMING-UNSIGNED-PAYLOAD-TRAILER", true);
  request.body = "10000\r\n" + first + "\r\n400\r\n" + second + "\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
  const auto verified = verifier.verify(request);
  ASSERT_TRUE(verified) << describe(verified.error());
  EXPECT_EQ(verified->decoded_body->payload, first + second);
  EXPECT_EQ(verified->decoded_body->trailers.at(0).second, "sOO8/Q==");
  request.body = "400\r\n" + second + "\r\n0\r\n\r\n";
  EXPECT_EQ(answer(request), "IncompleteBody 400");
  for (const char* body : {"", "zz\r\n", "-1\r\n", "ffffffffffffffffffff\r\n", "FFFFFFFFFFFFFFF\r\nabc",
                           "3\r\nabcd\r\n0\r\n", "0\r\nno colon\r\n", "0\r\n:empty\r\n"}) {
    request.body = body;
    EXPECT_EQ(answer(request), "IncompleteBody 400") << body;
  }
}

}  // namespace
}  // namespace fixpoint::aws
