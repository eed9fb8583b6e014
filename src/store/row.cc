#include "store/store.h"

namespace fixpoint::store {

std::int64_t Row::integer(std::size_t column) const {
  if (const auto* i = std::get_if<std::int64_t>(&cells_[column])) return *i;
  if (const auto* d = std::get_if<double>(&cells_[column])) return static_cast<std::int64_t>(*d);
  return 0;
}
double Row::real(std::size_t column) const {
  if (const auto* d = std::get_if<double>(&cells_[column])) return *d;
  return static_cast<double>(integer(column));
}
const std::string& Row::text(std::size_t column) const {
  static const std::string empty;
  const auto* s = std::get_if<std::string>(&cells_[column]);
  return s != nullptr ? *s : empty;
}
std::string Row::take(std::size_t column) {
  auto* s = std::get_if<std::string>(&cells_[column]);
  return s != nullptr ? std::move(*s) : std::string();
}

}  // namespace fixpoint::store
