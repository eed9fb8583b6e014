#include "sandbox/iam.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace iam {

// What of IAM is more than catalog/sandbox/iam.yaml can say.

tl::unexpected<Error> refuse(std::string code, int status, std::string message) {
  return fail(errors::coded(std::move(code), std::move(message), status));
}

Reply page(const Request& request, std::string_view into, json::Array items) {
  FIXPOINT_TRY(position, page_position(request.text("Marker"), "ValidationError", "Invalid Marker."));
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t first = std::clamp<std::int64_t>(to_int64(position).value_or(0), 0, size);
  const std::int64_t last = std::min(size, first + request.input["MaxItems"].int_or(100));
  json::Object out;
  out.set(into,
          json::Array(std::make_move_iterator(items.begin() + first), std::make_move_iterator(items.begin() + last)));
  out.set("IsTruncated", last < size);
  if (last < size) out.set("Marker", page_token(std::to_string(last)));
  return out;
}

namespace {

// The call replaces the policy: what it leaves out goes back to its default.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
Reply update_password_policy(Request& request) {
  json::Object policy{{"MinimumPasswordLength", request.input["MinimumPasswordLength"].int_or(6)}};
  for (const auto member : {"RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters",
                            "RequireLowercaseCharacters", "AllowUsersToChangePassword"})
    policy.set(member, request.input[member].bool_or(false));
  const std::int64_t age = request.input["MaxPasswordAge"].int_or(0);
  policy.set("ExpirePasswords", age > 0);
  if (age > 0) policy.set("MaxPasswordAge", age);
  for (const auto member : {"PasswordReusePrevention", "HardExpiry"})
    if (request.has(member)) policy.set(member, request.input[member]);
  request.state.put(request.global("iam", "password_policy"), "account", std::move(policy));
  return empty();
}

Result<json::Value> profile_of(Request& request) {
  const Document profile =
      request.state.get(request.global("iam", "instance_profile"), request.text("InstanceProfileName"));
  if (!profile)
    return refuse("NoSuchEntity", 404,
                  "Instance Profile " + std::string(request.text("InstanceProfileName")) + " cannot be found.");
  return *profile;
}

Reply set_role(Request& request, json::Value profile, json::Value role) {
  if (role.is_null())
    profile.as_object().erase("RoleName");
  else
    profile.set("RoleName", request.input["RoleName"]);
  profile.at_or_make("InstanceProfile").set("Roles", role.is_null() ? json::Array() : json::Array{std::move(role)});
  request.state.put(request.global("iam", "instance_profile"), request.text("InstanceProfileName"), std::move(profile));
  return empty();
}

// An instance profile has one role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
Reply add_role(Request& request) {
  FIXPOINT_TRY(profile, profile_of(request));
  const Document role = request.state.get(request.global("iam", "role"), request.text("RoleName"));
  if (!role)
    return refuse("NoSuchEntity", 404,
                  "The role with name " + std::string(request.text("RoleName")) + " cannot be found.");
  if (!profile["RoleName"].is_null())
    return refuse("LimitExceeded", 409, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  return set_role(request, profile, (*role)["Role"]);
}

Reply remove_role(Request& request) {
  FIXPOINT_TRY(profile, profile_of(request));
  if (!(profile["RoleName"] == request.input["RoleName"]))
    return refuse("NoSuchEntity", 404,
                  "The role with name " + std::string(request.text("RoleName")) + " cannot be found.");
  return set_role(request, profile, {});
}

Reply profiles_of_role(Request& request) {
  if (!request.state.get(request.global("iam", "role"), request.text("RoleName")))
    return refuse("NoSuchEntity", 404,
                  "The role with name " + std::string(request.text("RoleName")) + " cannot be found.");
  json::Array profiles;
  request.state.each(request.global("iam", "instance_profile"), {}, {}, [&](std::string_view, const Document& body) {
    if (body && (*body)["RoleName"] == request.input["RoleName"]) profiles.push_back((*body)["InstanceProfile"]);
    return true;
  });
  return page(request, "InstanceProfiles", std::move(profiles));
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
Reply virtual_mfa_devices(Request& request) {
  const std::string_view wanted = request.input["AssignmentStatus"].string_or("Any");
  json::Array devices;
  request.state.each(request.global("iam", "mfa_device"), {}, {}, [&](std::string_view, const Document& body) {
    if (!body) return true;
    const json::Value& name = (*body)["UserName"];
    if (wanted != "Any" && (wanted == "Assigned") == name.is_null()) return true;
    json::Object device{{"SerialNumber", (*body)["SerialNumber"]}};
    if (!name.is_null()) {
      device.set("EnableDate", (*body)["EnableDate"]);
      if (const Document user = request.state.get(request.global("iam", "user"), name.string_or({})))
        device.set("User", (*user)["User"]);
    }
    devices.emplace_back(std::move(device));
    return true;
  });
  return page(request, "VirtualMFADevices", std::move(devices));
}

}  // namespace
}  // namespace iam

void add_iam(Services& services) {
  Operations table("iam", services);
  table.changes("UpdateAccountPasswordPolicy", iam::update_password_policy);
  table.changes("AddRoleToInstanceProfile", iam::add_role);
  table.changes("RemoveRoleFromInstanceProfile", iam::remove_role);
  table.reads("ListInstanceProfilesForRole", iam::profiles_of_role);
  table.reads("ListVirtualMFADevices", iam::virtual_mfa_devices);
  iam::add_checks(services);
  iam::add_policies(table);
  iam::add_groups(table);
}

}  // namespace fixpoint::sandbox
