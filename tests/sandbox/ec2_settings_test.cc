#include "account.h"

namespace fixpoint::sandbox {
namespace {

// Network ACLs, addresses, images and attributes of instances: what is refused, and what they know of each other. That
// each change can be taken back is tried by tests/changes/inverses.

std::string kept(const json::Value& answer, std::string_view member) {
  return std::string(answer[member].string_or({}));
}

TEST(Ec2NetworkAcl, every_vpc_has_one_that_lets_everything_through_and_goes_with_it) {
  Accounts aws;
  const auto acl =
      aws.ok("ec2:DescribeNetworkAcls", "{Filters: [{Name: default, Values: ['true']}]}")["NetworkAcls"][0];
  EXPECT_EQ(acl["Entries"],
            yaml("[{CidrBlock: 0.0.0.0/0, Egress: true, Protocol: '-1', RuleAction: allow, RuleNumber: 100},"
                 " {CidrBlock: 0.0.0.0/0, Egress: true, Protocol: '-1', RuleAction: deny, RuleNumber: 32767},"
                 " {CidrBlock: 0.0.0.0/0, Egress: false, Protocol: '-1', RuleAction: allow, RuleNumber: 100},"
                 " {CidrBlock: 0.0.0.0/0, Egress: false, Protocol: '-1', RuleAction: deny, RuleNumber: 32767}]"));
  EXPECT_EQ(acl["Associations"].size(), 3u) << "the three subnets of the default VPC";
  EXPECT_EQ(aws.code("ec2:DeleteNetworkAcl", "{NetworkAclId: " + kept(acl, "NetworkAclId") + "}"),
            "InvalidParameterValue");
  const std::string vpc = kept(aws.ok("ec2:CreateVpc", "{CidrBlock: 10.0.0.0/16}")["Vpc"], "VpcId");
  const std::string own = kept(aws.ok("ec2:CreateNetworkAcl", "{VpcId: " + vpc + "}")["NetworkAcl"], "NetworkAclId");
  EXPECT_EQ(aws.code("ec2:DeleteVpc", "{VpcId: " + vpc + "}"), "DependencyViolation");
  aws.ok("ec2:DeleteNetworkAcl", "{NetworkAclId: " + own + "}");
  aws.ok("ec2:DeleteVpc", "{VpcId: " + vpc + "}");
  EXPECT_EQ(aws.ok("ec2:DescribeNetworkAcls")["NetworkAcls"].size(), 1u);
}

TEST(Ec2NetworkAcl, entries_that_cannot_be_are_refused) {
  Accounts aws;
  const std::string id = kept(aws.ok("ec2:DescribeNetworkAcls")["NetworkAcls"][0], "NetworkAclId");
  const auto entry = [&](const std::string& more) {
    return aws.code("ec2:CreateNetworkAclEntry", "{NetworkAclId: " + id + ", Egress: false, " + more + "}");
  };
  EXPECT_EQ(entry("RuleNumber: 0, Protocol: '-1', RuleAction: deny, CidrBlock: 0.0.0.0/0"), "InvalidParameterValue");
  EXPECT_EQ(entry("RuleNumber: 32767, Protocol: '-1', RuleAction: deny, CidrBlock: 0.0.0.0/0"),
            "InvalidParameterValue");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: '-1', RuleAction: maybe, CidrBlock: 0.0.0.0/0"), "InvalidParameterValue");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: ipx, RuleAction: deny, CidrBlock: 0.0.0.0/0"), "InvalidParameterValue");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: '-1', RuleAction: deny, CidrBlock: everywhere"), "InvalidParameterValue");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: '-1', RuleAction: deny"), "InvalidParameterCombination");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: '-1', RuleAction: deny, CidrBlock: 0.0.0.0/0, Ipv6CidrBlock: '::/0'"),
            "InvalidParameterCombination");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: tcp, RuleAction: deny, CidrBlock: 0.0.0.0/0"), "MissingParameter");
  EXPECT_EQ(entry("RuleNumber: 1, Protocol: icmp, RuleAction: deny, CidrBlock: 0.0.0.0/0"), "MissingParameter");
  EXPECT_EQ(entry("RuleNumber: 100, Protocol: '-1', RuleAction: deny, CidrBlock: 0.0.0.0/0"),
            "NetworkAclEntryAlreadyExists");
  EXPECT_EQ(aws.code("ec2:DeleteNetworkAclEntry", "{NetworkAclId: " + id + ", RuleNumber: 32767, Egress: true}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:CreateNetworkAclEntry", "{NetworkAclId: acl-0123456789abcdef0, RuleNumber: 1}"),
            "InvalidNetworkAclID.NotFound");
  EXPECT_EQ(aws.code("ec2:CreateNetworkAclEntry", "{NetworkAclId: acl, RuleNumber: 1}"),
            "InvalidNetworkAclId.Malformed");
  EXPECT_EQ(entry("RuleNumber: 7, Protocol: TCP, RuleAction: deny, CidrBlock: 10.1.2.3/8, PortRange: {From: 1, To: 2}"),
            "OK");
  const auto entries = aws.ok("ec2:DescribeNetworkAcls")["NetworkAcls"][0]["Entries"];
  EXPECT_EQ(entries[2], yaml("{CidrBlock: 10.0.0.0/8, Egress: false, PortRange: {From: 1, To: 2}, Protocol: '6', "
                             "RuleAction: deny, RuleNumber: 7}"));
}

TEST(Ec2Address, one_that_is_in_use_is_not_released) {
  Accounts aws;
  const auto made = aws.ok("ec2:AllocateAddress", "{Domain: vpc}");
  const std::string id = kept(made, "AllocationId");
  const auto run = aws.ok("ec2:RunInstances", "{ImageId: ami-0123456789abcdef0, MinCount: 1, MaxCount: 1}");
  const std::string instance = kept(run["Instances"][0], "InstanceId");
  aws.ok("ec2:AssociateAddress", "{AllocationId: " + id + ", InstanceId: " + instance + "}");
  EXPECT_EQ(aws.code("ec2:ReleaseAddress", "{AllocationId: " + id + "}"), "InvalidIPAddress.InUse");
  EXPECT_EQ(aws.code("ec2:AssociateAddress",
                     "{AllocationId: " + id + ", InstanceId: " + instance + ", AllowReassociation: false}"),
            "Resource.AlreadyAssociated");
  aws.ok("ec2:DisassociateAddress", "{PublicIp: " + kept(made, "PublicIp") + "}");
  aws.ok("ec2:ReleaseAddress", "{AllocationId: " + id + "}");
  EXPECT_EQ(aws.code("ec2:ReleaseAddress", "{AllocationId: " + id + "}"), "InvalidAllocationID.NotFound");
  EXPECT_EQ(aws.code("ec2:ReleaseAddress", "{AllocationId: x}"), "InvalidAllocationID.Malformed");
  EXPECT_EQ(aws.code("ec2:ReleaseAddress"), "MissingParameter");
  EXPECT_EQ(aws.code("ec2:DescribeAddresses", "{PublicIps: [192.0.2.77]}"), "InvalidAddress.NotFound");
  EXPECT_EQ(aws.code("ec2:DisassociateAddress", "{AssociationId: eipassoc-0123456789abcdef0}"),
            "InvalidAssociationID.NotFound");
}

TEST(Ec2Image, a_blocked_account_does_not_make_images_and_snapshots_public) {
  Accounts aws;
  const std::string id = kept(aws.ok("ec2:RegisterImage", "{Name: golden}"), "ImageId");
  const std::string share = "{ImageId: " + id + ", LaunchPermission: {Add: [{Group: all}]}}";
  EXPECT_EQ(aws.ok("ec2:GetImageBlockPublicAccessState")["ImageBlockPublicAccessState"], "block-new-sharing");
  EXPECT_EQ(aws.code("ec2:ModifyImageAttribute", share), "OperationNotPermitted");
  aws.ok("ec2:DisableImageBlockPublicAccess");
  aws.ok("ec2:ModifyImageAttribute", share);
  EXPECT_EQ(aws.ok("ec2:DescribeImages", "{ImageIds: [" + id + "], Owners: [self]}")["Images"][0]["Public"], true);
  EXPECT_EQ(aws.code("ec2:EnableImageBlockPublicAccess", "{ImageBlockPublicAccessState: unblocked}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:RegisterImage", "{Name: golden}"), "InvalidAMIName.Duplicate");
  EXPECT_EQ(aws.code("ec2:RegisterImage", "{Name: g}"), "InvalidAMIName.Malformed");
  EXPECT_EQ(aws.code("ec2:ModifyImageAttribute", "{ImageId: " + id + "}"), "MissingParameter");
  EXPECT_EQ(aws.code("ec2:ModifyImageAttribute", "{ImageId: " + id + ", LaunchPermission: {Add: [{Group: some}]}}"),
            "InvalidAMIAttributeItemValue");
  EXPECT_EQ(aws.code("ec2:DescribeImageAttribute", "{ImageId: " + id + ", Attribute: colour}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:DescribeImages", "{ImageIds: [ami-0123456789abcdef0]}"), "InvalidAMIID.NotFound");

  const std::string volume = kept(aws.ok("ec2:CreateVolume", "{Size: 1, AvailabilityZone: us-east-1a}"), "VolumeId");
  const std::string snapshot = kept(aws.ok("ec2:CreateSnapshot", "{VolumeId: " + volume + "}"), "SnapshotId");
  aws.ok("ec2:EnableSnapshotBlockPublicAccess", "{State: block-new-sharing}");
  EXPECT_EQ(aws.code("ec2:ModifySnapshotAttribute",
                     "{SnapshotId: " + snapshot + ", CreateVolumePermission: {Add: [{Group: all}]}}"),
            "OperationNotPermitted");
  aws.ok("ec2:ModifySnapshotAttribute",
         "{SnapshotId: " + snapshot + ", CreateVolumePermission: {Add: [{UserId: '222222222222'}]}}");
}

TEST(Ec2Instance, a_protected_one_is_neither_stopped_nor_terminated) {
  Accounts aws;
  const auto run = aws.ok("ec2:RunInstances",
                          "{ImageId: ami-0123456789abcdef0, MinCount: 1, MaxCount: 1, DisableApiTermination: true}");
  const std::string id = kept(run["Instances"][0], "InstanceId");
  EXPECT_TRUE(run["Instances"][0]["DisableApiTermination"].is_null()) << "no description shows it";
  EXPECT_EQ(aws.error("ec2:TerminateInstances", "{InstanceIds: [" + id + "]}").code, "OperationNotPermitted");
  aws.ok("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + ", DisableApiStop: {Value: true}}");
  EXPECT_EQ(aws.error("ec2:StopInstances", "{InstanceIds: [" + id + "]}").code, "OperationNotPermitted");
  aws.ok("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + ", Attribute: disableApiStop, Value: 'false'}");
  aws.ok("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + ", DisableApiTermination: {Value: false}}");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + "}"), "MissingParameter");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + ", Attribute: colour, Value: red}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceAttribute",
                     "{InstanceId: " + id + ", SourceDestCheck: {Value: false}, EbsOptimized: {Value: true}}"),
            "IncorrectInstanceState");
  aws.ok("ec2:StopInstances", "{InstanceIds: [" + id + "]}");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceAttribute",
                     "{InstanceId: " + id + ", SourceDestCheck: {Value: false}, EbsOptimized: {Value: true}}"),
            "InvalidParameterCombination");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceAttribute", "{InstanceId: " + id + ", Groups: [sg-0123456789abcdef0]}"),
            "InvalidGroup.NotFound");
  EXPECT_EQ(aws.code("ec2:DescribeInstanceAttribute", "{InstanceId: " + id + ", Attribute: colour}"),
            "InvalidParameterValue");
  aws.ok("ec2:TerminateInstances", "{InstanceIds: [" + id + "]}");
}

}  // namespace
}  // namespace fixpoint::sandbox
