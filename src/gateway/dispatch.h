#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "aws/api.h"
#include "aws/service_table.h"
#include "aws/verify.h"
#include "changes/door.h"
#include "changes/runs.h"
#include "gateway/worker_pool.h"
#include "sandbox/sandbox.h"

namespace fixpoint::gateway {

/// For an answer that finds no room (http::ServerOptions::answers_limit_bytes): the client tries again.
Error no_room_for_answer();

/// From (caller, service, operation, input) to a result, wherever the operation lives: a service that fixpoint is, or
/// the account behind it. What an execution's credentials change on the account passes the door. Thread-safe once the
/// tables are added.
class Dispatch {
 public:
  /// `workers` run fixpoint's own operations. Calls of the account have threads of their own: one that answers late or
  /// never holds up nothing of fixpoint's. `quick`: an account that answers from memory what it can (the embedded
  /// account), so that people's calls are tried on the I/O thread first; it must outlive this. Null for one that has to
  /// be waited for.
  Dispatch(aws::Api& account, changes::Door& door, changes::Runs& runs, WorkerPool& workers, sandbox::Sandbox* quick)
      : account_(account), door_(door), runs_(runs), workers_(workers), quick_(quick) {}

  /// OfAccount: the service is a part of the embedded account (embedded_account.h), so that what an execution's
  /// credentials change of it passes the door as other changes do.
  enum class Part : std::uint8_t { Own, OfAccount };
  void add(aws::ServiceTable table, Part part = Part::Own);
  /// Services of fixpoint's own: a call that is not in the table is not passed on to the account.
  const std::map<std::string, aws::ServiceTable, std::less<>>& tables() const { return tables_; }

  using Room = std::function<bool(std::size_t bytes)>;

  /// True where nothing is to be checked against the model beforehand: the operation does that itself, or is not there.
  bool validates(std::string_view service, std::string_view operation) const;

  /// Answers now or later, once; a fault of the program answers InternalFailure. `input` was validated. Errors:
  /// NotImplemented naming what is not there; the operation's own.
  /// `room`, where given, is asked before an answer with the content of an object is made, with the object's bytes;
  /// where it says false the answer is ServiceUnavailable.
  void call(const aws::Caller& caller, std::string_view service, std::string_view operation, json::Value input,
            aws::Answer answer, const Room& room = {});

  /// Lets calls under way come to their end. Again: does nothing.
  void stop() {
    account_workers_.stop();
    patient_workers_.stop();
  }

 private:
  static constexpr unsigned account_threads = 16;
  static constexpr unsigned patient_threads = 8;
  Result<json::Value> call_account(const aws::Caller& caller, const std::string& service, const std::string& operation,
                                   const json::Value& input);
  void run(WorkerPool& workers, std::function<void()> task, const aws::Answer& answer);

  aws::Api& account_;
  changes::Door& door_;
  changes::Runs& runs_;
  WorkerPool& workers_;
  WorkerPool account_workers_{account_threads};
  // For calls that pass the door and wait for an answer that comes later (Invoke): what that answer needs may itself
  // need the other workers.
  WorkerPool patient_workers_{patient_threads};
  sandbox::Sandbox* quick_;
  std::map<std::string, aws::ServiceTable, std::less<>> tables_;
  std::set<std::string, std::less<>> of_account_;
};

}  // namespace fixpoint::gateway
