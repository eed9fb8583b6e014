#include "sandbox/declared.h"

#include "account.h"
#include "sandbox/declaration.h"

namespace fixpoint::sandbox {
namespace {

TEST(Declared, every_file_of_the_catalog_is_read_and_its_operations_are_there) {
  const auto catalog = catalog::Catalog::embedded();
  Accounts aws;
  const auto all = aws.sandbox().operations();
  for (const std::string& path : catalog.list("sandbox")) {
    const auto read = read_declarations(path, *catalog.find(path));
    ASSERT_TRUE(read) << describe(read.error());
    const std::string& service = read->service;
    EXPECT_EQ(path, "sandbox/" + service + ".yaml");
    EXPECT_FALSE(read->operations.empty() && read->absent.empty()) << path;
    for (const auto& [operation, declared] : read->operations) {
      EXPECT_EQ(std::count(all.begin(), all.end(), std::pair(service, operation)), 1) << service << ":" << operation;
      // What has to be there says with which error it is not, in AWS's words.
      using Verb = Declared::Verb;
      if (declared->verb == Verb::Read || declared->verb == Verb::Update || declared->verb == Verb::Delete)
        EXPECT_TRUE(declared->missing || declared->type->missing || declared->by_default || declared->ignore_missing)
            << service << ":" << operation;
    }
  }
}

TEST(Declared, every_operation_is_one_of_its_services_model) {
  Accounts aws;
  for (const auto& [service, operation] : aws.sandbox().operations()) {
    // Only a name that the model lacks is complained of before the answer is looked at.
    const std::string bad = misfit_answer(service, operation, yaml("{frob: 1}"));
    EXPECT_EQ(bad.find("no operation"), std::string::npos) << bad;
    EXPECT_FALSE(bad.empty()) << service << ":" << operation << " takes any answer";
  }
}

// The shape of the input's member at the path, through lists; null where the model has none.
const aws::Shape* shape_at(const aws::Shape* shape, const std::vector<std::string>& path) {
  for (const std::string& name : path) {
    while (shape != nullptr && shape->type == aws::ShapeType::List) shape = shape->element.shape;
    const aws::Member* member = shape == nullptr ? nullptr : shape->find(name);
    if (member == nullptr) return nullptr;
    shape = member->shape;
  }
  return shape;
}

TEST(Absent, members_are_those_of_the_models_inputs) {
  const auto models = aws::Models::open({}).value();
  const auto catalog = catalog::Catalog::embedded();
  for (const std::string& path : catalog.list("sandbox")) {
    const auto read = read_declarations(path, *catalog.find(path));
    ASSERT_TRUE(read) << describe(read.error());
    for (const Absent& one : read->absent) {
      const auto model = models->get(one.service).value();
      const aws::Operation* operation = model->find_operation(one.operation);
      ASSERT_NE(operation, nullptr) << one.service << ":" << one.operation;
      const aws::Shape* shape = shape_at(operation->input, one.path);
      EXPECT_NE(shape, nullptr) << one.service << ":" << one.operation << " " << one.path.back();
      if (shape != nullptr && !one.accepted.is_null())
        EXPECT_EQ(misfit(shape, one.accepted, one.path.back()), "") << one.service << ":" << one.operation;
    }
  }
}

// Each of these was dropped, and the call answered as if it had been done.
TEST(Absent, what_the_account_does_not_have_is_refused_by_name_and_changes_nothing) {
  Accounts aws;
  const auto refused = [&](const char* operation, const std::string& input) {
    const auto answer = aws.call(operation, input);
    return answer ? std::string("OK") : answer.error().code + " " + answer.error().where;
  };
  const std::string run = "ImageId: ami-12345678, MinCount: 1, MaxCount: 1, ";
  for (const auto& [member, input] : {std::pair{"KeyName", "KeyName: ops"},
                                      {"PrivateIpAddress", "PrivateIpAddress: 172.31.0.9"},
                                      {"InstanceMarketOptions", "InstanceMarketOptions: {MarketType: spot}"},
                                      {"LaunchTemplate", "LaunchTemplate: {LaunchTemplateId: lt-0123456789abcdef0}"},
                                      {"Placement.Tenancy", "Placement: {Tenancy: dedicated}"},
                                      {"NetworkInterfaces.AssociatePublicIpAddress",
                                       "NetworkInterfaces: [{DeviceIndex: 0}, {AssociatePublicIpAddress: true}]"}})
    EXPECT_EQ(refused("ec2:RunInstances", "{" + run + input + "}"), std::string("NotImplemented ") + member);
  EXPECT_EQ(aws.ok("ec2:DescribeInstances")["Reservations"].size(), 0u);
  EXPECT_EQ(refused("ec2:RunInstances", "{" + run + "DryRun: true, KeyName: ops}"), "NotImplemented KeyName");
  EXPECT_EQ(
      refused("ec2:RunInstances", "{" + run +
                                      "KeyName: '', Placement: {Tenancy: default}, EnclaveOptions: {Enabled: false}, "
                                      "NetworkInterfaces: [{DeviceIndex: 0, AssociatePublicIpAddress: false}]}"),
      "OK");
  EXPECT_EQ(refused("ec2:CreateVpc", "{CidrBlock: 10.0.0.0/16, AmazonProvidedIpv6CidrBlock: true}"),
            "NotImplemented AmazonProvidedIpv6CidrBlock");
  EXPECT_EQ(refused("kms:CreateKey", "{CustomKeyStoreId: cks-1}"), "NotImplemented CustomKeyStoreId");
  EXPECT_EQ(refused("logs:CreateLogGroup", "{logGroupName: /a, deletionProtectionEnabled: true}"),
            "NotImplemented deletionProtectionEnabled");
  EXPECT_EQ(refused("logs:CreateLogGroup", "{logGroupName: /a, deletionProtectionEnabled: false}"), "OK");
  const std::string database =
      "Engine: mysql, DBInstanceIdentifier: pay, DBInstanceClass: db.t3.micro, AllocatedStorage: 20, MasterUsername: "
      "admin, MasterUserPassword: password1";
  EXPECT_EQ(refused("rds:CreateDBInstance", "{" + database + ", DBSubnetGroupName: inner}"),
            "NotImplemented DBSubnetGroupName");
  EXPECT_EQ(refused("rds:CreateDBInstance", "{" + database + ", NetworkType: IPV4}"), "OK");
  EXPECT_EQ(refused("rds:CreateDBCluster",
                    "{Engine: aurora-mysql, DBClusterIdentifier: pay, MasterUsername: admin, MasterUserPassword: "
                    "password1, ServerlessV2ScalingConfiguration: {MinCapacity: 0.5, MaxCapacity: 2}}"),
            "NotImplemented ServerlessV2ScalingConfiguration");
}

TEST(Absent, of_an_operation_that_is_not_there_is_a_fault_of_the_catalog) {
  const auto read = read_declarations("x.yaml", "service: x\nabsent: {Op: [A, B.C: 7]}");
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->absent.size(), 2u);
  EXPECT_EQ(read->absent[1].path, (std::vector<std::string>{"B", "C"}));
  EXPECT_EQ(read->absent[1].accepted, 7);
  Services services;
  const auto refused = refuse_absent(read->absent, services);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "x.yaml: absent.Op");
}

std::string refusal(const std::string& text) {
  const auto read = read_declarations("x.yaml", text);
  return read ? "accepted" : describe(read.error());
}

TEST(Declared, a_wrong_declaration_is_refused_with_its_place) {
  const std::string head = "service: x\ntypes: {t: {id: '{in.A}'}}\noperations: {Op: ";
  EXPECT_EQ(refusal(head + "{read: t}}"), "accepted");
  EXPECT_NE(refusal(head + "{read: u}}").find("'u' is no type of this file (at x.yaml: operations.Op.read)"),
            std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, frob: 1}}").find("'frob' is not known here"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, delete: t}}").find("more than one"), std::string::npos);
  EXPECT_NE(refusal(head + "{answer: {}}}").find("says none of"), std::string::npos);
  EXPECT_NE(refusal(head + "{create: t}}").find("need 'body'"), std::string::npos);
  EXPECT_NE(refusal(head + "{list: t}}").find("needs 'into'"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: $out.X}}").find("begins with nothing that is bound"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: '{in.X'}}").find("not closed"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, answer: '{in.X!shout}'}}").find("!shout"), std::string::npos);
  EXPECT_NE(refusal(head + "{read: t, checks: [{has: $in.A}]}}").find("needs its error"), std::string::npos);
  EXPECT_NE(refusal("service: x\nabsent: {Op: A}").find("must be a list of members (at x.yaml: absent.Op)"),
            std::string::npos);
  EXPECT_NE(refusal("service: x\nabsent: {Op: [{A: 1, B: 2}]}").find("must be a text"), std::string::npos);
  EXPECT_NE(refusal("service: [").find("x.yaml"), std::string::npos);
}

TEST(Logs, groups_keep_their_retention_and_filters) {
  Accounts aws;
  aws.ok("logs:CreateLogGroup", "{logGroupName: /app, tags: {a: b}}");
  EXPECT_EQ(aws.error("logs:CreateLogGroup", "{logGroupName: /app}").code, "ResourceAlreadyExistsException");
  aws.ok("logs:PutRetentionPolicy", "{logGroupName: /app, retentionInDays: 365}");
  const auto group = aws.ok("logs:DescribeLogGroups", "{logGroupNamePrefix: /a}")["logGroups"][0];
  EXPECT_EQ(group["retentionInDays"], 365);
  EXPECT_EQ(group["arn"], "arn:aws:logs:us-east-1:111111111111:log-group:/app:*");
  EXPECT_EQ(aws.code("logs:PutRetentionPolicy", "{logGroupName: /app, retentionInDays: 2}"),
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:PutRetentionPolicy", "{logGroupName: /none, retentionInDays: 1}"),
            "ResourceNotFoundException");
  aws.ok("logs:DeleteRetentionPolicy", "{logGroupName: /app}");
  EXPECT_TRUE(aws.ok("logs:DescribeLogGroups")["logGroups"][0]["retentionInDays"].is_null());
  EXPECT_EQ(aws.code("logs:PutMetricFilter", "{logGroupName: /none, filterName: f}"), "ResourceNotFoundException");
  aws.ok("logs:PutMetricFilter", "{logGroupName: /app, filterName: f, filterPattern: x, metricTransformations: []}");
  EXPECT_EQ(aws.ok("logs:DescribeMetricFilters", "{logGroupName: /app}")["metricFilters"][0]["filterPattern"], "x");
  aws.ok("logs:UntagLogGroup", "{logGroupName: /app, tags: [a]}");
  EXPECT_EQ(aws.ok("logs:ListTagsLogGroup", "{logGroupName: /app}"), yaml("{tags: {}}"));
  aws.ok("logs:DeleteLogGroup", "{logGroupName: /app}");
  EXPECT_EQ(aws.ok("logs:DescribeMetricFilters", "{}")["metricFilters"].size(), 0u);
  for (int i = 0; i < 60; ++i) aws.ok("logs:CreateLogGroup", "{logGroupName: g" + std::to_string(i) + "}");
  const auto page = aws.ok("logs:DescribeLogGroups", "{limit: 50}");
  EXPECT_EQ(page["logGroups"].size(), 50u);
  EXPECT_EQ(
      aws.ok("logs:DescribeLogGroups", "{nextToken: '" + page["nextToken"].as_string() + "'}")["logGroups"].size(),
      10u);
  EXPECT_EQ(aws.code("logs:DescribeLogGroups", "{nextToken: made-up}"), "InvalidParameterException");
}

}  // namespace
}  // namespace fixpoint::sandbox
