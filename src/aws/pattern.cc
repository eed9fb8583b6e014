#include "aws/pattern.h"

#include <memory>
#include <re2/re2.h>

namespace fixpoint::aws {

LazyPattern::~LazyPattern() {
  delete compiled_.load();
}

const re2::RE2* LazyPattern::compiled() const {
  if (const re2::RE2* known = compiled_.load(std::memory_order_acquire)) return known;
  re2::RE2::Options options;
  options.set_log_errors(false);
  // Multi-line descriptions pass `.*\S.*` in Security Hub, so the dot takes line ends as well.
  options.set_dot_nl(true);
  // Thousands of patterns may be in use at a time; a small budget for the automaton costs speed, never the answer.
  options.set_max_mem(256L * 1024);
  auto fresh = std::make_unique<const re2::RE2>(re2::StringPiece(text_.data(), text_.size()), options);
  const re2::RE2* expected = nullptr;
  if (compiled_.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
  return expected;
}

bool LazyPattern::matches(std::string_view subject) const {
  const re2::RE2* pattern = compiled();
  if (!pattern->ok()) return true;
  return re2::RE2::FullMatch(re2::StringPiece(subject.data(), subject.size()), *pattern);
}

}  // namespace fixpoint::aws
