#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bus/connections.h"

namespace fixpoint::bus {

/// An HTTP endpoint that events are sent to.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
struct Destination {
  BusName any;  ///< account, region and partition
  std::string name;
  std::string id;  ///< a UUID
  std::string description;
  std::string connection;            ///< its ARN
  std::string endpoint;              ///< a URL; each `*` in it is filled from the target's path parameters
  std::string method;                ///< POST, GET, HEAD, OPTIONS, PUT, PATCH, DELETE
  std::int64_t rate = default_rate;  ///< requests a second at most
  TimeMs made_ms = 0, changed_ms = 0;

  static constexpr std::int64_t default_rate = 300;
  std::string arn() const;  ///< arn:PARTITION:events:REGION:ACCOUNT:api-destination/NAME/ID
};

/// The API destinations of all accounts. Thread-safe.
class Destinations {
 public:
  Destinations(store::Store& store, const Clock& clock, Connections& connections)
      : store_(store), clock_(clock), connections_(connections) {}

  /// Errors: ResourceAlreadyExistsException; ResourceNotFoundException for the connection; LimitExceededException
  /// beyond 3000; ValidationException for an endpoint that is no URL.
  Result<Destination> create(Destination destination);
  struct Update {
    std::optional<std::string> description, connection, endpoint, method;
    std::optional<std::int64_t> rate;
  };
  Result<Destination> update(const BusName& any, const std::string& name, const Update& update);
  Result<void> remove(const BusName& any, const std::string& name);

  /// Error: ResourceNotFoundException.
  Result<Destination> get(const BusName& any, const std::string& name);
  Result<Destination> get(store::Session& session, const std::string& arn);
  /// By name; of one connection where its ARN is not empty.
  Result<std::vector<Destination>> list(const BusName& any, const std::string& prefix, const std::string& connection);

  /// ACTIVE, or INACTIVE where its connection is gone or not authorized.
  Result<std::string> state(const Destination& destination);

 private:
  Result<std::vector<Destination>> query(store::Session& session, const std::string& where,
                                         const store::Params& params);
  Result<Destination> find(store::Session& session, const BusName& any, const std::string& name);
  Result<void> write(store::Transaction& tx, const Destination& destination);

  store::Store& store_;
  const Clock& clock_;
  Connections& connections_;
};

}  // namespace fixpoint::bus
