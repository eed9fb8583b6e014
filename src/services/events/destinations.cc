// Connections and API destinations.
#include "aws/verify.h"
#include "base/utf8.h"
#include "bus/destination_request.h"
#include "services/events/events.h"
#include "services/events/page.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::size_t longest_reason = 512;

bus::BusName here(const aws::Caller& caller) {
  return {caller.account, caller.region, caller.partition, "default"};
}

std::string text_of(const Value& input, const char* member) {
  return std::string(input[member].string_or(""));
}

std::optional<std::string> given_text(const Value& input, const char* member) {
  const Value* value = input.find(member);
  return value != nullptr && value->is_string() ? std::optional<std::string>(value->as_string()) : std::nullopt;
}

Value connection_times(const bus::Connection& connection, const char* state, bool authorized) {
  json::Object out{{"ConnectionArn", connection.arn()},
                   {"ConnectionState", state},
                   {"CreationTime", seconds(connection.made_ms)},
                   {"LastModifiedTime", seconds(connection.changed_ms)}};
  if (authorized && connection.authorized_ms != 0) out.set("LastAuthorizedTime", seconds(connection.authorized_ms));
  return Value(std::move(out));
}

Value connection_json(const bus::Connection& connection) {
  Value out = connection_times(connection, connection.state.c_str(), true);
  out.set("Name", connection.name);
  out.set("AuthorizationType", connection.type);
  if (!connection.reason.empty()) out.set("StateReason", std::string(first_bytes(connection.reason, longest_reason)));
  return out;
}

Value destination_json(const bus::Destination& destination, const std::string& state) {
  return json::Object{{"ApiDestinationArn", destination.arn()},
                      {"Name", destination.name},
                      {"ApiDestinationState", state},
                      {"ConnectionArn", destination.connection},
                      {"InvocationEndpoint", destination.endpoint},
                      {"HttpMethod", destination.method},
                      {"InvocationRateLimitPerSecond", destination.rate},
                      {"CreationTime", seconds(destination.made_ms)},
                      {"LastModifiedTime", seconds(destination.changed_ms)}};
}

Value destination_answer(const bus::Destination& destination, const std::string& state) {
  return json::Object{{"ApiDestinationArn", destination.arn()},
                      {"ApiDestinationState", state},
                      {"CreationTime", seconds(destination.made_ms)},
                      {"LastModifiedTime", seconds(destination.changed_ms)}};
}

// What is kept secret in a connection goes where a destination says: who may change either may have it.
Result<void> only_people(const aws::Caller& caller) {
  if (!caller.principal || caller.principal->execution.empty()) return {};
  return fail(
      errors::access_denied("an execution's own credentials make and change no connections and API destinations"));
}

Result<void> no_private_connection(const Value& input) {
  if (!input["InvocationConnectivityParameters"].is_null() ||
      !input["AuthParameters"]["ConnectivityParameters"].is_null())
    return fail(errors::not_implemented(
        "connections into a VPC (ConnectivityParameters) are not there in this version; leave them out",
        "InvocationConnectivityParameters"));
  if (!input["KmsKeyIdentifier"].string_or("").empty())
    return fail(
        errors::not_implemented("connections under a key of their own are not there in this version; leave "
                                "KmsKeyIdentifier out",
                                "KmsKeyIdentifier"));
  return {};
}

}  // namespace

Result<void> Events::allowed(const Value& url, const char* parameter) const {
  if (!url.is_string()) return {};
  FIXPOINT_CHECK(bus::check_url(url.as_string(), parameter));
  if (const auto why = outward_.forbids(url.as_string()))
    return fail(
        errors::validation("Parameter " + std::string(parameter) + " is not valid. Reason: " + *why, parameter));
  return {};
}

void Events::add_connections(aws::ServiceTable& table) {
  table.add("CreateConnection", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_CHECK(no_private_connection(input));
    FIXPOINT_CHECK(
        allowed(input["AuthParameters"]["OAuthParameters"]["AuthorizationEndpoint"], "AuthorizationEndpoint"));
    bus::Connection wanted;
    wanted.any = here(caller);
    wanted.name = text_of(input, "Name");
    wanted.description = text_of(input, "Description");
    wanted.type = text_of(input, "AuthorizationType");
    FIXPOINT_TRY(made, outward_.connections.create(std::move(wanted), input["AuthParameters"]));
    if (made.state == "AUTHORIZING") outward_.sender.authorize(made);
    return connection_times(made, made.state.c_str(), false);
  });
  table.add("UpdateConnection", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_CHECK(no_private_connection(input));
    FIXPOINT_CHECK(
        allowed(input["AuthParameters"]["OAuthParameters"]["AuthorizationEndpoint"], "AuthorizationEndpoint"));
    FIXPOINT_TRY(changed, outward_.connections.update(here(caller), text_of(input, "Name"),
                                                      {.description = given_text(input, "Description"),
                                                       .type = given_text(input, "AuthorizationType"),
                                                       .parameters = input["AuthParameters"]}));
    if (changed.state == "AUTHORIZING") outward_.sender.authorize(changed);
    return connection_times(changed, changed.state.c_str(), true);
  });
  table.add("DeauthorizeConnection", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_TRY(changed, outward_.connections.deauthorize(here(caller), text_of(input, "Name")));
    return connection_times(changed, "DEAUTHORIZING", true);
  });
  table.add("DeleteConnection", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_TRY(gone, outward_.connections.remove(here(caller), text_of(input, "Name")));
    return connection_times(gone, "DELETING", true);
  });
  table.add_quick("DescribeConnection", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(found, outward_.connections.get(here(caller), text_of(input, "Name")));
    FIXPOINT_TRY(parameters, outward_.connections.shown(found));
    Value out = connection_json(found);
    if (!found.description.empty()) out.set("Description", found.description);
    if (!found.secret.empty()) out.set("SecretArn", found.secret_arn());
    out.set("AuthParameters", parameters);
    return out;
  });
  table.add_quick("ListConnections", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(
        list, outward_.connections.list(here(caller), text_of(input, "NamePrefix"), text_of(input, "ConnectionState")));
    json::Array items;
    for (const auto& one : list) items.push_back(connection_json(one));
    return page_of(items, input, "Connections");
  });
}

void Events::add_destinations(aws::ServiceTable& table) {
  table.add("CreateApiDestination", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_CHECK(allowed(input["InvocationEndpoint"], "InvocationEndpoint"));
    bus::Destination wanted;
    wanted.any = here(caller);
    wanted.name = text_of(input, "Name");
    wanted.description = text_of(input, "Description");
    wanted.connection = text_of(input, "ConnectionArn");
    wanted.endpoint = text_of(input, "InvocationEndpoint");
    wanted.method = text_of(input, "HttpMethod");
    wanted.rate = input["InvocationRateLimitPerSecond"].int_or(bus::Destination::default_rate);
    FIXPOINT_TRY(made, outward_.destinations.create(std::move(wanted)));
    FIXPOINT_TRY(state, outward_.destinations.state(made));
    return destination_answer(made, state);
  });
  table.add("UpdateApiDestination", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_CHECK(allowed(input["InvocationEndpoint"], "InvocationEndpoint"));
    FIXPOINT_TRY(changed, outward_.destinations.update(here(caller), text_of(input, "Name"),
                                                       {.description = given_text(input, "Description"),
                                                        .connection = given_text(input, "ConnectionArn"),
                                                        .endpoint = given_text(input, "InvocationEndpoint"),
                                                        .method = given_text(input, "HttpMethod"),
                                                        .rate = input["InvocationRateLimitPerSecond"].as_int64()}));
    FIXPOINT_TRY(state, outward_.destinations.state(changed));
    return destination_answer(changed, state);
  });
  table.add("DeleteApiDestination", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_CHECK(outward_.destinations.remove(here(caller), text_of(input, "Name")));
    return Value(json::Object());
  });
  table.add_quick("DescribeApiDestination", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(found, outward_.destinations.get(here(caller), text_of(input, "Name")));
    FIXPOINT_TRY(state, outward_.destinations.state(found));
    Value out = destination_json(found, state);
    if (!found.description.empty()) out.set("Description", found.description);
    return out;
  });
  table.add_quick("ListApiDestinations", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(
        list, outward_.destinations.list(here(caller), text_of(input, "NamePrefix"), text_of(input, "ConnectionArn")));
    json::Array items;
    for (const auto& one : list) {
      FIXPOINT_TRY(state, outward_.destinations.state(one));
      items.push_back(destination_json(one, state));
    }
    return page_of(items, input, "ApiDestinations");
  });
}

}  // namespace fixpoint::services
