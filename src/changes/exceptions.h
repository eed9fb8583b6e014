#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "changes/mandate.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// Tags of a resource, key to value.
using Tags = std::map<std::string, std::string>;
/// Reads them live; an error where they cannot be told.
using ReadTags = std::function<Result<Tags>(const std::string& arn)>;

/// What is left as it is, on somebody's word and for a time.
struct Exception {
  std::string id;
  std::string scope = "all";
  std::string pattern;  ///< an event pattern over the finding; empty for none
  /// Tags that the resource has to have, all of them; a value "*" is any. Empty for none.
  Tags tags;
  std::string owner;  ///< who answers for it
  std::string reason;
  TimeMs expires_ms = 0;   ///< from then on it no longer holds
  bool suppresses = true;  ///< its finding becomes SUPPRESSED; else the finding stays as it is
  std::string created_by;
  TimeMs created_ms = 0;

  std::string sentence() const;
};

json::Value to_json(const Exception& exception);
/// Reads {"Scope", "Pattern" (object or text), "Tags", "Owner", "Reason", "ExpiresAt", "Effect": "suppress" or
/// "leave"}. Errors: ValidationException, InvalidEventPatternException; the sentence says what is missing or wrong.
Result<Exception> exception_of(const json::Value& form, TimeMs now_ms);

Result<void> add(store::Transaction& tx, const Exception& exception);
/// Error: ResourceNotFoundException.
Result<void> remove_exception(store::Transaction& tx, const std::string& id);
/// All, those that expired among them, by their end.
Result<std::vector<Exception>> exceptions(store::Session& session);

/// The first exception that holds now for what the mandate is about: of its program or one of the accounts, whose
/// pattern matches one of its findings and whose tags one of the resources has. Tags are read only where all else
/// holds. Errors: of the tags, where an exception goes by tags that cannot be told.
Result<std::optional<Exception>> excepted(const std::vector<Exception>& all, const Mandate& mandate,
                                          const std::vector<std::string>& accounts,
                                          const std::vector<std::string>& resources, TimeMs now_ms,
                                          const ReadTags& read_tags);

}  // namespace fixpoint::changes
