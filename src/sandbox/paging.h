#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace fixpoint::sandbox {

/// The token that leads on after the item of this id: opaque to the caller.
std::string page_token(std::string_view last_id);
/// The id in a token that page_token made; nothing (an error with `code`) for any other text. "" gives "".
Result<std::string> page_position(std::string_view token, std::string_view code, std::string_view message);

}  // namespace fixpoint::sandbox
