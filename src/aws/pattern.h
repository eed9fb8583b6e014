#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace fixpoint::aws {

/// A regular expression of a model, compiled when it is first asked for. Thread-safe.
///
/// The models' patterns are Java's. What RE2 cannot compile (look-around, back-references, repetitions beyond its
/// limit) counts as matching everything: a text that AWS would refuse may pass, none that AWS takes is refused.
class LazyPattern {
 public:
  explicit LazyPattern(std::string_view text) : text_(text) {}
  ~LazyPattern();
  LazyPattern(const LazyPattern&) = delete;
  LazyPattern& operator=(const LazyPattern&) = delete;

  /// As the model writes it; points into the model.
  std::string_view text() const { return text_; }
  /// Whether the whole of `subject` matches, as AWS's services test it.
  bool matches(std::string_view subject) const;

 private:
  const re2::RE2* compiled() const;

  std::string_view text_;
  mutable std::atomic<const re2::RE2*> compiled_ = nullptr;
};

}  // namespace fixpoint::aws
