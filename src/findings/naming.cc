#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "findings/asff.h"

namespace fixpoint::findings {

using json::Value;

namespace {
constexpr std::array<std::string_view, 5> severity_labels{"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
}

FindingKey key_of(const Value& finding) {
  return {std::string(finding["ProductArn"].string_or("")), std::string(finding["Id"].string_or(""))};
}

std::string_view severity_label_of(std::int64_t normalized) {
  if (normalized >= 90) return "CRITICAL";
  if (normalized >= 70) return "HIGH";
  if (normalized >= 40) return "MEDIUM";
  return normalized >= 1 ? "LOW" : "INFORMATIONAL";
}

std::int64_t severity_normalized_of(std::string_view label) {
  static constexpr std::array<std::int64_t, 5> lowest{0, 1, 40, 70, 90};
  for (std::size_t i = 0; i < severity_labels.size(); ++i)
    if (severity_labels[i] == label) return lowest[i];
  return -1;
}

namespace {

// "S3.4", "EC2.13", "CloudTrail.3", "PCI.S3.4": letters and digits, a dot, a number at the end.
bool is_control_id(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return false;
  const auto number = text.substr(dot + 1);
  if (number.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return (text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z');
}

// "aws-foundational-security-best-practices/v/1.0.0/S3.4" and the ruleset ARNs of CIS 1.2
// ("ruleset/NAME/v/1.2.0/rule/4.1").
std::optional<std::string> from_path(std::string_view text) {
  if (const auto ruleset = text.find("ruleset/"); ruleset != std::string_view::npos) text.remove_prefix(ruleset + 8);
  if (const auto control = text.find(":control/"); control != std::string_view::npos) text.remove_prefix(control + 9);
  const auto parts = split(text, '/');
  if (parts.size() == 2 && parts[0] == "security-control" && is_control_id(parts[1])) return std::string(parts[1]);
  if (parts.size() < 4 || parts[1] != "v") return {};
  const std::string_view last = parts.back();
  if (is_control_id(last)) return std::string(last);
  if (last.empty() || last.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  return std::string(parts[0]) + "/" + std::string(parts[2]) + ":" + std::string(last);
}

// "restricted-ssh" of "securityhub-restricted-ssh-31a2de53" and "restricted-ssh-conformance-pack-gidmgpfb8":
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-standards-awsconfigrules.html, and
// https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html
std::string_view plain_rule(std::string_view name) {
  constexpr std::string_view linked = "securityhub-";
  constexpr std::string_view pack = "-conformance-pack-";
  if (name.starts_with(linked)) {
    name.remove_prefix(linked.size());
    if (const auto end = name.rfind('-'); end != std::string_view::npos) name = name.substr(0, end);
  } else if (const auto end = name.rfind(pack); end != std::string_view::npos) {
    name = name.substr(0, end);
  }
  return name;
}

// What a service or tool calls what it checked.
std::string check_of(const Value& finding) {
  const std::string_view product = finding["ProductArn"].string_or("");
  const Value& fields = finding["ProductFields"];
  const auto named = [](const char* tool, std::string_view name) {
    return name.empty() ? std::string() : tool + (":" + std::string(name));
  };
  if (product.ends_with("::product/aws/config"))
    return named("config", plain_rule(fields["aws/config/ConfigRuleName"].string_or("")));
  if (product.ends_with("::product/aws/guardduty"))
    return named("guardduty", fields["aws/guardduty/type"].string_or(""));
  if (product.ends_with("::product/aws/macie")) return named("macie", fields["aws/macie/type"].string_or(""));
  constexpr std::string_view prowler = "prowler-";
  const std::string_view generator = finding["GeneratorId"].string_or("");
  if (product.ends_with("product/prowler/prowler") && generator.starts_with(prowler))
    return named("prowler", generator.substr(prowler.size()));
  return {};
}

}  // namespace

std::string control_of(const Value& finding) {
  const std::string_view direct = finding["Compliance"]["SecurityControlId"].string_or("");
  if (is_control_id(direct)) return std::string(direct);
  if (const auto from = from_path(finding["GeneratorId"].string_or(""))) return *from;
  const Value& fields = finding["ProductFields"];
  if (is_control_id(fields["ControlId"].string_or(""))) return std::string(fields["ControlId"].string_or(""));
  if (const auto from = from_path(fields["StandardsControlArn"].string_or(""))) return *from;
  return check_of(finding);
}

}  // namespace fixpoint::findings
