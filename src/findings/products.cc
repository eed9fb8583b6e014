#include "findings/products.h"

#include <algorithm>
#include <string>

namespace fixpoint::findings {
namespace {

using json::Value;

// The integrations of AWS's own services and some others:
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-internal-providers.html
constexpr Product known[] = {
    {"aqua-security/kube-bench", "kube-bench", "Aqua Security", "Checks of Kubernetes against its CIS benchmark."},
    {"aquasecurity/aquasecurity", "Trivy", "Aqua Security", "Vulnerabilities and faults that Trivy has found."},
    {"aws/access-analyzer", "IAM Access Analyzer", "AWS",
     "Findings of access that is granted from outside of the account."},
    {"aws/config", "Config", "AWS", "Evaluations of AWS Config rules."},
    {"aws/firewall-manager", "Firewall Manager", "AWS", "Policies and resources that do not comply with them."},
    {"aws/guardduty", "GuardDuty", "Amazon", "Threats that GuardDuty has detected."},
    {"aws/health", "Health", "AWS", "Security-related operational events."},
    {"aws/inspector", "Inspector", "Amazon", "Vulnerabilities of instances, images and functions."},
    {"aws/macie", "Macie", "Amazon", "Sensitive data and bucket policies that expose it."},
    {"aws/securityhub", "Security Hub", "AWS", "Security Hub's own checks."},
    {"aws/ssm-patch-manager", "Systems Manager Patch Manager", "AWS", "Instances that lack patches."},
    {"prowler/prowler", "Prowler", "Prowler", "Checks of accounts by Prowler."},
};
static_assert(std::is_sorted(std::begin(known), std::end(known),
                             [](const Product& a, const Product& b) { return a.path < b.path; }));

constexpr Product own{"default", "Default", "Personal", "Findings that the account imports itself."};

bool says(const Value& text) {
  return text.is_string() && !text.as_string().empty();
}

}  // namespace

std::span<const Product> products() {
  return known;
}

const Product* product_of(std::string_view product_arn) {
  constexpr std::string_view mark = ":product/";
  const auto at = product_arn.find(mark);
  if (at == std::string_view::npos) return nullptr;
  const std::string_view path = product_arn.substr(at + mark.size());
  const auto slash = path.find('/');
  if (slash == 12 && path.substr(slash + 1) == own.path &&
      path.substr(0, slash).find_first_not_of("0123456789") == std::string_view::npos)
    return &own;
  const auto* found =
      std::lower_bound(std::begin(known), std::end(known), path,
                       [](const Product& product, std::string_view other) { return product.path < other; });
  return found != std::end(known) && found->path == path ? found : nullptr;
}

void fill_product(Value& finding) {
  const Product* product = product_of(finding["ProductArn"].string_or(""));
  const auto fill = [&](std::string_view member, std::string_view field, std::string_view name) {
    const bool at_top = says(finding[member]);
    const bool in_fields = says(finding["ProductFields"][field]);
    if (at_top == in_fields && (at_top || name.empty())) return;
    const Value value = at_top ? finding[member] : in_fields ? finding["ProductFields"][field] : Value(name);
    if (!at_top) finding.set(member, value);
    if (!in_fields) finding.at_or_make("ProductFields").set(field, value);
  };
  fill("ProductName", own_product_fields[0], product == nullptr ? "" : product->name);
  fill("CompanyName", own_product_fields[1], product == nullptr ? "" : product->company);
  if (says(finding["ProductFields"][own_product_fields[2]])) return;
  const std::string id =
      std::string(finding["ProductArn"].string_or("")) + "/" + std::string(finding["Id"].string_or(""));
  finding.at_or_make("ProductFields").set(own_product_fields[2], id);
}

}  // namespace fixpoint::findings
