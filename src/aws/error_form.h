#pragma once

#include <string_view>

#include "aws/protocol.h"

namespace fixpoint::aws {

/// True where a response of status 200 holds an error document all the same (S3's long copies).
bool hides_error(const Operation& operation, const HttpResponse& response);

/// The error that a response of a failed call holds.
ServiceError parse_error(const Operation& operation, const HttpResponse& response, Protocol protocol);

/// `Namespace#Code:http://...` to `Code`.
std::string_view bare_error_code(std::string_view text);

/// Headers that every answer of a protocol has: the request's id.
void add_request_id(HttpResponse& response, const Routed& routed, std::string_view request_id);

}  // namespace fixpoint::aws
