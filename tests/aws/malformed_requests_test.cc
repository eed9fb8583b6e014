// What a server answers to requests that do not fit the protocol: data/malformed_requests.json, in words of our own
// after the facts of https://smithy.io/2.0/additional-specs/http-protocol-compliance-tests.html (restJson1's malformed
// requests).
#include <gtest/gtest.h>

#include "aws/model.h"
#include "aws/protocol.h"
#include "aws/validate.h"
#include "base/text.h"
#include "json/text.h"
#include "support/paths.h"

namespace fixpoint::aws {
namespace {

using json::Value;

// A service of one operation whose input has a member of that shape in each place where one can stand.
std::shared_ptr<const Service> service_of(const Value& shape) {
  const std::string_view type = shape["type"].string_or("");
  const bool simple = type != "list" && type != "map" && type != "blob" && type != "string";
  json::Object members{{"inBody", json::Object{{"shape", "Tried"}}}};
  if (simple) {
    members.set("inQuery", json::Object{{"shape", "Tried"}, {"location", "querystring"}, {"locationName", "inQuery"}});
    members.set("inHeader", json::Object{{"shape", "Tried"}, {"location", "header"}, {"locationName", "inHeader"}});
  }
  members.set("inPath",
              json::Object{{"shape", simple ? "Tried" : "Text"}, {"location", "uri"}, {"locationName", "inPath"}});
  const Value model{json::Object{
      {"metadata", json::Object{{"apiVersion", "2020-01-01"},
                                {"endpointPrefix", "tried"},
                                {"protocol", "rest-json"},
                                {"serviceId", "Tried"},
                                {"signatureVersion", "v4"}}},
      {"operations",
       json::Object{{"Try", json::Object{{"name", "Try"},
                                         {"http", json::Object{{"method", "POST"}, {"requestUri", "/try/{inPath}"}}},
                                         {"input", json::Object{{"shape", "Input"}}}}}}},
      {"shapes",
       json::Object{
           {"Input", json::Object{{"type", "structure"}, {"required", json::Array{"inPath"}}, {"members", members}}},
           {"Tried", shape},
           {"Text", json::Object{{"type", "string"}}}}}}};
  auto service = Service::from_botocore("tried", model, {}, {});
  EXPECT_TRUE(service) << (service ? "" : describe(service.error()));
  return service.value();
}

std::string plain(std::string_view json_text) {
  return replace_all(std::string(json_text), "\"", "");
}

struct Tried {
  bool refused = false;
  int status = 0;
  std::string type;
};

Tried ask(const std::shared_ptr<const Service>& service, const std::string& target, const std::string& header,
          const std::string& body) {
  Routed routed;
  routed.service = service;
  routed.operation = service->find_operation("Try");
  routed.protocol = Protocol::RestJson;
  HttpRequest request{.method = "POST",
                      .target = target,
                      .headers = {{"Content-Type", "application/json"}},
                      .body = body,
                      .peer = {},
                      .trailers = {}};
  if (!header.empty()) request.headers.add("inHeader", header);
  routed.path = std::string(request.path());
  Result<void> outcome;
  auto input = parse_request(routed, request);
  if (!input)
    outcome = fail(input.error());
  else
    outcome = validate(*routed.operation, *input);
  if (outcome) return {};
  const HttpResponse response = serialize_error(routed, outcome.error(), "id");
  return {true, response.status, std::string(response.headers.get("x-amzn-errortype"))};
}

TEST(MalformedRequests, are_refused_with_400_and_SerializationException) {
  const Value data = json::parse(test::read_file(test::test_data("aws/data/malformed_requests.json"))).value();
  int passed = 0;
  int failed = 0;
  const auto expect_refused = [&](const Tried& tried, const std::string& what) {
    const bool good = tried.refused && tried.status == 400 && tried.type.starts_with("SerializationException");
    EXPECT_TRUE(good) << what << ": " << (tried.refused ? std::to_string(tried.status) + " " + tried.type : "taken");
    (good ? passed : failed) += 1;
  };
  for (const Value& one : data["types"].as_array()) {
    const auto service = service_of(one["shape"]);
    const std::string type(one["shape"]["type"].string_or(""));
    const std::string good(one["good"].string_or(""));
    const bool simple = type != "list" && type != "map" && type != "blob" && type != "string";
    const std::string path = "/try/" + (simple ? std::string(one["in_path"].string_or(plain(good))) : std::string("a"));
    ASSERT_FALSE(ask(service, path, "", "{\"inBody\": " + good + "}").refused) << type << " " << good;
    for (const Value& text : one["body"].as_array())
      expect_refused(ask(service, path, "", "{\"inBody\": " + text.as_string() + "}"),
                     type + " in the body: " + text.as_string());
    for (const Value& text : one["query"].as_array())
      expect_refused(ask(service, path + "?inQuery=" + uri_encode(text.as_string()), "", "{}"),
                     type + " in the query: " + text.as_string());
    for (const Value& text : one["header"].as_array())
      expect_refused(ask(service, path, text.as_string(), "{}"), type + " in a header: " + text.as_string());
    for (const Value& text : one["path"].as_array())
      expect_refused(ask(service, "/try/" + uri_encode(text.as_string()), "", "{}"),
                     type + " in the path: " + text.as_string());
  }
  const auto service = service_of(json::Object{{"type", "string"}});
  for (const Value& body : data["bodies"].as_array())
    expect_refused(ask(service, "/try/a", "", body.as_string()), "the body " + body.as_string());
  std::printf("malformed requests: %d passed, %d failed, 0 skipped\n", passed, failed);
}

}  // namespace
}  // namespace fixpoint::aws
