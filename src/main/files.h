#pragma once

#include <string>

#include "base/error.h"

namespace fixpoint::main {

/// What is in a file, or on standard input for "-". Error: ValidationException for one that cannot be read to its end,
/// a folder among them.
Result<std::string> read_file(const std::string& path);

/// The same error for a file that is read in pieces, before it is opened.
Result<void> check_readable(const std::string& path);

}  // namespace fixpoint::main
