#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::audit {

/// One line of the audit log. Its hash is the SHA-256 of the canonical JSON text (members sorted, no blanks, UTF-8) of
/// {"About", "At", "Kind", "Number", "Previous"}, so that anybody can compute it without fixpoint:
/// `sha256(json.dumps(record without Hash, sort_keys=True, separators=(",", ":"), ensure_ascii=False))` in Python.
struct Record {
  std::int64_t number = 0;  ///< 1, 2, 3, ... without gaps
  TimeMs at_ms = 0;
  std::string kind;      ///< what happened: "approval.answered", "change.made", ...
  json::Value about;     ///< an object
  std::string previous;  ///< the hash of the record before; 64 zeros for the first
  std::string hash;      ///< 64 lower-case digits
};

/// The `previous` of the first record.
std::string first_previous();

std::string hash_of(const Record& record);
/// {"Number", "At", "Kind", "About", "Previous", "Hash"}.
json::Value to_json(const Record& record);
/// Error: ValidationException for what has not this form, with a member more among it.
Result<Record> record_of(const json::Value& value);
/// The same of a line of an export. Of a name that stands twice a reader takes either value: such a line is none.
Result<Record> record_of_line(std::string_view line);
/// Whether an object of a JSON text names a member twice; `value` is what the text was read as.
bool names_twice(std::string_view text, const json::Value& value);

/// `AuditBroken`: "record 12 " and what is wrong with it.
Error broken(std::int64_t number, const std::string& what);

/// A place in the log that is kept outside of it: "NUMBER:HASH".
struct Head {
  std::int64_t number = 0;
  std::string hash;
};
std::string to_text(const Head& head);
Result<Head> head_of(std::string_view text);  ///< Error: ValidationException.

/// Walks a log from its first record on, and says where it is broken. Used by one thread.
class Chain {
 public:
  /// `kept`: a head noted earlier; the log must contain it. May be nothing.
  explicit Chain(std::optional<Head> kept = {}) : kept_(std::move(kept)), last_{0, first_previous()} {}

  /// Error: `AuditBroken`, which says which record and what is wrong with it. The chain stays where it was.
  Result<void> follow(const Record& record);
  /// At the end. Error: `AuditBroken` where the kept head was not met: the log was cut off or rewritten.
  Result<void> end() const;
  const Head& last() const { return last_; }

 private:
  std::optional<Head> kept_;
  Head last_;
};

}  // namespace fixpoint::audit
