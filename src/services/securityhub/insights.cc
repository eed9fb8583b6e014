#include "services/securityhub/insights.h"

#include <string_view>
#include <unordered_set>

#include "base/id.h"

namespace fixpoint::services::hub {
namespace {

using json::Value;

constexpr const char* kind = "insight";
constexpr std::size_t most_insights =
    100;  // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub_limits.html
constexpr std::size_t most_values = 100;

Error none(const std::string& arn) {
  return errors::resource_not_found("no insight has the ARN '" + arn + "'", "InsightArn");
}

Result<void> check(const Value& insight, TimeMs now_ms) {
  if (insight["Name"].string_or("").empty()) return fail(errors::invalid_input("Name must not be empty", "Name"));
  FIXPOINT_CHECK(findings::Filters::compile(insight["Filters"], now_ms));
  return findings::FindingStore::can_count_by(insight["GroupByAttribute"].string_or(""));
}

}  // namespace

Result<Insights::Result_> Insights::results(const aws::Caller& caller, const std::string& arn) {
  FIXPOINT_TRY(
      found, records_.store().read([&](store::Session& session) { return records_.get(session, kind, caller, arn); }));
  if (!found) return fail(none(arn));
  FIXPOINT_TRY(filters, findings::Filters::compile(found->body["Filters"], records_.clock().now_ms()));
  Result_ out{
      std::string(found->body["Name"].string_or("")), std::string(found->body["GroupByAttribute"].string_or("")), {}};
  FIXPOINT_TRY(values, findings_.count_by(filters, out.attribute, most_values));
  out.values = std::move(values);
  return out;
}

void Insights::add_to(aws::ServiceTable& table) {
  table.add("CreateInsight", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(check(input, records_.clock().now_ms()));
    const std::string arn = hub_arn(caller, "insight/" + caller.account + "/custom/" + random_uuid());
    FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_TRY(there, records_.list(tx, kind, caller));
      if (there.size() >= most_insights)
        return fail(errors::coded("LimitExceededException", "an account has at most 100 insights", 429));
      return records_.put(tx, kind, caller, arn, input);
    }));
    return Value(json::Object{{"InsightArn", arn}});
  });
  table.add("UpdateInsight", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["InsightArn"].string_or(""));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(found, records_.get(tx, kind, caller, arn));
      if (!found) return fail(none(arn));
      for (const auto* member : {"Name", "Filters", "GroupByAttribute"})
        if (const Value* value = input.find(member)) found->body.set(member, *value);
      FIXPOINT_CHECK(check(found->body, records_.clock().now_ms()));
      FIXPOINT_CHECK(records_.put(tx, kind, caller, arn, found->body));
      return Value(json::Object());
    });
  });
  table.add("DeleteInsight", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["InsightArn"].string_or(""));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(removed, records_.remove(tx, kind, caller, arn));
      if (!removed) return fail(none(arn));
      FIXPOINT_CHECK(records_.remove(tx, tag_kind, caller, arn));
      return Value(json::Object{{"InsightArn", arn}});
    });
  });
  table.add_quick("GetInsights", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(records,
                 records_.store().read([&](store::Session& session) { return records_.list(session, kind, caller); }));
    json::Array items;
    const Value& wanted = input["InsightArns"];
    std::unordered_set<std::string_view> there, asked;
    for (const Record& record : records) there.insert(record.id);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const std::string_view arn = wanted[i].string_or("");
      if (!there.contains(arn)) return fail(none(std::string(arn)));
      asked.insert(arn);
    }
    for (const Record& record : records) {
      if (!asked.empty() && !asked.contains(record.id)) continue;
      items.emplace_back(json::Object{{"InsightArn", record.id},
                                      {"Name", record.body["Name"]},
                                      {"Filters", record.body["Filters"]},
                                      {"GroupByAttribute", record.body["GroupByAttribute"]}});
    }
    return page_of(items, input, "Insights");
  });
  table.add("GetInsightResults", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["InsightArn"].string_or(""));
    FIXPOINT_TRY(found, results(caller, arn));
    json::Array values;
    for (const auto& [value, count] : found.values)
      values.emplace_back(json::Object{{"GroupByAttributeValue", value}, {"Count", count}});
    return Value(json::Object{{"InsightResults", json::Object{{"InsightArn", arn},
                                                              {"GroupByAttribute", found.attribute},
                                                              {"ResultValues", std::move(values)}}}});
  });
}

}  // namespace fixpoint::services::hub
