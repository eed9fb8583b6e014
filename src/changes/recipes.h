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

/// How to read what an operation is about to overwrite, and how to take the operation back; inverse.h does it. The form
/// is described in catalog/operations/README.md.
struct Recipe {
  struct Read {
    std::string name;  ///< the member of the state that the answer becomes; empty of the first, which is the state
    CallTemplate call;
    std::optional<jsonata::Template> take;  ///< the part of the answer that matters; none is the whole
    std::vector<std::string> absent;        ///< error codes that mean that there is nothing
  };
  struct Undo {
    std::optional<jsonata::Template> when;  ///< none is always
    CallTemplate call;
  };
  struct Caveat {
    std::optional<jsonata::Template> when;  ///< none is always
    std::string because;                    ///< a sentence
  };
  std::vector<Read> before;
  std::vector<Undo> undo;            ///< all whose condition holds, in their order
  std::vector<Caveat> irreversible;  ///< when it cannot be undone
  std::vector<Caveat> leaves;        ///< what the undo leaves otherwise than it was
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
