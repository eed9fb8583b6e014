#include "aws/sign.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

// Headers that something between client and server may add, drop or change.
bool is_never_signed(std::string_view name) {
  for (const std::string_view listed : {"authorization", "connection", "expect", "keep-alive", "proxy-authenticate",
                                        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
                                        "user-agent", "x-amzn-trace-id", "amz-sdk-invocation-id", "amz-sdk-request"}) {
    if (name == listed) return true;
  }
  return false;
}

struct SignedNames {
  std::vector<std::string> lower;
  std::vector<std::string_view> views;
};

SignedNames names_to_sign(const Headers& headers, bool with_token) {
  SignedNames names;
  for (const auto& [name, value] : headers) {
    std::string lower = to_lower(name);
    if (is_never_signed(lower) || (!with_token && lower == "x-amz-security-token")) continue;
    names.lower.push_back(std::move(lower));
  }
  std::sort(names.lower.begin(), names.lower.end());
  names.lower.erase(std::unique(names.lower.begin(), names.lower.end()), names.lower.end());
  names.views.assign(names.lower.begin(), names.lower.end());
  return names;
}

std::string joined(const SignedNames& names) {
  return join(names.lower, ";");
}

std::string signature_of(const Credentials& credentials, const CredentialScope& scope, std::string_view to_sign,
                         SigningKeys* keys) {
  const std::string key =
      keys != nullptr ? keys->key(credentials.secret, scope) : derive_signing_key(credentials.secret, scope);
  return hex_encode(hmac_sha256(key, to_sign));
}

Error no_host() {
  return errors::internal("a request without a Host header cannot be signed", "Host");
}

}  // namespace

SigningOptions SigningOptions::for_service(std::string service, std::string region, TimeMs time_ms) {
  SigningOptions options;
  options.path_rule = path_rule_of(service);
  options.sends_content_sha256 = options.path_rule == PathRule::AsSent;
  options.service = std::move(service);
  options.region = std::move(region);
  options.time_ms = time_ms;
  return options;
}

std::string string_to_sign(std::string_view basic_time, std::string_view scope, std::string_view canonical) {
  std::string out;
  out.reserve(160 + scope.size());
  out += signature_algorithm;
  out += '\n';
  out += basic_time;
  out += '\n';
  out += scope;
  out += '\n';
  out += sha256_hex(canonical);
  return out;
}

Result<void> sign(HttpRequest& request, const Credentials& credentials, const SigningOptions& options,
                  SigningKeys* keys) {
  if (!request.headers.has("Host")) return fail(no_host());
  const std::string time = format_basic_iso8601(options.time_ms);
  const CredentialScope scope{time.substr(0, 8), options.region, options.service};
  const std::string scope_text = scope.to_string();
  request.headers.remove("Authorization");
  request.headers.set("X-Amz-Date", time);
  if (credentials.session_token.empty())
    request.headers.remove("X-Amz-Security-Token");
  else
    request.headers.set("X-Amz-Security-Token", credentials.session_token);
  const std::string* stated = request.headers.find("x-amz-content-sha256");
  std::string payload;
  if (stated != nullptr && stated->starts_with("STREAMING-"))
    payload = *stated;
  else
    payload = options.body_signed ? sha256_hex(request.body) : std::string(unsigned_payload);
  if (options.sends_content_sha256 || stated != nullptr) request.headers.set("x-amz-content-sha256", payload);

  const SignedNames names = names_to_sign(request.headers, options.session_token_is_signed);
  const std::string canonical = canonical_request(request, options.path_rule, names.views, payload);
  const std::string signature = signature_of(credentials, scope, string_to_sign(time, scope_text, canonical), keys);
  std::string header(signature_algorithm);
  header += " Credential=" + credentials.access_key + '/' + scope_text;
  header += ", SignedHeaders=" + joined(names);
  header += ", Signature=" + signature;
  request.headers.add("Authorization", std::move(header));
  return {};
}

Result<void> presign(HttpRequest& request, const Credentials& credentials, const SigningOptions& options, int expires_s,
                     SigningKeys* keys) {
  if (!request.headers.has("Host")) return fail(no_host());
  if (expires_s < 1 || expires_s > 604800) {
    return fail(errors::validation("a presigned request may be good for 1 to 604800 seconds, not for " +
                                   std::to_string(expires_s)));
  }
  const std::string time = format_basic_iso8601(options.time_ms);
  const CredentialScope scope{time.substr(0, 8), options.region, options.service};
  const std::string scope_text = scope.to_string();
  const SignedNames names = names_to_sign(request.headers, true);

  std::string& target = request.target;
  if (target.find('?') == std::string::npos)
    target += '?';
  else if (!request.query().empty() && target.back() != '&')
    target += '&';
  target += "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=";
  append_encoded(target, credentials.access_key + '/' + scope_text);
  target += "&X-Amz-Date=" + time + "&X-Amz-SignedHeaders=";
  append_encoded(target, joined(names));
  target += "&X-Amz-Expires=" + std::to_string(expires_s);
  const auto add_token = [&] {
    if (credentials.session_token.empty()) return;
    target += "&X-Amz-Security-Token=";
    append_encoded(target, credentials.session_token);
  };
  if (options.session_token_is_signed) add_token();
  // S3 takes whatever body comes with a presigned URL: it is not known when the URL is made.
  const bool body_signed = options.body_signed && path_rule_of(options.service) == PathRule::Normalized;
  const std::string payload = body_signed ? sha256_hex(request.body) : std::string(unsigned_payload);
  const std::string canonical = canonical_request(request, options.path_rule, names.views, payload);
  const std::string signature = signature_of(credentials, scope, string_to_sign(time, scope_text, canonical), keys);
  if (!options.session_token_is_signed) add_token();
  target += "&X-Amz-Signature=" + signature;
  return {};
}

}  // namespace fixpoint::aws
