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

using hub::origin_of;
using json::Value;

// https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html: "up to 100 findings
// per batch, up to 240 KB per finding, and up to 6 MB per batch"
constexpr std::size_t findings_a_call = 100;
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

bus::BusName default_bus(const hub::FeedMap::Place& place) {
  return {place.first, place.second, std::string(partition_of_region(place.second)), "default"};
}

std::string product_resource(const Value& finding) {
  return std::string(finding["ProductArn"].string_or("")) + "/" + std::string(finding["Id"].string_or(""));
}

Error no_finding(const findings::FindingKey& key) {
  return errors::resource_not_found("no finding of the product " + key.product_arn + " has the id '" + key.id + "'");
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
  return {"securityhub", {hub::CustomActions::tables(), hub::Records::tables()}};
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
  table.add("UpdateFindings", [this](const auto& caller, const auto& input) { return update_findings(caller, input); });
  actions_.add_to(table);
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
  out.events = match_imported(out.finding.finding);
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
    FIXPOINT_TRY(heard, changed ? publish_imported(tx, *changed, origin)
                        : outcome.finding || !list[i].events
                            ? publish_imported(tx, imported, origin)
                            : publish_imported(tx, imported, std::move(*list[i].events), origin));
    taken.unheard += heard ? 0 : 1;
  }
  fault_point("import.in_commit");
  return taken;
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
Value SecurityHub::imported_event(const bus::Bus& bus, const Value& finding) {
  return imported_event(
      bus, finding, {std::string(finding["AwsAccountId"].string_or("")), std::string(finding["Region"].string_or(""))});
}

Value SecurityHub::imported_event(const bus::Bus& bus, const Value& finding, const hub::FeedMap::Place& place) {
  return bus.make_event(default_bus(place), "aws.securityhub", "Security Hub Findings - Imported",
                        json::array_of(product_resource(finding)), json::Object{{"findings", json::array_of(finding)}});
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html
Value SecurityHub::imported_event_v2(const bus::Bus& bus, const Value& ocsf, const hub::FeedMap::Place& place) {
  return bus.make_event(default_bus(place), "aws.securityhub", "Findings Imported V2",
                        json::Array{ocsf["metadata"]["uid"]}, json::Object{{"findings", json::Array{ocsf}}});
}

Result<bool> SecurityHub::sends_v2(const std::string& account, const std::string& region) {
  return store_.read([&](store::Session& session) { return hub_v2_.is_on(session, account, region); });
}

std::vector<hub::FeedMap::Place> SecurityHub::listening(const Value& finding, const hub::FeedMap& feeds) const {
  const hub::FeedMap::Place own{finding["AwsAccountId"].string_or(""), finding["Region"].string_or("")};
  std::vector<hub::FeedMap::Place> out;
  if (bus_.listens(default_bus(own))) out.push_back(own);
  for (auto& place : feeds.of(own.first, own.second))
    if (bus_.listens(default_bus(place))) out.push_back(std::move(place));
  return out;
}

Result<std::vector<SecurityHub::Looked>> SecurityHub::look(const Value& finding, const hub::FeedMap& feeds) const {
  std::vector<Looked> out;
  for (auto& place : listening(finding, feeds)) {
    FIXPOINT_TRY(matched, bus_.match(default_bus(place), imported_event(bus_, finding, place)));
    out.push_back({std::move(place), std::move(matched)});
  }
  return out;
}

std::optional<std::vector<SecurityHub::Looked>> SecurityHub::match_imported(const Value& finding) {
  const auto feeds = feeds_.get();
  if (!feeds) return std::nullopt;
  auto looked = look(finding, **feeds);
  if (!looked || looked->empty()) return std::nullopt;  // publishing it gives the same error
  return std::move(*looked);
}

Result<bool> SecurityHub::publish_imported(store::Transaction& tx, const Value& finding, const bus::Origin& origin) {
  FIXPOINT_TRY(feeds, feeds_.get(tx));
  FIXPOINT_TRY(looked, look(finding, *feeds));
  return publish_imported(tx, finding, std::move(looked), origin);
}

Result<bool> SecurityHub::publish_imported(store::Transaction& tx, const Value& finding, std::vector<Looked> events,
                                           const bus::Origin& origin) {
  bool heard = false;
  std::optional<Value> ocsf;
  for (Looked& one : events) {
    heard = heard || one.event.has_targets();
    FIXPOINT_CHECK(bus_.publish(tx, std::move(one.event), origin));
    FIXPOINT_TRY(v2, hub_v2_.is_on(tx, one.place.first, one.place.second));
    if (!v2) continue;
    if (!ocsf) {
      FIXPOINT_TRY(read, findings_.get_ocsf(tx, findings::key_of(finding)));
      if (!read) continue;
      ocsf = std::move(read);
    }
    FIXPOINT_TRY(second, bus_.match(default_bus(one.place), imported_event_v2(bus_, *ocsf, one.place)));
    heard = heard || second.has_targets();
    FIXPOINT_CHECK(bus_.publish(tx, std::move(second), origin));
  }
  return heard;
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
                                                   std::vector<Value> originals, const bus::Origin& origin) {
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
  FIXPOINT_TRY(taken, store_.write([&](store::Transaction& tx) { return import_some(tx, prepared, origin); }));
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
                                 const std::string& by, const bus::Origin& origin, Tell tell) {
  FIXPOINT_TRY(stored, findings_.update(tx, key, update, by));
  if (!stored) return fail(no_finding(key));
  if (tell == Tell::Nobody) return {};
  FIXPOINT_CHECK(
      publish_imported(tx, stored->finding, {origin.execution, origin.principal.empty() ? by : origin.principal}));
  return {};
}

Result<void> SecurityHub::update(store::Transaction& tx, const findings::FindingKey& key,
                                 const findings::MakeUpdate& make, const std::string& by, const bus::Origin& origin,
                                 Tell tell) {
  FIXPOINT_TRY(finding, findings_.get(tx, key));
  if (!finding) return fail(no_finding(key));
  return update(tx, key, make(*finding), by, origin, tell);
}

std::function<Result<void>(store::Transaction&)> SecurityHub::prepare_update(const findings::FindingKey& key,
                                                                             findings::MakeUpdate make,
                                                                             const std::string& by,
                                                                             const bus::Origin& origin, Tell tell) {
  struct Ahead {
    findings::PreparedUpdate update;
    std::optional<std::vector<Looked>> events;
  };
  const bus::Origin whose{origin.execution, origin.principal.empty() ? by : origin.principal};
  auto prepared = findings_.prepare_update(key, make, by);
  if (!prepared || !*prepared)
    return [this, key, make = std::move(make), by, whose, tell](store::Transaction& tx) {
      return update(tx, key, make, by, whose, tell);
    };
  auto ahead = std::make_shared<Ahead>(Ahead{std::move(**prepared), std::nullopt});
  if (tell == Tell::Bus) ahead->events = match_imported(ahead->update.finding);
  return [this, ahead, whose, tell](store::Transaction& tx) -> Result<void> {
    const findings::PreparedUpdate& update = ahead->update;
    FIXPOINT_TRY(done, findings_.update(tx, update));
    if (!done.found) return fail(no_finding(update.key));
    if (tell == Tell::Nobody) return {};
    if (done.finding || !ahead->events)
      FIXPOINT_CHECK(publish_imported(tx, done.finding ? *done.finding : update.finding, whose));
    else
      FIXPOINT_CHECK(publish_imported(tx, update.finding, std::move(*ahead->events), whose));
    return {};
  };
}

Result<void> SecurityHub::update_v2(store::Transaction& tx, const aws::Caller& caller, const findings::FindingKey& key,
                                    const findings::OcsfUpdate& update) {
  const bus::Origin origin = origin_of(caller);
  FIXPOINT_TRY(stored, findings_.update(tx, key, update, hub::caller_arn(caller)));
  if (!stored) return fail(errors::resource_not_found("no finding has the id '" + key.id + "'"));
  FIXPOINT_CHECK(publish_imported(tx, stored->finding, origin));
  return {};
}

Result<Value> SecurityHub::batch_update(const aws::Caller& caller, const Value& input) {
  const Value& identifiers = input["FindingIdentifiers"];
  if (identifiers.size() == 0 || identifiers.size() > findings_a_call)
    return fail(errors::invalid_input(
        "FindingIdentifiers has " + std::to_string(identifiers.size()) + " entries; 1 to 100 are taken in one call",
        "FindingIdentifiers"));
  FIXPOINT_CHECK(findings::validate_update(input));
  FIXPOINT_CHECK(feeds_.get());  // at hand for the transaction
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
      const auto updated = update(tx, key, input, hub::caller_arn(caller), origin);
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
        FIXPOINT_CHECK(this->update(tx, keys[i], Value(update), hub::caller_arn(caller), origin));
      return {};
    }));
  return Value(json::Object());
}

}  // namespace fixpoint::services
