#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "sandbox/s3.h"

namespace fixpoint::sandbox::s3 {
namespace {

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html and API_LifecycleRule.html

std::size_t given(const json::Value& value, std::initializer_list<std::string_view> members) {
  return static_cast<std::size_t>(
      std::count_if(members.begin(), members.end(), [&](std::string_view one) { return !value[one].is_null(); }));
}

// A rule is for a prefix or has a filter, which asks for one thing or joins several by And.
Result<void> check_scope(const json::Value& rule) {
  if (rule["Filter"].is_null() == rule["Prefix"].is_null()) return malformed_xml();
  if (given(rule["Filter"], {"Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"}) > 1)
    return malformed_xml();
  return {};
}

Result<void> check_expiration(const json::Value& expiration) {
  if (expiration.is_null()) return {};
  const std::size_t marker = expiration["ExpiredObjectDeleteMarker"].bool_or(false) ? 1 : 0;
  if (given(expiration, {"Days", "Date"}) + marker > 1) return malformed_xml();
  if (const json::Value& days = expiration["Days"]; !days.is_null() && days.int_or(0) < 1)
    return refuse("InvalidArgument", 400, "'Days' for Expiration action must be a positive integer");
  return {};
}

Result<void> check_transition(const json::Value& transition, std::string_view days_member, std::string_view action) {
  static constexpr std::string_view classes[] = {"GLACIER",      "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
                                                 "DEEP_ARCHIVE", "GLACIER_IR"};
  const std::string_view to = transition["StorageClass"].string_or({});
  if (std::find(std::begin(classes), std::end(classes), to) == std::end(classes)) return malformed_xml();
  if (!transition[days_member].is_null() && !transition["Date"].is_null()) return malformed_xml();
  const json::Value& days = transition[days_member];
  if (days.is_null()) return {};
  const std::int64_t least = to == "STANDARD_IA" || to == "ONEZONE_IA" ? 30 : 0;
  if (days.int_or(0) < least)
    return refuse("InvalidArgument", 400,
                  "'" + std::string(days_member) + "' in " + std::string(action) +
                      " action must be greater than or equal to " + std::to_string(least) + " for storageClass '" +
                      std::string(to) + "'");
  return {};
}

Result<void> check_transitions(const json::Value& rule) {
  const json::Value& expires = rule["Expiration"]["Days"];
  const json::Value& transitions = rule["Transitions"];
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    FIXPOINT_CHECK(check_transition(transitions[i], "Days", "Transition"));
    if (!expires.is_null() && !transitions[i]["Days"].is_null() &&
        expires.int_or(0) <= transitions[i]["Days"].int_or(0))
      return refuse("InvalidArgument", 400,
                    "'Days' in the Expiration action must be greater than 'Days' in the Transition action");
  }
  const json::Value& later = rule["NoncurrentVersionTransitions"];
  for (std::size_t i = 0; i < later.size(); ++i)
    FIXPOINT_CHECK(check_transition(later[i], "NoncurrentDays", "NoncurrentVersionTransition"));
  return {};
}

Result<void> check_rule(const json::Value& rule) {
  if (!rule.is_object()) return malformed_xml();
  const std::string_view status = rule["Status"].string_or({});
  if (status != "Enabled" && status != "Disabled") return malformed_xml();
  FIXPOINT_CHECK(check_scope(rule));
  if (given(rule, {"Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions",
                   "AbortIncompleteMultipartUpload"}) == 0)
    return refuse("InvalidRequest", 400, "At least one action needs to be specified in a rule");
  FIXPOINT_CHECK(check_expiration(rule["Expiration"]));
  FIXPOINT_CHECK(check_transitions(rule));
  if (rule["ID"].string_or({}).size() > 255)
    return refuse("InvalidArgument", 400, "ID length should not exceed allowed limit of 255");
  return {};
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
Reply put_bucket_lifecycle(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  json::Value configuration = request.input["LifecycleConfiguration"];
  json::Value* rules = configuration.is_object() ? configuration.as_object().find("Rules") : nullptr;
  if (rules == nullptr || !rules->is_array() || rules->size() == 0) return malformed_xml();
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
  if (rules->size() > 1000) return malformed_xml();
  std::vector<std::string> ids;
  for (json::Value& rule : rules->as_array()) {
    FIXPOINT_CHECK(check_rule(rule));
    // A rule without a name gets one of 48 characters.
    if (rule["ID"].is_null()) rule.set("ID", base64_encode(random_bytes(36)));
    const std::string id(rule["ID"].string_or({}));
    if (std::find(ids.begin(), ids.end(), id) != ids.end())
      return refuse("InvalidArgument", 400, "Rule ID must be unique. Found same ID for one or more rules");
    ids.push_back(id);
  }
  json::Object lifecycle{{"Rules", *rules}};
  lifecycle.set("TransitionDefaultMinimumObjectSize",
                request.input["TransitionDefaultMinimumObjectSize"].string_or("all_storage_classes_128K"));
  json::Value body = *bucket;
  body.set("Lifecycle", std::move(lifecycle));
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

}  // namespace

void add_lifecycle(Operations& table) {
  table.changes("PutBucketLifecycleConfiguration", put_bucket_lifecycle);
}

}  // namespace fixpoint::sandbox::s3
