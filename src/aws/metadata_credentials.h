#pragma once

#include <mutex>
#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/http_message.h"

namespace fixpoint::aws {

/// Credentials that come with the place where the process runs and that change every few hours: fetched over HTTP when
/// first asked for, kept, and fetched anew five minutes before they end. While one thread fetches, others wait. Where a
/// refresh fails and what is kept is still good, that is used.
class MetadataCredentials : public CredentialsProvider {
 public:
  Result<Credentials> get(const CallContext& context) override;
  void forget(const CallContext& context) override;

 protected:
  /// `http` must go to link-local addresses directly, without a proxy; it and `clock` must outlive this.
  MetadataCredentials(HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {}
  /// The JSON document with AccessKeyId, SecretAccessKey, Token and Expiration.
  virtual Result<std::string> fetch() = 0;
  /// One request, with a short timeout: the answer's body. Errors: HttpClient's, and `CredentialsUnavailable` for any
  /// status but 200.
  Result<std::string> ask(const std::string& base_url, const HttpRequest& request);

 private:
  HttpClient& http_;
  const Clock& clock_;
  std::mutex mutex_;
  Credentials kept_;
  TimeMs expires_ms_ = 0;
  TimeMs next_try_ms_ = 0;
};

/// A container's role in ECS, or a pod's in EKS: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or ..._FULL_URI, with
/// AWS_CONTAINER_AUTHORIZATION_TOKEN or the file named by ..._TOKEN_FILE, which is read at every fetch.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
/// Errors: `NoCredentials` where neither variable is set; ValidationException for a full URI that is neither https nor
/// of this host or AWS's own link-local addresses: the token must not go elsewhere.
class ContainerCredentials final : public MetadataCredentials {
 public:
  ContainerCredentials(HttpClient& http, const Clock& clock, Environment environment = process_environment());

 protected:
  Result<std::string> fetch() override;

 private:
  Environment environment_;
};

/// An EC2 instance's role, from the instance metadata service, version 2 only (with a session token).
/// AWS_EC2_METADATA_DISABLED=true leaves it out; AWS_EC2_METADATA_SERVICE_ENDPOINT names another address.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
/// Errors: `NoCredentials` where it is disabled, nothing answers, or the instance has no role.
class InstanceCredentials final : public MetadataCredentials {
 public:
  InstanceCredentials(HttpClient& http, const Clock& clock, Environment environment = process_environment());

 protected:
  Result<std::string> fetch() override;

 private:
  Environment environment_;
};

/// The environment, the shared file, the container's role, the instance's role.
std::unique_ptr<CredentialsChain> standard_chain(HttpClient& http, const Clock& clock, const Environment& environment);

}  // namespace fixpoint::aws
