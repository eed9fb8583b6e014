#include "services/securityhub/hub_v2.h"

#include <algorithm>
#include <tuple>

#include "base/id.h"
#include "findings/shown.h"

namespace fixpoint::services::hub {
namespace {

using json::Value;

constexpr const char* kind = "hub-v2";
constexpr const char* id = "default";
constexpr std::size_t findings_a_call = 100;
constexpr std::size_t rules_a_call = 5;  // API_GetFindingStatisticsV2: "up to 5 groupBy fields in a single call"
constexpr std::int64_t most_statistics = 400;

// The V2 operations know ValidationException where the older ones say InvalidInputException.
Error in_words_of_v2(Error error) {
  if (error.code == "InvalidInputException") error.code = "ValidationException";
  return error;
}

// "Only the delegated administrator account can use this parameter. Other accounts receive an AccessDeniedException."
Result<void> no_scopes(const Value& input) {
  if (input["Scopes"].is_null()) return {};
  return fail(errors::access_denied(
      "Scopes is for the delegated administrator of an organization, and there is no organization here", "Scopes"));
}

Result<std::int64_t> limit_of(const Value& input, const char* member, std::int64_t most) {
  const std::int64_t limit = input[member].int_or(most);
  if (limit >= 1 && limit <= most) return limit;
  return fail(errors::validation(
      std::string(member) + " is " + std::to_string(limit) + "; it has to be 1 to " + std::to_string(most), member));
}

}  // namespace

Result<bool> HubV2::is_on(store::Session& session, const std::string& account, const std::string& region) {
  FIXPOINT_TRY(found, records_.get(session, kind, {account, region, {}, {}, nullptr}, id));
  return found.has_value();
}

Result<void> HubV2::must_be_on(const aws::Caller& caller) {
  FIXPOINT_TRY(on, records_.store().read(
                       [&](store::Session& session) { return is_on(session, caller.account, caller.region); }));
  if (on) return {};
  return fail(errors::access_denied("Account " + caller.account + " has not enabled Security Hub V2 in " +
                                    caller.region + "; EnableSecurityHubV2 does"));
}

void HubV2::add_to(aws::ServiceTable& table) {
  add_switches(table);
  const auto add = [&](const char* name, auto function) {
    table.add(name, [this, function](const aws::Caller& caller, const Value& input) -> Result<Value> {
      FIXPOINT_CHECK(must_be_on(caller));
      auto answer = function(caller, input);
      if (!answer) return fail(in_words_of_v2(std::move(answer.error())));
      return answer;
    });
  };
  add("GetFindingsV2", [this](const aws::Caller&, const Value& input) { return get_findings(input); });
  add("BatchUpdateFindingsV2",
      [this](const aws::Caller& caller, const Value& input) { return batch_update(caller, input); });
  add("GetFindingStatisticsV2", [this](const aws::Caller&, const Value& input) { return statistics(input); });
}

void HubV2::add_switches(aws::ServiceTable& table) {
  // Enabling what is on is no error in the model: it answers with the hub that there is.
  table.add("EnableSecurityHubV2", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(there, records_.get(tx, kind, caller, id));
      const std::string arn =
          there ? std::string(there->body["HubV2Arn"].string_or("")) : hub_arn(caller, "hubv2/" + random_uuid());
      if (!there) FIXPOINT_CHECK(records_.put(tx, kind, caller, id, json::Object{{"HubV2Arn", arn}}));
      FIXPOINT_CHECK(add_tags(records_, tx, caller, arn, input["Tags"]));
      return Value(json::Object{{"HubV2Arn", arn}});
    });
  });
  table.add("DisableSecurityHubV2", [this](const aws::Caller& caller, const Value&) -> Result<Value> {
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(there, records_.get(tx, kind, caller, id));
      if (there) {
        const std::string arn(there->body["HubV2Arn"].string_or(""));
        FIXPOINT_CHECK(records_.remove(tx, tag_kind, caller, arn));
        FIXPOINT_CHECK(records_.remove(tx, kind, caller, id));
      }
      return Value(json::Object());
    });
  });
  table.add_quick("DescribeSecurityHubV2", [this](const aws::Caller& caller, const Value&) -> Result<Value> {
    FIXPOINT_TRY(
        there, records_.store().read([&](store::Session& session) { return records_.get(session, kind, caller, id); }));
    if (!there)
      return fail(errors::resource_not_found("Security Hub V2 is not enabled for the account " + caller.account +
                                             " in " + caller.region));
    return Value(
        json::Object{{"HubV2Arn", there->body["HubV2Arn"]}, {"SubscribedAt", format_iso8601_ms(there->made_ms)}});
  });
}

Result<Value> HubV2::get_findings(const Value& input) {
  FIXPOINT_CHECK(no_scopes(input));
  FIXPOINT_TRY(filters, findings::OcsfFilters::compile(input["Filters"], records_.clock().now_ms()));
  FIXPOINT_TRY(sort, findings::ocsf_sort_keys(input["SortCriteria"]));
  FIXPOINT_TRY(limit, limit_of(input, "MaxResults", 100));
  FIXPOINT_TRY(page, findings_.find(filters, sort, static_cast<std::size_t>(limit),
                                    std::string(input["NextToken"].string_or(""))));
  Value out;
  out.set("Findings", json::Array(std::move(page.findings)));
  if (!page.next_token.empty()) out.set("NextToken", page.next_token);
  return out;
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindingsV2.html
Result<Value> HubV2::batch_update(const aws::Caller& caller, const Value& input) {
  const Value& uids = input["MetadataUids"];
  const Value& identifiers = input["FindingIdentifiers"];
  if ((uids.size() == 0) == (identifiers.size() == 0))
    return fail(errors::validation("either MetadataUids or FindingIdentifiers has to name findings, and not both",
                                   "MetadataUids"));
  const bool by_uid = uids.size() > 0;
  const Value& named = by_uid ? uids : identifiers;
  if (named.size() > findings_a_call)
    return fail(errors::validation(std::string(by_uid ? "MetadataUids" : "FindingIdentifiers") + " has " +
                                       std::to_string(named.size()) + " entries; 1 to 100 are taken in one call",
                                   by_uid ? "MetadataUids" : "FindingIdentifiers"));
  FIXPOINT_TRY(update, findings::OcsfUpdate::read(input));
  return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
    json::Array processed, unprocessed;
    for (const Value& one : named.as_array()) {
      const std::string uid(one.string_or(""));
      FIXPOINT_TRY(key, by_uid ? findings_.find_uid(tx, uid)
                               : findings_.find_ocsf(tx, one["CloudAccountUid"].string_or(""),
                                                     one["FindingInfoUid"].string_or(""),
                                                     one["MetadataProductUid"].string_or("")));
      json::Object line;
      if (by_uid)
        line.set("MetadataUid", uid);
      else
        line.set("FindingIdentifier", one);
      if (!key) {
        const std::string what = by_uid ? "metadata.uid " + findings::shown(uid)
                                        : "finding_info.uid " + findings::shown(one["FindingInfoUid"].string_or("")) +
                                              " in that account and of that product";
        line.set("ErrorCode", "ResourceNotFoundException");
        line.set("ErrorMessage", "no finding has the " + what);
        unprocessed.emplace_back(std::move(line));
        continue;
      }
      FIXPOINT_CHECK(update_(tx, caller, *key, update));
      // Both names of what was updated, as it stands now.
      FIXPOINT_TRY(now, findings_.get_ocsf(tx, *key));
      if (now) {
        line.set("MetadataUid", (*now)["metadata"]["uid"]);
        line.set("FindingIdentifier", json::Object{{"CloudAccountUid", (*now)["cloud"]["account"]["uid"]},
                                                   {"FindingInfoUid", (*now)["finding_info"]["uid"]},
                                                   {"MetadataProductUid", (*now)["metadata"]["product"]["uid"]}});
      }
      processed.emplace_back(std::move(line));
    }
    return Value(json::Object{{"ProcessedFindings", processed}, {"UnprocessedFindings", unprocessed}});
  });
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindingStatisticsV2.html
Result<Value> HubV2::statistics(const Value& input) {
  FIXPOINT_CHECK(no_scopes(input));
  const Value& rules = input["GroupByRules"];
  if (rules.size() == 0 || rules.size() > rules_a_call)
    return fail(errors::validation(
        "GroupByRules has " + std::to_string(rules.size()) + " rules; 1 to 5 are taken in one call", "GroupByRules"));
  const std::string_view order = input["SortOrder"].string_or(input["SortOrder"].is_null() ? "desc" : "");
  if (order != "asc" && order != "desc")
    return fail(errors::validation("SortOrder has to be asc or desc", "SortOrder"));
  FIXPOINT_TRY(limit, limit_of(input, "MaxStatisticResults", most_statistics));
  json::Array results;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string where = "GroupByRules[" + std::to_string(i) + "]";
    const std::string name(rules[i]["GroupByField"].string_or(""));
    const auto* field = findings::find_ocsf_field(name, findings::OcsfField::Kind::Text);
    if (field == nullptr)
      return fail(errors::validation(where + ".GroupByField is " + findings::shown(name) +
                                         "; findings are grouped by a text field of OCSF such as severity or "
                                         "resources.type",
                                     where + ".GroupByField"));
    auto filters = findings::OcsfFilters::compile(rules[i]["Filters"], records_.clock().now_ms());
    if (!filters) {
      filters.error().message = where + "." + filters.error().message;
      filters.error().where = where + "." + filters.error().where;
      return fail(std::move(filters.error()));
    }
    FIXPOINT_TRY(counts, findings_.count_by(*filters, *field));
    std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
    std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
      return order == "desc" ? std::tie(b.second, a.first) < std::tie(a.second, b.first)
                             : std::tie(a.second, a.first) < std::tie(b.second, b.first);
    });
    if (sorted.size() > static_cast<std::size_t>(limit)) sorted.resize(static_cast<std::size_t>(limit));
    json::Array values;
    for (const auto& [value, count] : sorted)
      values.emplace_back(json::Object{{"FieldValue", value}, {"Count", count}});
    results.emplace_back(json::Object{{"GroupByField", name}, {"GroupByValues", std::move(values)}});
  }
  return Value(json::Object{{"GroupByResults", std::move(results)}});
}

}  // namespace fixpoint::services::hub
