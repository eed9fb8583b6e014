#include <algorithm>

#include "base/text.h"
#include "sandbox/rds.h"

namespace fixpoint::sandbox::rds {
namespace {

// An engine, the version that it has where a call names none, and how many numbers of a version make its family: 0
// where the family is not known.
struct Engine {
  std::string_view name;
  std::string_view version = {};
  std::size_t family_parts = 0;
};

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (Engine), and the two engines
// that have operations of RDS beside their own: Amazon DocumentDB and Neptune.
constexpr Engine engines[] = {{"aurora-mysql", "8.0.mysql_aurora.3.08.0", 2},
                              {"aurora-postgresql", "16.4", 1},
                              {"mariadb", "10.11.10", 2},
                              {"mysql", "8.0.40", 2},
                              {"postgres", "16.4", 1},
                              {"custom-oracle-ee"},
                              {"custom-oracle-ee-cdb"},
                              {"custom-oracle-se2"},
                              {"custom-oracle-se2-cdb"},
                              {"custom-sqlserver-dev"},
                              {"custom-sqlserver-ee"},
                              {"custom-sqlserver-se"},
                              {"custom-sqlserver-web"},
                              {"db2-ae"},
                              {"db2-se"},
                              {"docdb"},
                              {"neptune"},
                              {"oracle-ee"},
                              {"oracle-ee-cdb"},
                              {"oracle-se2"},
                              {"oracle-se2-cdb"},
                              {"sqlserver-dev-ee"},
                              {"sqlserver-ee"},
                              {"sqlserver-ex"},
                              {"sqlserver-se"},
                              {"sqlserver-web"}};

const Engine* engine_of(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(engines), std::end(engines), [&](const Engine& one) { return one.name == name; });
  return found == std::end(engines) ? nullptr : found;
}

// `mysql8.0` of 8.0.40. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBParameterGroup.html
std::string family_of(const Engine& engine, std::string_view version) {
  const auto parts = split(version, '.');
  if (engine.family_parts == 0 || parts.size() < engine.family_parts) return {};
  std::string out(engine.name);
  for (std::size_t i = 0; i < engine.family_parts; ++i) out.append(i == 0 ? "" : ".").append(parts[i]);
  return out;
}

// `db.` and the class's type and size: db.t3.micro, db.r5.4xlarge.tpc2.mem3x, db.serverless.
bool is_class(std::string_view name) {
  if (name == "db.serverless") return true;
  const auto parts = split(name, '.');
  return parts.size() >= 3 && parts[0] == "db" && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
         });
}

}  // namespace

Result<void> check_engine(const Request& request) {
  const std::string engine = to_lower(request.text("Engine"));
  if (engine_of(engine) == nullptr)
    return refuse("InvalidParameterValue", 400,
                  "Invalid DB engine: '" + engine +
                      "'. One of mysql, postgres, mariadb, aurora-mysql, "
                      "aurora-postgresql and the others of CreateDBInstance is expected");
  return {};
}

Result<void> check_new_instance(const Request& request) {
  FIXPOINT_CHECK(check_engine(request));
  const std::string name(request.text("DBInstanceClass"));
  if (!is_class(name))
    return refuse("InvalidParameterValue", 400,
                  "Invalid DB Instance class: " + name + ". A class has the form db.t3.micro");
  if (request.text("DBClusterIdentifier").empty() && !request.input["ManageMasterUserPassword"].bool_or(false) &&
      request.text("MasterUserPassword").empty())
    return refuse("InvalidParameterValue", 400,
                  "The parameter MasterUserPassword must be provided and must not be blank.");
  return {};
}

void with_engine(json::Value& body) {
  const std::string name = to_lower(body["Engine"].string_or({}));
  const Engine* engine = engine_of(name);
  if (engine == nullptr) return;
  body.set("Engine", name);
  if (body["EngineVersion"].is_null() && !engine->version.empty()) body.set("EngineVersion", engine->version);
  const std::string family = family_of(*engine, body["EngineVersion"].string_or({}));
  if (family.empty()) return;
  if (body["DBClusterParameterGroup"].string_or({}) == "default")
    body.set("DBClusterParameterGroup", "default." + family);
  if (body["DBParameterGroups"][0]["DBParameterGroupName"].string_or({}) == "default")
    body.set("DBParameterGroups", json::Array{json::Object{{"DBParameterGroupName", "default." + family},
                                                           {"ParameterApplyStatus", "in-sync"}}});
  // `default:mysql-8-0`
  if (body["OptionGroupMemberships"][0]["OptionGroupName"].string_or({}) == "default") {
    std::string option = "default:" + name + "-" + family.substr(name.size());
    std::replace(option.begin(), option.end(), '.', '-');
    body.set("OptionGroupMemberships", json::Array{json::Object{{"OptionGroupName", option}, {"Status", "in-sync"}}});
  }
}

}  // namespace fixpoint::sandbox::rds
