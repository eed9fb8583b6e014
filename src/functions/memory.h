#pragma once

#include <cstdint>
#include <sys/types.h>

namespace fixpoint::functions {

/// The memory that a process and all that descend from it hold now, in KiB: what is anonymous or shared memory, on swap
/// too, and not what files could give back.
///
/// Shared memory that belongs to no file counts once for each piece of it that is mapped, and with all that it holds,
/// whether or not a process has it in its page tables (MADV_DONTNEED takes it out there and frees nothing). What that
/// is the system tells by map_files, to who has CAP_CHECKPOINT_RESTORE: to others it counts as far as it is mapped,
/// filled or not, and what was unmapped of a piece that is mapped elsewhere is not seen. See SharedMemorySight.
///
/// What several processes share of the rest counts once where the system tells it (Pss_Anon, Pss_Shmem and SwapPss of
/// smaps_rollup), which is asked only where the plain sum (RssAnon, RssShmem and VmSwap of status) is above
/// `enough_kb`: that sum is cheap, and never smaller. More than `enough_kb` where there are more mappings than a look
/// can see.
///
/// 0 where the process is gone. Not seen: a descendant that left its tree, as it can outside of a PID namespace, and
/// what the system holds for a process (what is in its pipes and sockets, page tables).
/// https://www.kernel.org/doc/html/latest/filesystems/proc.html
std::int64_t memory_of_tree_kb(pid_t root, std::int64_t enough_kb);

/// How much of the shared memory of a process is seen from here.
enum class SharedMemorySight {
  Whole,     ///< all that it holds
  Mapped,    ///< as far as it is mapped
  Resident,  ///< as far as it is in page tables: the process is another user's, and CAP_SYS_PTRACE is wanting
};
SharedMemorySight shared_memory_sight(pid_t process);

}  // namespace fixpoint::functions
