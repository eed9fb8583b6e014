#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace fixpoint::jsonata {

/// A regular expression as JavaScript writes it, run by RE2: in time that grows with the text, whatever the pattern.
/// Immutable and safe to use from several threads.
class Pattern {
 public:
  struct Match {
    std::size_t start = 0;  ///< bytes
    std::size_t end = 0;
    std::vector<std::optional<std::string_view>> groups;
  };

  /// `source` is what stands between the slashes. Throws Failure S0303 where it is not valid, or wants look-around or a
  /// back-reference, at `place`.
  Pattern(std::string_view source, bool ignore_case, bool multi_line, std::size_t place);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  /// The first match that starts at `from` or later.
  std::optional<Match> find(std::string_view text, std::size_t from) const;
  /// Whether there is a match at all: cheaper than finding it.
  bool matches(std::string_view text) const;
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace fixpoint::jsonata
