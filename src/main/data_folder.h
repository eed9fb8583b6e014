#pragma once

#include <string>

#include "base/error.h"
#include "identity/key_file.h"

namespace fixpoint::main {

/// What is said of a folder in which no server has been.
Error no_server_ran(const std::string& folder);

/// The keys of a server's data folder. Errors: ValidationException where others may write in the folder, where there
/// are none, and where they cannot be read.
Result<identity::KeyFile> keys_in(const std::string& folder);

}  // namespace fixpoint::main
