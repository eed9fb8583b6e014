#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <string>

#include "aws/api.h"
#include "aws/service_table.h"

namespace fixpoint::gateway {

/// The embedded account as the door sees it: the services that fixpoint itself is answer from their tables, all others
/// from the account beneath. So a control that changes a Lambda function changes the very function that runs here.
/// Thread-safe once the tables are added; must not be called on the store's writer thread.
class EmbeddedAccount final : public aws::Api {
 public:
  /// `answer_limit`: how long an operation that answers later (Invoke) may take, since the caller's thread waits.
  explicit EmbeddedAccount(aws::Api& beneath, std::chrono::milliseconds answer_limit = std::chrono::seconds(60))
      : beneath_(beneath), answer_limit_(answer_limit) {}

  /// Takes the place of the service of that name beneath, whole: what is not in the table is not there.
  void add(aws::ServiceTable table);

  /// Ends the waits of calls under way, as if their limit were over. For the end of the program.
  void stop() { stopped_ = true; }

  /// Errors: NotImplemented naming an operation that a table does not have; RequestTimeout (retryable) where an answer
  /// did not come within the limit; InternalFailure for a fault of the program; the operation's own.
  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override;

 private:
  aws::Api& beneath_;
  std::chrono::milliseconds answer_limit_;
  std::atomic<bool> stopped_ = false;
  std::map<std::string, aws::ServiceTable, std::less<>> tables_;
};

}  // namespace fixpoint::gateway
