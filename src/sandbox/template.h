#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "sandbox/operation.h"

namespace fixpoint::sandbox {

/// What a template may speak of.
struct Bindings {
  const Request& request;
  const json::Value* it = nullptr;  ///< the resource, where there is one
};

/// A JSON value with holes, of which catalog/sandbox/SERVICE.yaml is made. Immutable once parsed.
///
/// - A text that begins with `$` is a reference: `$in.Member` (the call's input), `$it.Member` (the resource),
///   `$account`, `$region`, `$partition`, `$now` (seconds since the epoch), `$now_ms`, `$now_iso`, `$date`. `$in.A | x`
///   gives x where there is no A; x is JSON, or else text.
/// - A text with `{...}` is filled in: `arn:{partition}:iam::{account}:user/{in.UserName}`. In braces stand references
///   without `$`, which a `!` turns: `{in.X!lower}`, `{in.X!uri}` (as in a URL), `{in.X!tail /}` (what follows the last
///   `/`; all of it where there is none). `{hex 17}`, `{upper 17}` (capitals and digits), `{letters 26}`, `{digits 10}`
///   and `{uuid}` are random.
/// - A mapping gives an object (its names may have holes too), a list an array; what comes out as nothing is left out.
/// `$take: [A, B]` in a mapping
///   adds those members of the input that are there; `$all: $it` adds every member of what it names, `$without: [A]`
///   leaves members out again.
/// - Everything else stands for itself. `$$` at the start of a text is a plain `$`.
class Template {
 public:
  Template() = default;
  /// Error: ValidationException with the place in `where`.
  static Result<Template> parse(const json::Value& source, const std::string& where);

  /// Nothing where it is a reference to what is not there.
  std::optional<json::Value> fill(const Bindings& bindings) const;
  /// The same as text: numbers and booleans as they print, nothing as "".
  std::string text(const Bindings& bindings) const;

 private:
  enum class Kind : std::uint8_t { Constant, Reference, Text, Array, Object };
  enum class Root : std::uint8_t { In, It, Account, Region, Partition, Now, NowMs, NowIso, Date, Random };
  struct Reference {
    Root root = Root::In;
    std::vector<std::string> path;
    std::string turn;       // the modifier after `!`, or the kind of random text
    std::string turn_with;  // its argument
  };
  struct Piece {
    std::string literal;
    std::optional<Reference> hole;
  };
  static Result<Reference> parse_reference(std::string_view text, const std::string& where);
  static Result<std::vector<Piece>> parse_pieces(std::string_view text, const std::string& where);
  static std::string fill_pieces(const std::vector<Piece>& pieces, const Bindings& bindings);
  static const json::Value* look(const Reference& reference, const Bindings& bindings);
  static std::optional<json::Value> value(const Reference& reference, const Bindings& bindings);

  Kind kind_ = Kind::Constant;
  json::Value constant_;  // also the default of a reference
  bool has_default_ = false;
  Reference reference_;
  std::vector<Piece> pieces_;
  std::vector<Template> items_;
  std::vector<std::vector<Piece>> names_;  // of items_, for an object
  std::vector<std::string> take_;
  std::vector<Reference> all_;
  std::vector<std::string> without_;
};

/// The member at the end of the path, or null.
const json::Value* find_path(const json::Value& value, const std::vector<std::string>& path);

}  // namespace fixpoint::sandbox
