#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "functions/process.h"

namespace fixpoint::functions {

/// Carries the bytes of connections from listeners in another network (network.h) to addresses that this process
/// reaches: the only way out of that network. Knows nothing of what it carries.
class Relay {
 public:
  struct Way {
    Fd listener;
    std::string address;  ///< an IPv4 or IPv6 address, where it leads to
    std::uint16_t port = 0;
    /// At once. The next takes the place of the one that the other end has closed, or that waits longest for its next
    /// use (what moved last on it, if anything, was an answer, and that is `quiet_for` ago); where there is none it
    /// waits in the listener.
    std::size_t connections = 64;
    /// An answer comes in pieces, and between two of them a connection looks as it does between two uses.
    std::chrono::milliseconds quiet_for{100};
  };

  /// Runs on a thread of its own until it is destroyed, which cuts what is open. Errors: ValidationException for what
  /// is no address; ServiceException where the system gives no thread or descriptor.
  static Result<std::unique_ptr<Relay>> start(std::vector<Way> ways);
  virtual ~Relay() = default;
  /// How often it has looked for something to do.
  virtual std::uint64_t rounds() const = 0;
};

}  // namespace fixpoint::functions
