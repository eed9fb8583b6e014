#include "aws/model.h"

#include <fstream>
#include <gtest/gtest.h>

#include "aws/pattern.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::string_view tiny = R"({
  "metadata": {"protocol": "rest-xml", "apiVersion": "2020-01-01", "endpointPrefix": "tiny", "serviceId": "Tiny Service"},
  "operations": {
    "PutThing": {
      "http": {"method": "PUT", "requestUri": "/{Box}/{Key+}?acl&v=2", "responseCode": 204},
      "input": {"shape": "PutThingRequest", "locationName": "Thing", "xmlNamespace": {"uri": "urn:tiny"}},
      "errors": [{"shape": "NoSuchThing"}],
      "endpoint": {"hostPrefix": "{Box}.data-"},
      "httpChecksum": {"requestAlgorithmMember": "Algorithm", "requestChecksumRequired": true}
    }
  },
  "shapes": {
    "PutThingRequest": {
      "type": "structure", "required": ["Box"], "payload": "Tree",
      "members": {
        "Box": {"shape": "Text", "location": "uri", "locationName": "Box"},
        "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
        "Algorithm": {"shape": "Text", "location": "header", "locationName": "x-algorithm"},
        "Token": {"shape": "Text", "location": "querystring", "locationName": "token", "idempotencyToken": true},
        "Meta": {"shape": "Meta", "location": "headers", "locationName": "x-meta-"},
        "Tree": {"shape": "Tree"}
      }
    },
    "Tree": {"type": "structure", "members": {"leaf": {"shape": "When", "locationName": "Leaf"}, "branches": {"shape": "Trees"}}},
    "Trees": {"type": "list", "member": {"shape": "Tree", "locationName": "Branch"}, "flattened": true, "max": 3},
    "Meta": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    "Text": {"type": "string", "pattern": "[a-z]+", "min": 1},
    "When": {"type": "timestamp", "timestampFormat": "rfc822"},
    "NoSuchThing": {"type": "structure", "members": {}, "error": {"code": "Thing.NotFound", "httpStatusCode": 404, "senderFault": true}, "exception": true}
  }
})";

Result<std::shared_ptr<const Service>> build(std::string_view text) {
  return Service::from_botocore("tiny", json::parse(text).value(), nullptr, nullptr);
}

std::string edited(std::string_view from, std::string_view to) {
  std::string text(tiny);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(model, takes_a_model_apart) {
  const auto service = build(tiny).value();
  EXPECT_EQ(service->service_id, "Tiny Service");
  EXPECT_EQ(service->signing_name, "tiny");
  EXPECT_EQ(service->protocol, Protocol::RestXml);
  const Operation* put = service->find_operation("PutThing");
  ASSERT_NE(put, nullptr);
  EXPECT_EQ(service->find_operation("putthing"), nullptr);
  EXPECT_EQ(put->response_code, 204);
  ASSERT_EQ(put->uri.segments.size(), 2U);
  EXPECT_FALSE(put->uri.segments[0].greedy);
  EXPECT_TRUE(put->uri.segments[1].greedy);
  EXPECT_EQ(put->uri.segments[1].member, put->input->find("Key"));
  ASSERT_EQ(put->uri.query.size(), 2U);
  EXPECT_EQ(put->uri.query[0].key, "acl");
  EXPECT_FALSE(put->uri.query[0].has_value);
  EXPECT_EQ(put->uri.query[1].value, "2");
  ASSERT_EQ(put->host_prefix.parts.size(), 2U);
  EXPECT_EQ(put->host_prefix.parts[0].member->name, "Box");
  EXPECT_EQ(put->host_prefix.parts[1].text, ".data-");
  EXPECT_TRUE(put->checksum.required);
  EXPECT_EQ(put->checksum.algorithm->wire_name, "x-algorithm");
  EXPECT_EQ(put->idempotency_token->name, "Token");
  EXPECT_EQ(put->input_xml_namespace.uri, "urn:tiny");

  const Bindings& bindings = *put->input->bindings;
  EXPECT_EQ(bindings.uri.size(), 2U);
  EXPECT_EQ(bindings.headers.size(), 1U);
  EXPECT_EQ(bindings.query.size(), 1U);
  EXPECT_EQ(bindings.prefix_headers.size(), 1U);
  EXPECT_EQ(bindings.payload->name, "Tree");
  EXPECT_TRUE(bindings.body.empty());
}

TEST(model, finds_members_by_both_names_and_follows_a_recursive_shape) {
  const auto service = build(tiny).value();
  const Shape* tree = service->find_shape("Tree");
  EXPECT_EQ(tree->find_wire("Leaf"), tree->find("leaf"));
  EXPECT_EQ(tree->find("Leaf"), nullptr);
  EXPECT_EQ(tree->find("leaf")->timestamp_format, TimestampFormat::Rfc822);
  EXPECT_EQ(tree->find("branches")->shape->element.shape, tree);
  EXPECT_TRUE(tree->find("branches")->flattened);
  EXPECT_EQ(tree->bindings, nullptr);
  EXPECT_EQ(tree->find("branches")->shape->max, 3.0);
}

TEST(model, finds_errors_by_code_and_by_name) {
  const auto service = build(tiny).value();
  const Shape* error = service->find_error("Thing.NotFound");
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(service->find_error("NoSuchThing"), error);
  EXPECT_EQ(service->find_error("Tree"), nullptr);
  EXPECT_EQ(error->error_status, 404);
  EXPECT_EQ(service->find_operation("PutThing")->find_error("NoSuchThing"), error);
}

TEST(model, refuses_what_does_not_resolve) {
  const auto place_of = [](const std::string& text) {
    const auto built = build(text);
    EXPECT_FALSE(built);
    if (built) return std::string();
    EXPECT_EQ(built.error().code, "InvalidModel");
    return built.error().where;
  };
  EXPECT_EQ(place_of(edited(R"("shape": "Trees")", R"("shape": "Forest")")), "tiny: shapes.Tree.members.branches");
  EXPECT_EQ(place_of(edited("{Key+}", "{Kee+}")), "tiny: operations.PutThing.http.requestUri");
  EXPECT_EQ(place_of(edited(R"("protocol": "rest-xml")", R"("protocol": "soap")")), "tiny: metadata.protocol");
  EXPECT_EQ(place_of(edited(R"("type": "list")", R"("type": "heap")")), "tiny: shapes.Trees");
  EXPECT_EQ(place_of(edited(R"("required": ["Box"])", R"("required": ["Bax"])")),
            "tiny: shapes.PutThingRequest.required");
  EXPECT_EQ(place_of(edited(R"("payload": "Tree")", R"("payload": "Bush")")), "tiny: shapes.PutThingRequest.payload");
  EXPECT_EQ(place_of(edited("{Box}.data-", "{Bax}.data-")), "tiny: operations.PutThing.endpoint.hostPrefix");
  EXPECT_EQ(place_of(edited(R"("requestAlgorithmMember": "Algorithm")", R"("requestAlgorithmMember": "Al")")),
            "tiny: operations.PutThing.httpChecksum.requestAlgorithmMember");
  EXPECT_EQ(place_of("{}"), "tiny: metadata");
}

TEST(model, speaks_both_protocols_of_a_service_that_changed_over) {
  const std::string text = edited(R"("protocol": "rest-xml")", R"("protocol": "query")");
  const auto service = Service::from_botocore("sqs", json::parse(text).value(), nullptr, nullptr).value();
  EXPECT_EQ(service->protocol, Protocol::Json);
  EXPECT_TRUE(service->speaks_query);
  EXPECT_TRUE(service->speaks_json);
  EXPECT_EQ(service->json.target_prefix, "AmazonSQS");
}

TEST(pattern, matches_whole_texts_and_passes_what_re2_cannot_compile) {
  const LazyPattern letters("[a-z]+");
  EXPECT_TRUE(letters.matches("abc"));
  EXPECT_FALSE(letters.matches("abc1"));
  EXPECT_TRUE(LazyPattern(".*\\S.*").matches("two\nlines"));
  EXPECT_TRUE(LazyPattern("(?!aws).*").matches("aws"));
}

}  // namespace
}  // namespace fixpoint::aws
