#include <algorithm>

#include "base/text.h"
#include "sandbox/kms.h"
#include "sandbox/rds.h"

namespace fixpoint::sandbox::rds {
namespace {

// How instances and clusters begin and end: what the templates of catalog/sandbox/rds.yaml cannot say about it.

Scope instances(const Request& request) {
  return request.regional("rds", "instance");
}

Scope clusters(const Request& request) {
  return request.regional("rds", "cluster");
}

// The key by its ARN, whatever named it; the one that AWS manages where none is named.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
Result<void> set_key(Request& request, json::Value& body) {
  if (!body["StorageEncrypted"].bool_or(false)) {
    body.as_object().erase("KmsKeyId");
    return {};
  }
  FIXPOINT_TRY(arn, key_arn(request, body["KmsKeyId"].string_or("alias/aws/rds")));
  body.set("KmsKeyId", arn);
  return {};
}

void change_members(Request& request, const std::string& cluster, const std::function<void(json::Array&)>& change) {
  const Document found = request.state.get(clusters(request), cluster);
  if (!found) return;
  json::Value body = *found;
  json::Value& members = body.at_or_make("DBClusterMembers");
  if (!members.is_array()) members = json::Array();
  change(members.as_array());
  request.state.put(clusters(request), cluster, std::move(body));
}

// An instance of a cluster has the cluster's storage; the first one writes.
Result<void> join(Request& request, json::Value& body) {
  const std::string cluster = to_lower(request.text("DBClusterIdentifier"));
  if (cluster.empty()) return {};
  const Document found = request.state.get(clusters(request), cluster);
  if (!found)
    return refuse("DBClusterNotFoundFault", 404,
                  "The source cluster could not be found or cannot be accessed: " + cluster);
  body.set("DBClusterIdentifier", cluster);
  for (const auto member : {"StorageEncrypted", "KmsKeyId", "EngineVersion", "MasterUsername"})
    if (!(*found)[member].is_null()) body.set(member, (*found)[member]);
  change_members(request, cluster, [&](json::Array& members) {
    members.push_back(json::Object{{"DBInstanceIdentifier", body["DBInstanceIdentifier"]},
                                   {"IsClusterWriter", members.empty()},
                                   {"DBClusterParameterGroupStatus", "in-sync"},
                                   {"PromotionTier", body["PromotionTier"]}});
  });
  return {};
}

Reply create_instance(Request& request, const Operations::Function& declared) {
  FIXPOINT_CHECK(check_identifier("DBInstanceIdentifier", request.text("DBInstanceIdentifier")));
  FIXPOINT_CHECK(check_new_instance(request));
  FIXPOINT_CHECK(check_settings(request));
  FIXPOINT_TRY(made, declared(request));
  json::Value body = made["DBInstance"];
  FIXPOINT_CHECK(join(request, body));
  FIXPOINT_CHECK(set_key(request, body));
  with_engine(body);
  // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (StorageType)
  if (body["StorageType"].is_null())
    body.set("StorageType", !body["DBClusterIdentifier"].is_null() ? "aurora" : body["Iops"].is_null() ? "gp3" : "io1");
  with_endpoint(request, body);
  request.state.put(instances(request), body["DBInstanceIdentifier"].string_or({}), body);
  return json::Object{{"DBInstance", std::move(body)}};
}

Reply create_cluster(Request& request, const Operations::Function& declared) {
  FIXPOINT_CHECK(check_identifier("DBClusterIdentifier", request.text("DBClusterIdentifier")));
  FIXPOINT_CHECK(check_engine(request));
  FIXPOINT_CHECK(check_settings(request));
  FIXPOINT_TRY(made, declared(request));
  json::Value body = made["DBCluster"];
  FIXPOINT_CHECK(set_key(request, body));
  with_engine(body);
  with_cluster_endpoint(request, body);
  request.state.put(clusters(request), body["DBClusterIdentifier"].string_or({}), body);
  return json::Object{{"DBCluster", std::move(body)}};
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html (SkipFinalSnapshot)
Result<void> take_final_snapshot(Request& request, bool of_cluster) {
  const std::string id = to_lower(request.text("FinalDBSnapshotIdentifier"));
  if (request.input["SkipFinalSnapshot"].bool_or(false)) {
    if (id.empty()) return {};
    return refuse("InvalidParameterCombination", 400,
                  "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified.");
  }
  if (id.empty())
    return refuse("InvalidParameterCombination", 400,
                  "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
  FIXPOINT_CHECK(check_identifier("FinalDBSnapshotIdentifier", id));
  return take_snapshot(request, of_cluster, id);
}

// The storage of a cluster's instance is the cluster's: there is no snapshot to take of it.
Reply delete_instance(Request& request, const Operations::Function& declared) {
  const std::string id = to_lower(request.text("DBInstanceIdentifier"));
  const Document found = request.state.get(instances(request), id);
  const std::string cluster(found ? (*found)["DBClusterIdentifier"].string_or({}) : std::string_view());
  if (found && cluster.empty() && !(*found)["DeletionProtection"].bool_or(false))
    FIXPOINT_CHECK(take_final_snapshot(request, false));
  FIXPOINT_TRY(answer, declared(request));
  if (!cluster.empty())
    change_members(request, cluster, [&](json::Array& members) {
      std::erase_if(members, [&](const json::Value& one) { return one["DBInstanceIdentifier"].string_or({}) == id; });
      if (!members.empty()) members.front().set("IsClusterWriter", true);
    });
  return answer;
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBCluster.html
Reply delete_cluster(Request& request, const Operations::Function& declared) {
  const Document found = request.state.get(clusters(request), to_lower(request.text("DBClusterIdentifier")));
  if (found && !(*found)["DeletionProtection"].bool_or(false)) {
    if ((*found)["DBClusterMembers"].size() > 0)
      return refuse("InvalidDBClusterStateFault", 400,
                    "Cluster cannot be deleted, it still contains DB instances in non-deleting state.");
    FIXPOINT_CHECK(take_final_snapshot(request, true));
  }
  return declared(request);
}

}  // namespace

tl::unexpected<Error> refuse(std::string_view code, int status, std::string message) {
  return fail(errors::coded(std::string(code), std::move(message), status));
}

// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.Constraints
Result<void> check_identifier(std::string_view member, std::string_view id) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool fits =
      !id.empty() && id.size() <= 255 && is_letter(id.front()) && id.back() != '-' &&
      id.find("--") == std::string_view::npos &&
      std::all_of(id.begin(), id.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
  if (fits) return {};
  return refuse("InvalidParameterValue", 400,
                "The parameter " + std::string(member) +
                    " is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
                    "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");
}

Result<std::string> key_arn(Request& request, std::string_view name) {
  const auto key = kms::find_key(request, name);
  if (!key)
    return refuse("KMSKeyNotAccessibleFault", 400,
                  "The specified KMS key [" + std::string(name) +
                      "] does not exist, is not enabled or you do not have "
                      "permissions to access it.");
  return std::string(kms::arn_of(**key));
}

void add_members(Services& services) {
  Operations table("rds", services);
  using Step = Reply (*)(Request&, const Operations::Function&);
  for (const auto& [name, work] : {std::pair<const char*, Step>{"CreateDBInstance", create_instance},
                                   {"CreateDBCluster", create_cluster},
                                   {"DeleteDBInstance", delete_instance},
                                   {"DeleteDBCluster", delete_cluster}})
    table.changes(name, [step = work, declared = services["rds"].find(name)->second.run](Request& request) {
      return step(request, declared);
    });
}

}  // namespace fixpoint::sandbox::rds
