#include <algorithm>
#include <vector>

#include "base/arn.h"
#include "base/text.h"
#include "sandbox/paging.h"
#include "sandbox/rds.h"

namespace fixpoint::sandbox::rds {
namespace {

// A filter and the member that it looks at; one with an `arn_part` takes ARNs as well as identifiers.
struct Filter {
  std::string_view name;
  std::string_view member;
  std::string_view arn_part = {};
};

struct Kind {
  std::string_view type;
  std::string_view id_member;
  std::string_view into;
  std::string_view arn_part;
  std::string_view missing;
  std::string_view noun;
  std::vector<Filter> filters;
};

// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html and its three siblings
const Kind& kind_of(std::string_view operation) {
  static const Kind kinds[] = {{"instance",
                                "DBInstanceIdentifier",
                                "DBInstances",
                                "db:",
                                "DBInstanceNotFound",
                                "DBInstance ",
                                {{"db-cluster-id", "DBClusterIdentifier", "cluster:"},
                                 {"db-instance-id", "DBInstanceIdentifier", "db:"},
                                 {"dbi-resource-id", "DbiResourceId"},
                                 {"domain", "Domain"},
                                 {"engine", "Engine"}}},
                               {"cluster",
                                "DBClusterIdentifier",
                                "DBClusters",
                                "cluster:",
                                "DBClusterNotFoundFault",
                                "DBCluster ",
                                {{"clone-group-id", "CloneGroupId"},
                                 {"db-cluster-id", "DBClusterIdentifier", "cluster:"},
                                 {"db-cluster-resource-id", "DbClusterResourceId"},
                                 {"domain", "Domain"},
                                 {"engine", "Engine"}}},
                               {"snapshot",
                                "DBSnapshotIdentifier",
                                "DBSnapshots",
                                "snapshot:",
                                "DBSnapshotNotFound",
                                "DBSnapshot ",
                                {{"db-instance-id", "DBInstanceIdentifier", "db:"},
                                 {"db-snapshot-id", "DBSnapshotIdentifier", "snapshot:"},
                                 {"dbi-resource-id", "DbiResourceId"},
                                 {"snapshot-type", "SnapshotType"},
                                 {"engine", "Engine"}}},
                               {"cluster_snapshot",
                                "DBClusterSnapshotIdentifier",
                                "DBClusterSnapshots",
                                "cluster-snapshot:",
                                "DBClusterSnapshotNotFoundFault",
                                "DBClusterSnapshot ",
                                {{"db-cluster-id", "DBClusterIdentifier", "cluster:"},
                                 {"db-cluster-snapshot-id", "DBClusterSnapshotIdentifier", "cluster-snapshot:"},
                                 {"snapshot-type", "SnapshotType"},
                                 {"engine", "Engine"}}}};
  for (const Kind& kind : kinds)
    if (operation.substr(8) == kind.into) return kind;
  return kinds[0];
}

// The identifier in small letters that a text or an ARN names; an ARN of elsewhere names nothing here.
std::string id_in(const Request& request, std::string_view text, std::string_view arn_part) {
  if (text.substr(0, 4) != "arn:" || arn_part.empty()) return to_lower(text);
  const auto arn = parse_arn(text);
  if (!arn || arn->account != request.context.account || arn->region != request.context.region ||
      !std::string_view(arn->resource).starts_with(arn_part))
    return to_lower(text);
  return to_lower(arn->resource.substr(arn_part.size()));
}

Result<void> check_filters(const Request& request, const Kind& kind) {
  const json::Value& filters = request.input["Filters"];
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const std::string_view name = filters[i]["Name"].string_or({});
    if (std::none_of(kind.filters.begin(), kind.filters.end(), [&](const Filter& one) { return one.name == name; }))
      return refuse("InvalidParameterValue", 400, "Unrecognized filter name: " + std::string(name));
  }
  return {};
}

bool passes_filters(const Request& request, const Kind& kind, const json::Value& body) {
  const json::Value& filters = request.input["Filters"];
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const Filter& filter = *std::find_if(kind.filters.begin(), kind.filters.end(), [&](const Filter& one) {
      return filters[i]["Name"].string_or({}) == one.name;
    });
    const std::string_view there = body[filter.member].string_or({});
    const json::Value& values = filters[i]["Values"];
    bool fits = false;
    for (std::size_t n = 0; n < values.size() && !fits; ++n) {
      const std::string_view value = values[n].string_or({});
      fits = !there.empty() && (value == there || id_in(request, value, filter.arn_part) == there);
    }
    if (!fits) return false;
  }
  return true;
}

// Snapshots are also asked for by what they were taken of and by their type. `public` are those that everybody may
// restore; snapshots of other accounts are out of sight.
bool passes_members(const Request& request, const json::Value& body) {
  for (const auto member : {"DBInstanceIdentifier", "DBClusterIdentifier", "DbiResourceId"}) {
    const std::string_view wanted = request.text(member);
    const std::string_view arn_part = std::string_view(member) == "DBInstanceIdentifier" ? "db:" : "cluster:";
    if (!wanted.empty() && body[member].string_or({}) != wanted &&
        body[member].string_or({}) != id_in(request, wanted, arn_part))
      return false;
  }
  const std::string_view type = request.text("SnapshotType");
  if (type != "public") return type.empty() || body["SnapshotType"].string_or({}) == type;
  const json::Value& restorers = body["Restore"];
  for (std::size_t i = 0; i < restorers.size(); ++i)
    if (restorers[i].string_or({}) == "all") return true;
  return false;
}

json::Value shown(const json::Value& body) {
  json::Object out = body.as_object();
  out.erase("Restore");
  return out;
}

Reply describe(Request& request) {
  const Kind& kind = kind_of(request.operation);
  FIXPOINT_CHECK(check_filters(request, kind));
  const Scope scope = request.regional("rds", kind.type);
  json::Object out;
  json::Array items;
  const auto fits = [&](const json::Value& body) {
    return passes_members(request, body) && passes_filters(request, kind, body);
  };
  if (const std::string_view name = request.text(kind.id_member); !name.empty()) {
    const std::string id = id_in(request, name, kind.arn_part);
    const Document found = request.state.get(scope, id);
    if (!found) return refuse(kind.missing, 404, std::string(kind.noun) + id + " not found.");
    // The name of an instance or a cluster is one of passes_members's too, and fits.
    if (fits(*found)) items.push_back(shown(*found));
    out.set(kind.into, std::move(items));
    return out;
  }
  const std::int64_t most = request.input["MaxRecords"].int_or(100);
  if (most < 20 || most > 100)
    return refuse("InvalidParameterValue", 400,
                  "Invalid value " + std::to_string(most) + " for MaxRecords. Must be between 20 and 100");
  FIXPOINT_TRY(after,
               page_position(request.text("Marker"), "InvalidParameterValue", "The request Marker is not valid."));
  std::string last;
  request.state.each(scope, {}, after, [&](std::string_view id, const Document& body) {
    if (!body || !fits(*body)) return true;
    if (static_cast<std::int64_t>(items.size()) == most) {
      out.set("Marker", page_token(last));
      return false;
    }
    items.push_back(shown(*body));
    last = id;
    return true;
  });
  out.set(kind.into, std::move(items));
  return out;
}

}  // namespace

void add_describe(Operations& table) {
  for (const auto name :
       {"DescribeDBInstances", "DescribeDBClusters", "DescribeDBSnapshots", "DescribeDBClusterSnapshots"})
    table.reads(name, describe);
}

}  // namespace fixpoint::sandbox::rds
