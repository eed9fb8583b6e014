#include "store/connection.h"

#include "base/text.h"

namespace fixpoint::store {

Result<void> Connection::attempt(const std::function<Result<void>()>& work) {
  FIXPOINT_CHECK(savepoint());
  const std::size_t actions = actions_.size();
  const bool failed_before = std::exchange(failed_, false);
  // Where the database ended the whole transaction by itself there is no savepoint any more.
  const auto take_back = [&] {
    if (in_transaction()) {
      roll_back_to();
      (void)release();
    }
    drop_actions_after(actions);
    failed_ = failed_before || !in_transaction();
  };
  Result<void> result;
  try {
    result = work();
  } catch (...) {
    take_back();
    throw;
  }
  // PostgreSQL would refuse everything after it, SQLite would not: it is the same on both.
  if (result && failed_) result = fail(errors::internal("a transaction went on after a statement of it had failed"));
  if (result && in_transaction()) result = release();
  if (result)
    failed_ = failed_before;
  else
    take_back();
  return result;
}

Result<void> Connection::check_texts(const Params& params) {
  for (const Cell& cell : params)
    if (const auto* text = std::get_if<std::string>(&cell); text != nullptr && !is_valid_utf8(*text)) {
      note_failure();
      return fail(errors::validation("a text cannot be kept: it holds bytes that are no UTF-8"));
    }
  return {};
}

}  // namespace fixpoint::store
