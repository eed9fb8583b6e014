#include "gateway/control_target.h"

#include "base/arn.h"
#include "findings/asff.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::string_view resource_start = "control/";

// A rule without a status in its pattern also matches the event of the finding that was just resolved: acting on that
// again would never end.
bool wants_work(const Value& finding) {
  return finding["Workflow"]["Status"].string_or("NEW") == "NEW" &&
         finding["RecordState"].string_or("ACTIVE") == "ACTIVE" &&
         finding["Compliance"]["Status"].string_or("") != "PASSED";
}

}  // namespace

Result<void> ControlTarget::begin(store::Transaction& tx, const bus::Delivery& delivery) {
  const auto arn = parse_arn(delivery.target.arn);
  if (!arn) return fail(arn.error());
  const std::string named = arn->resource.substr(std::min(resource_start.size(), arn->resource.size()));
  const bool decided = delivery.event["detail-type"].string_or("") == "Security Hub Findings - Custom Action";
  const Value& findings = delivery.event["detail"]["findings"];
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Value& finding = findings[i];
    if (finding["Sample"].bool_or(false) || (!decided && !wants_work(finding))) continue;
    const auto control = controls_.find(named == "*" ? findings::control_of(finding) : named);
    if (!control) continue;  // no control is for this finding
    executions::Start start{.name = delivery.name() + "/" + std::to_string(i),
                            .kind = "control",
                            .program = control->id,
                            .account = {},
                            .region = {},
                            .subject = {},
                            .input = {}};
    start.account = finding["AwsAccountId"].string_or("");
    start.region = finding["Region"].string_or(arn->region);
    start.subject = finding["Id"].string_or("");
    start.input = json::Object{{"Finding", finding}, {"Rule", delivery.rule_arn}, {"Decided", decided}};
    FIXPOINT_CHECK(executor_.launch(tx, start));
  }
  return {};
}

Result<void> ControlTarget::check_arn(const std::string& arn) const {
  const auto parsed = parse_arn(arn);
  const std::string_view resource = parsed ? std::string_view(parsed->resource) : std::string_view();
  if (!resource.starts_with(resource_start))
    return fail(errors::validation(
        "'" + arn + "' names no control: arn:aws:fixpoint:REGION:ACCOUNT:control/ID, or control/* for every one",
        "Arn"));
  const std::string_view id = resource.substr(resource_start.size());
  if (id != "*" && !controls_.find(id))
    return fail(
        errors::validation("there is no control '" + std::string(id) + "'; 'fixpoint controls' lists them", "Arn"));
  return {};
}

}  // namespace fixpoint::gateway
