#include <algorithm>
#include <set>

#include "sandbox/s3.h"

namespace fixpoint::sandbox::s3 {
namespace {

// Codes and texts: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_one_of(const json::Value& value, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), value.string_or({})) != known.end();
}

Result<void> check_versioning(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  const json::Value& configuration = request.input["VersioningConfiguration"];
  if (configuration["Status"].is_null())
    return refuse("IllegalVersioningConfigurationException", 400, "The Versioning element must be specified");
  if (!is_one_of(configuration["Status"], {"Enabled", "Suspended"})) return malformed_xml();
  const json::Value& mfa = configuration["MFADelete"];
  if (!mfa.is_null() && !is_one_of(mfa, {"Enabled", "Disabled"})) return malformed_xml();
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html: the root user's device has to speak
  // where MFA delete is on or is set.
  const std::string_view now = (*bucket)["Versioning"]["MFADelete"].string_or("Disabled");
  if ((mfa.string_or(now) != now || now == "Enabled") && request.text("MFA").empty())
    return refuse("AccessDenied", 403,
                  "Mfa Authentication must be used for this request: MFADelete is set with the header x-amz-mfa, "
                  "SERIAL CODE");
  return {};
}

Result<void> check_public_access_block(Request& request) {
  const json::Value& configuration = request.input["PublicAccessBlockConfiguration"];
  for (const auto member : {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"})
    if (!configuration[member].is_null()) return {};
  return refuse("InvalidRequest", 400, "Must specify at least one configuration.");
}

Result<void> check_accelerate(Request& request) {
  if (!is_one_of(request.input["AccelerateConfiguration"]["Status"], {"Enabled", "Suspended"})) return malformed_xml();
  if (request.text("Bucket").find('.') != std::string_view::npos)
    return refuse("InvalidRequest", 400,
                  "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names");
  return {};
}

Result<void> check_payment(Request& request) {
  if (!is_one_of(request.input["RequestPaymentConfiguration"]["Payer"], {"Requester", "BucketOwner"}))
    return malformed_xml();
  return {};
}

Result<void> check_cors(Request& request) {
  const json::Value& rules = request.input["CORSConfiguration"]["CORSRules"];
  if (rules.size() == 0 || rules.size() > 100) return malformed_xml();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const json::Value& methods = rules[i]["AllowedMethods"];
    if (methods.size() == 0 || rules[i]["AllowedOrigins"].size() == 0) return malformed_xml();
    for (std::size_t n = 0; n < methods.size(); ++n)
      if (!is_one_of(methods[n], {"GET", "PUT", "HEAD", "POST", "DELETE"}))
        return refuse("InvalidRequest", 400,
                      "Found unsupported HTTP method in CORS config. Unsupported method is " +
                          std::string(methods[n].string_or({})));
  }
  return {};
}

Result<void> check_object_lock(Request& request) {
  const json::Value& retention = request.input["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
  if (retention.is_null()) return {};
  if (!is_one_of(retention["Mode"], {"GOVERNANCE", "COMPLIANCE"})) return malformed_xml();
  if (retention["Days"].is_null() == retention["Years"].is_null()) return malformed_xml();
  const json::Value& period = retention["Days"].is_null() ? retention["Years"] : retention["Days"];
  if (period.int_or(0) < 1)
    return refuse("InvalidArgument", 400, "Default retention period must be a positive integer value.");
  return {};
}

// The destination is a bucket that is there and keeps versions; one of another account is out of sight.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
Result<void> check_replication(Request& request) {
  const json::Value& rules = request.input["ReplicationConfiguration"]["Rules"];
  if (rules.size() == 0) return malformed_xml();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!is_one_of(rules[i]["Status"], {"Enabled", "Disabled"})) return malformed_xml();
    const std::string_view arn = rules[i]["Destination"]["Bucket"].string_or({});
    const auto at = arn.find(":s3:::");
    if (at == std::string_view::npos) return refuse("InvalidArgument", 400, "Invalid bucket ARN.");
    const Document bucket = request.state.get(bucket_scope(), arn.substr(at + 6));
    if (!bucket) return refuse("InvalidRequest", 400, "Destination bucket must exist.");
    if ((*bucket)["Versioning"]["Status"].string_or({}) != "Enabled")
      return refuse("InvalidRequest", 400, "Destination bucket must have versioning enabled.");
  }
  return {};
}

}  // namespace

tl::unexpected<Error> malformed_xml() {
  return refuse("MalformedXML", 400,
                "The XML you provided was not well-formed or did not validate against our published schema");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3Tag.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
Result<void> check_tags(const json::Value& tags, std::size_t most) {
  // First, since only a list of so many is short.
  if (tags.size() > most)
    return refuse("BadRequest", 400,
                  (most == 10 ? "Object tags cannot be greater than " : "Bucket tag count cannot be greater than ") +
                      std::to_string(most));
  std::set<std::string_view> keys;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string_view key = tags[i]["Key"].string_or({});
    if (key.empty() || characters_of(key) > 128)
      return refuse("InvalidTag", 400, "The TagKey you have provided is invalid");
    if (characters_of(tags[i]["Value"].string_or({})) > 256)
      return refuse("InvalidTag", 400, "The TagValue you have provided is invalid");
    if (key.substr(0, 4) == "aws:")
      return refuse("InvalidTag", 400, "System tags cannot be added/updated by requester");
    if (!keys.insert(key).second) return refuse("InvalidTag", 400, "Cannot provide multiple Tags with the same key");
  }
  return {};
}

void add_checks(Services& services) {
  const auto before = [&](std::string_view name, Result<void> (*check)(Request&)) {
    check_before(services, "s3", name, [check](Request& request) -> Result<void> {
      FIXPOINT_CHECK(bucket_of(request));
      return check(request);
    });
  };
  before("PutBucketVersioning", check_versioning);
  before("PutPublicAccessBlock", check_public_access_block);
  before("PutBucketAccelerateConfiguration", check_accelerate);
  before("PutBucketRequestPayment", check_payment);
  before("PutBucketCors", check_cors);
  before("PutObjectLockConfiguration", check_object_lock);
  before("PutBucketReplication", check_replication);
  before("PutBucketTagging", [](Request& request) { return check_tags(request.input["Tagging"]["TagSet"], 50); });
  check_before(services, "s3control", "PutPublicAccessBlock", check_public_access_block);
}

}  // namespace fixpoint::sandbox::s3
