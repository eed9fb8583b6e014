#include "aws/compression.h"

#include <fstream>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/router.h"
#include "base/text.h"
#include "json/text.h"
#include "support/temp_dir.h"

// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
namespace fixpoint::aws {
namespace {

Environment variables(std::map<std::string, std::string, std::less<>> set) {
  return [set = std::move(set)](std::string_view name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

// CloudWatch's PutMetricData with as many metrics as it takes to be worth compressing.
json::Value metrics(int count) {
  json::Array data;
  for (int i = 0; i < count; ++i)
    data.emplace_back(json::Object{{"MetricName", "metric" + std::to_string(i)}, {"Value", 1.5}, {"Unit", "Seconds"}});
  return json::Object{{"Namespace", "mine"}, {"MetricData", std::move(data)}};
}

HttpRequest put_metrics(int count, Protocol protocol, CompressionSettings settings = {}) {
  const auto service = models().get("cloudwatch").value();
  ClientOptions options;
  options.protocol = protocol;
  options.compression = settings;
  return serialize_request(*service->find_operation("PutMetricData"), metrics(count), options).value();
}

Result<json::Value> received(const HttpRequest& request, std::string_view signing_name) {
  const Router router(models(), {.hosts = {"127.0.0.1"}});
  const auto routed = router.route(request, signing_name);
  if (!routed) return fail(routed.error().error);
  return parse_request(*routed, request);
}

TEST(compression, reads_what_gzip_wrote) {
  // printf 'hello, hello, hello\n' | gzip -n | xxd -p
  const auto bytes = hex_decode("1f8b0800000000000003cb48cdc9c9d751c840a2b800e7426e5214000000");
  ASSERT_TRUE(bytes);
  const auto plain = gunzip(*bytes, 100);
  ASSERT_TRUE(plain) << describe(plain.error());
  EXPECT_EQ(*plain, "hello, hello, hello\n");
}

TEST(compression, gives_back_what_it_was_given) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>((i * 7919) >> 3);
  for (const std::string& one : {std::string(), std::string("x"), text, std::string(1'000'000, 'a')}) {
    const auto plain = gunzip(gzip(one), 2'000'000);
    ASSERT_TRUE(plain) << describe(plain.error());
    EXPECT_EQ(*plain, one);
  }
}

TEST(compression, reads_several_members_as_one_text) {  // RFC 1952 section 2.2
  EXPECT_EQ(gunzip(gzip("one, ") + gzip("two"), 100).value(), "one, two");
}

TEST(compression, refuses_what_is_cut_short_changed_or_followed_by_something_else) {
  const std::string whole = gzip("some text that is long enough to be cut in several places");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(gunzip(std::string_view(whole).substr(0, length), 1000)) << length;
  std::string changed = whole;
  changed[whole.size() - 6] ^= 1;  // in the CRC of what it holds
  EXPECT_EQ(gunzip(changed, 1000).error().code, "SerializationException");
  EXPECT_EQ(gunzip(whole + "and more", 1000).error().code, "SerializationException");
  EXPECT_EQ(gunzip("no gzip at all", 1000).error().code, "SerializationException");
}

TEST(compression, makes_no_more_of_a_bomb_than_the_limit) {
  const std::string bomb = gzip(std::string(50'000'000, '0'));
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(gunzip(bomb, 1'000'000).error().code, "RequestEntityTooLarge");
  EXPECT_TRUE(gunzip(gzip(std::string(1'000'000, '0')), 1'000'000)) << "the limit itself is allowed";
  EXPECT_FALSE(gunzip(gzip(std::string(1'000'001, '0')), 1'000'000));
  EXPECT_EQ(gunzip_beginning(bomb, 10), "0000000000");
}

TEST(compression, is_done_from_10240_bytes_on_and_said_in_the_header) {
  for (const Protocol protocol : {Protocol::Query, Protocol::Json}) {
    const HttpRequest small = put_metrics(3, protocol);
    EXPECT_FALSE(small.headers.has("Content-Encoding"));
    const HttpRequest plain = put_metrics(300, protocol, {.enabled = false});
    ASSERT_GE(plain.body.size(), 10'240U);
    EXPECT_FALSE(plain.headers.has("Content-Encoding")) << "it is switched off";
    const HttpRequest coded = put_metrics(300, protocol);
    EXPECT_EQ(coded.headers.get("Content-Encoding"), "gzip");
    EXPECT_EQ(gunzip(coded.body, 1'000'000).value(), plain.body);
    EXPECT_LT(coded.body.size(), plain.body.size() / 5);
    // The bound is inclusive.
    EXPECT_TRUE(put_metrics(300, protocol, {.min_bytes = plain.body.size()}).headers.has("Content-Encoding"));
    EXPECT_FALSE(put_metrics(300, protocol, {.min_bytes = plain.body.size() + 1}).headers.has("Content-Encoding"));
  }
}

TEST(compression, is_not_done_for_operations_whose_service_does_not_take_it) {
  const auto service = models().get("securityhub").value();
  const json::Value input = json::Object{{"Findings", json::Array{json::Object{{"Title", std::string(50'000, 't')}}}}};
  const auto request = serialize_request(*service->find_operation("BatchImportFindings"), input).value();
  EXPECT_FALSE(request.headers.has("Content-Encoding"));
  EXPECT_GT(request.body.size(), 50'000U);
}

TEST(compression, is_taken_off_by_the_server_in_both_of_cloudwatchs_protocols) {
  for (const Protocol protocol : {Protocol::Query, Protocol::Json}) {
    const auto input = received(put_metrics(300, protocol), "monitoring");
    ASSERT_TRUE(input) << protocol_name(protocol) << describe(input.error());
    EXPECT_EQ(*input, metrics(300)) << protocol_name(protocol);
  }
}

TEST(compression, of_a_body_that_breaks_off_or_swells_is_refused_by_the_server) {
  HttpRequest request = put_metrics(300, Protocol::Query);
  request.body.resize(request.body.size() - 4);
  EXPECT_EQ(received(request, "monitoring").error().code, "MalformedInput");
  request.body = gzip("Action=PutMetricData&Version=2010-08-01&Namespace=" + std::string(17UL * 1024 * 1024, 'n'));
  const auto swollen = received(request, "monitoring");
  ASSERT_FALSE(swollen);
  EXPECT_EQ(swollen.error().code, "RequestEntityTooLarge");
  EXPECT_EQ(swollen.error().http_status, 413);
  request.body = "Action=PutMetricData&Version=2010-08-01&Namespace=n";
  EXPECT_FALSE(received(request, "monitoring")) << "it says gzip and is none";
}

TEST(compression, that_is_the_callers_own_is_left_alone) {
  HttpRequest request;
  request.method = "PUT";
  request.target = "/bucket/logs.gz";
  request.headers = {{"Host", "127.0.0.1"}, {"Content-Encoding", "gzip"}};
  request.body = gzip("a line\n");
  const auto input = received(request, "s3");
  ASSERT_TRUE(input) << describe(input.error());
  EXPECT_EQ((*input)["ContentEncoding"].string_or(""), "gzip");
  EXPECT_EQ((*input)["Body"].string_or(""), base64_encode(request.body));
}

// The trait as botocore's newer models have it, with a Content-Encoding of the caller's own beside it.
TEST(compression, comes_after_codings_that_the_caller_names) {
  const json::Value model = *json::parse(R"({"metadata": {"protocol": "rest-json", "apiVersion": "2020-01-01"},
    "operations": {"Put": {"name": "Put", "http": {"method": "POST", "requestUri": "/put"}, "input": {"shape": "In"},
      "requestcompression": {"encodings": ["gzip"]}, "httpChecksumRequired": true}},
    "shapes": {"Text": {"type": "string"}, "In": {"type": "structure", "members": {
      "encoding": {"shape": "Text", "location": "header", "locationName": "Content-Encoding"},
      "data": {"shape": "Text"}}}}})");
  const auto service = Service::from_botocore("x", model, nullptr, nullptr).value();
  const Operation& operation = *service->find_operation("Put");
  const json::Value input = json::Object{{"encoding", "custom"}, {"data", std::string(20'000, 'd')}};
  HttpRequest request = serialize_request(operation, input).value();
  EXPECT_EQ(request.headers.get("Content-Encoding"), "custom, gzip");
  Routed routed;
  routed.service = service;
  routed.operation = &operation;
  const auto read = parse_request(routed, request);
  ASSERT_TRUE(read) << describe(read.error()) << " (its MD5 is that of the compressed body)";
  EXPECT_EQ(*read, input);
  request.body = gzip("{\"data\": \"other\"}");
  EXPECT_EQ(parse_request(routed, request).error().code, "BadDigest");
}

TEST(compression_settings, are_read_from_the_environment_and_the_config_file) {
  EXPECT_TRUE(compression_settings(variables({}))->enabled);
  EXPECT_EQ(compression_settings(variables({}))->min_bytes, 10'240U);
  const auto off = compression_settings(variables({{"AWS_DISABLE_REQUEST_COMPRESSION", "TRUE"}}));
  EXPECT_FALSE(off->enabled);
  EXPECT_EQ(compression_settings(variables({{"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "0"}}))->min_bytes, 0U);

  const test::TempDir folder;
  const auto file = folder.path() / "config";
  std::ofstream(file) << "[default]\ndisable_request_compression = true\n"
                         "[profile small]\nrequest_min_compression_size_bytes = 128 # few\n";
  EXPECT_FALSE(compression_settings(variables({{"AWS_CONFIG_FILE", file.string()}}))->enabled);
  const auto small = compression_settings(variables({{"AWS_CONFIG_FILE", file.string()}, {"AWS_PROFILE", "small"}}));
  EXPECT_TRUE(small->enabled);
  EXPECT_EQ(small->min_bytes, 128U);
  const auto both = compression_settings(variables({{"AWS_CONFIG_FILE", file.string()},
                                                    {"AWS_PROFILE", "small"},
                                                    {"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "256"}}));
  EXPECT_EQ(both->min_bytes, 256U) << "the environment goes first";
}

TEST(compression_settings, that_mean_nothing_are_named) {
  const auto word = compression_settings(variables({{"AWS_DISABLE_REQUEST_COMPRESSION", "perhaps"}}));
  ASSERT_FALSE(word);
  EXPECT_EQ(word.error().message, "AWS_DISABLE_REQUEST_COMPRESSION is 'perhaps': it has to be true or false");
  for (const char* value : {"-1", "10485761", "many", "1.5"})
    EXPECT_FALSE(compression_settings(variables({{"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", value}}))) << value;
}

}  // namespace
}  // namespace fixpoint::aws
