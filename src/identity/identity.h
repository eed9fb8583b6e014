#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "aws/sign.h"
#include "aws/verify.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/store.h"

namespace fixpoint::identity {

/// Credentials that were issued, with their end.
struct Issued {
  aws::Credentials credentials;
  TimeMs expires_ms = 0;
  std::string arn;
  std::string user_id;
};

/// Who may call: the server's own long-lived keys, and the short-lived ones that it issues. Thread-safe.
///
/// Secrets are not kept where data is kept: the long-lived keys and a master secret lie in `keys.json` of the data
/// folder, readable by the owner alone; the store holds of an issued key who it stands for and until when. Its secret
/// and its session token are derived from the master secret and the key's name (HMAC-SHA-256) whenever they are needed.
class Identity final : public aws::KeyLookup {
 public:
  static store::Schema schema();

  /// Reads `keys.json`, or makes it with one key for `account`. An empty folder keeps everything in memory. A key whose
  /// `User` says so belongs to that user, else to `fixpoint`: who holds several keys of one user is one person.
  /// Errors: ValidationException where the file is damaged or others may read it.
  static Result<std::unique_ptr<Identity>> open(const std::string& folder, const std::string& account,
                                                store::Store& store, const Clock& clock);

  std::shared_ptr<const aws::KeyRecord> find(std::string_view access_key) const override;

  /// A key for sealing what is handed out and comes back, derived from the master secret for that purpose alone. The
  /// same after a restart.
  std::string key_for(std::string_view purpose) const { return derived("seal " + std::string(purpose), ""); }

  /// The first long-lived key.
  aws::Credentials first_key() const;

  /// Issues credentials for a role session (`arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`). `execution` ties
  /// every call that is made with them to it; `source` is the ARN of who assumed the role, and stays with them as
  /// STS's source identity does. Committed when it returns.
  /// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  Result<Issued> issue(const std::string& account, const std::string& partition, const std::string& role,
                       const std::string& session, const std::string& execution, int seconds,
                       const std::string& source = {});
  /// Ends the credentials of an execution at once; within a transaction, with its commit.
  Result<void> revoke(const std::string& execution);
  Result<void> revoke(store::Transaction& tx, const std::string& execution);

  /// The first key of a server's data folder: what `fixpoint env` prints. Errors: ValidationException.
  static Result<aws::Credentials> read_first_key(const std::string& folder);

 private:
  Identity(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  std::string derived(std::string_view purpose, std::string_view access_key) const;
  std::shared_ptr<const aws::KeyRecord> record_of(const std::string& access_key,
                                                  std::shared_ptr<const aws::Principal> principal,
                                                  TimeMs expires_ms) const;

  store::Store& store_;
  const Clock& clock_;
  std::string master_;
  std::string first_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const aws::KeyRecord>> known_;
};

}  // namespace fixpoint::identity
