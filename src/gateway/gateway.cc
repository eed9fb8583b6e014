#include "gateway/gateway.h"

#include <memory>

#include "aws/auth_errors.h"
#include "aws/protocol.h"
#include "aws/validate.h"
#include "base/arn.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::string_view api_service = "fixpoint";  // in the credential scope of requests to /api/

HttpResponse json_response(int status, const Value& body) {
  return HttpResponse{status, {{"Content-Type", "application/json"}}, json::print(body)};
}

HttpResponse api_error(const Error& error) {
  json::Object inner{{"Code", error.code}, {"Message", error.message}};
  if (!error.where.empty()) inner.set("Where", error.where);
  return json_response(error.http_status != 0 ? error.http_status : 400, json::Object{{"Error", inner}});
}

aws::Caller caller_of(const aws::Verified& verified, std::string request_id) {
  return {verified.principal->account, verified.scope.region, std::string(partition_of_region(verified.scope.region)),
          std::move(request_id), verified.principal};
}

// On the handlers' way no other key is known than an execution's, however a handler came by it.
Result<void> may_come(const aws::Verified& verified, const HttpRequest& request, Gateway::Way way) {
  if (way == Gateway::Way::Anybody || !verified.principal->execution.empty()) return {};
  return fail(aws::auth_error(aws::auth_style(verified.scope.service, request), aws::AuthFault::UnknownKey,
                              "A handler's calls are signed with the credentials of its execution; another key is "
                              "not taken from a handler."));
}

// A Responder moves, and std::function wants what it holds to be copyable.
std::shared_ptr<http::Responder> shared(http::Responder responder) {
  return std::make_shared<http::Responder>(std::move(responder));
}

}  // namespace

void Gateway::handle(HttpRequest request, http::Responder responder, Way way) {
  const std::string_view path = request.path();
  const std::string signing_name = aws::signing_name_of(request);
  const bool is_signed = !signing_name.empty() || request.headers.has("Authorization") ||
                         request.query().find("X-Amz-Signature") != std::string_view::npos;
  // Buckets may be named `api` and `healthz`: what is signed for S3 is S3's.
  if (path == "/healthz" && !is_signed && request.query().empty() &&
      (request.method == "GET" || request.method == "HEAD"))
    return responder.send({200, {{"Content-Type", "text/plain"}}, "ok\n"});
  if (path.starts_with("/api/") && (signing_name.empty() || signing_name == api_service))
    return handle_api(request, std::move(responder), way);
  // A link in a notification is opened without a signature, in the address or anywhere else.
  if (way == Way::Anybody && open_ && request.method == "GET" && !is_signed)
    return handle_open(std::move(request), std::move(responder));
  handle_aws(std::move(request), std::move(responder), way);
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (EntityTooLarge)
HttpResponse Gateway::refusal(const HttpRequest& head, HttpResponse plain) const {
  const std::string signing_name = aws::signing_name_of(head);
  const auto routed = router_.route(head, signing_name);
  const aws::Routed& form = routed ? *routed : routed.error().routed;
  if (!form.service || signing_name == api_service) return plain;
  const std::string sentence(trim(plain.body));
  Error error = plain.status == 413 ? errors::too_large(sentence) : errors::unavailable(sentence);
  if (plain.status == 413 && form.service->name == "s3")
    error = errors::coded("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400);
  auto response = aws::serialize_error(form, error, random_uuid());
  if (const std::string* when = plain.headers.find("Retry-After")) response.headers.set("Retry-After", *when);
  return response;
}

void Gateway::handle_open(HttpRequest request, http::Responder responder) {
  auto whole = std::make_shared<HttpRequest>(std::move(request));
  auto answer = shared(std::move(responder));
  const bool taken = workers_.run([this, whole, answer] {
    auto response = open_(*whole);
    if (response)
      answer->send(std::move(*response));
    else
      handle_aws(std::move(*whole), std::move(*answer), Way::Anybody);
  });
  if (!taken) answer->send({503, {{"Content-Type", "text/plain"}}, "too many requests are waiting\n"});
}

void Gateway::handle_aws(HttpRequest request, http::Responder responder, Way way) {
  const std::string request_id = random_uuid();
  const std::string signing_name = aws::signing_name_of(request);
  auto routed = router_.route(request, signing_name);
  const aws::Routed& form = routed ? *routed : routed.error().routed;
  // Who calls is asked before what is called for: a stranger learns nothing of what there is.
  auto verified = verifier_.verify(
      request, {.service = form.service ? router_.signing_name_for(*form.service, signing_name) : std::string_view()});
  if (!verified) return responder.send(aws::serialize_error(form, verified.error(), request_id));
  if (const auto may = may_come(*verified, request, way); !may)
    return responder.send(aws::serialize_error(form, may.error(), request_id));
  if (!routed) return responder.send(aws::serialize_error(form, routed.error().error, request_id));
  std::optional<std::string_view> body;
  if (verified->decoded_body) {
    body = verified->decoded_body->payload;
    for (auto& [name, value] : verified->decoded_body->trailers) request.trailers.add(name, value);
  }
  auto input = aws::parse_request(*routed, request, body);
  if (!input) return responder.send(aws::serialize_error(*routed, input.error(), request_id));

  const std::string service(routed->service->name);
  const std::string operation(routed->operation->name);
  if (!dispatch_.validates(service, operation)) {
    if (auto valid = aws::validate(*routed->operation, *input); !valid)
      return responder.send(aws::serialize_error(*routed, valid.error(), request_id));
  }
  const auto to = shared(std::move(responder));
  dispatch_.call(
      caller_of(*verified, request_id), service, operation, std::move(*input),
      [routed = std::move(*routed), request_id, to](Result<Value> answer) {
        auto response = answer ? aws::serialize_response(routed, *answer, request_id)
                               : aws::serialize_error(routed, answer.error(), request_id);
        // In the form that the client reads; what the server says of it by itself is plain text.
        if (!to->reserve(response.body.size()))
          response = aws::serialize_error(routed, no_room_for_answer(), request_id);
        if (response.status == 503) response.headers.set("Retry-After", "1");
        to->send(std::move(response));
      },
      [to](std::size_t bytes) { return to->reserve(bytes); });
}

void Gateway::handle_api(const HttpRequest& request, http::Responder responder, Way way) {
  auto verified = verifier_.verify(request, {.service = api_service});
  if (!verified) return responder.send(api_error(verified.error()));
  if (const auto may = may_come(*verified, request, way); !may) return responder.send(api_error(may.error()));
  if (!verified->principal->execution.empty())
    return responder.send(
        api_error(errors::access_denied("credentials that were issued for an execution cannot use /api/")));
  if (request.method != "POST")
    return responder.send(api_error(errors::coded("MethodNotAllowed", "/api/ takes POST with a JSON object", 405)));
  auto input = request.body.empty() ? Result<Value>(Value(json::Object())) : json::parse(request.body);
  if (input && !input->is_object()) input = fail(errors::serialization("the body has to be a JSON object"));
  if (!input) return responder.send(api_error(input.error()));
  const std::string name(request.path().substr(5));
  auto caller = caller_of(*verified, random_uuid());
  auto answer = shared(std::move(responder));
  const bool taken = workers_.run([this, caller = std::move(caller), name, input = std::move(*input), answer] {
    api_.call(caller, name, input, [answer](Result<Value> result) {
      answer->send(result ? json_response(200, *result) : api_error(result.error()));
    });
  });
  if (!taken)
    answer->send(api_error(errors::unavailable("the server has too many requests waiting; try again in a moment")));
}

}  // namespace fixpoint::gateway
