#include "aws/verify.h"

#include <algorithm>
#include <array>
#include <vector>

#include "aws/auth_errors.h"
#include "aws/endpoints.h"
#include "aws/sign.h"
#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::size_t signed_headers_limit = 128;
constexpr std::size_t shown_limit = 64;  // of what a request says, in an error
constexpr TimeMs minute_ms = 60'000;
constexpr TimeMs skew_ms = 5 * minute_ms;
constexpr TimeMs s3_skew_ms = 15 * minute_ms;
constexpr std::int64_t presign_limit_s = 604'800;

// The parts of an authorization, from wherever they came.
struct Claim {
  bool presigned = false;
  std::string credential;
  std::string signed_headers;
  std::string signature;
  std::string token;
  std::string time_text;  // as sent
  std::string basic_time;
  TimeMs time_ms = 0;
  std::int64_t expires_s = 0;

  std::string_view access_key;
  CredentialScope scope;
  std::vector<std::string_view> names;
};

std::string_view service_of_credential(std::string_view credential) {
  const std::size_t last = credential.rfind('/');
  if (last == std::string_view::npos || last == 0) return {};
  const std::size_t before = credential.rfind('/', last - 1);
  if (before == std::string_view::npos) return {};
  return credential.substr(before + 1, last - before - 1);
}

std::string_view attribute(std::string_view authorization, std::string_view name) {
  for (std::size_t at = 0; at < authorization.size();) {
    const std::size_t end = std::min(authorization.find(',', at), authorization.size());
    const std::string_view part = trim(authorization.substr(at, end - at));
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
    at = end + 1;
  }
  return {};
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view part = query.substr(at, end - at);
    if (part.starts_with(name) && (part.size() == name.size() || part[name.size()] == '=')) {
      return part.size() == name.size() ? std::string() : uri_decode(part.substr(name.size() + 1));
    }
    at = end + 1;
  }
  return {};
}

Error incomplete(AuthStyle style, std::string message) {
  return auth_error(style, AuthFault::Incomplete, std::move(message));
}

// S3 has a code of its own for what is wrong with the parameters of a presigned URL.
Error bad_parameter(AuthStyle style, std::string message) {
  if (style == AuthStyle::S3) return errors::coded("AuthorizationQueryParametersError", std::move(message), 400);
  return incomplete(style, std::move(message));
}

// A request that is signed in a way that nobody signs in any more.
Error other_mechanism(AuthStyle style, std::string message) {
  if (style != AuthStyle::S3) return incomplete(style, std::move(message));
  return errors::coded("InvalidRequest",
                       "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
                       400);
}

// S3 says of a scope in a word of its own what is wrong with it.
Error wrong_scope(const Claim& claim, AuthStyle style, const std::string& in_s3, std::string message) {
  if (style != AuthStyle::S3) return auth_error(style, AuthFault::SignatureMismatch, std::move(message));
  if (claim.presigned) return bad_parameter(style, "Error parsing the X-Amz-Credential parameter; " + in_s3);
  return incomplete(style, "The authorization header is malformed; " + in_s3);
}

Result<void> read_header_claim(Claim& claim, const HttpRequest& request, std::string_view authorization,
                               AuthStyle style) {
  const std::size_t blank = std::min(authorization.find_first_of(" \t"), authorization.size());
  const std::string_view algorithm = authorization.substr(0, blank);
  if (algorithm != signature_algorithm) {
    return fail(other_mechanism(style,
                                "Unsupported AWS 'algorithm': the Authorization header must begin with "
                                "AWS4-HMAC-SHA256."));
  }
  const std::string_view rest = authorization.substr(blank);
  claim.credential = attribute(rest, "Credential");
  claim.signed_headers = attribute(rest, "SignedHeaders");
  claim.signature = attribute(rest, "Signature");
  std::string missing;
  if (claim.credential.empty()) missing += "Authorization header requires 'Credential' parameter. ";
  if (claim.signature.empty()) missing += "Authorization header requires 'Signature' parameter. ";
  if (claim.signed_headers.empty()) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  claim.time_text = trim(request.headers.get("X-Amz-Date"));
  if (claim.time_text.empty()) claim.time_text = trim(request.headers.get("Date"));
  if (claim.time_text.empty()) {
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) {
    missing.pop_back();
    return fail(incomplete(style, std::move(missing)));
  }
  claim.token = trim(request.headers.get("X-Amz-Security-Token"));
  return {};
}

Result<void> read_query_claim(Claim& claim, std::string_view query, AuthStyle style) {
  claim.presigned = true;
  const auto take = [&](std::string_view name) { return query_value(query, name).value_or(""); };
  if (take("X-Amz-Algorithm") != signature_algorithm) {
    return fail(bad_parameter(style, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
  }
  claim.credential = take("X-Amz-Credential");
  claim.signed_headers = take("X-Amz-SignedHeaders");
  claim.signature = take("X-Amz-Signature");
  claim.time_text = take("X-Amz-Date");
  claim.token = take("X-Amz-Security-Token");
  const std::string expires = take("X-Amz-Expires");
  if (claim.credential.empty() || claim.signed_headers.empty() || claim.signature.empty() || claim.time_text.empty() ||
      expires.empty()) {
    return fail(bad_parameter(style,
                              "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                              "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."));
  }
  const auto seconds = to_int64(expires);
  if (!seconds) return fail(bad_parameter(style, "X-Amz-Expires should be a number"));
  if (*seconds < 0) return fail(bad_parameter(style, "X-Amz-Expires must be non-negative"));
  if (*seconds > presign_limit_s) {
    return fail(bad_parameter(style,
                              "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
                              "must be less than 604800 seconds"));
  }
  claim.expires_s = *seconds;
  return {};
}

Result<void> read_scope(Claim& claim, AuthStyle style, std::string_view service) {
  const auto parts = split(claim.credential, '/');
  // An access key may hold slashes no more than a scope may: five parts exactly.
  if (parts.size() != 5 || parts[0].empty() || parts[2].empty() || parts[3].empty()) {
    const std::string sentence =
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term";
    return fail(claim.presigned ? bad_parameter(style, sentence) : incomplete(style, sentence));
  }
  claim.access_key = std::string_view(claim.credential).substr(0, parts[0].size());
  claim.scope = {std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
  if (parts[4] != "aws4_request") {
    return fail(auth_error(style, AuthFault::SignatureMismatch,
                           "Credential should be scoped with a valid terminator: 'aws4_request'."));
  }
  const std::string region = claim.scope.region.substr(0, shown_limit);
  if (!is_host_label(claim.scope.region))
    return fail(wrong_scope(claim, style, "the region '" + region + "' is wrong; it has letters, digits and hyphens",
                            "Credential should be scoped to a valid region, not '" + region + "'."));
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
  if (!service.empty() && claim.scope.service != service)
    return fail(wrong_scope(claim, style,
                            "incorrect service \"" + claim.scope.service.substr(0, shown_limit) +
                                "\". This endpoint belongs to \"" + std::string(service) + "\".",
                            "Credential should be scoped to correct service: '" + std::string(service) + "'."));
  Result<TimeMs> time = parse_basic_iso8601(claim.time_text);
  if (!time && !claim.presigned) {
    if (const auto seconds = parse_http_date(claim.time_text)) time = static_cast<TimeMs>(*seconds * 1000);
  }
  if (!time) {
    const std::string sentence = claim.presigned
                                     ? "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
                                     : "Date must be in ISO-8601 'basic format': yyyyMMdd'T'HHmmss'Z'.";
    return fail(claim.presigned ? bad_parameter(style, sentence) : incomplete(style, sentence));
  }
  claim.time_ms = *time;
  claim.basic_time = format_basic_iso8601(*time);
  if (claim.basic_time.substr(0, 8) != claim.scope.date) {
    return fail(
        auth_error(style, AuthFault::SignatureMismatch,
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
                       claim.scope.date.substr(0, 16) + "' != '" + claim.basic_time.substr(0, 8) + "', from '" +
                       claim.basic_time + "'."));
  }
  return {};
}

Result<void> read_names(Claim& claim, const HttpRequest& request, AuthStyle style) {
  const std::string_view list = claim.signed_headers;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(';', at), list.size());
    claim.names.push_back(list.substr(at, end - at));
    if (claim.names.size() > signed_headers_limit) {
      return fail(incomplete(style, "SignedHeaders names more than 128 headers."));
    }
    at = end + 1;
  }
  const auto is_signed = [&](std::string_view name) {
    return std::find(claim.names.begin(), claim.names.end(), name) != claim.names.end();
  };
  if (!is_signed("host")) {
    return fail(
        auth_error(style, AuthFault::UnsignedHeader, "'Host' must be a 'SignedHeader' in the AWS Authorization."));
  }
  // S3 wants every x-amz- header signed. Elsewhere these decide what is called and with what body; a session token may
  // be added after signing.
  for (const auto& [name, value] : request.headers) {
    if (name.size() < 6 || !equals_ignore_case(std::string_view(name).substr(0, 6), "x-amz-")) continue;
    const std::string lower = to_lower(name);
    const bool must = style == AuthStyle::S3 || lower == "x-amz-target" || lower == "x-amz-content-sha256" ||
                      (lower == "x-amz-date" && !claim.presigned);
    if (must && !is_signed(lower)) return fail(auth_error(style, AuthFault::UnsignedHeader));
  }
  return {};
}

Result<void> check_time(const Claim& claim, TimeMs now, AuthStyle style) {
  const TimeMs skew = style == AuthStyle::S3 ? s3_skew_ms : skew_ms;
  const std::string minutes = std::to_string(skew / minute_ms) + " min.)";
  if (claim.time_ms > now + skew) {
    if (style == AuthStyle::S3) {
      if (claim.presigned) return fail(auth_error(style, AuthFault::ExpiredPresign, "Request is not yet valid"));
      return fail(auth_error(style, AuthFault::ClockSkew));
    }
    if (style == AuthStyle::Ec2) return fail(auth_error(style, AuthFault::ClockSkew));
    return fail(auth_error(style, AuthFault::ClockSkew,
                           "Signature not yet current: " + claim.basic_time + " is still later than " +
                               format_basic_iso8601(now + skew) + " (" + format_basic_iso8601(now) + " + " + minutes));
  }
  const TimeMs good_until = claim.time_ms + (claim.presigned ? claim.expires_s * 1000 : skew);
  if (now <= good_until) return {};
  const AuthFault fault = claim.presigned ? AuthFault::ExpiredPresign : AuthFault::ClockSkew;
  if (style == AuthStyle::S3 || style == AuthStyle::Ec2) return fail(auth_error(style, fault));
  std::string message = "Signature expired: ";
  if (claim.presigned) {
    message += format_basic_iso8601(good_until) + " is now earlier than " + format_basic_iso8601(now);
  } else {
    message += claim.basic_time + " is now earlier than " + format_basic_iso8601(now - skew) + " (" +
               format_basic_iso8601(now) + " - " + minutes;
  }
  return fail(auth_error(style, fault, std::move(message)));
}

Result<void> check_session(const Claim& claim, const KeyRecord& record, TimeMs now, AuthStyle style) {
  if (!equal_in_constant_time(claim.token, record.session_token)) {
    return fail(auth_error(style, AuthFault::InvalidToken));
  }
  if (record.expires_ms && now >= *record.expires_ms) return fail(auth_error(style, AuthFault::ExpiredToken));
  return {};
}

struct Payload {
  std::string last_line;
  bool hash_stated = false;  // S3 compares it with the body once the signature is right
  bool chunked = false;
  bool chunks_signed = false;
};

Result<Payload> read_payload(const Claim& claim, const HttpRequest& request, AuthStyle style) {
  const std::string* stated = request.headers.find("x-amz-content-sha256");
  std::optional<std::string> in_query;
  if (stated == nullptr && claim.presigned && style == AuthStyle::S3) {
    in_query = query_value(request.query(), "X-Amz-Content-Sha256");
    if (in_query) stated = &*in_query;
  }
  if (stated == nullptr) {
    if (style != AuthStyle::S3) return Payload{.last_line = sha256_hex(request.body)};
    if (claim.presigned) return Payload{.last_line = std::string(unsigned_payload)};
    return fail(errors::coded("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400));
  }
  if (*stated == unsigned_payload) return Payload{.last_line = *stated};
  if (*stated == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" || *stated == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return Payload{.last_line = *stated, .chunked = true, .chunks_signed = true};
  }
  if (*stated == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return Payload{.last_line = *stated, .chunked = true};
  if (style != AuthStyle::S3) return Payload{.last_line = sha256_hex(request.body)};
  if (stated->size() != 64 || stated->find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return fail(errors::coded("InvalidRequest",
                              "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a "
                              "valid sha256 value.",
                              400));
  }
  return Payload{.last_line = *stated, .hash_stated = true};
}

}  // namespace

bool is_version_2_query(std::string_view query) {
  return query_value(query, "AWSAccessKeyId") && query_value(query, "Signature");
}

Verifier::Verifier(const KeyLookup& keys, const Clock& clock, std::size_t cached_keys)
    : keys_(keys), clock_(clock), signing_keys_(cached_keys) {}

Result<Verified> Verifier::verify(const HttpRequest& request, const VerifyOptions& options) const {
  Claim claim;
  const std::string* authorization = request.headers.find("Authorization");
  const std::string_view query = request.query();
  const bool in_query =
      query.find("X-Amz-") != std::string_view::npos &&
      (query_value(query, "X-Amz-Algorithm").has_value() || query_value(query, "X-Amz-Signature").has_value());
  if (authorization == nullptr && !in_query) {
    const AuthStyle style = auth_style(options.service, request);
    if (is_version_2_query(query)) {
      return fail(
          other_mechanism(style, "The query is signed by Signature Version 2; it has to be by AWS4-HMAC-SHA256."));
    }
    return fail(auth_error(style, AuthFault::MissingToken));
  }
  const std::string credential =
      authorization != nullptr
          ? std::string(attribute(
                std::string_view(*authorization).substr(std::min(authorization->find(' '), authorization->size())),
                "Credential"))
          : query_value(query, "X-Amz-Credential").value_or("");
  const std::string_view service = options.service.empty() ? service_of_credential(credential) : options.service;
  const AuthStyle style = auth_style(service, request);
  if (authorization != nullptr && in_query && style == AuthStyle::S3) {
    return fail(errors::coded("InvalidArgument",
                              "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
                              "query string parameter or the Authorization header should be specified",
                              400));
  }
  FIXPOINT_CHECK(authorization != nullptr ? read_header_claim(claim, request, *authorization, style)
                                          : read_query_claim(claim, query, style));
  FIXPOINT_CHECK(read_scope(claim, style, options.service));
  FIXPOINT_CHECK(read_names(claim, request, style));

  const TimeMs now = clock_.now_ms();
  const std::shared_ptr<const KeyRecord> record = keys_.find(claim.access_key);
  if (record == nullptr) return fail(auth_error(style, AuthFault::UnknownKey));
  FIXPOINT_CHECK(check_time(claim, now, style));
  FIXPOINT_CHECK(check_session(claim, *record, now, style));

  FIXPOINT_TRY(payload, read_payload(claim, request, style));
  const PathRule rule = options.path_rule.value_or(path_rule_of(claim.scope.service));
  const std::string scope = claim.scope.to_string();
  const std::string key = signing_keys_.key(record->secret, claim.scope);
  static constexpr std::array<std::string_view, 2> added_after = {"X-Amz-Signature", "X-Amz-Security-Token"};
  const auto matches = [&](std::span<const std::string_view> without) {
    const std::string canonical = canonical_request(request, rule, claim.names, payload.last_line, without);
    const std::string expected = hex_encode(hmac_sha256(key, string_to_sign(claim.basic_time, scope, canonical)));
    return equal_in_constant_time(expected, claim.signature);
  };
  bool right = matches(claim.presigned ? std::span(added_after).first(1) : std::span<const std::string_view>{});
  // Some services want the session token added after signing; which is not written down, so both ways are taken.
  if (!right && claim.presigned && !claim.token.empty() && style != AuthStyle::S3) right = matches(added_after);
  if (!right) return fail(auth_error(style, AuthFault::SignatureMismatch));
  if (payload.hash_stated && !equals_ignore_case(payload.last_line, sha256_hex(request.body))) {
    return fail(errors::coded("XAmzContentSHA256Mismatch",
                              "The provided 'x-amz-content-sha256' header does not match what was computed.", 400));
  }

  Verified verified;
  if (payload.chunked) {
    const std::string* stated = request.headers.find("x-amz-decoded-content-length");
    const auto length = stated != nullptr ? to_int64(*stated) : std::nullopt;
    if (!length || *length < 0) {
      return fail(errors::coded("MissingContentLength", "You must provide the Content-Length HTTP header.", 411));
    }
    std::optional<ChunkSigning> signing;
    if (payload.chunks_signed) signing = ChunkSigning{key, claim.basic_time, scope, claim.signature};
    FIXPOINT_TRY(body, decode_aws_chunked(request.body, signing, static_cast<std::size_t>(*length)));
    for (const std::string_view announced : split(request.headers.get("x-amz-trailer"), ',')) {
      const std::string name = to_lower(trim(announced));
      const auto is_it = [&](const auto& trailer) { return trailer.first == name; };
      if (!name.empty() && std::none_of(body.trailers.begin(), body.trailers.end(), is_it)) {
        return fail(errors::coded("MalformedTrailerError",
                                  "The request contained trailing data that was not well-formed or did not conform to "
                                  "our published schema.",
                                  400));
      }
    }
    verified.decoded_body = std::move(body);
  }
  verified.principal = record->principal;
  verified.access_key = std::string(claim.access_key);
  verified.scope = std::move(claim.scope);
  verified.signed_at_ms = claim.time_ms;
  verified.presigned = claim.presigned;
  return verified;
}

}  // namespace fixpoint::aws
