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

}  // namespace

std::string control_of(const Value& finding) {
  const std::string_view direct = finding["Compliance"]["SecurityControlId"].string_or("");
  if (is_control_id(direct)) return std::string(direct);
  if (const auto from = from_path(finding["GeneratorId"].string_or(""))) return *from;
  const Value& fields = finding["ProductFields"];
  if (is_control_id(fields["ControlId"].string_or(""))) return std::string(fields["ControlId"].string_or(""));
  if (const auto from = from_path(fields["StandardsControlArn"].string_or(""))) return *from;
  return {};
}

}  // namespace fixpoint::findings
