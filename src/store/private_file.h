#pragma once

#include <string>

#include "base/error.h"

namespace fixpoint::store {

/// The data folder: made with mode 0700 where it is missing. One that is there keeps its mode, for it may be anybody's;
/// it is refused where others may write in it (any bit of 022), since they could put another database or other keys in
/// place of fixpoint's, whatever the modes of the files. Error: StoreError.
Result<void> make_private_folder(const std::string& folder);
/// The second half of that, for who only reads there. Error: ValidationException.
Result<void> check_private_folder(const std::string& folder);

/// Makes an empty file of mode 0600 where there is none, and takes the rights of others from one that is there: what
/// makes a file by itself (SQLite, with 0644) finds it. Error: StoreError.
Result<void> make_private_file(const std::string& path);

/// Files of the data folder beside the database that only fixpoint's own user may read: keys, mostly.
///
/// Errors: ResourceNotFoundException where there is none, ValidationException where others may read it (any bit of
/// 077).
Result<std::string> read_private_file(const std::string& path);

/// The same of a file that holds no secret but is believed: ValidationException where others may write it (any bit of
/// 022).
Result<std::string> read_own_file(const std::string& path);

/// Mode 0600. Written beside, synced and renamed, so that a crash leaves the old file or the new one, and no reader
/// sees half of it. Error: ValidationException.
Result<void> write_private_file(const std::string& path, const std::string& text);

}  // namespace fixpoint::store
