#include <algorithm>

#include "sandbox/iam.h"

namespace fixpoint::sandbox::iam {
namespace {

// A group is {Group: as GetGroup gives it, Members: [user names], Attached: [policies]}.

Result<Document> named(Request& request, const char* type, const char* member) {
  const std::string_view name = request.text(member);
  Document found = request.state.get(request.global("iam", type), name);
  if (!found)
    return refuse("NoSuchEntity", 404,
                  std::string("The ") + type + " with name " + std::string(name) + " cannot be found.");
  return found;
}

bool has_member(const json::Value& group, const json::Value& user) {
  const json::Value& members = group["Members"];
  return members.is_array() &&
         std::find(members.as_array().begin(), members.as_array().end(), user) != members.as_array().end();
}

void save(Request& request, json::Value group) {
  request.state.put(request.global("iam", "group"), request.text("GroupName"), std::move(group));
}

Reply get_group(Request& request) {
  FIXPOINT_TRY(group, named(request, "group", "GroupName"));
  json::Array users;
  const json::Value& members = (*group)["Members"];
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Document user = request.state.get(request.global("iam", "user"), members[i].string_or({}));
    if (!user) continue;
    json::Object shown = (*user)["User"].as_object();
    shown.erase("Tags");
    users.emplace_back(std::move(shown));
  }
  return json::Object{{"Group", (*group)["Group"]}, {"Users", std::move(users)}, {"IsTruncated", false}};
}

// Adding one that is in it already is no error.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
Reply add_user(Request& request) {
  FIXPOINT_TRY(group, named(request, "group", "GroupName"));
  FIXPOINT_CHECK(named(request, "user", "UserName"));
  if (has_member(*group, request.input["UserName"])) return empty();
  json::Value body = *group;
  json::Value members = body["Members"].is_array() ? body["Members"] : json::Value(json::Array());
  members.push_back(request.input["UserName"]);
  body.set("Members", std::move(members));
  save(request, std::move(body));
  return empty();
}

Reply remove_user(Request& request) {
  FIXPOINT_TRY(group, named(request, "group", "GroupName"));
  FIXPOINT_CHECK(named(request, "user", "UserName"));
  if (!has_member(*group, request.input["UserName"])) return empty();
  json::Value body = *group;
  std::erase(body.at_or_make("Members").as_array(), request.input["UserName"]);
  if (body["Members"].size() == 0) body.as_object().erase("Members");
  save(request, std::move(body));
  return empty();
}

Reply groups_of_user(Request& request) {
  FIXPOINT_CHECK(named(request, "user", "UserName"));
  json::Array groups;
  request.state.each(request.global("iam", "group"), {}, {}, [&](std::string_view, const Document& body) {
    if (body && has_member(*body, request.input["UserName"])) groups.push_back((*body)["Group"]);
    return true;
  });
  return json::Object{{"Groups", std::move(groups)}, {"IsTruncated", false}};
}

}  // namespace

void add_groups(Operations& table) {
  table.reads("GetGroup", get_group);
  table.changes("AddUserToGroup", add_user);
  table.changes("RemoveUserFromGroup", remove_user);
  table.reads("ListGroupsForUser", groups_of_user);
}

}  // namespace fixpoint::sandbox::iam
