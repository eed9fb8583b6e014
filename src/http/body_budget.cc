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
  if (!budget_ || bytes <= BodyBudget::small_bytes) return true;
  const std::size_t taken = taken_bytes_;
  if (bytes <= taken) return true;
  if (!budget_->take(bytes - taken)) return false;
  taken_bytes_ += bytes - taken;
  return true;
}

bool BodyShare::could_grow_to(std::size_t bytes) const {
  const std::size_t taken = taken_bytes_;
  return !budget_ || bytes <= BodyBudget::small_bytes || bytes <= taken || budget_->has(bytes - taken);
}

bool BodyShare::set_to(std::size_t bytes) {
  const std::size_t wanted = bytes <= BodyBudget::small_bytes ? 0 : bytes;
  std::size_t taken = taken_bytes_;
  if (wanted > taken) return grow_to(wanted);
  while (wanted < taken)
    if (taken_bytes_.compare_exchange_weak(taken, wanted)) {
      budget_->give_back(taken - wanted);
      break;
    }
  return true;
}

void BodyShare::release() {
  if (taken_bytes_ != 0) budget_->give_back(taken_bytes_.exchange(0));
}

}  // namespace fixpoint::http
