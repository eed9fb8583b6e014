// The reader of a zip's directory on any bytes: it must not fall nor read beyond, and what it takes must be within its
// limits.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "functions/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto summary = fixpoint::functions::check_zip(bytes, {.entries = 100, .unpacked_bytes = 100'000});
  if (summary && (summary->entries < 1 || summary->entries > 100 || summary->unpacked_bytes > 100'000)) std::abort();
  return 0;
}
