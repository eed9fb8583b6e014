#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "functions/process.h"

namespace fixpoint::functions {

/// A network of its own for one process: a loopback interface that is up, and nothing else. What the process may reach
/// outside are the listeners that were made within it before it started, and that somebody outside accepts from
/// (relay.h): a socket belongs to the network in which it was made, whoever holds it.
/// https://man7.org/linux/man-pages/man7/network_namespaces.7.html
///
/// It lasts as long as this object, a listener or a process in it.
class Network {
 public:
  /// With a listener on 127.0.0.1 for each port. Error: ServiceException with the system's reason; many machines let
  /// only root do this, and some containers not even that.
  static Result<Network> make(const std::vector<std::uint16_t>& ports);

  /// What a child enters it by: Launch::network and Launch::user_namespace. The second is -1 where it is not needed.
  int network() const { return network_.get(); }
  int user_namespace() const { return user_namespace_.get(); }
  /// In the order of the ports. Once.
  std::vector<Fd> take_listeners() { return std::move(listeners_); }

 private:
  Network() = default;
  Fd network_;
  Fd user_namespace_;
  std::vector<Fd> listeners_;
};

}  // namespace fixpoint::functions
