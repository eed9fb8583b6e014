#include "aws/metadata_credentials.h"

#include <fstream>
#include <iterator>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

constexpr TimeMs refresh_before_ms = 300'000;
constexpr TimeMs retry_refresh_ms = 30'000;
constexpr int timeout_ms = 2'000;  // the service is on this host or beside it
constexpr std::string_view container_host = "http://169.254.170.2";

Error unavailable(std::string message) {
  return errors::coded("CredentialsUnavailable", std::move(message));
}
Error none(std::string message) {
  return errors::coded("NoCredentials", std::move(message));
}

std::string_view text_of(const json::Value& value, std::string_view key) {
  return value[key].string_or("");
}

struct SplitUrl {
  std::string base_url;
  std::string host;  // with the port
  std::string target;
};

SplitUrl split_url(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const std::size_t host = scheme_end + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  return {std::string(url.substr(0, path)), std::string(url.substr(host, path - host)),
          path < url.size() ? std::string(url.substr(path)) : "/"};
}

bool may_have_the_token(std::string_view base_url, std::string_view host) {
  if (host.find_first_of("@?#\\") != std::string_view::npos) return false;
  if (base_url.starts_with("https://")) return true;
  if (!base_url.starts_with("http://")) return false;
  const std::size_t bracket = host.find(']');
  const std::string_view name = host.starts_with('[') && bracket != std::string_view::npos
                                    ? host.substr(0, bracket + 1)
                                    : host.substr(0, host.find(':'));
  for (const std::string_view known :
       {"localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    if (name == known) return true;
  }
  return false;
}

HttpRequest get_request(std::string host, std::string target) {
  HttpRequest request;
  request.method = "GET";
  request.target = std::move(target);
  request.headers.add("Host", std::move(host));
  return request;
}

}  // namespace

Result<std::string> MetadataCredentials::ask(const std::string& base_url, const HttpRequest& request) {
  FIXPOINT_TRY(response, http_.send(base_url, request, timeout_ms));
  if (response.status != 200) {
    Error error = unavailable("the metadata service at " + base_url + " answered " + std::to_string(response.status) +
                              " to " + request.method + ' ' + std::string(request.path()));
    error.http_status = response.status;
    return fail(std::move(error));
  }
  return std::move(response.body);
}

Result<Credentials> MetadataCredentials::get(const CallContext&) {
  const std::lock_guard lock(mutex_);
  const TimeMs now = clock_.now_ms();
  const bool is_good = now < expires_ms_;
  if (is_good && (now + refresh_before_ms < expires_ms_ || now < next_try_ms_)) return kept_;
  const auto fetched = [&]() -> Result<void> {
    FIXPOINT_TRY(text, fetch());
    const auto document = json::parse(text);
    if (!document || !document->is_object()) {
      return fail(unavailable("what the metadata service sent is no JSON object with credentials"));
    }
    Credentials credentials{std::string(text_of(*document, "AccessKeyId")),
                            std::string(text_of(*document, "SecretAccessKey")),
                            std::string(text_of(*document, "Token"))};
    const auto expiration = parse_iso8601_ms(text_of(*document, "Expiration"));
    if (credentials.access_key.empty() || credentials.secret.empty() || !expiration) {
      return fail(unavailable("what the metadata service sent lacks AccessKeyId, SecretAccessKey or Expiration"));
    }
    kept_ = std::move(credentials);
    expires_ms_ = *expiration;
    return {};
  }();
  if (!fetched && !is_good) return fail(fetched.error());
  if (!fetched) next_try_ms_ = now + retry_refresh_ms;
  return kept_;
}

void MetadataCredentials::forget(const CallContext&) {
  const std::lock_guard lock(mutex_);
  expires_ms_ = 0;
}

ContainerCredentials::ContainerCredentials(HttpClient& http, const Clock& clock, Environment environment)
    : MetadataCredentials(http, clock), environment_(std::move(environment)) {}

Result<std::string> ContainerCredentials::fetch() {
  std::string url;
  if (const auto relative = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative && !relative->empty())
    url = std::string(container_host) + *relative;
  else if (const auto full = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI"); full && !full->empty())
    url = *full;
  else
    return fail(none("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set"));
  SplitUrl parts = split_url(url);
  if (!may_have_the_token(parts.base_url, parts.host)) {
    return fail(
        errors::validation("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this host or to the "
                           "container agent's own address, and is '" +
                           url + "'"));
  }
  HttpRequest request = get_request(std::move(parts.host), std::move(parts.target));
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file && !file->empty()) {
    std::ifstream in(*file, std::ios::binary);
    if (!in)
      return fail(unavailable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names " + *file + ", which cannot be read"));
    token.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    token = trim(token);
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    return fail(errors::validation("the container's authorization token must be one line"));
  }
  if (!token.empty()) request.headers.add("Authorization", token);
  return ask(parts.base_url, request);
}

InstanceCredentials::InstanceCredentials(HttpClient& http, const Clock& clock, Environment environment)
    : MetadataCredentials(http, clock), environment_(std::move(environment)) {}

Result<std::string> InstanceCredentials::fetch() {
  if (equals_ignore_case(environment_("AWS_EC2_METADATA_DISABLED").value_or(""), "true")) {
    return fail(none("AWS_EC2_METADATA_DISABLED is true"));
  }
  std::string url = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("");
  if (url.empty()) url = "http://169.254.169.254";
  const SplitUrl parts = split_url(url);
  if (parts.host.empty()) {
    return fail(errors::validation(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT must be a URL like http://169.254.169.254, and is '" + url + "'"));
  }
  HttpRequest for_token = get_request(parts.host, "/latest/api/token");
  for_token.method = "PUT";
  for_token.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "21600");
  const auto token = ask(parts.base_url, for_token);
  if (!token) return fail(none("no instance metadata service answers: " + token.error().message));
  const auto with_token = [&](std::string target) {
    HttpRequest request = get_request(parts.host, std::move(target));
    request.headers.add("X-aws-ec2-metadata-token", std::string(trim(*token)));
    return request;
  };
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  const auto roles = ask(parts.base_url, with_token(folder));
  if (!roles && roles.error().http_status == 404) return fail(none("this instance has no role"));
  if (!roles) return fail(roles.error());
  const std::string role(trim(roles->substr(0, roles->find('\n'))));
  if (role.empty()) return fail(none("this instance has no role"));
  return ask(parts.base_url, with_token(folder + uri_encode(role)));
}

std::unique_ptr<CredentialsChain> standard_chain(HttpClient& http, const Clock& clock, const Environment& environment) {
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
  providers.push_back(ProfileCredentials::standard(environment));
  providers.push_back(std::make_unique<ContainerCredentials>(http, clock, environment));
  providers.push_back(std::make_unique<InstanceCredentials>(http, clock, environment));
  return std::make_unique<CredentialsChain>(std::move(providers));
}

}  // namespace fixpoint::aws
