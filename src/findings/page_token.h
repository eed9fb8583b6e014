#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "findings/search.h"

namespace fixpoint::findings {

/// The NextToken of a page: where it ended, sealed with HMAC-SHA-256 under a key of the server's and bound to what was
/// asked, so that a token that was changed, or is given with other filters, is none. URL-safe.
std::string seal_token(std::string_view key, std::string_view asked, const Position& position);
/// Nothing where it is no token that seal_token gave for that key and question.
std::optional<Position> open_token(std::string_view key, std::string_view asked, std::string_view token);

}  // namespace fixpoint::findings
