#include "http/loop.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <unistd.h>

#include "http/connection.h"

namespace fixpoint::http {

thread_local const Mailbox* Mailbox::current = nullptr;

void Shared::one_closed() {
  if (open.fetch_sub(1) != 1) return;
  // Under the mutex, so that a waiter is either not yet looking or already waiting.
  const std::lock_guard lock(mutex);
  all_closed.notify_all();
}

void Mailbox::put(Mail mail) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return;
  const bool first = mails_.empty();
  mails_.push_back(std::move(mail));
  // Posted under the lock: the loop cannot go away in between.
  if (first) boost::asio::post(loop_->context(), [loop = loop_] { loop->deliver_mails(); });
}

std::vector<Mail> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(mails_, {});
}

void Mailbox::close() {
  std::vector<Mail> dropped;
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
  dropped.swap(mails_);
}

Loop::Loop(Shared& shared)
    : shared_(shared), mailbox_(std::make_shared<Mailbox>(*this)), context_(1), work_(context_.get_executor()) {}

Loop::~Loop() {
  finish();
}

void Loop::start(unsigned number) {
  // Signals are for the program's own threads; SIGPIPE in particular must not come of OpenSSL's writes.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this, number] { run(number); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::run(unsigned number) {
  pthread_setname_np(pthread_self(), ("http-" + std::to_string(number)).c_str());
  mailbox_->enter();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      // Only memory running out comes this far; the connection that it struck is left to its deadline.
      shared_.fault(std::string("An I/O thread of the HTTP server goes on after: ") + error.what());
    }
  }
}

void Loop::adopt(int socket, std::string peer) {
  boost::asio::dispatch(context_, [this, socket, peer = std::move(peer)]() mutable {
    auto transport = shared_.tls ? shared_.tls->make_transport(socket) : make_plain_transport(socket);
    if (winding_down_ || !transport) {
      ::close(socket);
      shared_.one_closed();
      return;
    }
    auto connection = std::make_shared<Connection>(*this, socket, std::move(transport), std::move(peer));
    connections_.emplace(connection.get(), connection);
    connection->start();
  });
}

void Loop::wind_down() {
  boost::asio::post(context_, [this] {
    winding_down_ = true;
    std::vector<std::shared_ptr<Connection>> all;
    all.reserve(connections_.size());
    for (const auto& [key, connection] : connections_) all.push_back(connection);
    for (const auto& connection : all) connection->wind_down();
  });
}

void Loop::finish() {
  if (!thread_.joinable()) return;
  boost::asio::post(context_, [this] {
    winding_down_ = true;
    auto all = std::move(connections_);
    connections_.clear();
    for (const auto& [key, connection] : all) connection->close();
    context_.stop();
  });
  thread_.join();
  mailbox_->close();
}

void Loop::deliver_mails() {
  for (Mail& mail : mailbox_->take()) mail.connection->receive(mail);
}

void Loop::forget(const Connection* connection) {
  connections_.erase(connection);
}

std::string_view Loop::date() {
  return date_.at(std::time(nullptr));
}

}  // namespace fixpoint::http
