#include "identity/identity.h"

#include <unistd.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "store/private_file.h"

namespace fixpoint::identity {
namespace {

using json::Value;

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

constexpr std::string_view key_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t cached_limit = 10'000;

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
bool is_user_name(std::string_view name) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(characters) == std::string_view::npos;
}

Result<Value> read_keys(const std::string& path) {
  FIXPOINT_TRY(text, store::read_private_file(path));
  auto keys = json::parse(text);
  if (!keys || !(*keys)["Master"].is_string() || (*keys)["Keys"].size() == 0 ||
      !(*keys)["Keys"][0]["AccessKeyId"].is_string() || !(*keys)["Keys"][0]["SecretAccessKey"].is_string())
    return fail(errors::validation(
        path + " is damaged: it has to hold Master and Keys; restore it, or remove it to get new keys"));
  return keys;
}

}  // namespace

store::Schema Identity::schema() {
  return {"identity", {tables, version_2}};
}

Result<std::unique_ptr<Identity>> Identity::open(const std::string& folder, const std::string& account,
                                                 store::Store& store, const Clock& clock) {
  auto identity = std::unique_ptr<Identity>(new Identity(store, clock));
  const std::string path = folder + "/keys.json";
  Value keys;
  if (!folder.empty() && ::access(path.c_str(), F_OK) == 0) {
    FIXPOINT_TRY(read, read_keys(path));
    keys = std::move(read);
  } else {
    json::Object key;
    key.set("AccessKeyId", "AKIA" + random_text(16, key_letters));
    key.set("SecretAccessKey", base64_encode(random_bytes(30)));
    key.set("Account", account);
    keys.set("Master", hex_encode(random_bytes(32)));
    keys.set("Keys", json::Array{Value(std::move(key))});
    if (!folder.empty()) FIXPOINT_CHECK(store::write_private_file(path, json::print_pretty(keys) + "\n"));
  }
  const auto master = hex_decode(keys["Master"].string_or(""));
  if (!master || master->size() < 32)
    return fail(errors::validation(path + " is damaged: Master has to be 64 hexadecimal digits"));
  identity->master_ = *master;
  for (const Value& key : keys["Keys"].as_array()) {
    const std::string access_key(key["AccessKeyId"].string_or(""));
    const std::string owner(key["Account"].string_or(account));
    const Value* named = key.find("User");
    const std::string user(named != nullptr ? named->string_or("") : "fixpoint");
    if (!is_user_name(user))
      return fail(errors::validation(path + " gives the key " + access_key +
                                     " a User that is no name; 1 to 64 of letters, digits and _+=,.@- are one"));
    auto principal = std::make_shared<aws::Principal>();
    principal->account = owner;
    principal->arn = "arn:aws:iam::" + owner + ":user/" + user;
    principal->user_id = "AIDA" + access_key.substr(std::min<std::size_t>(4, access_key.size()));
    auto record = std::make_shared<aws::KeyRecord>();
    record->secret = key["SecretAccessKey"].string_or("");
    record->principal = std::move(principal);
    identity->known_[access_key] = std::move(record);
    if (identity->first_.empty()) identity->first_ = access_key;
  }
  return identity;
}

aws::Credentials Identity::first_key() const {
  const auto record = find(first_);
  return {first_, record->secret, ""};
}

Result<aws::Credentials> Identity::read_first_key(const std::string& folder) {
  FIXPOINT_TRY(keys, read_keys(folder + "/keys.json"));
  const Value& key = keys["Keys"][0];
  return aws::Credentials{key["AccessKeyId"].as_string(), key["SecretAccessKey"].as_string(), ""};
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
  const std::string name(access_key);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = known_.find(name); found != known_.end()) return found->second;
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
  known_.emplace(name, record);
  return record;
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
  if (known_.size() > cached_limit)
    std::erase_if(known_, [](const auto& entry) { return entry.second->expires_ms.has_value(); });
  known_.emplace(access_key, record);
  return issued;
}

Result<void> Identity::revoke(const std::string& execution) {
  return store_.write([&](store::Transaction& tx) { return revoke(tx, execution); });
}

Result<void> Identity::revoke(store::Transaction& tx, const std::string& execution) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM session_key WHERE execution = ?", {execution}));
  tx.after_commit([this, execution] {
    std::lock_guard lock(mutex_);
    std::erase_if(known_, [&](const auto& entry) { return entry.second->principal->execution == execution; });
  });
  return {};
}

}  // namespace fixpoint::identity
