#include <algorithm>

#include "sandbox/ec2.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox::ec2 {
namespace {

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
constexpr std::size_t tag_limit = 50;
constexpr std::size_t resources_a_call = 1000;

struct Kind {
  std::string_view prefix;
  std::string_view type;
  std::string_view missing_code;
  std::string_view noun;
};
constexpr Kind kinds[] = {
    {"sg-", "security-group", "InvalidGroup.NotFound", "security group"},
    {"vpc-", "vpc", "InvalidVpcID.NotFound", "vpc ID"},
    {"subnet-", "subnet", "InvalidSubnetID.NotFound", "subnet ID"},
    {"i-", "instance", "InvalidInstanceID.NotFound", "instance ID"},
    {"vol-", "volume", "InvalidVolume.NotFound", "volume"},
    {"snap-", "snapshot", "InvalidSnapshot.NotFound", "snapshot"},
    {"tgw-", "transit-gateway", "InvalidTransitGatewayID.NotFound", "transit gateway ID"},
    {"vpce-", "vpc-endpoint", "InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id"},
    {"fl-", "vpc-flow-log", "InvalidFlowLogId.NotFound", "flow log ID"},
    {"acl-", "network-acl", "InvalidNetworkAclID.NotFound", "networkAcl ID"},
    {"eipalloc-", "elastic-ip", "InvalidAllocationID.NotFound", "allocation ID"},
    {"ami-", "image", "InvalidAMIID.NotFound", "image id"},
};

const Kind* kind_of(std::string_view id) {
  for (const Kind& kind : kinds)
    if (is_id(id, kind.prefix)) return &kind;
  return nullptr;
}

Result<void> check_tag(const json::Value& tag) {
  const std::string_view key = tag["Key"].string_or({});
  if (key.empty() || key.size() > 128 * 4)
    return refuse("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters or is empty");
  if (key.substr(0, 4) == "aws:")
    return refuse("InvalidParameterValue",
                  "Value ( " + std::string(key) +
                      " ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use");
  if (tag["Value"].string_or({}).size() > 256 * 4)
    return refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters");
  return {};
}

Result<void> check_count(const json::Value& tags) {
  if (tags.size() > tag_limit) return refuse("TagLimitExceeded", "More than 50 tags specified");
  return {};
}

// Changes the tags of one resource, or of one rule within its security group.
Result<void> change(Request& request, const std::string& id, const std::function<Result<void>(json::Value&)>& work) {
  if (is_id(id, "sgr-")) {
    Document holder;
    request.state.each(scope(request, "security-group"), {}, {}, [&](std::string_view, const Document& group) {
      if (!group) return true;
      for (const json::Value& rule : (*group)["Rules"].as_array())
        if (rule["SecurityGroupRuleId"].string_or({}) == id) holder = group;
      return !holder;
    });
    if (!holder)
      return refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '" + id + "' does not exist");
    json::Value group = *holder;
    for (json::Value& rule : group.as_object().find("Rules")->as_array())
      if (rule["SecurityGroupRuleId"].string_or({}) == id) {
        FIXPOINT_CHECK(work(rule));
      }
    const std::string group_id(group["GroupId"].string_or({}));
    request.state.put(scope(request, "security-group"), group_id, std::move(group));
    return {};
  }
  const Kind* kind = kind_of(id);
  if (kind == nullptr) return refuse("InvalidID", "The ID '" + id + "' is not valid");
  const Document found = request.state.get(scope(request, kind->type), id);
  if (!found)
    return refuse(std::string(kind->missing_code), "The " + std::string(kind->noun) + " '" + id + "' does not exist");
  json::Value body = *found;
  FIXPOINT_CHECK(work(body));
  request.state.put(scope(request, kind->type), id, std::move(body));
  return {};
}

// How much is asked in one call: every tag is held against those of every resource.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
Result<void> check_resources(const json::Value& resources) {
  if (resources.size() > resources_a_call)
    return refuse("InvalidParameterValue", "More than 1000 resources specified: a call takes up to 1000 resource IDs");
  return {};
}

Reply create_tags(Request& request) {
  default_vpc(request);
  const json::Value& resources = request.input["Resources"];
  if (request.input["Tags"].size() == 0)
    return refuse("MissingParameter", "The request must contain the parameter tags");
  FIXPOINT_CHECK(check_resources(resources));
  for (std::size_t i = 0; i < resources.size(); ++i)
    FIXPOINT_CHECK(change(request, std::string(resources[i].string_or({})),
                          [&](json::Value& body) { return merge_tags(body, request.input["Tags"]); }));
  return empty();
}

// Without tags all are taken away; a tag without value goes whatever its value is.
Reply delete_tags(Request& request) {
  default_vpc(request);
  const json::Value& resources = request.input["Resources"];
  const json::Value& wanted = request.input["Tags"];
  FIXPOINT_CHECK(check_resources(resources));
  FIXPOINT_CHECK(check_count(wanted));
  for (std::size_t i = 0; i < resources.size(); ++i) {
    FIXPOINT_CHECK(change(request, std::string(resources[i].string_or({})), [&](json::Value& body) -> Result<void> {
      json::Value* tags = body.as_object().find("Tags");
      if (tags == nullptr || !tags->is_array()) return {};
      std::erase_if(tags->as_array(), [&](const json::Value& tag) {
        if (wanted.size() == 0) return tag["Key"].string_or({}).substr(0, 4) != "aws:";
        return std::any_of(wanted.as_array().begin(), wanted.as_array().end(), [&](const json::Value& one) {
          return one["Key"] == tag["Key"] && (one["Value"].is_null() || one["Value"] == tag["Value"]);
        });
      });
      if (tags->as_array().empty()) body.as_object().erase("Tags");
      return {};
    }));
  }
  return empty();
}

std::optional<std::vector<std::string>> filter_values(std::string_view name, const json::Value& it) {
  static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"key", "Key"}, {"value", "Value"}, {"resource-id", "ResourceId"}, {"resource-type", "ResourceType"}};
  for (const auto& [filter, member] : known)
    if (name == filter) return std::vector<std::string>{std::string(it[member].string_or({}))};
  return {};
}

Reply describe_tags(Request& request) {
  default_vpc(request);
  const json::Value& filters = request.input["Filters"];
  FIXPOINT_CHECK(passes(filters, json::Object(), filter_values));
  json::Array items;
  Result<void> done;
  const auto take = [&](std::string_view type, std::string_view id, const json::Value& tags) {
    for (std::size_t i = 0; i < tags.size() && done; ++i) {
      json::Value item = json::Object{
          {"ResourceId", id}, {"ResourceType", type}, {"Key", tags[i]["Key"]}, {"Value", tags[i]["Value"]}};
      auto fits = passes(filters, item, filter_values);
      if (!fits)
        done = fail(std::move(fits.error()));
      else if (*fits)
        items.push_back(std::move(item));
    }
  };
  for (const Kind& kind : kinds)
    request.state.each(scope(request, kind.type), {}, {}, [&](std::string_view id, const Document& body) {
      if (!body) return true;
      take(kind.type, id, (*body)["Tags"]);
      const json::Value& rules = (*body)["Rules"];
      for (std::size_t i = 0; i < rules.size(); ++i)
        take("security-group-rule", rules[i]["SecurityGroupRuleId"].string_or({}), rules[i]["Tags"]);
      return bool(done);
    });
  FIXPOINT_CHECK(done);
  FIXPOINT_TRY(position, page_position(request.text("NextToken"), "InvalidNextToken",
                                       "The token '" + std::string(request.text("NextToken")) + "' is invalid"));
  const auto start = static_cast<std::size_t>(std::strtoull(position.c_str(), nullptr, 10));
  const auto most =
      static_cast<std::size_t>(std::clamp<std::int64_t>(request.input["MaxResults"].int_or(1000), 1, 1000));
  json::Object out;
  json::Array page;
  for (std::size_t i = start; i < items.size() && page.size() < most; ++i) page.push_back(std::move(items[i]));
  if (start + page.size() < items.size()) out.set("NextToken", page_token(std::to_string(start + page.size())));
  out.set("Tags", std::move(page));
  return out;
}

}  // namespace

Result<json::Value> new_tags(const Request& request, std::string_view type) {
  json::Value holder = json::Object();
  const json::Value& specifications = request.input["TagSpecifications"];
  for (std::size_t i = 0; i < specifications.size(); ++i) {
    const std::string_view of = specifications[i]["ResourceType"].string_or({});
    if (of != type)
      return refuse("InvalidParameterValue",
                    "'" + std::string(of) + "' is not a valid taggable resource type for this operation.");
    FIXPOINT_CHECK(merge_tags(holder, specifications[i]["Tags"]));
  }
  const json::Value& tags = holder["Tags"];
  return tags.is_array() ? tags : json::Value(json::Array());
}

Result<void> merge_tags(json::Value& resource, const json::Value& tags) {
  json::Value merged = resource["Tags"];
  if (!merged.is_array()) merged = json::Array();
  FIXPOINT_CHECK(check_count(tags));
  for (std::size_t i = 0; i < tags.size(); ++i) {
    FIXPOINT_CHECK(check_tag(tags[i]));
    json::Value tag = json::Object{{"Key", tags[i]["Key"]}, {"Value", tags[i]["Value"].string_or({})}};
    auto& list = merged.as_array();
    const auto old =
        std::find_if(list.begin(), list.end(), [&](const json::Value& there) { return there["Key"] == tag["Key"]; });
    if (old == list.end())
      list.push_back(std::move(tag));
    else
      *old = std::move(tag);
  }
  FIXPOINT_CHECK(check_count(merged));
  if (merged.size() > 0) resource.set("Tags", std::move(merged));
  return {};
}

void add_tags(Table& table) {
  table.changes("CreateTags", create_tags);
  table.changes("DeleteTags", delete_tags);
  table.reads("DescribeTags", describe_tags);
}

}  // namespace fixpoint::sandbox::ec2
