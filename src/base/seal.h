#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fixpoint {

/// A text that only who has the key can read or make: AES-256-GCM (NIST SP 800-38D) with a random nonce, as base64. The
/// key is made of `key` by SHA-256; it has to come from a generator or a key derivation, not from a person. `about` is
/// bound to it and not part of it: what was sealed about one thing opens about no other.
std::string seal(std::string_view key, std::string_view text, std::string_view about);
/// Nothing where it was not sealed with that key about that thing, or was changed since.
std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view about);

}  // namespace fixpoint
