#include "bus/destinations.h"

#include "base/arn.h"
#include "base/id.h"
#include "bus/destination_request.h"

namespace fixpoint::bus {
namespace {

constexpr std::size_t most_destinations =
    3000;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

constexpr const char* columns =
    "SELECT account, region, name, partition, id, description, connection, endpoint, method, rate, made_ms, changed_ms "
    "FROM bus_destination ";

// The service's own words, which its recordings show.
Error no_destination(const std::string& name) {
  return errors::coded("ResourceNotFoundException",
                       "Failed to describe the api-destination(s). An api-destination '" + name + "' does not exist.",
                       400);
}

}  // namespace

std::string Destination::arn() const {
  return "arn:" + any.partition + ":events:" + any.region + ":" + any.account + ":api-destination/" + name + "/" + id;
}

Result<std::vector<Destination>> Destinations::query(store::Session& session, const std::string& where,
                                                     const store::Params& params) {
  FIXPOINT_TRY(rows, session.query(columns + where, params));
  std::vector<Destination> out;
  for (store::Row& row : rows) {
    Destination one;
    one.any = {row.take(0), row.take(1), row.take(3), "default"};
    one.name = row.take(2);
    one.id = row.take(4);
    one.description = row.take(5);
    one.connection = row.take(6);
    one.endpoint = row.take(7);
    one.method = row.take(8);
    one.rate = row.integer(9);
    one.made_ms = row.integer(10);
    one.changed_ms = row.integer(11);
    out.push_back(std::move(one));
  }
  return out;
}

Result<Destination> Destinations::find(store::Session& session, const BusName& any, const std::string& name) {
  FIXPOINT_TRY(found, query(session, "WHERE account = ? AND region = ? AND name = ?", {any.account, any.region, name}));
  if (found.empty()) return fail(no_destination(name));
  return std::move(found[0]);
}

Result<void> Destinations::write(store::Transaction& tx, const Destination& d) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO bus_destination (account, region, name, partition, id, description, connection, endpoint, method, "
      "rate, made_ms, changed_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (account, region, name) DO UPDATE SET "
      "description = excluded.description, connection = excluded.connection, endpoint = excluded.endpoint, method = "
      "excluded.method, rate = excluded.rate, changed_ms = excluded.changed_ms",
      {d.any.account, d.any.region, d.name, d.any.partition, d.id, d.description, d.connection, d.endpoint, d.method,
       d.rate, d.made_ms, d.changed_ms}));
  return {};
}

Result<Destination> Destinations::create(Destination destination) {
  FIXPOINT_CHECK(check_url(destination.endpoint, "InvocationEndpoint"));
  return store_.write([&](store::Transaction& tx) -> Result<Destination> {
    FIXPOINT_TRY(there, query(tx, "WHERE account = ? AND region = ? AND name = ?",
                              {destination.any.account, destination.any.region, destination.name}));
    if (!there.empty())
      return fail(errors::coded("ResourceAlreadyExistsException",
                                "An api-destination '" + destination.name + "' already exists.", 400));
    FIXPOINT_CHECK(connections_.get(tx, destination.connection));
    FIXPOINT_TRY(count, tx.query("SELECT count(*) FROM bus_destination WHERE account = ? AND region = ?",
                                 {destination.any.account, destination.any.region}));
    if (static_cast<std::size_t>(count[0].integer(0)) >= most_destinations)
      return fail(
          errors::coded("LimitExceededException", "The requested resource exceeds the maximum number allowed.", 400));
    Destination made = destination;
    made.id = random_uuid();
    made.made_ms = made.changed_ms = clock_.now_ms();
    FIXPOINT_CHECK(write(tx, made));
    return made;
  });
}

Result<Destination> Destinations::update(const BusName& any, const std::string& name, const Update& update) {
  if (update.endpoint) FIXPOINT_CHECK(check_url(*update.endpoint, "InvocationEndpoint"));
  return store_.write([&](store::Transaction& tx) -> Result<Destination> {
    FIXPOINT_TRY(there, find(tx, any, name));
    if (update.connection) {
      FIXPOINT_CHECK(connections_.get(tx, *update.connection));
      there.connection = *update.connection;
    }
    if (update.description) there.description = *update.description;
    if (update.endpoint) there.endpoint = *update.endpoint;
    if (update.method) there.method = *update.method;
    if (update.rate) there.rate = *update.rate;
    there.changed_ms = clock_.now_ms();
    FIXPOINT_CHECK(write(tx, there));
    return std::move(there);
  });
}

Result<void> Destinations::remove(const BusName& any, const std::string& name) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(find(tx, any, name));
    FIXPOINT_CHECK(tx.execute("DELETE FROM bus_destination WHERE account = ? AND region = ? AND name = ?",
                              {any.account, any.region, name}));
    return {};
  });
}

Result<Destination> Destinations::get(const BusName& any, const std::string& name) {
  return store_.read([&](store::Session& session) { return find(session, any, name); });
}

Result<Destination> Destinations::get(store::Session& session, const std::string& arn) {
  const auto parsed = parse_arn(arn);
  const std::string resource = parsed ? parsed->resource : arn;
  const std::size_t first = resource.find('/'), last = resource.rfind('/');
  const std::string name = first >= last ? resource : resource.substr(first + 1, last - first - 1);
  if (!parsed) return fail(no_destination(name));
  FIXPOINT_TRY(found, find(session, {parsed->account, parsed->region, parsed->partition}, name));
  if (found.arn() != arn) return fail(no_destination(name));
  return std::move(found);
}

Result<std::vector<Destination>> Destinations::list(const BusName& any, const std::string& prefix,
                                                    const std::string& connection) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Destination>> {
    FIXPOINT_TRY(all, query(session, "WHERE account = ? AND region = ? ORDER BY name", {any.account, any.region}));
    std::erase_if(all, [&](const Destination& one) {
      return !one.name.starts_with(prefix) || (!connection.empty() && one.connection != connection);
    });
    return all;
  });
}

Result<std::string> Destinations::state(const Destination& destination) {
  return store_.read([&](store::Session& session) -> Result<std::string> {
    const auto connection = connections_.get(session, destination.connection);
    if (!connection && connection.error().code != "ResourceNotFoundException") return fail(connection.error());
    return std::string(connection && connection->state == "AUTHORIZED" ? "ACTIVE" : "INACTIVE");
  });
}

}  // namespace fixpoint::bus
