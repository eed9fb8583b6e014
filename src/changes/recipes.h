#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "json/value.h"
#include "jsonata/template.h"

namespace fixpoint::changes {

/// `service:Operation` with its input as a template.
struct CallTemplate {
  std::string service;
  std::string operation;
  jsonata::Template input;
};

/// Splits "s3:GetBucketEncryption". Error: ValidationException.
Result<std::pair<std::string, std::string>> split_call(std::string_view text);
/// Reads {call, input}; `where` begins the place of an error.
Result<CallTemplate> read_call(const json::Value& form, const std::string& where);

/// How to read what an operation is about to overwrite, and how to take the operation back.
struct Recipe {
  std::optional<CallTemplate> before;  ///< sees $input
  jsonata::Template take;  ///< of the answer of `before`: the part that matters; the whole where it is not given
  bool has_take = false;
  std::vector<std::string> absent;  ///< error codes of `before` that mean that there is nothing
  struct Undo {
    std::optional<jsonata::Template> when;  ///< a condition over $input, $before and $output; none is always
    CallTemplate call;
  };
  std::vector<Undo> undo;    ///< all whose condition holds, in their order
  std::string irreversible;  ///< why it cannot be undone; empty where it can
};

/// `catalog/operations/SERVICE.yaml`: which operations read, and the recipes of those that change. Immutable.
///
/// A file is a mapping of operation names to recipes, beside two lists: `reads`, operations that only read though their
/// names do not say so, and `changes`, operations that change though their names sound like reading.
class Recipes {
 public:
  /// Errors: ValidationException naming file and place.
  static Result<Recipes> load(const catalog::Catalog& catalog);

  /// True where the operation is known to change nothing. What is not known counts as a change.
  bool reads(std::string_view service, std::string_view operation) const;
  /// Null where there is none: then the change cannot be undone.
  const Recipe* find(std::string_view service, std::string_view operation) const;
  const std::map<std::string, Recipe, std::less<>>& all() const { return recipes_; }

 private:
  std::map<std::string, Recipe, std::less<>> recipes_;  // by "service:Operation"
  std::set<std::string, std::less<>> reads_;
  std::set<std::string, std::less<>> changes_;
};

}  // namespace fixpoint::changes
