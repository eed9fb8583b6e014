#include "sandbox/rds.h"

#include "base/text.h"

namespace fixpoint::sandbox {
namespace {

using rds::refuse;

// Snapshots are made from two resources at once, which catalog/sandbox/rds.yaml cannot say; the rest is there.

struct Kind {
  std::string_view source_type;  // what is snapped
  std::string_view type;
  std::string_view source_member;
  std::string_view member;
  std::string_view answer;
  std::string_view arn_part;
  std::string_view source_missing;
  std::string_view missing;
  std::string_view exists;
};

constexpr Kind of_instance{
    "instance",  "snapshot",           "DBInstanceIdentifier", "DBSnapshotIdentifier",   "DBSnapshot",
    "snapshot:", "DBInstanceNotFound", "DBSnapshotNotFound",   "DBSnapshotAlreadyExists"};
constexpr Kind of_cluster{"cluster",
                          "cluster_snapshot",
                          "DBClusterIdentifier",
                          "DBClusterSnapshotIdentifier",
                          "DBClusterSnapshot",
                          "cluster-snapshot:",
                          "DBClusterNotFoundFault",
                          "DBClusterSnapshotNotFoundFault",
                          "DBClusterSnapshotAlreadyExistsFault"};

// Stores the snapshot under its new name. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html
Reply save(Request& request, const Kind& kind, const std::string& id, json::Value snapshot) {
  const Scope scope = request.regional("rds", kind.type);
  FIXPOINT_CHECK(rds::check_identifier(kind.member, id));
  if (request.state.get(scope, id))
    return refuse(kind.exists, 400,
                  "Cannot create the snapshot because a snapshot with the identifier " + id + " already exists.");
  snapshot.set(kind.member, id);
  snapshot.set(std::string(kind.answer) + "Arn", request.arn("rds", std::string(kind.arn_part) + id));
  snapshot.set("SnapshotCreateTime", request.now());
  snapshot.set("SnapshotType", "manual");
  snapshot.set("Status", "available");
  snapshot.as_object().erase("Restore");
  if (request.has("KmsKeyId") && !request.text("KmsKeyId").empty()) {
    FIXPOINT_TRY(key, rds::key_arn(request, request.text("KmsKeyId")));
    snapshot.set("KmsKeyId", key);
    snapshot.set(kind.type == "snapshot" ? "Encrypted" : "StorageEncrypted", true);
  }
  if (request.input["Tags"].size() > 0) snapshot.set("TagList", request.input["Tags"]);
  request.state.put(scope, id, snapshot);
  json::Object out;
  out.set(kind.answer, std::move(snapshot));
  return out;
}

Reply create(Request& request, const Kind& kind, const std::string& id) {
  const std::string source = to_lower(request.text(kind.source_member));
  const Document found = request.state.get(request.regional("rds", kind.source_type), source);
  if (!found)
    return refuse(kind.source_missing, 404,
                  (kind.source_type == "instance" ? "DBInstance " : "DBCluster ") + source + " not found.");
  json::Object snapshot;
  for (const auto member :
       {"Engine", "EngineVersion", "MasterUsername", "AllocatedStorage", "KmsKeyId", "AvailabilityZone",
        "DbiResourceId", "DbClusterResourceId", "IAMDatabaseAuthenticationEnabled"})
    if (!(*found)[member].is_null()) snapshot.set(member, (*found)[member]);
  snapshot.set(kind.source_member, source);
  snapshot.set(kind.type == "snapshot" ? "Encrypted" : "StorageEncrypted", (*found)["StorageEncrypted"].bool_or(false));
  snapshot.set("PercentProgress", 100);
  snapshot.set("TagList", json::Array());
  return save(request, kind, id, std::move(snapshot));
}

// The source is named by identifier or, as across regions, by ARN.
Reply copy(Request& request, const Kind& kind) {
  std::string source = to_lower(request.text("Source" + std::string(kind.member)));
  const auto at = source.rfind(std::string(kind.arn_part));
  if (source.substr(0, 4) == "arn:" && at != std::string::npos) source = source.substr(at + kind.arn_part.size());
  const Document found = request.state.get(request.regional("rds", kind.type), source);
  if (!found) return refuse(kind.missing, 404, std::string(kind.answer) + " " + source + " not found.");
  json::Value snapshot = *found;
  snapshot.set("Source" + std::string(kind.answer) + (kind.type == "snapshot" ? "Identifier" : "Arn"),
               (*found)[std::string(kind.answer) + "Arn"]);
  if (!request.input["CopyTags"].bool_or(false)) snapshot.set("TagList", json::Array());
  return save(request, kind, to_lower(request.text("Target" + std::string(kind.member))), std::move(snapshot));
}

}  // namespace

Result<void> rds::take_snapshot(Request& request, bool of_a_cluster, const std::string& id) {
  FIXPOINT_CHECK(create(request, of_a_cluster ? of_cluster : of_instance, id));
  return {};
}

void add_rds(Services& services) {
  Operations table("rds", services);
  table.changes("CreateDBSnapshot", [](Request& request) {
    return create(request, of_instance, to_lower(request.text("DBSnapshotIdentifier")));
  });
  table.changes("CreateDBClusterSnapshot", [](Request& request) {
    return create(request, of_cluster, to_lower(request.text("DBClusterSnapshotIdentifier")));
  });
  table.changes("CopyDBSnapshot", [](Request& request) { return copy(request, of_instance); });
  table.changes("CopyDBClusterSnapshot", [](Request& request) { return copy(request, of_cluster); });
  rds::add_describe(table);
  rds::add_modify(services);
  rds::add_members(services);
  rds::add_tags(services);
}

}  // namespace fixpoint::sandbox
