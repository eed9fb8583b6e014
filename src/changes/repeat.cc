#include "changes/repeat.h"

#include <algorithm>
#include <array>

#include "aws/retry.h"
#include "base/hash.h"

namespace fixpoint::changes {
namespace {

using json::Value;

// Members that are tokens by their documentation, though the model of some operations does not mark them.
constexpr std::array<std::string_view, 6> token_names{"ClientToken",        "clientToken",      "ClientRequestToken",
                                                      "clientRequestToken", "IdempotencyToken", "idempotencyToken"};

// A UUID as far as the member has room for one; else as many digits as it wants.
std::string token_for(const aws::Member& member, const std::string& execution, const std::string& step) {
  std::string digits = sha256_hex(execution + "/" + step);
  const double least = member.shape->min.value_or(0);
  const double most = member.shape->max.value_or(64);
  if (most < 36) return digits.substr(0, static_cast<std::size_t>(std::max(1.0, most)));
  if (least > 36) return digits;
  // Version and variant as RFC 9562 has them for digits of one's own making (version 8).
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-8" + digits.substr(13, 3) + "-8" + digits.substr(17, 3) +
         "-" + digits.substr(20, 12);
}

}  // namespace

const aws::Member* token_member(const aws::Operation* operation) {
  if (operation == nullptr || operation->input == nullptr) return nullptr;
  // Athena's model marks what a call stops or deletes (QueryExecutionId, NamedQueryId) as a token too.
  if (const aws::Member* marked = operation->idempotency_token; marked != nullptr)
    return marked->name.find("Token") != std::string_view::npos || marked->name == "OperationId" ||
                   marked->name == "CreatorRequestId"
               ? marked
               : nullptr;
  for (const auto name : token_names)
    if (const aws::Member* member = operation->input->find(name);
        member != nullptr && member->shape->type == aws::ShapeType::String)
      return member;
  return nullptr;
}

Value with_token(const aws::Operation* operation, const Value& input, const std::string& execution,
                 const std::string& step) {
  const aws::Member* member = token_member(operation);
  if (member == nullptr || !input.is_object() || input.find(member->name) != nullptr) return input;
  Value out = input;
  out.set(std::string(member->name), token_for(*member, execution, step));
  return out;
}

Value without_token(const aws::Operation* operation, const Value& input) {
  const aws::Member* member = token_member(operation);
  if (member == nullptr || !input.is_object() || input.find(member->name) == nullptr) return input;
  Value out = input;
  out.as_object().erase(member->name);
  return out;
}

bool may_repeat(const Recipe* recipe, const aws::Operation* operation, const Change& change, TimeMs now_ms) {
  if (recipe != nullptr && recipe->again.says != Again::Says::Nothing) return recipe->again.says == Again::Says::Repeat;
  if (operation == nullptr) return false;
  if (const aws::Member* member = token_member(operation); member != nullptr)
    return change.input.find(member->name) != nullptr && now_ms - change.at_ms < token_lives_ms;
  return aws::is_safe_to_repeat(*operation);
}

}  // namespace fixpoint::changes
