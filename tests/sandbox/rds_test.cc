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

}  // namespace
}  // namespace fixpoint::sandbox
