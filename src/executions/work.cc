#include "executions/work.h"

#include "json/text.h"

namespace fixpoint::executions {
namespace {

using json::Value;

// 2048 and 512, the most characters of each: what an index of PostgreSQL takes beside the execution's id.
constexpr std::size_t longest_item_bytes = 2560;

// Outcomes that leave the finding NEW, so that any resend of it would ask for the same again.
bool leaves_finding_new(const std::string& outcome) {
  return outcome == "observed" || outcome == "undone" || outcome == "excepted";
}

// True where an undo that did not end "undone" may have taken something back all the same.
bool took_back(const Value& result) {
  return result["TakenBack"].size() + result["Unknown"].size() > 0;
}

bool is_decided(const Start& start) {
  return start.input["Decided"].bool_or(false);
}

Value form_of(const Start& start) {
  return json::Object{{"Name", start.name},       {"Kind", start.kind},     {"Program", start.program},
                      {"Account", start.account}, {"Region", start.region}, {"Subject", start.subject},
                      {"Input", start.input},     {"Cause", start.cause}};
}

Start start_of(const Value& form) {
  const auto text = [&](const char* name) { return std::string(form[name].string_or("")); };
  return {.name = text("Name"),
          .kind = text("Kind"),
          .program = text("Program"),
          .account = text("Account"),
          .region = text("Region"),
          .subject = text("Subject"),
          .input = form["Input"],
          .cause = text("Cause")};
}

struct Last {
  std::string execution;
  std::string kind;
  bool ended = false;
  std::string outcome;
  std::string subject;
  bool passed = false;
  std::string result;
};

Result<std::optional<Last>> last_of(store::Session& session, const std::string& fingerprint) {
  FIXPOINT_TRY(
      rows,
      session.query("SELECT w.execution, e.ended_ms, e.outcome, e.subject, w.passed, e.kind, e.result FROM work w JOIN "
                    "execution e ON e.id = w.execution WHERE w.fingerprint = ?",
                    {fingerprint}));
  if (rows.empty()) return std::nullopt;
  return Last{rows[0].take(0), rows[0].take(5),         rows[0].integer(1) != 0, rows[0].take(2),
              rows[0].take(3), rows[0].integer(4) != 0, rows[0].take(6)};
}

// The digest that the finding had for that execution; empty where it was not about that finding.
Result<std::string> digest_of(store::Session& session, const std::string& execution, const Item& item) {
  FIXPOINT_TRY(attached,
               session.query("SELECT digest FROM work_item WHERE execution = ? AND product_arn = ? AND id = ?",
                             {execution, item.product_arn, item.id}));
  if (!attached.empty()) return attached[0].take(0);
  FIXPOINT_TRY(rows, session.query("SELECT input FROM execution WHERE id = ?", {execution}));
  if (rows.empty()) return std::string();
  FIXPOINT_TRY(input, json::parse_printed(rows[0].text(0)));
  const Value& finding = input["Finding"];
  if (finding["Id"].string_or("") != item.id || finding["ProductArn"].string_or("") != item.product_arn)
    return std::string();
  return std::string(input["Digest"].string_or(""));
}

}  // namespace

Value to_json(const Flapping& f) {
  return json::Object{{"Control", f.work.control},
                      {"Account", f.work.account},
                      {"Region", f.work.region},
                      {"Resource", f.work.resource},
                      {"Since", format_iso8601_ms(f.since_ms)},
                      {"Reverts", f.reverts},
                      {"Execution", f.execution}};
}

Works::Works(store::Store& store, Executor& executor, const Clock& clock, Tell tell, Options options)
    : store_(store), executor_(executor), clock_(clock), tell_(std::move(tell)), options_(options) {
  executor_.add_watch([this](store::Transaction& tx, const Execution& execution) { return watch(tx, execution); });
  resume_by([this](store::Transaction& tx, const Kept& kept) -> Result<std::optional<Begun>> {
    FIXPOINT_TRY(begun, begin(tx, kept.work, kept.item, kept.start,
                              [&](const std::string&, const Value&) { return is_decided(kept.start); }));
    return std::move(begun);
  });
}

Result<void> Works::watch(store::Transaction& tx, const Execution& execution) {
  if (execution.work.empty()) return {};
  if (execution.ended_ms == 0) {
    FIXPOINT_CHECK(tx.execute(
        "UPDATE work SET before_undo = execution, passed_before = passed, execution = ?, passed = 0 WHERE fingerprint "
        "= ?",
        {execution.id, execution.work}));
  } else if (execution.kind == "undo") {
    FIXPOINT_CHECK(undo_ended(tx, execution));
    FIXPOINT_CHECK(resume(tx, execution));
  } else if (execution.outcome == "fixed") {
    FIXPOINT_CHECK(tx.execute("UPDATE work SET fixed = ? WHERE fingerprint = ?", {execution.id, execution.work}));
  }
  return {};
}

Result<void> Works::undo_ended(store::Transaction& tx, const Execution& undo) {
  FIXPOINT_TRY(first, origin(tx, undo.id));
  if (undo.outcome == "undone") {
    // What a person took back does not count as turned back by something else. Where that was an undo, the fix is there
    // again: what is found failing from then on is news.
    FIXPOINT_CHECK(tx.execute("UPDATE work SET fixed = '', passed = ? WHERE fingerprint = ?",
                              {std::int64_t{first.taken_back() ? 0 : 1}, undo.work}));
  } else if (first.taken_back() && took_back(undo.result)) {
    FIXPOINT_CHECK(tx.execute("UPDATE work SET fixed = '' WHERE fingerprint = ?", {undo.work}));
  } else {
    // It stands as it stood; that it passed meanwhile stays said. Of an undo that began before the store kept what
    // stood then, that is what it was to take back.
    FIXPOINT_CHECK(tx.execute(
        "UPDATE work SET execution = CASE WHEN before_undo = '' THEN ? ELSE before_undo END, passed = CASE WHEN passed "
        "= 1 THEN 1 ELSE passed_before END WHERE fingerprint = ? AND execution = ?",
        {std::string(undo.input["Execution"].string_or("")), undo.work, undo.id}));
  }
  return {};
}

Result<void> Works::keep(store::Transaction& tx, const std::string& undo, const Item& item, const Start& start) {
  const bool decided = is_decided(start);
  FIXPOINT_TRY(
      fresh, tx.execute("INSERT INTO work_kept (undo, product_arn, id, digest, decided, start) VALUES (?, ?, ?, ?, ?, "
                        "?) ON CONFLICT (undo, product_arn, id, decided) DO NOTHING",
                        {undo, item.product_arn, item.id, item.digest, decided ? start.name : std::string(),
                         json::print(form_of(start))}));
  if (fresh == 0) return {};
  const std::string by(start.input["By"].string_or(""));
  return executor_.note(tx, undo,
                        "meanwhile the work was asked for by " +
                            (decided ? (by.empty() ? "a custom action" : by) + " for the finding " : "the finding ") +
                            item.id + ": it is looked at again once this has ended");
}

// What came while the undo was under way finds what it would have found had it come now.
Result<void> Works::resume(store::Transaction& tx, const Execution& undo) {
  FIXPOINT_TRY(rows, tx.query("SELECT k.product_arn, k.id, k.digest, k.start, w.control, w.account, w.region, "
                              "w.resource, k.number FROM work_kept k, work w WHERE k.undo = ? AND k.execution = '' AND "
                              "w.fingerprint = ? ORDER BY CASE WHEN k.decided = '' THEN 1 ELSE 0 END, k.number",
                              {undo.id, undo.work}));
  for (store::Row& row : rows) {
    FIXPOINT_TRY(form, json::parse_printed(row.text(3)));
    const Kept kept{{undo.work, row.take(4), row.take(5), row.take(6), row.take(7)},
                    {row.take(0), row.take(1), row.take(2)},
                    start_of(form)};
    FIXPOINT_TRY(begun, resume_(tx, kept));
    const bool goes_on = begun && begun->how != Begun::How::Known;
    if (goes_on)
      FIXPOINT_CHECK(tx.execute("UPDATE work_kept SET execution = ?, start = '' WHERE number = ?",
                                {begun->execution, row.integer(8)}));
    else
      FIXPOINT_CHECK(tx.execute("DELETE FROM work_kept WHERE number = ?", {row.integer(8)}));
    FIXPOINT_CHECK(executor_.note(tx, undo.id,
                                  "what the finding " + kept.item.id + " asked for meanwhile " +
                                      (goes_on ? "is done by the execution " + begun->execution
                                               : std::string("would begin nothing now, and begins nothing"))));
  }
  return {};
}

Result<std::vector<Works::Resumed>> Works::resumed(const std::string& undo) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Resumed>> {
    FIXPOINT_TRY(rows, session.query("SELECT product_arn, id, execution FROM work_kept WHERE undo = ? AND execution <> "
                                     "'' GROUP BY product_arn, id, execution ORDER BY min(number)",
                                     {undo}));
    std::vector<Resumed> out;
    for (store::Row& row : rows) out.push_back({row.take(0), row.take(1), row.take(2)});
    return std::move(out);
  });
}

Result<Works::Origin> Works::origin(store::Session& session, std::string execution) {
  Origin out{std::move(execution)};
  while (true) {
    FIXPOINT_TRY(rows, session.query("SELECT input FROM execution WHERE id = ? AND kind = 'undo'", {out.execution}));
    if (rows.empty()) return out;
    FIXPOINT_TRY(input, json::parse_printed(rows[0].text(0)));
    out.execution = input["Execution"].string_or("");
    ++out.undos;
  }
}

Result<Started> Works::undo(store::Transaction& tx, Start start) {
  std::vector<store::Row> open;
  if (!start.cause.empty()) {
    FIXPOINT_TRY(undos, tx.query("SELECT id, kind, status, outcome FROM execution WHERE kind = 'undo' AND cause = ? "
                                 "AND ended_ms = 0",
                                 {start.cause}));
    open = std::move(undos);
  }
  if (open.empty() && !start.work.empty()) {
    FIXPOINT_TRY(last, tx.query("SELECT e.id, e.kind, e.status, e.outcome FROM work w JOIN execution e ON e.id = "
                                "w.execution WHERE w.fingerprint = ? AND e.ended_ms = 0",
                                {start.work}));
    open = std::move(last);
  }
  if (open.empty()) return executor_.launch(tx, std::move(start));
  const std::string id = open[0].take(0);
  const std::string outcome = open[0].take(3);
  return fail(errors::resource_conflict(
      (open[0].text(1) == "undo" ? "the undo " : "the execution ") + id + " of the same work has not ended: it is " +
      open[0].take(2) + (outcome.empty() ? "" : ", " + outcome) + "; " +
      (outcome == "waits for approval"     ? "approve or reject it, and ask again once it has ended"
       : outcome == "waits for the window" ? "reject it, or ask again once it has ended"
                                           : "ask again once it has ended")));
}

Result<Begun> Works::begin(store::Transaction& tx, const Work& work, const Item& item, Start start,
                           const Again& again) {
  if (item.product_arn.size() + item.id.size() > longest_item_bytes)
    return fail(errors::validation("the finding's ProductArn and Id together have " +
                                   std::to_string(item.product_arn.size() + item.id.size()) + " bytes; at most " +
                                   std::to_string(longest_item_bytes) + " are taken"));
  if (work.fingerprint.empty()) {
    FIXPOINT_TRY(started, executor_.launch(tx, std::move(start)));
    return Begun{started.fresh ? Begun::How::Started : Begun::How::Known, started.id, {}};
  }
  if (!start.cause.empty()) {
    // The event is the doing of this very work: what it wrote on a finding, or changed.
    FIXPOINT_TRY(own, tx.query("SELECT 1 FROM execution WHERE id = ? AND work = ?", {start.cause, work.fingerprint}));
    if (!own.empty()) return Begun{Begun::How::Known, start.cause, {}};
  }
  FIXPOINT_TRY(last, last_of(tx, work.fingerprint));
  if (last && !last->ended && last->kind == "undo") {
    FIXPOINT_CHECK(keep(tx, last->execution, item, start));
    return Begun{Begun::How::Undoing, last->execution, {}};
  }
  if (last && !last->ended) {
    FIXPOINT_TRY(fresh, tx.execute("INSERT INTO work_item (execution, product_arn, id, digest) VALUES (?, ?, ?, ?) ON "
                                   "CONFLICT (execution, product_arn, id) DO NOTHING",
                                   {last->execution, item.product_arn, item.id, item.digest}));
    if (fresh != 0 && item.id != last->subject)
      FIXPOINT_CHECK(executor_.note(tx, last->execution, "the same work for another finding: " + item.id));
    return Begun{Begun::How::Attached, last->execution, {}};
  }
  if (last && !last->passed && (leaves_finding_new(last->outcome) || last->kind == "undo")) {
    FIXPOINT_TRY(result, json::parse_printed(last->result.empty() ? "null" : last->result));
    // What a person took back, be it in part: until it passes, or a person says so.
    bool known = last->outcome == "undone" || (last->kind == "undo" && took_back(result));
    if (!known) {
      FIXPOINT_TRY(digest, digest_of(tx, last->execution, item));
      known = digest == item.digest;
    }
    if (known) {
      FIXPOINT_TRY(once_more, again(last->outcome, result));
      if (!once_more) return Begun{Begun::How::Known, last->execution, last->outcome};
    }
  }
  if (!last)
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO work (fingerprint, control, account, region, resource, execution, fixed, "
                   "passed, asks_ms, reverts) VALUES (?, ?, ?, ?, ?, '', '', 0, 0, 0) ON CONFLICT "
                   "(fingerprint) DO NOTHING",
                   {work.fingerprint, work.control, work.account, work.region, work.resource}));
  start.work = work.fingerprint;
  start.input.set("Digest", item.digest);
  FIXPOINT_TRY(started, executor_.launch(tx, std::move(start)));
  return Begun{started.fresh ? Begun::How::Started : Begun::How::Known, started.id, {}};
}

Result<void> Works::passed(store::Transaction& tx, const std::string& fingerprint) {
  FIXPOINT_CHECK(tx.execute("UPDATE work SET passed = 1 WHERE fingerprint = ?", {fingerprint}));
  return {};
}

Result<std::vector<Item>> Works::attached(store::Session& session, const std::string& execution) {
  FIXPOINT_TRY(rows, session.query("SELECT product_arn, id, digest FROM work_item WHERE execution = ? ORDER BY "
                                   "product_arn, id",
                                   {execution}));
  std::vector<Item> items;
  for (store::Row& row : rows) items.push_back({row.take(0), row.take(1), row.take(2)});
  return items;
}

Result<std::vector<Item>> Works::attached(const std::string& execution) {
  return store_.read([&](store::Session& session) { return attached(session, execution); });
}

Result<Works::Reading> Works::failing(const Execution& execution) {
  Reading reading;
  if (execution.work.empty()) return reading;
  FIXPOINT_CHECK(store_.read([&](store::Session& session) -> Result<void> {
    FIXPOINT_TRY(rows, session.query("SELECT fixed, asks_ms FROM work WHERE fingerprint = ?", {execution.work}));
    if (rows.empty()) return {};
    reading.fixed = rows[0].take(0);
    reading.asks = rows[0].integer(1) != 0;
    reading.reverted = !reading.fixed.empty();
    if (!reading.reverted) return {};
    FIXPOINT_TRY(count, session.query("SELECT count(*) FROM work_revert WHERE fingerprint = ? AND at_ms > ?",
                                      {execution.work, clock_.now_ms() - options_.window_ms}));
    reading.reverts = count[0].integer(0) + 1;
    reading.asks = reading.asks || reading.reverts >= options_.reverts;
    return {};
  }));
  return reading;
}

Result<void> Works::record(store::Transaction& tx, const Execution& execution, const Reading& reading) {
  if (!reading.reverted) return {};
  const TimeMs now = clock_.now_ms();
  FIXPOINT_TRY(fresh, tx.execute("INSERT INTO work_revert (fixed, fingerprint, at_ms) VALUES (?, ?, ?) ON CONFLICT "
                                 "(fixed) DO NOTHING",
                                 {reading.fixed, execution.work, now}));
  if (fresh == 0) return {};
  FIXPOINT_CHECK(tx.execute("UPDATE work SET fixed = '' WHERE fingerprint = ?", {execution.work}));
  FIXPOINT_CHECK(executor_.note(tx, execution.id,
                                "what the execution " + reading.fixed + " had fixed was turned back (" +
                                    std::to_string(reading.reverts) + " in the last day)"));
  if (!reading.asks) return {};
  FIXPOINT_TRY(moved, tx.execute("UPDATE work SET asks_ms = ?, reverts = ? WHERE fingerprint = ? AND asks_ms = 0",
                                 {now, reading.reverts, execution.work}));
  if (moved == 0) return {};
  FIXPOINT_TRY(rows,
               tx.query("SELECT control, account, region, resource FROM work WHERE fingerprint = ?", {execution.work}));
  const Flapping flapping{
      {execution.work, rows.at(0).take(0), rows.at(0).take(1), rows.at(0).take(2), rows.at(0).take(3)},
      now,
      reading.reverts,
      execution.id};
  Value detail = to_json(flapping);
  const std::string sentence = "Something keeps turning back what control " + flapping.work.control + " fixes on " +
                               flapping.work.resource + " (" + std::to_string(reading.reverts) +
                               " times in a day): it asks before it changes that again";
  detail.set("Alert", "flapping");
  detail.set("Message", sentence);
  FIXPOINT_CHECK(executor_.note(tx, execution.id, sentence));
  return tell_(tx, Notice{"Alert", execution.account, execution.region, json::Array{Value(flapping.work.resource)},
                          std::move(detail)});
}

Result<std::vector<Flapping>> Works::flapping() {
  return store_.read([&](store::Session& session) -> Result<std::vector<Flapping>> {
    FIXPOINT_TRY(rows,
                 session.query("SELECT fingerprint, control, account, region, resource, asks_ms, reverts, execution "
                               "FROM work WHERE asks_ms > 0 ORDER BY asks_ms DESC, fingerprint"));
    std::vector<Flapping> out;
    for (store::Row& row : rows)
      out.push_back({{row.take(0), row.take(1), row.take(2), row.take(3), row.take(4)},
                     row.integer(5),
                     row.integer(6),
                     row.take(7)});
    return out;
  });
}

Result<std::optional<TimeMs>> Works::asks_since(store::Session& session, const std::string& control,
                                                const std::string& resource) {
  FIXPOINT_TRY(rows, session.query("SELECT asks_ms FROM work WHERE control = ? AND resource = ? AND asks_ms > 0 ORDER "
                                   "BY asks_ms DESC LIMIT 1",
                                   {control, resource}));
  return rows.empty() ? std::nullopt : std::optional<TimeMs>(rows[0].integer(0));
}

Result<void> Works::reset(store::Transaction& tx, const std::string& control, const std::string& resource,
                          const std::string& by) {
  FIXPOINT_TRY(rows,
               tx.query("SELECT fingerprint, account, region, execution, asks_ms, reverts FROM work WHERE control "
                        "= ? AND resource = ? AND asks_ms > 0",
                        {control, resource}));
  if (rows.empty())
    return fail(errors::resource_not_found("control " + control + " is not in 'ask' for reverts of " + resource +
                                           "; 'fixpoint flapping' lists what is"));
  for (store::Row& row : rows) {
    FIXPOINT_CHECK(
        tx.execute("UPDATE work SET asks_ms = 0, reverts = 0, fixed = '' WHERE fingerprint = ?", {row.text(0)}));
    FIXPOINT_CHECK(tx.execute("DELETE FROM work_revert WHERE fingerprint = ?", {row.text(0)}));
    Value detail = to_json(Flapping{
        {row.text(0), control, row.text(1), row.text(2), resource}, row.integer(4), row.integer(5), row.text(3)});
    detail.set("Alert", "flapping reset");
    detail.set("By", by);
    FIXPOINT_CHECK(
        tell_(tx, Notice{"Alert", row.text(1), row.text(2), json::Array{Value(resource)}, std::move(detail)}));
  }
  return {};
}

}  // namespace fixpoint::executions
