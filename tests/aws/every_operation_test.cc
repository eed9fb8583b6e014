#include <algorithm>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/protocol.h"
#include "json/text.h"

// Every operation of every service in the pack, in every protocol that it is spoken in: a full input goes out as a
// request and comes back as the same input, a full output likewise. What is sent and read here is what both halves of
// the layer agree upon; that they are right is for the suites to say, that no model trips them is said here.

namespace fixpoint::aws {
namespace {

// Made-up ones would not be those of the body, and a client adds them by itself.
bool is_checksum(const Member& member) {
  return member.location == Location::Header &&
         (member.wire_name == "Content-MD5" || member.wire_name.starts_with("x-amz-checksum-"));
}

class Sampler {
 public:
  // A value with everything in it that the shape has, but no shape within itself. Null where there is nothing to say.
  json::Value of(const Shape& shape) {
    for (const Shape* above : stack_)
      if (above == &shape) return nullptr;
    stack_.push_back(&shape);
    json::Value value = make(shape);
    stack_.pop_back();
    return value;
  }

 private:
  json::Value make(const Shape& shape) {
    switch (shape.type) {
      case ShapeType::Structure: return structure(shape);
      case ShapeType::List: {
        json::Value item = of(*shape.element.shape);
        if (item.is_null()) return nullptr;
        return json::Array{item, item};
      }
      case ShapeType::Map: {
        json::Value item = of(*shape.element.shape);
        if (item.is_null()) return nullptr;
        const auto& keys = shape.key.shape->enum_values;
        return json::Object{{keys.empty() ? "key" : std::string(keys.front()), item}};
      }
      case ShapeType::String:
        return shape.enum_values.empty() ? json::Value("some text") : json::Value(shape.enum_values.front());
      case ShapeType::Blob: return "Ynl0ZXM=";
      case ShapeType::Boolean: return true;
      case ShapeType::Byte:
      case ShapeType::Short:
      case ShapeType::Integer: return 7;
      case ShapeType::Long: return 5'000'000'000;
      case ShapeType::Float:
      case ShapeType::Double: return 1.5;
      case ShapeType::Timestamp: return 1'700'000'000;
      case ShapeType::Document: return json::Object{{"any", json::Array{1, "x"}}};
    }
    return nullptr;
  }

  // SQS's query form has one parameter for this and its older sister AttributeNames.
  static bool shares_its_name(const Member& member) { return member.name == "MessageSystemAttributeNames"; }

  json::Value structure(const Shape& shape) {
    json::Object members;
    for (const Member& member : shape.members) {
      if (member.shape->event_stream || is_checksum(member) || shares_its_name(member)) continue;
      json::Value value = of(*member.shape);
      if (value.is_null()) continue;
      if (member.location == Location::StatusCode) value = 200;
      members.set(member.name, std::move(value));
      if (shape.is_union) break;
    }
    return members;
  }

  std::vector<const Shape*> stack_;
};

std::vector<Protocol> protocols_of(const Service& service) {
  std::vector<Protocol> spoken{service.protocol};
  if (service.speaks_query && service.protocol != Protocol::Query) spoken.push_back(Protocol::Query);
  return spoken;
}

// The first member in which two values differ, for a sentence.
std::string difference(const json::Value& a, const json::Value& b, const std::string& where) {
  if (a == b) return {};
  if (a.is_object() && b.is_object()) {
    for (const json::Member& member : a.as_object()) {
      const std::string found = difference(member.value, b[member.key], where + "." + member.key);
      if (!found.empty()) return found;
    }
    for (const json::Member& member : b.as_object())
      if (a.find(member.key) == nullptr) return where + "." + member.key + " is too much";
  }
  return where + ": " + json::print(a).substr(0, 100) + " became " + json::print(b).substr(0, 100);
}

class EveryOperation : public testing::TestWithParam<std::string> {
 protected:
  static const Models& models() {
    static const std::unique_ptr<Models> all = Models::open({}).value();
    return *all;
  }

  static Routed routed(const std::shared_ptr<const Service>& service, const Operation& operation, Protocol protocol,
                       std::string_view target) {
    Routed routed;
    routed.service = service;
    routed.operation = &operation;
    routed.protocol = protocol;
    routed.json_version = service->json.version;
    routed.path = target.substr(0, target.find('?'));
    return routed;
  }
};

TEST_P(EveryOperation, a_request_is_read_as_it_was_written) {
  const auto service = models().get(GetParam()).value();
  for (const Operation& operation : service->operations()) {
    const json::Value input = operation.input == nullptr ? json::Value(json::Object()) : Sampler().of(*operation.input);
    for (const Protocol protocol : protocols_of(*service)) {
      ClientOptions options;
      options.host = "example.com";
      options.protocol = protocol;
      options.host_prefix = false;
      const auto request = serialize_request(operation, input, options);
      ASSERT_TRUE(request) << operation.name << ": " << describe(request.error());
      auto read = parse_request(routed(service, operation, protocol, request->target), *request);
      ASSERT_TRUE(read) << operation.name << ": " << describe(read.error());
      if (operation.input != nullptr)
        for (const Member& member : operation.input->members)
          if (is_checksum(member)) read->as_object().erase(member.name);
      EXPECT_EQ(difference(input, *read, std::string(operation.name)), "") << protocol_name(protocol);
    }
  }
}

TEST_P(EveryOperation, a_response_is_read_as_it_was_written) {
  const auto service = models().get(GetParam()).value();
  for (const Operation& operation : service->operations()) {
    if (operation.output != nullptr && operation.output->payload != nullptr &&
        operation.output->payload->shape->event_stream)
      continue;
    const json::Value output =
        operation.output == nullptr ? json::Value(json::Object()) : Sampler().of(*operation.output);
    for (const Protocol protocol : protocols_of(*service)) {
      const Routed to = routed(service, operation, protocol, "/");
      const HttpResponse response = serialize_response(to, output, "id");
      const auto read = parse_response(operation, response, protocol);
      ASSERT_TRUE(read) << operation.name << ": " << describe(read.error().error);
      EXPECT_EQ(difference(output, *read, std::string(operation.name)), "") << protocol_name(protocol);
    }
  }
}

TEST_P(EveryOperation, a_declared_error_arrives_with_its_code_and_status) {
  const auto service = models().get(GetParam()).value();
  for (const Operation& operation : service->operations()) {
    for (const Shape* shape : operation.errors) {
      for (const Protocol protocol : protocols_of(*service)) {
        const Error sent{std::string(shape->error_code), "what went wrong", {}, false, 0};
        const HttpResponse response = serialize_error(routed(service, operation, protocol, "/"), sent, "id");
        // What the status was in the query protocol stays there.
        const bool json_of_two = service->query_compatible && protocol == Protocol::Json;
        EXPECT_EQ(response.status, json_of_two && shape->error_status < 500 ? 400 : shape->error_status)
            << operation.name << " " << shape->name;
        const auto read = parse_response(operation, response, protocol);
        ASSERT_FALSE(read) << operation.name << " " << shape->name;
        const std::string& code = read.error().error.code;
        EXPECT_TRUE(code == shape->error_code || code == shape->name)
            << operation.name << " " << shape->name << ": " << code;
      }
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  const ModelPack pack = ModelPack::embedded().value();
  for (const PackEntry& entry : pack.services()) result.push_back(entry.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(pack, EveryOperation, testing::ValuesIn(names()), [](const auto& named) {
  std::string name = named.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace fixpoint::aws
