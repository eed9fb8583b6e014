#include <algorithm>
#include <functional>

#include "base/arn.h"
#include "base/text.h"
#include "sandbox/item_list.h"
#include "sandbox/rds.h"

namespace fixpoint::sandbox::rds {
namespace {

struct Kind {
  std::string_view prefix;  // of the ARN's resource
  std::string_view type;
  std::string_view missing;
  std::string_view noun;
};
constexpr Kind kinds[] = {
    {"db:", "instance", "DBInstanceNotFound", "DBInstance "},
    {"cluster:", "cluster", "DBClusterNotFoundFault", "DBCluster "},
    {"snapshot:", "snapshot", "DBSnapshotNotFound", "DBSnapshot "},
    {"cluster-snapshot:", "cluster_snapshot", "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot "},
};

struct Found {
  Scope scope;
  std::string id;
  Document body;
};

// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html
Result<Found> resource_of(Request& request) {
  const std::string name(request.text("ResourceName"));
  const auto arn = parse_arn(name);
  if (!arn || arn->service != "rds" || arn->account != request.context.account)
    return fail(errors::coded("InvalidParameterValue", "Invalid resource name: " + name, 400));
  for (const Kind& kind : kinds) {
    if (!arn->resource.starts_with(kind.prefix)) continue;
    Found found{request.regional("rds", kind.type), to_lower(arn->resource.substr(kind.prefix.size())), {}};
    found.body = request.state.get(found.scope, found.id);
    if (!found.body)
      return fail(errors::coded(std::string(kind.missing), std::string(kind.noun) + found.id + " not found.", 404));
    return found;
  }
  return fail(errors::coded("InvalidParameterValue", "Invalid resource name: " + name, 400));
}

Result<void> check_number(const json::Value& tags) {
  if (tags.size() <= 50) return {};
  return fail(errors::coded("InvalidParameterValue", "The number of tags exceeds the limit of 50.", 400));
}

Reply change(Request& request, const std::function<void(json::Array&)>& work) {
  FIXPOINT_TRY(found, resource_of(request));
  json::Value body = *found.body;
  json::Value tags = body["TagList"];
  if (!tags.is_array()) tags = json::Array();
  work(tags.as_array());
  FIXPOINT_CHECK(check_number(tags));
  body.set("TagList", std::move(tags));
  request.state.put(found.scope, found.id, std::move(body));
  return empty();
}

}  // namespace

void add_tags(Services& services) {
  Operations table("rds", services);
  table.reads("ListTagsForResource", [](Request& request) -> Reply {
    FIXPOINT_TRY(found, resource_of(request));
    const json::Value& tags = (*found.body)["TagList"];
    return json::Object{{"TagList", tags.is_array() ? tags : json::Value(json::Array())}};
  });
  table.changes("AddTagsToResource", [](Request& request) -> Reply {
    FIXPOINT_CHECK(check_number(request.input["Tags"]));
    return change(request, [&](json::Array& tags) {
      json::Array given;
      for (const json::Value& tag : request.input["Tags"].as_array())
        given.push_back(json::Object{{"Key", tag["Key"]}, {"Value", tag["Value"].string_or({})}});
      put_items(tags, std::move(given), "Key");
    });
  });
  table.changes("RemoveTagsFromResource", [](Request& request) {
    return change(request, [&](json::Array& tags) { take_items(tags, request.input["TagKeys"].as_array(), "Key"); });
  });
}

}  // namespace fixpoint::sandbox::rds
