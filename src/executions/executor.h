#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::executions {

/// A run of a program: what it is, where it stands, how it ended.
struct Execution {
  std::string id;       ///< a UUID
  std::string name;     ///< what starts it only once: (rule, target, event)
  std::string kind;     ///< control, function
  std::string program;  ///< the control's id, the function's own ARN
  std::string account;
  std::string region;
  std::string subject;  ///< what it is about: the finding's Id; may be empty
  std::string work;     ///< the piece of work's fingerprint; may be empty
  std::string cause;    ///< the execution whose own doing led to this one; may be empty
  json::Value input;
  json::Value cursor;   ///< where the program stands; null at the start
  std::string status;   ///< READY, WAITING (for a time or an answer), SUCCEEDED, FAILED
  std::string outcome;  ///< a word of the program's own: fixed, compliant, refused, ...
  json::Value result;
  TimeMs started_ms = 0;
  TimeMs ended_ms = 0;    ///< 0 while it goes on
  TimeMs wake_ms = 0;     ///< of a waiting one: when it goes on by itself; 0 for only when it is told to
  std::int64_t turn = 0;  ///< commits so far: a step that was begun at another turn is not committed
};

json::Value to_json(const Execution& execution);

/// What one step leaves behind. It is committed in one transaction: the cursor, the status, and whatever `commit`
/// writes.
struct Step {
  enum class Next { Again, Wait, Succeeded, Failed };
  Next next = Next::Again;
  json::Value cursor;
  std::string outcome;                                      ///< of an end, or what is waited for
  json::Value result;                                       ///< of an end
  TimeMs wake_ms = 0;                                       ///< of Wait
  std::string note;                                         ///< a line for the journal
  std::vector<std::string> notes_before;                    ///< lines that go before it
  std::function<Result<void>(store::Transaction&)> commit;  ///< may be empty
};

/// A kind of program. `step` looks at the execution, does one thing, and calls `done` exactly once, from any thread,
/// now or later; from then on it no longer looks at the execution. An execution's steps never overlap. After a crash
/// the step whose commit is missing is run again from the cursor before it; so is one whose commit failed with a
/// retryable error. Any other ends the execution FAILED: what the step meant to write is not written, and it is not run
/// again.
class Program {
 public:
  virtual ~Program() = default;
  virtual void step(const Execution& execution, std::function<void(Step)> done) = 0;
};

struct Start {
  std::string name;  ///< an execution of this name that is there already is not started again
  std::string kind, program, account, region;
  std::string subject;  ///< a text that can be no finding's id (over 512 characters, or with NUL) is taken for none
  json::Value input;
  std::string work{};   ///< see work.h
  std::string cause{};  ///< the execution whose own doing asks for this one
};

struct Started {
  std::string id;
  bool fresh = false;  ///< false where `id` was there before
};

struct JournalLine {
  std::int64_t number;
  TimeMs at_ms;
  std::string text;
};

/// Which executions `list` gives; what is empty asks nothing.
struct Filter {
  std::string status, program, subject, outcome;
  std::size_t limit = 1000;
};

/// Runs executions durably. Thread-safe. Programs are added before start(); stop() lets steps under way come to their
/// commit. A waiting execution holds no thread and no memory: those whose time has come are read from the store, a page
/// at a time. Their times are the clock's: one that jumps ahead wakes them. Short waits (ten minutes) are counted as
/// well, so that a clock that is set back does not hold up what was to be tried again; longer ones wait until the clock
/// is there.
class Executor {
 public:
  Executor(store::Store& store, const Clock& clock, unsigned threads = 4);
  ~Executor();
  static store::Schema schema();

  void add_program(std::string kind, Program& program);
  /// Is called within the transaction that starts an execution (`ended_ms` is 0) and within the one that ends it; an
  /// error takes that transaction back. Before start().
  using Watch = std::function<Result<void>(store::Transaction&, const Execution&)>;
  void add_watch(Watch watch) { watches_.push_back(std::move(watch)); }
  /// Takes up what an earlier process left, and begins to run. Others may launch meanwhile.
  Result<void> start();
  /// Begins no step any more. Returns at once.
  void wind_down();
  /// Begins no step any more, and returns when none is under way.
  void stop();
  /// The same, with a bound: where steps are still under way after `grace`, `cut` is called, which has to end what they
  /// wait for. What they bring then is not committed, since it says nothing about their account: they run again at the
  /// next start(), as after a crash.
  void stop(std::chrono::milliseconds grace, const std::function<void()>& cut);

  /// Within the caller's transaction; it runs once that is committed. Where the cause, or a cause of that, is an
  /// execution of the same program about the same subject, nothing is started: that one hears its own echo, which its
  /// journal says.
  Result<Started> launch(store::Transaction& tx, Start start);
  Result<Started> launch(Start start);

  /// Tells a waiting execution something: the cursor's member `answer` is set and it goes on. Errors:
  /// ResourceNotFoundException, ResourceConflictException (it does not wait; says in which state it is).
  Result<void> answer(const std::string& id, const json::Value& answer);
  Result<void> answer(store::Transaction& tx, const std::string& id, const json::Value& answer);

  /// A line for the journal of an execution.
  Result<void> note(store::Transaction& tx, const std::string& id, const std::string& text);

  Result<std::optional<Execution>> get(const std::string& id);
  /// The whole id of what a person named by it or by its first eight digits or more. Errors: ResourceNotFoundException;
  /// ValidationException where several begin so.
  Result<std::string> resolve(const std::string& id);
  /// The newest first.
  Result<std::vector<Execution>> list(const Filter& filter = {});
  struct Listed {
    std::vector<Execution> executions;
    std::int64_t open = 0;  ///< how many of those that the filter names have not ended, beyond its limit too
  };
  /// The list and the count of one moment: where none is open, each that the filter names has ended.
  Result<Listed> list_and_open(const Filter& filter);
  Result<std::vector<JournalLine>> journal(const std::string& id);

  /// Calls `ended` once the execution has ended (at once where it has). On a thread of the executor; must be short.
  void when_ended(const std::string& id, std::function<void(const Execution&)> ended);

  /// Executions that have not ended.
  Result<std::int64_t> open_count();

 private:
  // One execution on its way to a thread. `loaded` spares the reading where its last commit, or its launch, left it in
  // hand.
  struct Ready {
    std::string id;
    std::shared_ptr<Execution> loaded;
    std::int64_t counted_turn = -1;  // its short wait, begun at this turn, is over whatever the clock says
  };
  Result<std::optional<std::string>> echo_of(store::Transaction& tx, const Start& start);
  void run();
  bool take_next(std::unique_lock<std::mutex>& lock, Ready& out);
  void take(Ready ready);
  void commit(const std::shared_ptr<Execution>& execution, Step step);
  std::optional<Step> refusal_of(const Execution& execution);
  bool refuse(const Execution& execution, const Error& error);
  void finish(const std::string& id, std::shared_ptr<Execution> next);
  void enqueue(const std::string& id, std::shared_ptr<Execution> loaded = nullptr);
  void wake_at(const Execution& waiting, TimeMs now);
  void wake_at(TimeMs wake_ms);
  void retry_in(TimeMs wait_ms, const std::string& id);
  void take_timers();
  void page_due(std::unique_lock<std::mutex>& lock, TimeMs now);
  void tell_ended(const Execution& execution);

  store::Store& store_;
  const Clock& clock_;
  unsigned thread_count_;
  std::map<std::string, Program*> programs_;
  std::vector<Watch> watches_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Ready> going_;  // in the middle: before the fresh ones, so that few are in the middle at once
  std::deque<Ready> fresh_;
  TimeMs next_due_ms_;  // no stored timer is earlier than this
  bool paging_ = false;
  // By steady time: of steps whose commit failed, and of short waits.
  std::multimap<TimeMs, std::string> retries_;
  std::multimap<TimeMs, std::pair<std::string, std::int64_t>> counted_;
  std::multimap<std::string, std::function<void(const Execution&)>> waiters_;
  std::unordered_set<std::string> active_;  // queued or with a step under way: one at a time
  std::unordered_set<std::string> again_;   // came up meanwhile
  // Those whose step the store will never take: at which turn, and with which error's code.
  std::unordered_map<std::string, std::pair<std::int64_t, std::string>> refused_;
  std::size_t under_way_ = 0;  // steps
  std::size_t committing_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  bool cut_ = false;  // commits nothing more
  std::vector<std::thread> threads_;
};

}  // namespace fixpoint::executions
