#include "changes/runs.h"

#include "base/hash.h"
#include "json/text.h"

namespace fixpoint::changes {

void Runs::begin(const std::string& execution, std::string name) {
  std::lock_guard lock(mutex_);
  runs_.insert_or_assign(execution, Run{std::move(name), {}, false});
}

bool Runs::end(const std::string& execution) {
  std::lock_guard lock(mutex_);
  const auto run = runs_.find(execution);
  if (run == runs_.end()) return false;
  const bool short_of = run->second.short_of;
  runs_.erase(run);
  return short_of;
}

void Runs::fell_short(const std::string& execution) {
  std::lock_guard lock(mutex_);
  if (const auto run = runs_.find(execution); run != runs_.end()) run->second.short_of = true;
}

std::string Runs::step(const std::string& execution, std::string_view service, std::string_view operation,
                       const json::Value& input, const std::string& request_id) {
  std::string call = std::string(service) + ":" + std::string(operation) + "/" +
                     sha256_hex(json::print_canonical(input)).substr(0, 16);
  std::lock_guard lock(mutex_);
  const auto run = runs_.find(execution);
  if (run == runs_.end()) return "request-" + request_id;
  const int number = ++run->second.calls[call];
  return run->second.name + "/" + call + "/" + std::to_string(number);
}

void Runs::tried(const std::string& execution, const std::string& step) {
  std::lock_guard lock(mutex_);
  const auto run = runs_.find(execution);
  if (run == runs_.end() || !step.starts_with(run->second.name + "/")) return;
  const auto last = step.rfind('/');
  const auto call =
      run->second.calls.find(step.substr(run->second.name.size() + 1, last - run->second.name.size() - 1));
  if (call != run->second.calls.end() && step.substr(last + 1) == std::to_string(call->second)) --call->second;
}

}  // namespace fixpoint::changes
