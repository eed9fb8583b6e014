#include "http/body_budget.h"

namespace fixpoint::http {

bool BodyBudget::take(std::size_t bytes) {
  std::size_t before = taken_bytes_.load();
  do {
    if (bytes > limit_bytes_ - std::min(limit_bytes_, before)) return false;
  } while (!taken_bytes_.compare_exchange_weak(before, before + bytes));
  return true;
}

bool BodyShare::grow_to(std::size_t bytes) {
  if (!budget_ || bytes <= BodyBudget::small_bytes || bytes <= taken_bytes_) return true;
  if (!budget_->take(bytes - taken_bytes_)) return false;
  taken_bytes_ = bytes;
  return true;
}

bool BodyShare::could_grow_to(std::size_t bytes) const {
  return !budget_ || bytes <= BodyBudget::small_bytes || bytes <= taken_bytes_ || budget_->has(bytes - taken_bytes_);
}

void BodyShare::release() {
  if (budget_) budget_->give_back(std::exchange(taken_bytes_, 0));
}

}  // namespace fixpoint::http
