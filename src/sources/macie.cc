// Macie's findings: the detail of the event "Macie Finding" and the answer of GetFindings.
// https://docs.aws.amazon.com/macie/latest/APIReference/findings-describe.html; what Security Hub makes of them:
// https://docs.aws.amazon.com/macie/latest/user/securityhub-integration.html
#include "base/text.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

constexpr Product product{"macie", "Macie", "Amazon"};

// The category that each of Macie's types is put to; its slash becomes a hyphen.
struct TypeOf {
  std::string_view theirs;
  std::string_view category;
};
constexpr TypeOf categories[] = {
    {"Policy:IAMUser/S3BucketPublic", "Effects/Data Exposure"},
    {"SensitiveData:S3Object/Credentials", "Sensitive Data Identifications/Passwords"},
    {"SensitiveData:S3Object/Financial", "Sensitive Data Identifications/Financial"},
    {"SensitiveData:", "Sensitive Data Identifications/PII"},
    {"Policy:", "Software and Configuration Checks/AWS Security Best Practices"},
};

Result<Value> severity_of(const Item& item, const Value& theirs) {
  const std::string description = to_upper(theirs["description"].string_or(""));
  const auto score = theirs["score"].as_int64();
  for (const auto& [label, number] : {std::pair{"LOW", 1}, {"MEDIUM", 2}, {"HIGH", 3}})
    if (description == label || (description.empty() && score == number))
      return Value(Object{{"Label", label}, {"Original", label}});
  return fail(item.bad(
      "severity", "is " + cut_characters(as_text(theirs), 80) +
                      R"(; it has to be an object such as {"description": "High", "score": 3}: Low, Medium or High)"));
}

}  // namespace

bool is_macie(const Value& value) {
  return value.find("resourcesAffected") != nullptr;
}

Result<Value> read_macie(const Item& item) {
  const Value& value = item.value;
  FIXPOINT_TRY(home, home_of(item, value["accountId"], value["region"], value["partition"]));
  FIXPOINT_TRY(id, text_of(item, value["id"], "id"));
  FIXPOINT_TRY(type, text_of(item, value["type"], "type"));
  FIXPOINT_TRY(created, time_of(item, value["createdAt"], "createdAt"));
  FIXPOINT_TRY(updated, time_of(item, value["updatedAt"], "updatedAt"));
  FIXPOINT_TRY(severity, severity_of(item, value["severity"]));
  const Value& bucket = value["resourcesAffected"]["s3Bucket"];
  const Value& object = value["resourcesAffected"]["s3Object"];
  const Value& named = bucket["arn"].is_string() ? bucket["arn"] : bucket["name"];
  FIXPOINT_TRY(bucket_id, text_of(item, named, "resourcesAffected.s3Bucket.arn"));
  const std::string_view title = value["title"].string_or(type);
  Value finding = finding_of(product, home, id, "aws/macie", title, value["description"].string_or(title));
  std::string_view category = "Software and Configuration Checks";
  for (const TypeOf& known : categories)
    if (type.starts_with(known.theirs)) {
      category = known.category;
      break;
    }
  finding.set("Types", json::Array{Value(std::string(category) + "/" + replace_all(type, "/", "-"))});
  finding.set("CreatedAt", created);
  finding.set("UpdatedAt", updated);
  finding.set("Severity", std::move(severity));
  if (value["archived"].bool_or(false)) finding.set("RecordState", "ARCHIVED");
  if (value["sample"].bool_or(false)) {
    finding.set("Sample", true);
    item.repaired(std::string(sample_note));
  }

  Value resource = resource_of(home, "AWS::S3::Bucket", bucket_id);
  if (Value tags = tags_of(bucket["tags"]); !tags.is_null()) resource.set("Tags", std::move(tags));
  if (bucket["owner"]["id"].is_string())
    resource.set("Details", Object{{"AwsS3Bucket", Object{{"OwnerId", bucket["owner"]["id"]}}}});
  json::Array resources{std::move(resource)};
  if (object["path"].is_string() || object["key"].is_string()) {
    const std::string path(object["path"].string_or(std::string(bucket["name"].string_or("")) + "/" +
                                                    std::string(object["key"].string_or(""))));
    Value one = resource_of(home, "", "arn:" + home.partition + ":s3:::" + path);
    one.set("Type", "AwsS3Object");
    Object details;
    for (const auto& [theirs, ours] : {std::pair{"eTag", "ETag"}, {"versionId", "VersionId"}})
      if (object[theirs].is_string() && !object[theirs].as_string().empty()) details.set(ours, object[theirs]);
    if (!details.empty()) one.set("Details", Object{{"AwsS3Object", std::move(details)}});
    resources.push_back(std::move(one));
  }
  finding.set("Resources", std::move(resources));
  Value& fields = finding.at_or_make("ProductFields");
  fields.set("aws/macie/type", type);
  if (bucket["publicAccess"]["effectivePermission"].is_string())
    fields.set("S3Bucket.effectivePermission", bucket["publicAccess"]["effectivePermission"]);
  if (value["classificationDetails"]["jobArn"].is_string())
    fields.set("JobArn", value["classificationDetails"]["jobArn"]);
  return finding;
}

}  // namespace fixpoint::sources
