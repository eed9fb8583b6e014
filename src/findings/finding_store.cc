#include "findings/finding_store.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/arn.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "findings/page_token.h"
#include "findings/products.h"
#include "findings/timestamp.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

// What the first version kept: load() empties it into the tables of today.
constexpr const char* first_tables = R"sql(
CREATE TABLE finding (
  product_arn TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, generator TEXT NOT NULL,
  control TEXT NOT NULL, resource TEXT NOT NULL, severity INTEGER NOT NULL, workflow TEXT NOT NULL, compliance TEXT NOT NULL,
  record_state TEXT NOT NULL, note_by TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, body TEXT NOT NULL,
  number INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (product_arn, id)) STRICT;
CREATE INDEX finding_id ON finding (id);
CREATE INDEX finding_generator ON finding (generator);
CREATE INDEX finding_resource ON finding (resource);
CREATE INDEX finding_workflow ON finding (workflow, severity);
CREATE INDEX finding_note_by ON finding (note_by) WHERE note_by <> '';
CREATE TABLE finding_history (
  number INTEGER PRIMARY KEY AUTOINCREMENT, product_arn TEXT NOT NULL, id TEXT NOT NULL, at_ms INTEGER NOT NULL, source TEXT NOT NULL,
  created INTEGER NOT NULL, changes TEXT NOT NULL) STRICT;
CREATE INDEX finding_history_key ON finding_history (product_arn, id, number);
)sql";

// `next` is the number that the next finding gets. Who writes findings writes that row first, so that with several
// servers on one database no two of them change the same row of the index at once.
constexpr const char* second_tables = R"sql(
CREATE TABLE finding_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO finding_state (name, value) VALUES ('next', 1), ('index', 1);
CREATE TABLE finding_document (number INTEGER PRIMARY KEY, imported_ms INTEGER NOT NULL, customer INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
)sql";

constexpr std::size_t take_over_at_once = 200;

// Where a stored document has the OCSF document that it came as; no member that a finding could bring along.
constexpr const char* original_member = "fixpoint:ocsf";

// Members that a provider gives a value and a customer may set another, by their bit in `customer`.
// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
struct SharedMember {
  const char* name;
  std::int64_t bit;
};
constexpr SharedMember customer_members[] = {
    {"Severity", 1}, {"Confidence", 2}, {"Criticality", 4}, {"Types", 8}, {"RelatedFindings", 16}};
// Members that are the customer's alone once the finding is there.
constexpr const char* members_kept[] = {"Note", "UserDefinedFields", "VerificationState", "Workflow"};

void fill_severity(Value& severity) {
  if (!severity.is_object()) return;
  const Value* label = severity.find("Label");
  const Value* normalized = severity.find("Normalized");
  if (label != nullptr && normalized == nullptr)
    severity.set("Normalized", severity_normalized_of(label->string_or("")));
  if (label == nullptr && normalized != nullptr) severity.set("Label", severity_label_of(normalized->int_or(0)));
}

// What Security Hub itself fills in: each of the shared members both at the top and among the provider's, the region,
// the states, the product's names.
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_FindingProviderFields.html
void fill_defaults(Value& finding) {
  Value& provider = finding.at_or_make("FindingProviderFields");
  if (provider.is_object())
    if (Value* severity = provider.as_object().find("Severity")) fill_severity(*severity);
  if (Value* severity = finding.as_object().find("Severity")) fill_severity(*severity);
  for (const auto& [name, bit] : customer_members) {
    const Value theirs = finding["FindingProviderFields"][name];
    const Value top = finding[name];
    if (top.is_null() && !theirs.is_null()) finding.set(name, theirs);
    if (theirs.is_null() && !top.is_null()) finding.at_or_make("FindingProviderFields").set(name, top);
  }
  if (finding["FindingProviderFields"].is_null()) finding.as_object().erase("FindingProviderFields");
  fill_product(finding);
  if (finding.find("Types") == nullptr) finding.set("Types", json::Array());
  if (finding.find("RecordState") == nullptr) finding.set("RecordState", "ACTIVE");
  if (finding["Workflow"]["Status"].is_null()) finding.set("Workflow", json::Object{{"Status", "NEW"}});
  finding.set("WorkflowState", "NEW");  // the retired member, which Security Hub goes on sending
  if (finding.find("Region") == nullptr) {
    const auto parts = split(finding["ProductArn"].string_or(""), ':');
    finding.set("Region", parts.size() > 3 ? parts[3] : std::string_view());
  }
}

// A finding that Security Hub's own controls made.
bool is_of_a_control(const Value& finding) {
  return finding["ProductArn"].string_or("").ends_with(":product/aws/securityhub");
}

// "RecordState changes from ARCHIVED to ACTIVE. Compliance.Status changes from PASSED to FAILED, WARNING, or
// NOT_AVAILABLE." https://docs.aws.amazon.com/securityhub/latest/userguide/findings-workflow-status.html
bool resets_workflow(const Value& before, const Value& after) {
  const std::string_view status = before["Workflow"]["Status"].string_or("");
  if (status != "RESOLVED" && status != "NOTIFIED") return false;
  if (before["RecordState"].string_or("") == "ARCHIVED" && after["RecordState"].string_or("") == "ACTIVE") return true;
  const std::string_view now = after["Compliance"]["Status"].string_or("");
  return before["Compliance"]["Status"].string_or("") == "PASSED" &&
         (now == "FAILED" || now == "WARNING" || now == "NOT_AVAILABLE");
}

// "For findings from controls, if Compliance.Status is PASSED, then Security Hub automatically sets the workflow status
// to RESOLVED." (the same page)
// The two halves of PRODUCT_ARN/ID. A product's ARN ends with product/COMPANY/NAME.
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-attributes.html
std::optional<FindingKey> key_from(std::string_view text) {
  constexpr std::string_view product = ":product/";
  const auto begins = text.find(product);
  if (!text.starts_with("arn:") || begins == std::string_view::npos) return {};
  const auto company_ends = text.find('/', begins + product.size());
  if (company_ends == std::string_view::npos) return {};
  const auto ends = text.find('/', company_ends + 1);
  if (ends == std::string_view::npos) return {};
  return FindingKey{std::string(text.substr(0, ends)), std::string(text.substr(ends + 1))};
}

void resolve_passed(Value& finding) {
  const std::string_view status = finding["Workflow"]["Status"].string_or("");
  if (is_of_a_control(finding) && finding["Compliance"]["Status"].string_or("") == "PASSED" &&
      (status == "NEW" || status == "NOTIFIED"))
    finding.set("Workflow", json::Object{{"Status", "RESOLVED"}});
}

// "If UpdatedAt on the update matches or occurs before UpdatedAt on the existing finding, Security Hub ignores the
// update request."
bool is_newer(const Value& before, const Value& after) {
  const auto then = parse_timestamp(before["UpdatedAt"].string_or(""));
  const auto now = parse_timestamp(after["UpdatedAt"].string_or(""));
  return !then || !now || *now > *then;
}

// What an import of `after` (as it was sent, with its defaults) makes of a finding that is there.
Value merged(const Value& before, const Value& after, std::int64_t customer) {
  Value finding = after;
  for (const auto* name : members_kept) {
    finding.as_object().erase(name);
    if (const Value* kept = before.find(name)) finding.set(name, *kept);
  }
  for (const auto& [name, bit] : customer_members) {
    const Value* theirs = after["FindingProviderFields"].find(name);
    const Value* kept = before.find(name);
    if ((customer & bit) != 0 && kept != nullptr)
      finding.set(name, *kept);
    else if (theirs != nullptr && !theirs->is_null())
      finding.set(name, *theirs);
  }
  if (resets_workflow(before, finding)) finding.set("Workflow", json::Object{{"Status", "NEW"}});
  resolve_passed(finding);
  return finding;
}

Value with_update(const Value& before, const Value& update, const std::string& now, std::int64_t& customer) {
  Value finding = before;
  for (const auto* member : {"Severity", "VerificationState", "Confidence", "Criticality", "Types", "UserDefinedFields",
                             "Workflow", "RelatedFindings", "RecordState"}) {
    const Value* value = update.find(member);
    if (value == nullptr || value->is_null()) continue;
    // WorkflowUpdate need not say a Status; what says none leaves the one that is there.
    if (std::string_view(member) == "Workflow" && (*value)["Status"].is_null()) continue;
    Value set = *value;
    if (std::string_view(member) == "Severity") {
      fill_severity(set);
      if (const Value* original = finding["Severity"].find("Original")) set.set("Original", *original);
    }
    finding.set(member, std::move(set));
    for (const auto& shared : customer_members)
      if (std::string_view(shared.name) == member) customer |= shared.bit;
  }
  if (const Value* note = update.find("Note"); note != nullptr && note->is_object()) {
    Value stamped = *note;
    stamped.set("UpdatedAt", now);
    finding.set("Note", std::move(stamped));
  }
  return finding;
}

Result<std::int64_t> lock(store::Transaction& tx) {
  FIXPOINT_TRY(rows, tx.query("UPDATE finding_state SET value = value WHERE name = 'next' RETURNING value"));
  if (rows.empty()) return fail(errors::coded("StoreError", "the findings' own row is missing in the database", 500));
  return rows[0].integer(0);
}

std::string document_of(const Value& finding, const Value& original) {
  if (!original.is_object()) return json::print(finding);
  Value both = finding;
  both.set(original_member, original);
  return json::print(both);
}

// Takes the original out of a stored document.
Value take_original(Value& document) {
  Value* there = document.is_object() ? document.as_object().find(original_member) : nullptr;
  if (there == nullptr) return {};
  Value original = std::move(*there);
  document.as_object().erase(original_member);
  return original;
}

Error not_found(const FindingKey& key) {
  return errors::resource_not_found("no finding of the product " + key.product_arn + " has the id '" + key.id + "'");
}

}  // namespace

FindingStore::FindingStore(store::Store& store, const Clock& clock, std::string token_key)
    : store_(store),
      clock_(clock),
      token_key_(token_key.empty() ? sha256(random_uuid() + random_uuid()) : std::move(token_key)) {}

store::Schema FindingStore::schema() {
  return {"findings",
          {first_tables, std::string(second_tables) + index_tables + Documents::tables + History::tables, name_tables}};
}

Prepared FindingStore::prepare(Value finding, Value original) {
  Prepared prepared;
  take_original(finding);
  fill_defaults(finding);
  resolve_passed(finding);
  finding.set("ProcessedAt", format_iso8601_ms(clock_.now_ms()));
  prepared.key = key_of(finding);
  const std::string document = document_of(finding, original);
  prepared.bytes = document.size();
  prepared.packed = documents_.pack(document);
  prepared.entries = entries_of(finding, original);
  prepared.finding = std::move(finding);
  prepared.original = std::move(original);
  return prepared;
}

Result<std::optional<FindingStore::Known>> FindingStore::document(store::Session& session, std::int64_t number) {
  FIXPOINT_TRY(rows,
               session.query("SELECT imported_ms, customer, body FROM finding_document WHERE number = ?", {number}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(text, documents_.unpack(session, rows[0].text(2)));
  FIXPOINT_TRY(finding, json::parse(text));
  Value original = take_original(finding);
  return Known{number,         rows[0].integer(1), rows[0].integer(0), std::move(finding), std::move(original),
               rows[0].take(2)};
}

Result<std::optional<FindingStore::Known>> FindingStore::known(store::Session& session, const FindingKey& key) {
  FIXPOINT_TRY(rows, session.query("SELECT number FROM finding_key WHERE hash = ? ORDER BY number",
                                   {hash_of(key.product_arn, key.id)}));
  for (const store::Row& row : rows) {
    FIXPOINT_TRY(found, document(session, row.integer(0)));
    if (found && key_of(found->finding) == key) return std::move(found);
  }
  return std::nullopt;
}

Result<std::optional<Value>> FindingStore::get(store::Session& session, const FindingKey& key) {
  FIXPOINT_TRY(found, known(session, key));
  if (!found) return std::nullopt;
  return std::move(found->finding);
}

// Stores the new document of a finding that is there.
Result<void> FindingStore::replace(store::Transaction& tx, IndexWriter& index, const Known& before,
                                   const Value& finding, const Value& original) {
  index.change(before.number, entries_of(before.finding, before.original), entries_of(finding, original));
  FIXPOINT_CHECK(
      tx.execute("UPDATE finding_document SET customer = ?, body = ? WHERE number = ?",
                 {before.customer, store::Blob{documents_.pack(document_of(finding, original))}, before.number}));
  return {};
}

Result<std::vector<Outcome>> FindingStore::import(store::Transaction& tx,
                                                  const std::vector<const Prepared*>& findings) {
  FIXPOINT_TRY(first, lock(tx));
  std::int64_t next = first;
  const TimeMs now = clock_.now_ms();
  IndexWriter index(tx);
  std::set<std::pair<std::string_view, std::string_view>> here;
  std::set<std::string> uids;
  std::vector<Outcome> outcomes;
  outcomes.reserve(findings.size());
  for (const Prepared* one : findings) {
    const Prepared& prepared = *one;
    // A key that comes twice in one call has to meet what it did the first time.
    if (!here.emplace(prepared.key.product_arn, prepared.key.id).second) FIXPOINT_CHECK(index.flush());
    FIXPOINT_TRY(before, known(tx, prepared.key));
    Value original = prepared.original;
    const std::string_view uid = original["metadata"]["uid"].string_or("");
    if (!uid.empty()) {
      // A metadata.uid names one finding: the second one that claims it gets one of its own.
      if (!uids.insert(std::string(uid)).second) FIXPOINT_CHECK(index.flush());
      FIXPOINT_TRY(other, number_of_uid(tx, uid));
      if (other && (!before || before->number != *other))
        original.as_object().find("metadata")->as_object().erase("uid");
    }
    const bool as_prepared = original == prepared.original;
    if (!before) {
      const std::int64_t number = next++;
      store::Blob body{as_prepared ? prepared.packed : documents_.pack(document_of(prepared.finding, original))};
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO finding_document (number, imported_ms, customer, body) VALUES (?, ?, 0, ?)",
                     {number, now, std::move(body)}));
      index.add(number, hash_of(prepared.key.product_arn, prepared.key.id),
                as_prepared ? prepared.entries : entries_of(prepared.finding, original));
      outcomes.push_back({true, false, std::nullopt});
      continue;
    }
    if (!is_newer(before->finding, prepared.finding)) {
      outcomes.push_back({false, true, std::move(before->finding)});
      continue;
    }
    Value finding = merged(before->finding, prepared.finding, before->customer);
    FIXPOINT_CHECK(history_.write(tx, before->number, now, {"BATCH_IMPORT_FINDINGS", prepared.key.product_arn},
                                  differences(before->finding, finding)));
    FIXPOINT_CHECK(replace(tx, index, *before, finding, original));
    outcomes.push_back({false, false, std::move(finding)});
  }
  FIXPOINT_CHECK(index.flush());
  if (next != first) FIXPOINT_CHECK(tx.execute("UPDATE finding_state SET value = ? WHERE name = 'next'", {next}));
  return outcomes;
}

Result<std::vector<Outcome>> FindingStore::import(store::Transaction& tx, const std::vector<Prepared>& findings) {
  std::vector<const Prepared*> all;
  all.reserve(findings.size());
  for (const Prepared& one : findings) all.push_back(&one);
  return import(tx, all);
}

Result<Stored> FindingStore::import(store::Transaction& tx, Value finding) {
  Prepared one = prepare(std::move(finding));
  FIXPOINT_TRY(outcomes, import(tx, std::vector<const Prepared*>{&one}));
  Outcome& outcome = outcomes[0];
  return Stored{outcome.finding ? std::move(*outcome.finding) : std::move(one.finding), outcome.created,
                outcome.ignored};
}

Result<std::optional<Stored>> FindingStore::update(store::Transaction& tx, const FindingKey& key, const Value& update,
                                                   const std::string& by) {
  return change(tx, key, by, update, nullptr);
}

Result<std::optional<Stored>> FindingStore::update(store::Transaction& tx, const FindingKey& key,
                                                   const OcsfUpdate& update, const std::string& by) {
  return change(tx, key, by, update.asff(by), &update);
}

Result<std::optional<PreparedUpdate>> FindingStore::prepare_update(const FindingKey& key, MakeUpdate make,
                                                                   std::string by) {
  return store_.read([&](store::Session& session) -> Result<std::optional<PreparedUpdate>> {
    FIXPOINT_TRY(before, known(session, key));
    if (!before) return std::nullopt;
    PreparedUpdate out;
    out.key = key;
    out.number_ = before->number;
    out.stored_ = std::move(before->packed);
    out.stored_customer_ = before->customer;
    out.finding =
        with_update(before->finding, make(before->finding), format_iso8601_ms(clock_.now_ms()), before->customer);
    out.customer_ = before->customer;
    out.packed_ = documents_.pack(document_of(out.finding, before->original));
    out.change_ = history_.pack(differences(before->finding, out.finding));
    out.before_ = entries_of(before->finding, before->original);
    out.after_ = entries_of(out.finding, before->original);
    out.make = std::move(make);
    out.by = std::move(by);
    return out;
  });
}

Result<Updated> FindingStore::update(store::Transaction& tx, const PreparedUpdate& prepared) {
  FIXPOINT_CHECK(lock(tx));
  FIXPOINT_TRY(rows, tx.query("SELECT customer, body FROM finding_document WHERE number = ?", {prepared.number_}));
  if (rows.empty() || rows[0].integer(0) != prepared.stored_customer_ || rows[0].text(1) != prepared.stored_) {
    FIXPOINT_TRY(finding, get(tx, prepared.key));
    if (!finding) return Updated{};
    FIXPOINT_TRY(stored, update(tx, prepared.key, prepared.make(*finding), prepared.by));
    return stored ? Updated{true, std::move(stored->finding)} : Updated{};
  }
  FIXPOINT_CHECK(
      history_.write(tx, prepared.number_, clock_.now_ms(), {"BATCH_UPDATE_FINDINGS", prepared.by}, prepared.change_));
  IndexWriter index(tx);
  index.change(prepared.number_, prepared.before_, prepared.after_);
  FIXPOINT_CHECK(tx.execute("UPDATE finding_document SET customer = ?, body = ? WHERE number = ?",
                            {prepared.customer_, store::Blob{prepared.packed_}, prepared.number_}));
  FIXPOINT_CHECK(index.flush());
  fault_point("finding.updated");
  return Updated{true, std::nullopt};
}

Result<std::optional<Stored>> FindingStore::change(store::Transaction& tx, const FindingKey& key, const std::string& by,
                                                   const Value& update, const OcsfUpdate* in_ocsf) {
  FIXPOINT_CHECK(lock(tx));
  FIXPOINT_TRY(before, known(tx, key));
  if (!before) return std::nullopt;
  const TimeMs now = clock_.now_ms();
  Value finding = with_update(before->finding, update, format_iso8601_ms(now), before->customer);
  Value original = before->original;
  if (in_ocsf != nullptr) {
    // Without an original one is made where the finding format cannot say what was set.
    const Value said = ocsf_of(finding);
    Value wanted = said;
    in_ocsf->write_on(wanted);
    if (original.is_null() && !(wanted == said)) original = said;
    if (original.is_object()) in_ocsf->write_on(original);
  }
  FIXPOINT_CHECK(
      history_.write(tx, before->number, now, {"BATCH_UPDATE_FINDINGS", by}, differences(before->finding, finding)));
  IndexWriter index(tx);
  FIXPOINT_CHECK(replace(tx, index, *before, finding, original));
  FIXPOINT_CHECK(index.flush());
  fault_point("finding.updated");
  return Stored{std::move(finding), false, false};
}

Result<std::optional<Value>> FindingStore::get_ocsf(store::Session& session, const FindingKey& key) {
  FIXPOINT_TRY(found, known(session, key));
  if (!found) return std::nullopt;
  return ocsf_of(found->finding, found->original);
}

// The uid that a finding would have by its key comes before one that a document has brought along.
Result<std::optional<std::int64_t>> FindingStore::number_of_uid(store::Session& session, std::string_view uid) {
  const auto digest = hex_decode(uid);
  if (digest && digest->size() == 32) {
    std::int64_t hash = 0;
    std::memcpy(&hash, digest->data(), sizeof hash);
    FIXPOINT_TRY(rows, session.query("SELECT number FROM finding_key WHERE hash = ? ORDER BY number", {hash}));
    for (const store::Row& row : rows) {
      FIXPOINT_TRY(found, document(session, row.integer(0)));
      if (found && metadata_uid_of(key_of(found->finding)) == uid) return row.integer(0);
    }
  }
  Bits bits;
  FIXPOINT_CHECK(IndexReader(session).add_value(bits, ocsf_uid_code, term_of(uid)));
  std::optional<std::int64_t> number;
  bits.for_each(0, [&](std::int64_t first) {
    number = first;
    return false;
  });
  return number;
}

Result<std::optional<FindingKey>> FindingStore::find_uid(store::Session& session, std::string_view metadata_uid) {
  FIXPOINT_TRY(number, number_of_uid(session, metadata_uid));
  if (!number) return std::nullopt;
  FIXPOINT_TRY(found, known_by(session, *number));
  return key_of(found.finding);
}

Result<std::optional<FindingKey>> FindingStore::find_ocsf(store::Session& session, std::string_view account,
                                                          std::string_view uid, std::string_view product_uid) {
  Bits bits;
  FIXPOINT_CHECK(IndexReader(session).add_value(bits, find_field("Id")->code, term_of(finding_id_of(uid))));
  std::optional<FindingKey> key;
  Result<void> broke;
  bits.for_each(0, [&](std::int64_t number) {
    const auto found = known_by(session, number);
    if (!found) {
      broke = fail(found.error());
      return false;
    }
    const Value ocsf = ocsf_of(found->finding, found->original);
    if (ocsf["cloud"]["account"]["uid"].string_or("") == account && ocsf["finding_info"]["uid"].string_or("") == uid &&
        (ocsf["metadata"]["product"]["uid"].string_or("") == product_uid ||
         found->finding["ProductArn"].string_or("") == product_uid))
      key = key_of(found->finding);
    return !key.has_value();
  });
  FIXPOINT_CHECK(broke);
  return key;
}

Result<FindingKey> FindingStore::resolve(std::string_view id) {
  return store_.read([&](store::Session& session) -> Result<FindingKey> {
    Bits bits;
    FIXPOINT_CHECK(IndexReader(session).add_value(bits, find_field("Id")->code, term_of(id)));
    std::vector<std::int64_t> numbers;
    bits.for_each(0, [&](std::int64_t number) {
      numbers.push_back(number);
      return numbers.size() < 2;
    });
    if (numbers.empty()) {
      if (const auto key = key_from(id)) {
        FIXPOINT_TRY(found, get(session, *key));
        if (found) return *key;
      }
      return fail(errors::resource_not_found("no finding has the id '" + std::string(id) +
                                             "'; 'fixpoint findings' lists them"));
    }
    FIXPOINT_TRY(found, document(session, numbers[0]));
    FindingKey first = found ? key_of(found->finding) : FindingKey{};
    if (numbers.size() > 1)
      return fail(errors::validation("several products have a finding of the id '" + std::string(id) +
                                     "'; put the ARN of its product before it: '" + first.product_arn + "/" +
                                     std::string(id) + "' is one of them"));
    return first;
  });
}

Result<FindingStore::Known> FindingStore::known_by(store::Session& session, std::int64_t number) {
  FIXPOINT_TRY(found, document(session, number));
  if (!found) return fail(errors::coded("StoreError", "the index names a finding that is not in the store", 500));
  return std::move(*found);
}

Result<Value> FindingStore::indexed(store::Session& session, std::int64_t number) {
  FIXPOINT_TRY(found, known_by(session, number));
  return std::move(found.finding);
}

Result<Page> FindingStore::find(const Filters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                                const std::string& token) {
  return pages("findings\n" + filters.asked(), sort, limit, token,
               [&](store::Session&, Search& search) -> Result<Chosen> {
                 FIXPOINT_TRY(selection, search.select(filters));
                 Chosen chosen{std::move(selection.findings), selection.unanswered.empty(), {}};
                 chosen.take = [unanswered = std::move(selection.unanswered)](std::int64_t,
                                                                              Known known) -> std::optional<Value> {
                   if (!std::all_of(unanswered.begin(), unanswered.end(),
                                    [&](const auto* field) { return field->matches(known.finding); }))
                     return {};
                   return std::move(known.finding);
                 };
                 return chosen;
               });
}

Result<Page> FindingStore::find(const OcsfFilters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                                const std::string& token) {
  return pages("ocsf findings\n" + filters.asked(), sort, limit, token,
               [&](store::Session& session, Search& search) -> Result<Chosen> {
                 FIXPOINT_TRY(possible, filters.possible(session, search, [&](std::string_view uid) {
                   return number_of_uid(session, uid);
                 }));
                 Bits open = possible.maybe;
                 open -= possible.sure;
                 Chosen chosen{std::move(possible.maybe), open.empty(), {}};
                 chosen.take = [&filters, sure = std::move(possible.sure)](std::int64_t number,
                                                                           const Known& known) -> std::optional<Value> {
                   Value ocsf = ocsf_of(known.finding, known.original);
                   if (!sure.contains(number) && !filters.matches(ocsf)) return {};
                   return ocsf;
                 };
                 return chosen;
               });
}

Result<Page> FindingStore::pages(const std::string& what, const std::vector<SortKey>& sort, std::size_t limit,
                                 const std::string& token, const Choose& choose) {
  // So many candidates at once, while documents decide which of them fit.
  constexpr std::size_t candidates = 500;
  FIXPOINT_TRY(order, Order::compile(sort));
  std::string asked = what;
  for (const SortKey& key : sort) asked += "\n" + key.field + (key.descending ? " desc" : " asc");
  std::optional<Position> after;
  if (!token.empty()) {
    after = open_token(token_key_, asked, token);
    if (!after || after->cells.size() != order.keys().size())
      return fail(errors::invalid_input(
          "NextToken is none that this server gave for these filters and this order; begin with the first page",
          "NextToken"));
  }
  return store_.read([&](store::Session& session) -> Result<Page> {
    Search search(session, [&](std::int64_t number) { return indexed(session, number); });
    FIXPOINT_TRY(chosen, choose(session, search));
    Page page;
    std::size_t documents = 0;
    while (true) {
      // One more than is wanted says whether there is another page.
      const std::size_t wanted = chosen.exact ? limit + 1 : candidates;
      FIXPOINT_TRY(positions, search.first(chosen.maybe, order, after, wanted));
      for (Position& position : positions) {
        if (page.findings.size() == limit || documents == documents_a_page) {
          page.next_token = seal_token(token_key_, asked, *after);
          return page;
        }
        FIXPOINT_TRY(known, known_by(session, position.number));
        ++documents;
        const std::int64_t number = position.number;
        after = std::move(position);
        if (auto taken = chosen.take(number, std::move(known))) page.findings.push_back(std::move(*taken));
      }
      if (positions.size() < wanted) return page;
    }
  });
}

Result<HistoryPage> FindingStore::history(const FindingKey& key, TimeMs from_ms, TimeMs to_ms, std::size_t limit,
                                          const std::string& token) {
  const std::string asked =
      "history\n" + key.product_arn + "\n" + key.id + "\n" + std::to_string(from_ms) + "\n" + std::to_string(to_ms);
  std::int64_t before = 0;
  if (!token.empty()) {
    const auto position = open_token(token_key_, asked, token);
    if (!position)
      return fail(errors::invalid_input(
          "NextToken is none that this server gave for this finding and these times; begin with the first page",
          "NextToken"));
    before = position->number;
  }
  const TimeMs oldest = clock_.now_ms() - History::kept_ms;
  return store_.read([&](store::Session& session) -> Result<HistoryPage> {
    FIXPOINT_TRY(found, known(session, key));
    if (!found) return fail(not_found(key));
    FIXPOINT_TRY(records, history_.read(session, found->number, std::max(from_ms, oldest), to_ms, before, limit + 1));
    HistoryPage page;
    for (auto& record : records) {
      if (page.records.size() == limit) {
        page.next_token = seal_token(token_key_, asked, Position{{}, before});
        return page;
      }
      before = record.number;
      page.records.push_back({record.at_ms, false, std::move(record.source), std::move(record.changes)});
    }
    const TimeMs created = found->imported_ms;
    if (created < std::max(from_ms, oldest) || created > to_ms) return page;
    // The finding's first import stands behind all changes, under the number 1 that no change stands before.
    if (page.records.size() == limit)
      page.next_token = seal_token(token_key_, asked, Position{{}, before});
    else
      page.records.push_back({created, true, {"BATCH_IMPORT_FINDINGS", key.product_arn}, json::Array()});
    return page;
  });
}

Result<void> FindingStore::tend() {
  if (!documents_.wants_training()) return {};
  return documents_.train(store_);
}

Result<void> FindingStore::load() {
  FIXPOINT_CHECK(store_.read([&](store::Session& session) { return documents_.load(session); }));
  FIXPOINT_TRY(rows, store_.read([](store::Session& session) {
    return session.query("SELECT value FROM finding_state WHERE name = 'index'");
  }));
  if (rows.empty() || rows[0].integer(0) != index_version) FIXPOINT_CHECK(reindex());
  while (true) {
    FIXPOINT_TRY(more, take_over_some());
    if (!more) return {};
    FIXPOINT_CHECK(tend());
  }
}

// Moves the first findings of the first version's tables, with their history, into those of today. False where none is
// left.
Result<bool> FindingStore::take_over_some() {
  return store_.write([&](store::Transaction& tx) -> Result<bool> {
    FIXPOINT_TRY(rows, tx.query("SELECT number, updated_ms, body, product_arn, id FROM finding ORDER BY number LIMIT ?",
                                {static_cast<std::int64_t>(take_over_at_once)}));
    if (rows.empty()) return false;
    FIXPOINT_TRY(first, lock(tx));
    std::int64_t next = first;
    IndexWriter index(tx);
    for (store::Row& row : rows) {
      const std::int64_t number = next++;
      TimeMs imported = row.integer(1);
      std::int64_t customer = 0;
      FIXPOINT_TRY(finding, json::parse(row.text(2)));
      const store::Params key{row.text(3), row.text(4)};
      FIXPOINT_TRY(changes,
                   tx.query("SELECT at_ms, source, created, changes FROM finding_history WHERE product_arn = ? "
                            "AND id = ? ORDER BY number",
                            key));
      for (store::Row& change : changes) {
        if (change.integer(2) != 0) {
          imported = change.integer(0);
          continue;
        }
        FIXPOINT_TRY(list, json::parse(change.text(3)));
        const bool by_import = change.text(1) == "BATCH_IMPORT_FINDINGS";
        for (std::size_t i = 0; i < list.size() && !by_import; ++i)
          for (const auto& [name, bit] : customer_members)
            if (list[i]["UpdatedField"].string_or("") == name) customer |= bit;
        const ChangeSource source{by_import ? "BATCH_IMPORT_FINDINGS" : "BATCH_UPDATE_FINDINGS",
                                  by_import ? row.text(3) : change.text(1)};
        FIXPOINT_CHECK(history_.write(tx, number, change.integer(0), source, list));
      }
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO finding_document (number, imported_ms, customer, body) VALUES (?, ?, ?, ?)",
                     {number, imported, customer, store::Blob{documents_.pack(row.text(2))}}));
      index.add(number, hash_of(row.text(3), row.text(4)), entries_of(finding));
      FIXPOINT_CHECK(tx.execute("DELETE FROM finding_history WHERE product_arn = ? AND id = ?", key));
      FIXPOINT_CHECK(tx.execute("DELETE FROM finding WHERE number = ?", {row.integer(0)}));
    }
    FIXPOINT_CHECK(index.flush());
    FIXPOINT_CHECK(tx.execute("UPDATE finding_state SET value = ? WHERE name = 'next'", {next}));
    return true;
  });
}

// From the documents alone. What it was interrupted in begins anew: the version is written last.
Result<void> FindingStore::reindex() {
  FIXPOINT_CHECK(store_.write([](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_term"));
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_name"));
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_key"));
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_column"));
    return {};
  }));
  std::int64_t done = 0;
  while (true) {
    FIXPOINT_TRY(more, store_.write([&](store::Transaction& tx) -> Result<bool> {
      FIXPOINT_TRY(rows, tx.query("SELECT number, body FROM finding_document WHERE number > ? ORDER BY number LIMIT ?",
                                  {done, static_cast<std::int64_t>(take_over_at_once)}));
      IndexWriter index(tx);
      for (store::Row& row : rows) {
        FIXPOINT_TRY(text, documents_.unpack(tx, row.text(1)));
        FIXPOINT_TRY(finding, json::parse(text));
        const Value original = take_original(finding);
        const FindingKey key = key_of(finding);
        index.add(row.integer(0), hash_of(key.product_arn, key.id), entries_of(finding, original));
        done = row.integer(0);
      }
      FIXPOINT_CHECK(index.flush());
      if (rows.empty())
        FIXPOINT_CHECK(
            tx.execute("INSERT INTO finding_state (name, value) VALUES ('index', ?) ON CONFLICT (name) DO "
                       "UPDATE SET value = excluded.value",
                       {index_version}));
      return !rows.empty();
    }));
    if (!more) return {};
  }
}

}  // namespace fixpoint::findings
