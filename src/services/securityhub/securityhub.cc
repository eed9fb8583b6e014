#include "services/securityhub/securityhub.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "aws/verify.h"
#include "base/arn.h"
#include "base/fault.h"
#include "base/text.h"
#include "findings/timestamp.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr const char* tables = R"sql(
CREATE TABLE action_target (account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (account, region, id)) STRICT;
)sql";

// https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html: "up to 100 findings
// per batch, up to 240 KB per finding, and up to 6 MB per batch"
constexpr std::size_t findings_a_call = 100;
constexpr std::size_t findings_an_action = 20;
constexpr std::size_t bytes_a_call = 6UL * 1024 * 1024;
// BatchImportFindings' code for a finding that is refused:
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ImportFindingsError.html
constexpr const char* invalid_input = "InvalidInput";
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindingsUnprocessedFinding.html
constexpr const char* finding_not_found = "FindingNotFound";
constexpr const char* duplicated_identifier = "DuplicatedFindingIdentifier";

Value key_json(const findings::FindingKey& key) {
  return json::Object{{"Id", key.id}, {"ProductArn", key.product_arn}};
}

std::string product_resource(const Value& finding) {
  return std::string(finding["ProductArn"].string_or("")) + "/" + std::string(finding["Id"].string_or(""));
}

bus::BusName bus_of(const aws::Caller& caller) {
  return {caller.account, caller.region, caller.partition, "default"};
}

bus::Origin origin_of(const aws::Caller& caller) {
  if (!caller.principal) return {};
  return {caller.principal->execution, caller.principal->arn};
}

// "Can contain up to 20 characters." (API_CreateActionTarget)
Result<void> check_action_name(std::string_view name) {
  const auto length = std::count_if(name.begin(), name.end(), [](char c) { return (c & 0xC0) != 0x80; });
  if (length > 20)
    return fail(
        errors::invalid_input("Name has " + std::to_string(length) + " characters; at most 20 are taken", "Name"));
  return {};
}

Error no_finding(const findings::FindingKey& key) {
  return errors::resource_not_found("no finding of the product " + key.product_arn + " has the id '" + key.id + "'");
}

Value action_json(store::Row& row) {
  return json::Object{{"ActionTargetArn", row.text(0)}, {"Name", row.text(1)}, {"Description", row.text(2)}};
}

// Who may import: the product of the caller's own account, or a product that AWS or a partner owns (their ARNs carry no
// account of ours). https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
Result<void> may_import(const aws::Caller& caller, const Value& finding) {
  const std::string_view account = finding["AwsAccountId"].string_or("");
  const auto product = parse_arn(finding["ProductArn"].string_or(""));
  // An account's own product names it twice: arn:aws:securityhub:REGION:ACCOUNT:product/ACCOUNT/default.
  if (product && !product->account.empty()) {
    const auto parts = split(product->resource, '/');
    const bool of_an_account =
        parts.size() > 1 && parts[1].size() == 12 && parts[1].find_first_not_of("0123456789") == std::string_view::npos;
    if (of_an_account && parts[1] != product->account)
      return fail(errors::coded("InvalidAccess", "ProductArn is of the account '" + product->account +
                                                     "' and names the product of '" + std::string(parts[1]) +
                                                     "'; an account's own product is product/" + product->account +
                                                     "/default"));
  }
  if (account == caller.account && product && !product->account.empty() && product->account != caller.account)
    return fail(errors::coded("InvalidAccess", "ProductArn is of the account '" + product->account +
                                                   "', the caller's is '" + caller.account +
                                                   "'; a finding is imported by its own account's product"));
  if (account == caller.account) return {};
  return fail(errors::coded("InvalidAccess", "AwsAccountId is '" + std::string(account) +
                                                 "', the caller's account is '" + caller.account +
                                                 "'; a finding is imported by its own account"));
}

}  // namespace

store::Schema SecurityHub::schema() {
  return {"securityhub", {tables, hub::Records::tables()}};
}

aws::ServiceTable SecurityHub::table() {
  aws::ServiceTable table;
  table.service = "securityhub";
  table.add("BatchImportFindings",
            [this](const auto& caller, const auto& input) { return batch_import(caller, input); });
  // A finding that is not valid fails alone (FailedFindings), the others are taken in.
  table.operations["BatchImportFindings"].validates = true;
  table.add("GetFindings", [this](const auto& caller, const auto& input) { return get_findings(caller, input); });
  table.add("GetFindingHistory",
            [this](const auto& caller, const auto& input) { return finding_history(caller, input); });
  table.add("BatchUpdateFindings",
            [this](const auto& caller, const auto& input) { return batch_update(caller, input); });
  table.add("CreateActionTarget",
            [this](const auto& caller, const auto& input) { return create_action(caller, input); });
  table.add_quick("DescribeActionTargets",
                  [this](const auto& caller, const auto& input) { return describe_actions(caller, input); });
  table.add("DeleteActionTarget",
            [this](const auto& caller, const auto& input) { return delete_action(caller, input); });
  table.add("UpdateActionTarget",
            [this](const auto& caller, const auto& input) { return update_action(caller, input); });
  table.add("UpdateFindings", [this](const auto& caller, const auto& input) { return update_findings(caller, input); });
  automation_.add_to(table);
  insights_.add_to(table);
  standards_.add_to(table);
  hub_.add_to(table, standards_);
  hub_.guard(table);  // V2 has a switch of its own
  hub_v2_.add_to(table);
  return table;
}

SecurityHub::Ready SecurityHub::ready(Value finding, Value original) {
  Ready out{findings_.prepare(std::move(finding), std::move(original)), std::nullopt};
  out.event = match_imported(out.finding.finding);
  return out;
}

// Stores them and puts an event on the bus for each that is new or changed.
Result<SecurityHub::Taken> SecurityHub::import_some(store::Transaction& tx, std::vector<Ready>& list,
                                                    const bus::Origin& origin) {
  std::vector<const findings::Prepared*> prepared;
  prepared.reserve(list.size());
  for (const Ready& one : list) prepared.push_back(&one.finding);
  FIXPOINT_TRY(outcomes, findings_.import(tx, prepared));
  Taken taken;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const findings::Outcome& outcome = outcomes[i];
    taken.created += outcome.created ? 1 : 0;
    taken.ignored += outcome.ignored ? 1 : 0;
    if (outcome.ignored) continue;
    const Value& imported = outcome.finding ? *outcome.finding : list[i].finding.finding;
    // Automation rules come before the event, which tells of what they left.
    FIXPOINT_TRY(changed, automation_.apply(tx, imported));
    if (changed)
      FIXPOINT_CHECK(publish_imported(tx, *changed, origin));
    else if (outcome.finding || !list[i].event)
      FIXPOINT_CHECK(publish_imported(tx, imported, origin));
    else
      FIXPOINT_CHECK(publish_imported(tx, imported, std::move(*list[i].event), origin));
  }
  fault_point("import.in_commit");
  return taken;
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
Value SecurityHub::imported_event(const bus::Bus& bus, const Value& finding) {
  const std::string region(finding["Region"].string_or(""));
  const bus::BusName name{std::string(finding["AwsAccountId"].string_or("")), region,
                          std::string(partition_of_region(region)), "default"};
  return bus.make_event(name, "aws.securityhub", "Security Hub Findings - Imported",
                        json::array_of(product_resource(finding)), json::Object{{"findings", json::array_of(finding)}});
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html
Value SecurityHub::imported_event_v2(const bus::Bus& bus, const Value& ocsf) {
  const std::string region(ocsf["cloud"]["region"].string_or(""));
  const bus::BusName name{std::string(ocsf["cloud"]["account"]["uid"].string_or("")), region,
                          std::string(partition_of_region(region)), "default"};
  return bus.make_event(name, "aws.securityhub", "Findings Imported V2", json::Array{ocsf["metadata"]["uid"]},
                        json::Object{{"findings", json::Array{ocsf}}});
}

Result<bool> SecurityHub::sends_v2(const std::string& account, const std::string& region) {
  return store_.read([&](store::Session& session) { return hub_v2_.is_on(session, account, region); });
}

Result<void> SecurityHub::publish_imported(store::Transaction& tx, const Value& finding, const bus::Origin& origin) {
  const std::string account(finding["AwsAccountId"].string_or(""));
  const std::string region(finding["Region"].string_or(""));
  if (!bus_.listens({account, region})) return {};
  FIXPOINT_CHECK(bus_.publish(tx, imported_event(bus_, finding), "default", origin));
  return publish_v2(tx, finding, origin);
}

std::optional<bus::Bus::Matched> SecurityHub::match_imported(const Value& finding) const {
  const std::string region(finding["Region"].string_or(""));
  const bus::BusName name{std::string(finding["AwsAccountId"].string_or("")), region, "aws", "default"};
  if (!bus_.listens(name)) return std::nullopt;
  auto matched = bus_.match(name, imported_event(bus_, finding));
  if (!matched) return std::nullopt;  // publishing it gives the same error
  return std::move(*matched);
}

Result<void> SecurityHub::publish_imported(store::Transaction& tx, const Value& finding, bus::Bus::Matched event,
                                           const bus::Origin& origin) {
  FIXPOINT_CHECK(bus_.publish(tx, std::move(event), origin));
  return publish_v2(tx, finding, origin);
}

Result<void> SecurityHub::publish_v2(store::Transaction& tx, const Value& finding, const bus::Origin& origin) {
  const std::string account(finding["AwsAccountId"].string_or(""));
  const std::string region(finding["Region"].string_or(""));
  FIXPOINT_TRY(v2, hub_v2_.is_on(tx, account, region));
  if (!v2) return {};
  FIXPOINT_TRY(ocsf, findings_.get_ocsf(tx, findings::key_of(finding)));
  if (!ocsf) return {};
  return bus_.publish(tx, imported_event_v2(bus_, *ocsf), "default", origin);
}

Result<Value> SecurityHub::batch_import(const aws::Caller& caller, const Value& input) {
  const Value& list = input["Findings"];
  if (!list.is_array() || list.size() == 0)
    return fail(errors::invalid_input("Findings has to be an array of 1 to 100 findings", "Findings"));
  if (list.size() > findings_a_call)
    return fail(errors::invalid_input(
        "Findings has " + std::to_string(list.size()) + " entries; at most 100 are taken in one call", "Findings"));
  json::Array failed;
  std::vector<Ready> good;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Value& finding = list[i];
    Result<void> valid = findings::validate_asff(finding);
    if (valid) valid = may_import(caller, finding);
    if (valid) {
      good.push_back(ready(finding));
      bytes += good.back().finding.bytes;
      continue;
    }
    failed.emplace_back(
        json::Object{{"Id", finding["Id"]},
                     {"ErrorCode", valid.error().code == "InvalidAccess" ? "InvalidAccess" : invalid_input},
                     {"ErrorMessage", "Findings[" + std::to_string(i) + "]: " + valid.error().message}});
  }
  if (bytes > bytes_a_call)
    return fail(errors::invalid_input("Findings has " + std::to_string(bytes) + " bytes; at most " +
                                          std::to_string(bytes_a_call) + " are taken in one call",
                                      "Findings"));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(import_some(tx, good, origin_of(caller)));
    return {};
  }));
  fault_point("import.after_commit");
  (void)findings_.tend();  // what is due and fails now is due again later; the findings are in
  return Value(json::Object{{"FailedCount", failed.size()}, {"SuccessCount", good.size()}, {"FailedFindings", failed}});
}

Result<SecurityHub::Taken> SecurityHub::import_all(std::vector<Value> list, const std::string& region,
                                                   std::vector<Value> originals) {
  originals.resize(list.size());
  std::vector<Ready> prepared;
  prepared.reserve(list.size());
  std::map<std::pair<std::string, std::string>, int> keys;
  std::vector<findings::FindingKey> repeated;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto valid = findings::validate_asff(list[i]);
    if (!valid) {
      const std::string_view id = list[i]["Id"].string_or("");
      return fail(errors::invalid_input("finding " + std::to_string(i + 1) +
                                            (id.empty() ? " (without Id)" : " ('" + std::string(id) + "')") + ": " +
                                            valid.error().message,
                                        "findings[" + std::to_string(i) + "]." + valid.error().where));
    }
    Value placed = std::move(list[i]);
    const auto parts = split(placed["ProductArn"].string_or(""), ':');
    if (placed.find("Region") == nullptr && (parts.size() < 4 || parts[3].empty())) placed.set("Region", region);
    prepared.push_back(ready(std::move(placed), std::move(originals[i])));
    const findings::FindingKey& key = prepared.back().finding.key;
    if (++keys[{key.product_arn, key.id}] == 2) repeated.push_back(key);
  }
  FIXPOINT_TRY(taken, store_.write([&](store::Transaction& tx) { return import_some(tx, prepared, {}); }));
  fault_point("import.after_commit");
  (void)findings_.tend();
  taken.repeated = std::move(repeated);
  return std::move(taken);
}

Result<Value> SecurityHub::get_findings(const aws::Caller&, const Value& input) {
  FIXPOINT_TRY(filters, findings::Filters::compile(input["Filters"], clock_.now_ms()));
  std::vector<findings::SortKey> sort;
  for (std::size_t i = 0; i < input["SortCriteria"].size(); ++i) {
    const Value& criterion = input["SortCriteria"][i];
    const std::string_view direction = criterion["SortOrder"].string_or(criterion["SortOrder"].is_null() ? "asc" : "");
    if (direction != "asc" && direction != "desc") {
      const std::string where = "SortCriteria[" + std::to_string(i) + "].SortOrder";
      return fail(errors::invalid_input(where + " has to be asc or desc", where));
    }
    sort.push_back({std::string(criterion["Field"].string_or("")), direction == "desc"});
  }
  const std::int64_t limit = input["MaxResults"].int_or(100);
  if (limit < 1 || limit > 100)
    return fail(
        errors::invalid_input("MaxResults is " + std::to_string(limit) + "; it has to be 1 to 100", "MaxResults"));
  FIXPOINT_TRY(page, findings_.find(filters, sort, static_cast<std::size_t>(limit),
                                    std::string(input["NextToken"].string_or(""))));
  Value out;
  out.set("Findings", json::Array(std::move(page.findings)));
  if (!page.next_token.empty()) out.set("NextToken", page.next_token);
  return out;
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindingHistory.html
Result<Value> SecurityHub::finding_history(const aws::Caller&, const Value& input) {
  const findings::FindingKey key = findings::key_of(input["FindingIdentifier"]);
  const std::int64_t limit = input["MaxResults"].int_or(100);
  if (limit < 1 || limit > 100)
    return fail(
        errors::invalid_input("MaxResults is " + std::to_string(limit) + "; it has to be 1 to 100", "MaxResults"));
  // Timestamps of the model: numbers, or as text in the forms of a finding.
  const auto time = [&](const char* member, TimeMs otherwise) -> Result<TimeMs> {
    const Value& given = input[member];
    if (given.is_null()) return otherwise;
    if (given.is_number()) return static_cast<TimeMs>(std::clamp(given.as_double(), -1e12, 1e12) * 1000);
    const auto parsed = findings::parse_timestamp(given.string_or(""));
    if (!parsed) return fail(errors::invalid_input(std::string(member) + " " + parsed.error().message, member));
    return *parsed;
  };
  FIXPOINT_TRY(from, time("StartTime", 0));
  FIXPOINT_TRY(to, time("EndTime", std::numeric_limits<TimeMs>::max()));
  if (from > to) return fail(errors::invalid_input("StartTime is later than EndTime", "StartTime"));
  FIXPOINT_TRY(page, findings_.history(key, from, to, static_cast<std::size_t>(limit),
                                       std::string(input["NextToken"].string_or(""))));
  json::Array records;
  for (auto& record : page.records)
    records.emplace_back(
        json::Object{{"FindingIdentifier", key_json(key)},
                     {"UpdateTime", static_cast<double>(record.at_ms) / 1000},
                     {"FindingCreated", record.created},
                     {"UpdateSource", json::Object{{"Type", record.source.type}, {"Identity", record.source.identity}}},
                     {"Updates", std::move(record.changes)}});
  Value out{json::Object{{"Records", std::move(records)}}};
  if (!page.next_token.empty()) out.set("NextToken", page.next_token);
  return out;
}

Result<void> SecurityHub::update(store::Transaction& tx, const findings::FindingKey& key, const Value& update,
                                 const std::string& by, const bus::Origin& origin) {
  FIXPOINT_TRY(stored, findings_.update(tx, key, update, by));
  if (!stored) return fail(no_finding(key));
  return publish_imported(tx, stored->finding, {origin.execution, origin.principal.empty() ? by : origin.principal});
}

std::function<Result<void>(store::Transaction&)> SecurityHub::prepare_update(const findings::FindingKey& key,
                                                                             findings::MakeUpdate make,
                                                                             const std::string& by,
                                                                             const bus::Origin& origin) {
  struct Ahead {
    findings::PreparedUpdate update;
    std::optional<bus::Bus::Matched> event;
  };
  const bus::Origin whose{origin.execution, origin.principal.empty() ? by : origin.principal};
  auto prepared = findings_.prepare_update(key, make, by);
  if (!prepared || !*prepared)
    return [this, key, make = std::move(make), by, whose](store::Transaction& tx) -> Result<void> {
      FIXPOINT_TRY(finding, findings_.get(tx, key));
      return update(tx, key, finding ? make(*finding) : Value(json::Object()), by, whose);
    };
  auto ahead = std::make_shared<Ahead>(Ahead{std::move(**prepared), std::nullopt});
  ahead->event = match_imported(ahead->update.finding);
  return [this, ahead, whose](store::Transaction& tx) -> Result<void> {
    const findings::PreparedUpdate& update = ahead->update;
    FIXPOINT_TRY(done, findings_.update(tx, update));
    if (!done.found) return fail(no_finding(update.key));
    if (done.finding || !ahead->event)
      return publish_imported(tx, done.finding ? *done.finding : update.finding, whose);
    return publish_imported(tx, update.finding, std::move(*ahead->event), whose);
  };
}

Result<void> SecurityHub::update_v2(store::Transaction& tx, const aws::Caller& caller, const findings::FindingKey& key,
                                    const findings::OcsfUpdate& update) {
  const bus::Origin origin = origin_of(caller);
  FIXPOINT_TRY(stored, findings_.update(tx, key, update, origin.principal));
  if (!stored) return fail(errors::resource_not_found("no finding has the id '" + key.id + "'"));
  return publish_imported(tx, stored->finding, origin);
}

Result<Value> SecurityHub::batch_update(const aws::Caller& caller, const Value& input) {
  const Value& identifiers = input["FindingIdentifiers"];
  if (identifiers.size() == 0 || identifiers.size() > findings_a_call)
    return fail(errors::invalid_input(
        "FindingIdentifiers has " + std::to_string(identifiers.size()) + " entries; 1 to 100 are taken in one call",
        "FindingIdentifiers"));
  FIXPOINT_CHECK(findings::validate_update(input));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    json::Array processed;
    json::Array unprocessed;
    std::set<std::pair<std::string, std::string>> named;
    for (const Value& identifier : identifiers.as_array()) {
      const findings::FindingKey key = findings::key_of(identifier);
      if (!named.emplace(key.product_arn, key.id).second) {
        unprocessed.emplace_back(
            json::Object{{"FindingIdentifier", key_json(key)},
                         {"ErrorCode", duplicated_identifier},
                         {"ErrorMessage", "FindingIdentifiers names the finding '" + key.id + "' more than once"}});
        continue;
      }
      const bus::Origin origin = origin_of(caller);
      const auto updated = update(tx, key, input, origin.principal, origin);
      if (updated) {
        processed.push_back(key_json(key));
      } else if (updated.error().code == "ResourceNotFoundException") {
        unprocessed.emplace_back(json::Object{{"FindingIdentifier", key_json(key)},
                                              {"ErrorCode", finding_not_found},
                                              {"ErrorMessage", updated.error().message}});
      } else {
        return fail(updated.error());
      }
    }
    return Value(json::Object{{"ProcessedFindings", processed}, {"UnprocessedFindings", unprocessed}});
  });
}

Result<Value> SecurityHub::create_action(const aws::Caller& caller, const Value& input) {
  const std::string id(input["Id"].string_or(""));
  const std::string name(input["Name"].string_or(""));
  const std::string description(input["Description"].string_or(""));
  // https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateActionTarget.html and the console: 20 letters or
  // digits.
  if (id.empty() || id.size() > 20 ||
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos)
    return fail(
        errors::invalid_input("Id is '" + id.substr(0, 40) + "'; it has to be 1 to 20 letters and digits", "Id"));
  if (name.empty() || description.empty())
    return fail(errors::invalid_input("Name and Description must not be empty", name.empty() ? "Name" : "Description"));
  FIXPOINT_CHECK(check_action_name(name));
  const std::string arn =
      "arn:" + caller.partition + ":securityhub:" + caller.region + ":" + caller.account + ":action/custom/" + id;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM action_target WHERE account = ? AND region = ? AND id = ?",
                                {caller.account, caller.region, id}));
    if (!rows.empty())
      return fail(
          errors::coded("ResourceConflictException", "a custom action of the id '" + id + "' exists already", 409));
    FIXPOINT_CHECK(tx.execute("INSERT INTO action_target VALUES (?,?,?,?,?,?)",
                              {caller.account, caller.region, id, arn, name, description}));
    return {};
  }));
  return Value(json::Object{{"ActionTargetArn", arn}});
}

Result<Value> SecurityHub::describe_actions(const aws::Caller& caller, const Value& input) {
  return store_.read([&](store::Session& session) -> Result<Value> {
    FIXPOINT_TRY(
        rows,
        session.query("SELECT arn, name, description FROM action_target WHERE account = ? AND region = ? ORDER BY id",
                      {caller.account, caller.region}));
    json::Array targets;
    const Value& wanted = input["ActionTargetArns"];
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (std::none_of(rows.begin(), rows.end(),
                       [&](const store::Row& row) { return row.text(0) == wanted[i].string_or(""); }))
        return fail(errors::resource_not_found(
            "no custom action has the ARN '" + std::string(wanted[i].string_or("")) + "'", "ActionTargetArns"));
    for (store::Row& row : rows) {
      bool asked = wanted.size() == 0;
      for (std::size_t i = 0; i < wanted.size(); ++i) asked = asked || wanted[i].string_or("") == row.text(0);
      if (asked) targets.push_back(action_json(row));
    }
    return hub::page_of(targets, input, "ActionTargets");
  });
}

Result<Value> SecurityHub::delete_action(const aws::Caller& caller, const Value& input) {
  const std::string arn(input["ActionTargetArn"].string_or(""));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(removed, tx.execute("DELETE FROM action_target WHERE account = ? AND region = ? AND arn = ?",
                                     {caller.account, caller.region, arn}));
    if (removed == 0) return fail(errors::resource_not_found("no custom action has the ARN '" + arn + "'"));
    FIXPOINT_CHECK(records_.remove(tx, hub::tag_kind, caller, arn));  // another of the same id begins without them
    return {};
  }));
  return Value(json::Object{{"ActionTargetArn", arn}});
}

Result<Value> SecurityHub::update_action(const aws::Caller& caller, const Value& input) {
  const std::string arn(input["ActionTargetArn"].string_or(""));
  const auto text = [&](const char* member) -> store::Cell {
    const Value& value = input[member];
    return value.is_string() ? store::Cell(value.as_string()) : store::Cell(nullptr);
  };
  for (const auto* member : {"Name", "Description"})
    if (input[member].is_string() && input[member].as_string().empty())
      return fail(errors::invalid_input(std::string(member) + " must not be empty", member));
  FIXPOINT_CHECK(check_action_name(input["Name"].string_or("")));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(changed, tx.execute("UPDATE action_target SET name = coalesce(?, name), description = coalesce(?, "
                                     "description) WHERE account = ? AND region = ? AND arn = ?",
                                     {text("Name"), text("Description"), caller.account, caller.region, arn}));
    if (changed == 0) return fail(errors::resource_not_found("no custom action has the ARN '" + arn + "'"));
    return {};
  }));
  return Value(json::Object());
}

// The older way to update, of all findings that fit; each batch of a hundred is a transaction.
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_UpdateFindings.html
Result<Value> SecurityHub::update_findings(const aws::Caller& caller, const Value& input) {
  if (input["Note"].is_null() && input["RecordState"].is_null())
    return fail(errors::invalid_input("Note or RecordState has to be given", "Note"));
  FIXPOINT_CHECK(findings::validate_update(input));
  FIXPOINT_TRY(filters, findings::Filters::compile(input["Filters"], clock_.now_ms()));
  json::Object update;
  for (const auto* member : {"Note", "RecordState"})
    if (const Value* value = input.find(member)) update.set(member, *value);
  const bus::Origin origin = origin_of(caller);
  // All keys first: what is updated may no longer fit.
  std::vector<findings::FindingKey> keys;
  std::string token;
  do {
    FIXPOINT_TRY(page, findings_.find(filters, {}, findings_a_call, token));
    for (const Value& finding : page.findings) keys.push_back(findings::key_of(finding));
    token = page.next_token;
  } while (!token.empty());
  for (std::size_t at = 0; at < keys.size(); at += findings_a_call)
    FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
      for (std::size_t i = at; i < std::min(at + findings_a_call, keys.size()); ++i)
        FIXPOINT_CHECK(this->update(tx, keys[i], Value(update), origin.principal, origin));
      return {};
    }));
  return Value(json::Object());
}

Result<Value> SecurityHub::action(store::Session& session, const aws::Caller& caller, const std::string& action) {
  FIXPOINT_TRY(rows,
               session.query("SELECT arn, name, description FROM action_target WHERE account = ? AND region = ? AND "
                             "(id = ? OR name = ? OR arn = ?)",
                             {caller.account, caller.region, action, action, action}));
  if (rows.empty())
    return fail(errors::resource_not_found("there is no custom action '" + action +
                                           "'; 'aws securityhub describe-action-targets' lists them"));
  if (rows.size() > 1)
    return fail(errors::validation("several custom actions are called '" + action + "'; use the id"));
  return action_json(rows[0]);
}

Result<Value> SecurityHub::act(const aws::Caller& caller, const std::string& action,
                               const std::vector<findings::FindingKey>& keys) {
  // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html: the console's events
  // carry up to 20 findings.
  if (keys.empty() || keys.size() > findings_an_action)
    return fail(errors::validation("an action is chosen on 1 to 20 findings, not on " + std::to_string(keys.size())));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(target, this->action(tx, caller, action));
    json::Array chosen;
    for (const auto& key : keys) {
      FIXPOINT_TRY(finding, findings_.get(tx, key));
      if (!finding) return fail(errors::resource_not_found("no finding has the id '" + key.id + "'"));
      chosen.push_back(std::move(*finding));
    }
    const Value event = bus_.make_event(
        bus_of(caller), "aws.securityhub", "Security Hub Findings - Custom Action",
        json::Array{target["ActionTargetArn"]},
        json::Object{
            {"actionName", target["Name"]}, {"actionDescription", target["Description"]}, {"findings", chosen}});
    FIXPOINT_CHECK(bus_.publish(tx, event, "default", origin_of(caller)));
    return Value(json::Object{{"EventId", event["id"]}, {"Findings", chosen.size()}});
  });
}

Result<Value> SecurityHub::act_on_insight(const aws::Caller& caller, const std::string& action,
                                          const std::string& insight, const std::vector<std::string>& values) {
  FIXPOINT_TRY(found, insights_.results(caller, insight));
  json::Array chosen;
  for (const auto& [value, count] : found.values)
    if (values.empty() || std::find(values.begin(), values.end(), value) != values.end())
      chosen.emplace_back(json::Object{{value, count}});
  for (const std::string& value : values)
    if (std::none_of(found.values.begin(), found.values.end(), [&](const auto& one) { return one.first == value; }))
      return fail(errors::validation("the insight '" + found.name + "' has no result '" + value +
                                     "'; 'aws securityhub get-insight-results' shows those that there are"));
  if (chosen.empty())
    return fail(errors::validation("the insight '" + found.name + "' has no results: no finding fits its filters"));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(target, this->action(tx, caller, action));
    // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html#securityhub-cwe-event-formats-insight-results
    const Value event = bus_.make_event(bus_of(caller), "aws.securityhub", "Security Hub Insight Results",
                                        json::Array{target["ActionTargetArn"]},
                                        json::Object{{"actionName", target["Name"]},
                                                     {"actionDescription", target["Description"]},
                                                     {"insightArn", insight},
                                                     {"insightName", found.name},
                                                     {"resultType", found.attribute},
                                                     {"number of results", chosen.size()},
                                                     {"insightResults", chosen}});
    FIXPOINT_CHECK(bus_.publish(tx, event, "default", origin_of(caller)));
    return Value(json::Object{{"EventId", event["id"]}, {"Results", chosen.size()}});
  });
}

}  // namespace fixpoint::services
