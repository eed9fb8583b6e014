#include "gateway/destinations.h"

#include "base/arn.h"

namespace fixpoint::gateway {
namespace {

struct Kind {
  std::string_view list;
  std::string_view member;
  std::string_view service;
  std::string_view read;
  std::string_view name;  // the member of `read` that takes the ARN, or a queue's name
};

constexpr Kind kinds[] = {
    {"QueueConfigurations", "QueueArn", "sqs", "GetQueueUrl", "QueueName"},
    {"TopicConfigurations", "TopicArn", "sns", "GetTopicAttributes", "TopicArn"},
    {"LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda", "GetFunctionConfiguration", "FunctionName"}};

bool is_there(aws::Api& account, const aws::CallContext& context, const Kind& kind, const std::string& text,
              const Arn& arn) {
  if (arn.service != kind.service || arn.account != context.account || arn.region != context.region) return false;
  const std::string& name = kind.service == "sqs" ? arn.resource : text;
  return account.call(context, kind.service, kind.read, json::Object{{kind.name, name}}).has_value();
}

}  // namespace

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
Result<void> check_destinations(aws::Api& account, const aws::CallContext& context, const json::Value& input) {
  if (input["SkipDestinationValidation"].bool_or(false)) return {};
  const auto bucket = account.call(context, "s3", "HeadBucket", json::Object{{"Bucket", input["Bucket"]}});
  if (!bucket) return {};
  aws::CallContext there = context;
  there.region = (*bucket)["BucketRegion"].string_or(there.region);
  for (const Kind& kind : kinds) {
    const json::Value& list = input["NotificationConfiguration"][kind.list];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string text(list[i][kind.member].string_or({}));
      const auto arn = parse_arn(text);
      if (!arn || is_there(account, there, kind, text, *arn)) continue;
      return fail(errors::coded("InvalidArgument",
                                "Unable to validate the following destination configurations: " + text +
                                    " is not there in the account and region of the bucket",
                                400));
    }
  }
  return {};
}

}  // namespace fixpoint::gateway
