#include <algorithm>
#include <unordered_set>

#include "sandbox/ec2.h"
#include "sandbox/item_list.h"
#include "sandbox/kms.h"

namespace fixpoint::sandbox::ec2 {
namespace {

bool encrypts_by_default(Request& request) {
  const Document set = request.state.get(scope(request, "account"), "ebs-encryption");
  return set && set->bool_or(false);
}

Reply set_default(Request& request, bool enabled) {
  request.state.put(scope(request, "account"), "ebs-encryption", enabled);
  return json::Object{{"EbsEncryptionByDefault", enabled}};
}

Reply get_default_key(Request& request) {
  const Document set = request.state.get(scope(request, "account"), "ebs-key");
  return json::Object{{"KmsKeyId", set ? *set : json::Value("alias/aws/ebs")}};
}

Reply set_default_key(Request& request) {
  const auto key = kms::find_key(request, request.text("KmsKeyId"));
  if (!key) return refuse("InvalidKmsKey.InvalidState", key.error().message);
  request.state.put(scope(request, "account"), "ebs-key", kms::arn_of(**key));
  return json::Object{{"KmsKeyId", kms::arn_of(**key)}};
}

Reply reset_default_key(Request& request) {
  request.state.erase(scope(request, "account"), "ebs-key");
  return json::Object{{"KmsKeyId", "alias/aws/ebs"}};
}

// The key by its ARN; the account's default one where none is named. A key that is not there is kept as it is named:
// AWS makes such a volume too, and only fails it later.
std::string volume_key(Request& request, std::string_view name) {
  const Document set = request.state.get(scope(request, "account"), "ebs-key");
  const std::string wanted(!name.empty() ? name : set ? set->string_or({}) : "alias/aws/ebs");
  const auto key = kms::find_key(request, wanted);
  return key ? std::string(kms::arn_of(**key)) : wanted;
}

// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
Result<void> set_performance(const json::Value& given, json::Value& volume) {
  const std::string type(volume["VolumeType"].string_or({}));  // its own: what is set below moves the members
  const std::int64_t size = volume["Size"].int_or(0);
  if ((type == "io1" || type == "io2") && given["Iops"].is_null())
    return refuse("InvalidParameterDependency", "The parameter [VolumeType] requires the parameter Iops to be set.");
  if (!given["Iops"].is_null() && type != "io1" && type != "io2" && type != "gp3")
    return refuse("InvalidParameterCombination", "The parameter iops is not supported for " + type + " volumes.");
  if (!given["Iops"].is_null())
    volume.set("Iops", given["Iops"]);
  else if (type == "gp3")
    volume.set("Iops", 3000);
  else if (type == "gp2")
    volume.set("Iops", std::clamp<std::int64_t>(3 * size, 100, 16'000));
  if (type == "gp3") volume.set("Throughput", given["Throughput"].int_or(125));
  return {};
}

Reply create_volume(Request& request) {
  const bool named = request.has("AvailabilityZone");
  if (named == request.has("AvailabilityZoneId"))
    return named ? refuse("InvalidParameterCombination",
                          "The parameters AvailabilityZone and AvailabilityZoneId cannot be given together")
                 : refuse("MissingParameter",
                          "The request must contain the parameter AvailabilityZone or AvailabilityZoneId");
  const auto zone = zone_in(request);
  if (!zone)
    return refuse(
        "InvalidZone.NotFound",
        "The zone '" +
            std::string(request.text(request.has("AvailabilityZone") ? "AvailabilityZone" : "AvailabilityZoneId")) +
            "' does not exist.");
  FIXPOINT_TRY(volume, new_volume(request, request.input, *zone));
  FIXPOINT_TRY(tags, new_tags(request, "volume"));
  if (tags.size() > 0) volume.set("Tags", std::move(tags));
  request.state.put(scope(request, "volume"), volume["VolumeId"].string_or({}), volume);
  return volume;
}

std::optional<std::vector<std::string>> attachments_filter(std::string_view name, const json::Value& attachment) {
  return filter_members(name, attachment,
                        {{"instance-id", "InstanceId"},
                         {"device", "Device"},
                         {"status", "State"},
                         {"delete-on-termination", "DeleteOnTermination"}});
}

// A volume here is attached once at most.
std::optional<std::vector<std::string>> volume_filter(std::string_view name, const json::Value& it) {
  if (name.substr(0, 11) == "attachment.") {
    const json::Value& attachments = it["Attachments"];
    if (attachments.size() == 0) {
      static const json::Value none = json::Object();
      return attachments_filter(name.substr(11), none);
    }
    return attachments_filter(name.substr(11), attachments[0]);
  }
  return filter_members(name, it,
                        {{"volume-id", "VolumeId"},
                         {"status", "State"},
                         {"encrypted", "Encrypted"},
                         {"size", "Size"},
                         {"snapshot-id", "SnapshotId"},
                         {"availability-zone", "AvailabilityZone"},
                         {"multi-attach-enabled", "MultiAttachEnabled"},
                         {"volume-type", "VolumeType"}});
}

Reply describe_volumes(Request& request) {
  return describe(request, {.type = "volume",
                            .ids = "VolumeIds",
                            .into = "Volumes",
                            .id_prefix = "vol-",
                            .missing_code = "InvalidVolume.NotFound",
                            .malformed_code = "InvalidVolumeID.Malformed",
                            .noun = "volume",
                            .filters = volume_filter,
                            .show = {}});
}

Result<Document> volume_of(Request& request) {
  return resource_of(request, "volume", "VolumeId", "vol-", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed",
                     "volume");
}

Reply delete_volume(Request& request) {
  FIXPOINT_TRY(volume, volume_of(request));
  if ((*volume)["Attachments"].size() > 0)
    return refuse("VolumeInUse", "Volume " + std::string(request.text("VolumeId")) + " is currently attached");
  request.state.erase(scope(request, "volume"), request.text("VolumeId"));
  return empty();
}

json::Value shown_snapshot(const json::Value& snapshot) {
  json::Object out;
  for (const json::Member& member : snapshot.as_object())
    if (member.key != "Permissions") out.set(member.key, member.value);
  return out;
}

Reply create_snapshot(Request& request) {
  FIXPOINT_TRY(volume, volume_of(request));
  const std::string id = new_id("snap-");
  json::Value snapshot = json::Object{{"SnapshotId", id},
                                      {"VolumeId", request.input["VolumeId"]},
                                      {"VolumeSize", (*volume)["Size"]},
                                      {"State", "completed"},
                                      {"Progress", "100%"},
                                      {"StartTime", request.now()},
                                      {"OwnerId", request.context.account},
                                      {"Description", request.text("Description")},
                                      {"Encrypted", (*volume)["Encrypted"]},
                                      {"StorageTier", "standard"}};
  if (!(*volume)["KmsKeyId"].is_null()) snapshot.set("KmsKeyId", (*volume)["KmsKeyId"]);
  FIXPOINT_TRY(tags, new_tags(request, "snapshot"));
  if (tags.size() > 0) snapshot.set("Tags", std::move(tags));
  json::Value answer = snapshot;
  request.state.put(scope(request, "snapshot"), id, std::move(snapshot));
  return answer;
}

using Names = std::unordered_set<std::string_view>;

bool is_shared_with(const json::Value& snapshot, const Names& those) {
  const json::Value& permissions = snapshot["Permissions"];
  for (std::size_t i = 0; i < permissions.size(); ++i)
    for (const auto member : {"Group", "UserId"})
      if (permissions[i][member].is_string() && those.contains(permissions[i][member].as_string())) return true;
  return false;
}

// OwnerIds and RestorableByUserIds narrow the list down; an account sees its own snapshots only.
Reply describe_snapshots(Request& request) {
  FIXPOINT_TRY(answer, describe(request, {.type = "snapshot",
                                          .ids = "SnapshotIds",
                                          .into = "Snapshots",
                                          .id_prefix = "snap-",
                                          .missing_code = "InvalidSnapshot.NotFound",
                                          .malformed_code = "InvalidSnapshotID.Malformed",
                                          .noun = "snapshot",
                                          .filters =
                                              [](std::string_view name, const json::Value& it) {
                                                return filter_members(name, it,
                                                                      {{"snapshot-id", "SnapshotId"},
                                                                       {"volume-id", "VolumeId"},
                                                                       {"status", "State"},
                                                                       {"owner-id", "OwnerId"},
                                                                       {"encrypted", "Encrypted"},
                                                                       {"description", "Description"},
                                                                       {"volume-size", "VolumeSize"}});
                                              },
                                          .show = {}}));
  const Names owners = texts_in(request.input["OwnerIds"]);
  const Names restorable = texts_in(request.input["RestorableByUserIds"]);
  const auto names_owner_of = [](const Names& those, const json::Value& snapshot) {
    return those.empty() || those.contains("self") || those.contains(snapshot["OwnerId"].string_or({}));
  };
  json::Array kept;
  for (const json::Value& snapshot : answer["Snapshots"].as_array()) {
    const bool owned = names_owner_of(owners, snapshot);
    const bool open = names_owner_of(restorable, snapshot) || is_shared_with(snapshot, restorable);
    if (owned && open) kept.push_back(shown_snapshot(snapshot));
  }
  json::Value out = answer;
  out.set("Snapshots", std::move(kept));
  return out;
}

Result<Document> snapshot_of(Request& request) {
  return resource_of(request, "snapshot", "SnapshotId", "snap-", "InvalidSnapshot.NotFound",
                     "InvalidSnapshotID.Malformed", "snapshot");
}

Reply delete_snapshot(Request& request) {
  FIXPOINT_CHECK(snapshot_of(request));
  request.state.erase(scope(request, "snapshot"), request.text("SnapshotId"));
  return empty();
}

Reply describe_snapshot_attribute(Request& request) {
  FIXPOINT_TRY(snapshot, snapshot_of(request));
  json::Object out{{"SnapshotId", request.input["SnapshotId"]}};
  if (request.text("Attribute") == "productCodes") {
    out.set("ProductCodes", json::Array());
  } else {
    const json::Value& permissions = (*snapshot)["Permissions"];
    out.set("CreateVolumePermissions", permissions.is_array() ? permissions : json::Value(json::Array()));
  }
  return out;
}

// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
Result<void> check_shareable(Request& request, const json::Value& snapshot, const json::Array& with) {
  for (const json::Value& item : with)
    if (const std::string_view account = item["UserId"].string_or({});
        item["UserId"].is_string() &&
        (account.size() != 12 || account.find_first_not_of("0123456789") != std::string_view::npos))
      return refuse("InvalidParameterValue",
                    "Value (" + std::string(account) +
                        ") for parameter userId is invalid. Expecting an account id of 12 digits.");
  if (with.empty() || !snapshot["Encrypted"].bool_or(false)) return {};
  const auto key = kms::find_key(request, snapshot["KmsKeyId"].string_or("alias/aws/ebs"));
  if (!key || (**key)["Metadata"]["KeyManager"].string_or({}) == "AWS")
    return refuse("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared");
  for (const json::Value& item : with)
    if (item["Group"].is_string())
      return refuse("OperationNotPermitted", "Encrypted snapshots cannot be shared with everybody");
  return {};
}

// Both forms: CreateVolumePermission {Add, Remove}, or OperationType with UserIds and GroupNames.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html
Reply modify_snapshot_attribute(Request& request) {
  FIXPOINT_TRY(snapshot, snapshot_of(request));
  if (request.has("Attribute") && request.text("Attribute") != "createVolumePermission")
    return refuse("InvalidParameterValue",
                  "Value (" + std::string(request.text("Attribute")) + ") for parameter attribute is invalid.");
  json::Array add;
  json::Array remove;
  const json::Value& permission = request.input["CreateVolumePermission"];
  for (const auto& [member, into] : {std::pair{"Add", &add}, {"Remove", &remove}})
    for (std::size_t i = 0; i < permission[member].size(); ++i) into->push_back(permission[member][i]);
  json::Array& flat = request.text("OperationType") == "remove" ? remove : add;
  for (std::size_t i = 0; i < request.input["UserIds"].size(); ++i)
    flat.push_back(json::Object{{"UserId", request.input["UserIds"][i]}});
  for (std::size_t i = 0; i < request.input["GroupNames"].size(); ++i)
    flat.push_back(json::Object{{"Group", request.input["GroupNames"][i]}});
  if (add.empty() && remove.empty())
    return refuse("MissingParameter", "The request must contain an attribute to modify");
  for (const json::Value& item : add)
    if (item["Group"].is_string() && item["Group"].string_or({}) != "all")
      return refuse("InvalidParameterValue", "Value (" + std::string(item["Group"].string_or({})) +
                                                 ") for parameter group is invalid. The only group is all");
  FIXPOINT_CHECK(check_shareable(request, *snapshot, add));
  if (snapshot_blocking(request) != "unblocked")
    for (const json::Value& item : add)
      if (item["Group"].is_string())
        return refuse("OperationNotPermitted",
                      "You can't publicly share this snapshot because block public access for snapshots is enabled for "
                      "this account.");
  json::Value body = *snapshot;
  json::Value permissions = body["Permissions"];
  if (!permissions.is_array()) permissions = json::Array();
  auto& list = permissions.as_array();
  take_items(list, remove, {});
  put_items(list, std::move(add), {}, Same::Keep);
  body.set("Permissions", std::move(permissions));
  request.state.put(scope(request, "snapshot"), request.text("SnapshotId"), std::move(body));
  return empty();
}

}  // namespace

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html
Reply new_volume(Request& request, const json::Value& given, std::string_view zone) {
  const std::string source(given["SnapshotId"].string_or({}));
  const Document snapshot = request.state.get(scope(request, "snapshot"), source);
  if (!source.empty() && !snapshot)
    return refuse("InvalidSnapshot.NotFound", "The snapshot '" + source + "' does not exist.");
  const std::int64_t least = snapshot ? (*snapshot)["VolumeSize"].int_or(1) : 1;
  const json::Value& wanted = given["Size"].is_null() ? given["VolumeSize"] : given["Size"];
  const std::int64_t size = wanted.int_or(snapshot ? least : 0);
  if (wanted.is_null() && !snapshot)
    return refuse("MissingParameter", "The request must contain the parameter size/snapshotId");
  if (size < least)
    return refuse("InvalidParameterValue", "Volume of " + std::to_string(size) + "GiB is too small; minimum is " +
                                               std::to_string(least) + "GiB.");
  const bool encrypted = given["Encrypted"].bool_or(false) || encrypts_by_default(request) ||
                         (snapshot && (*snapshot)["Encrypted"].bool_or(false));
  if (!given["KmsKeyId"].is_null() && !encrypted)
    return refuse("InvalidParameterDependency", "The parameter [KmsKeyId] requires the parameter Encrypted to be set.");
  json::Value volume = json::Object{{"VolumeId", new_id("vol-")},
                                    {"Size", size},
                                    {"AvailabilityZone", zone},
                                    {"State", "available"},
                                    {"CreateTime", request.now()},
                                    {"VolumeType", given["VolumeType"].string_or("gp2")},
                                    {"SnapshotId", source},
                                    {"Encrypted", encrypted},
                                    {"MultiAttachEnabled", given["MultiAttachEnabled"].bool_or(false)},
                                    {"Attachments", json::Array()}};
  FIXPOINT_CHECK(set_performance(given, volume));
  if (encrypted) {
    std::string_view key = given["KmsKeyId"].string_or({});
    if (key.empty() && snapshot) key = (*snapshot)["KmsKeyId"].string_or({});
    volume.set("KmsKeyId", volume_key(request, key));
  }
  return volume;
}

void add_storage(Table& table) {
  table.reads("GetEbsEncryptionByDefault", [](Request& request) -> Reply {
    return json::Object{{"EbsEncryptionByDefault", encrypts_by_default(request)}};
  });
  table.changes("EnableEbsEncryptionByDefault", [](Request& request) { return set_default(request, true); });
  table.changes("DisableEbsEncryptionByDefault", [](Request& request) { return set_default(request, false); });
  table.reads("GetEbsDefaultKmsKeyId", get_default_key);
  table.changes("ModifyEbsDefaultKmsKeyId", set_default_key);
  table.changes("ResetEbsDefaultKmsKeyId", reset_default_key);
  table.changes("CreateVolume", create_volume);
  table.reads("DescribeVolumes", describe_volumes);
  table.changes("DeleteVolume", delete_volume);
  table.changes("CreateSnapshot", create_snapshot);
  table.reads("DescribeSnapshots", describe_snapshots);
  table.changes("DeleteSnapshot", delete_snapshot);
  table.reads("DescribeSnapshotAttribute", describe_snapshot_attribute);
  table.changes("ModifySnapshotAttribute", modify_snapshot_attribute);
}

}  // namespace fixpoint::sandbox::ec2
