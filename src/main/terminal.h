#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "json/value.h"

namespace fixpoint::main {

/// While it lives, what is written to the stream comes out as UTF-8 without control characters: a finding's title is a
/// stranger's words, and is not to move the cursor, colour the screen, answer for the terminal or turn the reading
/// order. Line ends and tabs stay; every other control character (U+0000 to U+001F, U+007F to U+009F), every override,
/// embedding and isolate of the reading order (U+202A to U+202E, U+2066 to U+2069) and every byte that is no UTF-8
/// becomes a question mark. A character may come in pieces; its first bytes wait for the others.
class Harmless {
 public:
  explicit Harmless(std::ostream& stream);
  ~Harmless();
  /// Writes out what there is. The errno of the first write that failed since it was made; 0 where all is written.
  int finish();
  Harmless(const Harmless&) = delete;
  Harmless& operator=(const Harmless&) = delete;

 private:
  class Buffer;
  std::ostream& stream_;
  std::unique_ptr<Buffer> buffer_;
};

/// Whether the text comes out of such a stream as it is, and as one line.
bool prints_as_one_line(std::string_view text);

/// JSON in which each of those characters is escaped as \uXXXX, so that the value comes through whole.
std::string print_escaped(const json::Value& value);
std::string print_pretty_escaped(const json::Value& value);

}  // namespace fixpoint::main
