#pragma once

#include <cstdint>
#include <sys/types.h>

namespace fixpoint::functions {

/// The memory that a process and all that descend from it hold now, in KiB: what is anonymous or shared memory and not
/// what files could give back. What several of them share counts once where the system tells it (Pss_Anon and Pss_Shmem
/// of smaps_rollup), which is asked only where their plain sum (RssAnon and RssShmem of status) is above `enough_kb`:
/// that sum is cheap, and never smaller. 0 where the process is gone. A descendant that left its tree, as it can
/// outside of a PID namespace, is not seen, nor are pages of shared memory that were unmapped one by one
/// (MADV_DONTNEED). https://www.kernel.org/doc/html/latest/filesystems/proc.html
std::int64_t memory_of_tree_kb(pid_t root, std::int64_t enough_kb);

}  // namespace fixpoint::functions
