#include "functions/socket_filter.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace fixpoint::functions {
namespace {

constexpr __u32 answer(int code) {
  return SECCOMP_RET_ERRNO | (static_cast<__u32>(code) & SECCOMP_RET_DATA);
}
constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offset));
}
constexpr sock_filter give(__u32 result) {
  return BPF_STMT(BPF_RET | BPF_K, result);
}
// Goes on `yes` steps further where the loaded word is `value`, else `no`.
constexpr sock_filter is(__u32 value, __u8 yes, __u8 no) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

#if defined(__x86_64__)
constexpr __u32 architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr __u32 architecture = AUDIT_ARCH_AARCH64;
#endif
constexpr __u32 x32_bit = 0x40000000;  // numbers from here on are x32's, where they are anything

}  // namespace

std::span<const sock_filter> socket_filter() {
#if defined(__x86_64__) || defined(__aarch64__)
  static constexpr std::array program{
      load(offsetof(seccomp_data, arch)),
      is(architecture, 1, 0),
      give(answer(ENOSYS)),
      load(offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 13, 0),
      is(SYS_io_uring_setup, 12, 0),
      is(SYS_memfd_create, 11, 0),
      is(SYS_memfd_secret, 10, 0),
      is(SYS_shmget, 9, 0),
      is(SYS_socket, 2, 0),
      is(SYS_socketpair, 1, 0),
      give(SECCOMP_RET_ALLOW),
      load(offsetof(seccomp_data, args[0])),
      is(AF_UNIX, 3, 0),
      is(AF_INET, 2, 0),
      is(AF_INET6, 1, 0),
      is(AF_NETLINK, 0, 2),
      give(SECCOMP_RET_ALLOW),
      give(answer(ENOSYS)),
      give(answer(EAFNOSUPPORT)),
  };
  return program;
#else
  return {};
#endif
}

}  // namespace fixpoint::functions
