#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "aws/api.h"
#include "base/error.h"

namespace fixpoint::gateway {

/// A whole fixpoint in this process: store, services, executor, embedded account or client of the real one, HTTP front.
class App {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::string data_folder;     ///< made where it is missing
    std::string database;        ///< a PostgreSQL's connection string, for a store there instead of in the folder
    std::string models_folder;   ///< botocore-form models laid over the pack; may be empty
    std::string catalog_folder;  ///< laid over the catalog in the binary; may be empty
    std::string account{};  ///< empty: the first key's, 111111111111 in a new folder, or whose the real credentials are
    std::string region = "us-east-1";
    bool real_account = false;     ///< AWS itself instead of the embedded account
    std::string account_endpoint;  ///< with real_account: another endpoint than AWS's own; may be empty
    std::string member_role;       ///< with real_account: the role to assume in other accounts; empty: none is entered
    std::string external_id;       ///< what those roles want to hear, see sts:AssumeRole; may be empty
    bool private_endpoints = false;  ///< notifications may go to HTTP endpoints at addresses that are not public
    /// What stands between the door and the account, where something is to be measured or to fail there; may be empty.
    std::function<std::unique_ptr<aws::Api>(aws::Api& account)> around_account;
    unsigned io_threads = 2;
    unsigned workers = 4;
    /// Threads that run steps. A step waits for the account and for commits, not for the processor, and those that wait
    /// together are committed together: hence many.
    unsigned executors = 32;
  };

  /// Listens when it returns. Errors: those of the parts, each with a sentence; nothing is left running.
  static Result<std::unique_ptr<App>> start(const Options& options);
  virtual ~App() = default;

  virtual std::uint16_t port() const = 0;
  /// Where clients reach it: http://127.0.0.1:PORT; an IPv6 address stands in brackets (RFC 3986 section 3.2.2).
  virtual std::string endpoint() const = 0;
  virtual const std::string& account() const = 0;
  /// A sentence on what holds a function's handler on this machine.
  virtual std::string isolation() const = 0;
  /// Stops listening, lets steps under way come to their commit, closes the store. Again: does nothing.
  virtual void stop() = 0;
};

}  // namespace fixpoint::gateway
