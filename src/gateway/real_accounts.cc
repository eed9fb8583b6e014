#include "gateway/real_accounts.h"

namespace fixpoint::gateway {

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is needed for it.
Result<std::string> RealAccounts::own_account(const std::string& region) {
  {
    const std::lock_guard lock(mutex_);
    if (!account_.empty()) return account_;
  }
  FIXPOINT_TRY(answer, own_.call({.account = {}, .region = region, .execution = {}, .request_id = {}}, "sts",
                                 "GetCallerIdentity", json::Value(json::Object())));
  std::string account(answer["Account"].string_or(""));
  if (account.empty()) return fail(errors::internal("STS did not say which account the credentials are of"));
  const std::lock_guard lock(mutex_);
  account_ = account;
  return account;
}

Result<json::Value> RealAccounts::call(const aws::CallContext& context, std::string_view service,
                                       std::string_view operation, const json::Value& input) {
  FIXPOINT_TRY(own, own_account(context.region));
  if (context.account == own) return own_.call(context, service, operation, input);
  if (members_ != nullptr) return members_->call(context, service, operation, input);
  return fail(errors::coded("AccountOutOfReach",
                            "this is about the account '" + context.account +
                                "', and the credentials of this server are of the account " + own +
                                ": nothing was sent. 'fixpoint serve --real-account --member-role NAME' gets into "
                                "other accounts by a role of that name in each",
                            403));
}

}  // namespace fixpoint::gateway
