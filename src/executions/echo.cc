#include "executions/echo.h"

#include <algorithm>

namespace fixpoint::executions {
namespace {

constexpr std::string_view mark = "execution/";
constexpr std::size_t id_length = 36;

bool is_id(std::string_view text) {
  return text.size() == id_length && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

}  // namespace

std::string execution_in(const json::Value& event) {
  const std::string_view agent = event["detail"]["userAgent"].string_or("");
  if (agent.find("fixpoint") == std::string_view::npos) return {};
  // S3 records it in brackets: "[fixpoint execution/...]".
  const auto at = agent.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view id = agent.substr(at + mark.size(), id_length);
  const std::string_view rest = agent.substr(std::min(agent.size(), at + mark.size() + id_length));
  if (!is_id(id) || (!rest.empty() && rest.front() != ' ' && rest.front() != ']')) return {};
  return std::string(id);
}

}  // namespace fixpoint::executions
