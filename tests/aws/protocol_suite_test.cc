#include <functional>
#include <gtest/gtest.h>
#include <iostream>
#include <set>

#include "aws/error_form.h"
#include "aws/protocol.h"
#include "aws/wire_compare.h"
#include "base/text.h"
#include "json/text.h"
#include "support/paths.h"

/// botocore's protocol suite, read as its README says: every case as a client, and turned round as a server. What does
/// not pass is named in data/protocol_suite_exceptions.json with its reason; a named case that passes is a failure.
namespace fixpoint::aws::test {
namespace {

using fixpoint::test::conformance_dir;
using json::Value;

std::string_view media(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

const std::vector<std::string> files{"ec2",       "query",   "json", "json_1_0", "json_1_0-query-compatible",
                                     "rest-json", "rest-xml"};

std::shared_ptr<const Service> service_of(const Value& suite, const Value& given) {
  Value model;
  model.set("metadata", suite["metadata"]);
  model.set("shapes", suite["shapes"]);
  model.at_or_make("operations").set(given["name"].as_string(), given);
  return Service::from_botocore("suite", model, nullptr, nullptr).value();
}

Routed routed_of(const std::shared_ptr<const Service>& service, const Value& given) {
  Routed routed;
  routed.service = service;
  routed.operation = service->find_operation(given["name"].as_string());
  routed.protocol = service->protocol;
  routed.json_version = service->json.version;
  return routed;
}

std::string header_difference(const Value& expected, const Headers& actual) {
  if (!expected.is_object()) return {};
  for (const auto& entry : expected.as_object()) {
    if (equals_ignore_case(entry.key, "content-length")) continue;  // the transport's
    const std::string* value = actual.find(entry.key);
    if (value == nullptr) return "\nthe header " + entry.key + " is missing";
    // Lists are separated with and without blanks.
    if (replace_all(*value, ", ", ",") != replace_all(entry.value.as_string(), ", ", ","))
      return "\nthe header " + entry.key + " is '" + *value + "', not '" + entry.value.as_string() + "'";
  }
  return {};
}

// Takes the code out of a JSON error: services say it in a header, as __type or as code, with and without a namespace
// and an address, and clients understand each. We send one form; what counts is that it says the same.
std::string take_error_code(Value& headers, Value& body) {
  std::string code;
  if (headers.is_object()) {
    json::Object kept;
    for (const auto& entry : headers.as_object()) {
      if (equals_ignore_case(entry.key, "x-amzn-errortype"))
        code = bare_error_code(entry.value.as_string());
      else
        kept.set(entry.key, entry.value);
    }
    headers = kept;
  }
  if (body.is_object())
    for (const char* name : {"__type", "code"})
      if (body[name].is_string()) {
        code = bare_error_code(body[name].as_string());
        body.as_object().erase(name);
      }
  return code;
}

std::string client_sends(const Value& suite, const Value& test) {
  const auto service = service_of(suite, test["given"]);
  const Operation& operation = service->operations()[0];
  Value input = operation.input != nullptr ? canonical(test["params"], *operation.input) : Value(json::Object());
  ClientOptions options;
  std::string endpoint(suite["clientEndpoint"].string_or("https://example.com"));
  options.host = endpoint.substr(endpoint.find("//") + 2);
  if (options.host.find('/') != std::string::npos) options.base_path = options.host.substr(options.host.find('/'));
  options.host = options.host.substr(0, options.host.find('/'));
  options.idempotency_token = "00000000-0000-4000-8000-000000000000";
  const auto request = serialize_request(operation, input, options);
  if (!request) return describe(request.error());
  const Value& expected = test["serialized"];
  if (request->method != expected["method"].string_or("POST")) return "another method";
  const HttpRequest wanted{.method = "",
                           .target = std::string(expected["uri"].string_or("/")),
                           .headers = {},
                           .body = "",
                           .peer = "",
                           .trailers = {}};
  if (wanted.path() != request->path()) return "another path: " + request->target;
  if (auto difference = form_difference(wanted.query(), request->query()); !difference.empty()) return difference;
  if (auto difference = header_difference(expected["headers"], request->headers); !difference.empty())
    return difference;
  if (expected["forbidHeaders"].is_array())
    for (const Value& name : expected["forbidHeaders"].as_array())
      if (request->headers.has(name.as_string())) return "has the header " + name.as_string();
  if (expected["requireHeaders"].is_array())
    for (const Value& name : expected["requireHeaders"].as_array())
      if (!equals_ignore_case(name.as_string(), "content-length") && !request->headers.has(name.as_string()))
        return "has no header " + name.as_string();
  if (expected["host"].is_string() && request->headers.get("host") != split(expected["host"].as_string(), '/')[0])
    return "another host: " + std::string(request->headers.get("host"));
  if (!expected["body"].is_string()) return {};
  const std::string& body = expected["body"].as_string();
  if (service->protocol == Protocol::Query || service->protocol == Protocol::Ec2)
    return form_difference(body, request->body);
  return body_difference(body, request->body, false);
}

std::string server_reads(const Value& suite, const Value& test) {
  const auto service = service_of(suite, test["given"]);
  const Routed routed = routed_of(service, test["given"]);
  const Value& given = test["serialized"];
  HttpRequest request;
  request.method = given["method"].string_or("POST");
  request.target = given["uri"].string_or("/");
  if (given["headers"].is_object())
    for (const auto& entry : given["headers"].as_object()) request.headers.add(entry.key, entry.value.as_string());
  request.body = given["body"].string_or("");
  const auto input = parse_request(routed, request);
  if (!input) return describe(input.error());
  const Shape* shape = routed.operation->input;
  const Value expected = shape != nullptr ? without_nulls(canonical(test["params"], *shape)) : Value(json::Object());
  if (same(expected, without_nulls(*input))) return {};
  return "\nexpected " + json::print(expected) + "\ngot      " + json::print(*input);
}

std::string client_reads(const Value& suite, const Value& test) {
  const auto service = service_of(suite, test["given"]);
  const Operation& operation = service->operations()[0];
  HttpResponse response;
  response.status = static_cast<int>(test["response"]["status_code"].int_or(200));
  if (test["response"]["headers"].is_object())
    for (const auto& entry : test["response"]["headers"].as_object())
      response.headers.add(entry.key, entry.value.as_string());
  response.body = test["response"]["body"].string_or("");
  const auto output = parse_response(operation, response);
  if (test.find("errorCode") == nullptr && test.find("error") == nullptr) {
    if (!output) return describe(output.error().error);
    const Value expected = operation.output != nullptr ? without_nulls(canonical(test["result"], *operation.output))
                                                       : Value(json::Object());
    const Value actual = without_nulls(*output);
    if (same(expected.is_null() ? Value(json::Object()) : expected, actual)) return {};
    return "\nexpected " + json::print(expected) + "\ngot      " + json::print(actual);
  }
  if (output) return "no error";
  if (output.error().error.code != test["errorCode"].string_or(""))
    return "another code: " + describe(output.error().error);
  if (test["errorMessage"].is_string() && output.error().error.message != test["errorMessage"].as_string())
    return "another message: " + describe(output.error().error);
  const Shape* shape = service->find_error(test["errorCode"].as_string());
  const Value expected = canonical(test["error"], *shape);
  for (const auto& entry : expected.as_object())
    if (!same(entry.value, output.error().details[entry.key]))
      return "\nexpected " + json::print(expected) + "\ngot      " + json::print(output.error().details);
  return {};
}

std::string server_answers(const Value& suite, const Value& test) {
  const auto service = service_of(suite, test["given"]);
  const Routed routed = routed_of(service, test["given"]);
  const std::string id(test["response"]["headers"]["X-Amzn-Requestid"].string_or("requestid"));
  HttpResponse response;
  if (test.find("errorCode") == nullptr && test.find("error") == nullptr) {
    const Shape* shape = routed.operation->output;
    response =
        serialize_response(routed, shape != nullptr ? canonical(test["result"], *shape) : Value(json::Object()), id);
  } else {
    const Shape* shape = service->find_error(test["errorCode"].as_string());
    response = serialize_error(
        routed, errors::coded(test["errorCode"].as_string(), std::string(test["errorMessage"].string_or(""))), id,
        canonical(test["error"], *shape));
  }
  const Value& expected = test["response"];
  if (response.status != expected["status_code"].int_or(200))
    return "another status: " + std::to_string(response.status);
  Value headers = expected["headers"];
  std::string expected_body(expected["body"].string_or(""));
  if (test.find("errorCode") != nullptr && service->speaks_json + (service->protocol == Protocol::RestJson) > 0) {
    Value theirs = json::parse(expected_body).value_or(Value(json::Object()));
    Value mine = json::parse(response.body).value_or(Value());
    Value my_headers;
    for (const auto& [name, value] : response.headers) my_headers.set(name, value);
    const std::string code = take_error_code(headers, theirs);
    if (code != take_error_code(my_headers, mine)) return "another code than " + code;
    expected_body = json::print(theirs);
    response.body = json::print(mine);
  }
  if (headers.is_object()) {
    // A charset says nothing that the other does not.
    for (auto& entry : headers.as_object()) {
      if (equals_ignore_case(entry.key, "content-type")) {
        if (media(entry.value.as_string()) != media(response.headers.get("content-type")))
          return "another content type: " + std::string(response.headers.get("content-type"));
        entry.value = std::string(response.headers.get("content-type"));
      }
    }
  }
  if (auto difference = header_difference(headers, response.headers); !difference.empty()) return difference;
  if (!expected["body"].is_string()) return {};
  return body_difference(expected_body, response.body, true);
}

struct Tally {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

Tally run(const std::string& folder, const std::string& name,
          const std::function<std::string(const Value&, const Value&)>& one) {
  Tally tally;
  const auto suites = conformance_dir();
  const Value exceptions =
      json::parse(fixpoint::test::read_file(fixpoint::test::test_data("aws/data/protocol_suite_exceptions.json")))
          .value()[name];
  std::set<std::string> unused;
  for (const auto& entry : exceptions.as_object()) unused.insert(entry.key);
  for (const std::string& file : files) {
    const auto path = *suites / "botocore-protocols" / folder / (file + ".json");
    const Value content = json::parse(fixpoint::test::read_file(path)).value();
    for (const Value& suite : content.as_array()) {
      for (const Value& test : suite["cases"].as_array()) {
        const std::string id = file + "/" + test["id"].as_string();
        const std::string problem = one(suite, test);
        if (exceptions.find(id) != nullptr) {
          unused.erase(id);
          ++tally.failed;
          EXPECT_FALSE(problem.empty()) << name << " " << id << " passes, but is listed as one that does not";
          continue;
        }
        EXPECT_EQ(problem, "") << name << " " << id;
        ++(problem.empty() ? tally.passed : tally.failed);
      }
    }
  }
  EXPECT_TRUE(unused.empty()) << name << " lists a case that there is not: " << *unused.begin();
  return tally;
}

void report(const std::string& suite, Tally first, Tally second, double share) {
  const Tally all{first.passed + second.passed, first.failed + second.failed, first.skipped + second.skipped};
  EXPECT_LE(all.failed, share * (all.passed + all.failed)) << suite;
  std::cout << suite << ": " << all.passed << " passed, " << all.failed << " failed, " << all.skipped << " skipped\n";
}

TEST(protocol_suite, passes_as_a_client) {
  if (!conformance_dir()) GTEST_SKIP() << "the conformance suites are not here";
  const Tally input = run("input", "client_sends", client_sends);
  const Tally output = run("output", "client_reads", client_reads);
  report("botocore-protocols, forwards", input, output, 0.02);
}

TEST(protocol_suite, passes_backwards_as_a_server) {
  if (!conformance_dir()) GTEST_SKIP() << "the conformance suites are not here";
  const Tally input = run("input", "server_reads", server_reads);
  const Tally output = run("output", "server_answers", server_answers);
  report("botocore-protocols, backwards", input, output, 0.10);
}

}  // namespace
}  // namespace fixpoint::aws::test
