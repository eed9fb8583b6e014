#pragma once

#include <string>

#include "base/error.h"

namespace fixpoint::store {

/// Files of the data folder beside the database that only fixpoint's own user may read: keys, mostly.
///
/// Errors: ResourceNotFoundException where there is none, ValidationException where others may read it (any bit of
/// 077).
Result<std::string> read_private_file(const std::string& path);

/// Mode 0600. Written beside, synced and renamed, so that a crash leaves the old file or the new one, and no reader
/// sees half of it. Error: ValidationException.
Result<void> write_private_file(const std::string& path, const std::string& text);

}  // namespace fixpoint::store
