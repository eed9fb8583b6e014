#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(Rds, an_instance_is_modified_and_protected) {
  Accounts aws;
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: Pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: "
         "mysql, PubliclyAccessible: true}");
  const auto read = [&] { return aws.ok("rds:DescribeDBInstances", "{DBInstanceIdentifier: PAY}")["DBInstances"][0]; };
  EXPECT_EQ(read()["DBInstanceArn"], "arn:aws:rds:us-east-1:111111111111:db:pay");
  EXPECT_EQ(aws.code("rds:CreateDBInstance",
                     "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, "
                     "Engine: mysql}"),
            "DBInstanceAlreadyExists");
  const auto before = read();
  aws.ok("rds:ModifyDBInstance",
         "{DBInstanceIdentifier: pay, PubliclyAccessible: false, DeletionProtection: true, ApplyImmediately: true}");
  EXPECT_EQ(read()["PubliclyAccessible"], false);
  EXPECT_EQ(read()["MultiAZ"], false);
  EXPECT_EQ(aws.code("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay}"), "InvalidParameterCombination");
  aws.ok("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, PubliclyAccessible: true, DeletionProtection: false}");
  EXPECT_EQ(read(), before);
  aws.ok("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay, SkipFinalSnapshot: true}");
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
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: i, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}");
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
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: "
         "postgres}");
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
                           "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: "
                           "Correct-Horse-1, Engine: mysql, AllocatedStorage: 20}");
  const std::string arn(made["DBInstance"]["DBInstanceArn"].string_or({}));
  const auto modify = [&](const std::string& what) {
    return aws.code("rds:ModifyDBInstance", "{DBInstanceIdentifier: pay, " + what + "}");
  };
  EXPECT_EQ(modify("BackupRetentionPeriod: 36"), "InvalidParameterValue");
  EXPECT_EQ(modify("MonitoringInterval: 7"), "InvalidParameterValue");
  EXPECT_EQ(modify("MonitoringInterval: 60"), "InvalidParameterCombination");
  EXPECT_EQ(modify("AllocatedStorage: 10"), "InvalidParameterCombination");
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: wages, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: "
         "mysql}");
  EXPECT_EQ(modify("NewDBInstanceIdentifier: wages, ApplyImmediately: true"), "DBInstanceAlreadyExists");
  EXPECT_EQ(aws.code("rds:ListTagsForResource", "{ResourceName: pay}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("rds:ListTagsForResource", "{ResourceName: '" + arn + "2'}"), "DBInstanceNotFound");
  EXPECT_EQ(aws.code("rds:AddTagsToResource",
                     "{ResourceName: 'arn:aws:rds:us-east-1:111111111111:og:own', Tags: [{Key: a, Value: b}]}"),
            "InvalidParameterValue");
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
  std::string many = "{Key: k, Value: v}";
  for (int i = 0; i < 50; ++i) many += ", {Key: k, Value: v}";
  EXPECT_EQ(aws.code("rds:AddTagsToResource", "{ResourceName: '" + arn + "', Tags: [" + many + "]}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.code("rds:RebootDBInstance", "{DBInstanceIdentifier: none}"), "DBInstanceNotFound");
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
TEST(Rds, lists_are_filtered_and_named_by_arn) {
  Accounts aws;
  aws.ok(
      "rds:CreateDBInstance",
      "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}");
  aws.ok("rds:CreateDBInstance",
         "{DBInstanceIdentifier: log, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: "
         "postgres}");
  const auto names = [&](const std::string& filters) {
    const auto found = aws.ok("rds:DescribeDBInstances", "{Filters: " + filters + "}")["DBInstances"];
    std::string out;
    for (std::size_t i = 0; i < found.size(); ++i) out += found[i]["DBInstanceIdentifier"].as_string() + " ";
    return out;
  };
  EXPECT_EQ(names("[{Name: engine, Values: [mysql]}]"), "pay ");
  EXPECT_EQ(names("[{Name: engine, Values: [mysql, postgres]}]"), "log pay ");
  EXPECT_EQ(names("[{Name: engine, Values: [oracle-ee]}]"), "");
  EXPECT_EQ(names("[{Name: db-instance-id, Values: ['arn:aws:rds:us-east-1:111111111111:db:log']}]"), "log ");
  EXPECT_EQ(names("[{Name: db-instance-id, Values: [LOG, pay]}, {Name: engine, Values: [mysql]}]"), "pay ");
  EXPECT_EQ(names("[{Name: db-cluster-id, Values: [none]}]"), "");
  EXPECT_EQ(aws.error("rds:DescribeDBInstances", "{Filters: [{Name: colour, Values: [red]}]}"),
            (Error{"InvalidParameterValue", "Unrecognized filter name: colour", {}, false, 400}));
  EXPECT_EQ(aws.code("rds:DescribeDBClusters", "{Filters: [{Name: db-instance-id, Values: [pay]}]}"),
            "InvalidParameterValue");
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances",
                   "{DBInstanceIdentifier: 'arn:aws:rds:us-east-1:111111111111:db:pay'}")["DBInstances"][0]["Engine"],
            "mysql");
  EXPECT_EQ(aws.code("rds:DescribeDBInstances", "{DBInstanceIdentifier: 'arn:aws:rds:eu-west-1:111111111111:db:pay'}"),
            "DBInstanceNotFound");
  EXPECT_EQ(aws.code("rds:DescribeDBInstances", "{MaxRecords: 5}"), "InvalidParameterValue");
  EXPECT_EQ(aws.code("rds:DescribeDBInstances", "{Marker: junk}"), "InvalidParameterValue");
}

TEST(Rds, snapshots_are_listed_by_source_and_by_whether_everybody_has_them) {
  Accounts aws;
  for (const std::string name : {"pay", "log"}) {
    aws.ok("rds:CreateDBInstance",
           "{DBInstanceIdentifier: " + name +
               ", DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}");
    aws.ok("rds:CreateDBSnapshot", "{DBInstanceIdentifier: " + name + ", DBSnapshotIdentifier: of-" + name + "}");
  }
  aws.ok("rds:ModifyDBSnapshotAttribute", "{DBSnapshotIdentifier: of-log, AttributeName: restore, ValuesToAdd: [all]}");
  const auto count = [&](const std::string& input) {
    return aws.ok("rds:DescribeDBSnapshots", input)["DBSnapshots"].size();
  };
  EXPECT_EQ(count("{}"), 2u);
  EXPECT_EQ(count("{DBInstanceIdentifier: PAY}"), 1u);
  EXPECT_EQ(count("{SnapshotType: public}"), 1u);
  EXPECT_EQ(count("{SnapshotType: automated}"), 0u);
  EXPECT_EQ(count("{Filters: [{Name: db-instance-id, Values: [log]}]}"), 1u);
  const auto snapshot = aws.ok("rds:DescribeDBSnapshots", "{DBSnapshotIdentifier: of-log}")["DBSnapshots"][0];
  EXPECT_TRUE(snapshot["Restore"].is_null());
  EXPECT_EQ(count("{DbiResourceId: " + snapshot["DbiResourceId"].as_string() + "}"), 1u);
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
TEST(Rds, what_is_deleted_leaves_a_snapshot_unless_told_not_to) {
  Accounts aws;
  aws.ok(
      "rds:CreateDBInstance",
      "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}");
  EXPECT_EQ(aws.error("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay}"),
            (Error{"InvalidParameterCombination",
                   "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
                   {},
                   false,
                   400}));
  EXPECT_EQ(aws.code("rds:DeleteDBInstance",
                     "{DBInstanceIdentifier: pay, SkipFinalSnapshot: true, FinalDBSnapshotIdentifier: last}"),
            "InvalidParameterCombination");
  aws.ok("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay, FinalDBSnapshotIdentifier: last}");
  EXPECT_EQ(aws.ok("rds:DescribeDBSnapshots")["DBSnapshots"][0]["DBSnapshotIdentifier"], "last");
  EXPECT_EQ(aws.code("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay, FinalDBSnapshotIdentifier: again}"),
            "DBInstanceNotFound");
  aws.ok(
      "rds:CreateDBInstance",
      "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}");
  EXPECT_EQ(aws.code("rds:DeleteDBInstance", "{DBInstanceIdentifier: pay, FinalDBSnapshotIdentifier: last}"),
            "DBSnapshotAlreadyExists");
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances")["DBInstances"].size(), 1u);
}

TEST(Rds, a_cluster_knows_its_instances_and_is_not_deleted_with_them) {
  Accounts aws;
  EXPECT_EQ(
      aws.code(
          "rds:CreateDBInstance",
          "{DBInstanceIdentifier: a, DBInstanceClass: db.t3.micro, Engine: aurora-mysql, DBClusterIdentifier: none}"),
      "DBClusterNotFoundFault");
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances")["DBInstances"].size(), 0u);
  const auto cluster = aws.ok("rds:CreateDBCluster",
                              "{DBClusterIdentifier: c, Engine: aurora-postgresql, StorageEncrypted: true, "
                              "VpcSecurityGroupIds: [sg-1]}")["DBCluster"];
  EXPECT_EQ(cluster["Port"], 5432);
  EXPECT_EQ(cluster["VpcSecurityGroups"][0]["VpcSecurityGroupId"], "sg-1");
  for (const std::string name : {"a", "b"})
    aws.ok("rds:CreateDBInstance",
           "{DBInstanceIdentifier: " + name +
               ", DBInstanceClass: db.t3.micro, Engine: aurora-postgresql, DBClusterIdentifier: C}");
  const auto members = [&] { return aws.ok("rds:DescribeDBClusters")["DBClusters"][0]["DBClusterMembers"]; };
  ASSERT_EQ(members().size(), 2u);
  EXPECT_EQ(members()[0]["IsClusterWriter"], true);
  EXPECT_EQ(members()[1]["IsClusterWriter"], false);
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances", "{DBInstanceIdentifier: a}")["DBInstances"][0]["KmsKeyId"],
            cluster["KmsKeyId"]);
  EXPECT_EQ(aws.code("rds:DeleteDBCluster", "{DBClusterIdentifier: c, SkipFinalSnapshot: true}"),
            "InvalidDBClusterStateFault");
  aws.ok("rds:DeleteDBInstance", "{DBInstanceIdentifier: a}");
  ASSERT_EQ(members().size(), 1u);
  EXPECT_EQ(members()[0]["IsClusterWriter"], true);
  aws.ok("rds:DeleteDBInstance", "{DBInstanceIdentifier: b, SkipFinalSnapshot: true}");
  EXPECT_EQ(aws.code("rds:DeleteDBCluster", "{DBClusterIdentifier: c}"), "InvalidParameterCombination");
  aws.ok("rds:DeleteDBCluster", "{DBClusterIdentifier: c, FinalDBSnapshotIdentifier: last}");
  EXPECT_EQ(aws.ok("rds:DescribeDBClusterSnapshots")["DBClusterSnapshots"].size(), 1u);
}

TEST(Rds, keys_are_named_by_arn_and_identifiers_are_names) {
  Accounts aws;
  const auto made = aws.ok("rds:CreateDBInstance",
                           "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: "
                           "Correct-Horse-1, Engine: mysql, StorageEncrypted: true}");
  const auto own = aws.ok("kms:DescribeKey", "{KeyId: alias/aws/rds}")["KeyMetadata"]["Arn"];
  EXPECT_EQ(made["DBInstance"]["KmsKeyId"], own);
  aws.ok("rds:CreateDBSnapshot", "{DBInstanceIdentifier: pay, DBSnapshotIdentifier: s}");
  EXPECT_EQ(
      aws.ok("rds:CopyDBSnapshot",
             "{SourceDBSnapshotIdentifier: s, TargetDBSnapshotIdentifier: t, KmsKeyId: alias/aws/rds}")["DBSnapshot"]
                                                                                                       ["KmsKeyId"],
      own);
  EXPECT_EQ(aws.code("rds:CopyDBSnapshot",
                     "{SourceDBSnapshotIdentifier: s, TargetDBSnapshotIdentifier: u, KmsKeyId: alias/none}"),
            "KMSKeyNotAccessibleFault");
  for (const std::string name : {"1st", "a--b", "a-", "a.b", "''"}) {
    EXPECT_EQ(aws.code("rds:CreateDBInstance",
                       "{DBInstanceIdentifier: " + name +
                           ", DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, Engine: mysql}"),
              "InvalidParameterValue")
        << name;
    EXPECT_EQ(aws.code("rds:CreateDBSnapshot", "{DBInstanceIdentifier: pay, DBSnapshotIdentifier: " + name + "}"),
              "InvalidParameterValue")
        << name;
  }
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
TEST(Rds, settings_are_checked_when_it_is_made_and_when_it_is_modified) {
  Accounts aws;
  const auto make = [&](const std::string& more) {
    return aws.code("rds:CreateDBInstance",
                    "{DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, "
                    "Engine: mysql, " +
                        more + "}");
  };
  const auto modify = [&](const std::string& more) {
    return aws.code("rds:ModifyDBCluster", "{DBClusterIdentifier: c, " + more + "}");
  };
  aws.ok("rds:CreateDBCluster", "{DBClusterIdentifier: c, Engine: aurora-mysql}");
  for (const std::string setting :
       {"PreferredMaintenanceWindow: daily", "PreferredMaintenanceWindow: 'sun:08:20-sun:24:00'",
        "PreferredMaintenanceWindow: 'day:08:20-sun:09:00'", "PreferredBackupWindow: '5:10-5:40'",
        "PreferredBackupWindow: '05:10 05:40'", "BackupRetentionPeriod: 36", "MonitoringInterval: 7"}) {
    EXPECT_EQ(make(setting), "InvalidParameterValue") << setting;
    EXPECT_EQ(modify(setting), "InvalidParameterValue") << setting;
  }
  EXPECT_EQ(make("MonitoringInterval: 60"), "InvalidParameterCombination");
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances")["DBInstances"].size(), 0u);
  const std::string fine = "PreferredMaintenanceWindow: 'Sun:23:45-Mon:00:15', PreferredBackupWindow: '04:30-05:00'";
  EXPECT_EQ(make(fine), "OK");
  EXPECT_EQ(modify(fine), "OK");
}

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
TEST(Rds, an_instance_has_an_engine_a_class_and_a_password) {
  Accounts aws;
  const auto make = [&](const std::string& input) {
    return aws.code("rds:CreateDBInstance", "{DBInstanceIdentifier: pay, " + input + "}");
  };
  const std::string password = ", MasterUserPassword: Correct-Horse-1";
  EXPECT_EQ(make("Engine: foo, DBInstanceClass: db.t3.micro" + password), "InvalidParameterValue");
  for (const std::string name : {"micro", "db", "db.", "db.t3", "db..micro", "DB.T3.MICRO", "t3.micro.db", "''"})
    EXPECT_EQ(make("Engine: mysql, DBInstanceClass: " + name + password), "InvalidParameterValue") << name;
  EXPECT_EQ(
      aws.error("rds:CreateDBInstance", "{DBInstanceIdentifier: pay, Engine: mysql, DBInstanceClass: db.t3.micro}"),
      (Error{"InvalidParameterValue",
             "The parameter MasterUserPassword must be provided and must not be blank.",
             {},
             false,
             400}));
  EXPECT_EQ(aws.code("rds:CreateDBCluster", "{DBClusterIdentifier: c, Engine: foo}"), "InvalidParameterValue");
  EXPECT_EQ(aws.ok("rds:DescribeDBInstances")["DBInstances"].size(), 0u);
  EXPECT_EQ(make("Engine: mysql, DBInstanceClass: db.r5.4xlarge.tpc2.mem3x, ManageMasterUserPassword: true"), "OK");
}

// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
TEST(Rds, an_engine_has_a_version_and_the_default_groups_of_its_family) {
  Accounts aws;
  const auto make = [&](const std::string& name, const std::string& engine) {
    return aws.ok("rds:CreateDBInstance", "{DBInstanceIdentifier: " + name +
                                              ", DBInstanceClass: db.t3.micro, MasterUserPassword: Correct-Horse-1, " +
                                              engine + "}")["DBInstance"];
  };
  const auto mysql = make("a", "Engine: mysql");
  EXPECT_EQ(mysql["EngineVersion"].string_or({}).substr(0, 4), "8.0.");
  EXPECT_EQ(mysql["DBParameterGroups"],
            yaml("[{DBParameterGroupName: default.mysql8.0, ParameterApplyStatus: in-sync}]"));
  EXPECT_EQ(mysql["OptionGroupMemberships"], yaml("[{OptionGroupName: 'default:mysql-8-0', Status: in-sync}]"));
  EXPECT_EQ(mysql["StorageType"], "gp3");
  const auto postgres = make("b", "Engine: postgres, EngineVersion: '13.7', Iops: 1000, AllocatedStorage: 100");
  EXPECT_EQ(postgres["DBParameterGroups"][0]["DBParameterGroupName"], "default.postgres13");
  EXPECT_EQ(postgres["StorageType"], "io1");
  EXPECT_EQ(make("c", "Engine: mysql, DBParameterGroupName: own")["DBParameterGroups"][0]["DBParameterGroupName"],
            "own");
  EXPECT_EQ(aws.ok("rds:CreateDBCluster",
                   "{DBClusterIdentifier: d, Engine: aurora-postgresql}")["DBCluster"]["DBClusterParameterGroup"],
            "default.aurora-postgresql16");
}

}  // namespace
}  // namespace fixpoint::sandbox
