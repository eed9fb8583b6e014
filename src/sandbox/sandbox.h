#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/api.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "store/store.h"

namespace fixpoint::sandbox {

struct Operation;
struct Request;

/// The embedded AWS accounts: a peer of the client for real AWS. Any account and region that a call names is there,
/// empty but for what AWS puts into a new one (a default VPC, say). What was answered is committed. Thread-safe; must
/// not be called on the store's writer thread.
///
/// Errors carry AWS's codes, texts and HTTP status. An operation that is not there answers `NotImplemented` (501) with
/// its name. Input is taken to fit the service's model; what does not is refused or ignored, never trusted.
///
/// Knowingly unlike AWS:
/// - Nobody's permissions are checked: who is let in may do everything in the account that is called. An S3 bucket of
///   another account is refused whatever its policy says.
/// - What takes AWS time (a key's deletion, a database's modification) is done at once, and read back at once.
/// - S3: every region is reached at every endpoint, no call is redirected. DeleteBucketEncryption leaves the bucket
///   without default encryption (GetBucketEncryption then gives ServerSideEncryptionConfigurationNotFoundError, as AWS
///   did before January 2023), so that an unencrypted bucket can be had; a new bucket has AES256 as AWS gives it.
/// - S3 keeps one version of an object, whose id is "null": versioning is a setting that reads back, nothing more.
///   Object Lock as well; an object that would have to be retained is refused. Objects are at most 64 MiB and in one
///   part.
/// - IAM: the policies that AWS manages can be attached and be boundaries, whatever their names, and cannot be read.
///   Policy documents are held against the grammar; names of actions and condition keys are not looked up.
/// - An instance has a root volume of 8 GiB whatever its image is, and no network interface that could be described.
/// - CloudTrail asks that a trail's bucket is there, not that its policy lets CloudTrail write into it.
/// - No CloudTrail log, metric or S3 notification is delivered.
/// - CloudWatch Logs: of filter patterns FilterLogEvents reads terms. What is older than a group's retention is not
/// shown
///   any more, and deleted when its stream is logged to. Resource policies are held against nobody.
class Sandbox final : public aws::Api {
 public:
  struct Options {
    std::size_t cache_limit_bytes = 96UL * 1024 * 1024;  ///< resources kept in memory; more are read from the store
  };

  static store::Schema schema();

  /// Loads `sandbox/*.yaml` of the catalog and the keys of what is stored. The store, opened with schema(), and the
  /// clock must outlive the sandbox. Errors: ValidationException naming file and place of a declaration that is wrong;
  /// StoreError.
  static Result<std::unique_ptr<Sandbox>> open(store::Store& store, const catalog::Catalog& catalog, const Clock& clock,
                                               Options options);
  static Result<std::unique_ptr<Sandbox>> open(store::Store& store, const catalog::Catalog& catalog,
                                               const Clock& clock) {
    return open(store, catalog, clock, Options{});
  }
  ~Sandbox() override;

  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override;

  struct Quick {
    std::optional<Result<json::Value>> answer;
    std::size_t content_bytes = 0;  ///< without an answer: of the object that call() will answer with
  };
  /// What call() answers, where memory alone answers it and soon, so that an I/O thread may ask; no answer for calls
  /// that change something, want what is in the store only (an object's content), or go over thousands of resources.
  Quick call_quickly(const aws::CallContext& context, std::string_view service, std::string_view operation,
                     const json::Value& input);

  /// (service, operation) of all that is implemented, sorted.
  std::vector<std::pair<std::string, std::string>> operations() const;

  struct Figures {
    std::size_t resources;
    std::size_t cached_bytes;  ///< an estimate
  };
  Figures figures() const;

 private:
  struct Parts;
  explicit Sandbox(std::unique_ptr<Parts> parts);
  Result<const Operation*> find(std::string_view service, std::string_view operation) const;
  static Result<json::Value> run(const Operation& row, Request request, std::string_view service);
  std::unique_ptr<Parts> parts_;
};

}  // namespace fixpoint::sandbox
