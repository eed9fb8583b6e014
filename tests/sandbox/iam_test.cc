#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(Iam, a_user_has_keys_and_a_login_profile) {
  Accounts aws;
  const auto user = aws.ok("iam:CreateUser", "{UserName: ann, Path: /ops/}")["User"];
  EXPECT_EQ(user["Arn"], "arn:aws:iam::111111111111:user/ops/ann");
  EXPECT_EQ(aws.call("iam:GetUser", "{UserName: ann}", "111111111111", "eu-west-1")
                ->find("User")
                ->find("UserId")
                ->as_string(),
            user["UserId"].as_string());
  EXPECT_EQ(aws.code("iam:GetUser", "{UserName: ann}", "222222222222"), "NoSuchEntity");
  EXPECT_EQ(aws.error("iam:CreateUser", "{UserName: ann}"),
            (Error{"EntityAlreadyExists", "User with name ann already exists.", {}, false, 409}));
  const auto key = aws.ok("iam:CreateAccessKey", "{UserName: ann}")["AccessKey"];
  const std::string id = key["AccessKeyId"].as_string();
  EXPECT_EQ(key["SecretAccessKey"].as_string().size(), 40u);
  aws.ok("iam:UpdateAccessKey", "{UserName: ann, AccessKeyId: " + id + ", Status: Inactive}");
  const auto listed = aws.ok("iam:ListAccessKeys", "{UserName: ann}");
  EXPECT_EQ(listed["AccessKeyMetadata"][0]["Status"], "Inactive");
  EXPECT_TRUE(listed["AccessKeyMetadata"][0]["SecretAccessKey"].is_null());
  EXPECT_EQ(listed["IsTruncated"], false);
  EXPECT_EQ(aws.code("iam:UpdateAccessKey", "{UserName: bob, AccessKeyId: " + id + ", Status: Active}"),
            "NoSuchEntity");
  EXPECT_EQ(aws.ok("iam:GetAccessKeyLastUsed", "{AccessKeyId: " + id + "}")["UserName"], "ann");
  aws.ok("iam:CreateLoginProfile", "{UserName: ann, Password: x}");
  EXPECT_EQ(aws.ok("iam:GetLoginProfile", "{UserName: ann}")["LoginProfile"]["UserName"], "ann");
  EXPECT_EQ(aws.code("iam:DeleteUser", "{UserName: ann}"), "DeleteConflict");
  aws.ok("iam:DeleteLoginProfile", "{UserName: ann}");
  EXPECT_EQ(aws.error("iam:GetLoginProfile", "{UserName: ann}").message, "Login Profile for User ann cannot be found.");
  EXPECT_EQ(aws.error("iam:DeleteUser", "{UserName: ann}").message,
            "Cannot delete entity, must delete access keys first.");
  aws.ok("iam:DeleteAccessKey", "{UserName: ann, AccessKeyId: " + id + "}");
  aws.ok("iam:DeleteUser", "{UserName: ann}");
  EXPECT_EQ(aws.ok("iam:ListUsers")["Users"].size(), 0u);
}

TEST(Iam, the_password_policy_is_replaced_whole) {
  Accounts aws;
  EXPECT_EQ(aws.error("iam:GetAccountPasswordPolicy").message,
            "The Password Policy with domain name 111111111111 cannot be found.");
  aws.ok("iam:UpdateAccountPasswordPolicy", "{MinimumPasswordLength: 14, RequireSymbols: true, MaxPasswordAge: 90}");
  EXPECT_EQ(aws.ok("iam:GetAccountPasswordPolicy")["PasswordPolicy"]["ExpirePasswords"], true);
  aws.ok("iam:UpdateAccountPasswordPolicy", "{RequireNumbers: true}");
  EXPECT_EQ(
      aws.ok("iam:GetAccountPasswordPolicy")["PasswordPolicy"],
      yaml("{MinimumPasswordLength: 6, RequireSymbols: false, RequireNumbers: true, RequireUppercaseCharacters: false, "
           "RequireLowercaseCharacters: false, AllowUsersToChangePassword: false, ExpirePasswords: false}"));
  aws.ok("iam:DeleteAccountPasswordPolicy");
  EXPECT_EQ(aws.code("iam:DeleteAccountPasswordPolicy"), "NoSuchEntity");
}

TEST(Iam, roles_policies_and_instance_profiles_hang_together) {
  Accounts aws;
  EXPECT_EQ(aws.ok("iam:CreateRole", "{RoleName: app, AssumeRolePolicyDocument: '{}'}")["Role"]["MaxSessionDuration"],
            3600);
  const auto arn = aws.ok("iam:CreatePolicy", "{PolicyName: read, PolicyDocument: '{}'}")["Policy"]["Arn"].as_string();
  EXPECT_EQ(arn, "arn:aws:iam::111111111111:policy/read");
  EXPECT_EQ(aws.code("iam:CreatePolicy", "{PolicyName: read, PolicyDocument: '{}'}"), "EntityAlreadyExists");
  aws.ok("iam:AttachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}");
  aws.ok("iam:AttachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}");
  EXPECT_EQ(aws.ok("iam:ListAttachedRolePolicies", "{RoleName: app}")["AttachedPolicies"],
            yaml("[{PolicyName: read, PolicyArn: '" + arn + "'}]"));
  EXPECT_EQ(aws.code("iam:DeletePolicy", "{PolicyArn: '" + arn + "'}"), "DeleteConflict");
  aws.ok("iam:PutRolePolicy", "{RoleName: app, PolicyName: inline, PolicyDocument: '{}'}");
  EXPECT_EQ(aws.ok("iam:ListRolePolicies", "{RoleName: app}")["PolicyNames"], yaml("[inline]"));
  EXPECT_EQ(aws.code("iam:DeleteRole", "{RoleName: app}"), "DeleteConflict");
  aws.ok("iam:CreateInstanceProfile", "{InstanceProfileName: p}");
  aws.ok("iam:AddRoleToInstanceProfile", "{InstanceProfileName: p, RoleName: app}");
  EXPECT_EQ(aws.ok("iam:GetInstanceProfile", "{InstanceProfileName: p}")["InstanceProfile"]["Roles"][0]["RoleName"],
            "app");
  EXPECT_EQ(aws.code("iam:AddRoleToInstanceProfile", "{InstanceProfileName: p, RoleName: app}"), "LimitExceeded");
  EXPECT_EQ(aws.ok("iam:ListInstanceProfilesForRole", "{RoleName: app}")["InstanceProfiles"].size(), 1u);
  aws.ok("iam:DetachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}");
  EXPECT_EQ(aws.code("iam:DetachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}"), "NoSuchEntity");
  aws.ok("iam:DeleteRolePolicy", "{RoleName: app, PolicyName: inline}");
  EXPECT_EQ(aws.error("iam:DeleteRole", "{RoleName: app}").message,
            "Cannot delete entity, must remove roles from instance profile first.");
  aws.ok("iam:RemoveRoleFromInstanceProfile", "{InstanceProfileName: p, RoleName: app}");
  aws.ok("iam:DeleteInstanceProfile", "{InstanceProfileName: p}");
  aws.ok("iam:DeleteRole", "{RoleName: app}");
  aws.ok("iam:DeletePolicy", "{PolicyArn: '" + arn + "'}");
}

TEST(Iam, a_policy_has_up_to_five_versions_whose_numbers_are_given_once) {
  Accounts aws;
  const auto arn =
      aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '{\"a\": 1}'}")["Policy"]["Arn"].as_string();
  const auto of = [&](const std::string& more) { return "{PolicyArn: '" + arn + "'" + more + "}"; };
  // As in a URL, for so IAM gives documents.
  EXPECT_EQ(aws.ok("iam:GetPolicyVersion", of(", VersionId: v1"))["PolicyVersion"]["Document"], "%7B%22a%22%3A%201%7D");
  for (const auto* id : {"v2", "v3", "v4", "v5"})
    EXPECT_EQ(aws.ok("iam:CreatePolicyVersion", of(", PolicyDocument: '{}'"))["PolicyVersion"]["VersionId"], id);
  EXPECT_EQ(aws.error("iam:CreatePolicyVersion", of(", PolicyDocument: '{}'")).code, "LimitExceeded");
  EXPECT_EQ(aws.error("iam:DeletePolicyVersion", of(", VersionId: v1")),
            (Error{"DeleteConflict", "Cannot delete the default version of a policy.", {}, false, 409}));
  aws.ok("iam:SetDefaultPolicyVersion", of(", VersionId: v3"));
  EXPECT_EQ(aws.ok("iam:GetPolicy", of(""))["Policy"]["DefaultVersionId"], "v3");
  aws.ok("iam:DeletePolicyVersion", of(", VersionId: v5"));
  EXPECT_EQ(
      aws.ok("iam:CreatePolicyVersion", of(", PolicyDocument: '{}', SetAsDefault: true"))["PolicyVersion"]["VersionId"],
      "v6");
  EXPECT_EQ(aws.ok("iam:ListPolicyVersions", of(""))["Versions"].size(), 5u);
  for (const auto* operation : {"GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"})
    EXPECT_EQ(aws.error(std::string("iam:") + operation, of(", VersionId: v5")).message,
              "Policy " + arn + " version v5 does not exist or is not attachable.");
  EXPECT_EQ(aws.error("iam:DeletePolicy", of("")).code, "DeleteConflict");
  for (const auto* id : {"v1", "v2", "v3", "v4"})
    aws.ok("iam:DeletePolicyVersion", of(", VersionId: " + std::string(id)));
  aws.ok("iam:DeletePolicy", of(""));
  EXPECT_EQ(aws.code("iam:ListPolicyVersions", of("")), "NoSuchEntity");
}

TEST(Iam, a_policy_knows_what_it_is_attached_to) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  aws.ok("iam:CreateGroup", "{GroupName: ops}");
  const auto arn = aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '{}'}")["Policy"]["Arn"].as_string();
  aws.ok("iam:AttachUserPolicy", "{UserName: ann, PolicyArn: '" + arn + "'}");
  aws.ok("iam:AttachGroupPolicy", "{GroupName: ops, PolicyArn: '" + arn + "'}");
  aws.ok("iam:AttachGroupPolicy", "{GroupName: ops, PolicyArn: '" + arn + "'}");
  EXPECT_EQ(aws.ok("iam:GetPolicy", "{PolicyArn: '" + arn + "'}")["Policy"]["AttachmentCount"], 2);
  const auto entities = aws.ok("iam:ListEntitiesForPolicy", "{PolicyArn: '" + arn + "'}");
  EXPECT_EQ(entities["PolicyUsers"][0]["UserName"], "ann");
  EXPECT_EQ(entities["PolicyGroups"][0]["GroupName"], "ops");
  EXPECT_EQ(entities["PolicyRoles"].size(), 0u);
  EXPECT_EQ(aws.code("iam:DeletePolicy", "{PolicyArn: '" + arn + "'}"), "DeleteConflict");
  EXPECT_EQ(aws.error("iam:AttachUserPolicy", "{UserName: ann, PolicyArn: 'arn:aws:iam::111111111111:policy/none'}"),
            (Error{"NoSuchEntity",
                   "Policy arn:aws:iam::111111111111:policy/none does not exist or is not attachable.",
                   {},
                   false,
                   404}));
  EXPECT_EQ(aws.error("iam:AttachGroupPolicy", "{GroupName: none, PolicyArn: '" + arn + "'}").message,
            "The group with name none cannot be found.");
  EXPECT_EQ(aws.code("iam:DeleteGroup", "{GroupName: ops}"), "DeleteConflict");
}

TEST(Iam, a_user_of_a_group_or_with_a_device_is_not_deleted) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  aws.ok("iam:CreateGroup", "{GroupName: ops, Path: /all/}");
  EXPECT_EQ(aws.code("iam:AddUserToGroup", "{GroupName: ops, UserName: bob}"), "NoSuchEntity");
  aws.ok("iam:AddUserToGroup", "{GroupName: ops, UserName: ann}");
  EXPECT_EQ(aws.ok("iam:GetGroup", "{GroupName: ops}")["Users"][0]["UserName"], "ann");
  EXPECT_EQ(aws.ok("iam:ListGroupsForUser", "{UserName: ann}")["Groups"][0]["Arn"],
            "arn:aws:iam::111111111111:group/all/ops");
  EXPECT_EQ(aws.code("iam:DeleteGroup", "{GroupName: ops}"), "DeleteConflict");
  EXPECT_EQ(aws.error("iam:DeleteUser", "{UserName: ann}").message,
            "Cannot delete entity, must remove users from group first.");
  aws.ok("iam:RemoveUserFromGroup", "{GroupName: ops, UserName: ann}");
  aws.ok("iam:DeleteGroup", "{GroupName: ops}");
  const auto device = aws.ok("iam:CreateVirtualMFADevice", "{VirtualMFADeviceName: phone}")["VirtualMFADevice"];
  const std::string serial = device["SerialNumber"].as_string();
  EXPECT_EQ(serial, "arn:aws:iam::111111111111:mfa/phone");
  const std::string enable =
      "{UserName: ann, SerialNumber: '" + serial + "', AuthenticationCode1: '1', AuthenticationCode2: '2'}";
  EXPECT_EQ(aws.code("iam:DeactivateMFADevice", enable), "NoSuchEntity");
  aws.ok("iam:EnableMFADevice", enable);
  EXPECT_EQ(aws.code("iam:EnableMFADevice", enable), "EntityAlreadyExists");
  EXPECT_EQ(aws.ok("iam:ListMFADevices", "{UserName: ann}")["MFADevices"][0]["SerialNumber"], serial);
  EXPECT_EQ(aws.code("iam:DeleteUser", "{UserName: ann}"), "DeleteConflict");
  EXPECT_EQ(aws.code("iam:DeleteVirtualMFADevice", "{SerialNumber: '" + serial + "'}"), "DeleteConflict");
  aws.ok("iam:DeactivateMFADevice", "{UserName: ann, SerialNumber: '" + serial + "'}");
  aws.ok("iam:DeleteVirtualMFADevice", "{SerialNumber: '" + serial + "'}");
  aws.ok("iam:DeleteUser", "{UserName: ann}");
}

}  // namespace
}  // namespace fixpoint::sandbox
