#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::patterns {

/// The literal pieces between the stars of a wildcard, in order, unescaped: "a*b" is {"a", "b"}, "*" is {"", ""}, "abc"
/// is
/// {"abc"}. A value matches where it starts with the first, ends with the last and holds the others between, in order.
using Wildcard = std::vector<std::string>;

/// Refuses two stars side by side and a backslash before anything but a star or a backslash. `reason` then says so in
/// EventBridge's words, `position` is the offset of the fault.
bool parse_wildcard(std::string_view text, Wildcard& result, std::string& reason, std::size_t& position);

/// Time: at most proportional to the length of `value` plus that of all pieces, whatever the number of stars. A piece
/// is taken where it is first found: another place could only leave less for those after it.
template <class Piece>
bool matches_wildcard(std::string_view value, const Piece* pieces, std::size_t count) {
  const std::string_view first(pieces[0]);
  if (count == 1) return value == first;
  const std::string_view last(pieces[count - 1]);
  if (value.size() < first.size() + last.size() || !value.starts_with(first) || !value.ends_with(last)) return false;
  std::size_t at = first.size();
  const std::size_t end = value.size() - last.size();
  for (std::size_t i = 1; i + 1 < count; ++i) {
    const std::string_view piece(pieces[i]);
    if (end - at < piece.size()) return false;
    // glibc's memmem is the two-way search: linear however the needle repeats itself.
    const void* found = memmem(value.data() + at, end - at, piece.data(), piece.size());
    if (found == nullptr) return false;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - value.data()) + piece.size();
  }
  return true;
}

}  // namespace fixpoint::patterns
