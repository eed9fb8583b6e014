#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::sources {

/// Whose findings they are where a document does not say it: who brings them.
struct Caller {
  std::string account;  ///< 12 digits
  std::string region;
};

struct Taken {
  /// In the AWS Security Finding Format, in the document's order, one for each finding in it. Not validated yet: the
  /// n-th is the n-th of the document, so a sentence about it may count.
  std::vector<json::Value> findings;
  /// One for each of them: what an OCSF document says is kept whole beside the finding (findings/ocsf.h); null for all
  /// other forms.
  std::vector<json::Value> originals;
  /// What was wrong with them and was put right, a sentence for each kind of fault, naming the first finding that had
  /// it and how many more.
  std::vector<std::string> repaired;
};

/// The findings of a document, whatever its form: see docs/imports.md for the forms and what becomes of each field.
/// Nothing is taken of a document that is not understood whole. Errors: InvalidInputException; the sentence names the
/// finding by its place and id, and the field; `where` is its path (`findings[0].severity`). What is no finding says
/// what it is, or which forms are known.
Result<Taken> take(const json::Value& document, const Caller& caller);

}  // namespace fixpoint::sources
