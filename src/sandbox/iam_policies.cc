#include <algorithm>

#include "base/text.h"
#include "sandbox/iam.h"
#include "sandbox/policy_document.h"

namespace fixpoint::sandbox::iam {
namespace {

// A managed policy is {Policy: as GetPolicy gives it, Versions: [as GetPolicyVersion does], LastVersion: number}. The
// numbers are not used again: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
constexpr std::size_t versions_a_policy = 5;

Scope policies(const Request& request) {
  return request.global("iam", "policy");
}

Result<json::Value> policy_of(Request& request) {
  const std::string_view arn = request.text("PolicyArn");
  const Document policy = request.state.get(policies(request), arn);
  if (!policy) return refuse("NoSuchEntity", 404, "Policy " + std::string(arn) + " was not found.");
  return *policy;
}

void save(Request& request, json::Value policy) {
  const std::string arn(policy["Policy"]["Arn"].string_or({}));
  request.state.put(policies(request), arn, std::move(policy));
}

json::Value* version_in(json::Value& policy, std::string_view id) {
  for (json::Value& version : policy.at_or_make("Versions").as_array())
    if (version["VersionId"].string_or({}) == id) return &version;
  return nullptr;
}

tl::unexpected<Error> no_version(const Request& request) {
  return refuse("NoSuchEntity", 404,
                "Policy " + std::string(request.text("PolicyArn")) + " version " +
                    std::string(request.text("VersionId")) + " does not exist or is not attachable.");
}

void set_default(Request& request, json::Value& policy, std::string_view id) {
  for (json::Value& version : policy.at_or_make("Versions").as_array())
    version.set("IsDefaultVersion", version["VersionId"].string_or({}) == id);
  policy.at_or_make("Policy").set("DefaultVersionId", id);
  policy.at_or_make("Policy").set("UpdateDate", request.now());
}

json::Value described(const json::Value& version, bool with_document) {
  json::Object out = version.as_object();
  if (!with_document) out.erase("Document");
  return out;
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
Reply create_version(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  if (const auto fault = policy_fault(request.text("PolicyDocument"), PolicyKind::Identity))
    return refuse("MalformedPolicyDocument", 400, *fault);
  if (policy["Versions"].size() >= versions_a_policy)
    return refuse("LimitExceeded", 409,
                  "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                  "existing version.");
  const std::int64_t number = policy["LastVersion"].int_or(1) + 1;
  const std::string id = "v" + std::to_string(number);
  policy.at_or_make("Versions")
      .push_back(json::Object{{"VersionId", id},
                              {"IsDefaultVersion", false},
                              {"CreateDate", request.now()},
                              {"Document", uri_encode(request.text("PolicyDocument"))}});
  policy.set("LastVersion", number);
  if (request.input["SetAsDefault"].bool_or(false)) set_default(request, policy, id);
  json::Value answer = json::Object{{"PolicyVersion", described(*version_in(policy, id), false)}};
  save(request, std::move(policy));
  return answer;
}

Reply get_version(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  const json::Value* version = version_in(policy, request.text("VersionId"));
  if (version == nullptr) return no_version(request);
  return json::Object{{"PolicyVersion", described(*version, true)}};
}

Reply list_versions(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  json::Array list;
  for (const json::Value& version : policy["Versions"].as_array()) list.push_back(described(version, false));
  return page(request, "Versions", std::move(list));
}

// `arn:aws:iam::111122223333:policy/ops/read` has the path /ops/.
std::string_view path_of(std::string_view arn) {
  const auto first = arn.find('/');
  return first == std::string_view::npos ? "/" : arn.substr(first, arn.rfind('/') + 1 - first);
}

// Scope=AWS asks for the policies that AWS manages, of which none are kept here.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
Reply list_policies(Request& request) {
  const std::string_view prefix = request.text("PathPrefix");
  const std::string_view usage = request.text("PolicyUsageFilter");
  const char* counted = usage == "PermissionsBoundary" ? "PermissionsBoundaryUsageCount" : "AttachmentCount";
  const bool only_used = request.input["OnlyAttached"].bool_or(false) || !usage.empty();
  json::Array list;
  request.state.each(policies(request), {}, {}, [&](std::string_view, const Document& body) {
    if (!body || request.text("Scope") == "AWS") return true;
    const json::Value& policy = (*body)["Policy"];
    if (policy["Path"].string_or({}).substr(0, prefix.size()) != prefix) return true;
    if (only_used && policy[counted].int_or(0) == 0) return true;
    json::Object item = policy.as_object();
    for (const auto member : {"Description", "Tags"}) item.erase(member);
    list.emplace_back(std::move(item));
    return true;
  });
  return page(request, "Policies", std::move(list));
}

Reply set_default_version(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  if (version_in(policy, request.text("VersionId")) == nullptr) return no_version(request);
  set_default(request, policy, request.text("VersionId"));
  save(request, std::move(policy));
  return empty();
}

Reply delete_version(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  const json::Value* version = version_in(policy, request.text("VersionId"));
  if (version == nullptr) return no_version(request);
  if ((*version)["IsDefaultVersion"].bool_or(false))
    return refuse("DeleteConflict", 409, "Cannot delete the default version of a policy.");
  std::erase_if(policy.at_or_make("Versions").as_array(),
                [&](const json::Value& each) { return each["VersionId"] == request.input["VersionId"]; });
  save(request, std::move(policy));
  return empty();
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
Reply delete_policy(Request& request) {
  FIXPOINT_TRY(policy, policy_of(request));
  if (policy["Policy"]["AttachmentCount"].int_or(0) > 0)
    return refuse("DeleteConflict", 409, "Cannot delete a policy attached to entities.");
  if (policy["Versions"].size() > 1)
    return refuse("DeleteConflict", 409,
                  "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                  "versions. The default version is deleted with the policy.");
  request.state.erase(policies(request), request.text("PolicyArn"));
  return empty();
}

// A role, user or group that policies are attached to.
struct Entity {
  const char* type;
  const char* member;  // of the input, that names it
};

Result<json::Value> entity_of(Request& request, const Entity& entity) {
  const std::string_view name = request.text(entity.member);
  const Document found = request.state.get(request.global("iam", entity.type), name);
  if (!found)
    return refuse("NoSuchEntity", 404,
                  std::string("The ") + entity.type + " with name " + std::string(name) + " cannot be found.");
  return *found;
}

void count(Request& request, std::int64_t by) {
  const Document found = request.state.get(policies(request), request.text("PolicyArn"));
  if (!found) return;
  json::Value policy = *found;
  const std::int64_t was = policy["Policy"]["AttachmentCount"].int_or(0);
  policy.at_or_make("Policy").set("AttachmentCount", std::max<std::int64_t>(0, was + by));
  save(request, std::move(policy));
}

bool is_attached(const json::Value& entity, const json::Value& arn) {
  const json::Value& attached = entity["Attached"];
  for (std::size_t i = 0; i < attached.size(); ++i)
    if (attached[i]["PolicyArn"] == arn) return true;
  return false;
}

// The policies that AWS manages are taken to be there, whatever their names.
Reply attach(Request& request, const Entity& entity) {
  FIXPOINT_TRY(body, entity_of(request, entity));
  const std::string arn(request.text("PolicyArn"));
  if (arn.find(":iam::aws:policy/") == std::string::npos && !request.state.get(policies(request), arn))
    return refuse("NoSuchEntity", 404, "Policy " + arn + " does not exist or is not attachable.");
  if (is_attached(body, request.input["PolicyArn"])) return empty();
  json::Value attached = body["Attached"].is_array() ? body["Attached"] : json::Value(json::Array());
  attached.push_back(json::Object{{"PolicyName", arn.substr(arn.rfind('/') + 1)}, {"PolicyArn", arn}});
  body.set("Attached", std::move(attached));
  request.state.put(request.global("iam", entity.type), request.text(entity.member), std::move(body));
  count(request, 1);
  return empty();
}

Reply detach(Request& request, const Entity& entity) {
  FIXPOINT_TRY(body, entity_of(request, entity));
  if (!is_attached(body, request.input["PolicyArn"]))
    return refuse("NoSuchEntity", 404, "Policy " + std::string(request.text("PolicyArn")) + " was not found.");
  auto& attached = body.at_or_make("Attached").as_array();
  std::erase_if(attached, [&](const json::Value& each) { return each["PolicyArn"] == request.input["PolicyArn"]; });
  if (attached.empty()) body.as_object().erase("Attached");
  request.state.put(request.global("iam", entity.type), request.text(entity.member), std::move(body));
  count(request, -1);
  return empty();
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
Reply attached_policies(Request& request, const Entity& entity) {
  FIXPOINT_TRY(body, entity_of(request, entity));
  const std::string_view prefix = request.text("PathPrefix");
  const json::Value& attached = body["Attached"];
  json::Array list;
  for (std::size_t i = 0; i < attached.size(); ++i)
    if (path_of(attached[i]["PolicyArn"].string_or({})).substr(0, prefix.size()) == prefix) list.push_back(attached[i]);
  return page(request, "AttachedPolicies", std::move(list));
}

struct EntityList {
  const char* type;
  const char* list;  // of the answer
  const char* name;  // before Name and Id, and of EntityFilter
};
constexpr EntityList entity_lists[] = {
    {"role", "PolicyRoles", "Role"}, {"user", "PolicyUsers", "User"}, {"group", "PolicyGroups", "Group"}};

// Without PolicyUsageFilter also those whose boundary the policy is.
bool is_used_by(const Request& request, const json::Value& entity, const char* name) {
  const std::string_view usage = request.text("PolicyUsageFilter");
  const json::Value& arn = request.input["PolicyArn"];
  if (usage != "PermissionsBoundary" && is_attached(entity, arn)) return true;
  return usage != "PermissionsPolicy" && entity[name]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn;
}

// A page is of the three lists together: roles, then users, then groups.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
Reply entities_of_policy(Request& request) {
  const std::string_view filter = request.text("EntityFilter");
  const bool of_aws = request.text("PolicyArn").find(":iam::aws:policy/") != std::string_view::npos;
  if (!of_aws) FIXPOINT_CHECK(policy_of(request));
  const bool any_entity = filter.empty() || filter == (of_aws ? "AWSManagedPolicy" : "LocalManagedPolicy");
  const std::string_view prefix = request.text("PathPrefix");
  json::Array found;  // {list, entity}
  for (const EntityList& kind : entity_lists) {
    if (!any_entity && filter != kind.name) continue;
    const std::string name(kind.name);
    request.state.each(request.global("iam", kind.type), {}, {}, [&](std::string_view, const Document& body) {
      if (!body || !is_used_by(request, *body, kind.name)) return true;
      const json::Value& entity = (*body)[name];
      if (!entity["Path"].string_or("/").starts_with(prefix)) return true;
      found.push_back(json::Object{
          {"List", kind.list},
          {"Entity", json::Object{{name + "Name", entity[name + "Name"]}, {name + "Id", entity[name + "Id"]}}}});
      return true;
    });
  }
  FIXPOINT_TRY(out, page(request, "Page", std::move(found)));
  json::Object lists;
  for (const EntityList& kind : entity_lists) lists.set(kind.list, json::Array());
  for (const json::Value& item : out["Page"].as_array())
    lists.find(item["List"].as_string())->push_back(item["Entity"]);
  out.as_object().erase("Page");
  for (json::Member& member : lists) out.set(member.key, std::move(member.value));
  return out;
}

}  // namespace

void add_policies(Operations& table) {
  table.changes("CreatePolicyVersion", create_version);
  table.reads("GetPolicyVersion", get_version);
  table.reads("ListPolicies", list_policies);
  table.reads("ListPolicyVersions", list_versions);
  table.changes("SetDefaultPolicyVersion", set_default_version);
  table.changes("DeletePolicyVersion", delete_version);
  table.changes("DeletePolicy", delete_policy);
  table.reads("ListEntitiesForPolicy", entities_of_policy);
  static constexpr std::pair<const char*, Entity> entities[] = {
      {"Role", {"role", "RoleName"}}, {"User", {"user", "UserName"}}, {"Group", {"group", "GroupName"}}};
  for (const auto& [name, entity] : entities) {
    table.changes("Attach" + std::string(name) + "Policy",
                  [entity](Request& request) { return attach(request, entity); });
    table.changes("Detach" + std::string(name) + "Policy",
                  [entity](Request& request) { return detach(request, entity); });
    table.reads("ListAttached" + std::string(name) + "Policies",
                [entity](Request& request) { return attached_policies(request, entity); });
  }
}

}  // namespace fixpoint::sandbox::iam
