#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::rds {

tl::unexpected<Error> refuse(std::string_view code, int status, std::string message);
/// Error: InvalidParameterValue for what is no identifier of an instance, a cluster or a snapshot.
Result<void> check_identifier(std::string_view member, std::string_view id);
/// Values of a call that makes or modifies an instance or a cluster. Errors: InvalidParameterValue,
/// InvalidParameterCombination.
Result<void> check_settings(const Request& request);
/// Error: InvalidParameterValue for an engine that there is not.
Result<void> check_engine(const Request& request);
/// What only a new instance has to say: engine, class and, outside of a cluster, a password. Error:
/// InvalidParameterValue.
Result<void> check_new_instance(const Request& request);
/// The version that a new instance or cluster has where none was named, and the default groups of its engine's family.
void with_engine(json::Value& body);
/// The ARN of the key that a text names. Error: KMSKeyNotAccessibleFault.
Result<std::string> key_arn(Request& request, std::string_view name);
/// Makes a snapshot of the call's instance or cluster. Errors: as CreateDBSnapshot has them.
Result<void> take_snapshot(Request& request, bool of_cluster, const std::string& id);
/// Where a new instance or cluster is reached, and behind which security groups.
void with_endpoint(const Request& request, json::Value& body);
void with_cluster_endpoint(const Request& request, json::Value& body);

void add_describe(Operations& table);
void add_members(Services& services);
void add_modify(Services& services);
void add_tags(Services& services);

}  // namespace fixpoint::sandbox::rds
