#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "aws/models.h"
#include "aws/protocol.h"
#include "base/error.h"
#include "base/http_message.h"

namespace fixpoint::aws {

/// Why a request has no operation, and in whose form to say so.
struct RouteFailure {
  Routed routed;  ///< `operation` is null; goes into serialize_error
  Error error;
};

/// The service in the credential scope of a request, as it stands there: from Authorization or X-Amz-Credential. Not
/// verified. Empty where there is none. A query signed by Signature Version 2 that names no action is S3's.
std::string signing_name_of(const HttpRequest& request);

/// Finds the service and operation that a request is for. Models are loaded when they are first asked for. Thread-safe.
class Router {
 public:
  struct Options {
    /// The names that this server is reached by, without port. What stands before one of them in a Host header is S3's
    /// bucket, or a host prefix, which counts for nothing. S3's own host names are always known.
    std::vector<std::string> hosts;
  };
  /// `models` must outlive the router.
  Router(const Models& models, Options options);
  ~Router();

  /// `signing_name` is the service of the verified credential scope. Where it is empty, the target header, action and
  /// version, or the path say it; what is left is S3's. Where no service has it, target or action may still be those of
  /// one that there is, for which the request is signed wrongly.
  /// Errors: UnknownOperationException, InvalidAction, MissingAction, MethodNotAllowed (S3), each as the service
  /// answers; NotImplemented where no service has the signing name.
  tl::expected<Routed, RouteFailure> route(const HttpRequest& request, std::string_view signing_name) const;

  /// What the credential scope of a request to `service` has to name: `signing_name` where clients sign for it so (by
  /// the model's signing name, its endpoint's prefix, or another name of S3's), else the model's.
  std::string_view signing_name_for(const Service& service, std::string_view signing_name) const;

 private:
  struct Table;
  struct Slot;
  struct Match;
  const Table* table(const PackEntry& entry, Error* why) const;
  std::string s3_path(const HttpRequest& request) const;
  tl::expected<Routed, RouteFailure> route_target(const HttpRequest& request, const PackEntry& entry,
                                                  std::string_view operation) const;
  tl::expected<Routed, RouteFailure> route_action(const HttpRequest& request, std::string_view action,
                                                  std::string_view form, bool in_target,
                                                  const std::vector<const PackEntry*>& candidates) const;
  tl::expected<Routed, RouteFailure> route_path(const HttpRequest& request,
                                                const std::vector<const PackEntry*>& candidates) const;

  const Models& models_;
  std::vector<std::string> hosts_;
  std::vector<std::unique_ptr<Slot>> slots_;  // beside models_.services()
};

}  // namespace fixpoint::aws
