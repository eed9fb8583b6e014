#include "identity/key_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "store/private_file.h"

namespace fixpoint::identity {
namespace {

using json::Value;

constexpr std::string_view key_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr const char* first_user = "fixpoint";
constexpr std::size_t shortest_master = 32;

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
constexpr const char* what_names_are = "1 to 64 of letters, digits and _+=,.@- are one";
bool is_user_name(std::string_view name) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(characters) == std::string_view::npos;
}

Key new_key(const std::string& account, const std::string& user, TimeMs now_ms) {
  return {.access_key = "AKIA" + random_text(16, key_letters),
          .secret = base64_encode(random_bytes(30)),
          .account = account,
          .user = user,
          .created = format_iso8601_ms(now_ms)};
}

Value form_of(const Key& key) {
  json::Object form{{"AccessKeyId", key.access_key}, {"SecretAccessKey", key.secret}};
  if (!key.account.empty()) form.set("Account", key.account);
  form.set("User", key.user);
  form.set("CreatedAt", key.created);
  return form;
}

Result<Value> read_form(const std::string& path) {
  FIXPOINT_TRY(text, store::read_private_file(path));
  auto form = json::parse(text);
  if (!form || !(*form)["Master"].is_string() || !(*form)["Keys"].is_array() || (*form)["Keys"].size() == 0)
    return fail(errors::validation(
        path + " is damaged: it has to hold Master and Keys; restore it, or remove it to get new keys"));
  return form;
}

Result<Key> key_from(const std::string& path, const Value& form, const std::string& account) {
  const auto text = [&](const char* member, std::string_view otherwise) {
    const Value* value = form.find(member);
    return std::string(value == nullptr ? otherwise : value->string_or(""));
  };
  Key key{.access_key = text("AccessKeyId", ""),
          .secret = text("SecretAccessKey", ""),
          .account = text("Account", account),
          .user = text("User", first_user),
          .created = text("CreatedAt", "")};
  if (key.access_key.empty() || key.secret.empty())
    return fail(errors::validation(path + " is damaged: each of its Keys has to have an AccessKeyId and a "
                                          "SecretAccessKey"));
  if (!is_user_name(key.user))
    return fail(
        errors::validation(path + " gives the key " + key.access_key + " a User that is no name; " + what_names_are));
  return key;
}

Result<KeyFile> file_from(const std::string& path, const Value& form, const std::string& account) {
  KeyFile file;
  auto master = hex_decode(form["Master"].as_string());
  if (!master || master->size() < shortest_master)
    return fail(errors::validation(path + " is damaged: Master has to be 64 hexadecimal digits"));
  file.master = std::move(*master);
  const std::string owner(account.empty() ? form["Keys"][0]["Account"].string_or("") : account);
  for (const Value& listed : form["Keys"].as_array()) {
    FIXPOINT_TRY(key, key_from(path, listed, owner));
    if (std::ranges::find(file.keys, key.access_key, &Key::access_key) != file.keys.end())
      return fail(errors::validation(path + " holds the key " + key.access_key + " twice"));
    file.keys.push_back(std::move(key));
  }
  return file;
}

Result<void> write_form(const std::string& path, const Value& form) {
  return store::write_private_file(path, json::print_pretty(form) + "\n");
}

// Who changes the file, between reading and writing it. It is let go with the process, however that ends.
class Turn {
 public:
  static Result<std::unique_ptr<Turn>> take(const std::string& folder) {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return fail(errors::validation("cannot open the folder " + folder + ": " + std::strerror(errno)));
    auto turn = std::unique_ptr<Turn>(new Turn(file));
    while (::flock(file, LOCK_EX) != 0)
      if (errno != EINTR)
        return fail(errors::validation("cannot lock the folder " + folder + ": " + std::strerror(errno)));
    return turn;
  }
  ~Turn() { ::close(file_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  explicit Turn(int file) : file_(file) {}
  int file_;
};

}  // namespace

KeyFile KeyFile::make(const std::string& account, TimeMs now_ms) {
  return {.master = random_bytes(shortest_master), .keys = {new_key(account, first_user, now_ms)}};
}

Result<KeyFile> KeyFile::read(const std::string& folder, const std::string& account) {
  const std::string path = path_in(folder);
  FIXPOINT_TRY(form, read_form(path));
  return file_from(path, form, account);
}

Result<void> KeyFile::write(const std::string& folder) const {
  json::Array listed;
  for (const Key& key : keys) listed.push_back(form_of(key));
  return write_form(path_in(folder), json::Object{{"Master", hex_encode(master)}, {"Keys", std::move(listed)}});
}

Result<Key> KeyFile::add(const std::string& folder, const std::string& user, TimeMs now_ms) {
  if (!is_user_name(user))
    return fail(errors::validation("'" + user + "' is no name of a user; " + what_names_are, "user"));
  const auto turn = Turn::take(folder);
  if (!turn) return fail(turn.error());
  const std::string path = path_in(folder);
  FIXPOINT_TRY(form, read_form(path));
  FIXPOINT_TRY(file, file_from(path, form, {}));
  for (const Key& other : file.keys)
    if (other.user != user && to_lower(other.user) == to_lower(user))
      return fail(errors::validation("there is the user '" + other.user +
                                         "' already, and names of users are one whatever their case: give it as it is "
                                         "there",
                                     "user"));
  Key key = new_key(file.keys[0].account, user, now_ms);
  // What else stands in the file stays as it is.
  json::Array listed = form["Keys"].as_array();
  listed.push_back(form_of(key));
  form.set("Keys", std::move(listed));
  FIXPOINT_CHECK(write_form(path, form));
  return key;
}

Result<Key> KeyFile::remove(const std::string& folder, std::string_view access_key) {
  const auto turn = Turn::take(folder);
  if (!turn) return fail(turn.error());
  const std::string path = path_in(folder);
  FIXPOINT_TRY(form, read_form(path));
  FIXPOINT_TRY(file, file_from(path, form, {}));
  const auto found = std::ranges::find(file.keys, access_key, &Key::access_key);
  if (found == file.keys.end())
    return fail(errors::resource_not_found("there is no key " + std::string(access_key) + " in " + path));
  if (file.keys.size() == 1)
    return fail(errors::validation(std::string(access_key) +
                                   " is the last key, and without one nobody is let in; add another first"));
  json::Array left;
  for (const Value& listed : form["Keys"].as_array())
    if (listed["AccessKeyId"].string_or("") != access_key) left.push_back(listed);
  form.set("Keys", std::move(left));
  FIXPOINT_CHECK(write_form(path, form));
  return *found;
}

}  // namespace fixpoint::identity
