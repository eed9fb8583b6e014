#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"
#include "store/kept.h"
#include "store/store.h"

namespace fixpoint::controls {

/// What a control may do by itself. In order of care.
enum class Mode { Observe, Ask, Auto };

std::string_view to_text(Mode mode);
std::optional<Mode> mode_of(std::string_view text);  ///< observe, ask, auto

/// The mode settings: for all, per account, per control, per rule. The narrowest one wins (rule, control, account,
/// all); where nothing is set it is `ask`. Scopes are taken in their one form (`changes/scope.h`). What an earlier
/// version stored in another holds where it is stricter than what is set otherwise, until the same is set or taken away
/// in that form.
class Modes {
 public:
  explicit Modes(store::Store& store);
  static store::Schema schema();

  /// `scope` is "all", "account:ID", "control:ID" or "rule:ARN". Error: ValidationException for any other.
  static Result<void> set(store::Transaction& tx, const std::string& scope, Mode mode);
  Result<void> set(const std::string& scope, Mode mode);
  /// Takes a setting away. Error: ResourceNotFoundException where nothing is set for that scope.
  static Result<void> unset(store::Transaction& tx, const std::string& scope);
  /// What is set for that scope itself.
  static Result<std::optional<std::string>> at(store::Session& session, const std::string& scope);
  /// As find(), but nothing where nothing is set.
  Result<std::optional<Mode>> find_set(const std::string& rule, const std::string& control, const std::string& account);
  Result<Mode> find(const std::string& rule, const std::string& control, const std::string& account);
  /// As a transaction sees it, which may not ask the store.
  Result<Mode> find(store::Session& session, const std::string& rule, const std::string& control,
                    const std::string& account);
  /// Every setting: {scope: mode}.
  Result<json::Value> all();

  /// For when what the scope names is deleted: `auto` goes with it, since something else of that name may be made
  /// later; what is stricter stays. True where there was one.
  static Result<bool> forget_auto(store::Transaction& tx, const std::string& scope);

 private:
  struct Stored {
    std::map<std::string, Mode> by_scope;
    std::map<std::string, Mode> foreign;  // by the one form of a scope that is stored in another, the strictest
  };
  static Result<Stored> read(store::Session& session);
  static std::optional<Mode> narrowest(const Stored& stored, const std::string& rule, const std::string& control,
                                       const std::string& account);
  store::Store& store_;
  store::Kept<Stored> kept_;
};

}  // namespace fixpoint::controls
