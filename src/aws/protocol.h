#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "aws/compression.h"
#include "aws/model.h"
#include "base/error.h"
#include "base/http_message.h"
#include "json/value.h"

/// The wire protocols, both ways, without I/O: canonical JSON in, HTTP messages out, and back. Everything here is a
/// pure function of its arguments (but for the idempotency token that a client leaves out) and thread-safe.
///
/// Canonical JSON: the model's member names; blobs and streams base64; timestamps seconds since the epoch (as input
/// also ISO 8601 or HTTP date texts); integers exact; floats may be "NaN", "Infinity", "-Infinity".
namespace fixpoint::aws {

/// What a service answered, or is to answer, instead of a result.
struct ServiceError {
  Error error;             ///< `http_status` is the response's; `retryable` by status, code and model
  json::Value details;     ///< the modelled members of the error, an object; null where there are none
  std::string request_id;  ///< as the service called the request; may be empty
};

struct ClientOptions {
  std::string host;       ///< of the endpoint, with its port where it names one; empty: no Host header is set
  std::string base_path;  ///< of the endpoint, before the path: `/custom`; empty for most
  std::optional<Protocol> protocol;  ///< for a service that is spoken in two; else the model's
  bool s3_virtual_host =
      false;                ///< `bucket.host/key` instead of `host/bucket/key`, where the bucket's name can be a label
  bool host_prefix = true;  ///< put the model's host prefix before the host
  CompressionSettings compression{};
  std::string idempotency_token;  ///< for the member that wants one and has none; empty: a random UUID
};

/// The request for a call, unsigned. `Host` holds what options, host prefix and S3's addressing make of it.
/// The input has been validated (validate.h); what does not fit the model is left out.
/// Errors: ValidationException for a path label, host label or checksum algorithm that cannot be sent.
Result<HttpRequest> serialize_request(const Operation& operation, const json::Value& input,
                                      const ClientOptions& options = {});

/// The result of a call, an object, or the service's error. A response that cannot be read is an error too
/// (code ResponseParserError).
tl::expected<json::Value, ServiceError> parse_response(const Operation& operation, const HttpResponse& response,
                                                       std::optional<Protocol> protocol = {});

/// A request that the router has found the operation of; or, without one, what a failure is answered in.
struct Routed {
  std::shared_ptr<const Service> service;  ///< null where not even that is known
  const Operation* operation = nullptr;    ///< null where none fits
  Protocol protocol = Protocol::RestJson;  ///< what the request speaks, and the answer
  std::string json_version;                ///< of the json protocol: as the request named it
  std::string path;                        ///< rest: the raw path with S3's bucket put back into it
  std::string query_in_target;             ///< query, ec2: the parameters where they came in the target of a GET
  bool head = false;                       ///< a HEAD: the answer has no body
};

/// The input of a request, an object, not validated yet. Checksums that came with the body are verified first, and a
/// body in aws-chunked, or in gzip where the service takes that, is decoded. `body` replaces the request's own where
/// somebody has decoded it already. Errors: SerializationException (json, rest-json), MalformedXML (rest-xml),
/// MalformedInput (query), InvalidParameterValue (ec2), UnsupportedMediaTypeException, RequestEntityTooLarge (gzip),
/// and those of checksum.h.
Result<json::Value> parse_request(const Routed& routed, const HttpRequest& request,
                                  std::optional<std::string_view> body = {});

/// The response with a result. What does not fit the model is left out.
HttpResponse serialize_response(const Routed& routed, const json::Value& output, std::string_view request_id);

/// The response with an error: the modelled error's status and members, else the error's own status (400 where it has
/// none). `details` are the error's modelled members; for S3 any others become elements as well (`BucketName`).
HttpResponse serialize_error(const Routed& routed, const Error& error, std::string_view request_id,
                             const json::Value& details = {});

}  // namespace fixpoint::aws
