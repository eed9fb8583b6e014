#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "changes/window.h"
#include "json/value.h"
#include "store/kept.h"
#include "store/store.h"

namespace fixpoint::changes {

/// What the guards go by for one program in one account.
struct Rules {
  std::int64_t cap_resources = 25;             ///< resources that may be changed within an hour
  std::optional<double> cap_percent;           ///< the same, of all that there are (Mandate::population)
  std::optional<std::int64_t> cap_population;  ///< how many there are, where nothing lists them
  std::vector<Window> windows;                 ///< changes are made within one of them; none is always
  /// Further lists of windows, each of which has to be open as well (Settings::find).
  std::vector<std::vector<Window>> more_windows;
  std::vector<std::string> allow_irreversible;  ///< operations that mode auto may make though they cannot be undone
  bool owned_asks = false;                      ///< a person is asked about what another tool owns
  std::vector<std::string> owner_tags;  ///< `KEY` or `KEY=VALUE`, regardless of case: what says that another tool does
  bool four_eyes = false;               ///< who approves may not be who asked
};

/// Settings by name and scope; for each name the narrowest scope that sets it wins. Thread-safe. Scopes are taken in
/// their one form (scope.h). What an earlier version stored for a function's version or alias, or under a foreign
/// partition, holds for the function where it is stricter than what is set otherwise, until the same is set or taken
/// away for the function.
///
/// | name | value | where nothing is set |
/// | --- | --- | --- |
/// | cap_resources | a whole number from 0 | 25 |
/// | cap_percent | a number from 0 to 100 | no such cap |
/// | cap_population | a whole number from 1: what cap_percent is taken of where nothing lists them | not known |
/// | windows | a list of texts (window.h) | always |
/// | allow_irreversible | a list of `service:Operation` | none |
/// | owned | "ask" or "change" | "change" |
/// | owner_tags | a list of `KEY` or `KEY=VALUE` | CloudFormation's and the usual ones of Terraform |
/// | four_eyes | true or false | false |
class Settings {
 public:
  explicit Settings(store::Store& store);

  /// Error: ValidationException for a scope, name or value that is none; it says what would be right.
  static Result<void> check(const std::string& scope, const std::string& name, const json::Value& value);
  /// A null value takes the setting away. Error: as of check().
  static Result<void> set(store::Transaction& tx, const std::string& scope, const std::string& name,
                          const json::Value& value);
  /// The JSON of what is set for that scope itself.
  static Result<std::optional<std::string>> at(store::Session& session, const std::string& scope,
                                               const std::string& name);
  /// {scope: {name: value}} of all that are set, the scopes as they are stored.
  Result<json::Value> all();
  /// As of the last change of a setting that was answered; the other reads them in that session.
  Result<Rules> find(const std::string& program, const std::string& account);
  static Result<Rules> find(store::Session& session, const std::string& program, const std::string& account);

 private:
  using Named = std::vector<std::pair<std::string, std::string>>;  // a setting's name and its JSON
  struct Stored {
    std::map<std::string, Named> by_scope;
    std::map<std::string, Named> foreign;  // by the one form of a scope that is stored in another
  };
  static Result<Stored> read(store::Session& session);
  static Stored sorted(std::vector<store::Row>& rows);
  static Result<Rules> rules_of(const std::string& program, const std::string& account, const Stored& stored);
  store::Store& store_;
  store::Kept<Stored> kept_;
};

json::Value to_json(const Rules& rules);

}  // namespace fixpoint::changes
