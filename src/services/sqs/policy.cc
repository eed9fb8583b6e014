#include <algorithm>
#include <array>

#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sqs/queue.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;

// What AddPermission may give to others; "*" is all of them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
constexpr std::array<std::string_view, 15> actions{"*",
                                                   "AddPermission",
                                                   "ChangeMessageVisibility",
                                                   "CreateQueue",
                                                   "DeleteMessage",
                                                   "DeleteQueue",
                                                   "GetQueueAttributes",
                                                   "GetQueueUrl",
                                                   "ListDeadLetterSourceQueues",
                                                   "ListQueues",
                                                   "PurgeQueue",
                                                   "ReceiveMessage",
                                                   "RemovePermission",
                                                   "SendMessage",
                                                   "SetQueueAttributes"};
constexpr std::size_t actions_a_statement = 7;

Result<Value> parsed(const std::string& policy, const std::string& arn) {
  if (policy.empty())
    return Value(
        json::Object{{"Version", "2008-10-17"}, {"Id", arn + "/SQSDefaultPolicy"}, {"Statement", json::Array()}});
  FIXPOINT_TRY(value, json::parse(policy));
  if (!value["Statement"].is_array()) {
    json::Array list;
    if (value["Statement"].is_object()) list.push_back(value["Statement"]);
    value.set("Statement", std::move(list));
  }
  return std::move(value);
}

bool is_account(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// One of several stands alone, as AWS writes it.
Value one_or_all(json::Array items) {
  return items.size() == 1 ? std::move(items[0]) : Value(std::move(items));
}

}  // namespace

Result<std::string> policy_with(const std::string& policy, const std::string& arn, const Value& input) {
  const std::string label(input["Label"].string_or(""));
  if (label.empty() || label.size() > 80 ||
      label.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != std::string::npos)
    return fail(invalid_value(label, "Label",
                              "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."));
  const Value& wanted = input["Actions"];
  const Value& accounts = input["AWSAccountIds"];
  if (wanted.size() == 0) return fail(missing_parameter("Actions"));
  if (accounts.size() == 0) return fail(missing_parameter("AWSAccountIds"));
  if (wanted.size() > actions_a_statement)
    return fail(errors::coded("OverLimit",
                              std::to_string(wanted.size()) + " Actions were found, maximum allowed is " +
                                  std::to_string(actions_a_statement) + ".",
                              403));
  json::Array named, principals;
  for (const Value& action : wanted.as_array()) {
    const std::string_view text = action.string_or("");
    if (std::find(actions.begin(), actions.end(), text) == actions.end())
      return fail(invalid_value("SQS:" + std::string(text), "ActionName",
                                "Please refer to the appropriate WSDL for a list of valid actions. "));
    named.emplace_back("SQS:" + std::string(text));
  }
  const auto queue = parse_arn(arn);
  for (const Value& account : accounts.as_array()) {
    if (!is_account(account.string_or("")))
      return fail(invalid_value(account.string_or(""), "PrincipalId", "Unable to verify."));
    principals.emplace_back("arn:" + (queue ? queue->partition : "aws") +
                            ":iam::" + std::string(account.string_or("")) + ":root");
  }
  FIXPOINT_TRY(document, parsed(policy, arn));
  for (const Value& statement : document["Statement"].as_array())
    if (statement["Sid"] == Value(label)) return fail(invalid_value(label, "Label", "Already exists."));
  document.at_or_make("Statement")
      .push_back(json::Object{{"Sid", label},
                              {"Effect", "Allow"},
                              {"Principal", json::Object{{"AWS", one_or_all(std::move(principals))}}},
                              {"Action", one_or_all(std::move(named))},
                              {"Resource", arn}});
  return json::print(document);
}

Result<std::string> policy_without(const std::string& policy, const std::string& label) {
  FIXPOINT_TRY(document, parsed(policy, ""));
  json::Array kept;
  for (const Value& statement : document["Statement"].as_array())
    if (statement["Sid"] != Value(label)) kept.push_back(statement);
  if (kept.size() == document["Statement"].size())
    return fail(invalid_value(label, "Label", "can't find label on existing policy."));
  if (kept.empty()) return std::string();
  document.set("Statement", std::move(kept));
  return json::print(document);
}

}  // namespace fixpoint::services::sqs
