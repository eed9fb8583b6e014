#include "changes/shortfall.h"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "aws/models.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;
using testing::HasSubstr;

const aws::Models& models() {
  static const std::unique_ptr<aws::Models> opened = aws::Models::open({}).value();
  return *opened;
}

const Recipes& recipes() {
  static const Recipes loaded = Recipes::load(catalog::Catalog::embedded()).value();
  return loaded;
}

std::optional<Shortfall> shortfall(const std::string& service, const std::string& operation, const char* input,
                                   const char* answer) {
  const auto model = models().get(service).value();
  const aws::Operation* op = model->find_operation(operation);
  EXPECT_NE(op, nullptr) << service << ":" << operation;
  auto found = shortfall_of(recipes().find_failures(service, operation), op, json::parse(input).value(),
                            json::parse(answer).value());
  EXPECT_TRUE(found) << (found ? "" : describe(found.error()));
  return found ? *found : std::nullopt;
}

// The answers are of the shapes in AWS's API references; the page is that of the operation.
TEST(Shortfall, is_seen_in_the_answers_of_aws) {
  const struct {
    const char* service;
    const char* operation;
    const char* input;
    const char* answer;
    bool whole;
    const char* code;
    const char* words;
  } table[] = {
      // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
      {"ec2", "CreateFlowLogs", R"({"ResourceIds":["vpc-1","vpc-2"]})",
       R"({"FlowLogIds":["fl-1"],"Unsuccessful":[{"ResourceId":"vpc-2","Error":{"Code":"FlowLogAlreadyExists","Message":"There is one"}}]})",
       false, "PartlyUnsuccessful", "1 of 2 were not done: vpc-2 (FlowLogAlreadyExists: There is one)"},
      {"ec2", "CreateFlowLogs", R"({"ResourceIds":["vpc-2"],"TagSpecifications":[{}]})",
       R"({"FlowLogIds":[],"Unsuccessful":[{"ResourceId":"vpc-2","Error":{"Code":"FlowLogAlreadyExists","Message":"There is one"}}]})",
       true, "FlowLogAlreadyExists", "1 of 1 was not done: vpc-2 (FlowLogAlreadyExists: There is one)"},
      {"ec2", "DeleteVpcEndpoints", R"({"VpcEndpointIds":["vpce-1","vpce-2"]})",
       R"({"Unsuccessful":[{"ResourceId":"vpce-1","Error":{"Code":"A","Message":"a"}},{"ResourceId":"vpce-2","Error":{"Code":"B","Message":"b"}}]})",
       true, "Unsuccessful", "vpce-1 (A: a), vpce-2 (B: b)"},
      {"ec2", "ModifyHosts", R"({"HostIds":["h-1","h-2","h-3"]})",
       R"({"Successful":["h-1","h-2"],"Unsuccessful":[{"ResourceId":"h-3","Error":{"Code":"C"}}]})", false,
       "PartlyUnsuccessful", "1 of 3 were not done: h-3 (C)"},
      {"ec2", "RevokeSecurityGroupIngress", R"({"GroupId":"sg-1"})", R"({"Return":false})", true, "Unsuccessful",
       "says that it did not succeed"},
      // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html
      {"ec2", "DeregisterImage", R"({"ImageId":"ami-1","DeleteAssociatedSnapshots":true})",
       R"({"Return":true,"DeleteSnapshotResults":[{"SnapshotId":"snap-1","ReturnCode":"success"},{"SnapshotId":"snap-2","ReturnCode":"missing-permissions"},{"SnapshotId":"snap-3","ReturnCode":"skipped"}]})",
       false, "PartlyUnsuccessful", "1 was not done: snap-2 (missing-permissions: the snapshot was not deleted)"},
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
      {"sqs", "SendMessageBatch",
       R"({"QueueUrl":"u","Entries":[{"Id":"a","MessageBody":"x"},{"Id":"b","MessageBody":"y"}]})",
       R"({"Successful":[{"Id":"a","MessageId":"m"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidMessageContents","Message":"bad"}]})",
       false, "PartlyUnsuccessful", "1 of 2 were not done: b (InvalidMessageContents: bad)"},
      {"sns", "PublishBatch", R"({"TopicArn":"t","PublishBatchRequestEntries":[{"Id":"a"}]})",
       R"({"Successful":[],"Failed":[{"Id":"a","Code":"InternalError","SenderFault":false}]})", true, "InternalError",
       "a (InternalError)"},
      // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
      {"s3", "DeleteObjects", R"({"Bucket":"b","Delete":{"Objects":[{"Key":"x"},{"Key":"y"}]}})",
       R"({"Deleted":[{"Key":"x"}],"Errors":[{"Key":"y","Code":"AccessDenied","Message":"Access Denied"}]})", false,
       "PartlyUnsuccessful", "1 of 2 were not done: y (AccessDenied: Access Denied)"},
      // Quiet: what was deleted is not listed.
      {"s3", "DeleteObjects", R"({"Bucket":"b","Delete":{"Quiet":true,"Objects":[{"Key":"x"},{"Key":"y"}]}})",
       R"({"Errors":[{"Key":"y","Code":"AccessDenied","Message":"Access Denied"}]})", false, "PartlyUnsuccessful",
       "y (AccessDenied"},
      // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
      {"kinesis", "PutRecords", R"({"StreamName":"s","Records":[{},{}]})",
       R"({"FailedRecordCount":1,"EncryptionType":"NONE","Records":[{"SequenceNumber":"1","ShardId":"shardId-0"},{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded"}]})",
       false, "PartlyUnsuccessful",
       "1 of 2 were not done: one (ProvisionedThroughputExceededException: Rate exceeded)"},
      {"firehose", "PutRecordBatch", R"({"DeliveryStreamName":"s","Records":[{}]})",
       R"({"FailedPutCount":1,"Encrypted":false,"RequestResponses":[{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}]})",
       true, "ServiceUnavailableException", "1 of 1 was not done"},
      // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
      {"events", "PutTargets", R"({"Rule":"r","Targets":[{"Id":"1"},{"Id":"2"}]})",
       R"({"FailedEntryCount":1,"FailedEntries":[{"TargetId":"2","ErrorCode":"ConcurrentModificationException","ErrorMessage":"again"}]})",
       false, "PartlyUnsuccessful", "2 (ConcurrentModificationException: again)"},
      {"events", "PutEvents", R"({"Entries":[{},{},{}]})",
       R"({"FailedEntryCount":1,"Entries":[{"EventId":"e"},{"ErrorCode":"InternalFailure"},{"EventId":"f"}]})", false,
       "PartlyUnsuccessful", "1 of 3 were not done: one (InternalFailure)"},
      // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
      {"logs", "PutLogEvents", R"({"logGroupName":"g","logStreamName":"s","logEvents":[{},{}]})",
       R"({"rejectedEntityInfo":{"errorType":"InvalidEntity"}})", false, "PartlyUnsuccessful",
       "the entity (InvalidEntity)"},
      {"logs", "PutLogEvents", R"({"logGroupName":"g","logStreamName":"s","logEvents":[{},{}]})",
       R"({"rejectedLogEventsInfo":{"tooNewLogEventStartIndex":1,"tooOldLogEventEndIndex":1}})", false,
       "PartlyUnsuccessful", "2 were not done: events before 1 (TooOld), events from 1 on (TooNew)"},
      // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
      {"dynamodb", "BatchWriteItem", R"({"RequestItems":{"t":[{},{}]}})",
       R"({"UnprocessedItems":{"t":[{"PutRequest":{"Item":{}}}]}})", false, "PartlyUnsuccessful",
       "1 of 2 were not done: t"},
      {"dynamodb", "BatchExecuteStatement", R"({"Statements":[{"Statement":"a"},{"Statement":"b"}]})",
       R"({"Responses":[{"TableName":"t"},{"TableName":"t","Error":{"Code":"DuplicateItem","Message":"there"}}]})",
       false, "PartlyUnsuccessful", "1 of 2 were not done: t (DuplicateItem: there)"},
      // https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
      {"resourcegroupstaggingapi", "TagResources", R"({"ResourceARNList":["arn:a","arn:b"],"Tags":{"k":"v"}})",
       R"({"FailedResourcesMap":{"arn:b":{"StatusCode":400,"ErrorCode":"InvalidParameterException","ErrorMessage":"no"}}})",
       false, "PartlyUnsuccessful", "1 of 2 were not done: arn:b (InvalidParameterException: no)"},
      // https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateMembers.html
      {"guardduty", "CreateMembers", R"({"DetectorId":"d","AccountDetails":[{"AccountId":"1"},{"AccountId":"2"}]})",
       R"({"UnprocessedAccounts":[{"AccountId":"2","Result":"already a member"}]})", false, "PartlyUnsuccessful",
       "2 (already a member)"},
      {"guardduty", "CreateDetector", R"({"Enable":true,"DataSources":{"MalwareProtection":{}}})",
       R"({"DetectorId":"d","UnprocessedDataSources":{"MalwareProtection":{"ScanEc2InstanceWithFindings":{}}}})", false,
       "PartlyUnsuccessful", "MalwareProtection"},
      // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
      {"ecs", "RunTask", R"({"taskDefinition":"t","count":2})",
       R"({"tasks":[{"taskArn":"arn:t"}],"failures":[{"arn":"arn:i","reason":"RESOURCE:CPU"}]})", false,
       "PartlyUnsuccessful", "1 was not done: arn:i (RESOURCE:CPU)"},
      // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html
      {"ssm", "DeleteParameters", R"({"Names":["a","b"]})", R"({"DeletedParameters":["a"],"InvalidParameters":["b"]})",
       false, "PartlyUnsuccessful", "1 of 2 were not done: b (ParameterNotFound)"},
      // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
      {"stepfunctions", "StartSyncExecution", R"({"stateMachineArn":"arn:m"})",
       R"({"executionArn":"arn:e","status":"FAILED","error":"States.TaskFailed","cause":"no"})", false,
       "PartlyUnsuccessful", "arn:e (States.TaskFailed: no)"},
      // https://docs.aws.amazon.com/inspector/v2/APIReference/API_UpdateEc2DeepInspectionConfiguration.html
      {"inspector2", "UpdateEc2DeepInspectionConfiguration", R"({"packagePaths":["/a"]})",
       R"({"packagePaths":[],"status":"FAILED","errorMessage":"no such path"})", false, "PartlyUnsuccessful",
       "no such path"},
      {"lambda", "Invoke", R"({"FunctionName":"f"})", R"({"StatusCode":200,"FunctionError":"Unhandled"})", false,
       "PartlyUnsuccessful", "f (Unhandled: the function failed)"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(std::string(row.service) + ":" + row.operation + " " + row.answer);
    const auto found = shortfall(row.service, row.operation, row.input, row.answer);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->whole, row.whole);
    EXPECT_EQ(found->error().code, row.code);
    EXPECT_THAT(found->error().message, HasSubstr(row.words));
    EXPECT_EQ(found->error().http_status, 400);
  }
}

TEST(Shortfall, is_none_where_all_was_done_or_there_was_nothing_to_do) {
  const struct {
    const char* service;
    const char* operation;
    const char* answer;
  } table[] = {
      {"ec2", "CreateFlowLogs", R"({"FlowLogIds":["fl-1"],"Unsuccessful":[]})"},
      {"ec2", "CreateFlowLogs", R"({"FlowLogIds":["fl-1"]})"},
      {"ec2", "AuthorizeSecurityGroupIngress", R"({"Return":true,"SecurityGroupRules":[{}]})"},
      // What is to be gone and was not there is gone.
      {"ec2", "RevokeSecurityGroupIngress", R"({"Return":true,"UnknownIpPermissions":[{"IpProtocol":"tcp"}]})"},
      {"ec2", "DeregisterImage", R"({"Return":true})"},
      {"kinesis", "PutRecords", R"({"FailedRecordCount":0,"Records":[{"SequenceNumber":"1"}]})"},
      {"sqs", "SendMessageBatch", R"({"Successful":[{"Id":"a"}],"Failed":[]})"},
      {"dynamodb", "BatchWriteItem", R"({"UnprocessedItems":{}})"},
      {"dynamodb", "BatchExecuteStatement", R"({"Responses":[{"TableName":"t"}]})"},
      {"logs", "PutLogEvents", R"({"nextSequenceToken":"x"})"},
      {"lambda", "Invoke", R"({"StatusCode":202})"},
      // An integration's own errors:
      // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteIntegration.html
      {"rds", "DeleteIntegration", R"({"Status":"deleting","Errors":[{"ErrorCode":"x"}]})"},
      {"ssm", "UpdatePatchBaseline", R"({"RejectedPatches":["KB1"]})"},
      {"iam", "CreateRole", R"({"Role":{"RoleName":"r"}})"},
      {"s3", "PutObject", "{}"},
  };
  for (const auto& row : table)
    EXPECT_FALSE(shortfall(row.service, row.operation, "{}", row.answer)) << row.service << row.answer;
}

TEST(Shortfall, codes_that_mean_done_have_to_be_the_codes_of_all) {
  const auto found = shortfall(
      "ec2", "CreateFlowLogs", R"({"ResourceIds":["vpc-1","vpc-2"]})",
      R"({"Unsuccessful":[{"ResourceId":"vpc-1","Error":{"Code":"FlowLogAlreadyExists"}},{"ResourceId":"vpc-2","Error":{"Code":"Other"}}]})");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->all_of({"FlowLogAlreadyExists"}));
  EXPECT_TRUE(found->all_of({"FlowLogAlreadyExists", "Other"}));
  EXPECT_FALSE(Shortfall().all_of({"Other"}));
}

TEST(Shortfall, of_many_things_the_sentence_names_ten) {
  std::string items;
  for (int i = 0; i < 15; ++i)
    items += (i == 0 ? "" : ",") + ("{\"Key\":\"k" + std::to_string(i)) + "\",\"Code\":\"C\"}";
  const auto found = shortfall("s3", "DeleteObjects", "{}", ("{\"Errors\":[" + items + "]}").c_str());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 15);
  EXPECT_THAT(found->error().message, HasSubstr("k9 (C) and 5 more"));
}

TEST(Shortfall, of_what_was_throttled_whole_another_try_may_help) {
  const auto found =
      shortfall("kinesis", "PutRecords", R"({"Records":[{}]})",
                R"({"FailedRecordCount":1,"Records":[{"ErrorCode":"ProvisionedThroughputExceededException"}]})");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->whole);
  EXPECT_TRUE(found->error().retryable);
}

// Every changing operation of every service whose answer has a member that sounds like failures: it is seen by its
// shape, something is declared of it, or it stands here with the reason why it tells no failure of the call.
TEST(Shortfall, no_answer_that_sounds_like_it_is_overlooked) {
  const std::set<std::string> no_failure{
      // a status, a setting, or the thing itself
      "cloudfront:CreateInvalidation.Invalidation",
      "cloudfront:CreateInvalidationForDistributionTenant.Invalidation",
      "lambda:CreateEventSourceMapping.BisectBatchOnFunctionError",
      "lambda:UpdateEventSourceMapping.BisectBatchOnFunctionError",
      "lambda:DeleteEventSourceMapping.BisectBatchOnFunctionError",
      // why filter criteria cannot be shown: https://docs.aws.amazon.com/lambda/latest/api/API_FilterCriteriaError.html
      "lambda:CreateEventSourceMapping.FilterCriteriaError",
      "lambda:UpdateEventSourceMapping.FilterCriteriaError",
      "lambda:DeleteEventSourceMapping.FilterCriteriaError",
      "ssm:UpdatePatchBaseline.RejectedPatches",
      "ssm:UpdatePatchBaseline.RejectedPatchesAction",
      "ssm:UpdateMaintenanceWindowTask.MaxErrors",
      "glue:CreateDevEndpoint.FailureReason",
      "rds:StartExportTask.FailureCause",
      "rds:CancelExportTask.FailureCause",
      "rds:CreateCustomDBEngineVersion.FailureReason",
      "rds:ModifyCustomDBEngineVersion.FailureReason",
      "rds:DeleteCustomDBEngineVersion.FailureReason",
      "redshift:EnableLogging.LastFailureTime",
      "redshift:EnableLogging.LastFailureMessage",
      "redshift:DisableLogging.LastFailureTime",
      "redshift:DisableLogging.LastFailureMessage",
      "ec2:EnableImageDeregistrationProtection.Return",   // a text: the state
      "ec2:DisableImageDeregistrationProtection.Return",  // the same
      // what trying a state came to
      "stepfunctions:TestState.error",
      // it goes with FailedItems
      "config:StartRemediationExecution.FailureMessage",
  };
  std::size_t seen = 0;
  for (const auto& entry : models().services()) {
    const auto service = models().get(entry.name);
    ASSERT_TRUE(service) << entry.name;
    for (const auto& operation : (*service)->operations()) {
      if (recipes().reads(entry.name, operation.name) || operation.output == nullptr) continue;
      for (const auto& member : operation.output->members) {
        const std::string name = to_lower(member.name);
        constexpr std::array<std::string_view, 5> parts{"fail", "unsuccess", "unprocess", "error", "reject"};
        const bool sounds =
            std::any_of(parts.begin(), parts.end(), [&](auto part) { return name.find(part) != std::string::npos; }) ||
            name.starts_with("invalid");
        if (!sounds && member.name != "Return") continue;
        ++seen;
        const std::string place =
            std::string(entry.name) + ":" + std::string(operation.name) + "." + std::string(member.name);
        EXPECT_TRUE(tells_failures(member) || recipes().find_failures(entry.name, operation.name) != nullptr ||
                    no_failure.contains(place))
            << place << " sounds like a failure, and nobody looks at it";
      }
    }
  }
  EXPECT_GT(seen, 120U);
}

TEST(CatalogFailures, name_operations_that_change) {
  for (const auto& [name, failures] : recipes().failures()) {
    const auto call = split_call(name).value();
    const auto model = models().get(call.first);
    ASSERT_TRUE(model) << name;
    EXPECT_NE((*model)->find_operation(call.second), nullptr) << name;
    EXPECT_FALSE(recipes().reads(call.first, call.second)) << name;
  }
  EXPECT_GE(recipes().failures().size(), 10U);
}

}  // namespace
}  // namespace fixpoint::changes
