#include "patterns/wildcard.h"

namespace fixpoint::patterns {

bool parse_wildcard(std::string_view text, Wildcard& result, std::string& reason, std::size_t& position) {
  result.assign(1, {});
  for (std::size_t i = 0; i < text.size(); ++i) {
    position = i;
    if (text[i] == '*') {
      if (i + 1 < text.size() && text[i + 1] == '*') {
        // EventBridge counts from the quote before the text.
        reason = "Consecutive wildcard characters at pos " + std::to_string(i + 1);
        return false;
      }
      result.emplace_back();
    } else if (text[i] == '\\') {
      if (i + 1 == text.size() || (text[i + 1] != '*' && text[i + 1] != '\\')) {
        reason = "Invalid escape character at pos " + std::to_string(i + 1);
        return false;
      }
      result.back().push_back(text[++i]);
    } else {
      result.back().push_back(text[i]);
    }
  }
  return true;
}

}  // namespace fixpoint::patterns
