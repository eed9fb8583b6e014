#include "bus/connections.h"

#include "base/arn.h"
#include "base/id.h"
#include "base/seal.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::size_t most_connections =
    3000;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

constexpr const char* columns =
    "SELECT account, region, name, partition, id, description, type, state, reason, secret, sealed, revision, made_ms, "
    "changed_ms, authorized_ms FROM bus_connection ";

// The service's own words, which its recordings show.
Error no_connection(const std::string& name) {
  return errors::coded("ResourceNotFoundException",
                       "Failed to describe the connection(s). Connection '" + name + "' does not exist.", 400);
}

Error invalid(const std::string& reason) {
  return errors::validation("Parameter AuthParameters is not valid. Reason: " + reason, "AuthParameters");
}

struct Kind {
  const char *type, *member;
};
constexpr Kind kinds[]{{"BASIC", "BasicAuthParameters"},
                       {"API_KEY", "ApiKeyAuthParameters"},
                       {"OAUTH_CLIENT_CREDENTIALS", "OAuthParameters"}};

const char* member_of(std::string_view type) {
  for (const Kind& kind : kinds)
    if (type == kind.type) return kind.member;
  return "";
}

bool given(const Value& value) {
  return !value.is_null();
}

// A name that can stand in front of a header's colon (RFC 9110 section 5.6.2).
bool is_header_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
             std::string_view::npos;
}

// Whether the parameters are whole for the type, and nothing that is for another one.
Result<void> check(const std::string& type, const Value& parameters) {
  const std::string wanted = member_of(type);
  if (wanted.empty())
    return fail(
        errors::validation("'" + type + "' is no authorization type: BASIC, API_KEY and OAUTH_CLIENT_CREDENTIALS are",
                           "AuthorizationType"));
  for (const Kind& kind : kinds)
    if (wanted != kind.member && given(parameters[kind.member]))
      return fail(invalid(std::string(kind.member) + " is for the authorization type " + kind.type + ", and " + type +
                          " was given."));
  const Value& own = parameters[wanted];
  if (!given(own)) return fail(invalid(wanted + " is required for the authorization type " + type + "."));
  const auto need = [&](const Value& in, const std::string& place, const char* member) -> Result<void> {
    if (in[member].string_or("").empty()) return fail(invalid(place + "." + member + " is required."));
    return {};
  };
  if (type == "BASIC") {
    FIXPOINT_CHECK(need(own, wanted, "Username"));
    FIXPOINT_CHECK(need(own, wanted, "Password"));
  } else if (type == "API_KEY") {
    FIXPOINT_CHECK(need(own, wanted, "ApiKeyName"));
    FIXPOINT_CHECK(need(own, wanted, "ApiKeyValue"));
    if (!is_header_name(own["ApiKeyName"].string_or("")))
      return fail(invalid(wanted + ".ApiKeyName has to be the name of a header: letters, digits, '-' and '_'."));
  } else {
    FIXPOINT_CHECK(need(own["ClientParameters"], wanted + ".ClientParameters", "ClientID"));
    FIXPOINT_CHECK(need(own["ClientParameters"], wanted + ".ClientParameters", "ClientSecret"));
    FIXPOINT_CHECK(need(own, wanted, "AuthorizationEndpoint"));
    FIXPOINT_CHECK(need(own, wanted, "HttpMethod"));
  }
  return {};
}

// Members of `over` take the place of those of `under`; parameters that are lists are replaced whole.
Value merged(const Value& under, const Value& over) {
  if (!under.is_object() || !over.is_object()) return over;
  Value out = under;
  for (const auto& member : over.as_object())
    out.set(member.key, member.key == "InvocationHttpParameters" || member.key == "OAuthHttpParameters"
                            ? member.value
                            : merged(under[member.key], member.value));
  return out;
}

Value shown_http_parameters(const Value& parameters) {
  json::Object out;
  for (const auto& list : parameters.as_object()) {
    json::Array items;
    for (std::size_t i = 0; i < list.value.size(); ++i) {
      const Value& item = list.value[i];
      const bool secret = item["IsValueSecret"].bool_or(false);
      json::Object one{{"Key", item["Key"]}};
      if (!secret && given(item["Value"])) one.set("Value", item["Value"]);
      one.set("IsValueSecret", secret);
      items.emplace_back(std::move(one));
    }
    out.set(list.key, std::move(items));
  }
  return out;
}

}  // namespace

std::string Connection::arn() const {
  return "arn:" + any.partition + ":events:" + any.region + ":" + any.account + ":connection/" + name + "/" + id;
}

std::string Connection::secret_arn() const {
  return "arn:" + any.partition + ":secretsmanager:" + any.region + ":" + any.account + ":secret:events!connection/" +
         name + "/" + secret;
}

Result<std::vector<Connection>> Connections::query(store::Session& session, const std::string& where,
                                                   const store::Params& params) const {
  FIXPOINT_TRY(rows, session.query(columns + where, params));
  std::vector<Connection> out;
  for (store::Row& row : rows) {
    Connection one;
    one.any = {row.take(0), row.take(1), row.take(3), "default"};
    one.name = row.take(2);
    one.id = row.take(4);
    one.description = row.take(5);
    one.type = row.take(6);
    one.state = row.take(7);
    one.reason = row.take(8);
    one.secret = row.take(9);
    one.sealed = row.take(10);
    one.revision = row.integer(11);
    one.made_ms = row.integer(12);
    one.changed_ms = row.integer(13);
    one.authorized_ms = row.integer(14);
    out.push_back(std::move(one));
  }
  return out;
}

Result<Connection> Connections::find(store::Session& session, const BusName& any, const std::string& name) const {
  FIXPOINT_TRY(found, query(session, "WHERE account = ? AND region = ? AND name = ?", {any.account, any.region, name}));
  if (found.empty()) return fail(no_connection(name));
  return std::move(found[0]);
}

Result<void> Connections::write(store::Transaction& tx, const Connection& c) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO bus_connection (account, region, name, partition, id, description, type, state, reason, secret, "
      "sealed, revision, made_ms, changed_ms, authorized_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT "
      "(account, region, name) DO UPDATE SET description = excluded.description, type = excluded.type, state = "
      "excluded.state, reason = excluded.reason, secret = excluded.secret, sealed = excluded.sealed, revision = "
      "excluded.revision, changed_ms = excluded.changed_ms, authorized_ms = excluded.authorized_ms",
      {c.any.account, c.any.region, c.name, c.any.partition, c.id, c.description, c.type, c.state, c.reason, c.secret,
       c.sealed, c.revision, c.made_ms, c.changed_ms, c.authorized_ms}));
  return {};
}

// A token has to be fetched before a connection of OAuth is authorized; the others are at once. The time is that of the
// parameters, as the service's recordings show it.
void Connections::keep(Connection& connection, const Value& parameters) {
  const bool waits = connection.type == "OAUTH_CLIENT_CREDENTIALS";
  connection.sealed = seal(key_, json::print(parameters), connection.arn());
  connection.state = waits ? "AUTHORIZING" : "AUTHORIZED";
  connection.reason.clear();
  connection.authorized_ms = clock_.now_ms();
  if (connection.secret.empty())
    connection.secret =
        random_uuid() + "-" + random_text(6, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  ++connection.revision;
}

Result<Connection> Connections::create(Connection connection, const Value& parameters) {
  FIXPOINT_CHECK(check(connection.type, parameters));
  return store_.write([&](store::Transaction& tx) -> Result<Connection> {
    FIXPOINT_TRY(there, query(tx, "WHERE account = ? AND region = ? AND name = ?",
                              {connection.any.account, connection.any.region, connection.name}));
    if (!there.empty())
      return fail(
          errors::coded("ResourceAlreadyExistsException", "Connection " + connection.name + " already exists.", 400));
    FIXPOINT_TRY(count, tx.query("SELECT count(*) FROM bus_connection WHERE account = ? AND region = ?",
                                 {connection.any.account, connection.any.region}));
    if (static_cast<std::size_t>(count[0].integer(0)) >= most_connections)
      return fail(
          errors::coded("LimitExceededException", "The requested resource exceeds the maximum number allowed.", 400));
    Connection made = connection;
    made.id = random_uuid();
    made.made_ms = made.changed_ms = clock_.now_ms();
    keep(made, parameters);
    FIXPOINT_CHECK(write(tx, made));
    return made;
  });
}

Result<Connection> Connections::update(const BusName& any, const std::string& name, const Update& update) {
  return store_.write([&](store::Transaction& tx) -> Result<Connection> {
    FIXPOINT_TRY(there, find(tx, any, name));
    const bool same_type = !update.type || *update.type == there.type;
    if (update.description) there.description = *update.description;
    if (update.type) there.type = *update.type;
    if (given(update.parameters) || !same_type) {
      Value whole = update.parameters;
      // What another key has sealed is gone: then all of it has to be given again.
      if (const auto old = parameters(there); old && same_type) whole = merged(*old, update.parameters);
      if (!whole.is_object()) whole = json::Object();
      FIXPOINT_CHECK(check(there.type, whole));
      keep(there, whole);
    }
    there.changed_ms = clock_.now_ms();
    FIXPOINT_CHECK(write(tx, there));
    return std::move(there);
  });
}

Result<Connection> Connections::deauthorize(const BusName& any, const std::string& name) {
  return store_.write([&](store::Transaction& tx) -> Result<Connection> {
    FIXPOINT_TRY(there, find(tx, any, name));
    there.sealed.clear();
    there.secret.clear();
    there.state = "DEAUTHORIZED";
    there.reason = "It was deauthorized; UpdateConnection gives it parameters again.";
    there.changed_ms = clock_.now_ms();
    ++there.revision;
    FIXPOINT_CHECK(write(tx, there));
    return std::move(there);
  });
}

Result<Connection> Connections::remove(const BusName& any, const std::string& name) {
  return store_.write([&](store::Transaction& tx) -> Result<Connection> {
    FIXPOINT_TRY(there, find(tx, any, name));
    FIXPOINT_CHECK(tx.execute("DELETE FROM bus_connection WHERE account = ? AND region = ? AND name = ?",
                              {any.account, any.region, name}));
    return std::move(there);
  });
}

Result<Connection> Connections::get(const BusName& any, const std::string& name) {
  return store_.read([&](store::Session& session) { return find(session, any, name); });
}

Result<Connection> Connections::get(store::Session& session, const std::string& arn) {
  const auto parsed = parse_arn(arn);
  const std::string resource = parsed ? parsed->resource : arn;
  const std::size_t first = resource.find('/'), last = resource.rfind('/');
  const std::string name = first >= last ? resource : resource.substr(first + 1, last - first - 1);
  if (!parsed) return fail(no_connection(name));
  FIXPOINT_TRY(found, find(session, {parsed->account, parsed->region, parsed->partition}, name));
  if (found.arn() != arn) return fail(no_connection(name));
  return std::move(found);
}

Result<std::vector<Connection>> Connections::list(const BusName& any, const std::string& prefix,
                                                  const std::string& state) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Connection>> {
    FIXPOINT_TRY(all, query(session, "WHERE account = ? AND region = ? ORDER BY name", {any.account, any.region}));
    std::erase_if(all, [&](const Connection& one) {
      return !one.name.starts_with(prefix) || (!state.empty() && one.state != state);
    });
    return all;
  });
}

Result<std::vector<Connection>> Connections::authorizing() {
  return store_.read([&](store::Session& session) {
    return query(session, "WHERE state = 'AUTHORIZING' ORDER BY account, region, name", {});
  });
}

Result<Value> Connections::parameters(const Connection& connection) const {
  if (connection.sealed.empty()) return Value(json::Object());
  const auto opened = open_sealed(key_, connection.sealed, connection.arn());
  if (!opened)
    return fail(errors::coded("InternalException",
                              "The parameters of the connection " + connection.name +
                                  " were sealed with another key than this server's keys.json holds; restore that "
                                  "file, or give them again by UpdateConnection.",
                              500));
  return json::parse(*opened);
}

Result<Value> Connections::shown(const Connection& connection) const {
  FIXPOINT_TRY(all, parameters(connection));
  json::Object out;
  if (const Value* basic = all.find("BasicAuthParameters"))
    out.set("BasicAuthParameters", json::Object{{"Username", (*basic)["Username"]}});
  if (const Value* key = all.find("ApiKeyAuthParameters"))
    out.set("ApiKeyAuthParameters", json::Object{{"ApiKeyName", (*key)["ApiKeyName"]}});
  if (const Value* oauth = all.find("OAuthParameters")) {
    json::Object one{{"ClientParameters", json::Object{{"ClientID", (*oauth)["ClientParameters"]["ClientID"]}}},
                     {"AuthorizationEndpoint", (*oauth)["AuthorizationEndpoint"]},
                     {"HttpMethod", (*oauth)["HttpMethod"]}};
    if ((*oauth)["OAuthHttpParameters"].is_object())
      one.set("OAuthHttpParameters", shown_http_parameters((*oauth)["OAuthHttpParameters"]));
    out.set("OAuthParameters", std::move(one));
  }
  if (all["InvocationHttpParameters"].is_object())
    out.set("InvocationHttpParameters", shown_http_parameters(all["InvocationHttpParameters"]));
  return Value(std::move(out));
}

void Connections::authorized(const Connection& connection, const std::string& reason) {
  store_.write_async(
      [connection, reason, now = clock_.now_ms()](store::Transaction& tx) -> Result<void> {
        FIXPOINT_CHECK(tx.execute(
            "UPDATE bus_connection SET state = ?, reason = ?, authorized_ms = CASE WHEN ? = '' THEN ? ELSE "
            "authorized_ms END WHERE account = ? AND region = ? AND name = ? AND id = ? AND revision = ?",
            {std::string(reason.empty() ? "AUTHORIZED" : "DEAUTHORIZED"), reason, reason, now, connection.any.account,
             connection.any.region, connection.name, connection.id, connection.revision}));
        return {};
      },
      [](const Result<void>&) {});
}

}  // namespace fixpoint::bus
