#pragma once

#include <string>
#include <string_view>

namespace fixpoint {

/// In single quotes, as a POSIX shell takes them: whatever stands in the text is one word, and nothing of it acts.
std::string shell_quoted(std::string_view text);
/// The same, but bare where no shell would take the text for anything else than itself.
std::string shell_word(std::string_view text);

}  // namespace fixpoint
