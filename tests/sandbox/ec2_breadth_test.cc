#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(Ec2Storage, encryption_by_default_is_switched_and_takes_effect) {
  Accounts aws;
  EXPECT_EQ(aws.ok("ec2:GetEbsEncryptionByDefault"), yaml("{EbsEncryptionByDefault: false}"));
  EXPECT_EQ(aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, Size: 1}")["Encrypted"], false);
  aws.ok("ec2:EnableEbsEncryptionByDefault");
  EXPECT_EQ(aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, Size: 1}")["Encrypted"], true);
  EXPECT_EQ(aws.call("ec2:GetEbsEncryptionByDefault", "{}", "111111111111", "eu-west-1")
                ->find("EbsEncryptionByDefault")
                ->as_bool(),
            false);
  EXPECT_EQ(aws.code("ec2:DisableEbsEncryptionByDefault", "{DryRun: true}"), "DryRunOperation");
  EXPECT_EQ(aws.ok("ec2:GetEbsEncryptionByDefault"), yaml("{EbsEncryptionByDefault: true}"));
  EXPECT_EQ(aws.ok("ec2:GetEbsDefaultKmsKeyId")["KmsKeyId"], "alias/aws/ebs");
  EXPECT_EQ(aws.code("ec2:ModifyEbsDefaultKmsKeyId", "{KmsKeyId: alias/none}"), "InvalidKmsKey.InvalidState");
}

TEST(Ec2Storage, a_snapshot_is_shared_and_taken_back) {
  Accounts aws;
  const auto volume = aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, Size: 8}")["VolumeId"].as_string();
  const auto id = aws.ok("ec2:CreateSnapshot", "{VolumeId: " + volume + "}")["SnapshotId"].as_string();
  const auto before =
      aws.ok("ec2:DescribeSnapshotAttribute", "{Attribute: createVolumePermission, SnapshotId: " + id + "}");
  EXPECT_EQ(aws.ok("ec2:DescribeSnapshots", "{RestorableByUserIds: [all]}")["Snapshots"].size(), 0u);
  aws.ok("ec2:ModifySnapshotAttribute",
         "{SnapshotId: " + id + ", Attribute: createVolumePermission, OperationType: add, GroupNames: [all]}");
  const auto open = aws.ok("ec2:DescribeSnapshots", "{RestorableByUserIds: [all], OwnerIds: [self]}")["Snapshots"];
  ASSERT_EQ(open.size(), 1u);
  EXPECT_TRUE(open[0]["Permissions"].is_null());
  aws.ok("ec2:ModifySnapshotAttribute", "{SnapshotId: " + id + ", CreateVolumePermission: {Remove: [{Group: all}]}}");
  EXPECT_EQ(aws.ok("ec2:DescribeSnapshotAttribute", "{Attribute: createVolumePermission, SnapshotId: " + id + "}"),
            before);
  EXPECT_EQ(
      aws.code("ec2:ModifySnapshotAttribute", "{SnapshotId: snap-01234567, OperationType: add, GroupNames: [all]}"),
      "InvalidSnapshot.NotFound");
  EXPECT_EQ(aws.code("ec2:ModifySnapshotAttribute", "{SnapshotId: " + id + "}"), "MissingParameter");
  aws.ok("ec2:DeleteSnapshot", "{SnapshotId: " + id + "}");
  aws.ok("ec2:DeleteVolume", "{VolumeId: " + volume + "}");
  EXPECT_EQ(aws.code("ec2:DeleteVolume", "{VolumeId: " + volume + "}"), "InvalidVolume.NotFound");
}

TEST(Ec2Instances, metadata_options_profiles_and_states_change) {
  Accounts aws;
  const auto id =
      aws.ok("ec2:RunInstances", "{ImageId: ami-01234567, MinCount: 1, MaxCount: 1}")["Instances"][0]["InstanceId"]
          .as_string();
  const auto read = [&] {
    return aws.ok("ec2:DescribeInstances", "{InstanceIds: [" + id + "]}")["Reservations"][0]["Instances"][0];
  };
  EXPECT_EQ(read()["MetadataOptions"]["HttpTokens"], "optional");
  aws.ok("ec2:ModifyInstanceMetadataOptions", "{InstanceId: " + id + ", HttpTokens: required}");
  EXPECT_EQ(read()["MetadataOptions"]["HttpTokens"], "required");
  EXPECT_EQ(read()["MetadataOptions"]["HttpEndpoint"], "enabled");
  EXPECT_EQ(aws.code("ec2:ModifyInstanceMetadataOptions", "{InstanceId: i-01234567, HttpTokens: required}"),
            "InvalidInstanceID.NotFound");
  EXPECT_EQ(aws.code("ec2:AssociateIamInstanceProfile", "{InstanceId: " + id + ", IamInstanceProfile: {Name: p}}"),
            "InvalidParameterValue");
  aws.ok("iam:CreateInstanceProfile", "{InstanceProfileName: p}");
  const auto association =
      aws.ok("ec2:AssociateIamInstanceProfile",
             "{InstanceId: " + id +
                 ", IamInstanceProfile: {Name: p}}")["IamInstanceProfileAssociation"]["AssociationId"]
          .as_string();
  EXPECT_EQ(aws.ok("ec2:DescribeIamInstanceProfileAssociations",
                   "{Filters: [{Name: instance-id, Values: [" + id + "]}]}")["IamInstanceProfileAssociations"]
                .size(),
            1u);
  aws.ok("ec2:DisassociateIamInstanceProfile", "{AssociationId: " + association + "}");
  EXPECT_TRUE(read()["IamInstanceProfile"].is_null());
  aws.ok("ec2:StopInstances", "{InstanceIds: [" + id + "]}");
  EXPECT_EQ(aws.ok("ec2:DescribeInstanceStatus", "{}")["InstanceStatuses"].size(), 0u);
  EXPECT_EQ(aws.ok("ec2:DescribeInstanceStatus", "{IncludeAllInstances: true}")["InstanceStatuses"].size(), 1u);
  EXPECT_EQ(aws.ok("ec2:TerminateInstances",
                   "{InstanceIds: [" + id + "]}")["TerminatingInstances"][0]["PreviousState"]["Name"],
            "stopped");
  EXPECT_EQ(aws.code("ec2:StartInstances", "{InstanceIds: [" + id + "]}"), "IncorrectInstanceState");
}

TEST(Ec2Network, flow_logs_endpoints_gateways_and_subnets) {
  Accounts aws;
  const auto vpc = aws.ok("ec2:DescribeVpcs")["Vpcs"][0]["VpcId"].as_string();
  const std::string input =
      "{ResourceType: VPC, ResourceIds: [" + vpc +
      "], TrafficType: REJECT, LogGroupName: g, DeliverLogsPermissionArn: 'arn:aws:iam::111111111111:role/r'}";
  const auto log = aws.ok("ec2:CreateFlowLogs", input)["FlowLogIds"][0].as_string();
  EXPECT_EQ(aws.ok("ec2:CreateFlowLogs", input)["Unsuccessful"][0]["Error"]["Code"], "FlowLogAlreadyExists");
  EXPECT_EQ(aws.ok("ec2:DescribeFlowLogs",
                   "{Filter: [{Name: resource-id, Values: [" + vpc + "]}]}")["FlowLogs"][0]["TrafficType"],
            "REJECT");
  aws.ok("ec2:DeleteFlowLogs", "{FlowLogIds: [" + log + "]}");
  EXPECT_EQ(aws.ok("ec2:DescribeFlowLogs")["FlowLogs"].size(), 0u);
  const auto endpoint =
      aws.ok("ec2:CreateVpcEndpoint",
             "{VpcId: " + vpc +
                 ", ServiceName: com.amazonaws.us-east-1.ec2, VpcEndpointType: Interface}")["VpcEndpoint"]
                                                                                           ["VpcEndpointId"]
                                                                                               .as_string();
  EXPECT_EQ(
      aws.ok("ec2:DescribeVpcEndpoints", "{Filters: [{Name: vpc-id, Values: [" + vpc + "]}]}")["VpcEndpoints"].size(),
      1u);
  aws.ok("ec2:DeleteVpcEndpoints", "{VpcEndpointIds: [" + endpoint + "]}");
  EXPECT_EQ(aws.code("ec2:CreateVpcEndpoint", "{VpcId: vpc-01234567, ServiceName: x}"), "InvalidVpcId.NotFound");
  const auto gateway = aws.ok("ec2:CreateTransitGateway",
                              "{Options: {AutoAcceptSharedAttachments: enable}}")["TransitGateway"]["TransitGatewayId"]
                           .as_string();
  aws.ok("ec2:ModifyTransitGateway",
         "{TransitGatewayId: " + gateway + ", Options: {AutoAcceptSharedAttachments: disable}}");
  EXPECT_EQ(aws.ok("ec2:DescribeTransitGateways")["TransitGateways"][0]["Options"]["AutoAcceptSharedAttachments"],
            "disable");
  aws.ok("ec2:DeleteTransitGateway", "{TransitGatewayId: " + gateway + "}");
  EXPECT_EQ(aws.code("ec2:ModifyTransitGateway", "{TransitGatewayId: " + gateway + "}"),
            "InvalidTransitGatewayID.NotFound");
  const auto subnet = aws.ok("ec2:DescribeSubnets", "{Filters: [{Name: vpc-id, Values: [" + vpc + "]}]}")["Subnets"][0];
  EXPECT_EQ(subnet["MapPublicIpOnLaunch"], true);
  const std::string subnet_id = subnet["SubnetId"].as_string();
  aws.ok("ec2:ModifySubnetAttribute", "{SubnetId: " + subnet_id + ", MapPublicIpOnLaunch: {Value: false}}");
  EXPECT_EQ(aws.ok("ec2:DescribeSubnets", "{SubnetIds: [" + subnet_id + "]}")["Subnets"][0]["MapPublicIpOnLaunch"],
            false);
  EXPECT_EQ(
      aws.ok("ec2:DescribeVpcAttribute", "{VpcId: " + vpc + ", Attribute: enableDnsHostnames}")["EnableDnsHostnames"],
      yaml("{Value: true}"));
  aws.ok("ec2:ModifyVpcAttribute", "{VpcId: " + vpc + ", EnableDnsHostnames: {Value: false}}");
  EXPECT_EQ(
      aws.ok("ec2:DescribeVpcAttribute", "{VpcId: " + vpc + ", Attribute: enableDnsHostnames}")["EnableDnsHostnames"],
      yaml("{Value: false}"));
}

}  // namespace
}  // namespace fixpoint::sandbox
