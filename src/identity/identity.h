#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "aws/sign.h"
#include "aws/verify.h"
#include "base/clock.h"
#include "base/error.h"
#include "identity/key_file.h"
#include "json/value.h"
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
/// folder (`KeyFile`), readable by the owner alone; the store holds of an issued key who it stands for and until when.
/// Its secret and its session token are derived from the master secret and the key's name (HMAC-SHA-256) whenever they
/// are needed.
///
/// Keys that are added to the file or taken from it while the server runs count within a second: `find` looks whether
/// the file is another one. One that cannot be read changes nothing.
class Identity final : public aws::KeyLookup {
 public:
  static store::Schema schema();

  /// Reads `keys.json`, or makes it with one key for `account`. An empty folder keeps everything in memory.
  /// Errors: ValidationException where the file is damaged or others may read it.
  static Result<std::unique_ptr<Identity>> open(const std::string& folder, const std::string& account,
                                                store::Store& store, const Clock& clock);

  std::shared_ptr<const aws::KeyRecord> find(std::string_view access_key) const override;

  /// A key for sealing what is handed out and comes back, derived from the master secret for that purpose alone. The
  /// same after a restart.
  std::string key_for(std::string_view purpose) const { return derived("seal " + std::string(purpose), ""); }

  /// The first long-lived key.
  Key first_key() const;

  /// Writes to the store which long-lived keys there are, and tells `record` of each that was added or removed since
  /// that was done last, be it before a restart; the first time, of none. In one transaction.
  using Record = std::function<Result<void>(store::Transaction& tx, std::string_view kind, const json::Value& about)>;
  Result<void> record_keys(const Record& record);
  /// What is called when the file has become another one, or one that cannot be read (then with why), by the thread
  /// that noticed: it may not block. Set before the first request.
  void on_change(std::function<void(const Result<void>&)> call) { on_change_ = std::move(call); }

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

 private:
  using Records = std::unordered_map<std::string, std::shared_ptr<const aws::KeyRecord>>;
  // The long-lived keys as the file was when it was read.
  struct LongLived {
    KeyFile file;
    Records records;
  };
  // Which file that was: one that is written anew is another one.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };

  Identity(store::Store& store, const Clock& clock, std::string folder, std::string account)
      : store_(store), clock_(clock), folder_(std::move(folder)), account_(std::move(account)) {}
  static std::shared_ptr<const LongLived> records_of(KeyFile file);
  Stamp stamp() const;
  void look_again() const;
  std::shared_ptr<const LongLived> long_lived() const;
  void keep(const std::string& access_key, std::shared_ptr<const aws::KeyRecord> record) const;  // holding mutex_
  std::string derived(std::string_view purpose, std::string_view access_key) const;
  std::shared_ptr<const aws::KeyRecord> record_of(const std::string& access_key,
                                                  std::shared_ptr<const aws::Principal> principal,
                                                  TimeMs expires_ms) const;

  store::Store& store_;
  const Clock& clock_;
  std::string folder_;
  std::string account_;
  std::string master_;
  std::function<void(const Result<void>&)> on_change_;
  mutable std::atomic<TimeMs> look_at_ms_ = 0;  // of the steady clock
  mutable std::mutex looking_;
  mutable Stamp stamp_;                  // guarded by looking_: of the file that was read last
  mutable std::optional<Stamp> unread_;  // guarded by looking_: of one that could not be read
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const LongLived> long_lived_;
  mutable Records issued_;
  mutable std::uint64_t revoked_ = 0;  // how often credentials were revoked
};

}  // namespace fixpoint::identity
