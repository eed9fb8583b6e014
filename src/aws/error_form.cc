#include "aws/error_form.h"

#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "aws/json_body.h"
#include "aws/quirks.h"
#include "aws/rest_binding.h"
#include "aws/retry.h"
#include "aws/xml_body.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

bool is_rest(Protocol protocol) {
  return protocol == Protocol::RestJson || protocol == Protocol::RestXml;
}

std::string_view text_of(const json::Value& body, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const json::Value* value = body.find(name); value != nullptr && value->is_string()) return value->as_string();
  return {};
}

std::string status_word(int status) {
  switch (status) {
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 416: return "Requested Range Not Satisfiable";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status " + std::to_string(status);
  }
}

const Shape* shape_of(const Operation& operation, std::string_view code) {
  const Shape* shape = operation.find_error(code);
  return shape != nullptr ? shape : operation.service->find_error(code);
}

void parse_json_error(ServiceError& failed, const Operation& operation, const HttpResponse& response,
                      Protocol protocol) {
  json::Value body;
  if (auto parsed = json::parse(response.body)) body = std::move(*parsed);
  std::string_view code = response.headers.get("x-amzn-errortype");
  if (code.empty()) code = text_of(body, {"__type", "code", "Code"});
  failed.error.code = bare_error_code(code);
  failed.error.message = text_of(body, {"message", "Message", "errorMessage"});
  if (const Shape* shape = shape_of(operation, failed.error.code)) {
    if (body.is_object() && read_json(body, *shape, protocol == Protocol::Json ? JsonNames::Model : JsonNames::Wire,
                                      Reading::Lenient, BodyPart::Response))
      failed.details = std::move(body);
  }
  // The code that the query protocol had is what clients of these services have always tested for.
  const std::string_view query_error = response.headers.get("x-amzn-query-error");
  if (const auto semicolon = query_error.find(';'); semicolon != std::string_view::npos)
    failed.error.code = query_error.substr(0, semicolon);
}

void parse_xml_error(ServiceError& failed, const Operation& operation, const HttpResponse& response) {
  auto document = XmlDocument::parse(response.body, response_xml_limits);
  if (!document) return;
  const pugi::xml_node root = document->root();
  pugi::xml_node element = root;
  if (local_name(root.name()) != "Error") {
    if (const pugi::xml_node errors = find_element(root, "Errors")) element = errors;
    if (const pugi::xml_node error = find_element(element, "Error")) element = error;
  }
  failed.error.code = element_text(find_element(element, "Code"));
  failed.error.message = element_text(find_element(element, "Message"));
  if (failed.error.message.empty()) failed.error.message = element_text(find_element(element, "message"));
  for (const char* name : {"RequestId", "RequestID", "requestId"}) {
    if (failed.request_id.empty()) failed.request_id = element_text(find_element(root, name));
    if (failed.request_id.empty()) failed.request_id = element_text(find_element(element, name));
  }
  if (const Shape* shape = shape_of(operation, failed.error.code))
    if (auto details = read_xml(element, *shape, Reading::Lenient, BodyPart::Response))
      failed.details = std::move(*details);
}

bool uses_json(Protocol protocol) {
  return protocol == Protocol::Json || protocol == Protocol::RestJson;
}

// The modelled member that holds the sentence, by its name in the model.
const Member* message_member(const Shape* shape) {
  if (shape == nullptr) return nullptr;
  for (const Member& member : shape->members)
    if (equals_ignore_case(member.name, "message")) return &member;
  return nullptr;
}

/// What goes into an error document.
struct Failure {
  const Shape* shape = nullptr;
  std::string_view name;  // of the shape, or the code
  std::string_view code;  // on the wire of the query protocols
  int status = 400;
  json::Value members = json::Object();  // modelled, with the message among them where the model has one
};

Failure failure_of(const Routed& routed, const Error& error, const json::Value& details) {
  Failure failure;
  if (routed.operation != nullptr)
    failure.shape = shape_of(*routed.operation, error.code);
  else if (routed.service != nullptr)
    failure.shape = routed.service->find_error(error.code);
  failure.name = failure.shape != nullptr ? failure.shape->name : std::string_view(error.code);
  failure.code = failure.shape != nullptr ? failure.shape->error_code : std::string_view(error.code);
  if (failure.shape != nullptr &&
      (failure.shape->has_error_status || error.http_status == 0 || routed.protocol == Protocol::Json))
    failure.status = failure.shape->error_status;
  else if (error.http_status != 0)
    failure.status = error.http_status;
  // The status that the query protocol had is of that protocol alone.
  if (routed.protocol == Protocol::Json && routed.service != nullptr && routed.service->query_compatible &&
      failure.status < 500)
    failure.status = 400;
  if (details.is_object()) failure.members = details;
  if (const Member* message = message_member(failure.shape))
    if (failure.members[message->name].is_null() && !error.message.empty())
      failure.members.set(message->name, error.message);
  return failure;
}

void write_json_error(HttpResponse& response, const Routed& routed, const Error& error, const Failure& failure) {
  const bool rest = routed.protocol == Protocol::RestJson;
  std::string& body = response.body;
  body = "{";
  if (rest) {
    response.headers.set("Content-Type", "application/json");
    response.headers.set("x-amzn-ErrorType", std::string(failure.name));
  } else {
    const std::string version = routed.json_version.empty() ? "1.0" : routed.json_version;
    response.headers.set("Content-Type", "application/x-amz-json-" + version);
    std::string type(failure.name);
    // json 1.0 names the namespace, 1.1 does not; clients cut it off.
    if (version == "1.0")
      type =
          (failure.shape != nullptr && routed.service != nullptr ? "com.amazonaws." + std::string(routed.service->name)
                                                                 : std::string("com.amazon.coral.service")) +
          "#" + type;
    body += "\"__type\":";
    json::print_string_to(body, type);
    if (routed.service != nullptr && routed.service->query_compatible)
      response.headers.set("x-amzn-query-error",
                           std::string(failure.code) + (failure.status < 500 ? ";Sender" : ";Receiver"));
  }
  if (message_member(failure.shape) == nullptr && !error.message.empty()) {
    if (body.size() > 1) body += ',';
    body += "\"message\":";
    json::print_string_to(body, error.message);
  }
  if (failure.shape != nullptr) {
    std::string members;
    write_json(members, failure.members, *failure.shape, rest ? JsonNames::Wire : JsonNames::Model, BodyPart::Response);
    if (members.size() > 2) {
      if (body.size() > 1) body += ',';
      body.append(members, 1, members.size() - 2);
    }
    write_headers(response.headers, *failure.shape, failure.members);
  }
  body += '}';
}

// The modelled members but the message, which stands before them.
void write_xml_details(std::string& body, const Failure& failure) {
  if (failure.shape == nullptr) return;
  json::Value members = failure.members;
  if (const Member* message = message_member(failure.shape)) members.as_object().erase(message->name);
  write_xml_members(body, members, *failure.shape, BodyPart::Response);
}

void write_xml_error(HttpResponse& response, const Routed& routed, const Error& error, const Failure& failure,
                     std::string_view request_id) {
  std::string& body = response.body;
  const std::string_view service = routed.service != nullptr ? routed.service->name : std::string_view();
  const bool bare = routed.protocol == Protocol::RestXml && xml_error_form(service) == XmlErrorForm::Bare;
  body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  if (routed.protocol == Protocol::Ec2) {
    response.headers.set("Content-Type", "text/xml;charset=UTF-8");
    body += "<Response><Errors><Error>";
  } else if (bare) {
    response.headers.set("Content-Type", "application/xml");
    body += "<Error>";
  } else {
    response.headers.set("Content-Type", routed.protocol == Protocol::Query ? "text/xml" : "application/xml");
    body += "<ErrorResponse";
    if (routed.service != nullptr && !routed.service->xml_namespace.empty()) {
      body += " xmlns=\"";
      escape_xml_to(body, routed.service->xml_namespace, true);
      body += '"';
    }
    body += "><Error>";
    const bool sender = failure.shape != nullptr ? failure.shape->sender_fault : failure.status < 500;
    write_xml_text(body, "Type", sender ? "Sender" : "Receiver");
  }
  write_xml_text(body, "Code", failure.code);
  if (!error.message.empty()) write_xml_text(body, "Message", error.message);
  write_xml_details(body, failure);
  if (bare) {
    // S3 says more than its model: the bucket, the key, the region to go to.
    for (const json::Member& entry : failure.members.as_object())
      if (entry.value.is_string() && (failure.shape == nullptr || failure.shape->find(entry.key) == nullptr))
        write_xml_text(body, entry.key, entry.value.as_string());
    write_xml_text(body, "RequestId", request_id);
    body += "</Error>";
  } else if (routed.protocol == Protocol::Ec2) {
    body += "</Error></Errors>";
    write_xml_text(body, "RequestID", request_id);
    body += "</Response>";
  } else {
    body += "</Error>";
    write_xml_text(body, "RequestId", request_id);
    body += "</ErrorResponse>";
  }
  if (failure.shape != nullptr) write_headers(response.headers, *failure.shape, failure.members);
}

}  // namespace

std::string_view bare_error_code(std::string_view text) {
  text = text.substr(0, text.find(':'));
  if (const auto hash = text.rfind('#'); hash != std::string_view::npos) text.remove_prefix(hash + 1);
  return trim(text);
}

bool hides_error(const Operation& operation, const HttpResponse& response) {
  if (response.status != 200 || !may_fail_inside_success(operation.service->name)) return false;
  if (operation.output == nullptr ||
      (operation.output->payload != nullptr && operation.output->payload->shape->type != ShapeType::Structure))
    return false;
  std::string_view body = trim(response.body);
  if (body.starts_with("<?")) body = trim(body.substr(std::min(body.find("?>") + 2, body.size())));
  return body.starts_with("<Error>") || body.starts_with("<Error ");
}

ServiceError parse_error(const Operation& operation, const HttpResponse& response, Protocol protocol) {
  ServiceError failed;
  // A failure inside a success is the service's own, whatever the status line said before it knew.
  failed.error.http_status = response.status == 200 ? 500 : response.status;
  failed.request_id = response.headers.get("x-amzn-requestid");
  if (failed.request_id.empty()) failed.request_id = response.headers.get("x-amz-request-id");
  if (uses_json(protocol))
    parse_json_error(failed, operation, response, protocol);
  else
    parse_xml_error(failed, operation, response);
  Error& error = failed.error;
  // No body (HEAD) or none that says anything: the status is all there is, and clients test for it.
  if (error.code.empty()) error.code = std::to_string(response.status);
  if (error.message.empty() && failed.details.is_null()) error.message = status_word(response.status);
  const Shape* shape = shape_of(operation, error.code);
  if (shape != nullptr && is_rest(protocol)) {
    if (!failed.details.is_object()) failed.details = json::Object();
    auto headers_read =
        read_headers(failed.details.as_object(), *shape, response.headers, Reading::Lenient, BodyPart::Response);
    if (!headers_read) error.where = headers_read.error().where;
  }
  error.retryable = error.http_status >= 500 || error.http_status == 429 || is_throttling_code(error.code) ||
                    is_transient_code(error.code) || (shape != nullptr && shape->retryable);
  return failed;
}

void add_request_id(HttpResponse& response, const Routed& routed, std::string_view request_id) {
  if (request_id.empty()) return;
  if (routed.service != nullptr && xml_error_form(routed.service->name) == XmlErrorForm::Bare) {
    response.headers.set("x-amz-request-id", std::string(request_id));
    response.headers.set("x-amz-id-2", base64_encode(request_id));
  } else {
    response.headers.set("x-amzn-RequestId", std::string(request_id));
  }
}

HttpResponse serialize_error(const Routed& routed, const Error& error, std::string_view request_id,
                             const json::Value& details) {
  HttpResponse response;
  const Failure failure = failure_of(routed, error, details);
  response.status = failure.status;
  add_request_id(response, routed, request_id);
  if (routed.protocol == Protocol::Json || routed.protocol == Protocol::RestJson)
    write_json_error(response, routed, error, failure);
  else
    write_xml_error(response, routed, error, failure, request_id);
  if (routed.head || response.status == 304) response.body.clear();
  return response;
}

}  // namespace fixpoint::aws
