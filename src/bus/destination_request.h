#pragma once

#include <string>

#include "base/error.h"
#include "base/http_message.h"
#include "bus/destinations.h"
#include "json/value.h"

namespace fixpoint::bus {

/// A request and where it goes: what HttpClient takes.
struct PreparedRequest {
  std::string base_url;  ///< scheme, host and port
  HttpRequest request;
};

/// Whether a text is a URL that events can be sent to: http or https, a host, no credentials and no fragment in it.
/// Error: ValidationException that names `parameter`.
Result<void> check_url(const std::string& url, const std::string& parameter);

/// Whether a target's HttpParameters can be read: a value that begins with "$." has to be a path. Error:
/// ValidationException, `where` being the parameter.
Result<void> check_http_parameters(const json::Value& parameters);

/// What is sent to a destination for an event. `parameters` are the connection's, opened; `http` the target's
/// HttpParameters; `text` what the target gets of the event; `token` an OAuth access token where the type has one. The
/// connection's values go before the target's, and the headers that EventBridge keeps for itself before both. GET and
/// HEAD carry no body. Errors (not retryable, none names a value): ValidationException.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
Result<PreparedRequest> destination_request(const Destination& destination, const std::string& type,
                                            const json::Value& parameters, const json::Value& http,
                                            const json::Value& event, const std::string& text,
                                            const std::string& token);

/// The request for an access token, client credentials and all (RFC 6749 section 4.4), of OAuthParameters.
Result<PreparedRequest> token_request(const json::Value& oauth);

}  // namespace fixpoint::bus
