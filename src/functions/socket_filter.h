#pragma once

#include <linux/filter.h>
#include <span>

namespace fixpoint::functions {

/// A seccomp program that keeps a process, and all that it starts, to the kinds of sockets that a network namespace
/// holds: unix, IPv4, IPv6 and netlink; other families (vsock reaches the machine's host) answer EAFNOSUPPORT, and
/// io_uring, which makes sockets past such a program, ENOSYS, as do system calls of another architecture, and those
/// that make memory which no process need have mapped, so that nobody would see whose it is (memfd_create,
/// memfd_secret, shmget). Empty where we know no numbers for this machine.
/// https://man7.org/linux/man-pages/man2/seccomp.2.html
std::span<const sock_filter> socket_filter();

}  // namespace fixpoint::functions
