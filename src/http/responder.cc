#include <utility>

#include "http/server.h"

namespace fixpoint::http {

ResponseStream& ResponseStream::operator=(ResponseStream&& other) noexcept {
  if (this == &other) return *this;
  if (exchange_) exchange_->end(ticket_, false);
  exchange_ = std::move(other.exchange_);
  ticket_ = other.ticket_;
  return *this;
}

ResponseStream::~ResponseStream() {
  if (exchange_) exchange_->end(ticket_, false);
}

bool ResponseStream::write(std::string_view data) {
  return exchange_ != nullptr && exchange_->write(ticket_, std::string(data));
}

void ResponseStream::close() {
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->end(ticket_, true);
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this == &other) return *this;
  if (exchange_) exchange_->abandon(ticket_);
  exchange_ = std::move(other.exchange_);
  ticket_ = other.ticket_;
  return *this;
}

Responder::~Responder() {
  if (exchange_) exchange_->abandon(ticket_);
}

void Responder::send(HttpResponse response) {
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->send(ticket_, std::move(response));
}

bool Responder::reserve(std::size_t bytes) {
  return exchange_ == nullptr || exchange_->reserve(ticket_, bytes);
}

ResponseStream Responder::begin(int status, Headers headers) {
  auto exchange = std::exchange(exchange_, nullptr);
  if (!exchange) return {};
  exchange->begin(ticket_, status, std::move(headers));
  return {std::move(exchange), ticket_};
}

bool Responder::cancelled() const {
  return exchange_ == nullptr || exchange_->cancelled(ticket_);
}

}  // namespace fixpoint::http
