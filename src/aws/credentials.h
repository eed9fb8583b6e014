#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/api.h"
#include "aws/sign.h"
#include "base/clock.h"
#include "base/error.h"

namespace fixpoint::aws {

/// Where the credentials of a call come from. Thread-safe. No error of any of them holds a secret.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  /// Credentials that are good now for a call in that account. Errors: `NoCredentials` where this provider has none
  /// (a chain then asks the next), anything else where it should have and could not get them.
  virtual Result<Credentials> get(const CallContext& context) = 0;
  /// The service said that what get() gave for this account has expired: the next get() fetches anew.
  virtual void forget(const CallContext& context) { (void)context; }
};

/// The same credentials for every call.
class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> get(const CallContext& context) override;

 private:
  Credentials credentials_;
};

/// Reads one environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// The process's own.
Environment process_environment();

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, read at every call.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
class EnvironmentCredentials final : public CredentialsProvider {
 public:
  explicit EnvironmentCredentials(Environment environment = process_environment());
  Result<Credentials> get(const CallContext& context) override;

 private:
  Environment environment_;
};

/// One profile of the shared credentials file, read again whenever the file changes.
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
/// Errors: `NoCredentials` where there is no file; `InvalidProfile` for a profile that is not in it, lacks a key or
/// wants something else than keys (credential_process, sso): the file and profile are named.
class ProfileCredentials final : public CredentialsProvider {
 public:
  ProfileCredentials(std::filesystem::path file, std::string profile);
  /// AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, and AWS_PROFILE or `default`.
  static std::unique_ptr<ProfileCredentials> standard(const Environment& environment);
  Result<Credentials> get(const CallContext& context) override;

 private:
  Result<Credentials> read() const;

  std::filesystem::path file_;
  std::string profile_;
  std::mutex mutex_;
  std::optional<std::filesystem::file_time_type> read_at_;
  std::optional<Credentials> credentials_;
};

/// The first of several that has credentials.
class CredentialsChain final : public CredentialsProvider {
 public:
  explicit CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers);
  /// The environment, then the shared file.
  static std::unique_ptr<CredentialsChain> standard(const Environment& environment);
  Result<Credentials> get(const CallContext& context) override;
  void forget(const CallContext& context) override;

 private:
  std::vector<std::unique_ptr<CredentialsProvider>> providers_;
};

struct AssumeRoleOptions {
  std::string role_arn;  ///< `{account}` and `{partition}` stand for those of the call: one role of the same name each
  std::string session_name = "fixpoint";
  std::string external_id{};  ///< empty for none
  int duration_s = 3600;
  TimeMs refresh_before_ms = 300'000;  ///< a session that ends sooner than this is replaced
};

/// Sessions of a role, one per account, fetched through STS on first use and replaced before they end. While one thread
/// fetches, others that need the same account wait for it, and those of other accounts do not. Where a refresh fails
/// and the session is still good, the session is used.
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
class AssumeRoleCredentials final : public CredentialsProvider {
 public:
  /// `sts` makes the AssumeRole calls with credentials of its own; it and `clock` must outlive this.
  AssumeRoleCredentials(Api& sts, const Clock& clock, AssumeRoleOptions options);
  /// Errors: those of AssumeRole; ValidationException where the role is per account and the call names none.
  Result<Credentials> get(const CallContext& context) override;
  void forget(const CallContext& context) override;

 private:
  struct Session {
    std::mutex mutex;
    Credentials credentials;
    TimeMs expires_ms = 0;  // 0: none yet
    TimeMs next_try_ms = 0;
  };
  std::shared_ptr<Session> session_of(const std::string& role);
  Result<std::string> role_for(const CallContext& context) const;
  Result<void> fetch(Session& session, const CallContext& context, const std::string& role);

  Api& sts_;
  const Clock& clock_;
  AssumeRoleOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;
};

}  // namespace fixpoint::aws
