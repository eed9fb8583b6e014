#include <algorithm>
#include <pugixml.hpp>

#include "aws/checksum.h"
#include "aws/chunked.h"
#include "aws/error_form.h"
#include "aws/json_body.h"
#include "aws/protocol.h"
#include "aws/query_form.h"
#include "aws/quirks.h"
#include "aws/rest_binding.h"
#include "aws/xml_body.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

bool has_response_body(const Shape& shape) {
  return std::ranges::any_of(shape.members, [](const Member& m) { return is_in(BodyPart::Response, m.location); });
}

bool has_body_members(const Shape* shape) {
  if (shape == nullptr) return false;
  return shape->bindings ? !shape->bindings->body.empty() : !shape->members.empty();
}

bool binds_header(const Shape& shape, std::string_view name) {
  return shape.bindings && std::ranges::any_of(shape.bindings->headers, [&](const Member* member) {
           return equals_ignore_case(member->wire_name, name);
         });
}

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

Error unsupported_media(const std::string& message) {
  return errors::coded("UnsupportedMediaTypeException", message, 415);
}

// What a REST JSON service takes for a body. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
Result<void> check_content_type(const Operation& operation, const HttpRequest& request, std::string_view body) {
  const std::string* stated = request.headers.find("content-type");
  const std::string_view type = stated != nullptr ? media_type(*stated) : std::string_view();
  const Shape* shape = operation.input;
  if (shape != nullptr && binds_header(*shape, "content-type")) return {};
  std::string_view wanted;
  if (shape != nullptr && shape->payload != nullptr) {
    const ShapeType payload = shape->payload->shape->type;
    if (payload == ShapeType::Blob) return {};
    // Clients without a type for a text are common.
    if (payload == ShapeType::String && type.empty()) return {};
    wanted = payload == ShapeType::String ? "text/plain" : "application/json";
  } else if (has_body_members(shape)) {
    wanted = "application/json";
  }
  if (wanted.empty()) {
    if (!body.empty() && !type.empty())
      return fail(unsupported_media("The operation takes no body, so there must be no Content-Type"));
    return {};
  }
  if (body.empty() || equals_ignore_case(type, wanted)) return {};
  return fail(unsupported_media("The Content-Type has to be " + std::string(wanted)));
}

Error malformed_json(Error error) {
  error.code = "SerializationException";
  error.http_status = 400;
  return error;
}

Result<json::Value> parse_json_document(std::string_view body) {
  constexpr std::size_t depth_limit = 100;
  auto value = json::parse(body, {.depth = depth_limit, .bytes = 64UL * 1024 * 1024});
  if (!value) return fail(malformed_json(std::move(value.error())));
  return value;
}

Result<json::Value> read_json_call(std::string_view body, const Shape& shape, JsonNames names) {
  if (body.empty()) return json::Value(json::Object());
  FIXPOINT_TRY(value, parse_json_document(body));
  FIXPOINT_CHECK(read_json(value, shape, names, Reading::Strict, BodyPart::Request));
  return std::move(value);
}

Result<void> read_payload(json::Object& input, const Member& payload, std::string_view body, bool json_body) {
  const Shape& shape = *payload.shape;
  if (shape.type == ShapeType::Blob) {
    if (!body.empty() || payload.streaming) input.set(payload.name, base64_encode(body));
    return {};
  }
  if (body.empty()) return {};
  if (shape.type == ShapeType::String) {
    if (!is_valid_utf8(body))
      return fail(errors::serialization("The body is not valid UTF-8", std::string(payload.name)));
    input.set(payload.name, std::string(body));
    return {};
  }
  if (json_body) {
    FIXPOINT_TRY(value, parse_json_document(body));
    if (value.is_null()) return {};
    FIXPOINT_CHECK(read_json(value, shape, JsonNames::Wire, Reading::Strict));
    input.set(payload.name, std::move(value));
    return {};
  }
  FIXPOINT_TRY(document, XmlDocument::parse(body));
  // S3 takes a document of another kind for none of its schema's:
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  const std::string_view root = local_name(document.root().name());
  if (root != payload.wire_name && root != shape.location_name && root != shape.name) {
    Error error = errors::coded("MalformedXML",
                                "The XML you provided was not well-formed or did not validate against our published "
                                "schema: its element is '" +
                                    std::string(root) + "', not '" + std::string(payload.wire_name) + "'",
                                400);
    return fail(std::move(error));
  }
  FIXPOINT_TRY(value, read_xml(document.root(), shape, Reading::Strict));
  input.set(payload.name, std::move(value));
  return {};
}

// "aws-chunked" is of the transport, and so is a gzip that we took off; what is stored has the codings that are left.
void drop_transport_codings(json::Object& input, const Shape* shape, bool inflated) {
  if (shape == nullptr || !shape->bindings) return;
  for (const Member* member : shape->bindings->headers) {
    if (!equals_ignore_case(member->wire_name, "content-encoding")) continue;
    json::Value* value = input.find(member->name);
    if (value == nullptr || !value->is_string()) return;
    std::vector<std::string> kept;
    for (const std::string_view coding : split(value->as_string(), ','))
      if (!equals_ignore_case(trim(coding), "aws-chunked")) kept.emplace_back(trim(coding));
    if (inflated && !kept.empty()) kept.pop_back();
    if (kept.empty())
      input.erase(member->name);
    else
      *value = join(kept, ",");
    return;
  }
}

Result<json::Value> read_rest_request(const Routed& routed, const HttpRequest& request, std::string_view body) {
  const Operation& operation = *routed.operation;
  const bool json_body = routed.protocol == Protocol::RestJson;
  if (json_body) FIXPOINT_CHECK(check_content_type(operation, request, body));
  FIXPOINT_CHECK(verify_checksums(request, body, operation));
  FIXPOINT_TRY(inflated, decompress(request.headers, body, operation, routed.protocol));
  if (inflated) body = *inflated;
  json::Value input = json::Object();
  if (const Shape* shape = operation.input) {
    if (shape->payload != nullptr) {
      FIXPOINT_CHECK(read_payload(input.as_object(), *shape->payload, body, json_body));
    } else if (has_body_members(shape) && !body.empty()) {
      if (json_body) {
        FIXPOINT_TRY(value, read_json_call(body, *shape, JsonNames::Wire));
        input = std::move(value);
      } else {
        FIXPOINT_TRY(document, XmlDocument::parse(body));
        FIXPOINT_TRY(value, read_xml(document.root(), *shape, Reading::Strict, BodyPart::Request));
        input = std::move(value);
      }
    }
    FIXPOINT_CHECK(read_headers(input.as_object(), *shape, request.headers,
                                takes_loose_headers(operation.service->name) ? Reading::Lenient : Reading::Strict,
                                BodyPart::Request));
  }
  FIXPOINT_CHECK(
      read_target(input.as_object(), operation, routed.path.empty() ? request.path() : routed.path, request.query()));
  drop_transport_codings(input.as_object(), operation.input, inflated.has_value());
  return input;
}

// Takes the framing of aws-chunked off a body whose signatures somebody else has checked, or that has none.
Result<std::optional<ChunkedBody>> unchunked(const HttpRequest& request) {
  const bool coded = request.headers.get("x-amz-content-sha256").starts_with("STREAMING-") ||
                     to_lower(request.headers.get("content-encoding")).find("aws-chunked") != std::string::npos;
  if (!coded) return std::optional<ChunkedBody>();
  std::optional<std::size_t> length;
  if (const std::string* stated = request.headers.find("x-amz-decoded-content-length")) {
    const auto number = to_int64(*stated);
    if (!number || *number < 0)
      return fail(errors::coded("InvalidArgument", "x-amz-decoded-content-length has to be a number of bytes", 400));
    length = static_cast<std::size_t>(*number);
  }
  FIXPOINT_TRY(decoded, decode_aws_chunked(request.body, {}, length));
  return std::optional<ChunkedBody>(std::move(decoded));
}

void write_rest_payload(HttpResponse& response, const Operation& operation, const Member& payload,
                        const json::Value& value, bool json_body) {
  const Shape& shape = *payload.shape;
  const auto set_type = [&](std::string_view type) {
    if (!response.headers.has("content-type")) response.headers.add("Content-Type", std::string(type));
  };
  if (shape.type == ShapeType::Blob) {
    if (auto bytes = base64_decode(value.string_or(""))) response.body = std::move(*bytes);
    if (!value.is_null()) set_type("application/octet-stream");
    return;
  }
  if (shape.type == ShapeType::String) {
    response.body = value.string_or("");
    if (!value.is_null()) set_type("text/plain");
    return;
  }
  if (json_body) {
    set_type("application/json");
    if (value.is_null())
      response.body = shape.type == ShapeType::Structure && !shape.is_union ? "{}" : "";
    else
      write_json(response.body, value, shape, JsonNames::Wire);
    return;
  }
  if (value.is_null()) return;
  set_type("application/xml");
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  XmlNamespace ns = payload.xml_namespace.uri.empty() ? shape.xml_namespace : payload.xml_namespace;
  if (ns.uri.empty()) ns.uri = operation.service->xml_namespace;
  write_xml(response.body, payload_root(payload), value, shape, ns);
}

void write_rest_xml(HttpResponse& response, const Operation& operation, const json::Value& output) {
  const Shape& shape = *operation.output;
  response.headers.set("Content-Type", "application/xml");
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const XmlNamespace ns =
      shape.xml_namespace.uri.empty() ? XmlNamespace{{}, operation.service->xml_namespace} : shape.xml_namespace;
  const ResponseRoot* root = find_response_root(operation.service->name, operation.name);
  if (root != nullptr && root->bare) {
    const Member& member = shape.members.front();
    write_xml(response.body, root->root, output[member.name], *member.shape, ns);
    return;
  }
  std::string_view name = shape.location_name.empty() ? shape.name : shape.location_name;
  if (root != nullptr) name = root->root;
  write_xml(response.body, name, output, shape, ns, BodyPart::Response);
}

void write_rest_response(HttpResponse& response, const Routed& routed, const json::Value& output) {
  const Operation& operation = *routed.operation;
  response.status = operation.response_code;
  const Shape* shape = operation.output;
  const bool json_body = routed.protocol == Protocol::RestJson;
  if (shape == nullptr) return;
  write_headers(response.headers, *shape, output);
  // What models leave unsaid: an answer that says which part it is, is 206. RFC 9110 section 15.3.7.
  if (response.status == 200 && response.headers.find("Content-Range") != nullptr) response.status = 206;
  if (shape->bindings && shape->bindings->status_code != nullptr)
    response.status = static_cast<int>(output[shape->bindings->status_code->name].int_or(response.status));
  if (response.status == 204 || response.status == 304) return;
  if (shape->payload != nullptr) {
    write_rest_payload(response, operation, *shape->payload, output[shape->payload->name], json_body);
  } else if (json_body) {
    response.headers.set("Content-Type", "application/json");
    write_json(response.body, output, *shape, JsonNames::Wire, BodyPart::Response);
  } else if (has_response_body(*shape)) {
    write_rest_xml(response, operation, output);
  }
}

void write_query_response(HttpResponse& response, const Routed& routed, const json::Value& output,
                          std::string_view request_id) {
  const Operation& operation = *routed.operation;
  const bool ec2 = routed.protocol == Protocol::Ec2;
  response.headers.set("Content-Type", ec2 ? "text/xml;charset=UTF-8" : "text/xml");
  std::string& body = response.body;
  body = ec2 ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" : "<";
  body += operation.name;
  body += "Response xmlns=\"";
  escape_xml_to(body, routed.service->xml_namespace, true);
  body += "\">";
  if (ec2) {
    write_xml_text(body, "requestId", request_id);
    if (operation.output != nullptr)
      write_xml_members(body, output, *operation.output, BodyPart::All, Namespaces::Query);
  } else {
    if (operation.output != nullptr) {
      std::string wrapper(operation.output_wrapper);
      if (wrapper.empty()) wrapper = std::string(operation.name) + "Result";
      write_xml(body, wrapper, output, *operation.output, {}, BodyPart::All, Namespaces::Query);
    }
    body += "<ResponseMetadata>";
    write_xml_text(body, "RequestId", request_id);
    body += "</ResponseMetadata>";
  }
  body += "</";
  body += operation.name;
  body += "Response>";
}

// What a form leaves out because the path says it.
void read_path(json::Value& input, const Operation& operation, std::string_view path) {
  const std::string_view name = member_in_path(operation.service->name);
  if (name.empty() || operation.input->find(name) == nullptr || !input[name].is_null()) return;
  const auto parts = split(path, '/');  // of "/ACCOUNT/NAME" three, the first of them empty
  if (parts.size() == 3 && parts[0].empty() && !parts[1].empty() && !parts[2].empty())
    input.set(name, uri_decode(path));
}

}  // namespace

Result<json::Value> parse_request(const Routed& routed, const HttpRequest& request,
                                  std::optional<std::string_view> given_body) {
  if (routed.operation == nullptr) return fail(errors::internal("The request was not routed to an operation"));
  const Operation& operation = *routed.operation;
  std::string_view body = given_body.value_or(request.body);
  std::optional<std::string> inflated;
  if (routed.protocol != Protocol::RestJson && routed.protocol != Protocol::RestXml) {
    if (operation.input == nullptr) return json::Value(json::Object());
    FIXPOINT_TRY(plain, decompress(request.headers, body, operation, routed.protocol));
    inflated = std::move(plain);
    if (inflated) body = *inflated;
  }
  switch (routed.protocol) {
    case Protocol::Json: return read_json_call(body, *operation.input, JsonNames::Model);
    case Protocol::Query:
    case Protocol::Ec2: {
      FIXPOINT_TRY(input, read_query(routed.query_in_target.empty() ? body : routed.query_in_target, *operation.input,
                                     routed.protocol));
      read_path(input, operation, request.path());
      return input;
    }
    default: break;
  }
  if (given_body) return read_rest_request(routed, request, body);
  FIXPOINT_TRY(chunked, unchunked(request));
  if (!chunked) return read_rest_request(routed, request, body);
  HttpRequest decoded;
  decoded.method = request.method;
  decoded.target = request.target;
  decoded.headers = request.headers;
  for (auto& [name, value] : chunked->trailers) decoded.trailers.add(std::move(name), std::move(value));
  return read_rest_request(routed, decoded, chunked->payload);
}

HttpResponse serialize_response(const Routed& routed, const json::Value& output, std::string_view request_id) {
  HttpResponse response;
  add_request_id(response, routed, request_id);
  switch (routed.protocol) {
    case Protocol::Json:
      response.headers.set("Content-Type",
                           "application/x-amz-json-" + (routed.json_version.empty() ? "1.0" : routed.json_version));
      if (routed.operation->output != nullptr)
        write_json(response.body, output, *routed.operation->output, JsonNames::Model);
      else
        response.body = "{}";
      break;
    case Protocol::Query:
    case Protocol::Ec2: write_query_response(response, routed, output, request_id); break;
    default: write_rest_response(response, routed, output); break;
  }
  if (routed.head) response.body.clear();
  return response;
}

}  // namespace fixpoint::aws
