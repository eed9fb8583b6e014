#pragma once

#include <functional>
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

  void handle(HttpRequest request, http::Responder responder);

 private:
  void handle_aws(HttpRequest request, http::Responder responder);
  void handle_api(const HttpRequest& request, http::Responder responder);

  aws::Router router_;
  const aws::Verifier& verifier_;
  Dispatch& dispatch_;
  Api& api_;
  WorkerPool& workers_;
};

}  // namespace fixpoint::gateway
