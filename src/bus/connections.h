#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bus/rule.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::bus {

/// How to be let in at an HTTP endpoint. The parameters (user names, passwords, keys, headers) are not in it.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
struct Connection {
  BusName any;  ///< account, region and partition; connections are on no bus
  std::string name;
  std::string id;  ///< a UUID: one that is made again under the same name is another
  std::string description;
  std::string type;           ///< BASIC, API_KEY, OAUTH_CLIENT_CREDENTIALS
  std::string state;          ///< AUTHORIZED, AUTHORIZING, DEAUTHORIZED
  std::string reason;         ///< why it is not authorized; may be empty
  std::string secret;         ///< the last part of the secret's ARN; empty where it has no parameters
  std::string sealed;         ///< the parameters, as Connections keeps them
  std::int64_t revision = 0;  ///< counts changes of the parameters
  TimeMs made_ms = 0, changed_ms = 0;
  TimeMs authorized_ms = 0;  ///< when parameters were given, or their first token came; 0: never

  std::string arn() const;         ///< arn:PARTITION:events:REGION:ACCOUNT:connection/NAME/ID
  std::string secret_arn() const;  ///< arn:PARTITION:secretsmanager:...:secret:events!connection/NAME/...
};

/// The connections of all accounts. Thread-safe. The parameters are kept sealed (`base/seal.h`) with a key that is not
/// in the store, bound to the connection's ARN, and are opened where a request is made and where they are shown without
/// their secrets; no error names one.
class Connections {
 public:
  /// `key` seals the parameters: the same after a restart, or they are lost.
  Connections(store::Store& store, const Clock& clock, std::string key)
      : store_(store), clock_(clock), key_(std::move(key)) {}

  struct Update {
    std::optional<std::string> description, type;
    json::Value parameters;  ///< AuthParameters of the request; null where none are given
  };
  /// Errors: ValidationException for parameters that do not fit the type; ResourceAlreadyExistsException;
  /// LimitExceededException beyond 3000.
  Result<Connection> create(Connection connection, const json::Value& parameters);
  /// What is given of the parameters takes the place of what is there, as long as the type stays.
  Result<Connection> update(const BusName& any, const std::string& name, const Update& update);
  /// Takes the parameters away.
  Result<Connection> deauthorize(const BusName& any, const std::string& name);
  Result<Connection> remove(const BusName& any, const std::string& name);

  /// Error: ResourceNotFoundException.
  Result<Connection> get(const BusName& any, const std::string& name);
  Result<Connection> get(store::Session& session, const std::string& arn);
  /// By name; of one state where `state` is not empty.
  Result<std::vector<Connection>> list(const BusName& any, const std::string& prefix, const std::string& state);
  /// Those of every account that wait for their first token.
  Result<std::vector<Connection>> authorizing();

  /// The parameters, secrets and all, as AuthParameters has them. Error: InternalException where the server has
  /// another key than the one that they were sealed with.
  Result<json::Value> parameters(const Connection& connection) const;
  /// The same as DescribeConnection shows them: without passwords, keys, client secrets, and values marked as secret.
  Result<json::Value> shown(const Connection& connection) const;

  /// How asking for the first token ended, where the parameters are still the same; `reason` empty is well.
  void authorized(const Connection& connection, const std::string& reason);

 private:
  Result<std::vector<Connection>> query(store::Session& session, const std::string& where,
                                        const store::Params& params) const;
  Result<Connection> find(store::Session& session, const BusName& any, const std::string& name) const;
  Result<void> write(store::Transaction& tx, const Connection& connection);
  void keep(Connection& connection, const json::Value& parameters);

  store::Store& store_;
  const Clock& clock_;
  std::string key_;
};

}  // namespace fixpoint::bus
