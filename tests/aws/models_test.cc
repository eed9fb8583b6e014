#include "aws/models.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "aws/compression.h"
#include "json/text.h"
#include "support/temp_dir.h"

namespace fixpoint::aws {
namespace {

// The facts below are AWS's own: the API references of the services, and the packages' models as they are published.

const Models& models() {
  static const std::unique_ptr<Models> all = Models::open({}).value();
  return *all;
}

const Service& service(std::string_view name) {
  return *models().get(name).value();
}

const Operation& operation(std::string_view service_name, std::string_view name) {
  const Operation* found = service(service_name).find_operation(name);
  if (found == nullptr) throw std::runtime_error(std::string(service_name) + " has no " + std::string(name));
  return *found;
}

int status_of(std::string_view service_name, std::string_view error) {
  const Shape* shape = service(service_name).find_error(error);
  return shape == nullptr ? 0 : shape->error_status;
}

class EveryService : public testing::TestWithParam<std::string> {};

TEST_P(EveryService, loads_and_has_its_operations) {
  const auto loaded = models().get(GetParam());
  ASSERT_TRUE(loaded) << describe(loaded.error());
  const PackEntry& entry = *std::ranges::find(models().services(), GetParam(), &PackEntry::name);
  EXPECT_EQ((*loaded)->operations().size(), entry.operations);
  EXPECT_GT(entry.operations, 5U);
  EXPECT_EQ((*loaded)->api_version, entry.version);
  EXPECT_EQ((*loaded)->signing_name, entry.signing_name);
  for (const Operation& each : (*loaded)->operations()) {
    EXPECT_EQ(each.name.find("20"), std::string_view::npos) << each.name;
    EXPECT_FALSE(each.method.empty()) << each.name;
    for (const Shape* error : each.errors) EXPECT_TRUE(error->exception) << each.name << " " << error->name;
  }
  for (const Shape& shape : (*loaded)->shapes()) {
    if (!shape.exception) continue;
    EXPECT_GE(shape.error_status, 300) << shape.name;
    EXPECT_LE(shape.error_status, 599) << shape.name;
  }
}

std::vector<std::string> service_names() {
  std::vector<std::string> names;
  for (const PackEntry& entry : models().services()) names.push_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(models, EveryService, testing::ValuesIn(service_names()), [](const auto& named) {
  std::string name = named.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(models, has_every_service_that_fixpoint_speaks) {
  const std::vector<std::string> wanted{"accessanalyzer",
                                        "account",
                                        "acm",
                                        "apigateway",
                                        "apigatewayv2",
                                        "application-autoscaling",
                                        "athena",
                                        "autoscaling",
                                        "backup",
                                        "cloudformation",
                                        "cloudfront",
                                        "cloudtrail",
                                        "cloudwatch",
                                        "codebuild",
                                        "config",
                                        "dynamodb",
                                        "ec2",
                                        "ecr",
                                        "ecs",
                                        "efs",
                                        "eks",
                                        "elasticache",
                                        "elb",
                                        "elbv2",
                                        "es",
                                        "events",
                                        "firehose",
                                        "glue",
                                        "guardduty",
                                        "iam",
                                        "inspector2",
                                        "kinesis",
                                        "kms",
                                        "lambda",
                                        "logs",
                                        "macie2",
                                        "opensearch",
                                        "organizations",
                                        "rds",
                                        "redshift",
                                        "resourcegroupstaggingapi",
                                        "s3",
                                        "s3control",
                                        "sagemaker",
                                        "secretsmanager",
                                        "securityhub",
                                        "sns",
                                        "sqs",
                                        "ssm",
                                        "stepfunctions",
                                        "sts",
                                        "wafv2"};
  EXPECT_EQ(service_names(), wanted);
}

TEST(models, security_hub_has_the_operations_of_both_sources) {
  EXPECT_GE(service("securityhub").operations().size(), 117U);
  const Operation& get = operation("securityhub", "GetFindingsV2");
  EXPECT_EQ(get.uri.text, "/findingsv2");
  EXPECT_NE(get.find_error("ValidationException"), nullptr);
  EXPECT_NE(get.find_error("ThrottlingException"), nullptr);
  EXPECT_EQ(get.find_error("AccessDeniedException")->error_status, 403);
  for (const std::string_view name : {"BatchUpdateFindingsV2", "CreateAutomationRule", "CreateConfigurationPolicy",
                                      "BatchGetSecurityControls", "BatchImportFindings", "CreateActionTarget"})
    EXPECT_NE(service("securityhub").find_operation(name), nullptr) << name;
}

TEST(models, a_number_keeps_its_width_where_only_the_newer_source_has_it) {
  const Shape& filter = *service("securityhub").find_shape("NumberFilter");
  EXPECT_EQ(filter.find("Gt")->shape->type, ShapeType::Double);   // of the newer source alone
  EXPECT_EQ(filter.find("Gte")->shape->type, ShapeType::Double);  // of both
  const Shape& range = *service("securityhub").find_shape("DateRange");
  EXPECT_EQ(range.find("Value")->shape->type, ShapeType::Integer);
  EXPECT_EQ(operation("lambda", "AddPermission").input->find("FunctionName")->shape->type, ShapeType::String);
  EXPECT_EQ(operation("lambda", "CreateEventSourceMapping").input->find("BatchSize")->shape->type, ShapeType::Integer);
  EXPECT_EQ(operation("logs", "FilterLogEvents").input->find("startTime")->shape->type, ShapeType::Long);
}

TEST(models, a_size_is_as_wide_as_the_wider_source_says) {
  EXPECT_EQ(service("s3").find_shape("Object")->find("Size")->shape->type, ShapeType::Long);
}

TEST(models, an_output_has_no_query_parameters) {
  for (const PackEntry& entry : models().services()) {
    for (const Operation& each : service(entry.name).operations()) {
      if (each.output == nullptr || each.output->bindings == nullptr || each.output == each.input) continue;
      EXPECT_TRUE(each.output->bindings->query.empty()) << entry.name << " " << each.name;
      EXPECT_TRUE(each.output->bindings->uri.empty()) << entry.name << " " << each.name;
    }
  }
}

TEST(models, s3_control_puts_the_account_before_the_host) {
  for (const std::string_view name : {"GetAccessPoint", "CreateAccessGrant"})
    EXPECT_EQ(operation("s3control", name).host_prefix.parts.size(), 2U) << name;
}

TEST(models, limits_and_patterns_come_from_the_fuller_source) {
  const Member& role = *operation("sts", "AssumeRole").input->find("RoleSessionName");
  EXPECT_TRUE(role.required);
  EXPECT_EQ(role.shape->min, 2);
  EXPECT_EQ(role.shape->max, 64);
  EXPECT_NE(role.shape->pattern, nullptr);
  EXPECT_EQ(operation("securityhub", "GetFindings").input->find("MaxResults")->shape->max, 100);
}

TEST(models, enums_are_united) {
  const Shape& runtime = *operation("lambda", "CreateFunction").input->find("Runtime")->shape;
  EXPECT_EQ(std::ranges::count(runtime.enum_values, "python3.9"), 1);   // of December 2022
  EXPECT_EQ(std::ranges::count(runtime.enum_values, "python3.13"), 1);  // later
  const Shape& status = *operation("securityhub", "CreateAutomationRule").input->find("RuleStatus")->shape;
  EXPECT_EQ(std::vector<std::string_view>(status.enum_values), (std::vector<std::string_view>{"DISABLED", "ENABLED"}));
}

TEST(models, errors_say_their_http_status) {
  EXPECT_EQ(status_of("lambda", "ResourceNotFoundException"), 404);
  EXPECT_EQ(status_of("lambda", "ResourceConflictException"), 409);
  EXPECT_EQ(status_of("lambda", "TooManyRequestsException"), 429);
  EXPECT_EQ(status_of("s3", "NoSuchBucket"), 404);
  EXPECT_EQ(status_of("s3", "NoSuchKey"), 404);
  EXPECT_EQ(status_of("s3", "BucketAlreadyExists"), 409);
  EXPECT_EQ(status_of("securityhub", "ResourceNotFoundException"), 404);
  EXPECT_EQ(status_of("securityhub", "InvalidAccessException"), 401);
  EXPECT_EQ(status_of("securityhub", "LimitExceededException"), 429);
  // In the json protocol it is 400 or 500, whatever an error is.
  EXPECT_EQ(status_of("kms", "NotFoundException"), 400);
  EXPECT_EQ(status_of("kms", "DependencyTimeoutException"), 500);
  EXPECT_EQ(status_of("ssm", "InvalidInstanceId"), 400);
  EXPECT_EQ(status_of("stepfunctions", "ResourceNotFound"), 400);
  EXPECT_EQ(status_of("iam", "NoSuchEntity"), 404);
  EXPECT_EQ(status_of("iam", "EntityAlreadyExists"), 409);
}

TEST(models, sqs_and_cloudwatch_are_spoken_in_json_and_in_the_old_form) {
  for (const std::string_view name : {"sqs", "cloudwatch"}) {
    const Service& s = service(name);
    EXPECT_EQ(s.protocol, Protocol::Json) << name;
    EXPECT_EQ(s.json.version, "1.0") << name;
    EXPECT_TRUE(s.query_compatible) << name;
    EXPECT_TRUE(s.speaks_json) << name;
    EXPECT_TRUE(s.speaks_query) << name;
    EXPECT_FALSE(s.xml_namespace.empty()) << name;
  }
  EXPECT_EQ(service("sqs").json.target_prefix, "AmazonSQS");
  EXPECT_EQ(operation("sqs", "SendMessage").output_wrapper, "SendMessageResult");
  EXPECT_EQ(operation("sqs", "StartMessageMoveTask").output_wrapper, "StartMessageMoveTaskResult");
  const Member& attributes = *operation("sqs", "CreateQueue").input->find("Attributes");
  EXPECT_TRUE(attributes.flattened);
  EXPECT_EQ(attributes.wire_name, "Attribute");
  const Shape* missing = service("sqs").find_error("QueueDoesNotExist");
  ASSERT_NE(missing, nullptr);
  EXPECT_EQ(missing->error_code, "AWS.SimpleQueueService.NonExistentQueue");
  EXPECT_EQ(service("sts").speaks_json, false);
}

TEST(models, step_functions_has_what_came_after_2022) {
  const Operation& test = operation("stepfunctions", "TestState");
  ASSERT_NE(test.input->find("definition"), nullptr);
  EXPECT_TRUE(test.input->find("definition")->required);
  EXPECT_FALSE(test.host_prefix.empty());  // sync-
  EXPECT_NE(test.find_error("InvalidDefinition"), nullptr);
  EXPECT_NE(service("stepfunctions").find_operation("ValidateStateMachineDefinition"), nullptr);
  EXPECT_NE(service("stepfunctions").find_operation("RedriveExecution"), nullptr);
}

TEST(models, s3_addresses_the_bucket_in_the_path_in_what_is_new_as_well) {
  EXPECT_EQ(operation("s3", "PutBucketEncryption").uri.text, "/{Bucket}?encryption");
  EXPECT_EQ(operation("s3", "CreateSession").uri.text, "/{Bucket}?session");
  EXPECT_EQ(operation("s3", "GetObject").uri.text, "/{Bucket}/{Key+}");
  EXPECT_EQ(operation("s3", "RenameObject").uri.text, "/{Bucket}/{Key+}?renameObject");
  EXPECT_EQ(operation("s3", "ListBuckets").uri.text, "/");
  for (const Operation& each : service("s3").operations())
    EXPECT_EQ(each.uri.text.find("x-id"), std::string_view::npos) << each.name;
}

TEST(models, assuming_a_role_by_web_identity_is_not_signed) {
  EXPECT_TRUE(operation("sts", "AssumeRoleWithWebIdentity").unsigned_request);
  EXPECT_FALSE(operation("sts", "AssumeRole").unsigned_request);
}

TEST(models, ec2_keeps_its_query_names) {
  const Shape& permission = *service("ec2").find_shape("IpPermission");
  EXPECT_EQ(permission.find("UserIdGroupPairs")->query_name, "Groups");
  EXPECT_EQ(permission.find("UserIdGroupPairs")->wire_name, "groups");
  EXPECT_EQ(permission.find("IpRanges")->wire_name, "ipRanges");
}

std::vector<std::string> names_of(std::span<const PackEntry* const> entries) {
  std::vector<std::string> names;
  for (const PackEntry* entry : entries) names.push_back(entry->name);
  return names;
}

TEST(models, are_found_by_the_name_that_requests_are_signed_for) {
  EXPECT_EQ(names_of(models().by_signing_name("states")), std::vector<std::string>{"stepfunctions"});
  EXPECT_EQ(names_of(models().by_signing_name("elasticloadbalancing")), (std::vector<std::string>{"elb", "elbv2"}));
  EXPECT_EQ(names_of(models().by_signing_name("es")), (std::vector<std::string>{"es", "opensearch"}));
  EXPECT_EQ(names_of(models().by_signing_name("s3")), (std::vector<std::string>{"s3", "s3control"}));
  EXPECT_EQ(names_of(models().by_signing_name("api.ecr")), std::vector<std::string>{"ecr"});  // the endpoint's prefix
  EXPECT_EQ(names_of(models().by_endpoint_prefix("monitoring")), std::vector<std::string>{"cloudwatch"});
  EXPECT_TRUE(models().by_signing_name("nothing").empty());
}

TEST(models, are_found_by_target_header) {
  const auto put = models().by_target("AWSEvents.PutEvents");
  ASSERT_TRUE(put);
  EXPECT_EQ(put->service->name, "events");
  EXPECT_EQ(put->operation, "PutEvents");
  EXPECT_EQ(models().by_target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StartLogging")->service->name,
            "cloudtrail");
  EXPECT_EQ(models().by_target("CloudTrail_20131101.StartLogging")->service->name, "cloudtrail");
  EXPECT_FALSE(models().by_target("PutEvents"));
  EXPECT_FALSE(models().by_target("Nothing.PutEvents"));
  EXPECT_FALSE(models().by_target(""));
}

TEST(models, an_unknown_service_is_answered_with_the_nearest_name) {
  const auto none = models().get("securityhubb");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "UnknownService");
  EXPECT_NE(none.error().message.find("'securityhub'"), std::string::npos) << none.error().message;
}

TEST(models, a_service_is_loaded_once_by_whoever_asks_first) {
  const auto fresh = Models::open({}).value();
  EXPECT_FALSE(fresh->is_loaded("sqs"));
  std::vector<std::shared_ptr<const Service>> seen(8);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : seen) threads.emplace_back([&] { mine = fresh->get("sqs").value(); });
  }
  for (const auto& each : seen) EXPECT_EQ(each.get(), seen.front().get());
  EXPECT_TRUE(fresh->is_loaded("sqs"));
  EXPECT_FALSE(fresh->is_loaded("sns"));
}

class Overlay : public testing::Test {
 protected:
  void write(const std::string& at, std::string_view text) {
    std::filesystem::create_directories((folder_ / at).parent_path());
    std::ofstream(folder_ / at) << text;
  }
  auto open() { return Models::open({.pack = {}, .overlay = folder_}); }

  const test::TempDir dir_;
  const std::filesystem::path folder_ = dir_.path();
};

constexpr std::string_view greeter = R"({
  "metadata": {"protocol": "json", "jsonVersion": "1.1", "apiVersion": "2020-01-01", "endpointPrefix": "greet", "signingName": "greeting", "targetPrefix": "Greeter"},
  "operations": {"Greet": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "GreetRequest"}}},
  "shapes": {"GreetRequest": {"type": "structure", "members": {"Whom": {"shape": "Name"}}}, "Name": {"type": "string"}}
})";

TEST_F(Overlay, adds_a_service_and_replaces_one) {
  write("greeter/2020-01-01/service-2.json", greeter);
  write("greeter/2020-01-01/paginators-1.json", R"({"pagination": {"Greet": {"input_token": "Whom"}}})");
  write("greeter/2019-01-01/service-2.json", "not even JSON, and not read: an older version");
  write("sqs.json", greeter);
  const auto all = open();
  ASSERT_TRUE(all) << describe(all.error());
  const auto added = (*all)->get("greeter").value();
  EXPECT_NE(added->find_operation("Greet"), nullptr);
  EXPECT_EQ(added->paginators()["Greet"]["input_token"].string_or(""), "Whom");
  EXPECT_EQ(names_of((*all)->by_signing_name("greeting")), (std::vector<std::string>{"greeter", "sqs"}));
  EXPECT_EQ((*all)->get("sqs").value()->find_operation("SendMessage"), nullptr);
  EXPECT_NE((*all)->get("sns").value()->find_operation("Publish"), nullptr);
}

// botocore's own folder since 1.34.
TEST_F(Overlay, takes_models_in_gzip) {
  write("greeter/2020-01-01/service-2.json.gz", gzip(greeter));
  write("greeter/2020-01-01/paginators-1.json.gz", gzip(R"({"pagination": {"Greet": {"input_token": "Whom"}}})"));
  write("greeter/2019-01-01/service-2.json", "not even JSON, and not read: an older version");
  write("sqs.json.gz", gzip(greeter));
  const auto all = open();
  ASSERT_TRUE(all) << describe(all.error());
  EXPECT_EQ((*all)->get("greeter").value()->paginators()["Greet"]["input_token"].string_or(""), "Whom");
  EXPECT_EQ((*all)->get("sqs").value()->find_operation("SendMessage"), nullptr);
}

TEST_F(Overlay, refuses_what_is_no_gzip_and_what_unpacks_to_too_much) {
  for (const std::string& bytes : {std::string("{}"), gzip(std::string(65UL * 1024 * 1024, ' '))}) {
    write("broken.json.gz", bytes);
    const auto result = open();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, "InvalidModel");
    EXPECT_NE(result.error().where.find("broken.json.gz"), std::string::npos) << describe(result.error());
  }
}

TEST_F(Overlay, refuses_a_folder_without_models) {
  for (const auto* file : {"", "_retry.json", "endpoints.json", "greeter/2020-01-01/paginators-1.json", "readme.txt"}) {
    if (*file != '\0') write(file, "{}");
    const auto result = open();
    ASSERT_FALSE(result) << file;
    EXPECT_NE(result.error().message.find("service-2.json"), std::string::npos) << describe(result.error());
  }
}

TEST_F(Overlay, names_the_file_of_a_broken_model) {
  const auto refused = [&](std::string_view text, std::string_view expected) {
    write("broken.json", text);
    const auto result = open();
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, "InvalidModel");
    EXPECT_NE(result.error().where.find("broken.json"), std::string::npos) << describe(result.error());
    EXPECT_NE(describe(result.error()).find(expected), std::string::npos) << describe(result.error());
  };
  refused("{", "JSON");
  refused("[]", "object");
  refused("{}", "metadata");
  refused(R"({"metadata": {}, "operations": {}})", "shapes");
  refused(R"({"metadata": {"protocol": "smoke"}, "operations": {}, "shapes": {}})", "smoke");
  refused(R"({"metadata": {"protocol": "json"}, "operations": {"A": {"input": {"shape": "Missing"}}}, "shapes": {}})",
          "Missing");
}

TEST_F(Overlay, refuses_a_service_in_both_forms_and_a_folder_that_is_not_there) {
  write("greeter/2020-01-01/service-2.json", greeter);
  write("greeter.json", greeter);
  const auto twice = open();
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("twice"), std::string::npos);
  const auto nowhere = Models::open({.pack = {}, .overlay = folder_ / "nowhere"});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().where.find("nowhere"), std::string::npos);
}

class Pack : public Overlay {};

TEST_F(Pack, refuses_what_is_no_pack_or_a_damaged_one) {
  const auto refused = [&](const std::string& bytes) {
    write("pack", bytes);
    const auto pack = ModelPack::open(folder_ / "pack");
    if (pack) {
      ASSERT_EQ(pack->services().size(), 1U);
      const auto files = pack->read(pack->services().front());
      ASSERT_FALSE(files);
      EXPECT_EQ(files.error().code, "InvalidModelPack");
      return;
    }
    EXPECT_EQ(pack.error().code, "InvalidModelPack");
    EXPECT_NE(pack.error().where.find("pack"), std::string::npos);
  };
  const auto with_index = [](std::string_view index, std::string_view frames) {
    std::string bytes = "FXMODEL1";
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((index.size() >> shift) & 0xFF);
    return bytes.append(index).append(frames);
  };
  refused("");
  refused("FXMODEL1");
  refused("FXMODEL2" + std::string(100, '\0'));
  refused("FXMODEL1\xFF\xFF\xFF\x7F{}");
  refused(with_index("{", ""));
  refused(with_index(R"({"services": [{"name": "a", "offset": 0, "size": 10, "raw": 10}]})", "short"));
  refused(with_index(R"({"services": [{"name": "a", "offset": 99, "size": 0, "raw": 10}]})", "short"));
  refused(with_index(R"({"services": [{"name": "a", "offset": 0, "size": 5, "raw": 99999999999}]})", "short"));
  refused(with_index(R"({"services": [{"name": "a", "offset": 0, "size": 5, "raw": 10}]})", "short"));
  EXPECT_FALSE(ModelPack::open(folder_ / "nothing"));
}

}  // namespace
}  // namespace fixpoint::aws
