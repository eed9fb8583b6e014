#include <algorithm>

#include "base/text.h"
#include "sandbox/item_list.h"
#include "sandbox/operation.h"
#include "sandbox/rds.h"

namespace fixpoint::sandbox {
namespace rds {
namespace {

// What is there at once, and what waits for the maintenance window unless the call says ApplyImmediately.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
enum class When : std::uint8_t { AtOnce, InWindow };

struct Setting {
  std::string_view input;
  std::string_view member;  // of the description, and of PendingModifiedValues
  When when = When::AtOnce;
};

constexpr Setting of_both[] = {
    {"AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"},
    {"DeletionProtection", "DeletionProtection"},
    {"CopyTagsToSnapshot", "CopyTagsToSnapshot"},
    {"PreferredBackupWindow", "PreferredBackupWindow"},
    {"PreferredMaintenanceWindow", "PreferredMaintenanceWindow"},
    {"MonitoringInterval", "MonitoringInterval"},
    {"MonitoringRoleArn", "MonitoringRoleArn"},
    {"EnablePerformanceInsights", "PerformanceInsightsEnabled"},
    {"PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"},
    {"PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"},
    {"EngineVersion", "EngineVersion", When::InWindow},
    {"StorageType", "StorageType", When::InWindow},
    {"Iops", "Iops", When::InWindow},
    {"AllocatedStorage", "AllocatedStorage", When::InWindow},
    {"EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled", When::InWindow},
};

constexpr Setting of_instance[] = {
    {"PubliclyAccessible", "PubliclyAccessible"},
    {"PromotionTier", "PromotionTier"},
    {"DBInstanceClass", "DBInstanceClass", When::InWindow},
    {"MultiAZ", "MultiAZ", When::InWindow},
    {"LicenseModel", "LicenseModel", When::InWindow},
    {"CACertificateIdentifier", "CACertificateIdentifier", When::InWindow},
};

constexpr Setting of_cluster[] = {
    {"DBClusterParameterGroupName", "DBClusterParameterGroup"},
    {"BacktrackWindow", "BacktrackWindow"},
    {"EnableHttpEndpoint", "HttpEndpointEnabled"},
    {"Port", "Port"},
};

// Now, or into what waits; a value that is there already calls off what waits for it.
void set(json::Value& body, const Setting& setting, const json::Value& value, bool immediately) {
  json::Value& pending = body.at_or_make("PendingModifiedValues");
  if (!pending.is_object()) pending = json::Object();
  pending.as_object().erase(setting.member);
  bool waits = setting.when == When::InWindow;
  // Backups are switched on and off in the window, and kept longer or shorter at once.
  if (setting.member == "BackupRetentionPeriod") waits = value.int_or(0) == 0 || body[setting.member].int_or(0) == 0;
  if (waits && !immediately && !(body[setting.member] == value))
    pending.set(setting.member, value);
  else
    body.set(setting.member, value);
}

// `hh24:mi` at the place in the text.
bool is_time(std::string_view text, std::size_t at) {
  if (at + 5 > text.size() || text[at + 2] != ':') return false;
  const auto hours = to_int64(text.substr(at, 2));
  const auto minutes = to_int64(text.substr(at + 3, 2));
  return hours && minutes && *hours >= 0 && *hours < 24 && *minutes >= 0 && *minutes < 60;
}

bool is_day(std::string_view text, std::size_t at) {
  static constexpr std::string_view days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  return at + 4 <= text.size() && text[at + 3] == ':' &&
         std::find(std::begin(days), std::end(days), to_lower(text.substr(at, 3))) != std::end(days);
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html (PreferredBackupWindow and
// PreferredMaintenanceWindow)
Result<void> check_windows(const Request& request) {
  if (const std::string_view window = request.text("PreferredBackupWindow");
      !window.empty() && (window.size() != 11 || window[5] != '-' || !is_time(window, 0) || !is_time(window, 6)))
    return refuse("InvalidParameterValue", 400,
                  "Invalid backup window format: " + std::string(window) +
                      ". Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 04:30-05:00.");
  if (const std::string_view window = request.text("PreferredMaintenanceWindow");
      !window.empty() && (window.size() != 19 || window[9] != '-' || !is_day(window, 0) || !is_time(window, 4) ||
                          !is_day(window, 10) || !is_time(window, 14)))
    return refuse("InvalidParameterValue", 400,
                  "Invalid maintenance window format: " + std::string(window) +
                      ". Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: "
                      "Sun:23:45-Mon:00:15.");
  return {};
}

void set_log_exports(const Request& request, json::Value& body) {
  const json::Value& given = request.input["CloudwatchLogsExportConfiguration"];
  if (given.is_null()) return;
  json::Value kinds = body["EnabledCloudwatchLogsExports"];
  if (!kinds.is_array()) kinds = json::Array();
  auto& list = kinds.as_array();
  if (const json::Value& gone = given["DisableLogTypes"]; gone.is_array()) take_items(list, gone.as_array(), {});
  if (const json::Value& added = given["EnableLogTypes"]; added.is_array())
    put_items(list, added.as_array(), {}, Same::Keep);
  std::sort(list.begin(), list.end(),
            [](const json::Value& a, const json::Value& b) { return a.string_or({}) < b.string_or({}); });
  if (list.empty())
    body.as_object().erase("EnabledCloudwatchLogsExports");
  else
    body.set("EnabledCloudwatchLogsExports", std::move(kinds));
}

void set_security_groups(const Request& request, json::Value& body) {
  const json::Value& ids = request.input["VpcSecurityGroupIds"];
  if (ids.is_null()) return;
  json::Array groups;
  for (std::size_t i = 0; i < ids.size(); ++i)
    groups.push_back(json::Object{{"VpcSecurityGroupId", ids[i]}, {"Status", "active"}});
  body.set("VpcSecurityGroups", std::move(groups));
}

// What goes with a setting that is switched off.
void tidy(json::Value& body) {
  json::Object& members = body.as_object();
  if (body["MonitoringInterval"].int_or(0) == 0) members.erase("MonitoringRoleArn");
  if (!body["PerformanceInsightsEnabled"].bool_or(false)) {
    members.erase("PerformanceInsightsKMSKeyId");
    members.erase("PerformanceInsightsRetentionPeriod");
  } else if (body["PerformanceInsightsRetentionPeriod"].is_null()) {
    body.set("PerformanceInsightsRetentionPeriod", 7);
  }
  if (body["MaxAllocatedStorage"] == body["AllocatedStorage"]) members.erase("MaxAllocatedStorage");
}

struct Kind {
  std::string_view type;
  std::string_view id_member;
  std::string_view new_id_member;
  std::string_view answer;
  std::string_view missing;
  std::string_view noun;
};
constexpr Kind instances{"instance",   "DBInstanceIdentifier", "NewDBInstanceIdentifier",
                         "DBInstance", "DBInstanceNotFound",   "DBInstance "};
constexpr Kind clusters{"cluster",   "DBClusterIdentifier",    "NewDBClusterIdentifier",
                        "DBCluster", "DBClusterNotFoundFault", "DBCluster "};

Result<Document> find(Request& request, const Kind& kind) {
  const std::string id = to_lower(request.text(kind.id_member));
  Document found = request.state.get(request.regional("rds", kind.type), id);
  if (!found) return refuse(kind.missing, 404, std::string(kind.noun) + id + " not found.");
  return found;
}

Reply answer(const Kind& kind, json::Value body) {
  json::Object out;
  out.set(kind.answer, std::move(body));
  return out;
}

Reply keep(Request& request, const Kind& kind, json::Value body) {
  const Scope scope = request.regional("rds", kind.type);
  const std::string id = to_lower(request.text(kind.id_member));
  const std::string renamed = to_lower(request.text(kind.new_id_member));
  if (!renamed.empty() && renamed != id) {
    if (!request.input["ApplyImmediately"].bool_or(false)) {
      body.at_or_make("PendingModifiedValues").set(kind.id_member, renamed);
    } else {
      FIXPOINT_CHECK(check_identifier(kind.new_id_member, renamed));
      if (request.state.get(scope, renamed))
        return refuse(kind.type == "instance" ? "DBInstanceAlreadyExists" : "DBClusterAlreadyExistsFault", 400,
                      "There already is a " + std::string(kind.noun) + renamed + ".");
      request.state.erase(scope, id);
      body.set(kind.id_member, renamed);
      const std::string member = std::string(kind.answer) + "Arn";
      const std::string arn(body[member].string_or({}));
      body.set(member, arn.substr(0, arn.rfind(':') + 1) + renamed);
      request.state.put(scope, renamed, body);
      return answer(kind, std::move(body));
    }
  }
  request.state.put(scope, id, body);
  return answer(kind, std::move(body));
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
Reply modify_instance(Request& request) {
  FIXPOINT_TRY(found, find(request, instances));
  FIXPOINT_CHECK(check_settings(request));
  json::Value body = *found;
  const bool immediately = request.input["ApplyImmediately"].bool_or(false);
  if (const json::Value& storage = request.input["AllocatedStorage"];
      !storage.is_null() && storage.int_or(0) < body["AllocatedStorage"].int_or(0))
    return refuse("InvalidParameterCombination", 400, "Requested storage cannot be less than the current storage.");
  for (const Setting& setting : of_both)
    if (request.has(setting.input)) set(body, setting, request.input[setting.input], immediately);
  for (const Setting& setting : of_instance)
    if (request.has(setting.input)) set(body, setting, request.input[setting.input], immediately);
  if (request.has("BackupRetentionPeriod"))
    set(body, {"BackupRetentionPeriod", "BackupRetentionPeriod"}, request.input["BackupRetentionPeriod"], immediately);
  if (request.has("MaxAllocatedStorage")) body.set("MaxAllocatedStorage", request.input["MaxAllocatedStorage"]);
  if (request.has("DBPortNumber")) body.at_or_make("Endpoint").set("Port", request.input["DBPortNumber"]);
  if (request.has("DBParameterGroupName"))
    body.set("DBParameterGroups",
             json::Array{json::Object{{"DBParameterGroupName", request.input["DBParameterGroupName"]},
                                      {"ParameterApplyStatus", "pending-reboot"}}});
  if (request.has("OptionGroupName"))
    body.set("OptionGroupMemberships",
             json::Array{json::Object{{"OptionGroupName", request.input["OptionGroupName"]}, {"Status", "in-sync"}}});
  set_log_exports(request, body);
  set_security_groups(request, body);
  tidy(body);
  return keep(request, instances, std::move(body));
}

Reply modify_cluster(Request& request) {
  FIXPOINT_TRY(found, find(request, clusters));
  FIXPOINT_CHECK(check_settings(request));
  json::Value body = *found;
  const bool immediately = request.input["ApplyImmediately"].bool_or(false);
  for (const Setting& setting : of_both)
    if (request.has(setting.input)) set(body, setting, request.input[setting.input], immediately);
  for (const Setting& setting : of_cluster)
    if (request.has(setting.input)) set(body, setting, request.input[setting.input], immediately);
  if (request.has("BackupRetentionPeriod")) body.set("BackupRetentionPeriod", request.input["BackupRetentionPeriod"]);
  set_log_exports(request, body);
  set_security_groups(request, body);
  tidy(body);
  if (body["PendingModifiedValues"].size() == 0) body.as_object().erase("PendingModifiedValues");
  return keep(request, clusters, std::move(body));
}

// The restart is over at once; what waited for the window is there after it.
Reply reboot(Request& request) {
  FIXPOINT_TRY(found, find(request, instances));
  json::Value body = *found;
  const json::Value pending = body["PendingModifiedValues"];
  if (pending.is_object())
    for (const json::Member& member : pending.as_object())
      if (member.key != "DBInstanceIdentifier") body.set(member.key, member.value);
  body.set("PendingModifiedValues", json::Object());
  if (body["DBParameterGroups"].is_array())
    for (json::Value& group : body.as_object()["DBParameterGroups"].as_array())
      group.set("ParameterApplyStatus", "in-sync");
  request.state.put(request.regional("rds", "instance"), to_lower(request.text("DBInstanceIdentifier")), body);
  return answer(instances, std::move(body));
}

std::int64_t default_port(std::string_view engine) {
  if (engine.find("postgres") != std::string_view::npos) return 5432;
  if (engine.starts_with("oracle")) return 1521;
  if (engine.starts_with("sqlserver")) return 1433;
  if (engine.starts_with("db2")) return 50000;
  return 3306;
}

}  // namespace

Result<void> check_settings(const Request& request) {
  FIXPOINT_CHECK(check_windows(request));
  if (const json::Value& days = request.input["BackupRetentionPeriod"];
      !days.is_null() && (days.int_or(0) < 0 || days.int_or(0) > 35))
    return refuse("InvalidParameterValue", 400,
                  "Invalid backup retention period: " + std::to_string(days.int_or(0)) + ". Must be between 0 and 35");
  static constexpr std::int64_t seconds[] = {0, 1, 5, 10, 15, 30, 60};
  const json::Value& interval = request.input["MonitoringInterval"];
  if (!interval.is_null() &&
      std::find(std::begin(seconds), std::end(seconds), interval.int_or(-1)) == std::end(seconds))
    return refuse("InvalidParameterValue", 400,
                  "Invalid monitoring interval: " + std::to_string(interval.int_or(-1)) +
                      ". Must be one of 0, 1, 5, 10, 15, 30, 60");
  if (interval.int_or(0) > 0 && request.text("MonitoringRoleArn").empty())
    return refuse("InvalidParameterCombination", 400,
                  "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.");
  return {};
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (Port)
void with_endpoint(const Request& request, json::Value& body) {
  const std::string id(body["DBInstanceIdentifier"].string_or({}));
  body.set("Endpoint", json::Object{{"Address", id + ".c0ffee." + request.context.region + ".rds.amazonaws.com"},
                                    {"Port", request.input["Port"].int_or(default_port(body["Engine"].string_or({})))},
                                    {"HostedZoneId", "Z2R2ITUGPM61AM"}});
  set_security_groups(request, body);
  tidy(body);
}

void with_cluster_endpoint(const Request& request, json::Value& body) {
  const std::string id(body["DBClusterIdentifier"].string_or({}));
  const std::string place = "c0ffee." + request.context.region + ".rds.amazonaws.com";
  body.set("Endpoint", id + ".cluster-" + place);
  body.set("ReaderEndpoint", id + ".cluster-ro-" + place);
  body.set("Port", request.input["Port"].int_or(default_port(body["Engine"].string_or({}))));
  set_security_groups(request, body);
}

void add_modify(Services& services) {
  Operations table("rds", services);
  table.changes("ModifyDBInstance", modify_instance);
  table.changes("ModifyDBCluster", modify_cluster);
  table.changes("RebootDBInstance", reboot);
}

}  // namespace rds
}  // namespace fixpoint::sandbox
