#include "base/shell.h"

#include "base/text.h"

namespace fixpoint {

std::string shell_quoted(std::string_view text) {
  return "'" + replace_all(std::string(text), "'", "'\\''") + "'";
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view bare =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+:,./-";  // no "=", which may assign
  const bool is_bare = !text.empty() && text.find_first_not_of(bare) == std::string_view::npos;
  return is_bare ? std::string(text) : shell_quoted(text);
}

}  // namespace fixpoint
