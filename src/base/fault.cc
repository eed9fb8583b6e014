#include "base/fault.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

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

const Fault& fault() noexcept {
  static const Fault from = from_environment();
  return from;
}

const std::int64_t* map_offset() {
  const char* path = std::getenv("FIXPOINT_CLOCK");
  if (path == nullptr) return nullptr;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* bytes = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return bytes == MAP_FAILED ? nullptr : static_cast<const std::int64_t*>(bytes);
}

}  // namespace

void fault_point(const char* name) noexcept {
  if (fault().name.empty() || fault().name != name) return;
  static std::atomic<std::int64_t> hits{0};
  if (++hits == fault().hit) std::raise(SIGKILL);
}

bool is_fault_test() noexcept {
  return !fault().name.empty();
}

std::int64_t clock_offset_ms() noexcept {
  static const std::int64_t* const offset = map_offset();
  return offset == nullptr ? 0 : __atomic_load_n(offset, __ATOMIC_RELAXED);
}

}  // namespace fixpoint
