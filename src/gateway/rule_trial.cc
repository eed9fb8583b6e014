#include "gateway/rule_trial.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/arn.h"
#include "findings/fingerprint.h"
#include "findings/ocsf.h"
#include "gateway/control_target.h"
#include "json/text.h"
#include "patterns/machine.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::size_t most_events = 100'000;
constexpr std::size_t archived_a_page = 500;
constexpr std::size_t findings_a_page = 100;
constexpr std::size_t most_lines = 1000;  // of the answer's lists

using Place = services::hub::FeedMap::Place;

// Whether findings of other accounts and Regions are to be looked at as well.
bool collects(const RuleTrial::Question& question) {
  return question.feeds && question.feeds->collects({question.bus.account, question.bus.region});
}

bool hears(const RuleTrial::Question& question, std::string_view account, std::string_view region) {
  if (account == question.bus.account && region == question.bus.region) return true;
  if (!question.feeds) return false;
  const auto feeds = question.feeds->of(std::string(account), std::string(region));
  return std::find(feeds.begin(), feeds.end(), Place{question.bus.account, question.bus.region}) != feeds.end();
}

}  // namespace

struct RuleTrial::Tally {
  std::shared_ptr<const patterns::Machine> machine;
  patterns::Scratch scratch;
  std::vector<bus::Target> targets;
  std::set<std::string> seen;  // ids of archived events, which several archives may hold
  std::size_t archived = 0, of_findings = 0, matched = 0;
  bool whole = true;
  struct Begun {
    Value line;
    std::int64_t events = 0;
  };
  std::map<std::string, Begun> starts;
  json::Array left_alone;

  bool full() {
    if (archived + of_findings < most_events) return false;
    whole = false;
    return true;
  }
  void start(const std::string& key, json::Object line) {
    Begun& begun = starts[key];
    if (begun.events++ == 0) begun.line = std::move(line);
  }
};

Result<Value> RuleTrial::ask(const Question& question) {
  Tally tally;
  std::string pattern = question.pattern;
  if (!question.rule.empty()) {
    FIXPOINT_TRY(rule, bus_.find_rule(question.bus, question.rule));
    if (!rule)
      return fail(
          errors::resource_not_found("there is no rule '" + question.rule + "' on the bus " + question.bus.name));
    if (pattern.empty()) pattern = rule->pattern;
    if (pattern.empty())
      return fail(errors::validation("the rule '" + question.rule + "' has a schedule and no pattern to try"));
    FIXPOINT_TRY(targets, bus_.list_targets(question.bus, question.rule));
    tally.targets = std::move(targets);
  }
  FIXPOINT_TRY(compiled, patterns::compile(pattern));
  tally.machine = patterns::Machine::build({{"tried", &compiled}});
  FIXPOINT_CHECK(from_archives(question, tally));
  if (question.bus.name == "default") FIXPOINT_CHECK(from_findings(question, tally));
  if (question.bus.name == "default" && question.sends_v2) FIXPOINT_CHECK(from_findings_v2(question, tally));

  json::Array starts;
  for (auto& [key, begun] : tally.starts) {
    if (starts.size() == most_lines) break;
    begun.line.set("Events", begun.events);
    starts.push_back(std::move(begun.line));
  }
  return Value(json::Object{{"Rule", question.rule},
                            {"Since", format_iso8601_ms(question.since_ms)},
                            {"Events", tally.archived + tally.of_findings},
                            {"FromArchives", tally.archived},
                            {"FromFindings", tally.of_findings},
                            {"Matched", tally.matched},
                            {"WouldStart", tally.starts.size()},
                            {"Starts", std::move(starts)},
                            {"LeftAlone", std::move(tally.left_alone)},
                            {"Whole", tally.whole}});
}

Result<void> RuleTrial::from_archives(const Question& question, Tally& tally) {
  FIXPOINT_TRY(archives, bus_.archives().list(question.bus, "", question.bus.name));
  for (const bus::Archive& archive : archives) {
    std::int64_t after = 0;
    while (!tally.full()) {
      FIXPOINT_TRY(page,
                   bus_.archives().kept(archive.arn(), question.since_ms, clock_.now_ms() + 1, after, archived_a_page));
      for (const auto& kept : page) {
        FIXPOINT_TRY(event, json::parse(kept.event));
        after = kept.number;
        if (!tally.seen.insert(std::string(event["id"].string_or(""))).second) continue;
        ++tally.archived;
        FIXPOINT_CHECK(consider(event, tally));
      }
      if (page.size() < archived_a_page) break;
    }
  }
  return {};
}

Result<void> RuleTrial::from_findings(const Question& question, Tally& tally) {
  const json::Object range{{"Start", format_iso8601_ms(question.since_ms)},
                           {"End", format_iso8601_ms(clock_.now_ms() + 1)}};
  json::Object form{{"UpdatedAt", json::Array{Value(range)}}};
  if (!collects(question))
    for (const auto& [field, value] :
         {std::pair{"AwsAccountId", question.bus.account}, {"Region", question.bus.region}})
      form.set(field, json::Array{Value(json::Object{{"Value", value}, {"Comparison", "EQUALS"}})});
  FIXPOINT_TRY(filters, findings::Filters::compile(form, clock_.now_ms()));
  std::string token;
  while (!tally.full()) {
    FIXPOINT_TRY(page, findings_.find(filters, {{"UpdatedAt", false}}, findings_a_page, token));
    for (const Value& finding : page.findings) {
      if (!hears(question, finding["AwsAccountId"].string_or(""), finding["Region"].string_or(""))) continue;
      ++tally.of_findings;
      FIXPOINT_CHECK(consider(
          services::SecurityHub::imported_event(bus_, finding, {question.bus.account, question.bus.region}), tally));
    }
    token = page.next_token;
    if (token.empty()) break;
  }
  return {};
}

Result<void> RuleTrial::from_findings_v2(const Question& question, Tally& tally) {
  const auto equals = [](const char* field, const std::string& value) {
    return Value(
        json::Object{{"FieldName", field}, {"Filter", json::Object{{"Value", value}, {"Comparison", "EQUALS"}}}});
  };
  const json::Object range{{"Start", format_iso8601_ms(question.since_ms)},
                           {"End", format_iso8601_ms(clock_.now_ms() + 1)}};
  json::Object composite{{"DateFilters", json::Array{Value(json::Object{{"FieldName", "finding_info.modified_time_dt"},
                                                                        {"Filter", range}})}}};
  if (!collects(question))
    composite.set("StringFilters", json::Array{equals("cloud.account.uid", question.bus.account),
                                               equals("cloud.region", question.bus.region)});
  FIXPOINT_TRY(filters, findings::OcsfFilters::compile(
                            json::Object{{"CompositeFilters", json::Array{Value(composite)}}}, clock_.now_ms()));
  std::string token;
  while (!tally.full()) {
    FIXPOINT_TRY(page, findings_.find(filters, {{"UpdatedAt", false}}, findings_a_page, token));
    for (const Value& ocsf : page.findings) {
      if (!hears(question, ocsf["cloud"]["account"]["uid"].string_or(""), ocsf["cloud"]["region"].string_or("")))
        continue;
      ++tally.of_findings;
      FIXPOINT_CHECK(consider(
          services::SecurityHub::imported_event_v2(bus_, ocsf, {question.bus.account, question.bus.region}), tally));
    }
    token = page.next_token;
    if (token.empty()) break;
  }
  return {};
}

Result<void> RuleTrial::consider(const Value& event, Tally& tally) {
  std::vector<patterns::RuleId> matched;
  FIXPOINT_CHECK(tally.machine->match(json::print(event), matched, tally.scratch));
  if (matched.empty()) return {};
  ++tally.matched;
  const Value& findings = event["detail"]["findings"];
  for (const bus::Target& target : tally.targets) {
    const auto arn = parse_arn(target.arn);
    if (!arn || arn->service != "fixpoint") {
      tally.start(target.id, {{"Target", target.arn}, {"Program", target.arn}});
      continue;
    }
    const std::string named = arn->resource.substr(arn->resource.find('/') + 1);
    for (std::size_t i = 0; i < findings.size(); ++i) {
      const auto read = findings::is_ocsf(findings[i]) ? findings::asff_of(findings[i]) : Result<Value>(findings[i]);
      if (!read) continue;
      const Value& finding = *read;
      const auto control = controls_.find(named == "*" ? findings::control_of(finding) : named);
      std::string because = ControlTarget::left_alone_because(finding);
      if (because.empty() && !control) because = "no control is for it";
      if (!because.empty()) {
        if (tally.left_alone.size() < most_lines)
          tally.left_alone.emplace_back(json::Object{{"Finding", finding["Id"]}, {"Because", because}});
        continue;
      }
      const Value& resource = controls::resource_of(finding, *control);
      const auto work = findings::work_of(finding, control->id, resource);
      const std::string key = work.fingerprint();
      tally.start("control " + (key.empty() ? std::string(finding["Id"].string_or("")) : key),
                  {{"Target", target.arn},
                   {"Program", "control " + control->id},
                   {"Account", work.account},
                   {"Region", findings::place_of(finding, resource, arn->region).region},
                   {"Resource", work.resource},
                   {"Finding", finding["Id"]}});
    }
  }
  return {};
}

}  // namespace fixpoint::gateway
