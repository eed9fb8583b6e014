#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "aws/api.h"
#include "base/clock.h"
#include "json/value.h"
#include "sandbox/state.h"

namespace fixpoint::sandbox {

using Reply = Result<json::Value>;

/// One call: who makes it, with what, and the state that it sees. An operation is a function of it.
struct Request {
  const aws::CallContext& context;
  const json::Value& input;
  View& state;
  TimeMs now_ms;
  std::string_view operation;

  /// Seconds since the epoch, whole: as most of AWS's creation dates are.
  std::int64_t now() const { return now_ms / 1000; }
  std::string_view text(std::string_view member) const { return input[member].string_or({}); }
  bool has(std::string_view member) const { return !input[member].is_null(); }
  std::string partition() const;
  /// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` of the caller's account and region.
  std::string arn(std::string_view service, std::string_view resource) const;
  Scope regional(std::string_view service, std::string_view type) const;
  Scope global(std::string_view service, std::string_view type) const;  ///< of the account, in no region
};

struct Operation {
  std::function<Reply(Request&)> run;
  bool changes = false;  ///< runs in a transaction; where false, a change made all the same repeats the call in one
};

/// service -> operation -> what it does.
using Services = std::map<std::string, std::map<std::string, Operation, std::less<>>, std::less<>>;

/// One service's rows of the table.
class Operations {
 public:
  using Function = std::function<Reply(Request&)>;
  Operations(std::string_view service, Services& into) : operations_(into[std::string(service)]) {}
  void reads(std::string_view name, Function run) { operations_[std::string(name)] = {std::move(run), false}; }
  void changes(std::string_view name, Function run) { operations_[std::string(name)] = {std::move(run), true}; }

 private:
  std::map<std::string, Operation, std::less<>>& operations_;
};

/// Puts a check before an operation that is in the table: it is made only where the check finds nothing.
inline void check_before(Services& services, std::string_view service, std::string_view name,
                         std::function<Result<void>(Request&)> check) {
  Operation& operation = services.find(service)->second.find(name)->second;
  operation.run = [check = std::move(check), run = std::move(operation.run)](Request& request) -> Reply {
    FIXPOINT_CHECK(check(request));
    return run(request);
  };
}

/// The operations that are code, one function a file.
void add_s3(Services& services);
void add_s3_objects(Services& services);
void add_ec2(Services& services);
void add_cloudtrail(Services& services);
void add_kms(Services& services);
void add_iam(Services& services);
void add_rds(Services& services);
void add_logs(Services& services);
void add_log_settings(Services& services);

/// An answer without members.
inline json::Value empty() {
  return json::Object();
}

}  // namespace fixpoint::sandbox
