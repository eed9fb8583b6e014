#include "changes/caps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr TimeMs hour_ms = 3'600'000;
constexpr TimeMs kept_ms = 30 * 24 * hour_ms;  // for the record; after an hour a row counts for nothing
constexpr std::size_t shown_names = 25;        // in a sentence

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

void add(std::vector<std::string>& list, std::string text) {
  if (!text.empty() && !holds(list, text)) list.push_back(std::move(text));
}

bool names_something(std::string_view member) {
  static constexpr std::array<std::string_view, 10> endings{"Id",   "Ids", "Name", "Names",  "Arn",
                                                            "Arns", "ARN", "ARNs", "Bucket", "QueueUrl"};
  static constexpr std::array<std::string_view, 3> others{"ClientRequestToken", "ExpectedBucketOwner", "AccountId"};
  if (std::find(others.begin(), others.end(), member) != others.end()) return false;
  const std::string capital = member.empty() ? "" : to_upper(member.substr(0, 1)) + std::string(member.substr(1));
  return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return capital.ends_with(ending); });
}

std::string names_of(const std::vector<std::string>& list) {
  if (list.empty()) return "none";
  if (list.size() <= shown_names) return join(list, ", ");
  return join({list.begin(), list.begin() + shown_names}, ", ") + " and " + std::to_string(list.size() - shown_names) +
         " more";
}

// What lies after `now_ms` counts too (another server's clock), but where the past is asked for.
Result<CapState> read_state(store::Session& session, const std::string& program, const std::string& account,
                            TimeMs now_ms, TimeMs until_ms = std::numeric_limits<TimeMs>::max()) {
  CapState out;
  FIXPOINT_TRY(rows,
               session.query("SELECT resource, refused FROM touched WHERE program = ? AND account = ? AND at_ms > "
                             "? AND at_ms <= ? ORDER BY number",
                             {program, account, now_ms - hour_ms, until_ms}));
  std::set<std::string> touched;
  std::set<std::string> refused;
  for (store::Row& row : rows) {
    const bool was_refused = row.integer(1) != 0;
    if ((was_refused ? refused : touched).insert(row.text(0)).second)
      (was_refused ? out.refused : out.touched).push_back(row.take(0));
  }
  std::erase_if(out.refused, [&](const std::string& resource) { return touched.contains(resource); });
  return out;
}

// True where what was touched within the hour and `more` resources fit for certain: where even all rows that are kept,
// whoever they are of, would. False says nothing.
Result<bool> fits_for_certain(store::Session& session, const Rules& rules, std::size_t more) {
  if (rules.cap_percent) return false;
  FIXPOINT_TRY(rows, session.query("SELECT (SELECT max(number) FROM touched), (SELECT min(number) FROM touched)"));
  const std::int64_t at_most = rows[0].is_null(0) ? 0 : rows[0].integer(0) - rows[0].integer(1) + 1;
  return at_most + static_cast<std::int64_t>(more) <= rules.cap_resources;
}

struct Counted {
  CapState state;
  std::optional<Error> over;
};

Result<Counted> look_at_cap(store::Session& session, const Mandate& mandate, const Counting& counting, TimeMs now_ms) {
  Counted out;
  FIXPOINT_TRY(fits, fits_for_certain(session, counting.rules, counting.resources.size()));
  // A row more for what was touched within the hour already counts once all the same.
  if (fits) return std::move(out);
  auto state = cap_state(session, mandate, counting.account, counting.rules, now_ms);
  if (state) {
    out.state = std::move(*state);
    out.over = over_cap(out.state, mandate.program, counting.account, counting.resources);
    return std::move(out);
  }
  if (state.error().code != "CapReached") return fail(std::move(state.error()));
  out.over = std::move(state.error());
  FIXPOINT_TRY(known, read_state(session, mandate.program, counting.account, now_ms));
  out.state = std::move(known);
  return std::move(out);
}

}  // namespace

Value to_json(const CapState& state) {
  return json::Object{{"Limit", state.limit},
                      {"Why", state.limit_words},
                      {"Touched", json::Array(state.touched.begin(), state.touched.end())},
                      {"Refused", json::Array(state.refused.begin(), state.refused.end())}};
}

Result<std::vector<std::string>> resources_of(const Recipe* recipe, const Mandate& mandate, const Change& change) {
  const Value& input = change.input;
  std::vector<std::string> out;
  if (recipe != nullptr && recipe->resource) {
    jsonata::Bindings bindings;
    bindings.borrow("input", input);
    bindings.set("account", Value(change.account));
    bindings.set("region", Value(change.region));
    bindings.set("partition", Value(partition_of_region(change.region)));
    FIXPOINT_TRY(named, recipe->resource->fill(Value(), bindings));
    const Value list = named && !named->is_array() ? Value(json::Array{*named}) : named.value_or(Value());
    for (std::size_t i = 0; i < list.size(); ++i) add(out, std::string(list[i].string_or("")));
    if (!out.empty()) return out;
  }
  if (mandate.kind != "function" && !mandate.resources.empty()) return mandate.resources;
  if (input.is_object())
    for (const auto& member : input.as_object()) {
      if (!names_something(member.key)) continue;
      const json::Array list = member.value.is_array() ? member.value.as_array() : json::Array{member.value};
      for (const Value& name : list)
        if (name.is_string())
          add(out, name.as_string().starts_with("arn:") ? name.as_string() : change.service + ":" + name.as_string());
    }
  if (out.empty()) out.push_back(change.call() + " " + json::print(input).substr(0, 200));
  return out;
}

Result<CapState> cap_state(store::Session& session, const Mandate& mandate, const std::string& account,
                           const Rules& rules, TimeMs now_ms) {
  FIXPOINT_TRY(state, read_state(session, mandate.program, account, now_ms));
  state.limit = rules.cap_resources;
  state.limit_words = std::to_string(rules.cap_resources) + " resources an hour";
  if (!rules.cap_percent) return std::move(state);
  const std::string percent = Value(*rules.cap_percent).number_text() + " %";
  // What is listed is there; the number that somebody set is for where nothing lists them.
  const std::int64_t listed = account == mandate.account ? mandate.population : -1;
  const std::int64_t population = listed >= 0 ? listed : rules.cap_population.value_or(-1);
  if (population < 0)
    return fail(errors::coded(
        "CapReached",
        "at most " + percent + " of the resources may be changed in an hour, and nobody knows of how many: neither " +
            mandate.program +
            " nor a control for what its finding is about lists them; nothing was changed. Set cap_population to how "
            "many there are ('fixpoint settings cap_population NUMBER --control " +
            mandate.program + "'), or cap_resources instead of cap_percent",
        403));
  const auto share =
      static_cast<std::int64_t>(std::floor(static_cast<double>(population) * *rules.cap_percent / 100 + 1e-9));
  if (share < state.limit) {
    state.limit = share;
    state.limit_words =
        percent + " of " + std::to_string(population) + " resources an hour, which is " + std::to_string(share);
  }
  return std::move(state);
}

Result<CapState> touched_before(store::Session& session, const std::string& program, const std::string& account,
                                TimeMs at_ms) {
  return read_state(session, program, account, at_ms, at_ms);
}

std::optional<Error> over_cap(const CapState& state, const std::string& program, const std::string& account,
                              const std::vector<std::string>& resources) {
  std::vector<std::string> all = state.touched;
  for (const auto& resource : resources) add(all, resource);
  // What was touched within the hour already may be touched again: that is no further resource.
  const bool nothing_new = all.size() == state.touched.size() && state.limit > 0;
  if (static_cast<std::int64_t>(all.size()) <= state.limit || nothing_new) return std::nullopt;
  std::vector<std::string> wanted = state.refused;
  for (const auto& resource : resources)
    if (state.limit == 0 || !holds(state.touched, resource)) add(wanted, resource);
  return errors::coded("CapReached",
                       program + " may change " + state.limit_words + " in account " + account +
                           ". Changed within the last hour (" + std::to_string(state.touched.size()) +
                           "): " + names_of(state.touched) + ". Refused (" + std::to_string(wanted.size()) +
                           "): " + names_of(wanted) + ".",
                       403);
}

Result<std::optional<Stop>> count(store::Transaction& tx, const Mandate& mandate, const std::vector<Counting>& accounts,
                                  TimeMs now_ms) {
  std::vector<Counted> counted;
  for (const Counting& one : accounts) {
    FIXPOINT_TRY(look, look_at_cap(tx, mandate, one, now_ms));
    counted.push_back(std::move(look));
  }
  std::optional<Stop> stop;
  for (std::size_t i = 0; i < accounts.size() && !stop; ++i)
    if (counted[i].over) stop = Stop{*counted[i].over, accounts[i].account};
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const auto& [account, rules, resources] = accounts[i];
    const auto& [state, over] = counted[i];
    for (const auto& resource : resources) {
      if (stop && !over) break;
      if (holds(state.touched, resource) || (over && holds(state.refused, resource))) continue;
      FIXPOINT_CHECK(tx.execute(
          "INSERT INTO touched (program, account, resource, refused, at_ms, execution) VALUES (?, ?, ?, ?, ?, ?)",
          {mandate.program, account, resource, std::int64_t{over.has_value()}, now_ms, mandate.execution}));
    }
    FIXPOINT_CHECK(tx.execute("DELETE FROM touched WHERE program = ? AND account = ? AND at_ms <= ?",
                              {mandate.program, account, now_ms - kept_ms}));
  }
  return stop;
}

}  // namespace fixpoint::changes
