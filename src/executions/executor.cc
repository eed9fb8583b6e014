#include "executions/executor.h"

#include <algorithm>
#include <limits>
#include <pthread.h>

#include "base/fault.h"
#include "base/id.h"
#include "base/utf8.h"
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

constexpr const char* version_2 = R"sql(
ALTER TABLE execution ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX execution_wake ON execution (wake_ms) WHERE status = 'WAITING';
CREATE TABLE approval (
  number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, plan_hash TEXT NOT NULL,
  plan TEXT NOT NULL, words TEXT NOT NULL, requested_by TEXT NOT NULL, asked_ms INTEGER NOT NULL, warn_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, four_eyes INTEGER NOT NULL, warned INTEGER NOT NULL, state TEXT NOT NULL, answered_by TEXT NOT NULL,
  because TEXT NOT NULL, answered_ms INTEGER NOT NULL) STRICT;
CREATE INDEX approval_execution ON approval (execution, number);
)sql";

constexpr const char* version_3 = R"sql(
ALTER TABLE execution ADD COLUMN work TEXT NOT NULL DEFAULT '';
ALTER TABLE execution ADD COLUMN cause TEXT NOT NULL DEFAULT '';
CREATE TABLE work (
  fingerprint TEXT PRIMARY KEY, control TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, resource TEXT NOT NULL,
  execution TEXT NOT NULL, fixed TEXT NOT NULL, passed INTEGER NOT NULL, asks_ms INTEGER NOT NULL, reverts INTEGER NOT NULL) STRICT;
CREATE INDEX work_asks ON work (asks_ms) WHERE asks_ms > 0;
CREATE TABLE work_item (execution TEXT NOT NULL, product_arn TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (execution, product_arn, id)) STRICT;
CREATE TABLE work_revert (fixed TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX work_revert_fingerprint ON work_revert (fingerprint, at_ms);
)sql";

constexpr const char* version_4 = R"sql(
ALTER TABLE work ADD COLUMN before_undo TEXT NOT NULL DEFAULT '';
ALTER TABLE work ADD COLUMN passed_before INTEGER NOT NULL DEFAULT 0;
CREATE INDEX execution_undo ON execution (cause) WHERE kind = 'undo';
)sql";

constexpr const char* version_5 = R"sql(
CREATE TABLE work_kept (
  number INTEGER PRIMARY KEY AUTOINCREMENT, undo TEXT NOT NULL, product_arn TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL,
  decided TEXT NOT NULL, start TEXT NOT NULL, UNIQUE (undo, product_arn, id, decided)) STRICT;
)sql";

constexpr const char* version_6 = R"sql(
ALTER TABLE work_kept ADD COLUMN execution TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* columns =
    "SELECT id, name, kind, program, account, region, subject, input, cursor, status, outcome, result, started_ms, "
    "ended_ms, wake_ms, turn, work, cause FROM execution ";

constexpr TimeMs never = std::numeric_limits<TimeMs>::max();
// Steps that wait for their commit: bounds what is in memory, and fills a commit of the store.
constexpr std::size_t most_committing = 256;
// Launched executions that are kept in hand until a thread takes them; of more only the id is.
constexpr std::size_t most_loaded = 512;
constexpr std::size_t due_page = 1024;
constexpr TimeMs commit_retry_ms = 1000;
constexpr TimeMs short_wait_ms = 600'000;
constexpr std::size_t most_counted = 100'000;  // of more only the clock is asked
// Executions of which each led to the next; a longer chain is taken for a circle.
constexpr int most_causes = 16;

Result<Execution> execution_of(store::Row& row) {
  Execution e;
  e.id = row.take(0);
  e.name = row.take(1);
  e.kind = row.take(2);
  e.program = row.take(3);
  e.account = row.take(4);
  e.region = row.take(5);
  e.subject = row.take(6);
  FIXPOINT_TRY(input, json::parse_printed(row.text(7)));
  e.input = std::move(input);
  FIXPOINT_TRY(cursor, json::parse_printed(row.text(8)));
  e.cursor = std::move(cursor);
  e.status = row.take(9);
  e.outcome = row.take(10);
  FIXPOINT_TRY(result, json::parse_printed(row.text(11)));
  e.result = std::move(result);
  e.started_ms = row.integer(12);
  e.ended_ms = row.integer(13);
  e.wake_ms = row.integer(14);
  e.turn = row.integer(15);
  e.work = row.take(16);
  e.cause = row.take(17);
  return e;
}

// What is found by it; the ids of findings have at most 512 characters.
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
std::string subject_of(const std::string& text) {
  constexpr std::size_t longest = 512;
  const bool is_id = text.find('\0') == std::string::npos && cut_characters(text, longest).size() == text.size();
  return is_id ? text : std::string();
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

// The conditions that a filter adds to those that are there.
std::string conditions_of(const Filter& filter, store::Params& params) {
  std::string sql;
  const auto equals = [&](const char* column, const std::string& value) {
    if (value.empty()) return;
    sql += std::string("AND ") + column + " = ? ";
    params.emplace_back(value);
  };
  equals("subject", filter.subject);
  equals("program", filter.program);
  equals("status", filter.status);
  equals("outcome", filter.outcome);
  return sql;
}

Result<std::vector<Execution>> list_in(store::Session& session, const Filter& filter) {
  store::Params params;
  std::string conditions = conditions_of(filter, params);
  if (!conditions.empty()) conditions.replace(0, 3, "WHERE");
  params.emplace_back(static_cast<std::int64_t>(filter.limit));
  FIXPOINT_TRY(rows, session.query(columns + conditions + "ORDER BY started_ms DESC, id LIMIT ?", params));
  return executions_of(rows);
}

Result<std::int64_t> count_open(store::Session& session, const Filter& filter = {}) {
  store::Params params;
  const std::string conditions = conditions_of(filter, params);
  FIXPOINT_TRY(rows, session.query("SELECT count(*) FROM execution WHERE ended_ms = 0 " + conditions, params));
  return rows[0].integer(0);
}

Result<void> write_journal(store::Transaction& tx, const std::string& id, TimeMs at_ms, const std::string& text) {
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO journal (execution, at_ms, text) VALUES (?, ?, ?)", {id, at_ms, legible(text)}));
  return {};
}

}  // namespace

Value to_json(const Execution& e) {
  json::Object out;
  out.set("Id", e.id);
  out.set("Kind", e.kind);
  out.set("Program", e.program);
  if (const json::Value* qualifier = e.input.find("Qualifier")) out.set("Qualifier", *qualifier);
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
  return {"executions", {tables, version_2, version_3, version_4, version_5, version_6}};
}

Executor::Executor(store::Store& store, const Clock& clock, unsigned threads)
    : store_(store), clock_(clock), thread_count_(threads), next_due_ms_(never) {}
Executor::~Executor() {
  stop();
}

void Executor::add_program(std::string kind, Program& program) {
  programs_[std::move(kind)] = &program;
}

Result<void> Executor::start() {
  {
    // Before the store is read: what is committed from here on is queued by its own commit, what was before is read.
    std::lock_guard lock(mutex_);
    running_ = true;
  }
  FIXPOINT_CHECK(store_.read([this](store::Session& session) -> Result<void> {
    FIXPOINT_CHECK(session.scan("SELECT id FROM execution WHERE ended_ms = 0 AND status = 'READY' ORDER BY started_ms",
                                {}, [this](store::Row& row) {
                                  std::string id = row.take(0);
                                  std::lock_guard lock(mutex_);
                                  if (active_.insert(id).second) fresh_.push_back({std::move(id), nullptr});
                                  return true;
                                }));
    FIXPOINT_TRY(next, session.query("SELECT min(wake_ms) FROM execution WHERE status = 'WAITING' AND wake_ms > 0"));
    std::lock_guard lock(mutex_);
    if (!next.empty() && !next[0].is_null(0)) next_due_ms_ = std::min(next_due_ms_, next[0].integer(0));
    return {};
  }));
  for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { run(); });
  return {};
}

void Executor::wind_down() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Executor::stop(std::chrono::milliseconds grace, const std::function<void()>& cut) {
  wind_down();
  {
    std::unique_lock lock(mutex_);
    cut_ = !idle_.wait_for(lock, grace, [this] { return under_way_ == 0; });
  }
  if (cut_) cut();
  stop();
}

void Executor::stop() {
  wind_down();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

// The execution that would be started by its own doing.
Result<std::optional<std::string>> Executor::echo_of(store::Transaction& tx, const Start& start) {
  std::string cause = start.cause;
  int depth = 0;
  for (; depth < most_causes && !cause.empty(); ++depth) {
    FIXPOINT_TRY(rows, tx.query("SELECT kind, program, subject, cause FROM execution WHERE id = ?", {cause}));
    if (rows.empty()) return std::nullopt;
    if (rows[0].text(0) == start.kind && rows[0].text(1) == start.program &&
        (start.subject.empty() || rows[0].text(2) == start.subject)) {
      FIXPOINT_CHECK(note(tx, cause, "an event of its own doing would have started it again; it was left alone"));
      return cause;
    }
    cause = rows[0].take(3);
  }
  if (depth < most_causes) return std::nullopt;
  FIXPOINT_CHECK(
      note(tx, start.cause,
           "started nothing more: each of " + std::to_string(most_causes) + " executions had led to the next"));
  return start.cause;
}

Result<void> Executor::note(store::Transaction& tx, const std::string& id, const std::string& text) {
  return write_journal(tx, id, clock_.now_ms(), text);
}

Result<Started> Executor::launch(store::Transaction& tx, Start start) {
  FIXPOINT_TRY(rows, tx.query("SELECT id FROM execution WHERE name = ?", {start.name}));
  if (!rows.empty()) return Started{rows[0].text(0), false};
  start.subject = subject_of(start.subject);
  FIXPOINT_TRY(echo, echo_of(tx, start));
  if (echo) return Started{*echo, false};
  const std::string id = random_uuid();
  const TimeMs now = clock_.now_ms();
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO execution (id, name, kind, program, account, region, subject, input, cursor, status, "
                 "outcome, result, started_ms, ended_ms, "
                 "wake_ms, work, cause) VALUES (?,?,?,?,?,?,?,?,'null','READY','','null',?,0,0,?,?)",
                 {id, start.name, start.kind, start.program, start.account, start.region, start.subject,
                  json::print(start.input), now, start.work, start.cause}));
  FIXPOINT_CHECK(write_journal(tx, id, now, "started: " + start.kind + " " + start.program));
  auto loaded = std::make_shared<Execution>();
  loaded->id = id;
  loaded->name = std::move(start.name);
  loaded->kind = std::move(start.kind);
  loaded->program = std::move(start.program);
  loaded->account = std::move(start.account);
  loaded->region = std::move(start.region);
  loaded->subject = std::move(start.subject);
  loaded->work = std::move(start.work);
  loaded->cause = std::move(start.cause);
  loaded->input = std::move(start.input);
  loaded->status = "READY";
  loaded->started_ms = now;
  for (const Watch& watch : watches_) FIXPOINT_CHECK(watch(tx, *loaded));
  tx.after_commit([this, loaded = std::move(loaded)] { enqueue(loaded->id, loaded); });
  return Started{id, true};
}

Result<Started> Executor::launch(Start start) {
  return store_.write([&](store::Transaction& tx) { return launch(tx, std::move(start)); });
}

Result<void> Executor::answer(const std::string& id, const Value& answer) {
  return store_.write([&](store::Transaction& tx) { return this->answer(tx, id, answer); });
}

Result<void> Executor::answer(store::Transaction& tx, const std::string& id, const Value& answer) {
  FIXPOINT_TRY(rows, tx.query("SELECT status, outcome, cursor FROM execution WHERE id = ?", {id}));
  if (rows.empty()) return fail(errors::resource_not_found("no execution has the id '" + id + "'"));
  FIXPOINT_TRY(cursor, json::parse_printed(rows[0].text(2)));
  if (rows[0].text(0) != "WAITING" || cursor.find("answer") != nullptr || cursor["awaits"].is_null())
    return fail(errors::resource_conflict("the execution does not wait for an answer: it is " + rows[0].text(0) +
                                          (rows[0].text(1).empty() ? "" : ", " + rows[0].text(1))));
  cursor.set("answer", answer);
  FIXPOINT_CHECK(
      tx.execute("UPDATE execution SET cursor = ?, status = 'READY', wake_ms = 0, turn = turn + 1 WHERE id = ?",
                 {json::print(cursor), id}));
  FIXPOINT_CHECK(write_journal(tx, id, clock_.now_ms(), "answered: " + json::print(answer)));
  tx.after_commit([this, id] { enqueue(id); });
  return {};
}

Result<std::optional<Execution>> Executor::get(const std::string& id) {
  return store_.read([&](store::Session& session) -> Result<std::optional<Execution>> {
    FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE id = ?", {id}));
    if (rows.empty()) return std::nullopt;
    FIXPOINT_TRY(execution, execution_of(rows[0]));
    return std::move(execution);
  });
}

Result<std::string> Executor::resolve(const std::string& id) {
  constexpr std::size_t shortest = 8;
  const auto none = [&] {
    return fail(errors::resource_not_found("no execution has the id '" + id + "'; 'fixpoint executions' lists them"));
  };
  if (id.size() < shortest || id.find_first_not_of("0123456789abcdef-") != std::string::npos) return none();
  return store_.read([&](store::Session& session) -> Result<std::string> {
    FIXPOINT_TRY(rows, session.query("SELECT id FROM execution WHERE id >= ? AND id <= ? ORDER BY id LIMIT 2",
                                     {id, id + "g"}));  // behind every digit and dash
    if (rows.empty()) return none();
    if (rows.size() > 1 && rows[0].text(0) != id)
      return fail(errors::validation("several executions have ids that begin with '" + id + "'; give more of it"));
    return rows[0].take(0);
  });
}

Result<std::vector<Execution>> Executor::list(const Filter& filter) {
  return store_.read([&](store::Session& session) { return list_in(session, filter); });
}

Result<Executor::Listed> Executor::list_and_open(const Filter& filter) {
  return store_.read([&](store::Session& session) -> Result<Listed> {
    Listed out;
    FIXPOINT_TRY(list, list_in(session, filter));
    out.executions = std::move(list);
    FIXPOINT_TRY(open, count_open(session, filter));
    out.open = open;
    return std::move(out);
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
  return store_.read([](store::Session& session) { return count_open(session); });
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
  for (auto& ended : told) {
    try {
      ended(execution);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it is the listener's own; the run has ended
    }
  }
}

void Executor::enqueue(const std::string& id, std::shared_ptr<Execution> loaded) {
  {
    std::lock_guard lock(mutex_);
    if (!running_) return;  // start() has yet to read the store, and finds it there
    if (!active_.insert(id).second) {
      again_.insert(id);
      return;
    }
    if (fresh_.size() >= most_loaded) loaded = nullptr;
    fresh_.push_back({id, std::move(loaded)});
  }
  wake_.notify_one();
}

// The step of `id` is over; `next` is where it stands where it goes on at once.
void Executor::finish(const std::string& id, std::shared_ptr<Execution> next) {
  std::lock_guard lock(mutex_);
  const bool again = again_.erase(id) != 0;
  refused_.erase(id);
  if (next != nullptr || again)
    going_.push_back({id, std::move(next)});
  else
    active_.erase(id);
  wake_.notify_one();
}

void Executor::wake_at(TimeMs wake_ms) {
  {
    std::lock_guard lock(mutex_);
    if (wake_ms >= next_due_ms_) return;
    next_due_ms_ = wake_ms;
  }
  wake_.notify_one();
}

void Executor::wake_at(const Execution& waiting, TimeMs now) {
  if (const TimeMs wait = waiting.wake_ms - now; wait <= short_wait_ms) {
    std::lock_guard lock(mutex_);
    if (counted_.size() < most_counted)
      counted_.emplace(clock_.steady_ms() + wait, std::pair(waiting.id, waiting.turn));
  }
  wake_at(waiting.wake_ms);
}

void Executor::retry_in(TimeMs wait_ms, const std::string& id) {
  std::lock_guard lock(mutex_);
  retries_.emplace(clock_.steady_ms() + wait_ms, id);
  wake_.notify_one();
}

void Executor::take_timers() {
  const TimeMs steady = clock_.steady_ms();
  while (!retries_.empty() && retries_.begin()->first <= steady) {
    going_.push_back({std::move(retries_.begin()->second), nullptr});
    retries_.erase(retries_.begin());
  }
  while (!counted_.empty() && counted_.begin()->first <= steady) {
    auto& [id, turn] = counted_.begin()->second;
    // Where it is on its way already, the clock woke it.
    if (active_.insert(id).second) fresh_.push_back({std::move(id), nullptr, turn});
    counted_.erase(counted_.begin());
  }
}

// Reads the waiting executions whose time has come. Those whose step is under way still stand there as waiting.
void Executor::page_due(std::unique_lock<std::mutex>& lock, TimeMs now) {
  paging_ = true;
  next_due_ms_ = never;  // what is committed while the store is read lowers it again
  const auto limit = static_cast<std::int64_t>(due_page + active_.size());
  lock.unlock();
  std::vector<std::string> due;
  TimeMs next = never;
  const auto read = store_.read([&](store::Session& session) -> Result<void> {
    FIXPOINT_CHECK(session.scan(
        "SELECT id, wake_ms FROM execution WHERE status = 'WAITING' AND wake_ms > 0 ORDER BY wake_ms LIMIT ?", {limit},
        [&](store::Row& row) {
          next = row.integer(1);
          if (next > now) return false;
          due.push_back(row.take(0));
          next = now;  // there may be more of them
          return true;
        }));
    if (static_cast<std::int64_t>(due.size()) < limit && next == now) next = never;
    return {};
  });
  lock.lock();
  paging_ = false;
  if (!read) next = now + commit_retry_ms;
  std::size_t taken = 0;
  for (std::string& id : due) {
    if (!active_.insert(id).second) continue;
    fresh_.push_back({std::move(id), nullptr});
    ++taken;
  }
  // A page of nothing but what is under way: there is nothing to be had before one of them is over.
  if (next == now && taken == 0) next = now + commit_retry_ms;
  next_due_ms_ = std::min(next_due_ms_, next);
  wake_.notify_all();
}

// The next one to run; false where there is none now.
bool Executor::take_next(std::unique_lock<std::mutex>& lock, Ready& out) {
  take_timers();
  const TimeMs now = clock_.now_ms();
  if (next_due_ms_ <= now && !paging_ && fresh_.size() < due_page) page_due(lock, now);
  if (committing_ >= most_committing) return false;
  std::deque<Ready>& queue = going_.empty() ? fresh_ : going_;
  if (queue.empty()) return false;
  out = std::move(queue.front());
  queue.pop_front();
  return true;
}

void Executor::run() {
  pthread_setname_np(pthread_self(), "executor");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    Ready ready;
    if (take_next(lock, ready)) {
      ++under_way_;
      lock.unlock();
      take(std::move(ready));
      lock.lock();
      continue;
    }
    if (stopping_) break;
    // A clock that a test moves, or that is set, wakes nobody, so the wait is short whatever the next timer says.
    TimeMs wait = 1000;
    const auto at_most = [&wait](TimeMs at, TimeMs now) { wait = std::min(wait, at <= now ? 1 : at - now); };
    if (next_due_ms_ != never) at_most(next_due_ms_, clock_.now_ms());
    const TimeMs steady = clock_.steady_ms();
    if (!retries_.empty()) at_most(retries_.begin()->first, steady);
    if (!counted_.empty()) at_most(counted_.begin()->first, steady);
    wake_.wait_for(lock, std::chrono::milliseconds(wait));
  }
}

void Executor::take(Ready ready) {
  const auto over = [this] {
    std::lock_guard lock(mutex_);
    --under_way_;
    idle_.notify_all();  // under the lock: stop() may end this object as soon as it sees zero
  };
  std::shared_ptr<Execution> execution = std::move(ready.loaded);
  if (!execution) {
    auto found = get(ready.id);
    if (!found) {
      retry_in(commit_retry_ms, ready.id);  // it stays active: nobody else takes it meanwhile
      return over();
    }
    // Ended, or woken by a timer that is no longer its own: the right one, or an answer, comes.
    if (!*found || (*found)->ended_ms != 0) {
      finish(ready.id, nullptr);
      return over();
    }
    if ((*found)->status == "WAITING" && (*found)->turn != ready.counted_turn &&
        ((*found)->wake_ms == 0 || (*found)->wake_ms > clock_.now_ms())) {
      finish(ready.id, nullptr);
      if ((*found)->wake_ms != 0) wake_at((*found)->wake_ms);
      return over();
    }
    execution = std::make_shared<Execution>(std::move(**found));
  }
  if (auto refused = refusal_of(*execution)) return commit(execution, std::move(*refused));
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

// What became of an execution whose step the store will never take: it ends, and says no more than the code, since any
// other text may be what was refused. Nothing where that is of an earlier turn.
std::optional<Step> Executor::refusal_of(const Execution& execution) {
  std::lock_guard lock(mutex_);
  const auto found = refused_.find(execution.id);
  if (found == refused_.end()) return std::nullopt;
  const auto& [turn, code] = found->second;
  if (turn != execution.turn) {
    refused_.erase(found);
    return std::nullopt;
  }
  Step step;
  step.next = Step::Next::Failed;
  step.outcome = "failed";
  step.result = json::Object{{"Error", code}, {"Message", "what a step was to write could not be committed"}};
  step.note = "failed: what a step was to write could not be committed: " + code;
  return step;
}

// False where it was refused before: then it is the end that could not be committed.
bool Executor::refuse(const Execution& execution, const Error& error) {
  std::lock_guard lock(mutex_);
  return refused_.emplace(execution.id, std::pair(execution.turn, legible(error.code))).second;
}

void Executor::commit(const std::shared_ptr<Execution>& execution, Step step) {
  const TimeMs now = clock_.now_ms();
  const bool ended = step.next == Step::Next::Succeeded || step.next == Step::Next::Failed;
  const char* status = step.next == Step::Next::Again       ? "READY"
                       : step.next == Step::Next::Wait      ? "WAITING"
                       : step.next == Step::Next::Succeeded ? "SUCCEEDED"
                                                            : "FAILED";
  auto shared = std::make_shared<Step>(std::move(step));
  if (shared->next != Step::Next::Wait) shared->wake_ms = 0;
  auto moved = std::make_shared<bool>(false);
  fault_point("executor.before_commit");
  {
    std::lock_guard lock(mutex_);
    if (cut_) {
      --under_way_;
      idle_.notify_all();
      return;
    }
    ++committing_;
  }
  store_.write_async(
      [this, execution, shared, now, ended, status, moved](store::Transaction& tx) -> Result<void> {
        FIXPOINT_TRY(
            changed,
            tx.execute("UPDATE execution SET cursor = ?, status = ?, outcome = ?, result = ?, ended_ms = ?, "
                       "wake_ms = ?, turn = turn + 1 WHERE id = ? AND turn = ?",
                       {json::print(shared->cursor), std::string(status), shared->outcome, json::print(shared->result),
                        ended ? now : TimeMs{0}, shared->wake_ms, execution->id, execution->turn}));
        // An answer came while a timer's step was under way: that step saw what is no longer so, and writes nothing.
        *moved = changed == 0;
        if (*moved) return {};
        if (shared->commit) FIXPOINT_CHECK(shared->commit(tx));
        const std::string line = !shared->note.empty() ? shared->note
                                 : ended ? std::string(status) + (shared->outcome.empty() ? "" : ": " + shared->outcome)
                                         : "";
        for (const auto& before : shared->notes_before) FIXPOINT_CHECK(write_journal(tx, execution->id, now, before));
        if (!line.empty()) FIXPOINT_CHECK(write_journal(tx, execution->id, now, line));
        if (ended && !watches_.empty()) {
          // The last of what the step saw: where the commit fails it is read again.
          execution->status = status;
          execution->outcome = shared->outcome;
          execution->result = shared->result;
          execution->ended_ms = now;
          for (const Watch& watch : watches_) FIXPOINT_CHECK(watch(tx, *execution));
        }
        fault_point("executor.in_commit");
        return {};
      },
      [this, execution, shared, now, ended, status, moved](const Result<void>& committed) {
        if (committed) fault_point("executor.after_commit");
        if (!committed) {
          // The step is run again from the cursor that is stored, once the store writes again. Where it never could be
          // committed that would only do again whatever it does to others.
          const bool ends_now = !committed.error().retryable && refuse(*execution, committed.error());
          retry_in(ends_now ? 0 : commit_retry_ms, execution->id);
        } else if (*moved) {
          retry_in(0, execution->id);
        } else {
          execution->cursor = std::move(shared->cursor);
          execution->status = status;
          execution->outcome = std::move(shared->outcome);
          execution->result = std::move(shared->result);
          execution->ended_ms = ended ? now : 0;
          execution->wake_ms = shared->wake_ms;
          ++execution->turn;
          // Before anybody is told: the next step may begin at once, and the execution is its own then.
          finish(execution->id, shared->next == Step::Next::Again ? execution : nullptr);
          if (ended)
            tell_ended(*execution);
          else if (shared->next == Step::Next::Wait && execution->wake_ms != 0)
            wake_at(*execution, now);
        }
        std::lock_guard lock(mutex_);
        --under_way_;
        --committing_;
        wake_.notify_one();
        idle_.notify_all();  // under the lock: stop() may end this object as soon as it sees zero
      });
}

}  // namespace fixpoint::executions
