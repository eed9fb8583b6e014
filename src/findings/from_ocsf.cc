// An OCSF finding in the AWS Security Finding Format.
#include <algorithm>
#include <array>
#include <string>

#include "base/arn.h"
#include "base/text.h"
#include "base/utf8.h"
#include "findings/ocsf.h"
#include "findings/ocsf_names.h"
#include "findings/resources.h"
#include "findings/shown.h"
#include "findings/timestamp.h"

namespace fixpoint::findings {
namespace {

using json::Array;
using json::Object;
using json::Value;

// Limits of the finding format that a longer text is cut to: API_AwsSecurityFinding.html and API_Recommendation.html.
constexpr std::size_t title_limit = 256, description_limit = 1024, recommendation_limit = 512, generator_limit = 512,
                      name_limit = 128, most_resources = 32, most_types = 50, most_related = 10;

Error bad(const std::string& path, const std::string& message) {
  return errors::invalid_input(path + " " + message, path);
}

bool is_blank(const Value& value) {
  return trim(value.string_or("")).empty();
}

// The first of the texts that says something.
std::string_view first_of(std::initializer_list<const Value*> values) {
  for (const Value* value : values)
    if (!is_blank(*value)) return value->as_string();
  return {};
}

void set_time(Object& into, const char* member, const std::optional<TimeMs>& time) {
  if (time) into.set(member, format_iso8601_ms(*time));
}

void set_text(Object& into, const char* member, const Value& from, std::size_t most) {
  if (!is_blank(from)) into.set(member, cut_characters(from.as_string(), most));
}

// Whose finding it is and where it lies.
Result<ResourcePlace> place_of(const Value& ocsf) {
  ResourcePlace place;
  const Value& cloud = ocsf["cloud"];
  const Value& provider = cloud["provider"];
  if (!is_blank(provider) && !equals_ignore_case(provider.as_string(), "aws"))
    return fail(bad("cloud.provider", "is " + shown(provider.as_string()) +
                                          "; only findings about AWS accounts are taken (provider AWS)"));
  const Value& account = cloud["account"]["uid"];
  if (is_blank(account))
    return fail(bad("cloud.account.uid", "is missing: the finding is about no AWS account, whose id has 12 digits"));
  place.account = account.as_string();
  if (place.account.size() != 12 || place.account.find_first_not_of("0123456789") != std::string::npos)
    return fail(bad("cloud.account.uid", "is " + shown(place.account) + "; an AWS account's id has 12 digits"));
  const std::string_view region = first_of({&cloud["region"], &ocsf["resources"][0]["region"]});
  if (region.empty()) return fail(bad("cloud.region", "is missing; it has to be a region such as us-east-1"));
  if (region.size() > 16 || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string_view::npos)
    return fail(bad("cloud.region", "is " + shown(region) + "; it has to be a region such as us-east-1"));
  place.region = region;
  const std::string_view partition = first_of({&cloud["cloud_partition"], &ocsf["resources"][0]["cloud_partition"]});
  place.partition = partition.empty() ? partition_of_region(place.region) : partition;
  if (place.partition != partition_of_region(place.region))
    return fail(bad("cloud", "names the partition " + shown(place.partition) + " and the region " + place.region +
                                 ", which lies in " + std::string(partition_of_region(place.region))));
  return place;
}

bool is_prowler(const Value& product) {
  return equals_ignore_case(product["uid"].string_or(""), "prowler") ||
         equals_ignore_case(product["name"].string_or(""), "prowler");
}

// A product of Security Hub has an ARN; Prowler's is the one under which it sends to Security Hub itself; any other
// tool's findings belong to the account's own product.
std::string product_arn_of(const Value& product, const ResourcePlace& place) {
  const std::string_view uid = product["uid"].string_or("");
  if (const auto arn = parse_arn(uid); arn && arn->service == "securityhub") {
    const auto parts = split(arn->resource, '/');
    if (parts.size() == 3 && (parts[0] == "productv2" || parts[0] == "product"))
      return replace_all(std::string(uid), ":productv2/", ":product/");
  }
  const std::string begin = "arn:" + place.partition + ":securityhub:" + place.region + ":";
  if (is_prowler(product)) return begin + ":product/prowler/prowler";
  return begin + place.account + ":product/" + place.account + "/default";
}

std::string generator_of(const Value& ocsf, std::string_view product_arn) {
  const std::string_view control = ocsf["compliance"]["control"].string_or("");
  const Value& analytic = ocsf["finding_info"]["analytic"];
  const std::string_view uid = analytic["uid"].string_or("");
  if (product_arn.ends_with(":product/aws/securityhub") && !control.empty() && (uid.empty() || uid == control))
    return "security-control/" + std::string(control);
  if (!uid.empty()) return std::string(uid);
  const Value& code = ocsf["metadata"]["event_code"];
  if (!is_blank(code)) return (is_prowler(ocsf["metadata"]["product"]) ? "prowler-" : "") + code.as_string();
  const std::string_view otherwise =
      first_of({&analytic["name"], &ocsf["compliance"]["control"], &ocsf["metadata"]["product"]["name"]});
  return otherwise.empty() ? "ocsf" : std::string(otherwise);
}

Value severity_of(const Value& number, const Value& caption) {
  const OcsfName* name = nullptr;
  if (const auto id = number.as_int64()) {
    name = name_of(ocsf_severities(), *id);
  } else {
    for (const OcsfName& known : ocsf_severities())
      if (name == nullptr && equals_ignore_case(known.caption, caption.string_or(""))) name = &known;
  }
  return Object{{"Label", name == nullptr ? "INFORMATIONAL" : name->asff}};
}

// Workflow and RecordState of status_id and activity; a closed finding is archived whatever its status.
void set_status(const Value& ocsf, Object& into) {
  const OcsfName* name = nullptr;
  if (const auto id = ocsf["status_id"].as_int64()) {
    name = name_of(ocsf_statuses(), *id);
    if (name == nullptr) name = name_of(ocsf_statuses(), std::int64_t{99});
  } else {
    for (const OcsfName& known : ocsf_statuses())
      if (name == nullptr && equals_ignore_case(known.caption, ocsf["status"].string_or(""))) name = &known;
  }
  const std::string_view standing = name == nullptr ? "NEW" : name->asff;
  const bool closed = ocsf["activity_id"].int_or(0) == 3;
  into.set("Workflow", Object{{"Status", standing == "ARCHIVED" ? "NEW" : standing}});
  into.set("RecordState", closed || standing == "ARCHIVED" ? "ARCHIVED" : "ACTIVE");
}

// Prowler says how a check went in status_code, whatever the class.
std::string_view compliance_status_of(const Value& ocsf) {
  const Value& compliance = ocsf["compliance"];
  if (const auto id = compliance["status_id"].as_int64()) {
    const OcsfName* name = name_of(ocsf_compliances(), *id);
    return name == nullptr ? "NOT_AVAILABLE" : name->asff;
  }
  const std::string_view caption = compliance["status"].string_or("");
  for (const OcsfName& known : ocsf_compliances())
    if (equals_ignore_case(known.caption, caption)) return known.asff;
  if (!is_prowler(ocsf["metadata"]["product"])) return {};
  const std::string_view code = ocsf["status_code"].string_or("");
  if (code.empty()) return {};
  return code == "FAIL" ? "FAILED" : code == "PASS" ? "PASSED" : "NOT_AVAILABLE";
}

void set_compliance(const Value& ocsf, Object& into) {
  const Value& from = ocsf["compliance"];
  Object out;
  if (const std::string_view status = compliance_status_of(ocsf); !status.empty()) out.set("Status", status);
  set_text(out, "SecurityControlId", from["control"], 512);
  Array standards, requirements, parameters;
  for (std::size_t i = 0; i < from["standards"].size(); ++i)
    if (!is_blank(from["standards"][i])) standards.emplace_back(Object{{"StandardsId", from["standards"][i]}});
  for (std::size_t i = 0; i < from["requirements"].size(); ++i)
    if (!is_blank(from["requirements"][i])) requirements.push_back(from["requirements"][i]);
  for (std::size_t i = 0; i < from["control_parameters"].size(); ++i) {
    const Value& one = from["control_parameters"][i];
    if (is_blank(one["name"])) continue;
    Array values;
    for (std::size_t k = 0; k < one["values"].size(); ++k)
      if (one["values"][k].is_string()) values.push_back(one["values"][k]);
    if (one["value"].is_string()) values.push_back(one["value"]);
    parameters.emplace_back(Object{{"Name", one["name"]}, {"Value", values}});
  }
  if (!standards.empty()) out.set("AssociatedStandards", standards);
  if (!requirements.empty()) out.set("RelatedRequirements", requirements);
  if (!parameters.empty()) out.set("SecurityControlParameters", parameters);
  if (!is_blank(from["status_code"])) {
    Object reason{{"ReasonCode", from["status_code"]}};
    if (!is_blank(from["status_detail"])) reason.set("Description", from["status_detail"]);
    out.set("StatusReasons", Array{Value(std::move(reason))});
  }
  if (!out.empty()) into.set("Compliance", std::move(out));
}

// "AWS::S3::Bucket" and the format's own "AwsS3Bucket" (as Prowler has them); what else there is has no name there.
std::string type_of(const Value& type) {
  const std::string text(type.string_or(""));
  if (text.starts_with("Aws") && text.find(':') == std::string::npos) return text.substr(0, 256);
  return std::string(text == "Container" ? "Container" : asff_type_of(text));
}

Result<Value> resource_of(const Value& from, const std::string& here, const ResourcePlace& place) {
  const auto is_arn = [](const Value& value) { return value.string_or("").starts_with("arn:"); };
  const std::string_view uid = first_of({&from["uid"], &from["uid_alt"], &from["name"]});
  if (uid.empty()) return fail(bad(here + ".uid", "is missing; it has to be the resource's ARN or id"));
  Object out{{"Type", type_of(from["type"])}};
  std::string id(uid);
  if (!is_arn(from["uid"])) {
    if (is_arn(from["uid_alt"]))
      id = from["uid_alt"].as_string();
    else if (const auto arn = arn_of(from["type"].string_or(""), uid, place))
      id = *arn;
  }
  out.set("Id", id);
  out.set("Partition", is_blank(from["cloud_partition"]) ? Value(place.partition) : from["cloud_partition"]);
  out.set("Region", is_blank(from["region"]) ? Value(place.region) : from["region"]);
  Object tags;
  for (std::size_t i = 0; i < from["tags"].size(); ++i) {
    const Value& tag = from["tags"][i];
    if (!is_blank(tag["name"]) && tags.size() < 50) tags.set(tag["name"].as_string(), tag["value"].string_or(""));
  }
  if (!tags.empty()) out.set("Tags", std::move(tags));
  // Details as the finding format has them; what another tool writes there stays with the original.
  Object details;
  for (const std::string_view name : {std::string_view(out["Type"].as_string()), std::string_view("Other")})
    if (from["data"][name].is_object() && !details.contains(name)) details.set(name, from["data"][name]);
  if (!details.empty()) out.set("Details", std::move(details));
  return Value(std::move(out));
}

Value packages_of(const Value& packages) {
  Array out;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    Object package;
    for (const auto& [ocsf, asff] : package_texts)
      if (!is_blank(packages[i][ocsf])) package.set(asff, packages[i][ocsf]);
    if (const auto epoch = packages[i]["epoch"].as_int64()) package.set("Epoch", std::to_string(*epoch));
    if (const Value& how = packages[i]["remediation"]["desc"]; !is_blank(how)) package.set("Remediation", how);
    out.emplace_back(std::move(package));
  }
  return out;
}

Value vulnerability_of(const Value& from) {
  const Value& cve = from["cve"];
  Object out{{"Id", first_of({&cve["uid"], &from["title"]})}};
  Array scores;
  for (std::size_t i = 0; i < cve["cvss"].size(); ++i) {
    const Value& score = cve["cvss"][i];
    Object one;
    if (score["base_score"].is_number()) one.set("BaseScore", score["base_score"]);
    if (!is_blank(score["vector_string"])) one.set("BaseVector", score["vector_string"]);
    if (!is_blank(score["vendor_name"])) one.set("Source", score["vendor_name"]);
    if (!is_blank(score["version"])) one.set("Version", score["version"]);
    scores.emplace_back(std::move(one));
  }
  if (!scores.empty()) out.set("Cvss", std::move(scores));
  if (const auto epss = to_double(cve["epss"]["score"].string_or(""))) out.set("EpssScore", *epss);
  const std::string_view coverage = from["fix_coverage"].string_or("");
  if (coverage == "Partial")
    out.set("FixAvailable", "PARTIAL");
  else if (from["is_fix_available"].is_bool())
    out.set("FixAvailable", from["is_fix_available"].as_bool() ? "YES" : "NO");
  if (from["is_exploit_available"].is_bool())
    out.set("ExploitAvailable", from["is_exploit_available"].as_bool() ? "YES" : "NO");
  set_time(out, "LastKnownExploitAt", ocsf_time(from, "exploit_last_seen_time"));
  if (from["references"].size() > 0) out.set("ReferenceUrls", from["references"]);
  if (from["related_vulnerabilities"].size() > 0) out.set("RelatedVulnerabilities", from["related_vulnerabilities"]);
  if (!is_blank(from["vendor_name"])) {
    Object vendor{{"Name", from["vendor_name"]}};
    if (!is_blank(from["severity"])) vendor.set("VendorSeverity", from["severity"]);
    out.set("Vendor", std::move(vendor));
  }
  if (from["affected_packages"].size() > 0) out.set("VulnerablePackages", packages_of(from["affected_packages"]));
  return out;
}

void set_related(const Value& events, const ResourcePlace& place, Object& into) {
  Array related;
  for (std::size_t i = 0; i < events.size() && related.size() < most_related; ++i)
    if (!is_blank(events[i]["uid"]) && !is_blank(events[i]["product"]["uid"]))
      related.emplace_back(Object{{"ProductArn", product_arn_of(events[i]["product"], place)},
                                  {"Id", finding_id_of(events[i]["uid"].as_string())}});
  if (!related.empty()) into.set("RelatedFindings", std::move(related));
}

void set_remediation(const Value& from, Object& into) {
  Object recommendation;
  set_text(recommendation, "Text", from["desc"], recommendation_limit);
  for (std::size_t i = 0; i < from["references"].size(); ++i) {
    const std::string_view url = from["references"][i].string_or("");
    if (!url.starts_with("https://") && !url.starts_with("http://")) continue;
    if (url.size() <= 2048) recommendation.set("Url", url);
    break;
  }
  if (!recommendation.empty()) into.set("Remediation", Object{{"Recommendation", std::move(recommendation)}});
}

// As fixpoint writes it, and as GuardDuty's titles say it:
// https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html
bool is_sample(const Value& ocsf) {
  const Value& labels = ocsf["metadata"]["labels"];
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (equals_ignore_case(labels[i].string_or(""), sample_label)) return true;
  return ocsf["finding_info"]["title"].string_or("").starts_with("[SAMPLE]");
}

// What it is a finding of: https://schema.ocsf.io/1.6.0/categories/findings
Result<void> check_class(const Value& ocsf) {
  if (!ocsf.is_object())
    return fail(errors::invalid_input("a finding has to be an object, not " + std::string(json::kind_name(ocsf))));
  static constexpr std::int64_t taken[] = {2002, 2003, 2004, 2006};
  const auto class_uid = ocsf["class_uid"].as_int64();
  if (!class_uid) return fail(bad("class_uid", "is missing; it has to be 2002, 2003, 2004 or 2006"));
  if (std::find(std::begin(taken), std::end(taken), *class_uid) == std::end(taken))
    return fail(bad("class_uid", "is " + std::to_string(*class_uid) +
                                     "; taken are Vulnerability (2002), Compliance (2003), Detection (2004) and Data "
                                     "Security Findings (2006)"));
  return {};
}

}  // namespace

std::optional<TimeMs> ocsf_time(const Value& object, const std::string& name) {
  constexpr TimeMs seconds_end = 100'000'000'000;  // as milliseconds the year 1973, as seconds 5138
  if (const auto number = object[name].as_int64()) {
    if (*number <= 0 || *number >= 253'402'300'800'000) return {};  // the year 10000
    return *number < seconds_end ? *number * 1000 : *number;
  }
  const auto text = parse_timestamp(object[name + "_dt"].string_or(""));
  return text ? std::optional<TimeMs>(*text) : std::nullopt;
}

Result<Value> asff_of(const Value& ocsf) {
  FIXPOINT_CHECK(check_class(ocsf));
  FIXPOINT_TRY(place, place_of(ocsf));
  const Value& info = ocsf["finding_info"];
  const Value& product = ocsf["metadata"]["product"];
  if (is_blank(info["uid"])) return fail(bad("finding_info.uid", "is missing; it has to be the finding's own id"));
  if (is_blank(info["title"])) return fail(bad("finding_info.title", "is missing"));
  auto created = ocsf_time(info, "created_time");
  if (!created) created = ocsf_time(ocsf, "time");
  if (!created)
    return fail(bad("finding_info.created_time",
                    "is missing or none; it has to be milliseconds since 1970, or created_time_dt such as "
                    "2024-01-02T03:04:05.678Z"));
  auto updated = ocsf_time(info, "modified_time");
  if (!updated) updated = ocsf_time(ocsf, "time");

  Object out{{"SchemaVersion", "2018-10-08"}, {"Id", finding_id_of(info["uid"].as_string())}};
  const std::string product_arn = product_arn_of(product, place);
  out.set("ProductArn", product_arn);
  set_text(out, "ProductName", product["name"], name_limit);
  set_text(out, "CompanyName", product["vendor_name"], name_limit);
  out.set("GeneratorId", cut_characters(generator_of(ocsf, product_arn), generator_limit));
  out.set("AwsAccountId", place.account);
  set_text(out, "AwsAccountName", ocsf["cloud"]["account"]["name"], name_limit);
  out.set("Region", place.region);
  if (is_sample(ocsf)) out.set("Sample", true);
  Array types;
  for (std::size_t i = 0; i < info["types"].size() && types.size() < most_types; ++i)
    if (is_finding_type(info["types"][i].string_or(""))) types.push_back(info["types"][i]);
  out.set("Types", std::move(types));
  set_time(out, "CreatedAt", created);
  set_time(out, "UpdatedAt", updated ? updated : created);
  set_time(out, "FirstObservedAt", ocsf_time(info, "first_seen_time"));
  set_time(out, "LastObservedAt", ocsf_time(info, "last_seen_time"));
  out.set("Severity", severity_of(ocsf["severity_id"], ocsf["severity"]));
  if (const Value& vendor = ocsf["vendor_attributes"]; vendor["severity_id"].is_number()) {
    Value theirs = severity_of(vendor["severity_id"], vendor["severity"]);
    if (!(theirs == out["Severity"])) out.set("FindingProviderFields", Object{{"Severity", std::move(theirs)}});
  }
  if (const auto confidence = ocsf["confidence_score"].as_int64(); confidence && *confidence >= 0 && *confidence <= 100)
    out.set("Confidence", *confidence);
  out.set("Title", cut_characters(info["title"].as_string(), title_limit));
  out.set("Description",
          cut_characters(first_of({&info["desc"], &ocsf["message"], &ocsf["status_detail"], &info["title"]}),
                         description_limit));
  set_remediation(ocsf["remediation"], out);
  set_text(out, "SourceUrl", info["src_url"], 2048);
  const Value& resources = ocsf["resources"];
  if (!resources.is_array() || resources.size() == 0)
    return fail(bad("resources", "is missing; it has to name at least one resource"));
  Array list;
  for (std::size_t i = 0; i < std::min(resources.size(), most_resources); ++i) {
    FIXPOINT_TRY(resource, resource_of(resources[i], "resources[" + std::to_string(i) + "]", place));
    list.push_back(std::move(resource));
  }
  out.set("Resources", std::move(list));
  set_compliance(ocsf, out);
  set_status(ocsf, out);
  set_related(info["related_events"], place, out);
  if (!is_blank(ocsf["comment"]))
    out.set("Note", Object{{"Text", cut_characters(ocsf["comment"].as_string(), 512)},
                           {"UpdatedBy", is_blank(product["name"]) ? Value("ocsf") : product["name"]},
                           {"UpdatedAt", format_iso8601_ms(updated ? *updated : *created)}});
  Array vulnerabilities;
  for (std::size_t i = 0; i < ocsf["vulnerabilities"].size(); ++i)
    vulnerabilities.push_back(vulnerability_of(ocsf["vulnerabilities"][i]));
  if (!vulnerabilities.empty()) out.set("Vulnerabilities", std::move(vulnerabilities));
  return Value(std::move(out));
}

}  // namespace fixpoint::findings
