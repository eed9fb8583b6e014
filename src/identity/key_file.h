#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace fixpoint::identity {

/// A long-lived key, and whose it is.
struct Key {
  std::string access_key;
  std::string secret;
  std::string account;
  std::string user;     ///< a name of `arn:aws:iam::ACCOUNT:user/NAME`; who holds several keys is one person
  std::string created;  ///< ISO 8601; empty where the file does not say
};

/// The long-lived keys and the master secret of a data folder, in its `keys.json`, which its owner alone may read. A
/// running server takes up what changes there by itself (`Identity`).
struct KeyFile {
  std::string master;     ///< 32 bytes or more
  std::vector<Key> keys;  ///< never empty; the first is the one that `fixpoint env` prints

  static std::string path_in(const std::string& folder) { return folder + "/keys.json"; }
  /// With one key of the user `fixpoint`, kept nowhere.
  static KeyFile make(const std::string& account, TimeMs now_ms);
  /// Keys without an account are of `account`, or of that of the first key where it is empty; keys without a user of
  /// `fixpoint`. Errors: ResourceNotFoundException where there is none, ValidationException where the file is damaged
  /// or others may read it.
  static Result<KeyFile> read(const std::string& folder, const std::string& account = {});
  /// Error: ValidationException.
  Result<void> write(const std::string& folder) const;

  /// Makes a key for `user` and writes it. One process at a time. Errors: those of `read`; ValidationException for a
  /// name that no user can have.
  static Result<Key> add(const std::string& folder, const std::string& user, TimeMs now_ms);
  /// Takes a key away, and returns it. Errors: those of `read`; ResourceNotFoundException where there is no such key;
  /// ValidationException for the last one.
  static Result<Key> remove(const std::string& folder, std::string_view access_key);
};

}  // namespace fixpoint::identity
