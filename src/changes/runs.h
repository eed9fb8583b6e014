#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "json/value.h"

namespace fixpoint::changes {

/// Names the calls of programs that run from their beginning again after a crash (handlers), so that the same call has
/// the same name in both runs: the door then finds it in the journal and does not make it twice. Thread-safe.
///
/// The same call is the one of the same operation and input, and of those the first, second, ... of its run. What a
/// program puts into its inputs anew at each run (the time) makes it another call; idempotency tokens are taken out by
/// the caller (Door::without_token).
class Runs {
 public:
  /// A run begins. `name` tells it from the other runs of the execution (its attempts, its dry run), and is the same
  /// when it is begun again after a crash.
  void begin(const std::string& execution, std::string name);
  /// True where fell_short() was said of the run.
  bool end(const std::string& execution);

  /// The step of a call; of the request alone where the execution has no run here.
  std::string step(const std::string& execution, std::string_view service, std::string_view operation,
                   const json::Value& input, const std::string& request_id);
  /// Nobody knows what became of the call of this step: the next same call is the same one, tried again.
  void tried(const std::string& execution, const std::string& step);
  /// A call of the run was answered with success, and not all of it was done: the run's end is looked at more closely.
  void fell_short(const std::string& execution);

 private:
  struct Run {
    std::string name;
    std::map<std::string, int> calls;  // by operation and the hash of the input
    bool short_of = false;
  };
  std::mutex mutex_;
  std::map<std::string, Run> runs_;
};

}  // namespace fixpoint::changes
