#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aws/models.h"
#include "aws/router.h"
#include "aws/verify.h"
#include "gateway/api.h"
#include "gateway/dispatch.h"
#include "http/server.h"

namespace fixpoint::gateway {

/// The way of a request: verify the signature, find service and operation, read and validate the input, dispatch,
/// answer in the protocol that was spoken. Thread-safe.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
class Gateway {
 public:
  Gateway(const aws::Models& models, const aws::Verifier& verifier, Dispatch& dispatch, Api& api, WorkerPool& workers,
          aws::Router::Options routes)
      : router_(models, std::move(routes)), verifier_(verifier), dispatch_(dispatch), api_(api), workers_(workers) {}

  /// By which listener a request came. What comes by that of the handlers is an execution's, whoever signed it: signed
  /// with another key, or with none, it would be a change that the door never sees, and is refused.
  enum class Way { Anybody, Handlers };
  void handle(HttpRequest request, http::Responder responder, Way way = Way::Anybody);

  /// The answer to a request whose body is refused unread (ServerOptions::shape_refusal), as its service says it.
  HttpResponse refusal(const HttpRequest& head, HttpResponse plain) const;

  /// What answers GET requests that nobody has signed, on a worker; nothing where a request is for it. Before the first
  /// request. Never asked for a handler.
  using Open = std::function<std::optional<HttpResponse>(const HttpRequest&)>;
  void set_open(Open open) { open_ = std::move(open); }

 private:
  void handle_open(HttpRequest request, http::Responder responder);
  void handle_aws(HttpRequest request, http::Responder responder, Way way);
  void handle_api(const HttpRequest& request, http::Responder responder, Way way);

  aws::Router router_;
  const aws::Verifier& verifier_;
  Dispatch& dispatch_;
  Api& api_;
  WorkerPool& workers_;
  Open open_;
};

}  // namespace fixpoint::gateway
