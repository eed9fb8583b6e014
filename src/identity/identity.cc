#include "identity/identity.h"

#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace fixpoint::identity {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE session_key (access_key TEXT PRIMARY KEY, account TEXT NOT NULL, arn TEXT NOT NULL, user_id TEXT NOT NULL, execution TEXT NOT NULL,
  expires_ms INTEGER NOT NULL) STRICT;
CREATE INDEX session_key_execution ON session_key (execution) WHERE execution <> '';
CREATE INDEX session_key_expires ON session_key (expires_ms);
)sql";

// Of a session from before, nobody knows who assumed it.
constexpr const char* version_2 = R"sql(
ALTER TABLE session_key ADD COLUMN source TEXT NOT NULL DEFAULT '';
)sql";

// The long-lived keys that the audit log knows of: no secrets.
constexpr const char* version_3 = R"sql(
CREATE TABLE long_lived_key (access_key TEXT PRIMARY KEY, account TEXT NOT NULL, user_name TEXT NOT NULL) STRICT;
)sql";

constexpr std::string_view key_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t cached_limit = 10'000;
constexpr TimeMs look_every_ms = 1'000;

// One of a user, whichever key is used.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
std::string user_id_of(const std::string& account, const std::string& user) {
  std::string id = "AIDA";
  for (const char c : sha256(account + "/" + user).substr(0, 17))
    id += key_letters[static_cast<unsigned char>(c) % key_letters.size()];
  return id;
}

}  // namespace

store::Schema Identity::schema() {
  return {"identity", {tables, version_2, version_3}};
}

Result<std::unique_ptr<Identity>> Identity::open(const std::string& folder, const std::string& account,
                                                 store::Store& store, const Clock& clock) {
  auto identity = std::unique_ptr<Identity>(new Identity(store, clock, folder, account));
  // Taken before the file is read, so that one that is written meanwhile is read again.
  identity->stamp_ = identity->stamp();
  if (!folder.empty() && ::access(KeyFile::path_in(folder).c_str(), F_OK) == 0) {
    FIXPOINT_TRY(file, KeyFile::read(folder, account));
    identity->long_lived_ = records_of(std::move(file));
  } else {
    KeyFile file = KeyFile::make(account, clock.now_ms());
    if (!folder.empty()) {
      FIXPOINT_CHECK(file.write(folder));
      identity->stamp_ = identity->stamp();
    }
    identity->long_lived_ = records_of(std::move(file));
  }
  identity->master_ = identity->long_lived_->file.master;
  identity->look_at_ms_ = clock.steady_ms() + look_every_ms;
  return identity;
}

std::shared_ptr<const Identity::LongLived> Identity::records_of(KeyFile file) {
  auto read = std::make_shared<LongLived>();
  for (const Key& key : file.keys) {
    auto principal = std::make_shared<aws::Principal>();
    principal->account = key.account;
    principal->arn = "arn:aws:iam::" + key.account + ":user/" + key.user;
    principal->user_id = user_id_of(key.account, key.user);
    auto record = std::make_shared<aws::KeyRecord>();
    record->secret = key.secret;
    record->principal = std::move(principal);
    read->records.emplace(key.access_key, std::move(record));
  }
  read->file = std::move(file);
  return read;
}

Identity::Stamp Identity::stamp() const {
  struct stat info{};
  if (folder_.empty() || ::stat(KeyFile::path_in(folder_).c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

std::shared_ptr<const Identity::LongLived> Identity::long_lived() const {
  std::lock_guard lock(mutex_);
  return long_lived_;
}

// One thread looks; the others go on with what they know.
void Identity::look_again() const {
  if (folder_.empty() || clock_.steady_ms() < look_at_ms_.load(std::memory_order_relaxed)) return;
  const std::unique_lock looking(looking_, std::try_to_lock);
  if (!looking.owns_lock()) return;
  look_at_ms_ = clock_.steady_ms() + look_every_ms;
  const Stamp now = stamp();
  if (now == stamp_) return;
  auto file = KeyFile::read(folder_, account_);
  if (file && file->master != master_)
    file = fail(errors::validation(KeyFile::path_in(folder_) +
                                   " has another Master than this server was started with; start it again"));
  if (!file) {
    // Looked at again, since what was in the way may pass; said once.
    const bool is_news = now != unread_;
    unread_ = now;
    if (is_news && on_change_) on_change_(fail(std::move(file.error())));
    return;
  }
  stamp_ = now;
  auto read = records_of(std::move(*file));
  {
    std::lock_guard lock(mutex_);
    long_lived_ = std::move(read);
  }
  if (on_change_) on_change_({});
}

Key Identity::first_key() const {
  return long_lived()->file.keys.front();
}

Result<void> Identity::record_keys(const Record& record) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(rows, tx.query("SELECT access_key, account, user_name FROM long_lived_key ORDER BY access_key", {}));
    // Read after the transaction began: who comes later finds what this one wrote.
    const auto now = long_lived();
    const bool first_time = rows.empty();
    const auto tell = [&](const char* kind, const Key& key) -> Result<void> {
      if (first_time) return {};
      return record(tx, kind,
                    json::Object{{"AccessKeyId", key.access_key}, {"Account", key.account}, {"User", key.user}});
    };
    std::map<std::string, Key> gone;
    for (store::Row& row : rows) {
      Key key{.access_key = row.take(0), .secret = {}, .account = row.take(1), .user = row.take(2), .created = {}};
      gone.emplace(key.access_key, std::move(key));
    }
    std::vector<const Key*> added;
    for (const Key& key : now->file.keys) {
      const auto known = gone.find(key.access_key);
      if (known == gone.end()) {
        added.push_back(&key);
        continue;
      }
      // A key that became somebody else's is another key.
      if (known->second.user != key.user || known->second.account != key.account)
        added.push_back(&key);
      else
        gone.erase(known);
    }
    for (const auto& [access_key, key] : gone) {
      FIXPOINT_CHECK(tx.execute("DELETE FROM long_lived_key WHERE access_key = ?", {access_key}));
      FIXPOINT_CHECK(tell("key.removed", key));
    }
    for (const Key* key : added) {
      FIXPOINT_CHECK(tx.execute("INSERT INTO long_lived_key (access_key, account, user_name) VALUES (?,?,?)",
                                {key->access_key, key->account, key->user}));
      FIXPOINT_CHECK(tell("key.added", *key));
    }
    return {};
  });
}

std::string Identity::derived(std::string_view purpose, std::string_view access_key) const {
  return base64_encode(hmac_sha256(master_, std::string(purpose) + ":" + std::string(access_key)));
}

std::shared_ptr<const aws::KeyRecord> Identity::record_of(const std::string& access_key,
                                                          std::shared_ptr<const aws::Principal> principal,
                                                          TimeMs expires_ms) const {
  auto record = std::make_shared<aws::KeyRecord>();
  record->secret = derived("secret", access_key).substr(0, 40);
  record->session_token = "FQ" + derived("token", access_key);
  record->expires_ms = expires_ms;
  record->principal = std::move(principal);
  return record;
}

std::shared_ptr<const aws::KeyRecord> Identity::find(std::string_view access_key) const {
  look_again();
  const std::string name(access_key);
  std::uint64_t revoked = 0;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = long_lived_->records.find(name); found != long_lived_->records.end()) return found->second;
    if (const auto found = issued_.find(name); found != issued_.end()) return found->second;
    revoked = revoked_;
  }
  if (!name.starts_with("ASIA") || name.size() != 20) return nullptr;
  auto rows = store_.read([&](store::Session& session) {
    return session.query(
        "SELECT account, arn, user_id, execution, source, expires_ms FROM session_key WHERE access_key = ?", {name});
  });
  if (!rows || rows->empty()) return nullptr;
  store::Row& row = (*rows)[0];
  auto principal = std::make_shared<aws::Principal>();
  principal->account = row.take(0);
  principal->arn = row.take(1);
  principal->user_id = row.take(2);
  principal->execution = row.take(3);
  principal->source = row.take(4);
  auto record = record_of(name, std::move(principal), row.integer(5));
  std::lock_guard lock(mutex_);
  // What was read before credentials were revoked may be theirs.
  if (revoked == revoked_) keep(name, record);
  return record;
}

void Identity::keep(const std::string& access_key, std::shared_ptr<const aws::KeyRecord> record) const {
  if (issued_.size() >= cached_limit) issued_.clear();
  issued_.emplace(access_key, std::move(record));
}

Result<Issued> Identity::issue(const std::string& account, const std::string& partition, const std::string& role,
                               const std::string& session, const std::string& execution, int seconds,
                               const std::string& source) {
  const std::string access_key = "ASIA" + random_text(16, key_letters);
  Issued issued;
  issued.expires_ms = clock_.now_ms() + TimeMs{seconds} * 1000;
  issued.arn = "arn:" + partition + ":sts::" + account + ":assumed-role/" + role + "/" + session;
  issued.user_id = "AROA" + access_key.substr(4) + ":" + session;
  auto principal = std::make_shared<aws::Principal>();
  principal->account = account;
  principal->arn = issued.arn;
  principal->user_id = issued.user_id;
  principal->execution = execution;
  principal->source = source;
  const auto record = record_of(access_key, std::move(principal), issued.expires_ms);
  issued.credentials = {access_key, record->secret, record->session_token};
  const TimeMs now = clock_.now_ms();
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("DELETE FROM session_key WHERE expires_ms < ?", {now - 3'600'000}));
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO session_key (access_key, account, arn, user_id, execution, expires_ms, source) VALUES "
                   "(?,?,?,?,?,?,?)",
                   {access_key, account, issued.arn, issued.user_id, execution, issued.expires_ms, source}));
    return {};
  }));
  std::lock_guard lock(mutex_);
  keep(access_key, record);
  return issued;
}

Result<void> Identity::revoke(const std::string& execution) {
  return store_.write([&](store::Transaction& tx) { return revoke(tx, execution); });
}

Result<void> Identity::revoke(store::Transaction& tx, const std::string& execution) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM session_key WHERE execution = ?", {execution}));
  tx.after_commit([this, execution] {
    std::lock_guard lock(mutex_);
    ++revoked_;
    std::erase_if(issued_, [&](const auto& entry) { return entry.second->principal->execution == execution; });
  });
  return {};
}

}  // namespace fixpoint::identity
