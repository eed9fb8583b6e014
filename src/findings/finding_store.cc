#include "findings/finding_store.h"

#include <algorithm>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

// The columns are what people filter and sort by; the body is the truth.
constexpr const char* tables = R"sql(
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

TimeMs time_or(const Value& value, TimeMs otherwise) {
  const auto time = parse_iso8601_ms(value.string_or(""));
  return time ? *time : otherwise;
}

void fill_severity(Value& severity) {
  if (!severity.is_object()) return;
  const Value* label = severity.find("Label");
  const Value* normalized = severity.find("Normalized");
  if (label != nullptr && normalized == nullptr)
    severity.set("Normalized", severity_normalized_of(label->string_or("")));
  if (label == nullptr && normalized != nullptr) severity.set("Label", severity_label_of(normalized->int_or(0)));
}

// The region and the defaults that Security Hub itself fills in.
void fill_defaults(Value& finding) {
  Value& severity = finding.at_or_make("Severity");
  if (severity.is_null()) severity = finding["FindingProviderFields"]["Severity"];
  fill_severity(severity);
  if (finding.find("Types") == nullptr) {
    const Value types = finding["FindingProviderFields"]["Types"];
    finding.set("Types", types.is_array() ? types : Value(json::Array()));
  }
  if (finding["FindingProviderFields"].is_null()) {
    json::Object provider;
    provider.set("Severity", finding["Severity"]);
    provider.set("Types", finding["Types"]);
    finding.set("FindingProviderFields", std::move(provider));
  }
  if (finding.find("RecordState") == nullptr) finding.set("RecordState", "ACTIVE");
  if (finding["Workflow"]["Status"].is_null()) finding.set("Workflow", json::Object{{"Status", "NEW"}});
  finding.set("WorkflowState", "NEW");  // the retired member, which Security Hub goes on sending
  if (finding.find("Region") == nullptr) {
    const auto parts = split(finding["ProductArn"].string_or(""), ':');
    finding.set("Region", parts.size() > 3 ? parts[3] : std::string_view());
  }
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-workflow-status.html
bool resets_workflow(const Value& before, const Value& after) {
  const std::string_view status = before["Workflow"]["Status"].string_or("");
  if (status != "RESOLVED" && status != "NOTIFIED") return false;
  if (before["RecordState"].string_or("") == "ARCHIVED" && after["RecordState"].string_or("") == "ACTIVE") return true;
  const std::string_view now = after["Compliance"]["Status"].string_or("");
  return before["Compliance"]["Status"].string_or("") == "PASSED" &&
         (now == "FAILED" || now == "WARNING" || now == "NOT_AVAILABLE");
}

// What differs between two findings: [{"UpdatedField", "OldValue", "NewValue"}], top-level members with their JSON
// text.
Value differences(const Value& before, const Value& after) {
  json::Array changes;
  const auto text = [](const Value& value) -> Value { return value.is_string() ? value : Value(json::print(value)); };
  for (const auto& member : after.as_object()) {
    const Value& old = before[member.key];
    if (member.key == "UpdatedAt" || old == member.value) continue;
    json::Object change;
    change.set("UpdatedField", member.key);
    if (!old.is_null()) change.set("OldValue", text(old));
    change.set("NewValue", text(member.value));
    changes.emplace_back(std::move(change));
  }
  return changes;
}

Result<void> write_history(store::Transaction& tx, const FindingKey& key, TimeMs at_ms, const std::string& source,
                           bool created, const Value& changes) {
  if (!created && changes.size() == 0) return {};
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO finding_history (product_arn, id, at_ms, source, created, changes) VALUES (?, ?, ?, ?, ?, ?)",
      {key.product_arn, key.id, at_ms, source, std::int64_t{created}, json::print(changes)}));
  return {};
}

struct Column {
  std::string_view field;
  std::string_view column;
};
// Columns that hold exactly what the filter of that name asks about.
constexpr Column exact_columns[] = {{"Id", "id"},
                                    {"ProductArn", "product_arn"},
                                    {"AwsAccountId", "account"},
                                    {"Region", "region"},
                                    {"GeneratorId", "generator"},
                                    {"WorkflowStatus", "workflow"},
                                    {"ComplianceStatus", "compliance"},
                                    {"RecordState", "record_state"},
                                    {"NoteUpdatedBy", "note_by"}};
constexpr Column sort_columns[] = {{"Id", "id"},
                                   {"ProductArn", "product_arn"},
                                   {"AwsAccountId", "account"},
                                   {"Region", "region"},
                                   {"GeneratorId", "generator"},
                                   {"WorkflowStatus", "workflow"},
                                   {"ComplianceStatus", "compliance"},
                                   {"RecordState", "record_state"},
                                   {"SeverityNormalized", "severity"},
                                   {"SeverityLabel", "severity"},
                                   {"CreatedAt", "created_ms"},
                                   {"UpdatedAt", "updated_ms"},
                                   {"ResourceId", "resource"}};

}  // namespace

store::Schema FindingStore::schema() {
  return {"findings", {tables}};
}

Result<std::optional<Value>> FindingStore::get(store::Session& session, const FindingKey& key) {
  FIXPOINT_TRY(rows,
               session.query("SELECT body FROM finding WHERE product_arn = ? AND id = ?", {key.product_arn, key.id}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(finding, json::parse(rows[0].text(0)));
  return std::move(finding);
}

Result<void> FindingStore::put(store::Transaction& tx, const Value& finding, bool created) {
  const TimeMs now = clock_.now_ms();
  const FindingKey key = key_of(finding);
  const auto text = [&](const Value& value) { return std::string(value.string_or("")); };
  const store::Params params{text(finding["AwsAccountId"]),
                             text(finding["Region"]),
                             text(finding["GeneratorId"]),
                             control_of(finding),
                             text(finding["Resources"][0]["Id"]),
                             finding["Severity"]["Normalized"].int_or(0),
                             text(finding["Workflow"]["Status"]),
                             text(finding["Compliance"]["Status"]),
                             text(finding["RecordState"]),
                             text(finding["Note"]["UpdatedBy"]),
                             time_or(finding["CreatedAt"], now),
                             time_or(finding["UpdatedAt"], now),
                             json::print(finding),
                             key.product_arn,
                             key.id};
  FIXPOINT_CHECK(tx.execute(
      created ? "INSERT INTO finding (account, region, generator, control, resource, severity, workflow, compliance, "
                "record_state, "
                "note_by, created_ms, updated_ms, body, product_arn, id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
              : "UPDATE finding SET account=?, region=?, generator=?, control=?, resource=?, severity=?, workflow=?, "
                "compliance=?, "
                "record_state=?, note_by=?, created_ms=?, updated_ms=?, body=? WHERE product_arn=? AND id=?",
      params));
  return {};
}

Result<Stored> FindingStore::import(store::Transaction& tx, Value finding) {
  const FindingKey key = key_of(finding);
  FIXPOINT_TRY(before, get(tx, key));
  const std::string now = format_iso8601_ms(clock_.now_ms());
  if (before) {
    // The customer's members survive whatever the provider sends.
    for (const auto* member : {"Note", "UserDefinedFields", "VerificationState", "Workflow"}) {
      finding.as_object().erase(member);
      if (const Value* kept = before->find(member)) finding.set(member, *kept);
    }
  }
  fill_defaults(finding);
  finding.set("ProcessedAt", now);
  if (before && resets_workflow(*before, finding)) finding.set("Workflow", json::Object{{"Status", "NEW"}});
  FIXPOINT_CHECK(put(tx, finding, !before));
  FIXPOINT_CHECK(write_history(tx, key, clock_.now_ms(), "BATCH_IMPORT_FINDINGS", !before,
                               before ? differences(*before, finding) : Value(json::Array())));
  return Stored{std::move(finding), !before};
}

Result<std::optional<Stored>> FindingStore::update(store::Transaction& tx, const FindingKey& key, const Value& update,
                                                   const std::string& by) {
  FIXPOINT_TRY(before, get(tx, key));
  if (!before) return std::nullopt;
  Value finding = *before;
  const std::string now = format_iso8601_ms(clock_.now_ms());
  for (const auto* member : {"Severity", "VerificationState", "Confidence", "Criticality", "Types", "UserDefinedFields",
                             "Workflow", "RelatedFindings"})
    if (const Value* value = update.find(member); value != nullptr && !value->is_null()) {
      Value merged = *value;
      if (std::string_view(member) == "Severity") {
        fill_severity(merged);
        if (const Value* original = finding["Severity"].find("Original")) merged.set("Original", *original);
      }
      finding.set(member, std::move(merged));
    }
  if (const Value* note = update.find("Note"); note != nullptr && note->is_object()) {
    Value stamped = *note;
    stamped.set("UpdatedAt", now);
    finding.set("Note", std::move(stamped));
  }
  finding.set("UpdatedAt", now);
  FIXPOINT_CHECK(put(tx, finding, false));
  FIXPOINT_CHECK(write_history(tx, key, clock_.now_ms(), by, false, differences(*before, finding)));
  return Stored{std::move(finding), false};
}

Result<FindingKey> FindingStore::resolve(std::string_view id) {
  return store_.read([&](store::Session& session) -> Result<FindingKey> {
    FIXPOINT_TRY(rows, session.query("SELECT product_arn, id FROM finding WHERE id = ? LIMIT 2", {std::string(id)}));
    if (rows.empty())
      return fail(errors::resource_not_found("no finding has the id '" + std::string(id) +
                                             "'; 'fixpoint findings' lists them"));
    if (rows.size() > 1)
      return fail(errors::validation("several products have a finding of the id '" + std::string(id) + "'"));
    return FindingKey{rows[0].text(0), rows[0].text(1)};
  });
}

Result<Page> FindingStore::find(const Filters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                                const std::string& token) {
  // A token is the number of matches to pass over, bound to nothing else: the order is total, so pages do not overlap
  // while nothing changes.
  std::size_t skip = 0;
  if (!token.empty()) {
    const auto decoded = base64_decode(token);
    const auto number =
        decoded && decoded->starts_with("n:") ? to_int64(std::string_view(*decoded).substr(2)) : std::nullopt;
    if (!number || *number < 0)
      return fail(errors::invalid_input("NextToken is none that this server gave", "NextToken"));
    skip = static_cast<std::size_t>(*number);
  }
  std::string sql = "SELECT body FROM finding";
  store::Params params;
  const char* joint = " WHERE ";
  for (const Column& exact : exact_columns) {
    const auto values = filters.equal_to_one_of(exact.field);
    if (values.empty()) continue;
    sql += joint + std::string(exact.column) + " IN (";
    for (std::size_t i = 0; i < values.size(); ++i) {
      sql += i == 0 ? "?" : ",?";
      params.emplace_back(values[i]);
    }
    sql += ")";
    joint = " AND ";
  }
  std::string order;
  for (const SortKey& key : sort) {
    const auto* column = std::find_if(std::begin(sort_columns), std::end(sort_columns),
                                      [&](const Column& c) { return c.field == key.field; });
    if (column == std::end(sort_columns))
      return fail(errors::invalid_input(
          "findings cannot be sorted by '" + key.field +
              "'; SeverityNormalized, UpdatedAt, CreatedAt and the other single-valued fields can",
          "SortCriteria"));
    order += std::string(column->column) + (key.descending ? " DESC, " : ", ");
  }
  sql += " ORDER BY " + order + "number";
  return store_.read([&](store::Session& session) -> Result<Page> {
    Page page;
    std::size_t passed = 0;
    Result<void> broken;
    FIXPOINT_CHECK(session.scan(sql, params, [&](store::Row& row) {
      auto finding = json::parse(row.text(0));
      if (!finding) {
        broken = fail(finding.error());
        return false;
      }
      if (!filters.matches(*finding)) return true;
      if (passed < skip) {
        ++passed;
        return true;
      }
      if (page.findings.size() == limit) {
        page.next_token = base64_encode("n:" + std::to_string(skip + limit));
        return false;
      }
      page.findings.push_back(std::move(*finding));
      return true;
    }));
    FIXPOINT_CHECK(broken);
    return page;
  });
}

}  // namespace fixpoint::findings
