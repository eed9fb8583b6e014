#include "findings/filters.h"

#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "base/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;
using Kind = Filters::Test::Kind;

struct FieldRule {
  std::string_view name;
  Kind kind;
  std::string_view path;  // dots between members
};

// The filter names of AwsSecurityFindingFilters and the places in the finding that they ask about.
constexpr FieldRule field_rules[] = {
    {"ProductArn", Kind::Text, "ProductArn"},
    {"AwsAccountId", Kind::Text, "AwsAccountId"},
    {"AwsAccountName", Kind::Text, "AwsAccountName"},
    {"Id", Kind::Text, "Id"},
    {"GeneratorId", Kind::Text, "GeneratorId"},
    {"Region", Kind::Text, "Region"},
    {"Type", Kind::Text, "Types"},
    {"FirstObservedAt", Kind::Date, "FirstObservedAt"},
    {"LastObservedAt", Kind::Date, "LastObservedAt"},
    {"CreatedAt", Kind::Date, "CreatedAt"},
    {"UpdatedAt", Kind::Date, "UpdatedAt"},
    {"SeverityProduct", Kind::Number, "Severity.Product"},
    {"SeverityNormalized", Kind::Number, "Severity.Normalized"},
    {"SeverityLabel", Kind::Text, "Severity.Label"},
    {"Confidence", Kind::Number, "Confidence"},
    {"Criticality", Kind::Number, "Criticality"},
    {"Title", Kind::Text, "Title"},
    {"Description", Kind::Text, "Description"},
    {"RecommendationText", Kind::Text, "Remediation.Recommendation.Text"},
    {"SourceUrl", Kind::Text, "SourceUrl"},
    {"ProductFields", Kind::Map, "ProductFields"},
    {"ProductName", Kind::Text, "ProductName"},
    {"CompanyName", Kind::Text, "CompanyName"},
    {"UserDefinedFields", Kind::Map, "UserDefinedFields"},
    {"MalwareName", Kind::Text, "Malware.Name"},
    {"MalwareType", Kind::Text, "Malware.Type"},
    {"MalwarePath", Kind::Text, "Malware.Path"},
    {"MalwareState", Kind::Text, "Malware.State"},
    {"NetworkDirection", Kind::Text, "Network.Direction"},
    {"NetworkProtocol", Kind::Text, "Network.Protocol"},
    {"NetworkSourceIpV4", Kind::Ip, "Network.SourceIpV4"},
    {"NetworkSourceIpV6", Kind::Ip, "Network.SourceIpV6"},
    {"NetworkSourcePort", Kind::Number, "Network.SourcePort"},
    {"NetworkSourceDomain", Kind::Text, "Network.SourceDomain"},
    {"NetworkSourceMac", Kind::Text, "Network.SourceMac"},
    {"NetworkDestinationIpV4", Kind::Ip, "Network.DestinationIpV4"},
    {"NetworkDestinationIpV6", Kind::Ip, "Network.DestinationIpV6"},
    {"NetworkDestinationPort", Kind::Number, "Network.DestinationPort"},
    {"NetworkDestinationDomain", Kind::Text, "Network.DestinationDomain"},
    {"ProcessName", Kind::Text, "Process.Name"},
    {"ProcessPath", Kind::Text, "Process.Path"},
    {"ProcessPid", Kind::Number, "Process.Pid"},
    {"ProcessParentPid", Kind::Number, "Process.ParentPid"},
    {"ProcessLaunchedAt", Kind::Date, "Process.LaunchedAt"},
    {"ProcessTerminatedAt", Kind::Date, "Process.TerminatedAt"},
    {"ThreatIntelIndicatorType", Kind::Text, "ThreatIntelIndicators.Type"},
    {"ThreatIntelIndicatorValue", Kind::Text, "ThreatIntelIndicators.Value"},
    {"ThreatIntelIndicatorCategory", Kind::Text, "ThreatIntelIndicators.Category"},
    {"ThreatIntelIndicatorLastObservedAt", Kind::Date, "ThreatIntelIndicators.LastObservedAt"},
    {"ThreatIntelIndicatorSource", Kind::Text, "ThreatIntelIndicators.Source"},
    {"ThreatIntelIndicatorSourceUrl", Kind::Text, "ThreatIntelIndicators.SourceUrl"},
    {"ResourceType", Kind::Text, "Resources.Type"},
    {"ResourceId", Kind::Text, "Resources.Id"},
    {"ResourcePartition", Kind::Text, "Resources.Partition"},
    {"ResourceRegion", Kind::Text, "Resources.Region"},
    {"ResourceTags", Kind::Map, "Resources.Tags"},
    {"ResourceDetailsOther", Kind::Map, "Resources.Details.Other"},
    {"ResourceApplicationName", Kind::Text, "Resources.ApplicationName"},
    {"ResourceApplicationArn", Kind::Text, "Resources.ApplicationArn"},
    {"ResourceAwsEc2InstanceType", Kind::Text, "Resources.Details.AwsEc2Instance.Type"},
    {"ResourceAwsEc2InstanceImageId", Kind::Text, "Resources.Details.AwsEc2Instance.ImageId"},
    {"ResourceAwsEc2InstanceIpV4Addresses", Kind::Ip, "Resources.Details.AwsEc2Instance.IpV4Addresses"},
    {"ResourceAwsEc2InstanceIpV6Addresses", Kind::Ip, "Resources.Details.AwsEc2Instance.IpV6Addresses"},
    {"ResourceAwsEc2InstanceKeyName", Kind::Text, "Resources.Details.AwsEc2Instance.KeyName"},
    {"ResourceAwsEc2InstanceIamInstanceProfileArn", Kind::Text,
     "Resources.Details.AwsEc2Instance.IamInstanceProfileArn"},
    {"ResourceAwsEc2InstanceVpcId", Kind::Text, "Resources.Details.AwsEc2Instance.VpcId"},
    {"ResourceAwsEc2InstanceSubnetId", Kind::Text, "Resources.Details.AwsEc2Instance.SubnetId"},
    {"ResourceAwsEc2InstanceLaunchedAt", Kind::Date, "Resources.Details.AwsEc2Instance.LaunchedAt"},
    {"ResourceAwsS3BucketOwnerId", Kind::Text, "Resources.Details.AwsS3Bucket.OwnerId"},
    {"ResourceAwsS3BucketOwnerName", Kind::Text, "Resources.Details.AwsS3Bucket.OwnerName"},
    {"ResourceAwsIamAccessKeyUserName", Kind::Text, "Resources.Details.AwsIamAccessKey.UserName"},
    {"ResourceAwsIamAccessKeyPrincipalName", Kind::Text, "Resources.Details.AwsIamAccessKey.PrincipalName"},
    {"ResourceAwsIamAccessKeyStatus", Kind::Text, "Resources.Details.AwsIamAccessKey.Status"},
    {"ResourceAwsIamAccessKeyCreatedAt", Kind::Date, "Resources.Details.AwsIamAccessKey.CreatedAt"},
    {"ResourceAwsIamUserUserName", Kind::Text, "Resources.Details.AwsIamUser.UserName"},
    {"ResourceContainerName", Kind::Text, "Resources.Details.Container.Name"},
    {"ResourceContainerImageId", Kind::Text, "Resources.Details.Container.ImageId"},
    {"ResourceContainerImageName", Kind::Text, "Resources.Details.Container.ImageName"},
    {"ResourceContainerLaunchedAt", Kind::Date, "Resources.Details.Container.LaunchedAt"},
    {"ComplianceStatus", Kind::Text, "Compliance.Status"},
    {"ComplianceSecurityControlId", Kind::Text, "Compliance.SecurityControlId"},
    {"ComplianceAssociatedStandardsId", Kind::Text, "Compliance.AssociatedStandards.StandardsId"},
    {"ComplianceSecurityControlParametersName", Kind::Text, "Compliance.SecurityControlParameters.Name"},
    {"ComplianceSecurityControlParametersValue", Kind::Text, "Compliance.SecurityControlParameters.Value"},
    {"VerificationState", Kind::Text, "VerificationState"},
    {"WorkflowState", Kind::Text, "WorkflowState"},
    {"WorkflowStatus", Kind::Text, "Workflow.Status"},
    {"RecordState", Kind::Text, "RecordState"},
    {"RelatedFindingsProductArn", Kind::Text, "RelatedFindings.ProductArn"},
    {"RelatedFindingsId", Kind::Text, "RelatedFindings.Id"},
    {"NoteText", Kind::Text, "Note.Text"},
    {"NoteUpdatedAt", Kind::Date, "Note.UpdatedAt"},
    {"NoteUpdatedBy", Kind::Text, "Note.UpdatedBy"},
    {"FindingProviderFieldsConfidence", Kind::Number, "FindingProviderFields.Confidence"},
    {"FindingProviderFieldsCriticality", Kind::Number, "FindingProviderFields.Criticality"},
    {"FindingProviderFieldsRelatedFindingsId", Kind::Text, "FindingProviderFields.RelatedFindings.Id"},
    {"FindingProviderFieldsRelatedFindingsProductArn", Kind::Text, "FindingProviderFields.RelatedFindings.ProductArn"},
    {"FindingProviderFieldsSeverityLabel", Kind::Text, "FindingProviderFields.Severity.Label"},
    {"FindingProviderFieldsSeverityOriginal", Kind::Text, "FindingProviderFields.Severity.Original"},
    {"FindingProviderFieldsTypes", Kind::Text, "FindingProviderFields.Types"},
    {"Sample", Kind::Boolean, "Sample"},
    {"VulnerabilitiesExploitAvailable", Kind::Text, "Vulnerabilities.ExploitAvailable"},
    {"VulnerabilitiesFixAvailable", Kind::Text, "Vulnerabilities.FixAvailable"},
};

const FieldRule* rule_of(std::string_view name) {
  static const auto by_name = [] {
    std::map<std::string_view, const FieldRule*> rules;
    for (const FieldRule& rule : field_rules) rules.emplace(rule.name, &rule);
    return rules;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

Error bad(const std::string& where, const std::string& message) {
  return errors::invalid_input("Filters." + where + " " + message, "Filters." + where);
}

std::string address_bytes(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {reinterpret_cast<char*>(bytes.data()), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {reinterpret_cast<char*>(bytes.data()), 16};
  return {};
}

bool same_bits(std::string_view a, std::string_view b, int bits) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xFF : (0xFF << (8 - bits)) & 0xFF;
    if (((static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])) & mask) != 0) return false;
  }
  return true;
}

Result<Filters::Test> compile_text(const std::string& where, const Value& filter) {
  static constexpr std::string_view comparisons[] = {"EQUALS",   "PREFIX",       "NOT_EQUALS",   "PREFIX_NOT_EQUALS",
                                                     "CONTAINS", "NOT_CONTAINS", "CONTAINS_WORD"};
  Filters::Test test;
  test.comparison = filter["Comparison"].string_or("");
  test.value = filter["Value"].string_or("");
  if (!filter["Value"].is_string()) return fail(bad(where + ".Value", "is missing"));
  for (const auto known : comparisons)
    if (known == test.comparison) return test;
  return fail(
      bad(where + ".Comparison",
          "is '" + test.comparison +
              "'; text takes EQUALS, PREFIX, NOT_EQUALS, PREFIX_NOT_EQUALS, CONTAINS, NOT_CONTAINS or CONTAINS_WORD"));
}

Result<Filters::Test> compile_map(const std::string& where, const Value& filter) {
  static constexpr std::string_view comparisons[] = {"EQUALS", "NOT_EQUALS", "CONTAINS", "NOT_CONTAINS"};
  Filters::Test test;
  test.kind = Kind::Map;
  test.comparison = filter["Comparison"].string_or("");
  test.key = filter["Key"].string_or("");
  test.value = filter["Value"].string_or("");
  if (test.key.empty()) return fail(bad(where + ".Key", "is missing"));
  for (const auto known : comparisons)
    if (known == test.comparison) return test;
  return fail(bad(where + ".Comparison",
                  "is '" + test.comparison + "'; a map takes EQUALS, NOT_EQUALS, CONTAINS or NOT_CONTAINS"));
}

Result<Filters::Test> compile_number(const std::string& where, const Value& filter) {
  Filters::Test test;
  test.kind = Kind::Number;
  test.low = -std::numeric_limits<double>::infinity();
  test.high = std::numeric_limits<double>::infinity();
  bool any = false;
  const auto bound = [&](const char* name) -> const Value* {
    const Value* value = filter.find(name);
    if (value == nullptr || !value->is_number()) return nullptr;
    any = true;
    return value;
  };
  const auto above = [](double v) { return std::nextafter(v, std::numeric_limits<double>::infinity()); };
  const auto below = [](double v) { return std::nextafter(v, -std::numeric_limits<double>::infinity()); };
  if (const Value* v = bound("Gte")) test.low = v->as_double();
  if (const Value* v = bound("Gt")) test.low = above(v->as_double());
  if (const Value* v = bound("Lte")) test.high = v->as_double();
  if (const Value* v = bound("Lt")) test.high = below(v->as_double());
  if (const Value* v = bound("Eq")) test.low = test.high = v->as_double();
  if (!any) return fail(bad(where, "has no bound; give Eq, Gte, Lte, Gt or Lt"));
  return test;
}

Result<Filters::Test> compile_date(const std::string& where, const Value& filter, TimeMs now_ms) {
  Filters::Test test;
  test.kind = Kind::Date;
  test.low = -std::numeric_limits<double>::infinity();
  test.high = std::numeric_limits<double>::infinity();
  if (const Value* range = filter.find("DateRange")) {
    const auto days = (*range)["Value"].as_int64();
    if (!days || *days < 0 || (*range)["Unit"].string_or("") != "DAYS")
      return fail(bad(where + ".DateRange", "has to be {\"Value\": days, \"Unit\": \"DAYS\"}"));
    test.low = static_cast<double>(now_ms) / 1000 - static_cast<double>(*days) * 86400;
    return test;
  }
  for (const auto* name : {"Start", "End"}) {
    const Value* bound = filter.find(name);
    if (bound == nullptr) continue;
    const auto time = parse_iso8601(bound->string_or(""));
    if (!time) return fail(bad(where + "." + name, "is no time such as 2024-01-02T03:04:05Z"));
    (std::string_view(name) == "Start" ? test.low : test.high) = *time;
  }
  if (filter.find("Start") == nullptr && filter.find("End") == nullptr)
    return fail(bad(where, "has neither Start, End nor DateRange"));
  return test;
}

Result<Filters::Test> compile_ip(const std::string& where, const Value& filter) {
  Filters::Test test;
  test.kind = Kind::Ip;
  const std::string cidr(filter["Cidr"].string_or(""));
  const auto slash = cidr.find('/');
  test.network = address_bytes(cidr.substr(0, slash));
  const int most = static_cast<int>(test.network.size()) * 8;
  const auto bits = slash == std::string::npos ? std::optional<std::int64_t>(most) : to_int64(cidr.substr(slash + 1));
  if (test.network.empty() || !bits || *bits < 0 || *bits > most)
    return fail(bad(where + ".Cidr", "is '" + cidr + "'; it has to be a block such as 10.0.0.0/8"));
  test.bits = static_cast<int>(*bits);
  return test;
}

Result<Filters::Test> compile_test(Kind kind, const std::string& where, const Value& filter, TimeMs now_ms) {
  switch (kind) {
    case Kind::Text: return compile_text(where, filter);
    case Kind::Map: return compile_map(where, filter);
    case Kind::Number: return compile_number(where, filter);
    case Kind::Date: return compile_date(where, filter, now_ms);
    case Kind::Ip: return compile_ip(where, filter);
    case Kind::Boolean: {
      Filters::Test test;
      test.kind = Kind::Boolean;
      if (!filter["Value"].is_bool()) return fail(bad(where + ".Value", "has to be true or false"));
      test.truth = filter["Value"].as_bool();
      return test;
    }
  }
  return fail(errors::internal("a filter of no kind"));
}

bool is_negative(const Filters::Test& test) {
  return test.comparison.find("NOT_") != std::string::npos;
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool left = at == 0 || !is_word(text[at - 1]);
    const bool right = at + word.size() >= text.size() || !is_word(text[at + word.size()]);
    if (left && right) return true;
  }
  return false;
}

// The comparison without its NOT.
bool text_holds(const Filters::Test& test, std::string_view text) {
  const std::string& c = test.comparison;
  if (c == "EQUALS" || c == "NOT_EQUALS") return text == test.value;
  if (c == "PREFIX" || c == "PREFIX_NOT_EQUALS") return text.starts_with(test.value);
  if (c == "CONTAINS_WORD") return contains_word(text, test.value);
  return text.find(test.value) != std::string_view::npos;
}

bool value_holds(const Filters::Test& test, const Value& value) {
  switch (test.kind) {
    case Kind::Text: {
      if (value.is_string()) return text_holds(test, value.as_string());
      if (value.is_bool()) return text_holds(test, value.as_bool() ? "true" : "false");
      return value.is_number() && text_holds(test, value.number_text());
    }
    case Kind::Map: {
      const Value* member = value.find(test.key);
      return member != nullptr && text_holds(test, member->string_or(""));
    }
    case Kind::Number: return value.is_number() && value.as_double() >= test.low && value.as_double() <= test.high;
    case Kind::Date: {
      const auto time = parse_iso8601(value.string_or(""));
      return time && *time >= test.low && *time <= test.high;
    }
    case Kind::Ip: return same_bits(address_bytes(std::string(value.string_or(""))), test.network, test.bits);
    case Kind::Boolean: return value.is_bool() && value.as_bool() == test.truth;
  }
  return false;
}

// True where any value at the path holds; arrays on the way mean any element. The path bounds the depth.
bool any_at(const Value& value, std::span<const std::string_view> path, const Filters::Test& test) {
  if (value.is_array()) {
    for (const Value& item : value.as_array())
      if (any_at(item, path, test)) return true;
    return false;
  }
  if (path.empty()) return value_holds(test, value);
  const Value* next = value.find(path.front());
  return next != nullptr && any_at(*next, path.subspan(1), test);
}

}  // namespace

Result<Filters> Filters::compile(const Value& filters, TimeMs now_ms) {
  constexpr std::size_t tests_on_a_field = 20;
  Filters out;
  if (filters.is_null()) return out;
  if (!filters.is_object()) return fail(errors::invalid_input("Filters has to be an object"));
  for (const auto& member : filters.as_object()) {
    const FieldRule* rule = rule_of(member.key);
    if (rule == nullptr)
      return fail(bad(member.key, "is no filter that this version knows; docs/compatibility.md lists them"));
    if (member.value.size() > tests_on_a_field) return fail(bad(member.key, "has more than 20 filters"));
    if (member.value.size() == 0) continue;
    Field field;
    field.name = member.key;
    field.path = split(rule->path, '.');
    for (std::size_t i = 0; i < member.value.size(); ++i) {
      FIXPOINT_TRY(test, compile_test(rule->kind, member.key + "[" + std::to_string(i) + "]", member.value[i], now_ms));
      field.tests.push_back(std::move(test));
    }
    out.fields_.push_back(std::move(field));
  }
  return out;
}

bool Filters::matches(const Value& finding) const {
  for (const Field& field : fields_) {
    bool has_positive = false;
    bool positive = false;
    for (const Test& test : field.tests) {
      const bool holds = any_at(finding, field.path, test);
      if (is_negative(test)) {
        if (holds) return false;
      } else {
        has_positive = true;
        positive = positive || holds;
      }
    }
    if (has_positive && !positive) return false;
  }
  return true;
}

std::vector<std::string> Filters::equal_to_one_of(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name != name) continue;
    std::vector<std::string> values;
    for (const Test& test : field.tests) {
      if (is_negative(test)) continue;
      if (test.comparison != "EQUALS" || test.kind != Test::Kind::Text) return {};
      values.push_back(test.value);
    }
    return values;
  }
  return {};
}

}  // namespace fixpoint::findings
