#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "functions/folder.h"
#include "functions/memory.h"
#include "functions/network.h"
#include "functions/process.h"
#include "functions/relay.h"
#include "functions/runtime.h"

namespace fixpoint::functions {

/// Starts the Python processes in the strongest hold that this machine allows, found out by trying. Used by one thread.
class Sandbox {
 public:
  /// Tries the holds from the strongest on, each with a Python that does next to nothing. Error: ServiceException where
  /// not even a plain process runs: the interpreter's own words are in it; retryable where the system lacked something
  /// that it may have later, time among it, and no weaker hold was looked for.
  static Result<std::unique_ptr<Sandbox>> find(const RuntimeOptions& options);
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// Says what holds a handler, and what does not.
  const std::string& sentence() const { return sentence_; }

  struct Started {
    Folder folder;  ///< of ours; goes after the process; may be none
    Process process;
    std::string task_root;            ///< where the bootstrap unpacks the code, as the process sees it
    std::string runtime_dir;          ///< where the bootstrap lies, as the process sees it
    std::string gateway_url;          ///< where the process reaches Request::gateway_url; empty where that is
    std::unique_ptr<Relay> relay;     ///< the way out of its network, to be kept as long as it; may be null
    bool status_has_signals = false;  ///< an exit status above 128 is 128 and the signal that ended the handler
  };
  struct Request {
    std::size_t slot = 0;            ///< which of the processes: each has a user of its own where we can give it one
    std::uint16_t runtime_port = 0;  ///< of the runtime interface, on loopback
    std::string runtime_secret;      ///< the first part of its paths
    std::string gateway_url;         ///< the one address outside that the process is to reach; empty for none
    int memory_mb = 128;
    int ephemeral_storage_mb = 512;
    int timeout_s = 3;
  };
  Result<Started> start(const Request& request);

 private:
  enum class Hold { BubblewrapAsOtherUser, Bubblewrap, OtherUser, Plain };
  Sandbox(const RuntimeOptions& options, Hold hold, bool own_network, bool no_more_namespaces);
  std::string describe(const std::string& bubblewrap_refused, const std::string& network_refused) const;
  Result<Launch> launch(const Request& request, std::vector<std::string> python, Started& started);
  Result<void> connect(const Request& request, Launch& launch, Started& started);
  bool in_bubblewrap() const { return hold_ == Hold::BubblewrapAsOtherUser || hold_ == Hold::Bubblewrap; }
  bool as_other_user() const { return hold_ == Hold::BubblewrapAsOtherUser || hold_ == Hold::OtherUser; }
  Result<void> try_out();
  Result<void> probe(std::int64_t processes);

  RuntimeOptions options_;
  Hold hold_;
  bool own_network_;
  bool no_more_namespaces_;  // within bubblewrap: a namespace of their own would give handlers mounts without a size
  SharedMemorySight sight_ = SharedMemorySight::Whole;
  std::string sentence_;
  Folder runtime_folder_;  // of the two Python files, where there is no bubblewrap to show them
};

}  // namespace fixpoint::functions
