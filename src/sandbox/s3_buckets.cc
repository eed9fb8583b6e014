#include <algorithm>

#include "base/arn.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "sandbox/paging.h"
#include "sandbox/s3.h"
#include "sandbox/s3_access.h"

namespace fixpoint::sandbox {
namespace s3 {

Scope bucket_scope() {
  return {"s3", "bucket", {}, {}};
}

Scope object_scope() {
  return {"s3", "object", {}, {}};
}

tl::unexpected<Error> refuse(std::string code, int status, std::string message) {
  return fail(errors::coded(std::move(code), std::move(message), status));
}

Result<Document> bucket_of(Request& request) {
  Document bucket = request.state.get(bucket_scope(), request.text("Bucket"));
  if (!bucket) return refuse("NoSuchBucket", 404, "The specified bucket does not exist");
  const std::string_view account = (*bucket)["Account"].string_or({});
  const std::string_view expected = request.text("ExpectedBucketOwner");
  if (account != request.context.account || (!expected.empty() && expected != account))
    return refuse("AccessDenied", 403, "Access Denied");
  return bucket;
}

std::string canonical_id(std::string_view account) {
  return sha256_hex(account);
}

json::Value owner(std::string_view account) {
  return json::Object{{"DisplayName", account}, {"ID", canonical_id(account)}};
}

namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool is_valid_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) return false;
  std::size_t dots = 0;
  bool only_digits_and_dots = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_letter_or_digit(c) && c != '.' && c != '-') return false;
    if (c == '.' && name[i + 1] == '.') return false;
    dots += c == '.' ? 1 : 0;
    only_digits_and_dots = only_digits_and_dots && (c == '.' || (c >= '0' && c <= '9'));
  }
  if (dots == 3 && only_digits_and_dots) return false;  // looks like an IPv4 address
  for (const std::string_view start : {"xn--", "sthree-", "amzn-s3-demo-"})
    if (name.substr(0, start.size()) == start) return false;
  for (const std::string_view end : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"})
    if (name.size() > end.size() && name.substr(name.size() - end.size()) == end) return false;
  return true;
}

// The region that the bucket is made in. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
Result<std::string> place_of(const Request& request) {
  const std::string& endpoint = request.context.region;
  std::string wanted(request.input["CreateBucketConfiguration"]["LocationConstraint"].string_or({}));
  if (wanted == "EU") wanted = "eu-west-1";
  if (endpoint == "us-east-1") {
    if (wanted == "us-east-1")
      return refuse("InvalidLocationConstraint", 400, "The specified location-constraint is not valid");
    return wanted.empty() ? endpoint : wanted;
  }
  if (wanted != endpoint)
    return refuse(
        "IllegalLocationConstraintException", 400,
        "The " + (wanted.empty() ? "unspecified" : wanted) +
            " location constraint is incompatible for the region specific endpoint this request was sent to.");
  return wanted;
}

// What CreateBucket says of an ACL that the settings of a new bucket forbid.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
Result<void> apply_first_acl(Request& request, json::Value& bucket) {
  auto applied = apply_acl(request, bucket, {});
  if (applied) return applied;
  if (applied.error().code == "AccessControlListNotSupported")
    return refuse("InvalidBucketAclWithObjectOwnership", 400,
                  "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  if (applied.error().code == "AccessDenied")
    return refuse("InvalidBucketAclWithBlockPublicAccessError", 400,
                  "Bucket cannot have public ACLs set with BlockPublicAccess enabled");
  return applied;
}

Reply create_bucket(Request& request) {
  const std::string name(request.text("Bucket"));
  if (!is_valid_name(name)) return refuse("InvalidBucketName", 400, "The specified bucket is not valid.");
  FIXPOINT_TRY(region, place_of(request));
  json::Value answer =
      json::Object{{"Location", region == "us-east-1" ? "/" + name : "http://" + name + ".s3.amazonaws.com/"}};
  if (const Document there = request.state.get(bucket_scope(), name)) {
    if ((*there)["Account"].string_or({}) != request.context.account)
      return refuse("BucketAlreadyExists", 409,
                    "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                    "system. Please select a different name and try again.");
    // us-east-1 answers 200 for one's own bucket and resets its ACL: the documented exception of CreateBucket.
    if (region != "us-east-1" || (*there)["Region"].string_or({}) != region)
      return refuse("BucketAlreadyOwnedByYou", 409,
                    "Your previous request to create the named bucket succeeded and you already own it.");
    json::Value body = *there;
    body.as_object().erase("Acl");
    request.state.put(bucket_scope(), name, std::move(body));
    return answer;
  }
  const std::string ownership(request.input["ObjectOwnership"].string_or("BucketOwnerEnforced"));
  if (ownership != "BucketOwnerEnforced" && ownership != "BucketOwnerPreferred" && ownership != "ObjectWriter")
    return refuse("InvalidArgument", 400, "Invalid x-amz-object-ownership header: " + ownership);
  json::Value bucket = json::Object{
      {"Name", name},
      {"Account", request.context.account},
      {"Region", region},
      {"CreationDate", request.now()},
      // What every new bucket has since January and April 2023.
      {"Encryption", json::Object{{"Rules", json::Array{json::Object{{"ApplyServerSideEncryptionByDefault",
                                                                      json::Object{{"SSEAlgorithm", "AES256"}}},
                                                                     {"BucketKeyEnabled", false}}}}}},
      {"PublicAccessBlock", json::Object{{"BlockPublicAcls", true},
                                         {"IgnorePublicAcls", true},
                                         {"BlockPublicPolicy", true},
                                         {"RestrictPublicBuckets", true}}},
      {"OwnershipControls", json::Object{{"Rules", json::Array{json::Object{{"ObjectOwnership", ownership}}}}}}};
  if (request.input["ObjectLockEnabledForBucket"].bool_or(false)) {
    bucket.set("Versioning", json::Object{{"Status", "Enabled"}});
    bucket.set("ObjectLock", json::Object{{"ObjectLockEnabled", "Enabled"}});
  }
  if (const json::Value& tags = request.input["CreateBucketConfiguration"]["Tags"]; tags.size() > 0)
    bucket.set("Tags", tags);
  FIXPOINT_CHECK(apply_first_acl(request, bucket));
  request.state.put(bucket_scope(), name, std::move(bucket));
  return answer;
}

// A HEAD answer has no body: its error is the bare status, as every client sees it.
Reply head_bucket(Request& request) {
  const auto bucket = bucket_of(request);
  if (!bucket)
    return bucket.error().http_status == 404 ? refuse("404", 404, "Not Found") : refuse("403", 403, "Forbidden");
  return json::Object{{"BucketRegion", (**bucket)["Region"]}, {"AccessPointAlias", false}};
}

Reply get_bucket_location(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  const json::Value& region = (*bucket)["Region"];
  // Buckets in us-east-1 have a location constraint of null.
  if (region.string_or({}) == "us-east-1") return empty();
  return json::Object{{"LocationConstraint", region}};
}

Reply list_buckets(Request& request) {
  const std::int64_t most = request.input["MaxBuckets"].int_or(10'000);
  FIXPOINT_TRY(after, page_position(request.text("ContinuationToken"), "InvalidArgument",
                                    "The continuation token provided is incorrect"));
  const std::string_view region = request.text("BucketRegion");
  // A call with any parameter gets the regions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
  const bool is_paged = request.has("MaxBuckets") || request.has("Prefix") || request.has("BucketRegion") ||
                        request.has("ContinuationToken");
  json::Array buckets;
  std::string next;
  std::string last;
  request.state.each(bucket_scope(), request.text("Prefix"), after, [&](std::string_view name, const Document& body) {
    if (!body || (*body)["Account"].string_or({}) != request.context.account) return true;
    if (!region.empty() && (*body)["Region"].string_or({}) != region) return true;
    if (static_cast<std::int64_t>(buckets.size()) == most) {
      next = page_token(last);
      return false;
    }
    json::Object item{{"Name", name}, {"CreationDate", (*body)["CreationDate"]}};
    if (is_paged) item.set("BucketRegion", (*body)["Region"]);
    buckets.emplace_back(std::move(item));
    last = name;
    return true;
  });
  json::Object out{{"Buckets", std::move(buckets)}, {"Owner", owner(request.context.account)}};
  if (!next.empty()) out.set("ContinuationToken", next);
  if (request.has("Prefix")) out.set("Prefix", request.input["Prefix"]);
  return out;
}

Reply delete_bucket(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  const std::string name((*bucket)["Name"].string_or({}));
  if (request.state.any(object_scope(), name + "/"))
    return refuse("BucketNotEmpty", 409, "The bucket you tried to delete is not empty");
  request.state.erase(bucket_scope(), name);
  return empty();
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
Reply put_bucket_encryption(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  json::Value configuration = request.input["ServerSideEncryptionConfiguration"];
  const json::Value& rules = configuration["Rules"];
  if (rules.size() != 1 || !rules[0].is_object())
    return refuse("MalformedXML", 400,
                  "The XML you provided was not well-formed or did not validate against our published schema");
  const json::Value& by_default = rules[0]["ApplyServerSideEncryptionByDefault"];
  const std::string_view algorithm = by_default["SSEAlgorithm"].string_or({});
  if (by_default.is_object() && algorithm != "AES256" && algorithm != "aws:kms" && algorithm != "aws:kms:dsse")
    return refuse("MalformedXML", 400,
                  "The XML you provided was not well-formed or did not validate against our published schema");
  if (algorithm == "AES256" && !by_default["KMSMasterKeyID"].is_null())
    return refuse("InvalidArgument", 400,
                  "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse");
  json::Object& rule = configuration.as_object().find("Rules")->as_array()[0].as_object();
  if (!rule.contains("BucketKeyEnabled")) rule.set("BucketKeyEnabled", false);
  json::Value body = *bucket;
  body.set("Encryption", std::move(configuration));
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

Reply put_bucket_logging(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  json::Value body = *bucket;
  const json::Value& logging = request.input["BucketLoggingStatus"]["LoggingEnabled"];
  if (logging.is_null()) {
    body.as_object().erase("Logging");
  } else {
    const Document target = request.state.get(bucket_scope(), logging["TargetBucket"].string_or({}));
    if (!target) return refuse("InvalidTargetBucketForLogging", 400, "The target bucket for logging does not exist");
    if ((*target)["Account"].string_or({}) != request.context.account)
      return refuse("InvalidTargetBucketForLogging", 400,
                    "The owner for the bucket to be logged and the target bucket must be the same.");
    if (!((*target)["Region"] == body["Region"]))
      return refuse("CrossLocationLoggingProhibited", 403, "Cross S3 location logging not allowed. ");
    body.set("Logging", logging);
  }
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

// What a destination has to be. Whether it is there is looked up where queues, topics and functions are
// (gateway/destinations.h).
Result<void> check_notification(const json::Value& item) {
  static constexpr std::string_view kinds[] = {"s3:ObjectCreated:",      "s3:ObjectRemoved:",
                                               "s3:ObjectRestore:",      "s3:Replication:",
                                               "s3:ObjectTagging:",      "s3:LifecycleExpiration:",
                                               "s3:LifecycleTransition", "s3:ObjectAcl:Put",
                                               "s3:IntelligentTiering",  "s3:ReducedRedundancyLostObject"};
  for (const auto& [member, service] :
       {std::pair{"TopicArn", "sns"}, {"QueueArn", "sqs"}, {"LambdaFunctionArn", "lambda"}}) {
    if (item[member].is_null()) continue;
    const auto arn = parse_arn(item[member].string_or({}));
    if (!arn || arn->service != service) return refuse("InvalidArgument", 400, "The ARN could not be parsed");
  }
  const json::Value& events = item["Events"];
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string_view event = events[i].string_or({});
    if (std::none_of(std::begin(kinds), std::end(kinds),
                     [&](std::string_view kind) { return event.starts_with(kind); }))
      return refuse("InvalidArgument", 400,
                    "The event '" + std::string(event) + "' is not supported for notifications");
  }
  const json::Value& rules = item["Filter"]["Key"]["FilterRules"];
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (const std::string name = to_lower(rules[i]["Name"].string_or({})); name != "prefix" && name != "suffix")
      return refuse("InvalidArgument", 400, "filter rule name must be either prefix or suffix");
  return {};
}

// Each destination has a name, which S3 makes up where it is left out.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
Reply put_bucket_notification(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  json::Value configuration = request.input["NotificationConfiguration"];
  if (!configuration.is_object()) configuration = json::Object();
  for (const auto member : {"TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"}) {
    json::Value* list = configuration.as_object().find(member);
    if (list == nullptr || !list->is_array()) continue;
    for (json::Value& item : list->as_array()) {
      if (!item.is_object()) continue;
      FIXPOINT_CHECK(check_notification(item));
      if (item["Id"].is_null()) item.set("Id", random_uuid());
    }
    if (list->size() == 0) configuration.as_object().erase(member);
  }
  json::Value body = *bucket;
  body.set("Notification", std::move(configuration));
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

}  // namespace
}  // namespace s3

void add_s3(Services& services) {
  Operations table("s3", services);
  table.changes("CreateBucket", s3::create_bucket);
  table.reads("HeadBucket", s3::head_bucket);
  table.reads("GetBucketLocation", s3::get_bucket_location);
  table.reads("ListBuckets", s3::list_buckets);
  table.changes("DeleteBucket", s3::delete_bucket);
  table.changes("PutBucketEncryption", s3::put_bucket_encryption);
  table.changes("PutBucketLogging", s3::put_bucket_logging);
  table.changes("PutBucketNotificationConfiguration", s3::put_bucket_notification);
  s3::add_access(table);
  s3::add_lifecycle(table);
  s3::add_checks(services);
}

}  // namespace fixpoint::sandbox
