#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/router.h"
#include "base/text.h"
#include "json/text.h"

// Services that are spoken in two protocols, timestamps in every format, and requests that name nothing there is.
namespace fixpoint::aws {
namespace {

using json::Value;

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

tl::expected<Routed, RouteFailure> route(const HttpRequest& request, std::string_view signing_name) {
  static const Router router(models(), {.hosts = {"localhost"}});
  return router.route(request, signing_name);
}

HttpRequest form(std::string body) {
  HttpRequest made;
  made.method = "POST";
  made.target = "/";
  made.headers = {{"Host", "localhost"}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  made.body = std::move(body);
  return made;
}

HttpRequest json_call(const std::string& target, std::string body, const std::string& version = "1.0") {
  HttpRequest made;
  made.method = "POST";
  made.target = "/";
  made.headers = {
      {"Host", "localhost"}, {"X-Amz-Target", target}, {"Content-Type", "application/x-amz-json-" + version}};
  made.body = std::move(body);
  return made;
}

Value object(std::string_view text) {
  return json::parse(text).value();
}

// ---- SQS. Requests and answers after
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html and
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html

TEST(sqs, is_read_in_the_old_form_and_the_new) {
  const Value expected = object(R"({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/177715257436/MyQueue/",
    "MessageBody": "This is a test message", "DelaySeconds": 5,
    "MessageAttributes": {"my attribute": {"StringValue": "a b", "DataType": "String"}}})");
  const auto old = form(
      "Action=SendMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F177715257436%"
      "2FMyQueue%2F"
      "&MessageBody=This+is+a+test+message&DelaySeconds=5&MessageAttribute.1.Name=my%20attribute"
      "&MessageAttribute.1.Value.StringValue=a+b&MessageAttribute.1.Value.DataType=String");
  const auto now = json_call("AmazonSQS.SendMessage", json::print(expected));
  for (const auto* request : {&old, &now}) {
    const auto routed = route(*request, "sqs");
    ASSERT_TRUE(routed) << describe(routed.error().error);
    EXPECT_EQ(routed->operation->name, "SendMessage");
    EXPECT_EQ(routed->protocol, request == &old ? Protocol::Query : Protocol::Json);
    const auto input = parse_request(*routed, *request);
    ASSERT_TRUE(input) << describe(input.error());
    EXPECT_EQ(*input, expected);
  }
}

TEST(sqs, the_old_form_may_say_the_queue_by_the_path) {
  const auto queue_of = [](const HttpRequest& request) {
    const auto routed = route(request, "sqs");
    if (!routed) return describe(routed.error().error);
    const auto input = parse_request(*routed, request);
    return input ? std::string((*input)["QueueUrl"].string_or("none")) : describe(input.error());
  };
  HttpRequest get;
  get.method = "GET";
  get.target = "/123456789012/MyQueue?Action=SendMessage&MessageBody=hello&Version=2012-11-05";
  get.headers = {{"Host", "localhost"}};
  EXPECT_EQ(queue_of(get), "/123456789012/MyQueue");
  auto post = form("Action=ReceiveMessage&Version=2012-11-05");
  post.target = "/123456789012/MyQueue";
  EXPECT_EQ(queue_of(post), "/123456789012/MyQueue");
  post.body += "&QueueUrl=http%3A%2F%2Flocalhost%2F123456789012%2Fother";
  EXPECT_EQ(queue_of(post), "http://localhost/123456789012/other");
  for (const auto* target : {"/", "/MyQueue", "/a/b/c", "//MyQueue", "/123456789012/"}) {
    post = form("Action=SendMessage&MessageBody=hello&Version=2012-11-05");
    post.target = target;
    EXPECT_EQ(queue_of(post), "none") << target;
  }
  post = form("Action=ListQueues&Version=2012-11-05");
  post.target = "/123456789012/MyQueue";
  EXPECT_EQ(queue_of(post), "none");
}

TEST(sqs, is_answered_in_the_form_that_was_asked) {
  const Value output = object(R"({"MD5OfMessageBody": "fafb00f5732ab283681e124bf8747ed1", "MessageId": "5fea7756"})");
  const auto old = serialize_response(*route(form("Action=SendMessage&Version=2012-11-05"), "sqs"), output, "id-1");
  EXPECT_EQ(old.body,
            "<SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><SendMessageResult>"
            "<MD5OfMessageBody>fafb00f5732ab283681e124bf8747ed1</MD5OfMessageBody><MessageId>5fea7756</MessageId>"
            "</SendMessageResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
            "</SendMessageResponse>");
  const auto now = serialize_response(*route(json_call("AmazonSQS.SendMessage", "{}"), "sqs"), output, "id-1");
  EXPECT_EQ(now.headers.get("Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(object(now.body), output);
}

// A code of the old form stays what clients test for:
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
TEST(query_compatible, errors_have_both_codes) {
  const Error gone = errors::coded("QueueDoesNotExist", "The specified queue does not exist.", 400);
  const auto now = serialize_error(*route(json_call("AmazonSQS.GetQueueUrl", "{}"), "sqs"), gone, "id-1");
  EXPECT_EQ(now.status, 400);
  EXPECT_EQ(now.headers.get("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
  EXPECT_EQ(object(now.body)["__type"].string_or(""), "com.amazonaws.sqs#QueueDoesNotExist");
  const auto old = serialize_error(*route(form("Action=GetQueueUrl&Version=2012-11-05"), "sqs"), gone, "id-1");
  EXPECT_NE(old.body.find("<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), std::string::npos)
      << old.body;

  const auto service = models().get("sqs").value();
  const Operation& operation = *service->find_operation("GetQueueUrl");
  HttpResponse answer;
  answer.status = 400;
  answer.body = R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."})";
  answer.headers = {{"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"}};
  EXPECT_EQ(parse_response(operation, answer).error().error.code, "AWS.SimpleQueueService.NonExistentQueue");
  answer.headers = {};
  EXPECT_EQ(parse_response(operation, answer).error().error.code, "QueueDoesNotExist");
  EXPECT_EQ(serialize_request(operation, object(R"({"QueueName": "q"})")).value().headers.get("x-amzn-query-mode"),
            "true");
}

// ---- CloudWatch. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html

TEST(cloudwatch, is_read_in_the_old_form_and_the_new) {
  const auto old = form(
      "Action=PutMetricData&Version=2010-08-01&Namespace=TestNamespace&MetricData.member.1.MetricName=buffers"
      "&MetricData.member.1.Unit=Bytes&MetricData.member.1.Value=231434333"
      "&MetricData.member.1.Dimensions.member.1.Name=InstanceID&MetricData.member.1.Dimensions.member.1.Value=i-"
      "aaba32d4"
      "&MetricData.member.1.Timestamp=2026-01-02T03%3A04%3A05Z");
  const auto now = json_call(
      "GraniteServiceVersion20100801.PutMetricData",
      R"({"Namespace": "TestNamespace", "MetricData": [{"MetricName": "buffers", "Unit": "Bytes", "Value": 231434333,
        "Dimensions": [{"Name": "InstanceID", "Value": "i-aaba32d4"}], "Timestamp": 1767323045}]})");
  const Value expected = object(
      R"({"Namespace": "TestNamespace", "MetricData": [{"MetricName": "buffers", "Unit": "Bytes", "Value": 231434333,
        "Dimensions": [{"Name": "InstanceID", "Value": "i-aaba32d4"}], "Timestamp": 1767323045}]})");
  for (const auto* request : {&old, &now}) {
    const auto routed = route(*request, "monitoring");
    ASSERT_TRUE(routed) << describe(routed.error().error);
    EXPECT_EQ(routed->service->name, "cloudwatch");
    const auto input = parse_request(*routed, *request);
    ASSERT_TRUE(input) << describe(input.error());
    EXPECT_EQ(*input, expected) << json::print(*input);
  }
}

// ---- Timestamps. https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
// (http-date: the RFC's form, "with optional fractional seconds").
// The instant of RFC 9110 section 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT = 784111777.

class Timestamps : public testing::Test {
 protected:
  static std::shared_ptr<const Service> speaking(const std::string& protocol) {
    return Service::from_botocore(
               "x",
               object(R"({"metadata": {"protocol": ")" + protocol +
                      R"(", "apiVersion": "2020-01-01", "jsonVersion": "1.1",
      "targetPrefix": "X"}, "operations": {"Put": {"name": "Put", "http": {"method": "POST", "requestUri": "/put"},
      "input": {"shape": "In"}}}, "shapes": {
      "Iso": {"type": "timestamp", "timestampFormat": "iso8601"}, "Http": {"type": "timestamp", "timestampFormat": "rfc822"},
      "Epoch": {"type": "timestamp", "timestampFormat": "unixTimestamp"}, "Plain": {"type": "timestamp"},
      "In": {"type": "structure", "members": {"iso": {"shape": "Iso"}, "http": {"shape": "Http"}, "epoch": {"shape": "Epoch"},
        "plain": {"shape": "Plain"})" +
                      std::string(protocol.starts_with("rest") ? R"(, "header": {"shape": "Plain", "location": "header",
        "locationName": "x-when"}, "query": {"shape": "Plain", "location": "querystring", "locationName": "when"})"
                                                               : "") +
                      "}}}}"),
               nullptr, nullptr)
        .value();
  }
  static HttpRequest put(const Service& service, const Value& when) {
    Value input;
    for (const Member& member : service.find_operation("Put")->input->members) input.set(member.name, when);
    return serialize_request(*service.find_operation("Put"), input).value();
  }
};

TEST_F(Timestamps, are_written_as_model_place_and_protocol_say) {
  const std::string iso = "1994-11-06T08:49:37Z";
  const std::string http = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(object(put(*speaking("json"), 784111777).body),
            (Value(json::Object{{"iso", iso}, {"http", http}, {"epoch", 784111777}, {"plain", 784111777}})));
  const HttpRequest rest = put(*speaking("rest-json"), 784111777);
  EXPECT_EQ(object(rest.body),
            (Value(json::Object{{"iso", iso}, {"http", http}, {"epoch", 784111777}, {"plain", 784111777}})));
  EXPECT_EQ(rest.headers.get("x-when"), http) << "a header's default";
  EXPECT_EQ(rest.query(), "when=1994-11-06T08%3A49%3A37Z") << "a query parameter's default";
  const HttpRequest xml = put(*speaking("rest-xml"), 784111777);
  EXPECT_NE(xml.body.find("<iso>" + iso + "</iso><http>" + http + "</http><epoch>784111777</epoch><plain>" + iso +
                          "</plain>"),
            std::string::npos)
      << xml.body;
  const HttpRequest query = put(*speaking("query"), 784111777);
  EXPECT_NE(query.body.find("&plain=1994-11-06T08%3A49%3A37Z"), std::string::npos) << query.body;
  EXPECT_NE(query.body.find("&epoch=784111777"), std::string::npos) << query.body;
}

TEST_F(Timestamps, are_taken_as_text_too_and_keep_their_fraction) {
  for (const char* given : {"1994-11-06T08:49:37.25Z", "1994-11-06T09:49:37.25+01:00"})
    EXPECT_EQ(object(put(*speaking("json"), given).body),
              object(R"({"iso": "1994-11-06T08:49:37.25Z", "http": "Sun, 06 Nov 1994 08:49:37.25 GMT",
                "epoch": 784111777.25, "plain": 784111777.25})"))
        << given << put(*speaking("json"), given).body;
  EXPECT_EQ(object(put(*speaking("json"), "Sun, 06 Nov 1994 08:49:37 GMT").body)["epoch"].int_or(0), 784111777);
}

TEST_F(Timestamps, are_read_by_a_server_in_their_own_format_only) {
  const auto service = speaking("rest-json");
  Routed routed;
  routed.service = service;
  routed.operation = service->find_operation("Put");
  routed.protocol = Protocol::RestJson;
  const auto read = [&](const std::string& member, const std::string& value) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/put";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = "{\"" + member + "\": " + value + "}";
    const auto input = parse_request(routed, request);
    return input ? json::print((*input)[member]) : input.error().code;
  };
  EXPECT_EQ(read("iso", "\"1994-11-06T08:49:37Z\""), "784111777");
  EXPECT_EQ(read("iso", "\"1994-11-06T08:49:37+00:00\""), "784111777");
  EXPECT_EQ(read("http", "\"Sun, 06 Nov 1994 08:49:37 GMT\""), "784111777");
  EXPECT_EQ(read("epoch", "784111777"), "784111777");
  EXPECT_EQ(read("epoch", "784111777.5"), "784111777.5");
  const std::pair<const char*, const char*> wrong[] = {{"iso", "784111777"},
                                                       {"iso", "\"Sun, 06 Nov 1994 08:49:37 GMT\""},
                                                       {"iso", "\"1994-11-06\""},
                                                       {"iso", "\"1994-13-06T08:49:37Z\""},
                                                       {"http", "784111777"},
                                                       {"http", "\"1994-11-06T08:49:37Z\""},
                                                       {"epoch", "\"1994-11-06T08:49:37Z\""},
                                                       {"epoch", "true"},
                                                       {"plain", "\"soon\""}};
  for (const auto& [member, value] : wrong) EXPECT_EQ(read(member, value), "SerializationException") << member << value;
}

// ---- What names nothing that there is.

std::string refusal(const HttpRequest& request, std::string_view signing_name) {
  const auto routed = route(request, signing_name);
  if (routed) return "routed to " + std::string(routed->operation->name);
  const auto answer = serialize_error(routed.error().routed, routed.error().error, "id-1");
  return std::to_string(answer.status) + " " + routed.error().error.code + " " +
         std::string(answer.headers.get("Content-Type"));
}

// As docs/compatibility.md promises of what is not there.
TEST(unknown_services, are_said_not_to_be_there_with_what_was_called) {
  const auto refused = [](const HttpRequest& request, std::string_view signing_name) {
    const auto routed = route(request, signing_name);
    return routed ? "routed to " + std::string(routed->operation->name) : routed.error().error.message;
  };
  HttpRequest path;
  path.method = "GET";
  path.target = "/2013-04-01/hostedzone?maxitems=1";
  path.headers = {{"Host", "localhost"}};
  EXPECT_EQ(refusal(path, "route53"), "501 NotImplemented application/xml");
  EXPECT_NE(refused(path, "route53").find("'route53' is not there in this version (GET /2013-04-01/hostedzone)"),
            std::string::npos)
      << refused(path, "route53");
  EXPECT_EQ(refusal(path, "polly"), "501 NotImplemented application/json");
  path.method = "POST";
  path.body = "  <A/>";
  EXPECT_EQ(refusal(path, "unheard-of"), "501 NotImplemented application/xml");
  const auto targeted = json_call("BaldrApiService.DescribeClusters", "{}", "1.1");
  EXPECT_EQ(refusal(targeted, "cloudhsm"), "501 NotImplemented application/x-amz-json-1.1");
  EXPECT_NE(refused(targeted, "cloudhsm").find("(BaldrApiService.DescribeClusters)"), std::string::npos);
  const auto action = form("Action=DescribeApplications&Version=2010-12-01");
  EXPECT_EQ(refusal(action, "elasticbeanstalk"), "501 NotImplemented text/xml");
  EXPECT_NE(refused(action, "elasticbeanstalk").find("(DescribeApplications)"), std::string::npos);
  // What is another's for sure stays so, for the signature to be held against it.
  EXPECT_EQ(refusal(json_call("TrentService.ListKeys", "{}", "1.1"), "foo"), "routed to ListKeys");
  EXPECT_EQ(refusal(form("Action=GetCallerIdentity&Version=2011-06-15"), "foo"), "routed to GetCallerIdentity");
  path.body.clear();
  path.method = "GET";
  for (const auto* of_s3 : {"s3express", "s3-outposts", ""})
    EXPECT_NE(refusal(path, of_s3).substr(0, 3), "501") << of_s3;
}

TEST(unknown_operations, are_refused_in_the_form_of_the_service) {
  EXPECT_EQ(refusal(json_call("TrentService.OpenDoor", "{}", "1.1"), "kms"),
            "400 UnknownOperationException application/x-amz-json-1.1");
  EXPECT_EQ(refusal(json_call("NoService.ListKeys", "{}", "1.1"), "kms"),
            "400 UnknownOperationException application/x-amz-json-1.1");
  HttpRequest untargeted = json_call("", "{}", "1.1");
  untargeted.headers.remove("X-Amz-Target");
  EXPECT_EQ(refusal(untargeted, "kms"), "400 UnknownOperationException application/x-amz-json-1.1");
  // https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
  EXPECT_EQ(refusal(form("Action=OpenDoor&Version=2010-05-08"), "iam"), "400 InvalidAction text/xml");
  EXPECT_EQ(refusal(form("Version=2010-05-08"), "iam"), "400 MissingAction text/xml");
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
  EXPECT_EQ(refusal(form("Action=OpenDoor&Version=2016-11-15"), "ec2"), "400 InvalidAction text/xml;charset=UTF-8");
  HttpRequest path;
  path.method = "GET";
  path.target = "/no/such/path";
  path.headers = {{"Host", "localhost"}};
  EXPECT_EQ(refusal(path, "securityhub"), "404 UnknownOperationException application/json");
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  path.method = "PATCH";
  EXPECT_EQ(refusal(path, "s3"), "405 MethodNotAllowed application/xml");
}

TEST(unknown_operations, of_one_service_are_not_found_in_another) {
  EXPECT_EQ(refusal(json_call("TrentService.ListKeys", "{}", "1.1"), "logs"),
            "400 UnknownOperationException application/x-amz-json-1.1");
  EXPECT_NE(refusal(form("Action=ListUsers&Version=2010-05-08"), "sns").find("InvalidAction"), std::string::npos);
}

}  // namespace
}  // namespace fixpoint::aws
