#include "account.h"
#include "base/text.h"

namespace fixpoint::sandbox {
namespace {

const std::string read =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]})";
const std::string trust =
    R"({"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}})";

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
  aws.ok("iam:CreateLoginProfile", "{UserName: ann, Password: Correct-Horse-1}");
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
  EXPECT_EQ(aws.ok("iam:CreateRole",
                   "{RoleName: app, AssumeRolePolicyDocument: '" + trust + "'}")["Role"]["MaxSessionDuration"],
            3600);
  const auto arn =
      aws.ok("iam:CreatePolicy", "{PolicyName: read, PolicyDocument: '" + read + "'}")["Policy"]["Arn"].as_string();
  EXPECT_EQ(arn, "arn:aws:iam::111111111111:policy/read");
  EXPECT_EQ(aws.code("iam:CreatePolicy", "{PolicyName: read, PolicyDocument: '" + read + "'}"), "EntityAlreadyExists");
  aws.ok("iam:AttachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}");
  aws.ok("iam:AttachRolePolicy", "{RoleName: app, PolicyArn: '" + arn + "'}");
  EXPECT_EQ(aws.ok("iam:ListAttachedRolePolicies", "{RoleName: app}")["AttachedPolicies"],
            yaml("[{PolicyName: read, PolicyArn: '" + arn + "'}]"));
  EXPECT_EQ(aws.code("iam:DeletePolicy", "{PolicyArn: '" + arn + "'}"), "DeleteConflict");
  aws.ok("iam:PutRolePolicy", "{RoleName: app, PolicyName: inline, PolicyDocument: '" + read + "'}");
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
      aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '" + read + "'}")["Policy"]["Arn"].as_string();
  const auto of = [&](const std::string& more) { return "{PolicyArn: '" + arn + "'" + more + "}"; };
  // As in a URL, for so IAM gives documents.
  EXPECT_EQ(aws.ok("iam:GetPolicyVersion", of(", VersionId: v1"))["PolicyVersion"]["Document"], uri_encode(read));
  for (const auto* id : {"v2", "v3", "v4", "v5"})
    EXPECT_EQ(aws.ok("iam:CreatePolicyVersion", of(", PolicyDocument: '" + read + "'"))["PolicyVersion"]["VersionId"],
              id);
  EXPECT_EQ(aws.error("iam:CreatePolicyVersion", of(", PolicyDocument: '" + read + "'")).code, "LimitExceeded");
  EXPECT_EQ(aws.error("iam:DeletePolicyVersion", of(", VersionId: v1")),
            (Error{"DeleteConflict", "Cannot delete the default version of a policy.", {}, false, 409}));
  aws.ok("iam:SetDefaultPolicyVersion", of(", VersionId: v3"));
  EXPECT_EQ(aws.ok("iam:GetPolicy", of(""))["Policy"]["DefaultVersionId"], "v3");
  aws.ok("iam:DeletePolicyVersion", of(", VersionId: v5"));
  EXPECT_EQ(aws.ok("iam:CreatePolicyVersion",
                   of(", PolicyDocument: '" + read + "', SetAsDefault: true"))["PolicyVersion"]["VersionId"],
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
  const auto arn =
      aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '" + read + "'}")["Policy"]["Arn"].as_string();
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

// "Names are not distinguished by case": API_CreateUser, API_CreateRole, API_CreateGroup, API_CreatePolicy.
TEST(Iam, names_that_differ_in_case_or_path_alone_are_the_same) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: Ann}");
  aws.ok("iam:CreateGroup", "{GroupName: Ops}");
  aws.ok("iam:CreatePolicy", "{PolicyName: Read, PolicyDocument: '" + read + "'}");
  const std::string trust =
      R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})";
  aws.ok("iam:CreateRole", "{RoleName: Run, AssumeRolePolicyDocument: '" + trust + "'}");
  const auto refused = [&](const char* operation, const std::string& input) {
    const Error error = aws.error(operation, input);
    return std::to_string(error.http_status) + " " + error.code + ": " + error.message;
  };
  EXPECT_EQ(refused("iam:CreateUser", "{UserName: ANN, Path: /ops/}"),
            "409 EntityAlreadyExists: User with name ANN already exists.");
  EXPECT_EQ(refused("iam:CreateGroup", "{GroupName: oPS}"),
            "409 EntityAlreadyExists: Group with name oPS already exists.");
  EXPECT_EQ(refused("iam:CreatePolicy", "{PolicyName: Read, Path: /ops/, PolicyDocument: '" + read + "'}"),
            "409 EntityAlreadyExists: A policy called Read already exists. Duplicate names are not allowed.");
  EXPECT_EQ(refused("iam:CreatePolicy", "{PolicyName: read, PolicyDocument: '" + read + "'}"),
            "409 EntityAlreadyExists: A policy called read already exists. Duplicate names are not allowed.");
  EXPECT_EQ(refused("iam:CreateRole", "{RoleName: run, AssumeRolePolicyDocument: '" + trust + "'}"),
            "409 EntityAlreadyExists: Role with name run already exists.");
  // Each kind has names of its own.
  aws.ok("iam:CreateUser", "{UserName: run}");
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
TEST(Iam, what_a_policy_is_attached_to_is_narrowed_down_as_asked) {
  Accounts aws;
  const auto arn =
      aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '" + read + "'}")["Policy"]["Arn"].as_string();
  const std::string policy = "PolicyArn: '" + arn + "'";
  aws.ok("iam:CreateUser", "{UserName: ann}");
  aws.ok("iam:CreateUser", "{UserName: bob, Path: /ops/, PermissionsBoundary: '" + arn + "'}");
  aws.ok("iam:CreateGroup", "{GroupName: ops, Path: /ops/}");
  aws.ok("iam:AttachUserPolicy", "{UserName: ann, " + policy + "}");
  aws.ok("iam:AttachGroupPolicy", "{GroupName: ops, " + policy + "}");
  const auto names = [&](const std::string& more) {
    const auto out = aws.ok("iam:ListEntitiesForPolicy", "{" + policy + more + "}");
    std::string all;
    for (const auto& [list, member] :
         {std::pair{"PolicyRoles", "RoleName"}, {"PolicyUsers", "UserName"}, {"PolicyGroups", "GroupName"}})
      for (const json::Value& one : out[list].as_array()) all += one[member].as_string() + " ";
    return all;
  };
  EXPECT_EQ(names(""), "ann bob ops ");
  EXPECT_EQ(names(", EntityFilter: User"), "ann bob ");
  EXPECT_EQ(names(", EntityFilter: Group"), "ops ");
  EXPECT_EQ(names(", EntityFilter: Role"), "");
  EXPECT_EQ(names(", EntityFilter: LocalManagedPolicy"), "ann bob ops ");
  EXPECT_EQ(names(", EntityFilter: AWSManagedPolicy"), "");
  EXPECT_EQ(names(", PathPrefix: /ops/"), "bob ops ");
  EXPECT_EQ(names(", PolicyUsageFilter: PermissionsPolicy"), "ann ops ");
  EXPECT_EQ(names(", PolicyUsageFilter: PermissionsBoundary"), "bob ");
  const auto first = aws.ok("iam:ListEntitiesForPolicy", "{" + policy + ", MaxItems: 2}");
  EXPECT_EQ(first["PolicyUsers"].size(), 2u);
  EXPECT_EQ(first["PolicyGroups"].size(), 0u);
  EXPECT_EQ(first["IsTruncated"], true);
  const auto rest =
      aws.ok("iam:ListEntitiesForPolicy", "{" + policy + ", Marker: '" + first["Marker"].as_string() + "'}");
  EXPECT_EQ(rest["PolicyUsers"].size(), 0u);
  EXPECT_EQ(rest["PolicyGroups"][0]["GroupName"], "ops");
  EXPECT_EQ(rest["IsTruncated"], false);
  EXPECT_EQ(aws.code("iam:ListEntitiesForPolicy", "{" + policy + ", Marker: nonsense}"), "ValidationError");
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

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
TEST(Iam, a_policy_document_has_to_be_one) {
  Accounts aws;
  const std::string statement = R"("Effect":"Allow","Action":"s3:*","Resource":"*")";
  const auto bad = [&](const std::string& document) {
    return aws.error("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '" + document + "'}");
  };
  for (const std::string& document :
       {std::string("junk"), std::string("{}"), std::string("[]"), std::string(R"({"Version":"2012-10-17"})"),
        std::string(R"({"Statement":[]})"), R"({"Version":"2020-10-17","Statement":[{)" + statement + "}]}",
        R"({"Statements":1,"Statement":[{)" + statement + "}]}", R"({"Statement":[{"Extra":1,)" + statement + "}]}",
        std::string(R"({"Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]})"),
        R"({"Statement":[{"NotAction":"s3:*",)" + statement + "}]}"})
    EXPECT_EQ(bad(document), (Error{"MalformedPolicyDocument", "Syntax errors in policy.", {}, false, 400}))
        << document;
  EXPECT_EQ(bad(R"({"Statement":{"Effect":"Allow","Resource":"*"}})").message,
            "Policy statement must contain actions.");
  EXPECT_EQ(bad(R"({"Statement":{"Effect":"Allow","Action":["s3:Get*"]}})").message,
            "Policy statement must contain resources.");
  EXPECT_EQ(bad(R"({"Statement":{"Effect":"Allow","Action":"s3","Resource":"*"}})").message,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  EXPECT_EQ(bad(R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}})").message,
            "Resource bucket must be in ARN format or \"*\".");
  EXPECT_EQ(bad(R"({"Statement":{"Principal":"*",)" + statement + "}}").message,
            "Policy document should not specify a principal.");
  EXPECT_EQ(bad(R"({"Statement":[{"Sid":"a",)" + statement + R"(},{"Sid":"a",)" + statement + "}]}").message,
            "Statement IDs (SID) in a single policy must be unique.");
  EXPECT_EQ(aws.ok("iam:ListPolicies")["Policies"].size(), 0u);
  aws.ok("iam:CreateUser", "{UserName: ann}");
  EXPECT_EQ(aws.code("iam:PutUserPolicy", "{UserName: ann, PolicyName: p, PolicyDocument: junk}"),
            "MalformedPolicyDocument");
  const auto arn = aws.ok("iam:CreatePolicy", "{PolicyName: p, PolicyDocument: '" + read + "'}")["Policy"]["Arn"];
  EXPECT_EQ(aws.code("iam:CreatePolicyVersion", "{PolicyArn: '" + arn.as_string() + "', PolicyDocument: junk}"),
            "MalformedPolicyDocument");
}

TEST(Iam, a_role_is_trusted_by_principals_to_be_assumed_and_nothing_else) {
  Accounts aws;
  aws.ok("iam:CreateRole", "{RoleName: app, AssumeRolePolicyDocument: '" + trust + "'}");
  const auto refused = [&](const std::string& statement) {
    return aws.error("iam:UpdateAssumeRolePolicy",
                     R"({RoleName: app, PolicyDocument: '{"Statement":{"Effect":"Allow",)" + statement + "}}'}");
  };
  EXPECT_EQ(refused(R"("Action":"sts:AssumeRole")").message, "Missing required field Principal");
  EXPECT_EQ(refused(R"("Principal":"*","Action":"sts:AssumeRole","Resource":"*")").message,
            "Has prohibited field Resource");
  EXPECT_EQ(refused(R"("Principal":"*","Action":"s3:GetObject")").message,
            "AssumeRole policy may only specify STS AssumeRole actions.");
  EXPECT_EQ(refused(R"("Principal":{"Aws":"1"},"Action":"sts:AssumeRole")").code, "MalformedPolicyDocument");
  EXPECT_EQ(aws.code("iam:CreateRole", "{RoleName: b, AssumeRolePolicyDocument: '" + read + "'}"),
            "MalformedPolicyDocument");
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
TEST(Iam, a_role_trusts_accounts_and_arns_and_no_mere_names) {
  Accounts aws;
  const auto trusted = [&](const std::string& principal) {
    const auto answer = aws.call(
        "iam:CreateRole", R"({RoleName: app, AssumeRolePolicyDocument: '{"Statement":{"Effect":"Allow","Principal":)" +
                              principal + R"(,"Action":"sts:AssumeRole"}}'})");
    if (!answer) return answer.error().code + ": " + answer.error().message;
    aws.ok("iam:DeleteRole", "{RoleName: app}");
    return std::string("OK");
  };
  EXPECT_EQ(trusted(R"({"AWS":"foo"})"), R"(MalformedPolicyDocument: Invalid principal in policy: "AWS":"foo")");
  for (const auto* principal : {R"({"AWS":"1234"})", R"({"AWS":["222222222222","foo"]})", R"({"AWS":""})",
                                R"({"AWS":"arn:aws:s3:::bucket"})", R"({"AWS":"arn:aws:iam::12:root"})"})
    EXPECT_EQ(trusted(principal).substr(0, 23), "MalformedPolicyDocument") << principal;
  for (const auto* principal :
       {R"({"AWS":"*"})", R"({"AWS":"222222222222"})", R"({"AWS":"arn:aws:iam::222222222222:role/path/app"})",
        R"({"AWS":"arn:aws:sts::222222222222:assumed-role/app/me"})", R"({"AWS":"AROA0123456789ABCDEFG"})",
        R"({"Service":["ec2.amazonaws.com"]})"})
    EXPECT_EQ(trusted(principal), "OK") << principal;
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
TEST(Iam, a_password_keeps_to_the_accounts_policy) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  const auto create = [&](const std::string& password) {
    const auto answer = aws.code("iam:CreateLoginProfile", "{UserName: ann, Password: '" + password + "'}");
    if (answer == "OK") aws.ok("iam:DeleteLoginProfile", "{UserName: ann}");
    return answer;
  };
  // Without a policy: eight characters of three kinds.
  EXPECT_EQ(create("Short-1"), "PasswordPolicyViolation");
  EXPECT_EQ(create("onlysmallletters"), "PasswordPolicyViolation");
  EXPECT_EQ(create("Letters-only"), "OK");
  aws.ok("iam:UpdateAccountPasswordPolicy",
         "{MinimumPasswordLength: 14, RequireSymbols: true, RequireNumbers: true, RequireUppercaseCharacters: true}");
  EXPECT_EQ(create("Correct-H-1"), "PasswordPolicyViolation");
  EXPECT_EQ(create("Correct-Horse-Battery"), "PasswordPolicyViolation");
  EXPECT_EQ(create("correct-horse-1-battery"), "PasswordPolicyViolation");
  EXPECT_EQ(create("CorrectHorse1Battery"), "PasswordPolicyViolation");
  EXPECT_EQ(create("Correct-Horse-1-Battery"), "OK");
  aws.ok("iam:CreateLoginProfile", "{UserName: ann, Password: Correct-Horse-1-Battery}");
  const auto refused = aws.error("iam:UpdateLoginProfile", "{UserName: ann, Password: hunter2}");
  EXPECT_EQ(refused.code, "PasswordPolicyViolation");
  EXPECT_EQ(refused.http_status, 400);
  EXPECT_EQ(refused.message.find("hunter2"), std::string::npos);
  aws.ok("iam:UpdateLoginProfile", "{UserName: ann, PasswordResetRequired: true}");
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
TEST(Iam, a_user_has_two_access_keys_at_most) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  aws.ok("iam:CreateUser", "{UserName: bob}");
  aws.ok("iam:CreateAccessKey", "{UserName: ann}");
  aws.ok("iam:CreateAccessKey", "{UserName: ann}");
  EXPECT_EQ(aws.error("iam:CreateAccessKey", "{UserName: ann}"),
            (Error{"LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", {}, false, 409}));
  aws.ok("iam:CreateAccessKey", "{UserName: bob}");
  EXPECT_EQ(aws.ok("iam:ListAccessKeys", "{UserName: ann}")["AccessKeyMetadata"].size(), 2u);
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
TEST(Iam, whoever_has_no_name_has_to_say_one) {
  Accounts aws;
  for (const auto operation : {"GetUser", "CreateAccessKey", "ListAccessKeys", "ListMFADevices"})
    EXPECT_EQ(
        aws.error(std::string("iam:") + operation),
        (Error{"ValidationError", "Must specify userName when calling with non-User credentials", {}, false, 400}))
        << operation;
}

TEST(Iam, a_permissions_boundary_is_a_policy_that_is_there) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  EXPECT_EQ(aws.code("iam:PutUserPermissionsBoundary",
                     "{UserName: ann, PermissionsBoundary: 'arn:aws:iam::111111111111:policy/none'}"),
            "NoSuchEntity");
  EXPECT_EQ(aws.code("iam:PutUserPermissionsBoundary", "{UserName: ann, PermissionsBoundary: ReadOnlyAccess}"),
            "InvalidInput");
  const std::string with = "PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess'";
  EXPECT_EQ(aws.ok("iam:CreateUser", "{UserName: bob, " + with + "}")["User"]["PermissionsBoundary"],
            aws.ok("iam:GetUser", "{UserName: bob}")["User"]["PermissionsBoundary"]);
  aws.ok("iam:CreateRole", "{RoleName: app, AssumeRolePolicyDocument: '" + trust + "', " + with + "}");
  EXPECT_EQ(aws.ok("iam:GetRole", "{RoleName: app}")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"],
            "arn:aws:iam::aws:policy/ReadOnlyAccess");
  EXPECT_EQ(aws.code("iam:CreateUser", "{UserName: cy, PermissionsBoundary: 'arn:aws:iam::111111111111:policy/none'}"),
            "NoSuchEntity");
  EXPECT_EQ(aws.code("iam:GetUser", "{UserName: cy}"), "NoSuchEntity");
}

TEST(Iam, lists_are_narrowed_down_as_asked) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  const auto make = [&](const std::string& name, const std::string& path) {
    return aws
        .ok("iam:CreatePolicy",
            "{PolicyName: " + name + ", Path: " + path + ", PolicyDocument: '" + read + "'}")["Policy"]["Arn"]
        .as_string();
  };
  const auto used = make("used", "/ops/");
  make("free", "/");
  aws.ok("iam:AttachUserPolicy", "{UserName: ann, PolicyArn: '" + used + "'}");
  aws.ok("iam:AttachUserPolicy", "{UserName: ann, PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess'}");
  EXPECT_EQ(aws.ok("iam:ListPolicies", "{Scope: Local}")["Policies"].size(), 2u);
  EXPECT_EQ(aws.ok("iam:ListPolicies", "{Scope: AWS}")["Policies"].size(), 0u);
  const auto attached = aws.ok("iam:ListPolicies", "{Scope: Local, OnlyAttached: true}")["Policies"];
  ASSERT_EQ(attached.size(), 1u);
  EXPECT_EQ(attached[0]["PolicyName"], "used");
  EXPECT_EQ(aws.ok("iam:ListPolicies", "{PolicyUsageFilter: PermissionsBoundary}")["Policies"].size(), 0u);
  EXPECT_EQ(aws.ok("iam:ListAttachedUserPolicies", "{UserName: ann, PathPrefix: /ops/}")["AttachedPolicies"],
            yaml("[{PolicyName: used, PolicyArn: '" + used + "'}]"));
  const auto first = aws.ok("iam:ListAttachedUserPolicies", "{UserName: ann, MaxItems: 1}");
  EXPECT_EQ(first["IsTruncated"], true);
  const auto second =
      aws.ok("iam:ListAttachedUserPolicies", "{UserName: ann, Marker: '" + first["Marker"].as_string() + "'}");
  EXPECT_EQ(second["AttachedPolicies"][0]["PolicyName"], "ReadOnlyAccess");
  EXPECT_EQ(second["IsTruncated"], false);
  EXPECT_EQ(aws.code("iam:ListAttachedUserPolicies", "{UserName: ann, Marker: junk}"), "ValidationError");
  aws.ok("iam:CreateInstanceProfile", "{InstanceProfileName: web, Path: /web/}");
  EXPECT_EQ(aws.ok("iam:ListInstanceProfiles", "{PathPrefix: /ops/}")["InstanceProfiles"].size(), 0u);
}

TEST(Iam, virtual_devices_are_told_apart_by_whether_they_are_assigned) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  const auto serial = aws.ok("iam:CreateVirtualMFADevice", "{VirtualMFADeviceName: a}")["VirtualMFADevice"];
  aws.ok("iam:CreateVirtualMFADevice", "{VirtualMFADeviceName: b}");
  aws.ok("iam:EnableMFADevice", "{UserName: ann, SerialNumber: '" + serial["SerialNumber"].as_string() +
                                    "', AuthenticationCode1: '123456', AuthenticationCode2: '234567'}");
  const auto assigned = aws.ok("iam:ListVirtualMFADevices", "{AssignmentStatus: Assigned}")["VirtualMFADevices"];
  ASSERT_EQ(assigned.size(), 1u);
  EXPECT_EQ(assigned[0]["User"]["UserName"], "ann");
  const auto free = aws.ok("iam:ListVirtualMFADevices", "{AssignmentStatus: Unassigned}")["VirtualMFADevices"];
  ASSERT_EQ(free.size(), 1u);
  EXPECT_EQ(free[0]["SerialNumber"], "arn:aws:iam::111111111111:mfa/b");
  EXPECT_EQ(aws.ok("iam:ListVirtualMFADevices")["VirtualMFADevices"].size(), 2u);
}

}  // namespace
}  // namespace fixpoint::sandbox
