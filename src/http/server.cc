#include "http/server.h"

#include <chrono>
#include <mutex>
#include <vector>

#include "http/listener.h"
#include "http/loop.h"

namespace fixpoint::http {
namespace {

class LoopServer final : public Server {
 public:
  LoopServer(ServerOptions options, Handler handler, std::unique_ptr<TlsContext> tls, ListeningSocket socket)
      : socket_(std::move(socket)), port_(socket_.port()) {
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
    shared_.tls = std::move(tls);
    shared_.bodies = std::make_shared<BodyBudget>(shared_.options.bodies_limit_bytes);
    shared_.answers = std::make_shared<BodyBudget>(shared_.options.answers_limit_bytes);
    for (unsigned number = 0; number < shared_.options.threads; ++number)
      loops_.push_back(std::make_unique<Loop>(shared_));
    acceptor_ = std::make_shared<Acceptor>(socket_, loops_, shared_);
    acceptor_->start();
    for (unsigned number = 0; number < loops_.size(); ++number) loops_[number]->start(number);
  }

  ~LoopServer() override { stop(); }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return shared_.open.load(); }

  void stop() override {
    const std::lock_guard lock(stopping_);
    if (stopped_) return;
    stopped_ = true;
    acceptor_->close();
    socket_.remove_file();
    for (const auto& loop : loops_) loop->wind_down();
    {
      std::unique_lock waiting(shared_.mutex);
      shared_.all_closed.wait_for(waiting, std::chrono::milliseconds(shared_.options.stop_timeout_ms),
                                  [&] { return shared_.open == 0; });
    }
    for (const auto& loop : loops_) loop->finish();
    // Its descriptors belong to a loop's context, and so must go before it.
    acceptor_.reset();
    loops_.clear();
  }

 private:
  Shared shared_;
  ListeningSocket socket_;
  const std::uint16_t port_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::shared_ptr<Acceptor> acceptor_;
  std::mutex stopping_;
  bool stopped_ = false;
};

Result<void> check(const ServerOptions& options) {
  const auto refuse = [](const char* name, const char* sentence) { return fail(errors::validation(sentence, name)); };
  if (options.threads == 0 || options.threads > 256)
    return refuse("threads", "The HTTP server needs between 1 and 256 I/O threads.");
  if (options.header_limit_bytes < 256 || options.header_limit_bytes > 16 * 1024 * 1024)
    return refuse("header_limit_bytes", "header_limit_bytes must lie between 256 bytes and 16 MiB.");
  if (options.bodies_limit_bytes / 2 < options.body_limit_bytes)
    return refuse("bodies_limit_bytes",
                  "bodies_limit_bytes must be twice body_limit_bytes or more: a body is doubled as it grows.");
  if (options.connection_limit == 0) return refuse("connection_limit", "connection_limit must be 1 or more.");
  if (options.idle_timeout_ms <= 0) return refuse("idle_timeout_ms", "idle_timeout_ms must be 1 or more.");
  if (options.request_timeout_ms <= 0) return refuse("request_timeout_ms", "request_timeout_ms must be 1 or more.");
  if (options.stop_timeout_ms < 0) return refuse("stop_timeout_ms", "stop_timeout_ms must not be negative.");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    return refuse(options.tls_key_file.empty() ? "tls_key_file" : "tls_certificate_file",
                  "TLS needs both a certificate file and a key file; only one is given.");
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  FIXPOINT_CHECK(check(options));
  if (!handler) return fail(errors::validation("The HTTP server has no handler."));
  std::unique_ptr<TlsContext> tls;
  if (!options.tls_certificate_file.empty()) {
    FIXPOINT_TRY(loaded, load_tls_context(options.tls_certificate_file, options.tls_key_file));
    tls = std::move(loaded);
  }
  FIXPOINT_TRY(socket, listen_as(options));
  return std::make_unique<LoopServer>(std::move(options), std::move(handler), std::move(tls), std::move(socket));
}

}  // namespace fixpoint::http
