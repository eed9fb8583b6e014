#include "sources/form.h"

#include "sources/reading.h"

namespace fixpoint::sources {

using json::Value;

namespace {

// The first whose `is` holds reads the item. ASFF comes last: a member alone (AwsAccountId) makes an item be held
// against it, so that what is missing can be named.
constexpr Form all[] = {
    {"a finding of GuardDuty", is_guardduty, read_guardduty},
    {"a finding of Inspector", is_inspector, read_inspector},
    {"a finding of Macie", is_macie, read_macie},
    {"a finding of Access Analyzer", is_access_analyzer, read_access_analyzer},
    {"a compliance change of a Config rule", is_config_change, read_config_change},
    {"an evaluation result of a Config rule", is_config_result, read_config_result},
    {"an invocation of a Config rule", is_config_invocation, read_config_invocation},
    {"a finding in OCSF (Security Hub V2, Prowler)", is_ocsf, read_ocsf},
    {"a finding in the AWS Security Finding Format", is_asff, read_asff},
};

}  // namespace

std::span<const Form> forms() {
  return all;
}

void Repairs::note(const std::string& what, std::size_t index, std::string_view id) {
  const auto [place, fresh] = places_.try_emplace(what, seen_.size());
  if (fresh) {
    seen_.push_back({what, index, cut_characters(id, 128), 1, index});
    return;
  }
  Seen& seen = seen_[place->second];
  if (seen.last != index) ++seen.findings;
  seen.last = index;
}

std::vector<std::string> Repairs::sentences() const {
  std::vector<std::string> out;
  out.reserve(seen_.size());
  for (const Seen& seen : seen_)
    out.push_back(seen.what + ": finding " + std::to_string(seen.index + 1) +
                  (seen.id.empty() ? "" : " ('" + seen.id + "')") +
                  (seen.findings > 1 ? " and " + std::to_string(seen.findings - 1) + " more" : ""));
  return out;
}

Error Item::bad(const std::string& path, const std::string& message) const {
  return errors::invalid_input("finding " + std::to_string(index + 1) +
                                   (id.empty() ? " (without Id)" : " ('" + cut_characters(id, 512) + "')") + ": " +
                                   path + " " + message,
                               "findings[" + std::to_string(index) + "]." + path);
}

}  // namespace fixpoint::sources
