#pragma once

#include <cerrno>
#include <csignal>
#include <pthread.h>
#include <unistd.h>

namespace fixpoint::functions {

// For this room alone.

/// fork(), the child running `child`, which does not return, with every signal blocked: no signal handler of the
/// program may run in it. The parent gets what fork() gave, with errno as fork() left it.
template <class Child>
pid_t fork_quietly(const Child& child) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) child();
  const int fork_code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = fork_code;
  return pid;
}

}  // namespace fixpoint::functions
