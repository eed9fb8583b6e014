#pragma once

#include <iosfwd>
#include <memory>

namespace fixpoint::main {

/// While it lives, what is written to the stream comes out without control characters: a finding's title is a
/// stranger's words, and is not to move the cursor, colour the screen or answer for the terminal. Line ends and tabs
/// stay; every other control character becomes a question mark. JSON has none of them, since it escapes them.
class Harmless {
 public:
  explicit Harmless(std::ostream& stream);
  ~Harmless();
  Harmless(const Harmless&) = delete;
  Harmless& operator=(const Harmless&) = delete;

 private:
  class Buffer;
  std::ostream& stream_;
  std::unique_ptr<Buffer> buffer_;
};

}  // namespace fixpoint::main
