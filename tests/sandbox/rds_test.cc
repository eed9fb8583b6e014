#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(Rds, an_instance_is_modified_and_protected) {
  Accounts aws;
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: Pay, DBInstanceClass: db.t3.micro, Engine: mysql, PubliclyAccessible: true}");
  const auto read = [&] { return aws.ok("rds:DescribeDBInstances", "{DBInstanceIdentifier: PAY}")["DBInstances"][0]; };
  EXPECT_EQ(read()["DBInstanceArn"], "arn:aws:rds:us-east-1:111111111111:db:pay");
  EXPECT_EQ(aws.code("rds:CreateDBInstance", "{DBInstanceIdentifier: pay, DBInstanceClass: x, Engine: mysql}"),
            "DBInstanceAlreadyExists");
  const auto before = read();
  aws.ok("rds:ModifyDBInstance",
         "{DBInstanceIdentifier: pay, PubliclyAccessible: false, DeletionProtection: true, ApplyImmediately: true}");
  EXPECT_EQ(read()["PubliclyAccessible"], false);
  EXPECT_EQ(read()["MultiAZ"], false);
  EXPECT_EQ(aws.code("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay}"), "InvalidParameterCombination");
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, PubliclyAccessible: true, DeletionProtection: false}");
  EXPECT_EQ(read(), before);
  aws.ok("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay}");
  EXPECT_EQ(aws.error("rds:DescribeDBInstances", "{DBInstanceIdentifier: pay}"),
            (Error{"DBInstanceNotFound", "DBInstance pay not found.", {}, false, 404}));
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances")["DBInstances"].size(), 0u);
}

TEST(Rds, clusters_and_snapshots_are_shared_copied_and_deleted) {
  Accounts aws;
  aws.ok("rds:CreateDBCluster", "{DBClusterIdentifier: c, Engine: aurora-mysql}");
  aws.ok("rds:ModifyDBCluster", "{DBClusterIdentifier: c, DeletionProtection: true}");
  EXPECT_EQ(aws.ok("rds:DescribeDBClusters")["DBClusters"][0]["DeletionProtection"], true);
  EXPECT_EQ(aws.code("rds:ModifyDBCluster", "{DBClusterIdentifier: none}"), "DBClusterNotFoundFault");
  aws.ok("rds:CreateDBClusterSnapshot", "{DBClusterIdentifier: c, DBClusterSnapshotIdentifier: cs}");
  aws.ok("rds:ModifyDBClusterSnapshotAttribute",
         "{DBClusterSnapshotIdentifier: cs, AttributeName: restore, ValuesToAdd: [all]}");
  EXPECT_EQ(
      aws.ok("rds:DescribeDBClusterSnapshotAttributes",
             "{DBClusterSnapshotIdentifier: cs}")["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"],
      yaml("[{AttributeName: restore, AttributeValues: [all]}]"));
  aws.ok("rds:CreateDBInstance", "{DBInstanceIdentifier: i, DBInstanceClass: x, Engine: mysql}");
  EXPECT_EQ(aws.code("rds:CreateDBSnapshot", "{DBInstanceIdentifier: none, DBSnapshotIdentifier: s}"),
            "DBInstanceNotFound");
  aws.ok("rds:CreateDBSnapshot", "{DBInstanceIdentifier: i, DBSnapshotIdentifier: s}");
  const auto before = aws.ok("rds:DescribeDBSnapshotAttributes", "{DBSnapshotIdentifier: s}");
  aws.ok("rds:ModifyDBSnapshotAttribute",
         "{DBSnapshotIdentifier: s, AttributeName: restore, ValuesToAdd: [all, '222222222222']}");
  aws.ok("rds:ModifyDBSnapshotAttribute",
         "{DBSnapshotIdentifier: s, AttributeName: restore, ValuesToRemove: [all, '222222222222']}");
  EXPECT_EQ(aws.ok("rds:DescribeDBSnapshotAttributes", "{DBSnapshotIdentifier: s}"), before);
  EXPECT_EQ(aws.code("rds:ModifyDBSnapshotAttribute", "{DBSnapshotIdentifier: s, AttributeName: colour}"),
            "InvalidParameterValue");
  const auto copy =
      aws.ok("rds:CopyDBSnapshot",
             "{SourceDBSnapshotIdentifier: s, TargetDBSnapshotIdentifier: t, KmsKeyId: alias/aws/rds}")["DBSnapshot"];
  EXPECT_EQ(copy["Encrypted"], true);
  EXPECT_EQ(aws.code("rds:CopyDBSnapshot", "{SourceDBSnapshotIdentifier: s, TargetDBSnapshotIdentifier: t}"),
            "DBSnapshotAlreadyExists");
  aws.ok("rds:DeleteDBSnapshot", "{DBSnapshotIdentifier: s}");
  EXPECT_EQ(aws.ok("rds:DescribeDBSnapshots", "{DBInstanceIdentifier: i}")["DBSnapshots"].size(), 1u);
  EXPECT_EQ(aws.code("rds:DeleteDBSnapshot", "{DBSnapshotIdentifier: s}"), "DBSnapshotNotFound");
}

TEST(Rds, what_takes_effect_in_the_maintenance_window_waits_and_can_be_called_off) {
  Accounts aws;
  aws.ok("rds:CreateDBInstance", "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, Engine: postgres}");
  const auto read = [&] { return aws.ok("rds:DescribeDBInstances")["DBInstances"][0]; };
  EXPECT_EQ(read()["Endpoint"]["Port"], 5432);
  const auto before = read();
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, MultiAZ: true, BackupRetentionPeriod: 0}");
  EXPECT_EQ(read()["MultiAZ"], false);
  EXPECT_EQ(read()["PendingModifiedValues"], yaml("{MultiAZ: true, BackupRetentionPeriod: 0}"));
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, MultiAZ: false, BackupRetentionPeriod: 1}");
  EXPECT_EQ(read(), before);
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, BackupRetentionPeriod: 14}");
  EXPECT_EQ(read()["BackupRetentionPeriod"], 14) << "longer or shorter is at once, on and off is not";
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, MultiAZ: true}");
  aws.ok("rds:RebootDBInstance", "{DBInstanceIdentifier: pay}");
  EXPECT_EQ(read()["MultiAZ"], true);
  EXPECT_EQ(read()["PendingModifiedValues"], yaml("{}"));
}

TEST(Rds, modifications_and_tags_that_cannot_be_are_refused) {
  Accounts aws;
  const auto made = aws.ok("rds:CreateDBInstance",
                           "{DBInstanceIdentifier: pay, DBInstanceClass: x, Engine: mysql, AllocatedStorage: 20}");
  const std::string arn(made["DBInstance"]["DBInstanceArn"].string_or({}));
  const auto modify = [&](const std::string& what) {
    return aws.code("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, " + what + "}");
  };
  EXPECT_EQ(modify("BackupRetentionPeriod: 36"), "InvalidParameterValue");
  EXPECT_EQ(modify("MonitoringInterval: 7"), "InvalidParameterValue");
  EXPECT_EQ(modify("MonitoringInterval: 60"), "InvalidParameterCombination");
  EXPECT_EQ(modify("AllocatedStorage: 10"), "InvalidParameterCombination");
  aws.ok("rds:CreateDBInstance", "{DBInstanceIdentifier: wages, DBInstanceClass: x, Engine: mysql}");
  EXPECT_EQ(modify("NewDBInstanceIdentifier: wages, ApplyImmediately: true"), "DBInstanceAlreadyExists");
  EXPECT_EQ(aws.code("rds:ListTagsForResource", "{ResourceName: pay}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("rds:ListTagsForResource", "{ResourceName: '" + arn + "2'}"), "DBInstanceNotFound");
  EXPECT_EQ(aws.code("rds:AddTagsToResource",
                     "{ResourceName: 'arn:aws:rds:us-east-1:111111111111:og:own', Tags: [{Key: a, Value: b}]}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("rds:RebootDBInstance", "{DBInstanceIdentifier: none}"), "DBInstanceNotFound");
}

}  // namespace
}  // namespace fixpoint::sandbox
