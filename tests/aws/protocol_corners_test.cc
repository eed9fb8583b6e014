#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/router.h"
#include "base/text.h"
#include "json/text.h"

// Corners of the protocols, one by one, as AWS's own pages and the RFCs have them; the suites are not asked here.
namespace fixpoint::aws {
namespace {

using json::Value;

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

const Operation& operation_of(std::string_view service, std::string_view operation) {
  static std::vector<std::shared_ptr<const Service>> kept;
  kept.push_back(models().get(service).value());
  const Operation* found = kept.back()->find_operation(operation);
  if (found == nullptr) throw std::runtime_error("no operation " + std::string(operation));
  return *found;
}

HttpRequest sent(std::string_view service, std::string_view operation, std::string_view input,
                 const ClientOptions& options = {}) {
  const auto request = serialize_request(operation_of(service, operation), json::parse(input).value(), options);
  if (!request) throw std::runtime_error(describe(request.error()));
  return *request;
}

struct Received {
  std::string service;
  std::string operation;
  Protocol protocol = Protocol::Json;
  Value input;
  std::string error;  // "CODE" or "CODE STATUS" where it was refused
};

Received received(const HttpRequest& request, std::string_view signing_name) {
  const Router router(models(), {.hosts = {"localhost", "127.0.0.1"}});
  const auto routed = router.route(request, signing_name);
  if (!routed) return {.error = routed.error().error.code};
  Received out{std::string(routed->service->name), std::string(routed->operation->name), routed->protocol, {}, {}};
  auto input = parse_request(*routed, request);
  if (input)
    out.input = std::move(*input);
  else
    out.error = input.error().code;
  return out;
}

HttpRequest request(std::string method, std::string target, Headers headers = {}, std::string body = {}) {
  HttpRequest made;
  made.method = std::move(method);
  made.target = std::move(target);
  made.headers = std::move(headers);
  if (!made.headers.has("Host")) made.headers.add("Host", "localhost:4566");
  made.body = std::move(body);
  return made;
}

HttpResponse response(int status, std::string body, Headers headers = {}) {
  HttpResponse made;
  made.status = status;
  made.headers = std::move(headers);
  made.body = std::move(body);
  return made;
}

Value object(std::string_view text) {
  return json::parse(text).value();
}

// ---- S3's two ways to name a bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

TEST(s3_addressing, puts_the_bucket_into_the_host_or_the_path) {
  ClientOptions options;
  options.host = "s3.us-west-2.amazonaws.com";
  constexpr auto input = R"({"Bucket": "amzn-s3-demo-bucket1", "Key": "photos/puppy.png"})";
  const auto path_style = [&](std::string_view in) {
    options.s3_virtual_host = false;
    return sent("s3", "GetObject", in, options);
  };
  const auto virtual_host = [&](std::string_view in) {
    options.s3_virtual_host = true;
    return sent("s3", "GetObject", in, options);
  };
  EXPECT_EQ(virtual_host(input).headers.get("Host"), "amzn-s3-demo-bucket1.s3.us-west-2.amazonaws.com");
  EXPECT_EQ(virtual_host(input).target, "/photos/puppy.png");
  EXPECT_EQ(path_style(input).headers.get("Host"), "s3.us-west-2.amazonaws.com");
  EXPECT_EQ(path_style(input).target, "/amzn-s3-demo-bucket1/photos/puppy.png");
  // A dot would not fit the wildcard certificate.
  EXPECT_EQ(virtual_host(R"({"Bucket": "www.example.com", "Key": "k"})").target, "/www.example.com/k");
}

TEST(s3_addressing, is_read_wherever_the_bucket_stands) {
  for (const std::string host :
       {"amzn-s3-demo-bucket1.s3.us-west-2.amazonaws.com", "amzn-s3-demo-bucket1.s3.amazonaws.com",
        "amzn-s3-demo-bucket1.s3-us-west-2.amazonaws.com", "amzn-s3-demo-bucket1.s3.dualstack.us-west-2.amazonaws.com",
        "amzn-s3-demo-bucket1.localhost:4566", "amzn-s3-demo-bucket1.s3.localhost:4566"}) {
    const auto got = received(request("GET", "/photos/puppy.png", {{"Host", host}}), "s3");
    EXPECT_EQ(got.operation, "GetObject") << host << got.error;
    EXPECT_EQ(got.input, object(R"({"Bucket": "amzn-s3-demo-bucket1", "Key": "photos/puppy.png"})")) << host;
    EXPECT_EQ(received(request("GET", "/?location", {{"Host", host}}), "s3").operation, "GetBucketLocation") << host;
  }
  for (const std::string host : {"s3.us-west-2.amazonaws.com", "s3.amazonaws.com", "localhost:4566", "127.0.0.1",
                                 "s3.localhost:4566", "s3.us-west-2.localhost:4566"}) {
    const auto got = received(request("GET", "/amzn-s3-demo-bucket1/photos/puppy.png", {{"Host", host}}), "s3");
    EXPECT_EQ(got.input, object(R"({"Bucket": "amzn-s3-demo-bucket1", "Key": "photos/puppy.png"})")) << host;
    EXPECT_EQ(received(request("GET", "/", {{"Host", host}}), "s3").operation, "ListBuckets") << host;
  }
  const auto dotted = received(request("GET", "/k", {{"Host", "www.example.com.s3.amazonaws.com"}}), "s3");
  EXPECT_EQ(dotted.input["Bucket"].string_or(""), "www.example.com");
}

TEST(s3_addressing, keeps_every_character_of_a_key) {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html; slashes stay, all else is UTF-8 in %XX.
  const auto out = sent("s3", "GetObject", R"({"Bucket": "bbb", "Key": "a b+c//é/../%41?#&=/"})",
                        {.host = "localhost:4566", .base_path = {}, .protocol = {}, .s3_virtual_host = false});
  EXPECT_EQ(out.target, "/bbb/a%20b%2Bc//%C3%A9/../%2541%3F%23%26%3D/");
  EXPECT_EQ(received(out, "s3").input["Key"].string_or(""), "a b+c//é/../%41?#&=/");
}

// ---- Operations of one path, told apart by fixed keys.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

TEST(fixed_query_keys, name_the_operation) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"GET", "/b", "ListObjects"},
      {"GET", "/b?list-type=2&prefix=x", "ListObjectsV2"},
      {"GET", "/b?location", "GetBucketLocation"},
      {"GET", "/b?location=", "GetBucketLocation"},
      {"GET", "/b?versioning", "GetBucketVersioning"},
      {"GET", "/b?versions", "ListObjectVersions"},
      {"GET", "/b?encryption", "GetBucketEncryption"},
      {"GET", "/b?publicAccessBlock", "GetPublicAccessBlock"},
      {"GET", "/b?uploads", "ListMultipartUploads"},
      {"PUT", "/b", "CreateBucket"},
      {"PUT", "/b?acl", "PutBucketAcl"},
      {"DELETE", "/b", "DeleteBucket"},
      {"DELETE", "/b?policy", "DeleteBucketPolicy"},
      {"POST", "/b?delete", "DeleteObjects"},
      {"HEAD", "/b", "HeadBucket"},
      {"GET", "/b/k", "GetObject"},
      {"GET", "/b/k?x-id=GetObject", "GetObject"},
      {"GET", "/b/k?acl", "GetObjectAcl"},
      {"GET", "/b/k?acl&versionId=3", "GetObjectAcl"},
      {"GET", "/b/k?uploadId=u", "ListParts"},
      {"PUT", "/b/k", "PutObject"},
      {"PUT", "/b/k?tagging", "PutObjectTagging"},
      {"PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"},
      {"POST", "/b/k?uploads", "CreateMultipartUpload"},
      {"POST", "/b/k?uploadId=u", "CompleteMultipartUpload"},
      {"DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"},
      {"HEAD", "/b/k", "HeadObject"},
  };
  for (const auto& [method, target, operation] : cases)
    EXPECT_EQ(received(request(method, target), "s3").operation, operation) << method << " " << target;
  const Headers copies{{"x-amz-copy-source", "/other/k"}};
  EXPECT_EQ(received(request("PUT", "/b/k", copies), "s3").operation, "CopyObject");
  EXPECT_EQ(received(request("PUT", "/b/k?partNumber=1&uploadId=u", copies), "s3").operation, "UploadPartCopy");
}

// ---- https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html

// boto3 before 1.28 spells booleans in headers as Python does, and S3 takes them.
TEST(s3_headers, may_spell_a_boolean_with_a_capital) {
  for (const auto* text : {"True", "true", "TRUE"}) {
    const auto made = received(request("PUT", "/b", {{"x-amz-bucket-object-lock-enabled", text}}), "s3");
    EXPECT_EQ(made.input["ObjectLockEnabledForBucket"], Value(true)) << text << made.error;
  }
  EXPECT_EQ(received(request("PUT", "/b", {{"x-amz-bucket-object-lock-enabled", "yes"}}), "s3").error,
            "SerializationException");
  EXPECT_TRUE(received(request("PUT", "/b/k"), "s3").input["Metadata"].is_null());
}

TEST(get_bucket_location, answers_with_its_member_as_the_root) {
  const Operation& operation = operation_of("s3", "GetBucketLocation");
  const std::string named =
      R"(<?xml version="1.0" encoding="UTF-8"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">us-west-2</LocationConstraint>)";
  EXPECT_EQ(*parse_response(operation, response(200, named)), object(R"({"LocationConstraint": "us-west-2"})"));
  // us-east-1 has no constraint.
  for (const char* body :
       {R"(<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>)",
        R"(<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>)"})
    EXPECT_EQ(*parse_response(operation, response(200, body)), object("{}")) << body;
  Routed routed;
  routed.service = models().get("s3").value();
  routed.operation = &operation;
  routed.protocol = Protocol::RestXml;
  const auto answer = serialize_response(routed, object(R"({"LocationConstraint": "eu-west-1"})"), "id");
  EXPECT_NE(
      answer.body.find(
          R"(<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>)"),
      std::string::npos)
      << answer.body;
}

// ---- A part of an object is answered with 206, which no model says. RFC 9110 section 15.3.7

TEST(part_of_an_object, is_answered_with_206) {
  const auto answer = [](std::string_view operation, std::string_view output) {
    Routed routed;
    routed.service = models().get("s3").value();
    routed.operation = &operation_of("s3", operation);
    routed.protocol = Protocol::RestXml;
    return serialize_response(routed, object(output), "id");
  };
  const auto part = answer("GetObject", R"({"Body": "ZWw=", "ContentLength": 2, "ContentRange": "bytes 1-2/5"})");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 1-2/5");
  EXPECT_EQ(part.body, "el");
  EXPECT_EQ(answer("HeadObject", R"({"ContentLength": 2, "ContentRange": "bytes 1-2/5"})").status, 206);
  EXPECT_EQ(answer("GetObject", R"({"Body": "ZWw=", "ContentLength": 2})").status, 200);
}

// ---- "a 200 OK response can contain either a success or an error":
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html

TEST(error_inside_a_200, is_an_error) {
  const std::string body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n"
      "<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>"
      "<RequestId>656c76696e6727732072657175657374</RequestId></Error>";
  for (const char* operation : {"CopyObject", "UploadPartCopy", "CompleteMultipartUpload", "DeleteObjects"}) {
    const auto outcome = parse_response(operation_of("s3", operation), response(200, body));
    ASSERT_FALSE(outcome) << operation;
    EXPECT_EQ(outcome.error().error.code, "InternalError");
    EXPECT_EQ(outcome.error().error.message, "We encountered an internal error. Please try again.");
    EXPECT_TRUE(outcome.error().error.retryable);
    EXPECT_EQ(outcome.error().request_id, "656c76696e6727732072657175657374");
  }
  const auto slow = parse_response(
      operation_of("s3", "CopyObject"),
      response(200, "   \n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().error.code, "SlowDown");
}

TEST(error_inside_a_200, is_not_seen_in_what_an_object_holds) {
  const auto outcome =
      parse_response(operation_of("s3", "GetObject"), response(200, "<Error><Code>InternalError</Code></Error>"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ((*outcome)["Body"].string_or(""), base64_encode("<Error><Code>InternalError</Code></Error>"));
}

// ---- Checksums. The check values of "123456789": https://reveng.sourceforge.io/crc-catalogue/all.htm
// (CRC-32/ISO-HDLC cbf43926, CRC-32/ISCSI e3069283, CRC-64/NVME ae8b14860a799888).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

std::string put_object(const std::string& header, const std::string& value, const std::string& body = "123456789") {
  const auto got = received(request("PUT", "/b/k", {{header, value}}, body), "s3");
  return got.error.empty() ? got.operation : got.error;
}

TEST(checksums, that_are_right_are_taken) {
  EXPECT_EQ(put_object("x-amz-checksum-crc32", "y/Q5Jg=="), "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-crc32c", "4waSgw=="), "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-crc64nvme", "rosUhgp5mIg="), "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="), "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="), "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-sha512",
                       "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ=="),
            "PutObject");
  EXPECT_EQ(put_object("x-amz-checksum-md5", "JfnnlDI7RTiF9RgfG2JNCw=="), "PutObject");
  EXPECT_EQ(put_object("Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="), "PutObject");
}

// What nobody checked was stored as if it were right.
TEST(checksums, that_are_not_there_are_refused) {
  for (const char* header : {"x-amz-checksum-xxhash64", "x-amz-checksum-xxhash3", "x-amz-checksum-xxhash128"})
    EXPECT_EQ(put_object(header, "AAAAAAAAAAA="), "NotImplemented") << header;
}

// https://github.com/ceph/s3-tests (test_bucket_list_maxkeys_unreadable, test_bucket_list_maxkeys_invalid)
TEST(s3, a_number_in_the_query_that_is_none_is_an_invalid_argument) {
  for (const char* query :
       {"max-keys=abc", "max-keys=", "max-keys=1.5", "max-keys=2147483648", "list-type=2&max-keys=x"})
    EXPECT_EQ(received(request("GET", std::string("/b?") + query, {}), "s3").error, "InvalidArgument") << query;
  EXPECT_EQ(received(request("GET", "/b?max-keys=-1", {}), "s3").input["MaxKeys"], -1);
}

TEST(checksums, that_are_wrong_are_bad_digests) {
  for (const auto& [header, value] : std::vector<std::pair<std::string, std::string>>{
           {"x-amz-checksum-crc32", "y/Q5Jw=="},
           {"x-amz-checksum-crc32c", "y/Q5Jg=="},
           {"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="},
           {"x-amz-checksum-sha1", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
           {"x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="},
           {"x-amz-checksum-sha512",
            "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
           {"x-amz-checksum-md5", "kAFQmDzST7DWlj99KOF/cg=="},
           {"Content-MD5", "kAFQmDzST7DWlj99KOF/cg=="}})
    EXPECT_EQ(put_object(header, value), "BadDigest") << header;
}

TEST(checksums, that_can_be_none_are_told_apart_from_wrong_ones) {
  for (const char* value : {"", "y/Q5", "not base64!", "y/Q5Jgy/Q5Jg=="})
    EXPECT_EQ(put_object("x-amz-checksum-crc32", value), "InvalidRequest") << value;
  for (const char* value : {"", "JfnnlDI7", "???"})
    EXPECT_EQ(put_object("Content-MD5", value), "InvalidDigest") << value;
}

// ---- aws-chunked. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html

std::string put_chunked(const std::string& body, Headers more = {}) {
  Headers headers{{"Content-Encoding", "aws-chunked"}, {"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}};
  for (const auto& [name, value] : more) headers.set(name, value);
  const auto got = received(request("PUT", "/b/k", headers, body), "s3");
  if (!got.error.empty()) return got.error;
  return base64_decode(got.input["Body"].string_or("")).value_or("?") + "|" +
         std::string(got.input["ContentEncoding"].string_or(""));
}

TEST(aws_chunked, is_taken_apart_with_and_without_a_trailer) {
  EXPECT_EQ(put_chunked("4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n"), "123456789|");
  EXPECT_EQ(put_chunked("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n",
                        {{"x-amz-trailer", "x-amz-checksum-crc32"}, {"x-amz-decoded-content-length", "9"}}),
            "123456789|");
  EXPECT_EQ(put_chunked("0\r\n\r\n"), "|") << "an empty object";
  // What is left of the encoding is the object's own.
  EXPECT_EQ(put_chunked("1\r\nx\r\n0\r\n\r\n", {{"Content-Encoding", "aws-chunked,gzip"}}), "x|gzip");
}

TEST(aws_chunked, is_refused_where_trailer_length_or_framing_are_wrong) {
  EXPECT_EQ(put_chunked("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), "BadDigest");
  EXPECT_EQ(put_chunked("9\r\n123456789\r\n0\r\n\r\n", {{"x-amz-decoded-content-length", "10"}}), "IncompleteBody");
  for (const char* body : {"9\r\n12345678", "9\r\n123456789\r\n", "9\r\n123456789", "x\r\n1\r\n0\r\n\r\n", "",
                           "ffffffffffffffff\r\n1\r\n0\r\n\r\n", "-1\r\n\r\n0\r\n\r\n", "8\r\n123456789\r\n0\r\n\r\n"})
    EXPECT_EQ(put_chunked(body), "IncompleteBody") << body;
  EXPECT_EQ(put_chunked("1\r\nx\r\n0\r\n\r\n", {{"x-amz-decoded-content-length", "one"}}), "InvalidArgument");
}

// ---- Two services of one signing name.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html (version 2015-12-01)
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html

TEST(elastic_load_balancing, is_told_apart_by_its_version) {
  const auto call = [](const std::string& version) {
    return received(request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}},
                            "Action=DescribeLoadBalancers" + version),
                    "elasticloadbalancing");
  };
  EXPECT_EQ(call("&Version=2012-06-01").service, "elb");
  EXPECT_EQ(call("&Version=2015-12-01").service, "elbv2");
  EXPECT_EQ(call("&Version=2012-06-01&LoadBalancerNames.member.1=a").input, object(R"({"LoadBalancerNames": ["a"]})"));
  EXPECT_EQ(call("&Version=2015-12-01&Names.member.1=a").input, object(R"({"Names": ["a"]})"));
  EXPECT_EQ(call("&Version=2011-11-15").error, "InvalidAction");
}

// ---- Host prefixes. https://smithy.io/2.0/spec/endpoint-traits.html

TEST(host_prefix, holds_labels_of_the_input) {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
  ClientOptions options;
  options.host = "s3-control.us-west-2.amazonaws.com";
  EXPECT_EQ(sent("s3control", "GetPublicAccessBlock", R"({"AccountId": "123456789012"})", options).headers.get("Host"),
            "123456789012.s3-control.us-west-2.amazonaws.com");
  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
  options.host = "states.us-west-2.amazonaws.com";
  EXPECT_EQ(sent("stepfunctions", "StartSyncExecution", R"({"stateMachineArn": "a"})", options).headers.get("Host"),
            "sync-states.us-west-2.amazonaws.com");
  options.host_prefix = false;
  EXPECT_EQ(sent("stepfunctions", "StartSyncExecution", R"({"stateMachineArn": "a"})", options).headers.get("Host"),
            "states.us-west-2.amazonaws.com");
}

TEST(host_prefix, takes_no_label_that_would_lead_elsewhere) {
  const Operation& operation = operation_of("s3control", "GetPublicAccessBlock");
  for (const char* account : {"", "evil.example/", "a b", "1:2", "x@y", "-\n"}) {
    const auto refused = serialize_request(operation, json::Object{{"AccountId", account}}, {.host = "h"});
    ASSERT_FALSE(refused) << account;
    EXPECT_EQ(refused.error().code, "ValidationException");
  }
}

// ---- Greedy labels. https://smithy.io/2.0/spec/http-bindings.html#greedy-labels

TEST(greedy_labels, take_slashes_and_others_do_not) {
  const std::string arn = "arn:aws:securityhub:us-west-1:123456789012:insight/123456789012/custom/a1b2c3d4";
  const auto out = sent("securityhub", "GetInsightResults", R"({"InsightArn": ")" + arn + "\"}");
  EXPECT_EQ(
      out.target,
      "/insights/results/arn%3Aaws%3Asecurityhub%3Aus-west-1%3A123456789012%3Ainsight/123456789012/custom/a1b2c3d4");
  const auto got = received(out, "securityhub");
  EXPECT_EQ(got.operation, "GetInsightResults");
  EXPECT_EQ(got.input["InsightArn"].string_or(""), arn);
  // The same with every slash escaped, as some clients send it.
  EXPECT_EQ(
      received(request("GET", "/insights/results/" + uri_encode(arn)), "securityhub").input["InsightArn"].string_or(""),
      arn);
  // https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html: one segment, so that slashes are escaped.
  const auto tags = sent("lambda", "ListTags", R"({"Resource": "arn:aws:lambda:us-west-1:123456789012:function:a/b"})");
  EXPECT_EQ(tags.target, "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-west-1%3A123456789012%3Afunction%3Aa%2Fb");
  EXPECT_EQ(received(tags, "lambda").input["Resource"].string_or(""),
            "arn:aws:lambda:us-west-1:123456789012:function:a/b");
}

TEST(labels, that_are_empty_cannot_be_sent) {
  const auto refused = serialize_request(operation_of("lambda", "GetFunction"), object(R"({"FunctionName": ""})"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationException");
  EXPECT_NE(refused.error().message.find("FunctionName"), std::string::npos);
}

// ---- Idempotency tokens. https://smithy.io/2.0/spec/behavior-traits.html#idempotencytoken-trait

TEST(idempotency_token, is_made_where_the_caller_gives_none_and_kept_where_he_does) {
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Run_Instance_Idempotency.html
  const auto body_of = [](std::string_view input) { return sent("ec2", "RunInstances", input).body; };
  const std::string made = body_of(R"({"MinCount": 1, "MaxCount": 1})");
  const auto at = made.find("&ClientToken=");
  ASSERT_NE(at, std::string::npos);
  const std::string token = made.substr(at + 13, 36);
  EXPECT_EQ(token[14], '4') << token << " is no UUID of version 4 (RFC 9562 section 5.4)";
  EXPECT_NE(std::string_view("89ab").find(token[19]), std::string_view::npos) << token;
  EXPECT_NE(body_of(R"({"MinCount": 1, "MaxCount": 1})").substr(at), made.substr(at)) << "each call has its own";
  const std::string own = body_of(R"({"MinCount": 1, "MaxCount": 1, "ClientToken": "mine"})");
  EXPECT_NE(own.find("&ClientToken=mine"), std::string::npos);
  EXPECT_EQ(own.find("ClientToken", own.find("ClientToken") + 1), std::string::npos);
}

}  // namespace
}  // namespace fixpoint::aws
