#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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

class TagRules;

/// Splits "s3:GetBucketEncryption". Error: ValidationException.
Result<std::pair<std::string, std::string>> split_call(std::string_view text);
/// Reads {call, input}; `where` begins the place of an error.
Result<CallTemplate> read_call(const json::Value& form, const std::string& where);

/// What a read shows once a change was made, for a dry run in which it was not made.
struct Intended {
  std::string service;    ///< of the read
  std::string operation;  ///< one that ends in `*` is all that begin so
  /// Over $input (the change's), $before, $read (the read's input), $state (what it answers without this change;
  /// nothing where it fails), $token and the account's names. Without it: where the read's input and the change's agree
  /// in every member that both have, and have one in common.
  std::optional<jsonata::Template> when;
  std::optional<jsonata::Template> answer;  ///< over the same
  std::string error;                        ///< instead of `answer`: the read then fails with this code
  bool unknown = false;                     ///< it shows the change, nobody can say how; an answer is then like it only
};

/// How an answer of success says what was not done (shortfall.h), where the rule by its shape does not see it.
struct Failures {
  /// Over $input and $output: what failed, a list of {Id, Code, Message} or of texts; nothing where all was done.
  /// Without it: what the answer has of such members says nothing of the call.
  std::optional<jsonata::Template> items;
  std::optional<jsonata::Template> of;  ///< over the same: how many things the call names; none where nobody can tell
};

/// What is done about a call that may have been made, of which nobody heard the answer and no state tells.
struct Again {
  enum class Says : std::uint8_t {
    Nothing,  ///< as the model has it: an idempotency token, or an operation that is idempotent
    Repeat,   ///< making it twice does no more than making it once
    Stop,     ///< making it twice may do more: a person looks first
  };
  Says says = Says::Nothing;
  std::vector<std::string> codes;  ///< of Repeat: answered to the second call, they say that the first had its effect
};

/// How to read what an operation is about to overwrite, and how to take the operation back; inverse.h does it. The form
/// is described in catalog/operations/README.md.
struct Recipe {
  struct Read {
    std::string name;  ///< the member of the state that the answer becomes; empty of the first, which is the state
    CallTemplate call;
    std::optional<jsonata::Template> take;  ///< the part of the answer that matters; none is the whole
    std::vector<std::string> absent;        ///< error codes that mean that there is nothing
    std::string take_text;                  ///< as it is written; empty for none
    std::vector<std::string> take_by;       ///< the members of $input that it goes by; an empty one is all of it
  };
  struct Undo {
    std::optional<jsonata::Template> each;  ///< a call for every item that it gives, which is `$item`; none is one call
    std::optional<jsonata::Template> when;  ///< none is always
    CallTemplate call;
    std::vector<std::string> done;  ///< error codes that mean that it is undone already
  };
  struct Caveat {
    std::optional<jsonata::Template> when;  ///< none is always
    std::string because;                    ///< a sentence
  };
  std::vector<Read> before;
  std::vector<Undo> undo;                     ///< all whose condition holds, in their order
  std::vector<Caveat> irreversible;           ///< when it cannot be undone
  std::vector<Caveat> leaves;                 ///< what the undo leaves otherwise than it was
  std::optional<jsonata::Template> compare;   ///< the part of `$state` that is compared; none is the whole
  std::optional<jsonata::Template> resource;  ///< what the call touches: an ARN or name, or a list of them
  std::optional<jsonata::Template> answer;    ///< of a dry run
  Again again;
  /// What the call answered, as far as `undo` needs it, where its answer was lost though it had its effect: over
  /// $input, $before and $left, the state read again, which is not the state before; or, with a call, over the answer
  /// of that.
  struct Lost {
    std::optional<CallTemplate> call;  ///< its input over $input and $before
    jsonata::Template answer;
  };
  std::optional<Lost> lost;
  std::vector<Intended> intended;
};

/// `catalog/operations/SERVICE.yaml`: which operations read, and the recipes of those that change. Immutable.
///
/// A file is a mapping of operation names to recipes, beside two lists: `reads`, operations that only read though their
/// names do not say so, and `changes`, operations that change though their names sound like reading; and beside
/// `failures`, a mapping of operation names to what their answers say was not done.
class Recipes {
 public:
  /// Errors: ValidationException naming file and place.
  static Result<Recipes> load(const catalog::Catalog& catalog);

  /// True where the operation is known to change nothing. What is not known counts as a change.
  bool reads(std::string_view service, std::string_view operation) const;
  /// Null where there is none: then the change cannot be undone.
  const Recipe* find(std::string_view service, std::string_view operation) const;
  const std::map<std::string, Recipe, std::less<>>& all() const { return recipes_; }
  /// Null where nothing is declared of it.
  const Failures* find_failures(std::string_view service, std::string_view operation) const;
  const std::map<std::string, Failures, std::less<>>& failures() const { return failures_; }
  /// How to read the tags of a resource (tag_rules.h); `catalog/tags`.
  const TagRules& tags() const;

 private:
  std::map<std::string, Recipe, std::less<>> recipes_;  // by "service:Operation"
  std::map<std::string, Failures, std::less<>> failures_;
  std::set<std::string, std::less<>> reads_;
  std::set<std::string, std::less<>> changes_;
  std::shared_ptr<const TagRules> tags_;
};

}  // namespace fixpoint::changes
