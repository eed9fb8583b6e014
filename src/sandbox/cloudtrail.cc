#include <algorithm>

#include "base/arn.h"
#include "base/clock.h"
#include "base/text.h"
#include "sandbox/item_list.h"
#include "sandbox/kms.h"
#include "sandbox/operation.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace cloudtrail {
namespace {

// A trail is {Trail: as DescribeTrails gives it, Status: as GetTrailStatus does, EventSelectors, Tags, ...} under
// "REGION/NAME" of the account: a trail of all regions is seen from each.

constexpr std::size_t trails_a_region = 5;

tl::unexpected<Error> refuse(std::string code, std::string message, int status = 400) {
  return fail(errors::coded(std::move(code), std::move(message), status));
}

Scope trails(const Request& request) {
  return request.global("cloudtrail", "trail");
}

// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
Result<void> check_name(std::string_view name) {
  const auto invalid = [](std::string message) { return refuse("InvalidTrailNameException", std::move(message)); };
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (name.empty()) return invalid("Trail name cannot be blank!");
  if (name.size() < 3)
    return invalid("Trail name too short. Minimum allowed length: 3 characters. Specified name length: " +
                   std::to_string(name.size()) + " characters.");
  if (name.size() > 128)
    return invalid("Trail name too long. Maximum allowed length: 128 characters. Specified name length: " +
                   std::to_string(name.size()) + " characters.");
  if (!plain(name.front())) return invalid("Trail name must starts with a letter or number.");
  if (!plain(name.back())) return invalid("Trail name must ends with a letter or number.");
  bool digits_and_dots = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool mark = name[i] == '.' || name[i] == '-' || name[i] == '_';
    if (!plain(name[i]) && !mark)
      return invalid(
          "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), "
          "and underscores (_).");
    if (mark && !plain(name[i + 1]))
      return invalid("Trail name cannot have two adjacent periods, hyphens or underscores.");
    digits_and_dots = digits_and_dots && (name[i] == '.' || (name[i] >= '0' && name[i] <= '9'));
  }
  if (digits_and_dots && std::count(name.begin(), name.end(), '.') == 3)
    return invalid("Trail name must not be formatted as an IP address.");
  return {};
}

// "REGION/NAME" of the trail that a name or an ARN means.
Result<std::string> id_of(const Request& request, std::string_view name) {
  if (name.substr(0, 4) != "arn:") {
    FIXPOINT_CHECK(check_name(name));
    return request.context.region + "/" + std::string(name);
  }
  const auto arn = parse_arn(name);
  if (!arn || arn->service != "cloudtrail" || arn->resource.substr(0, 6) != "trail/")
    return refuse("CloudTrailARNInvalidException", std::string(name) + " is not a valid ARN.");
  FIXPOINT_CHECK(check_name(std::string_view(arn->resource).substr(6)));
  // A trail of another account is none of ours.
  return (arn->account == request.context.account ? arn->region : arn->account) + "/" + arn->resource.substr(6);
}

Result<Document> trail_of(Request& request, std::string_view name) {
  FIXPOINT_TRY(id, id_of(request, name));
  Document trail = request.state.get(trails(request), id);
  if (trail && (*trail)["Trail"]["HomeRegion"].string_or({}) != request.context.region &&
      !(*trail)["Trail"]["IsMultiRegionTrail"].bool_or(false))
    trail = nullptr;
  if (!trail) {
    const std::string shown =
        name.substr(0, 4) == "arn:" ? std::string(name) : request.arn("cloudtrail", "trail/" + std::string(name));
    return refuse("TrailNotFoundException", "Unknown trail: " + shown + " for the user: " + request.context.account,
                  404);
  }
  return trail;
}

// Of a trail that the call changes: only where it lives.
Result<Document> own_trail_of(Request& request, std::string_view name) {
  FIXPOINT_TRY(trail, trail_of(request, name));
  const std::string_view home = (*trail)["Trail"]["HomeRegion"].string_or({});
  if (home != request.context.region)
    return refuse("InvalidHomeRegionException", "Trail " + std::string((*trail)["Trail"]["TrailARN"].string_or({})) +
                                                    " was created in the region " + std::string(home) +
                                                    ": make the call there.");
  return trail;
}

void save(Request& request, json::Value body) {
  const std::string id =
      std::string(body["Trail"]["HomeRegion"].string_or({})) + "/" + std::string(body["Trail"]["Name"].string_or({}));
  request.state.put(trails(request), id, std::move(body));
}

// "You must use a log group that exists in your account": API_UpdateTrail.html. One of another place is out of sight.
Result<void> check_log_group(Request& request, const json::Value& trail) {
  const std::string text(trail["CloudWatchLogsLogGroupArn"].string_or({}));
  if (text.empty() || !request.has("CloudWatchLogsLogGroupArn")) return {};
  const auto arn = parse_arn(text);
  const std::string_view resource = arn ? std::string_view(arn->resource) : std::string_view();
  if (!arn || arn->service != "logs" || !resource.starts_with("log-group:"))
    return refuse("InvalidCloudWatchLogsLogGroupArnException",
                  "CloudTrail cannot validate the specified log group ARN: " + text + " is none.");
  if (arn->account != request.context.account || arn->region != request.context.region) return {};
  std::string_view name = resource.substr(10);
  name = name.substr(0, name.find(':'));
  if (!request.state.get(request.regional("logs", "group"), name))
    return refuse(
        "InvalidCloudWatchLogsLogGroupArnException",
        "CloudTrail cannot validate the specified log group ARN: there is no log group " + std::string(name) + ".");
  return {};
}

// The members of CreateTrail and UpdateTrail that are the trail's; an empty text takes away.
Result<void> apply_settings(Request& request, json::Value& trail) {
  if (request.has("S3BucketName")) {
    const std::string_view bucket = request.text("S3BucketName");
    if (!request.state.get({"s3", "bucket", {}, {}}, bucket))
      return refuse("S3BucketDoesNotExistException", "S3 bucket " + std::string(bucket) + " does not exist!");
    trail.set("S3BucketName", bucket);
  }
  for (const auto member : {"S3KeyPrefix", "SnsTopicName", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}) {
    if (!request.has(member)) continue;
    if (request.text(member).empty())
      trail.as_object().erase(member);
    else
      trail.set(member, request.input[member]);
  }
  if (request.text("S3KeyPrefix").size() > 200)
    return refuse("InvalidS3PrefixException", "S3 prefix is longer than the maximum 200 characters.");
  if (trail["CloudWatchLogsLogGroupArn"].is_null() != trail["CloudWatchLogsRoleArn"].is_null()) {
    if (trail["CloudWatchLogsRoleArn"].is_null())
      return refuse("InvalidCloudWatchLogsRoleArnException", "You must specify a role ARN as well as a log group.");
    return refuse("InvalidCloudWatchLogsLogGroupArnException", "You must specify a log group as well as a role ARN.");
  }
  FIXPOINT_CHECK(check_log_group(request, trail));
  if (request.has("SnsTopicName")) {
    const std::string topic(request.text("SnsTopicName"));
    trail.as_object().erase("SnsTopicARN");
    if (!topic.empty()) trail.set("SnsTopicARN", topic.substr(0, 4) == "arn:" ? topic : request.arn("sns", topic));
  }
  for (const auto member : {"IncludeGlobalServiceEvents", "IsMultiRegionTrail", "IsOrganizationTrail"})
    if (request.has(member)) trail.set(member, request.input[member]);
  if (request.has("EnableLogFileValidation"))
    trail.set("LogFileValidationEnabled", request.input["EnableLogFileValidation"]);
  if (trail["IsMultiRegionTrail"].bool_or(false) && !trail["IncludeGlobalServiceEvents"].bool_or(true))
    return refuse("InvalidParameterCombinationException", "Multi-Region trail must include global service events.");
  if (request.has("KmsKeyId")) {
    const std::string_view key = request.text("KmsKeyId");
    if (key.empty()) {
      trail.as_object().erase("KmsKeyId");
    } else {
      const auto arn = parse_arn(key);
      if (arn && arn->account != request.context.account) {
        trail.set("KmsKeyId", key);  // a key of another account is not looked for
      } else {
        const auto found = kms::find_key(request, key);
        if (!found)
          return refuse("KmsKeyNotFoundException",
                        "KMS key " + std::string(key) + " was not found: " + found.error().message);
        if ((**found)["Metadata"]["KeyState"].string_or({}) != "Enabled")
          return refuse("KmsKeyDisabledException", "KMS key " + std::string(key) + " is disabled.");
        trail.set("KmsKeyId", kms::arn_of(**found));
      }
    }
  }
  return {};
}

// CreateTrail and UpdateTrail answer with the settings, not with what the trail has become.
json::Value settings(const json::Value& trail) {
  json::Object out;
  for (const json::Member& member : trail.as_object())
    if (member.key != "HomeRegion" && member.key != "HasCustomEventSelectors" && member.key != "HasInsightSelectors")
      out.append(member.key, member.value);
  return out;
}

Reply create_trail(Request& request) {
  const std::string name(request.text("Name"));
  FIXPOINT_CHECK(check_name(name));
  if (request.state.get(trails(request), request.context.region + "/" + name))
    return refuse("TrailAlreadyExistsException",
                  "Trail " + name + " already exists for customer: " + request.context.account);
  std::size_t count = 0;
  request.state.each(trails(request), request.context.region + "/", {}, [&](std::string_view, const Document& body) {
    count += body ? 1 : 0;
    return true;
  });
  if (count >= trails_a_region)
    return refuse("MaximumNumberOfTrailsExceededException",
                  "User: " + request.context.account + " already has " + std::to_string(count) + " trails in " +
                      request.context.region + ".",
                  403);
  json::Value trail = json::Object{{"Name", name},
                                   {"IncludeGlobalServiceEvents", true},
                                   {"IsMultiRegionTrail", false},
                                   {"HomeRegion", request.context.region},
                                   {"TrailARN", request.arn("cloudtrail", "trail/" + name)},
                                   {"LogFileValidationEnabled", false},
                                   {"HasCustomEventSelectors", false},
                                   {"HasInsightSelectors", false},
                                   {"IsOrganizationTrail", false}};
  FIXPOINT_CHECK(apply_settings(request, trail));
  json::Value answer = settings(trail);
  json::Value body = json::Object{{"Trail", std::move(trail)}, {"Status", json::Object{{"IsLogging", false}}}};
  if (request.input["TagsList"].size() > 0) body.set("Tags", request.input["TagsList"]);
  save(request, std::move(body));
  return answer;
}

Reply update_trail(Request& request) {
  FIXPOINT_TRY(trail, own_trail_of(request, request.text("Name")));
  json::Value body = *trail;
  json::Value& changed = body.at_or_make("Trail");
  FIXPOINT_CHECK(apply_settings(request, changed));
  json::Value answer = settings(changed);
  save(request, std::move(body));
  return answer;
}

Reply delete_trail(Request& request) {
  FIXPOINT_TRY(trail, own_trail_of(request, request.text("Name")));
  FIXPOINT_TRY(id, id_of(request, (*trail)["Trail"]["TrailARN"].string_or({})));
  request.state.erase(trails(request), id);
  return empty();
}

bool is_seen(const Request& request, const json::Value& trail, bool shadows) {
  if (trail["HomeRegion"].string_or({}) == request.context.region) return true;
  return shadows && trail["IsMultiRegionTrail"].bool_or(false);
}

Reply describe_trails(Request& request) {
  json::Array list;
  const json::Value& names = request.input["trailNameList"];
  const bool shadows = request.input["includeShadowTrails"].bool_or(true);
  if (names.size() > 0) {
    for (const json::Value& name : names.as_array()) {
      FIXPOINT_TRY(id, id_of(request, name.string_or({})));
      const Document body = request.state.get(trails(request), id);
      if (body && is_seen(request, (*body)["Trail"], shadows)) list.push_back((*body)["Trail"]);
    }
  } else {
    request.state.each(trails(request), {}, {}, [&](std::string_view, const Document& body) {
      if (body && is_seen(request, (*body)["Trail"], shadows)) list.push_back((*body)["Trail"]);
      return true;
    });
  }
  return json::Object{{"trailList", std::move(list)}};
}

Reply get_trail(Request& request) {
  FIXPOINT_TRY(trail, trail_of(request, request.text("Name")));
  return json::Object{{"Trail", (*trail)["Trail"]}};
}

Reply list_trails(Request& request) {
  json::Array list;
  request.state.each(trails(request), {}, {}, [&](std::string_view, const Document& body) {
    if (!body) return true;
    const json::Value& trail = (*body)["Trail"];
    list.push_back(
        json::Object{{"TrailARN", trail["TrailARN"]}, {"Name", trail["Name"]}, {"HomeRegion", trail["HomeRegion"]}});
    return true;
  });
  return json::Object{{"Trails", std::move(list)}};
}

Reply get_trail_status(Request& request) {
  FIXPOINT_TRY(trail, trail_of(request, request.text("Name")));
  const json::Value& status = (*trail)["Status"];
  json::Object out = status.as_object();
  for (const auto& [number, text] :
       {std::pair{"StartLoggingTime", "TimeLoggingStarted"}, {"StopLoggingTime", "TimeLoggingStopped"}})
    out.set(text, status[number].is_null() ? json::Value("") : json::Value(format_iso8601(status[number].as_double())));
  for (const auto member : {"LatestDeliveryAttemptTime", "LatestNotificationAttemptTime",
                            "LatestNotificationAttemptSucceeded", "LatestDeliveryAttemptSucceeded"})
    out.set(member, "");
  return out;
}

Reply set_logging(Request& request, bool logging) {
  FIXPOINT_TRY(trail, own_trail_of(request, request.text("Name")));
  json::Value body = *trail;
  json::Value& status = body.at_or_make("Status");
  if (status["IsLogging"].bool_or(false) != logging)
    status.set(logging ? "StartLoggingTime" : "StopLoggingTime", request.now());
  status.set("IsLogging", logging);
  save(request, std::move(body));
  return empty();
}

json::Value default_selectors() {
  return json::Array{json::Object{{"ReadWriteType", "All"},
                                  {"IncludeManagementEvents", true},
                                  {"DataResources", json::Array()},
                                  {"ExcludeManagementEventSources", json::Array()}}};
}

Reply get_event_selectors(Request& request) {
  FIXPOINT_TRY(trail, trail_of(request, request.text("TrailName")));
  json::Object out{{"TrailARN", (*trail)["Trail"]["TrailARN"]}};
  if (const json::Value& advanced = (*trail)["AdvancedEventSelectors"]; !advanced.is_null())
    out.set("AdvancedEventSelectors", advanced);
  else
    out.set("EventSelectors", (*trail)["EventSelectors"].is_null() ? default_selectors() : (*trail)["EventSelectors"]);
  return out;
}

// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
Result<void> check_selectors(const Request& request) {
  constexpr std::size_t most_resources = 250;
  constexpr std::size_t most_values = 500;
  const auto invalid = [](std::string message) { return refuse("InvalidEventSelectorsException", std::move(message)); };
  std::size_t resources = 0;
  const json::Value& selectors = request.input["EventSelectors"];
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    const json::Value& data = selectors[i]["DataResources"];
    for (std::size_t n = 0; n < data.size(); ++n) {
      const std::string type(data[n]["Type"].string_or({}));
      if (type != "AWS::S3::Object" && type != "AWS::Lambda::Function" && type != "AWS::DynamoDB::Table")
        return invalid("The data resource type " + type +
                       " is not one of AWS::S3::Object, AWS::Lambda::Function and AWS::DynamoDB::Table: others are for "
                       "advanced event selectors.");
      resources += data[n]["Values"].size();
    }
  }
  if (resources > most_resources) return invalid("A trail is limited to 250 data resources.");
  std::size_t values = 0;
  const json::Value& advanced = request.input["AdvancedEventSelectors"];
  for (std::size_t i = 0; i < advanced.size(); ++i) {
    const json::Value& fields = advanced[i]["FieldSelectors"];
    bool has_category = false;
    for (std::size_t n = 0; n < fields.size(); ++n) {
      has_category =
          has_category || (fields[n]["Field"].string_or({}) == "eventCategory" && fields[n]["Equals"].size() == 1);
      for (const auto operation : {"Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"})
        values += fields[n][operation].size();
    }
    if (!has_category) return invalid("Each advanced event selector says by Equals which eventCategory it is for.");
  }
  if (values > most_values)
    return invalid("Advanced event selectors of a trail have at most 500 values for all conditions.");
  return {};
}

Reply put_event_selectors(Request& request) {
  FIXPOINT_TRY(trail, own_trail_of(request, request.text("TrailName")));
  const bool plain = request.input["EventSelectors"].size() > 0;
  const bool advanced = request.input["AdvancedEventSelectors"].size() > 0;
  if (plain == advanced)
    return refuse("InvalidEventSelectorsException",
                  plain ? "EventSelectors and AdvancedEventSelectors cannot be used together."
                        : "Specify EventSelectors or AdvancedEventSelectors.");
  if (request.input["EventSelectors"].size() > 5)
    return refuse("InvalidEventSelectorsException", "A trail has at most 5 event selectors.");
  FIXPOINT_CHECK(check_selectors(request));
  json::Value body = *trail;
  json::Object out{{"TrailARN", body["Trail"]["TrailARN"]}};
  for (const auto member : {"EventSelectors", "AdvancedEventSelectors"}) {
    if (request.input[member].size() == 0) {
      body.as_object().erase(member);
      continue;
    }
    json::Value selectors = request.input[member];
    if (plain)
      for (json::Value& selector : selectors.as_array()) {
        json::Object whole = default_selectors()[0].as_object();
        for (const json::Member& given : selector.as_object()) whole.set(given.key, given.value);
        selector = std::move(whole);
      }
    body.set(member, selectors);
    out.set(member, std::move(selectors));
  }
  body.at_or_make("Trail").set("HasCustomEventSelectors", true);
  save(request, std::move(body));
  return out;
}

Reply get_insight_selectors(Request& request) {
  FIXPOINT_TRY(trail, trail_of(request, request.text("TrailName")));
  const std::string arn((*trail)["Trail"]["TrailARN"].string_or({}));
  if ((*trail)["InsightSelectors"].size() == 0)
    return refuse("InsightNotEnabledException", "Trail " + arn +
                                                    " does not have Insights enabled. Edit the trail settings to "
                                                    "enable Insights, and then try the operation again.");
  return json::Object{{"TrailARN", arn}, {"InsightSelectors", (*trail)["InsightSelectors"]}};
}

Reply put_insight_selectors(Request& request) {
  FIXPOINT_TRY(trail, own_trail_of(request, request.text("TrailName")));
  json::Value body = *trail;
  body.set("InsightSelectors", request.input["InsightSelectors"]);
  body.at_or_make("Trail").set("HasInsightSelectors", request.input["InsightSelectors"].size() > 0);
  json::Value answer =
      json::Object{{"TrailARN", body["Trail"]["TrailARN"]}, {"InsightSelectors", request.input["InsightSelectors"]}};
  save(request, std::move(body));
  return answer;
}

Result<Document> tagged(Request& request, std::string_view arn) {
  if (arn.substr(0, 4) != "arn:")
    return refuse("CloudTrailARNInvalidException", std::string(arn) + " is not a valid ARN.");
  auto trail = trail_of(request, arn);
  if (!trail && trail.error().code == "TrailNotFoundException")
    return refuse("ResourceNotFoundException", "The resource " + std::string(arn) + " was not found.");
  return trail;
}

Reply add_tags(Request& request) {
  FIXPOINT_TRY(trail, tagged(request, request.text("ResourceId")));
  json::Value tags = (*trail)["Tags"];
  if (!tags.is_array()) tags = json::Array();
  const json::Value& wanted = request.input["TagsList"];
  if (wanted.is_array()) put_items(tags.as_array(), wanted.as_array(), "Key");
  if (tags.size() > 50)
    return refuse("TagsLimitExceededException", "The number of tags per trail exceeds the limit of 50.");
  json::Value body = *trail;
  body.set("Tags", std::move(tags));
  save(request, std::move(body));
  return empty();
}

Reply remove_tags(Request& request) {
  FIXPOINT_TRY(trail, tagged(request, request.text("ResourceId")));
  json::Value body = *trail;
  const json::Value& gone = request.input["TagsList"];
  if (json::Value* tags = body.as_object().find("Tags"); tags != nullptr && gone.is_array())
    take_same(tags->as_array(), gone.as_array(), "Key");
  save(request, std::move(body));
  return empty();
}

Reply list_tags(Request& request) {
  json::Array list;
  const json::Value& ids = request.input["ResourceIdList"];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    FIXPOINT_TRY(trail, tagged(request, ids[i].string_or({})));
    const json::Value& tags = (*trail)["Tags"];
    list.push_back(
        json::Object{{"ResourceId", ids[i]}, {"TagsList", tags.is_array() ? tags : json::Value(json::Array())}});
  }
  return json::Object{{"ResourceTagList", std::move(list)}};
}

}  // namespace
}  // namespace cloudtrail

void add_cloudtrail(Services& services) {
  Operations table("cloudtrail", services);
  table.changes("CreateTrail", cloudtrail::create_trail);
  table.changes("UpdateTrail", cloudtrail::update_trail);
  table.changes("DeleteTrail", cloudtrail::delete_trail);
  table.reads("DescribeTrails", cloudtrail::describe_trails);
  table.reads("GetTrail", cloudtrail::get_trail);
  table.reads("ListTrails", cloudtrail::list_trails);
  table.reads("GetTrailStatus", cloudtrail::get_trail_status);
  table.changes("StartLogging", [](Request& request) { return cloudtrail::set_logging(request, true); });
  table.changes("StopLogging", [](Request& request) { return cloudtrail::set_logging(request, false); });
  table.reads("GetEventSelectors", cloudtrail::get_event_selectors);
  table.changes("PutEventSelectors", cloudtrail::put_event_selectors);
  table.reads("GetInsightSelectors", cloudtrail::get_insight_selectors);
  table.changes("PutInsightSelectors", cloudtrail::put_insight_selectors);
  table.changes("AddTags", cloudtrail::add_tags);
  table.changes("RemoveTags", cloudtrail::remove_tags);
  table.reads("ListTags", cloudtrail::list_tags);
}

}  // namespace fixpoint::sandbox
