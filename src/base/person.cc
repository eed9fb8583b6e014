#include "base/person.h"

namespace fixpoint {
namespace {

constexpr std::string_view assumed_by = ", assumed by ";

}  // namespace

bool is_session_arn(std::string_view arn) {
  return arn.starts_with("arn:") && arn.find(":assumed-role/") != std::string_view::npos;
}

std::string person_text(std::string_view arn, std::string_view source) {
  std::string text(arn);
  if (!source.empty() && source != arn) text.append(assumed_by).append(source);
  return text;
}

std::string person_of(std::string_view text) {
  if (const auto at = text.rfind(assumed_by); at != std::string_view::npos) text.remove_prefix(at + assumed_by.size());
  if (text.find(' ') != std::string_view::npos || is_session_arn(text)) return {};
  return std::string(text);
}

}  // namespace fixpoint
