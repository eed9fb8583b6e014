#pragma once

#include <cstdint>

namespace fixpoint::bench {

/// How often this process had the system write a file to the disk. Who links this counts what the database does, not
/// what it says: its library's fsync and fdatasync are counted on their way.
std::uint64_t syncs();

}  // namespace fixpoint::bench
