#include "gateway/operations.h"

#include <map>
#include <set>

#include "aws/model.h"

namespace fixpoint::gateway {
namespace {

json::Array names(const std::set<std::string>& from) {
  json::Array out;
  for (const auto& name : from) out.emplace_back(name);
  return out;
}

}  // namespace

Result<json::Value> operations_there(const Dispatch& dispatch, const aws::Models& models,
                                     const sandbox::Sandbox* embedded) {
  json::Object own;
  for (const auto& [service, table] : dispatch.tables()) {
    std::set<std::string> there;
    for (const auto& [operation, entry] : table.operations) there.emplace(operation);
    FIXPOINT_TRY(model, models.get(service));
    std::set<std::string> not_there;
    for (const auto& operation : model->operations())
      if (!there.contains(std::string(operation.name))) not_there.emplace(operation.name);
    own.set(service, json::Object{{"There", names(there)}, {"NotThere", names(not_there)}});
  }
  std::map<std::string, std::set<std::string>> account;
  if (embedded != nullptr)
    for (const auto& [service, operation] : embedded->operations()) account[service].insert(operation);
  json::Object of_account;
  for (const auto& [service, operations] : account) of_account.set(service, names(operations));
  return json::Value(json::Object{{"Own", own}, {"Account", of_account}});
}

}  // namespace fixpoint::gateway
