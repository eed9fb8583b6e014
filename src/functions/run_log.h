#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fixpoint::functions {

/// The log of one run: its first bytes up to a limit, and its last 4 KB whatever its length.
class RunLog {
 public:
  static constexpr std::size_t tail_bytes =
      4096;  // https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, LogType

  explicit RunLog(std::size_t limit_bytes = 0) : limit_bytes_(limit_bytes) {}
  void append(std::string_view bytes);
  /// At most 4 KB and valid UTF-8: bytes that are none, and a character that the cut went through, are replaced.
  std::string tail() const;
  /// Valid UTF-8, with a line that says how much was left out, and the tail, where it was longer than the limit.
  std::string text() const;

 private:
  std::size_t limit_bytes_;
  std::size_t total_ = 0;
  std::string head_;
  std::string tail_;
};

/// The text with every byte that is no part of valid UTF-8 replaced by U+FFFD.
std::string make_utf8(std::string_view bytes);

}  // namespace fixpoint::functions
