#pragma once

#include <mutex>
#include <string>

#include "aws/api.h"

namespace fixpoint::gateway {

/// The real accounts: each call goes out with credentials of the account that it is for. Those of the server's
/// environment are good for one account, which STS names; into any other a role there is assumed, and where none is
/// named nothing is sent. Thread-safe.
class RealAccounts final : public aws::Api {
 public:
  /// `own` calls with the environment's credentials; `members` with those of a role in the account of the call, and is
  /// null where no role is named. Both must outlive this.
  RealAccounts(aws::Api& own, aws::Api* members) : own_(own), members_(members) {}

  /// Errors: what the account answered; AccountOutOfReach (403) where there is no role to get into it by, and what STS
  /// says while it has not said yet whose the credentials are.
  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override;
  /// The account of the environment's credentials, asked of STS until it has answered once.
  Result<std::string> own_account(const std::string& region);

 private:
  aws::Api& own_;
  aws::Api* members_;
  std::mutex mutex_;
  std::string account_;
};

}  // namespace fixpoint::gateway
