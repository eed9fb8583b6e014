#pragma once

#include <string>
#include <vector>

#include "audit/record.h"
#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::audit {

/// The audit log in the store. Thread-safe. A record is there exactly if the transaction that it was written in is.
class Log {
 public:
  Log(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  static store::Schema schema();

  /// `kind` is a dotted word ("change.intended"); `about` an object, in which `Execution` names the execution that the
  /// record belongs to, where there is one. Secrets do not go in here. Errors: those of the store.
  Result<void> append(store::Transaction& tx, std::string_view kind, const json::Value& about);
  Result<void> append(std::string_view kind, const json::Value& about);

  /// The records after `number`, in their order, at most `limit`; of one execution where it is not empty. They end
  /// before one that cannot be read as it was written; where that is the first, it is the error: AuditBroken.
  Result<std::vector<Record>> after(std::int64_t number, std::size_t limit, const std::string& execution = {});
  /// Number 0 and the first `previous` for an empty log.
  Result<Head> head();

 private:
  store::Store& store_;
  const Clock& clock_;
};

}  // namespace fixpoint::audit
