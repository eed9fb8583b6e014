#include "aws/credentials.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "aws/profile_file.h"
#include "base/arn.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

Error no_credentials(std::string message) {
  return errors::coded("NoCredentials", std::move(message), 0);
}

Error invalid_profile(const std::filesystem::path& file, const std::string& profile, const std::string& what) {
  Error error = errors::coded("InvalidProfile", "the profile '" + profile + "' " + what, 0);
  error.where = file.string();
  return error;
}

// While a session is still good, a refresh that failed is not tried again at every call.
constexpr TimeMs retry_refresh_ms = 30'000;

std::string value_of(const ProfileSection& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

}  // namespace

Result<Credentials> StaticCredentials::get(const CallContext&) {
  return credentials_;
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return {};
    return value;
  };
}

EnvironmentCredentials::EnvironmentCredentials(Environment environment) : environment_(std::move(environment)) {}

Result<Credentials> EnvironmentCredentials::get(const CallContext&) {
  Credentials credentials{environment_("AWS_ACCESS_KEY_ID").value_or(""),
                          environment_("AWS_SECRET_ACCESS_KEY").value_or(""),
                          environment_("AWS_SESSION_TOKEN").value_or("")};
  if (credentials.access_key.empty() && credentials.secret.empty()) {
    return fail(no_credentials("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"));
  }
  if (credentials.access_key.empty() || credentials.secret.empty()) {
    return fail(errors::coded("InvalidProfile",
                              credentials.secret.empty()
                                  ? "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY; set both or neither"
                                  : "AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID; set both or neither"));
  }
  return credentials;
}

ProfileCredentials::ProfileCredentials(std::filesystem::path file, std::string profile)
    : file_(std::move(file)), profile_(std::move(profile)) {}

std::unique_ptr<ProfileCredentials> ProfileCredentials::standard(const Environment& environment) {
  std::filesystem::path file;
  if (const auto named = environment("AWS_SHARED_CREDENTIALS_FILE"); named && !named->empty())
    file = *named;
  else
    file = std::filesystem::path(environment("HOME").value_or("")) / ".aws/credentials";
  std::string profile = environment("AWS_PROFILE").value_or("");
  return std::make_unique<ProfileCredentials>(std::move(file), profile.empty() ? "default" : std::move(profile));
}

Result<Credentials> ProfileCredentials::get(const CallContext&) {
  const std::lock_guard lock(mutex_);
  std::error_code problem;
  const auto changed_at = std::filesystem::last_write_time(file_, problem);
  if (problem) {
    credentials_.reset();
    Error error = no_credentials("there is no shared credentials file");
    error.where = file_.string();
    return fail(std::move(error));
  }
  if (credentials_ && read_at_ == changed_at) return *credentials_;
  FIXPOINT_TRY(credentials, read());
  credentials_ = credentials;
  read_at_ = changed_at;
  return credentials;
}

Result<Credentials> ProfileCredentials::read() const {
  std::ifstream in(file_);
  if (!in) return fail(invalid_profile(file_, profile_, "cannot be read: the file does not open"));
  const auto section = read_profile_section(in, profile_);
  if (!section) return fail(invalid_profile(file_, profile_, "is not in the file"));
  for (const std::string_view other : {"credential_process", "sso_session", "sso_start_url", "role_arn"}) {
    if (section->contains(other) && !section->contains("aws_access_key_id")) {
      return fail(invalid_profile(file_, profile_,
                                  "says " + std::string(other) +
                                      ", which is not supported; it must hold aws_access_key_id and "
                                      "aws_secret_access_key"));
    }
  }
  Credentials credentials{value_of(*section, "aws_access_key_id"), value_of(*section, "aws_secret_access_key"),
                          value_of(*section, "aws_session_token")};
  if (credentials.access_key.empty()) return fail(invalid_profile(file_, profile_, "has no aws_access_key_id"));
  if (credentials.secret.empty()) return fail(invalid_profile(file_, profile_, "has no aws_secret_access_key"));
  return credentials;
}

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers)
    : providers_(std::move(providers)) {}

std::unique_ptr<CredentialsChain> CredentialsChain::standard(const Environment& environment) {
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
  providers.push_back(ProfileCredentials::standard(environment));
  return std::make_unique<CredentialsChain>(std::move(providers));
}

Result<Credentials> CredentialsChain::get(const CallContext& context) {
  std::string tried;
  for (const auto& provider : providers_) {
    auto credentials = provider->get(context);
    if (credentials || credentials.error().code != "NoCredentials") return credentials;
    if (!tried.empty()) tried += "; ";
    tried += credentials.error().message;
    if (!credentials.error().where.empty()) tried += " (" + credentials.error().where + ")";
  }
  return fail(no_credentials("no AWS credentials were found: " + tried));
}

void CredentialsChain::forget(const CallContext& context) {
  for (const auto& provider : providers_) provider->forget(context);
}

AssumeRoleCredentials::AssumeRoleCredentials(Api& sts, const Clock& clock, AssumeRoleOptions options)
    : sts_(sts), clock_(clock), options_(std::move(options)) {}

Result<std::string> AssumeRoleCredentials::role_for(const CallContext& context) const {
  std::string role = options_.role_arn;
  if (role.find("{account}") != std::string::npos) {
    if (context.account.empty()) {
      return fail(
          errors::validation("the role " + role + " is one per account, and the call names no account", "account"));
    }
    role = replace_all(std::move(role), "{account}", context.account);
  }
  return replace_all(std::move(role), "{partition}", partition_of_region(context.region));
}

std::shared_ptr<AssumeRoleCredentials::Session> AssumeRoleCredentials::session_of(const std::string& role) {
  const std::lock_guard lock(mutex_);
  auto& session = sessions_[role];
  if (session == nullptr) session = std::make_shared<Session>();
  return session;
}

Result<Credentials> AssumeRoleCredentials::get(const CallContext& context) {
  FIXPOINT_TRY(role, role_for(context));
  const std::shared_ptr<Session> session = session_of(role);
  const std::lock_guard lock(session->mutex);
  const TimeMs now = clock_.now_ms();
  const bool is_good = now < session->expires_ms;
  if (is_good && (now + options_.refresh_before_ms < session->expires_ms || now < session->next_try_ms)) {
    return session->credentials;
  }
  const auto fetched = fetch(*session, context, role);
  if (!fetched && !is_good) return fail(fetched.error());
  if (!fetched) session->next_try_ms = now + retry_refresh_ms;
  return session->credentials;
}

Result<void> AssumeRoleCredentials::fetch(Session& session, const CallContext& context, const std::string& role) {
  json::Object input;
  input.set("RoleArn", role);
  input.set("RoleSessionName", options_.session_name);
  input.set("DurationSeconds", options_.duration_s);
  if (!options_.external_id.empty()) input.set("ExternalId", options_.external_id);
  FIXPOINT_TRY(output, sts_.call(context, "sts", "AssumeRole", json::Value(std::move(input))));
  const json::Value& given = output["Credentials"];
  Credentials credentials{std::string(given["AccessKeyId"].string_or("")),
                          std::string(given["SecretAccessKey"].string_or("")),
                          std::string(given["SessionToken"].string_or(""))};
  const json::Value& expiration = given["Expiration"];
  if (credentials.access_key.empty() || credentials.secret.empty() || !expiration.is_number()) {
    return fail(errors::internal("the answer of AssumeRole for " + role + " holds no credentials"));
  }
  session.credentials = std::move(credentials);
  session.expires_ms = static_cast<TimeMs>(expiration.as_double() * 1000);
  return {};
}

void AssumeRoleCredentials::forget(const CallContext& context) {
  const auto role = role_for(context);
  if (!role) return;
  const std::shared_ptr<Session> session = session_of(*role);
  const std::lock_guard lock(session->mutex);
  session->expires_ms = 0;
}

}  // namespace fixpoint::aws
