#include "account.h"

namespace fixpoint::sandbox {
namespace {

std::string make_group(Accounts& aws, std::string_view more = {}) {
  return aws.ok("ec2:CreateSecurityGroup", "{GroupName: web, Description: front" + std::string(more) + "}")["GroupId"]
      .as_string();
}

json::Value with_group(const std::string& id, std::string_view input) {
  json::Value out = yaml(input);
  out.set("GroupId", id);
  return out;
}

TEST(Ec2, every_account_and_region_has_a_default_vpc) {
  Accounts aws;
  const auto vpcs = aws.ok("ec2:DescribeVpcs", "{Filters: [{Name: is-default, Values: ['true']}]}")["Vpcs"];
  ASSERT_EQ(vpcs.size(), 1u);
  EXPECT_EQ(vpcs[0]["CidrBlock"], "172.31.0.0/16");
  EXPECT_EQ(aws.ok("ec2:DescribeSubnets")["Subnets"].size(), 3u);
  const auto groups = aws.ok("ec2:DescribeSecurityGroups")["SecurityGroups"];
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0]["GroupName"], "default");
  EXPECT_EQ(groups[0]["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], groups[0]["GroupId"]);
  const auto elsewhere = aws.call("ec2:DescribeVpcs", "{}", "111111111111", "eu-west-1");
  ASSERT_TRUE(elsewhere);
  EXPECT_NE((*elsewhere)["Vpcs"][0]["VpcId"], vpcs[0]["VpcId"]);
}

TEST(Ec2, permissions_of_one_port_range_are_merged) {
  Accounts aws;
  const auto id = make_group(aws);
  aws.ok("ec2:AuthorizeSecurityGroupIngress",
         with_group(id,
                    "{IpPermissions: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: 0.0.0.0/0, "
                    "Description: open}], Ipv6Ranges: [{CidrIpv6: '::/0'}]}]}"));
  aws.ok("ec2:AuthorizeSecurityGroupIngress",
         with_group(id, "{IpProtocol: '6', FromPort: 22, ToPort: 22, CidrIp: 10.0.0.7/8}"));
  const auto group = aws.ok("ec2:DescribeSecurityGroups",
                            json::Value(json::Object{{"GroupIds", json::Array{id}}}))["SecurityGroups"][0];
  EXPECT_EQ(group["IpPermissions"],
            yaml("[{IpProtocol: tcp, FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: 0.0.0.0/0, Description: open}, "
                 "{CidrIp: 10.0.0.0/8}], "
                 "Ipv6Ranges: [{CidrIpv6: '::/0'}], PrefixListIds: [], UserIdGroupPairs: []}]"));
  EXPECT_EQ(group["IpPermissionsEgress"], yaml("[{IpProtocol: '-1', IpRanges: [{CidrIp: 0.0.0.0/0}], Ipv6Ranges: [], "
                                               "PrefixListIds: [], UserIdGroupPairs: []}]"));
  const auto twice = aws.call("ec2:AuthorizeSecurityGroupIngress",
                              with_group(id, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, "InvalidPermission.Duplicate");
  EXPECT_EQ(twice.error().message,
            "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW\" already exists");
}

TEST(Ec2, a_revoked_rule_put_back_gives_the_same_group) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto permissions =
      "{IpPermissions: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: 0.0.0.0/0, Description: open}, "
      "{CidrIp: 10.0.0.0/8, Description: office}]}]}";
  aws.ok("ec2:AuthorizeSecurityGroupIngress", with_group(id, permissions));
  const json::Value ask = json::Object{{"GroupIds", json::Array{id}}};
  const auto before = aws.ok("ec2:DescribeSecurityGroups", ask);
  const auto open =
      "{IpPermissions: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, IpRanges: [{CidrIp: 0.0.0.0/0, Description: "
      "open}]}]}";
  const auto revoked = aws.ok("ec2:RevokeSecurityGroupIngress", with_group(id, open));
  EXPECT_EQ(revoked["Return"], true);
  EXPECT_EQ(revoked["RevokedSecurityGroupRules"][0]["Description"], "open");
  EXPECT_EQ(aws.ok("ec2:DescribeSecurityGroups", ask)["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"],
            yaml("[{CidrIp: 10.0.0.0/8, Description: office}]"));
  aws.ok("ec2:AuthorizeSecurityGroupIngress", with_group(id, open));
  EXPECT_EQ(aws.ok("ec2:DescribeSecurityGroups", ask), before);
}

TEST(Ec2, an_unknown_rule_is_named_in_the_default_vpc_and_an_error_elsewhere) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto unknown = aws.ok("ec2:RevokeSecurityGroupIngress",
                              with_group(id, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}"));
  EXPECT_EQ(unknown["Return"], true);
  EXPECT_EQ(unknown["UnknownIpPermissions"][0]["IpRanges"][0]["CidrIp"], "0.0.0.0/0");
  const auto vpc = aws.ok("ec2:CreateVpc", "{CidrBlock: 10.0.0.0/16}")["Vpc"]["VpcId"].as_string();
  const auto other = make_group(aws, ", VpcId: " + vpc);
  const auto refused = aws.call("ec2:RevokeSecurityGroupIngress",
                                with_group(other, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "InvalidPermission.NotFound");
}

TEST(Ec2, a_dry_run_changes_nothing) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto dry =
      aws.call("ec2:AuthorizeSecurityGroupIngress",
               with_group(id, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0, DryRun: true}"));
  ASSERT_FALSE(dry);
  EXPECT_EQ(dry.error().code, "DryRunOperation");
  EXPECT_EQ(dry.error().http_status, 412);
  EXPECT_EQ(aws.ok("ec2:DescribeSecurityGroupRules",
                   json::Value(json::Object{
                       {"Filters", json::Array{json::Object{{"Name", "group-id"},
                                                            {"Values", json::Array{id}}}}}}))["SecurityGroupRules"]
                .size(),
            1u);
}

TEST(Ec2, bad_groups_and_rules_are_refused_with_awss_codes) {
  Accounts aws;
  const auto id = make_group(aws);
  EXPECT_EQ(aws.code("ec2:DescribeSecurityGroups", "{GroupIds: [sg-0123456789abcdef0]}"), "InvalidGroup.NotFound");
  EXPECT_EQ(aws.error("ec2:DescribeSecurityGroups", "{GroupIds: [nonsense]}").code, "InvalidGroupId.Malformed");
  EXPECT_EQ(aws.code("ec2:DescribeSecurityGroups", "{Filters: [{Name: colour, Values: [red]}]}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:DescribeSecurityGroups", "{GroupNames: [nobody]}"), "InvalidGroup.NotFound");
  EXPECT_EQ(aws.code("ec2:CreateSecurityGroup", "{GroupName: web, Description: x}"), "InvalidGroup.Duplicate");
  EXPECT_EQ(aws.code("ec2:CreateSecurityGroup", "{GroupName: default, Description: x}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:CreateSecurityGroup", "{GroupName: a, Description: x, VpcId: vpc-01234567}"),
            "InvalidVpcID.NotFound");
  EXPECT_EQ(aws.code("ec2:RevokeSecurityGroupIngress", "{}"), "MissingParameter");
  const auto authorize = [&](std::string_view input) {
    return aws.call("ec2:AuthorizeSecurityGroupIngress", with_group(id, input)).error().code;
  };
  EXPECT_EQ(authorize("{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 1.2.3.4}"), "InvalidParameterValue");
  EXPECT_EQ(authorize("{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 010.1.1.1/8}"), "InvalidParameterValue");
  EXPECT_EQ(authorize("{IpProtocol: tcp, FromPort: 99, ToPort: 22, CidrIp: 1.2.3.4/32}"), "InvalidParameterValue");
  EXPECT_EQ(authorize("{IpProtocol: tcp, FromPort: 0, ToPort: 65536, CidrIp: 1.2.3.4/32}"), "InvalidParameterValue");
  EXPECT_EQ(authorize("{IpProtocol: frob, FromPort: 1, ToPort: 2, CidrIp: 1.2.3.4/32}"), "InvalidParameterValue");
  EXPECT_EQ(authorize("{IpPermissions: [{IpProtocol: '-1', UserIdGroupPairs: [{GroupId: sg-01234567}]}]}"),
            "InvalidGroup.NotFound");
  EXPECT_EQ(authorize("{IpPermissions: [{IpProtocol: '-1', IpRanges: [{CidrIp: 0.0.0.0/0}, {CidrIp: 0.0.0.0/0}]}]}"),
            "InvalidParameterValue");
}

TEST(Ec2, sixty_rules_are_the_limit) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto add = [&](int from, int to) {
    json::Array ranges;
    for (int i = from; i < to; ++i) ranges.push_back(json::Object{{"CidrIp", "10.0.0." + std::to_string(i) + "/32"}});
    return aws.call(
        "ec2:AuthorizeSecurityGroupIngress",
        json::Value(json::Object{
            {"GroupId", id},
            {"IpPermissions",
             json::Array{json::Object{{"IpProtocol", "tcp"}, {"FromPort", 1}, {"ToPort", 2}, {"IpRanges", ranges}}}}}));
  };
  EXPECT_TRUE(add(0, 60));
  EXPECT_EQ(add(60, 61).error().code, "RulesPerSecurityGroupLimitExceeded");
}

// Each range was held against each other one, in the one writer: 9,000 of them stood in everybody's way for 25 s.
TEST(Ec2, a_long_list_of_rules_costs_no_more_than_its_length) {
  Accounts aws;
  const auto id = make_group(aws);
  std::string ranges;
  for (int i = 0; i < 20'000; ++i)
    ranges += "{CidrIp: 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24},";
  const auto rules = [&](const std::string& list) {
    return with_group(id, "{IpPermissions: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, IpRanges: [" + list + "]}]}");
  };
  const auto refused = aws.call("ec2:AuthorizeSecurityGroupIngress", rules(ranges));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "RulesPerSecurityGroupLimitExceeded");
  aws.ok("ec2:AuthorizeSecurityGroupIngress", rules("{CidrIp: 10.0.7.0/24}, {CidrIp: 10.0.8.0/24}"));
  const auto revoked = aws.ok("ec2:RevokeSecurityGroupIngress", rules(ranges));
  EXPECT_EQ(revoked["RevokedSecurityGroupRules"].size(), 2u);
  EXPECT_EQ(revoked["UnknownIpPermissions"].size(), 19'998u);
  const auto twice = aws.call("ec2:RevokeSecurityGroupIngress", rules(ranges + "{CidrIp: 10.0.7.9/24}"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "The same permission must not appear multiple times");
}

TEST(Ec2, what_one_call_asks_of_many_has_limits) {
  Accounts aws;
  const auto volume = aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, Size: 1}")["VolumeId"].as_string();
  std::string ids, tags, groups, values, devices;
  for (int i = 0; i < 1001; ++i) {
    ids += volume + ",";
    if (i < 51) tags += "{Key: k, Value: v},";
    if (i < 17) groups += "sg-0123456789abcdef0,";
    if (i < 201) values += "x,";
    if (i < 129) devices += "{DeviceName: /dev/x, Ebs: {VolumeSize: 1}},";
  }
  for (const auto* operation : {"ec2:CreateTags", "ec2:DeleteTags"}) {
    EXPECT_EQ(aws.code(operation, "{Resources: [" + ids + "], Tags: [{Key: k, Value: v}]}"), "InvalidParameterValue");
    EXPECT_EQ(aws.code(operation, "{Resources: [" + volume + "], Tags: [" + tags + "]}"), "TagLimitExceeded");
  }
  EXPECT_EQ(aws.code("ec2:RunInstances",
                     "{ImageId: ami-12345678, MinCount: 1, MaxCount: 1, SecurityGroupIds: [" + groups + "]}"),
            "SecurityGroupsPerInstanceLimitExceeded");
  EXPECT_EQ(aws.code("ec2:RunInstances",
                     "{ImageId: ami-12345678, MinCount: 1, MaxCount: 1, BlockDeviceMappings: [" + devices + "]}"),
            "AttachmentLimitExceeded");
  EXPECT_EQ(aws.code("ec2:DescribeVolumes", "{Filters: [{Name: status, Values: [" + values + "]}]}"),
            "FilterLimitExceeded");
}

TEST(Ec2, rules_have_ids_by_which_they_are_described_changed_and_revoked) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto made =
      aws.ok("ec2:AuthorizeSecurityGroupIngress",
             with_group(id, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}"))["SecurityGroupRules"][0];
  const std::string rule = made["SecurityGroupRuleId"].as_string();
  aws.ok("ec2:ModifySecurityGroupRules", with_group(id, "{SecurityGroupRules: [{SecurityGroupRuleId: " + rule +
                                                            ", SecurityGroupRule: {IpProtocol: tcp, FromPort: 443, "
                                                            "ToPort: 443, CidrIpv4: 10.0.0.0/8, Description: tls}}]}"));
  aws.ok("ec2:UpdateSecurityGroupRuleDescriptionsIngress",
         with_group(id,
                    "{IpPermissions: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, IpRanges: [{CidrIp: 10.0.0.0/8, "
                    "Description: web}]}]}"));
  const auto read =
      aws.ok("ec2:DescribeSecurityGroupRules", "{SecurityGroupRuleIds: [" + rule + "]}")["SecurityGroupRules"][0];
  EXPECT_EQ(read["FromPort"], 443);
  EXPECT_EQ(read["Description"], "web");
  EXPECT_EQ(read["CidrIpv4"], "10.0.0.0/8");
  aws.ok("ec2:RevokeSecurityGroupIngress", with_group(id, "{SecurityGroupRuleIds: [" + rule + "]}"));
  EXPECT_EQ(aws.code("ec2:DescribeSecurityGroupRules", "{SecurityGroupRuleIds: [" + rule + "]}"),
            "InvalidSecurityGroupRuleId.NotFound");
}

TEST(Ec2, groups_are_deleted_unless_something_needs_them) {
  Accounts aws;
  const auto id = make_group(aws);
  const auto other = aws.ok("ec2:CreateSecurityGroup", "{GroupName: db, Description: back}")["GroupId"].as_string();
  aws.ok("ec2:AuthorizeSecurityGroupIngress",
         with_group(other,
                    "{IpPermissions: [{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{GroupId: " +
                        id + "}]}]}"));
  EXPECT_EQ(aws.call("ec2:DeleteSecurityGroup", with_group(id, "{}")).error().code, "DependencyViolation");
  aws.ok("ec2:DeleteSecurityGroup", with_group(other, "{}"));
  aws.ok("ec2:DeleteSecurityGroup", with_group(id, "{}"));
  EXPECT_EQ(aws.call("ec2:DeleteSecurityGroup", with_group(id, "{}")).error().code, "InvalidGroup.NotFound");
  const auto standard = aws.ok("ec2:DescribeSecurityGroups")["SecurityGroups"][0]["GroupId"].as_string();
  EXPECT_EQ(aws.call("ec2:DeleteSecurityGroup", with_group(standard, "{}")).error().code, "CannotDelete");
}

TEST(Ec2, groups_are_filtered_tagged_and_paged) {
  Accounts aws;
  const auto id =
      make_group(aws, ", TagSpecifications: [{ResourceType: security-group, Tags: [{Key: team, Value: pay}]}]");
  aws.ok("ec2:AuthorizeSecurityGroupIngress",
         with_group(id, "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}"));
  const auto count = [&](std::string_view filter) {
    return aws.ok("ec2:DescribeSecurityGroups", "{Filters: [" + std::string(filter) + "]}")["SecurityGroups"].size();
  };
  EXPECT_EQ(count("{Name: 'tag:team', Values: ['pa*']}"), 1u);
  EXPECT_EQ(count("{Name: ip-permission.cidr, Values: [0.0.0.0/0]}, {Name: ip-permission.from-port, Values: ['22']}"),
            1u);
  EXPECT_EQ(count("{Name: group-name, Values: ['w?b', none]}"), 1u);
  EXPECT_EQ(count("{Name: group-name, Values: [none]}"), 0u);
  aws.ok("ec2:CreateTags", "{Resources: [" + id + "], Tags: [{Key: env, Value: prod}]}");
  EXPECT_EQ(aws.ok("ec2:DescribeTags", "{Filters: [{Name: key, Values: [env]}]}")["Tags"][0]["ResourceId"],
            json::Value(id));
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
  std::string many = "{Key: k, Value: v}";
  for (int i = 0; i < 50; ++i) many += ", {Key: k, Value: v}";
  EXPECT_EQ(aws.code("ec2:CreateTags", "{Resources: [" + id + "], Tags: [" + many + "]}"), "TagLimitExceeded");
  aws.ok("ec2:DeleteTags", "{Resources: [" + id + "], Tags: [{Key: env}]}");
  EXPECT_EQ(aws.ok("ec2:DescribeTags", "{Filters: [{Name: key, Values: [env]}]}")["Tags"].size(), 0u);
  for (int i = 0; i < 6; ++i)
    aws.ok("ec2:CreateSecurityGroup", "{Description: d, GroupName: g" + std::to_string(i) + "}");
  const auto page = aws.ok("ec2:DescribeSecurityGroups", "{MaxResults: 5}");
  EXPECT_EQ(page["SecurityGroups"].size(), 5u);
  const auto rest =
      aws.ok("ec2:DescribeSecurityGroups", "{MaxResults: 5, NextToken: '" + page["NextToken"].as_string() + "'}");
  EXPECT_EQ(rest["SecurityGroups"].size(), 3u);
  EXPECT_TRUE(rest["NextToken"].is_null());
}

}  // namespace
}  // namespace fixpoint::sandbox
