#include <algorithm>
#include <pugixml.hpp>

#include "aws/checksum.h"
#include "aws/error_form.h"
#include "aws/json_body.h"
#include "aws/protocol.h"
#include "aws/query_form.h"
#include "aws/quirks.h"
#include "aws/rest_binding.h"
#include "aws/xml_body.h"
#include "base/id.h"
#include "base/text.h"
#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

// https://datatracker.ietf.org/doc/html/rfc1123#section-2, and what the SDKs let through.
bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '.' && text.back() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: a dot would break the certificate.
bool is_bucket_label(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 63 && std::ranges::all_of(bucket, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Result<std::string> host_prefix_of(const Operation& operation, const json::Value& input) {
  std::string prefix;
  for (const HostPrefix::Part& part : operation.host_prefix.parts) {
    if (part.member == nullptr) {
      prefix += part.text;
      continue;
    }
    const std::string_view label = input[part.member->name].string_or("");
    if (!is_host_label(label))
      return fail(
          errors::validation("The parameter '" + std::string(part.member->name) +
                                 "' is part of the host's name: it has to hold letters, digits, hyphens and dots",
                             std::string(part.member->name)));
    prefix += label;
  }
  return prefix;
}

bool has_response_body(const Shape& shape) {
  return std::ranges::any_of(shape.members, [](const Member& m) { return is_in(BodyPart::Response, m.location); });
}

bool has_body_members(const Shape* shape) {
  if (shape == nullptr) return false;
  return shape->bindings ? !shape->bindings->body.empty() : !shape->members.empty();
}

bool has_any(const Shape& shape, const json::Value& value) {
  if (!shape.bindings) return value.size() > 0;
  return std::ranges::any_of(shape.bindings->body, [&](const Member* m) { return !value[m->name].is_null(); });
}

void set_default(Headers& headers, std::string_view name, std::string_view value) {
  if (!headers.has(name)) headers.add(std::string(name), std::string(value));
}

// A body that is one member: bytes, text, or a document of its own.
Result<void> write_payload(HttpRequest& request, const Operation& operation, const Member& payload,
                           const json::Value& value, bool json_body) {
  const Shape& shape = *payload.shape;
  if (shape.type == ShapeType::Blob) {
    if (value.is_null()) return {};
    auto bytes = base64_decode(value.string_or(""));
    if (!bytes)
      return fail(errors::validation("The parameter '" + std::string(payload.name) + "' has to be base64",
                                     std::string(payload.name)));
    request.body = std::move(*bytes);
    if (json_body) set_default(request.headers, "Content-Type", "application/octet-stream");
    return {};
  }
  if (shape.type == ShapeType::String) {
    if (value.is_null()) return {};
    request.body = value.string_or("");
    set_default(request.headers, "Content-Type", "text/plain");
    return {};
  }
  if (json_body) {
    if (value.is_null()) {
      if (shape.type == ShapeType::Document || shape.is_union) return {};
      request.body = "{}";
    } else {
      write_json(request.body, value, shape, JsonNames::Wire);
    }
    set_default(request.headers, "Content-Type", "application/json");
    return {};
  }
  if (value.is_null()) return {};
  const XmlNamespace& ns = payload.xml_namespace.uri.empty() ? shape.xml_namespace : payload.xml_namespace;
  const XmlNamespace service_ns{{}, operation.service->xml_namespace};
  write_xml(request.body, payload_root(payload), value, shape, ns.uri.empty() ? service_ns : ns);
  set_default(request.headers, "Content-Type", "application/xml");
  return {};
}

Result<void> write_rest_body(HttpRequest& request, const Operation& operation, const json::Value& input,
                             bool json_body) {
  const Shape* shape = operation.input;
  if (shape == nullptr) return {};
  if (shape->payload != nullptr)
    return write_payload(request, operation, *shape->payload, input[shape->payload->name], json_body);
  if (json_body) {
    if (!has_body_members(shape)) return {};
    write_json(request.body, input, *shape, JsonNames::Wire, BodyPart::Request);
    set_default(request.headers, "Content-Type", "application/json");
    return {};
  }
  if (!has_body_members(shape) || !has_any(*shape, input)) return {};
  std::string_view root = shape->location_name;
  if (root.empty()) root = operation.input_location_name.empty() ? shape->name : operation.input_location_name;
  XmlNamespace ns = operation.input_xml_namespace;
  if (ns.uri.empty()) ns = shape->xml_namespace;
  if (ns.uri.empty()) ns.uri = operation.service->xml_namespace;
  write_xml(request.body, root, input, *shape, ns, BodyPart::Request);
  set_default(request.headers, "Content-Type", "application/xml");
  return {};
}

void write_form(HttpRequest& request, const Operation& operation, const json::Value& input, Protocol protocol) {
  request.body = "Action=" + uri_encode(operation.name) + "&Version=" + uri_encode(operation.service->api_version);
  if (operation.input != nullptr) write_query(request.body, input, *operation.input, protocol);
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
}

void write_json_call(HttpRequest& request, const Operation& operation, const json::Value& input) {
  const Service& service = *operation.service;
  request.headers.set("X-Amz-Target", std::string(service.json.target_prefix) + "." + std::string(operation.name));
  request.headers.set("Content-Type", "application/x-amz-json-" + std::string(service.json.version));
  if (service.query_compatible) request.headers.set("x-amzn-query-mode", "true");
  if (operation.input != nullptr)
    write_json(request.body, input, *operation.input, JsonNames::Model);
  else
    request.body = "{}";
}

// Moves the bucket from the path into the host.
void to_virtual_host(HttpRequest& request, const Operation& operation, const json::Value& input, std::string& host) {
  const auto& segments = operation.uri.segments;
  if (operation.service->name != "s3" || segments.empty() || segments[0].text != "Bucket") return;
  const std::string bucket(input["Bucket"].string_or(""));
  if (!is_bucket_label(bucket)) return;
  host = bucket + "." + host;
  std::string rest = request.target.substr(1 + bucket.size());
  request.target = rest.starts_with('/') ? std::move(rest) : "/" + rest;
}

ServiceError unreadable(const HttpResponse& response, const Error& cause) {
  ServiceError failed;
  failed.error = errors::coded("ResponseParserError", "The response cannot be read: " + cause.message, response.status);
  failed.error.where = cause.where;
  failed.error.retryable = response.status >= 500;
  return failed;
}

Result<json::Value> read_json_body(const HttpResponse& response, const Shape& shape, JsonNames names) {
  if (trim(response.body).empty()) return json::Value(json::Object());
  FIXPOINT_TRY(value, json::parse(response.body));
  FIXPOINT_CHECK(read_json(value, shape, names, Reading::Lenient, BodyPart::Response));
  if (!value.is_object()) value = json::Object();
  return std::move(value);
}

Result<json::Value> read_xml_response(const Operation& operation, const HttpResponse& response, Protocol protocol) {
  FIXPOINT_TRY(document, XmlDocument::parse(response.body, response_xml_limits));
  pugi::xml_node element = document.root();
  if (protocol == Protocol::Query) {
    std::string wrapper(operation.output_wrapper);
    if (wrapper.empty()) wrapper = std::string(operation.name) + "Result";
    // Some outputs have no wrapper in the model and one on the wire, or the other way round.
    if (const pugi::xml_node inner = find_element(element, wrapper)) element = inner;
  }
  return read_xml(element, *operation.output, Reading::Lenient, BodyPart::Response);
}

Result<void> read_rest_payload(json::Object& object, const Member& payload, const HttpResponse& response,
                               bool json_body) {
  const Shape& shape = *payload.shape;
  if (shape.type == ShapeType::Blob) {
    if (!response.body.empty() || payload.streaming) object.set(payload.name, base64_encode(response.body));
    return {};
  }
  if (response.body.empty()) return {};
  if (shape.type == ShapeType::String) {
    object.set(payload.name, valid_utf8(response.body));
    return {};
  }
  if (json_body) {
    FIXPOINT_TRY(value, json::parse(response.body));
    FIXPOINT_CHECK(read_json(value, shape, JsonNames::Wire, Reading::Lenient));
    if (!value.is_null()) object.set(payload.name, std::move(value));
    return {};
  }
  FIXPOINT_TRY(document, XmlDocument::parse(response.body, response_xml_limits));
  FIXPOINT_TRY(value, read_xml(document.root(), shape, Reading::Lenient));
  object.set(payload.name, std::move(value));
  return {};
}

Result<json::Value> read_rest(const Operation& operation, const HttpResponse& response, bool json_body) {
  const Shape& shape = *operation.output;
  json::Value output = json::Object();
  if (shape.payload != nullptr) {
    FIXPOINT_CHECK(read_rest_payload(output.as_object(), *shape.payload, response, json_body));
  } else if (has_response_body(shape) && !trim(response.body).empty()) {
    const ResponseRoot* root = find_response_root(operation.service->name, operation.name);
    if (json_body) {
      FIXPOINT_TRY(body, read_json_body(response, shape, JsonNames::Wire));
      output = std::move(body);
    } else if (root != nullptr && root->bare) {
      FIXPOINT_TRY(document, XmlDocument::parse(response.body, response_xml_limits));
      const std::string text = element_text(document.root());
      if (!text.empty()) output.set(shape.members.front().name, text);
    } else {
      FIXPOINT_TRY(body, read_xml_response(operation, response, Protocol::RestXml));
      output = std::move(body);
    }
  }
  FIXPOINT_CHECK(read_headers(output.as_object(), shape, response.headers, Reading::Lenient, BodyPart::Response));
  if (shape.bindings && shape.bindings->status_code != nullptr)
    output.set(shape.bindings->status_code->name, response.status);
  return output;
}

Result<json::Value> read_output(const Operation& operation, const HttpResponse& response, Protocol protocol) {
  if (operation.output == nullptr) return json::Value(json::Object());
  switch (protocol) {
    case Protocol::Json: return read_json_body(response, *operation.output, JsonNames::Model);
    case Protocol::RestJson: return read_rest(operation, response, true);
    case Protocol::RestXml: return read_rest(operation, response, false);
    default:
      if (trim(response.body).empty()) return json::Value(json::Object());
      return read_xml_response(operation, response, protocol);
  }
}

}  // namespace

Result<HttpRequest> serialize_request(const Operation& operation, const json::Value& given,
                                      const ClientOptions& options) {
  const Protocol protocol = options.protocol.value_or(operation.service->protocol);
  const json::Value* input = &given;
  json::Value completed;
  if (const Member* token = operation.idempotency_token; token != nullptr && given[token->name].is_null()) {
    completed = given.is_object() ? given : json::Value(json::Object());
    completed.set(token->name, options.idempotency_token.empty() ? random_uuid() : options.idempotency_token);
    input = &completed;
  }

  HttpRequest request;
  request.method = operation.method;
  request.target = "/";
  std::string host = options.host;
  if (protocol == Protocol::RestJson || protocol == Protocol::RestXml) {
    FIXPOINT_TRY(target, write_target(operation, *input));
    request.target = std::move(target);
    if (operation.input != nullptr) write_headers(request.headers, *operation.input, *input);
    FIXPOINT_CHECK(write_rest_body(request, operation, *input, protocol == Protocol::RestJson));
    compress(request, operation, options.compression);
    FIXPOINT_CHECK(add_checksum(request, operation, *input));
    if (options.s3_virtual_host) to_virtual_host(request, operation, *input, host);
  } else if (protocol == Protocol::Json) {
    write_json_call(request, operation, *input);
    compress(request, operation, options.compression);
  } else {
    write_form(request, operation, *input, protocol);
    compress(request, operation, options.compression);
  }
  if (options.host_prefix && !operation.host_prefix.empty()) {
    FIXPOINT_TRY(prefix, host_prefix_of(operation, *input));
    host = prefix + host;
  }
  if (!options.base_path.empty()) request.target = options.base_path + request.target;
  if (!options.host.empty()) request.headers.set("Host", host);
  return request;
}

tl::expected<json::Value, ServiceError> parse_response(const Operation& operation, const HttpResponse& response,
                                                       std::optional<Protocol> chosen) {
  const Protocol protocol = chosen.value_or(operation.service->protocol);
  const bool failed =
      response.status >= 300 && !(operation.output != nullptr && operation.output->bindings &&
                                  operation.output->bindings->status_code != nullptr && response.status < 400);
  if (failed || hides_error(operation, response)) return tl::unexpected(parse_error(operation, response, protocol));
  auto output = read_output(operation, response, protocol);
  if (!output) return tl::unexpected(unreadable(response, output.error()));
  if (auto verified = verify_response_checksum(response, operation); !verified)
    return tl::unexpected(ServiceError{verified.error(), {}, {}});
  return std::move(*output);
}

}  // namespace fixpoint::aws
