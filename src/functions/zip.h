#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace fixpoint::functions {

struct ZipLimits {
  std::int64_t entries = 50'000;
  std::int64_t unpacked_bytes = 262'144'000;  ///< Lambda's 250 MB
};

struct ZipSummary {
  std::int64_t entries = 0;
  std::int64_t unpacked_bytes = 0;  ///< as the directory states it; what unpacks it counts again
};

/// Reads the central directory of a zip file (APPNOTE.TXT sections 4.3.12 and 4.3.16) and unpacks nothing: unpacking is
/// done by the function's own process. Refuses what is no zip, what is cut off, encrypted or zip64, compressions other
/// than stored and deflated, symbolic links, and names that lead out of the folder (absolute, "..", backslash, NUL).
/// Errors: InvalidParameterValueException, in Lambda's words where it has them.
Result<ZipSummary> check_zip(std::string_view bytes, const ZipLimits& limits = {});

}  // namespace fixpoint::functions
