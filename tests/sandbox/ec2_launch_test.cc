#include "account.h"

namespace fixpoint::sandbox {
namespace {

json::Value launched(Accounts& aws, const std::string& more = {}) {
  return aws.ok("ec2:RunInstances", "{ImageId: ami-12345678, MinCount: 1, MaxCount: 1" + more + "}")["Instances"][0];
}

json::Value instance_of(Accounts& aws, const json::Value& launched) {
  return aws.ok("ec2:DescribeInstances",
                "{InstanceIds: [" + launched["InstanceId"].as_string() + "]}")["Reservations"][0]["Instances"][0];
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
TEST(Ec2Launch, what_an_instance_is_started_with_reads_back) {
  Accounts aws;
  aws.ok("iam:CreateInstanceProfile", "{InstanceProfileName: web}");
  const auto made = launched(aws, ", IamInstanceProfile: {Name: web}, Monitoring: {Enabled: true}");
  const auto shown = instance_of(aws, made);
  EXPECT_EQ(shown["IamInstanceProfile"]["Arn"], "arn:aws:iam::111111111111:instance-profile/web");
  EXPECT_EQ(shown["Monitoring"]["State"], "enabled");
  EXPECT_EQ(shown["SecurityGroups"][0]["GroupName"], "default");
  const auto associations = aws.ok("ec2:DescribeIamInstanceProfileAssociations")["IamInstanceProfileAssociations"];
  ASSERT_EQ(associations.size(), 1u);
  EXPECT_EQ(associations[0]["InstanceId"], made["InstanceId"]);
  aws.ok("ec2:TerminateInstances", "{InstanceIds: [" + made["InstanceId"].as_string() + "]}");
  EXPECT_EQ(aws.ok("ec2:DescribeIamInstanceProfileAssociations")["IamInstanceProfileAssociations"].size(), 0u);
}

TEST(Ec2Launch, groups_are_named_in_each_of_three_ways) {
  Accounts aws;
  const auto id = aws.ok("ec2:CreateSecurityGroup", "{GroupName: web, Description: d}")["GroupId"].as_string();
  for (const std::string& how : {", SecurityGroupIds: [" + id + "]", std::string(", SecurityGroups: [web]"),
                                 ", NetworkInterfaces: [{DeviceIndex: 0, Groups: [" + id + "]}]"})
    EXPECT_EQ(instance_of(aws, launched(aws, how))["SecurityGroups"], yaml("[{GroupId: " + id + ", GroupName: web}]"))
        << how;
  EXPECT_EQ(aws.code("ec2:DeleteSecurityGroup", "{GroupId: " + id + "}"), "DependencyViolation");
}

TEST(Ec2Launch, what_is_not_there_starts_nothing) {
  Accounts aws;
  for (const auto& [more, code] : {std::pair{", IamInstanceProfile: {Name: none}", "InvalidParameterValue"},
                                   {", SecurityGroups: [none]", "InvalidGroup.NotFound"},
                                   {", SecurityGroupIds: [sg-12345678]", "InvalidGroup.NotFound"},
                                   {", SubnetId: subnet-12345678", "InvalidSubnetID.NotFound"},
                                   {", BlockDeviceMappings: [{DeviceName: /dev/sdb, Ebs: {SnapshotId: snap-12345678}}]",
                                    "InvalidSnapshot.NotFound"}})
    EXPECT_EQ(
        aws.code("ec2:RunInstances", "{ImageId: ami-12345678, MinCount: 1, MaxCount: 1" + std::string(more) + "}"),
        code)
        << more;
  EXPECT_EQ(aws.code("ec2:RunInstances", "{ImageId: ami-12345678, MinCount: 2, MaxCount: 1}"), "InvalidParameterValue");
  for (const auto* image : {"foo", "ami-", "ami-xyz", "i-12345678"})
    EXPECT_EQ(aws.error("ec2:RunInstances", "{ImageId: " + std::string(image) + ", MinCount: 1, MaxCount: 1}").code,
              "InvalidAMIID.Malformed")
        << image;
  EXPECT_EQ(aws.ok("ec2:DescribeInstances")["Reservations"].size(), 0u);
  EXPECT_EQ(aws.ok("ec2:DescribeVolumes")["Volumes"].size(), 0u);
}

TEST(Ec2Launch, an_instance_has_volumes_that_end_with_it) {
  Accounts aws;
  const auto made = launched(aws,
                             ", BlockDeviceMappings: [{DeviceName: /dev/sdb, Ebs: {VolumeSize: 20, VolumeType: gp3, "
                             "Encrypted: true, DeleteOnTermination: false}}]");
  const auto devices = instance_of(aws, made)["BlockDeviceMappings"];
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0]["DeviceName"], "/dev/xvda");
  const std::string id = made["InstanceId"].as_string();
  const auto attached =
      aws.ok("ec2:DescribeVolumes", "{Filters: [{Name: attachment.instance-id, Values: [" + id + "]}]}")["Volumes"];
  ASSERT_EQ(attached.size(), 2u);
  const std::string second = devices[1]["Ebs"]["VolumeId"].as_string();
  const auto volume = aws.ok("ec2:DescribeVolumes", "{VolumeIds: [" + second + "]}")["Volumes"][0];
  EXPECT_EQ(volume["State"], "in-use");
  EXPECT_EQ(volume["Size"], 20);
  EXPECT_EQ(volume["Encrypted"], true);
  EXPECT_EQ(aws.code("ec2:DeleteVolume", "{VolumeId: " + second + "}"), "VolumeInUse");
  EXPECT_EQ(aws.ok("ec2:DescribeInstances",
                   "{Filters: [{Name: block-device-mapping.volume-id, Values: [" + second + "]}]}")["Reservations"]
                .size(),
            1u);
  aws.ok("ec2:CreateSnapshot", "{VolumeId: " + second + "}");
  aws.ok("ec2:TerminateInstances", "{InstanceIds: [" + id + "]}");
  const auto left = aws.ok("ec2:DescribeVolumes")["Volumes"];
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0]["VolumeId"], second);
  EXPECT_EQ(left[0]["State"], "available");
  aws.ok("ec2:DeleteVolume", "{VolumeId: " + second + "}");
}

TEST(Ec2Launch, instances_are_filtered_by_what_describes_them) {
  Accounts aws;
  aws.ok("iam:CreateInstanceProfile", "{InstanceProfileName: web}");
  launched(aws, ", IamInstanceProfile: {Name: web}");
  launched(aws, ", Monitoring: {Enabled: true}");
  const auto count = [&](const std::string& name, const std::string& value) {
    return aws
        .ok("ec2:DescribeInstances", "{Filters: [{Name: " + name + ", Values: ['" + value + "']}]}")["Reservations"]
        .size();
  };
  EXPECT_EQ(count("iam-instance-profile.arn", "arn:aws:iam::111111111111:instance-profile/web"), 1u);
  EXPECT_EQ(count("monitoring-state", "enabled"), 1u);
  EXPECT_EQ(count("availability-zone", "us-east-1a"), 2u);
  EXPECT_EQ(count("instance.group-name", "default"), 2u);
  EXPECT_EQ(count("block-device-mapping.device-name", "/dev/xvda"), 2u);
  EXPECT_EQ(aws.code("ec2:DescribeInstances", "{Filters: [{Name: block-device-mapping.colour, Values: [x]}]}"),
            "InvalidParameterValue");
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html
TEST(Ec2Volumes, keys_and_speed_are_those_of_the_volume) {
  Accounts aws;
  const auto make = [&](const std::string& more) {
    return aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, " + more + "}");
  };
  const auto own = aws.ok("kms:DescribeKey", "{KeyId: alias/aws/ebs}")["KeyMetadata"]["Arn"];
  EXPECT_EQ(make("Size: 8, Encrypted: true")["KmsKeyId"], own);
  EXPECT_TRUE(make("Size: 8")["KmsKeyId"].is_null());
  const auto key = aws.ok("kms:CreateKey")["KeyMetadata"];
  const auto volume = make("Size: 8, Encrypted: true, KmsKeyId: " + key["KeyId"].as_string());
  EXPECT_EQ(volume["KmsKeyId"], key["Arn"]);
  const auto snapshot = aws.ok("ec2:CreateSnapshot", "{VolumeId: " + volume["VolumeId"].as_string() + "}");
  EXPECT_EQ(snapshot["KmsKeyId"], key["Arn"]);
  const auto again = make("SnapshotId: " + snapshot["SnapshotId"].as_string());
  EXPECT_EQ(again["Size"], 8);
  EXPECT_EQ(again["Encrypted"], true);
  EXPECT_EQ(again["KmsKeyId"], key["Arn"]);
  aws.ok("ec2:ModifyEbsDefaultKmsKeyId", "{KmsKeyId: " + key["KeyId"].as_string() + "}");
  EXPECT_EQ(make("Size: 8, Encrypted: true")["KmsKeyId"], key["Arn"]);
  EXPECT_EQ(make("Size: 8")["Iops"], 100);
  EXPECT_EQ(make("Size: 100")["Iops"], 300);
  EXPECT_EQ(make("Size: 8, VolumeType: gp3")["Iops"], 3000);
  EXPECT_EQ(make("Size: 8, VolumeType: io1, Iops: 200")["Iops"], 200);
  for (const auto& [more, code] : {std::pair{"Size: 8, VolumeType: io2", "InvalidParameterDependency"},
                                   {"Size: 8, KmsKeyId: k", "InvalidParameterDependency"},
                                   {"Size: 8, Iops: 200", "InvalidParameterCombination"},
                                   {"SnapshotId: snap-12345678", "InvalidSnapshot.NotFound"}})
    EXPECT_EQ(aws.code("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, " + std::string(more) + "}"), code) << more;
  EXPECT_EQ(aws.code("ec2:CreateVolume",
                     "{AvailabilityZone: us-east-1a, Size: 4, SnapshotId: " + snapshot["SnapshotId"].as_string() + "}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:CreateVolume", "{Size: 4}"), "MissingParameter");
  EXPECT_EQ(aws.code("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, AvailabilityZoneId: use1-az2, Size: 4}"),
            "InvalidParameterCombination");
  EXPECT_EQ(aws.ok("ec2:CreateVolume", "{AvailabilityZoneId: use1-az2, Size: 4}")["AvailabilityZone"], "us-east-1b");
}

// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
TEST(Ec2Volumes, an_encrypted_snapshot_is_shared_with_accounts_and_under_a_key_of_ones_own) {
  Accounts aws;
  const auto snapshot = [&](const std::string& more) {
    const auto volume = aws.ok("ec2:CreateVolume", "{AvailabilityZone: us-east-1a, Size: 1, " + more + "}");
    return aws.ok("ec2:CreateSnapshot", "{VolumeId: " + volume["VolumeId"].as_string() + "}")["SnapshotId"].as_string();
  };
  const auto share = [&](const std::string& id, const std::string& with) {
    return aws.code("ec2:ModifySnapshotAttribute",
                    "{SnapshotId: " + id + ", CreateVolumePermission: {Add: [" + with + "]}}");
  };
  const auto plain = snapshot("Encrypted: false");
  EXPECT_EQ(share(plain, "{Group: all}"), "OK");
  EXPECT_EQ(share(plain, "{UserId: '12345'}"), "InvalidParameterValue");
  const auto by_default = snapshot("Encrypted: true");
  EXPECT_EQ(share(by_default, "{UserId: '222222222222'}"), "OperationNotPermitted");
  EXPECT_EQ(share(by_default, "{Group: all}"), "OperationNotPermitted");
  const auto key = aws.ok("kms:CreateKey")["KeyMetadata"]["KeyId"].as_string();
  const auto own = snapshot("Encrypted: true, KmsKeyId: " + key);
  EXPECT_EQ(share(own, "{UserId: '222222222222'}"), "OK");
  EXPECT_EQ(share(own, "{Group: all}"), "OperationNotPermitted");
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (InvalidAMIAttributeItemValue)
TEST(Ec2Images, are_shared_with_accounts_of_twelve_digits) {
  Accounts aws;
  const auto instance = launched(aws)["InstanceId"].as_string();
  const auto image = aws.ok("ec2:CreateImage", "{InstanceId: " + instance + ", Name: golden}")["ImageId"].as_string();
  const auto share = [&](const std::string& with) {
    return aws.code("ec2:ModifyImageAttribute", "{ImageId: " + image + ", LaunchPermission: {Add: [" + with + "]}}");
  };
  EXPECT_EQ(share("{UserId: '222222222222'}"), "OK");
  EXPECT_EQ(share("{UserId: '2222-2222-2222'}"), "InvalidAMIAttributeItemValue");
  EXPECT_EQ(share("{UserId: me}"), "InvalidAMIAttributeItemValue");
  EXPECT_EQ(aws.ok("ec2:DescribeImageAttribute",
                   "{ImageId: " + image + ", Attribute: launchPermission}")["LaunchPermissions"],
            yaml("[{UserId: '222222222222'}]"));
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
TEST(Ec2Zones, have_ids_and_are_those_of_the_region) {
  Accounts aws;
  const auto subnets =
      aws.ok("ec2:DescribeSubnets", "{Filters: [{Name: default-for-az, Values: ['true']}]}")["Subnets"];
  ASSERT_EQ(subnets.size(), 3u);
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    const std::string zone = subnets[i]["AvailabilityZone"].as_string();
    EXPECT_EQ(subnets[i]["AvailabilityZoneId"], "use1-az" + std::to_string(zone.back() - 'a' + 1)) << zone;
  }
  for (const auto& [region, id] : {std::pair{"eu-central-1", "euc1-az2"},
                                   {"ap-northeast-2", "apne2-az2"},
                                   {"us-gov-west-1", "usgw1-az2"},
                                   {"ap-southeast-3", "apse3-az2"}}) {
    const auto found = aws.call("ec2:DescribeSubnets",
                                "{Filters: [{Name: availability-zone, Values: [" + std::string(region) + "b]}]}",
                                "111111111111", region);
    EXPECT_EQ((*found)["Subnets"][0]["AvailabilityZoneId"], json::Value(id));
  }
  EXPECT_EQ(aws.error("ec2:CreateVolume", "{AvailabilityZone: us-east-1x, Size: 8}"),
            (Error{"InvalidZone.NotFound", "The zone 'us-east-1x' does not exist.", {}, false, 400}));
  EXPECT_EQ(aws.code("ec2:CreateVolume", "{AvailabilityZone: eu-west-1a, Size: 8}"), "InvalidZone.NotFound");
  EXPECT_EQ(aws.ok("ec2:CreateVolume", "{AvailabilityZoneId: use1-az3, Size: 8}")["AvailabilityZone"], "us-east-1c");
  EXPECT_EQ(aws.ok("ec2:DescribeVolumes")["Volumes"].size(), 1u);
  const auto vpc = aws.ok("ec2:CreateVpc", "{CidrBlock: 10.9.0.0/16}")["Vpc"]["VpcId"].as_string();
  const std::string in_vpc = "{VpcId: " + vpc + ", CidrBlock: 10.9.1.0/24, ";
  EXPECT_EQ(aws.code("ec2:CreateSubnet", in_vpc + "AvailabilityZone: us-east-1x}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:CreateSubnet", in_vpc + "AvailabilityZoneId: use1-az9}"), "InvalidParameterValue");
  EXPECT_EQ(aws.ok("ec2:CreateSubnet", in_vpc + "AvailabilityZone: us-east-1b}")["Subnet"]["AvailabilityZoneId"],
            "use1-az2");
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
TEST(Ec2Subnets, lie_in_their_vpc_and_beside_each_other) {
  Accounts aws;
  const auto vpc = aws.ok("ec2:CreateVpc", "{CidrBlock: 10.9.0.0/16}")["Vpc"]["VpcId"].as_string();
  const auto make = [&](const std::string& cidr) {
    return aws.code("ec2:CreateSubnet", "{VpcId: " + vpc + ", CidrBlock: " + cidr + "}");
  };
  EXPECT_EQ(make("10.9.1.0/24"), "OK");
  EXPECT_EQ(make("10.9.1.0/24"), "InvalidSubnet.Conflict");
  EXPECT_EQ(make("10.9.1.128/25"), "InvalidSubnet.Conflict");
  EXPECT_EQ(make("10.9.0.0/23"), "InvalidSubnet.Conflict");
  EXPECT_EQ(make("10.9.2.0/24"), "OK");
  EXPECT_EQ(make("10.8.1.0/24"), "InvalidSubnet.Range");
  const auto id =
      aws.ok("ec2:DescribeSubnets", "{Filters: [{Name: vpc-id, Values: [" + vpc + "]}]}")["Subnets"][0]["SubnetId"]
          .as_string();
  const auto made = launched(aws, ", SubnetId: " + id);
  EXPECT_EQ(aws.code("ec2:DeleteSubnet", "{SubnetId: " + id + "}"), "DependencyViolation");
  aws.ok("ec2:TerminateInstances", "{InstanceIds: [" + made["InstanceId"].as_string() + "]}");
  EXPECT_EQ(aws.code("ec2:DeleteSubnet", "{SubnetId: " + id + "}"), "OK");
}

TEST(Launch, an_instance_is_in_the_zone_that_is_asked_for) {
  Accounts aws;
  const std::string run = "{ImageId: ami-12345678, MinCount: 1, MaxCount: 1, Placement: {AvailabilityZone: ";
  const auto made = aws.ok("ec2:RunInstances", run + "us-east-1b}}")["Instances"][0];
  EXPECT_EQ(made["Placement"]["AvailabilityZone"], "us-east-1b");
  const auto subnet = made["SubnetId"].as_string();
  EXPECT_EQ(aws.ok("ec2:DescribeSubnets", "{SubnetIds: [" + subnet + "]}")["Subnets"][0]["AvailabilityZone"],
            "us-east-1b");
  EXPECT_EQ(aws.code("ec2:RunInstances", run + "us-east-1z}}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("ec2:RunInstances", run + "us-east-1c}, SubnetId: " + subnet + "}"), "InvalidParameterValue");
}

}  // namespace
}  // namespace fixpoint::sandbox
