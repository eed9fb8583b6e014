#include "executions/executor.h"

#include "base/fault.h"
#include "base/id.h"
#include "json/text.h"

namespace fixpoint::executions {
namespace {

using json::Value;

constexpr const char* tables = R"sql(
CREATE TABLE execution (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, program TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
  subject TEXT NOT NULL, input TEXT NOT NULL, cursor TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, result TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, wake_ms INTEGER NOT NULL) STRICT;
CREATE INDEX execution_open ON execution (status) WHERE ended_ms = 0;
CREATE INDEX execution_started ON execution (started_ms);
CREATE INDEX execution_subject ON execution (subject);
CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE INDEX journal_execution ON journal (execution, number);
)sql";

constexpr const char* columns =
    "SELECT id, name, kind, program, account, region, subject, input, cursor, status, outcome, result, started_ms, "
    "ended_ms, wake_ms FROM execution ";

Result<Execution> execution_of(store::Row& row) {
  Execution e;
  e.id = row.take(0);
  e.name = row.take(1);
  e.kind = row.take(2);
  e.program = row.take(3);
  e.account = row.take(4);
  e.region = row.take(5);
  e.subject = row.take(6);
  FIXPOINT_TRY(input, json::parse(row.text(7)));
  e.input = std::move(input);
  FIXPOINT_TRY(cursor, json::parse(row.text(8)));
  e.cursor = std::move(cursor);
  e.status = row.take(9);
  e.outcome = row.take(10);
  FIXPOINT_TRY(result, json::parse(row.text(11)));
  e.result = std::move(result);
  e.started_ms = row.integer(12);
  e.ended_ms = row.integer(13);
  e.wake_ms = row.integer(14);
  return e;
}

Result<std::vector<Execution>> executions_of(std::vector<store::Row>& rows) {
  std::vector<Execution> out;
  out.reserve(rows.size());
  for (store::Row& row : rows) {
    FIXPOINT_TRY(execution, execution_of(row));
    out.push_back(std::move(execution));
  }
  return out;
}

Result<void> write_journal(store::Transaction& tx, const std::string& id, TimeMs at_ms, const std::string& text) {
  FIXPOINT_CHECK(tx.execute("INSERT INTO journal (execution, at_ms, text) VALUES (?, ?, ?)", {id, at_ms, text}));
  return {};
}

}  // namespace

Value to_json(const Execution& e) {
  json::Object out;
  out.set("Id", e.id);
  out.set("Kind", e.kind);
  out.set("Program", e.program);
  out.set("Account", e.account);
  out.set("Region", e.region);
  out.set("Subject", e.subject);
  out.set("Status", e.status);
  out.set("Outcome", e.outcome);
  out.set("Result", e.result);
  out.set("StartedAt", format_iso8601_ms(e.started_ms));
  if (e.ended_ms != 0) {
    out.set("EndedAt", format_iso8601_ms(e.ended_ms));
    out.set("DurationMs", e.ended_ms - e.started_ms);
  }
  return out;
}

store::Schema Executor::schema() {
  return {"executions", {tables}};
}

Executor::Executor(store::Store& store, const Clock& clock, unsigned threads)
    : store_(store), clock_(clock), thread_count_(threads) {}
Executor::~Executor() {
  stop();
}

void Executor::add_program(std::string kind, Program& program) {
  programs_[std::move(kind)] = &program;
}

Result<void> Executor::start() {
  FIXPOINT_TRY(open, store_.read([](store::Session& session) {
    return session.query("SELECT id, status, wake_ms FROM execution WHERE ended_ms = 0 ORDER BY started_ms");
  }));
  {
    std::lock_guard lock(mutex_);
    for (store::Row& row : open) {
      if (row.text(1) == "READY")
        ready_.push_back(row.take(0));
      else if (row.integer(2) != 0)
        timers_.emplace(row.integer(2), row.take(0));
    }
    running_ = true;
  }
  for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { run(); });
  return {};
}

void Executor::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

Result<Started> Executor::launch(store::Transaction& tx, const Start& start) {
  FIXPOINT_TRY(rows, tx.query("SELECT id FROM execution WHERE name = ?", {start.name}));
  if (!rows.empty()) return Started{rows[0].text(0), false};
  const std::string id = random_uuid();
  const TimeMs now = clock_.now_ms();
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO execution (id, name, kind, program, account, region, subject, input, cursor, status, "
                 "outcome, result, started_ms, ended_ms, "
                 "wake_ms) VALUES (?,?,?,?,?,?,?,?,'null','READY','','null',?,0,0)",
                 {id, start.name, start.kind, start.program, start.account, start.region, start.subject,
                  json::print(start.input), now}));
  FIXPOINT_CHECK(write_journal(tx, id, now, "started: " + start.kind + " " + start.program));
  tx.after_commit([this, id] { enqueue(id); });
  return Started{id, true};
}

Result<Started> Executor::launch(const Start& start) {
  return store_.write([&](store::Transaction& tx) { return launch(tx, start); });
}

Result<void> Executor::answer(const std::string& id, const Value& answer) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(rows, tx.query("SELECT status, outcome, cursor FROM execution WHERE id = ?", {id}));
    if (rows.empty()) return fail(errors::resource_not_found("no execution has the id '" + id + "'"));
    FIXPOINT_TRY(cursor, json::parse(rows[0].text(2)));
    if (rows[0].text(0) != "WAITING" || cursor.find("answer") != nullptr || cursor["awaits"].is_null())
      return fail(errors::resource_conflict("the execution does not wait for an answer: it is " + rows[0].text(0) +
                                            (rows[0].text(1).empty() ? "" : ", " + rows[0].text(1))));
    cursor.set("answer", answer);
    FIXPOINT_CHECK(tx.execute("UPDATE execution SET cursor = ?, status = 'READY', wake_ms = 0 WHERE id = ?",
                              {json::print(cursor), id}));
    FIXPOINT_CHECK(write_journal(tx, id, clock_.now_ms(), "answered: " + json::print(answer)));
    tx.after_commit([this, id] { enqueue(id); });
    return {};
  });
}

Result<std::optional<Execution>> Executor::get(const std::string& id) {
  return store_.read([&](store::Session& session) -> Result<std::optional<Execution>> {
    FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE id = ?", {id}));
    if (rows.empty()) return std::nullopt;
    FIXPOINT_TRY(execution, execution_of(rows[0]));
    return std::move(execution);
  });
}

Result<std::vector<Execution>> Executor::list(std::size_t limit) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Execution>> {
    FIXPOINT_TRY(rows, session.query(std::string(columns) + "ORDER BY started_ms DESC, rowid DESC LIMIT ?",
                                     {static_cast<std::int64_t>(limit)}));
    return executions_of(rows);
  });
}

Result<std::vector<JournalLine>> Executor::journal(const std::string& id) {
  return store_.read([&](store::Session& session) -> Result<std::vector<JournalLine>> {
    FIXPOINT_TRY(rows,
                 session.query("SELECT number, at_ms, text FROM journal WHERE execution = ? ORDER BY number", {id}));
    std::vector<JournalLine> lines;
    for (store::Row& row : rows) lines.push_back({row.integer(0), row.integer(1), row.take(2)});
    return lines;
  });
}

Result<std::int64_t> Executor::open_count() {
  return store_.read([](store::Session& session) -> Result<std::int64_t> {
    FIXPOINT_TRY(rows, session.query("SELECT count(*) FROM execution WHERE ended_ms = 0"));
    return rows[0].integer(0);
  });
}

void Executor::when_ended(const std::string& id, std::function<void(const Execution&)> ended) {
  {
    std::lock_guard lock(mutex_);
    waiters_.emplace(id, std::move(ended));
  }
  // It may have ended before the waiter stood there; who is told is taken off the list, so nobody is told twice.
  if (const auto execution = get(id); execution && *execution && (*execution)->ended_ms != 0) tell_ended(**execution);
}

void Executor::tell_ended(const Execution& execution) {
  std::vector<std::function<void(const Execution&)>> told;
  {
    std::lock_guard lock(mutex_);
    const auto [first, last] = waiters_.equal_range(execution.id);
    for (auto at = first; at != last; ++at) told.push_back(std::move(at->second));
    waiters_.erase(first, last);
  }
  for (auto& ended : told) ended(execution);
}

void Executor::leave(const std::string& id) {
  std::lock_guard lock(mutex_);
  active_.erase(id);
  if (again_.erase(id) == 0) return;
  ready_.push_back(id);
  wake_.notify_one();
}

void Executor::enqueue(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    if (!running_) return;  // start() finds it in the store
    ready_.push_back(id);
  }
  wake_.notify_one();
}

void Executor::enqueue_at(TimeMs wake_ms, const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    timers_.emplace(wake_ms, id);
  }
  wake_.notify_one();
}

void Executor::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimeMs now = clock_.now_ms();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      ready_.push_back(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
    }
    if (ready_.empty()) {
      // A clock that a test moves wakes nobody, so the wait is short whatever the next timer says.
      const TimeMs until = timers_.empty() ? 1000 : std::clamp<TimeMs>(timers_.begin()->first - now, 1, 1000);
      wake_.wait_for(lock, std::chrono::milliseconds(until));
      continue;
    }
    const std::string id = std::move(ready_.front());
    ready_.pop_front();
    // A timer that an answer outran, say, may name an execution whose step is under way: it has its turn after that.
    if (!active_.insert(id).second) {
      again_.insert(id);
      continue;
    }
    ++under_way_;
    lock.unlock();
    take(id);
    lock.lock();
  }
}

void Executor::take(const std::string& id) {
  const auto finish = [this, &id] {
    leave(id);
    std::lock_guard lock(mutex_);
    --under_way_;
    idle_.notify_all();  // under the lock: stop() may end this object as soon as it sees zero
  };
  auto found = get(id);
  if (!found) {
    enqueue_at(clock_.now_ms() + 1000, id);
    return finish();
  }
  if (!*found || (*found)->ended_ms != 0) return finish();
  // Woken by a timer that is no longer its own: the right one, or an answer, comes.
  if ((*found)->status == "WAITING" && ((*found)->wake_ms == 0 || (*found)->wake_ms > clock_.now_ms())) return finish();
  auto execution = std::make_shared<const Execution>(std::move(**found));
  const auto program = programs_.find(execution->kind);
  if (program == programs_.end()) {
    Step step;
    step.next = Step::Next::Failed;
    step.outcome = "failed";
    step.result = json::Object{{"Error", "this server has no program of the kind '" + execution->kind + "'"}};
    return commit(execution, std::move(step));
  }
  try {
    program->second->step(*execution, [this, execution](Step step) { commit(execution, std::move(step)); });
  } catch (const std::exception& e) {
    Step step;
    step.next = Step::Next::Failed;
    step.outcome = "failed";
    step.result = json::Object{{"Error", std::string("a step broke: ") + e.what()}};
    commit(execution, std::move(step));
  }
}

void Executor::commit(const std::shared_ptr<const Execution>& execution, Step step) {
  const TimeMs now = clock_.now_ms();
  const bool ended = step.next == Step::Next::Succeeded || step.next == Step::Next::Failed;
  const char* status = step.next == Step::Next::Again       ? "READY"
                       : step.next == Step::Next::Wait      ? "WAITING"
                       : step.next == Step::Next::Succeeded ? "SUCCEEDED"
                                                            : "FAILED";
  auto shared = std::make_shared<Step>(std::move(step));
  fault_point("executor.before_commit");
  store_.write_async(
      [execution, shared, now, ended, status](store::Transaction& tx) -> Result<void> {
        FIXPOINT_CHECK(
            tx.execute("UPDATE execution SET cursor = ?, status = ?, outcome = ?, result = ?, ended_ms = ?, wake_ms = "
                       "? WHERE id = ?",
                       {json::print(shared->cursor), std::string(status), shared->outcome, json::print(shared->result),
                        ended ? now : TimeMs{0}, shared->wake_ms, execution->id}));
        if (shared->commit) FIXPOINT_CHECK(shared->commit(tx));
        const std::string line = !shared->note.empty() ? shared->note
                                 : ended ? std::string(status) + (shared->outcome.empty() ? "" : ": " + shared->outcome)
                                         : "";
        if (!line.empty()) FIXPOINT_CHECK(write_journal(tx, execution->id, now, line));
        fault_point("executor.in_commit");
        return {};
      },
      [this, execution, shared, now, ended, status](const Result<void>& committed) {
        if (committed) fault_point("executor.after_commit");
        leave(execution->id);  // before anybody is told or it is queued again: the next step may begin at once
        if (!committed) {
          // The step is run again from the cursor that is stored, once the store writes again.
          enqueue_at(clock_.now_ms() + 1000, execution->id);
        } else if (ended) {
          Execution last = *execution;
          last.cursor = shared->cursor;
          last.status = status;
          last.outcome = shared->outcome;
          last.result = shared->result;
          last.ended_ms = now;
          tell_ended(last);
        } else if (shared->next == Step::Next::Again) {
          enqueue(execution->id);
        } else if (shared->wake_ms != 0) {
          enqueue_at(shared->wake_ms, execution->id);
        }
        std::lock_guard lock(mutex_);
        --under_way_;
        idle_.notify_all();  // under the lock: stop() may end this object as soon as it sees zero
      });
}

}  // namespace fixpoint::executions
