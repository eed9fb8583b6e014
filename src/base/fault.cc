#include "base/fault.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"

namespace fixpoint {
namespace {

struct Fault {
  std::string name;
  std::int64_t hit = 1;
};

Fault from_environment() {
  const char* text = std::getenv("FIXPOINT_FAULT");
  if (text == nullptr) return {};
  const std::string_view whole(text);
  const auto colon = whole.rfind(':');
  if (colon == std::string_view::npos) return {std::string(whole), 1};
  return {std::string(whole.substr(0, colon)), to_int64(whole.substr(colon + 1)).value_or(1)};
}

}  // namespace

void fault_point(const char* name) noexcept {
  static const Fault fault = from_environment();
  if (fault.name.empty() || fault.name != name) return;
  static std::atomic<std::int64_t> hits{0};
  if (++hits == fault.hit) std::raise(SIGKILL);
}

}  // namespace fixpoint
