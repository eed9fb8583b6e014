#include "sandbox/kms.h"

#include <algorithm>
#include <array>

#include "base/arn.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "sandbox/item_list.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace kms {
namespace {

constexpr std::int64_t day_seconds = 86'400;

tl::unexpected<Error> refuse(std::string code, std::string message) {
  return fail(errors::coded(std::move(code), std::move(message), 400));
}

Scope keys(const Request& request) {
  return request.regional("kms", "key");
}

Scope aliases(const Request& request) {
  return request.regional("kms", "alias");
}

std::string id_of(const json::Value& key) {
  return std::string(key["Metadata"]["KeyId"].string_or({}));
}

std::string_view state_of(const json::Value& key) {
  return key["Metadata"]["KeyState"].string_or({});
}

bool is_symmetric(const json::Value& key) {
  return key["Metadata"]["KeySpec"].string_or({}) == "SYMMETRIC_DEFAULT";
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

bool is_key_id(std::string_view text) {
  return is_uuid(text) || (text.size() == 36 && text.substr(0, 4) == "mrk-");
}

constexpr std::string_view managed_services[] = {"acm",
                                                 "backup",
                                                 "dynamodb",
                                                 "ebs",
                                                 "ec2",
                                                 "elasticfilesystem",
                                                 "es",
                                                 "fsx",
                                                 "glue",
                                                 "kinesis",
                                                 "kinesisvideo",
                                                 "lambda",
                                                 "lightsail",
                                                 "rds",
                                                 "redshift",
                                                 "s3",
                                                 "secretsmanager",
                                                 "sns",
                                                 "sqs",
                                                 "ssm",
                                                 "xray"};

json::Value algorithms_of(std::string_view spec, std::string_view usage, std::string& member) {
  if (usage == "GENERATE_VERIFY_MAC") {
    member = "MacAlgorithms";
    return json::Array{"HMAC_SHA_" + std::string(spec.substr(std::min<std::size_t>(5, spec.size())))};
  }
  if (usage == "SIGN_VERIFY") {
    member = "SigningAlgorithms";
    if (spec.substr(0, 3) == "RSA")
      return json::Array{"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
                         "RSASSA_PSS_SHA_256",        "RSASSA_PSS_SHA_384",        "RSASSA_PSS_SHA_512"};
    if (spec == "ECC_NIST_P384") return json::Array{"ECDSA_SHA_384"};
    if (spec == "ECC_NIST_P521") return json::Array{"ECDSA_SHA_512"};
    return json::Array{"ECDSA_SHA_256"};
  }
  if (usage == "KEY_AGREEMENT") {
    member = "KeyAgreementAlgorithms";
    return json::Array{"ECDH"};
  }
  member = "EncryptionAlgorithms";
  if (spec.substr(0, 3) == "RSA") return json::Array{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"};
  return json::Array{"SYMMETRIC_DEFAULT"};
}

// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
std::string default_policy(const Request& request) {
  return json::print_pretty(json::Object{
      {"Version", "2012-10-17"},
      {"Id", "key-default-1"},
      {"Statement",
       json::Array{json::Object{{"Sid", "Enable IAM User Permissions"},
                                {"Effect", "Allow"},
                                {"Principal", json::Object{{"AWS", "arn:" + request.partition() +
                                                                       ":iam::" + request.context.account + ":root"}}},
                                {"Action", "kms:*"},
                                {"Resource", "*"}}}}});
}

json::Value new_key(Request& request, std::string_view spec, std::string_view usage, std::string_view manager) {
  const bool multi_region = request.input["MultiRegion"].bool_or(false);
  const std::string id = multi_region ? "mrk-" + random_hex(32) : random_uuid();
  const std::string_view origin = request.input["Origin"].string_or("AWS_KMS");
  const bool ready = origin != "EXTERNAL";
  json::Object metadata{{"AWSAccountId", request.context.account},
                        {"KeyId", id},
                        {"Arn", request.arn("kms", "key/" + id)},
                        {"CreationDate", static_cast<double>(request.now_ms) / 1000},
                        {"Enabled", ready},
                        {"Description", request.text("Description")},
                        {"KeyUsage", usage},
                        {"KeyState", ready ? "Enabled" : "PendingImport"},
                        {"Origin", origin},
                        {"KeyManager", manager},
                        {"CustomerMasterKeySpec", spec},
                        {"KeySpec", spec}};
  std::string member;
  json::Value algorithms = algorithms_of(spec, usage, member);
  metadata.set(member, std::move(algorithms));
  metadata.set("MultiRegion", multi_region);
  if (multi_region)
    metadata.set(
        "MultiRegionConfiguration",
        json::Object{{"MultiRegionKeyType", "PRIMARY"},
                     {"PrimaryKey", json::Object{{"Arn", metadata["Arn"]}, {"Region", request.context.region}}},
                     {"ReplicaKeys", json::Array()}});
  return json::Object{{"Metadata", std::move(metadata)}, {"Policy", default_policy(request)}};
}

void save(Request& request, json::Value key) {
  const std::string id = id_of(key);
  request.state.put(keys(request), id, std::move(key));
}

json::Value alias(Request& request, const std::string& name, const std::string& target) {
  const double now = static_cast<double>(request.now_ms) / 1000;
  return json::Object{{"AliasName", name},
                      {"AliasArn", request.arn("kms", name)},
                      {"TargetKeyId", target},
                      {"CreationDate", now},
                      {"LastUpdatedDate", now}};
}

Result<Document> by_id(Request& request, const std::string& id) {
  Document key = request.state.get(keys(request), id);
  // A key is gone when its deletion date has come.
  if (key && state_of(*key) == "PendingDeletion" &&
      (*key)["Metadata"]["DeletionDate"].as_double() <= static_cast<double>(request.now_ms) / 1000)
    key = nullptr;
  if (!key) return refuse("NotFoundException", "Key '" + request.arn("kms", "key/" + id) + "' does not exist");
  return key;
}

Result<Document> by_alias(Request& request, const std::string& name) {
  const auto not_found = [&] {
    return refuse("NotFoundException", "Alias " + request.arn("kms", name) + " is not found.");
  };
  Document found = request.state.get(aliases(request), name);
  if (!found) {
    const std::string_view service = std::string_view(name).substr(std::min<std::size_t>(10, name.size()));
    if (name.substr(0, 10) != "alias/aws/" ||
        std::find(std::begin(managed_services), std::end(managed_services), service) == std::end(managed_services))
      return not_found();
    json::Value key = new_key(request, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS");
    json::Object& metadata = key.as_object().find("Metadata")->as_object();
    metadata.set("Description",
                 "Default key that protects my " + std::string(service) + " data when no other key is defined");
    const std::string id = id_of(key);
    // AWS turns its own keys every year: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    key.set("Rotation", json::Object{{"Period", 365}, {"Since", request.now()}});
    request.state.put(aliases(request), name, alias(request, name, id));
    save(request, std::move(key));
    return by_id(request, id);
  }
  return by_id(request, std::string((*found)["TargetKeyId"].string_or({})));
}

// The key of a call that takes ids and ARNs of keys only.
Result<Document> key_in(Request& request) {
  return find_key(request, request.text("KeyId"), false);
}

Result<void> check_customer(const Request& request, const json::Value& key) {
  if (key["Metadata"]["KeyManager"].string_or({}) == "CUSTOMER") return {};
  return refuse("AccessDeniedException",
                "User: arn:" + request.partition() + ":iam::" + request.context.account +
                    ":root is not authorized to perform: kms:" + std::string(request.operation) +
                    " on resource: " + std::string(arn_of(key)) + ": the key is managed by AWS");
}

Result<void> check_not_deleted(const json::Value& key) {
  if (state_of(key) == "PendingDeletion")
    return refuse("KMSInvalidStateException", std::string(arn_of(key)) + " is pending deletion.");
  if (state_of(key) == "PendingImport")
    return refuse("KMSInvalidStateException", std::string(arn_of(key)) + " is pending import.");
  return {};
}

Result<void> check_rotatable(const json::Value& key) {
  if (!is_symmetric(key) || key["Metadata"]["Origin"].string_or({}) != "AWS_KMS")
    return refuse("UnsupportedOperationException",
                  "Automatic key rotation is not supported for " + std::string(arn_of(key)) +
                      ": only symmetric encryption keys whose material AWS KMS made can be rotated");
  return {};
}

Reply create_key(Request& request) {
  const std::string spec(request.has("KeySpec")
                             ? request.text("KeySpec")
                             : request.input["CustomerMasterKeySpec"].string_or("SYMMETRIC_DEFAULT"));
  const bool mac = spec.substr(0, 5) == "HMAC_";
  const std::string usage(request.input["KeyUsage"].string_or(spec == "SYMMETRIC_DEFAULT" ? "ENCRYPT_DECRYPT" : ""));
  static constexpr std::array<std::string_view, 13> specs{"SYMMETRIC_DEFAULT",
                                                          "RSA_2048",
                                                          "RSA_3072",
                                                          "RSA_4096",
                                                          "ECC_NIST_P256",
                                                          "ECC_NIST_P384",
                                                          "ECC_NIST_P521",
                                                          "ECC_SECG_P256K1",
                                                          "HMAC_224",
                                                          "HMAC_256",
                                                          "HMAC_384",
                                                          "HMAC_512",
                                                          "SM2"};
  if (std::find(specs.begin(), specs.end(), spec) == specs.end())
    return refuse("ValidationException", "KeySpec " + spec + " is not supported");
  if (usage.empty())
    return refuse("ValidationException",
                  "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
  const bool fits = spec == "SYMMETRIC_DEFAULT"  ? usage == "ENCRYPT_DECRYPT"
                    : mac                        ? usage == "GENERATE_VERIFY_MAC"
                    : spec.substr(0, 3) == "ECC" ? usage == "SIGN_VERIFY" || usage == "KEY_AGREEMENT"
                                                 : usage == "SIGN_VERIFY" || usage == "ENCRYPT_DECRYPT";
  if (!fits) return refuse("ValidationException", "KeyUsage " + usage + " is not compatible with KeySpec " + spec);
  json::Value key = new_key(request, spec, usage, "CUSTOMER");
  if (request.has("Policy")) {
    FIXPOINT_CHECK(check_policy(request));
    key.set("Policy", request.input["Policy"]);
  }
  if (request.input["Tags"].size() > 0) key.set("Tags", request.input["Tags"]);
  json::Value answer = json::Object{{"KeyMetadata", key["Metadata"]}};
  save(request, std::move(key));
  return answer;
}

Reply describe_key(Request& request) {
  FIXPOINT_TRY(key, find_key(request, request.text("KeyId")));
  return json::Object{{"KeyMetadata", (*key)["Metadata"]}};
}

// KMS pages by Limit and Marker; its answers say Truncated and NextMarker.
Reply list_pages(Request& request, const Scope& scope, std::string_view into, std::int64_t by_default,
                 std::int64_t most, const std::function<std::optional<json::Value>(const json::Value&)>& show) {
  const std::int64_t limit = request.input["Limit"].int_or(by_default);
  if (limit < 1 || limit > most)
    return refuse("ValidationException",
                  "1 validation error detected: Value '" + std::to_string(limit) +
                      "' at 'limit' failed to satisfy constraint: Member must have value less than or equal to " +
                      std::to_string(most));
  FIXPOINT_TRY(after, page_position(request.text("Marker"), "InvalidMarkerException",
                                    "Could not deserialize marker '" + std::string(request.text("Marker")) + "'"));
  json::Array items;
  std::string last;
  json::Object out;
  request.state.each(scope, {}, after, [&](std::string_view id, const Document& body) {
    auto item = body ? show(*body) : std::nullopt;
    if (!item) return true;
    if (static_cast<std::int64_t>(items.size()) == limit) {
      out.set("NextMarker", page_token(last));
      return false;
    }
    items.push_back(std::move(*item));
    last = id;
    return true;
  });
  out.set("Truncated", out.contains("NextMarker"));
  out.set(into, std::move(items));
  return out;
}

Reply list_keys(Request& request) {
  return list_pages(request, keys(request), "Keys", 100, 1000,
                    [&](const json::Value& key) -> std::optional<json::Value> {
                      if (!by_id(request, id_of(key))) return {};
                      return json::Object{{"KeyId", key["Metadata"]["KeyId"]}, {"KeyArn", key["Metadata"]["Arn"]}};
                    });
}

Reply list_aliases(Request& request) {
  std::string of;
  if (request.has("KeyId")) {
    FIXPOINT_TRY(key, key_in(request));
    of = id_of(*key);
  }
  return list_pages(request, aliases(request), "Aliases", 50, 100,
                    [&](const json::Value& item) -> std::optional<json::Value> {
                      if (!of.empty() && item["TargetKeyId"].string_or({}) != of) return {};
                      return item;
                    });
}

Result<void> check_alias_name(std::string_view name) {
  if (name.substr(0, 6) != "alias/") return refuse("ValidationException", "Invalid identifier");
  if (name.substr(0, 10) == "alias/aws/")
    return refuse("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved for AWS");
  name.remove_prefix(6);
  const bool fits = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-';
  });
  if (!fits)
    return refuse("ValidationException", "1 validation error detected: Value 'alias/" + std::string(name) +
                                             "' at 'aliasName' failed to satisfy constraint: Member must satisfy "
                                             "regular expression pattern: ^[a-zA-Z0-9:/_-]+$");
  return {};
}

Reply create_alias(Request& request) {
  const std::string name(request.text("AliasName"));
  FIXPOINT_CHECK(check_alias_name(name));
  FIXPOINT_TRY(key, find_key(request, request.text("TargetKeyId"), false));
  FIXPOINT_CHECK(check_not_deleted(*key));
  if (request.state.get(aliases(request), name))
    return refuse("AlreadyExistsException", "An alias with the name " + request.arn("kms", name) + " already exists");
  request.state.put(aliases(request), name, alias(request, name, id_of(*key)));
  return empty();
}

Reply update_alias(Request& request) {
  const std::string name(request.text("AliasName"));
  FIXPOINT_CHECK(check_alias_name(name));
  FIXPOINT_TRY(key, find_key(request, request.text("TargetKeyId"), false));
  const Document there = request.state.get(aliases(request), name);
  if (!there) return refuse("NotFoundException", "Alias " + request.arn("kms", name) + " is not found.");
  json::Value body = *there;
  body.set("TargetKeyId", id_of(*key));
  body.set("LastUpdatedDate", static_cast<double>(request.now_ms) / 1000);
  request.state.put(aliases(request), name, std::move(body));
  return empty();
}

Reply delete_alias(Request& request) {
  const std::string name(request.text("AliasName"));
  FIXPOINT_CHECK(check_alias_name(name));
  if (!request.state.get(aliases(request), name))
    return refuse("NotFoundException", "Alias " + request.arn("kms", name) + " is not found.");
  request.state.erase(aliases(request), name);
  return empty();
}

// https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
Reply enable_rotation(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_rotatable(*key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  if (state_of(*key) == "Disabled") return refuse("DisabledException", std::string(arn_of(*key)) + " is disabled.");
  const std::int64_t period = request.input["RotationPeriodInDays"].int_or(365);
  if (period < 90 || period > 2560)
    return refuse(
        "ValidationException",
        "1 validation error detected: Value '" + std::to_string(period) +
            "' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between 90 and 2560");
  json::Value body = *key;
  body.set("Rotation", json::Object{{"Period", period}, {"Since", request.now()}});
  save(request, std::move(body));
  return empty();
}

Reply disable_rotation(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_rotatable(*key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  if (state_of(*key) == "Disabled") return refuse("DisabledException", std::string(arn_of(*key)) + " is disabled.");
  json::Value body = *key;
  body.as_object().erase("Rotation");
  save(request, std::move(body));
  return empty();
}

Reply rotation_status(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_rotatable(*key));
  const json::Value& rotation = (*key)["Rotation"];
  // A key that waits for its deletion is not rotated, whatever was set before.
  const bool enabled = !rotation.is_null() && state_of(*key) != "PendingDeletion";
  json::Object out{{"KeyId", (*key)["Metadata"]["KeyId"]}, {"KeyRotationEnabled", enabled}};
  if (enabled) {
    const std::int64_t period = rotation["Period"].int_or(365);
    std::int64_t next = rotation["Since"].int_or(0) + period * day_seconds;
    if (next <= request.now()) next += ((request.now() - next) / (period * day_seconds) + 1) * period * day_seconds;
    out.set("RotationPeriodInDays", period);
    out.set("NextRotationDate", next);
  }
  return out;
}

Reply set_enabled(Request& request, bool enabled) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  json::Value body = *key;
  json::Value& metadata = body.at_or_make("Metadata");
  metadata.set("Enabled", enabled);
  metadata.set("KeyState", enabled ? "Enabled" : "Disabled");
  save(request, std::move(body));
  return empty();
}

Reply schedule_deletion(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  if (state_of(*key) == "PendingDeletion") FIXPOINT_CHECK(check_not_deleted(*key));
  const std::int64_t days = request.input["PendingWindowInDays"].int_or(30);
  if (days < 7 || days > 30)
    return refuse(
        "ValidationException",
        "1 validation error detected: Value '" + std::to_string(days) +
            "' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30");
  const double date = static_cast<double>(request.now_ms) / 1000 + static_cast<double>(days * day_seconds);
  json::Value body = *key;
  json::Value& metadata = body.at_or_make("Metadata");
  metadata.set("Enabled", false);
  metadata.set("KeyState", "PendingDeletion");
  metadata.set("DeletionDate", date);
  json::Value answer = json::Object{{"KeyId", metadata["Arn"]},
                                    {"DeletionDate", date},
                                    {"KeyState", "PendingDeletion"},
                                    {"PendingWindowInDays", days}};
  save(request, std::move(body));
  return answer;
}

Reply cancel_deletion(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  if (state_of(*key) != "PendingDeletion")
    return refuse("KMSInvalidStateException", std::string(arn_of(*key)) + " is not pending deletion.");
  json::Value body = *key;
  json::Value& metadata = body.at_or_make("Metadata");
  metadata.set("KeyState", "Disabled");
  metadata.as_object().erase("DeletionDate");
  json::Value answer = json::Object{{"KeyId", metadata["Arn"]}};
  save(request, std::move(body));
  return answer;
}

Result<void> check_policy_name(const Request& request) {
  if (request.has("PolicyName") && request.text("PolicyName") != "default")
    return refuse("NotFoundException", "No such policy exists");
  return {};
}

Reply get_policy(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_policy_name(request));
  return json::Object{{"Policy", (*key)["Policy"]}, {"PolicyName", "default"}};
}

Reply put_policy(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_policy_name(request));
  FIXPOINT_CHECK(check_policy(request));
  json::Value body = *key;
  body.set("Policy", request.input["Policy"]);
  save(request, std::move(body));
  return empty();
}

Reply list_policies(Request& request) {
  FIXPOINT_CHECK(key_in(request));
  return json::Object{{"PolicyNames", json::Array{"default"}}, {"Truncated", false}};
}

Reply update_description(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  json::Value body = *key;
  body.at_or_make("Metadata").set("Description", request.input["Description"]);
  save(request, std::move(body));
  return empty();
}

Reply tag_resource(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  json::Value tags = (*key)["Tags"];
  if (!tags.is_array()) tags = json::Array();
  const json::Value& wanted = request.input["Tags"];
  if (wanted.size() > 50) return refuse("LimitExceededException", "A key has at most 50 tags");
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]["TagKey"].string_or({}).substr(0, 4) == "aws:")
      return refuse("TagException", "Tag keys that begin with aws: are reserved");
  if (wanted.is_array()) put_items(tags.as_array(), wanted.as_array(), "TagKey");
  if (tags.size() > 50) return refuse("LimitExceededException", "A key has at most 50 tags");
  json::Value body = *key;
  body.set("Tags", std::move(tags));
  save(request, std::move(body));
  return empty();
}

Reply untag_resource(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  FIXPOINT_CHECK(check_customer(request, *key));
  FIXPOINT_CHECK(check_not_deleted(*key));
  json::Value body = *key;
  const json::Value& gone = request.input["TagKeys"];
  if (json::Value* tags = body.as_object().find("Tags"); tags != nullptr && gone.is_array())
    take_items(tags->as_array(), gone.as_array(), "TagKey");
  save(request, std::move(body));
  return empty();
}

Reply list_tags(Request& request) {
  FIXPOINT_TRY(key, key_in(request));
  const json::Value& tags = (*key)["Tags"];
  return json::Object{{"Tags", tags.is_array() ? tags : json::Value(json::Array())}, {"Truncated", false}};
}

}  // namespace

Result<Document> find_key(Request& request, std::string_view name, bool with_aliases) {
  const auto invalid = [&] { return refuse("NotFoundException", "Invalid keyId '" + std::string(name) + "'"); };
  if (name.substr(0, 6) == "alias/") return with_aliases ? by_alias(request, std::string(name)) : invalid();
  if (name.substr(0, 4) == "arn:") {
    const auto arn = parse_arn(name);
    if (!arn || arn->service != "kms") return refuse("InvalidArnException", "Invalid arn " + std::string(name));
    if (arn->region != request.context.region) return refuse("NotFoundException", "Invalid arn " + arn->region);
    if (arn->resource.substr(0, 6) == "alias/" && arn->account == request.context.account)
      return with_aliases ? by_alias(request, arn->resource) : invalid();
    if (arn->resource.substr(0, 4) != "key/") return refuse("InvalidArnException", "Invalid arn " + std::string(name));
    if (arn->account != request.context.account)
      return refuse("NotFoundException", "Key '" + std::string(name) + "' does not exist");
    return by_id(request, arn->resource.substr(4));
  }
  if (!is_key_id(name)) return invalid();
  return by_id(request, std::string(name));
}

}  // namespace kms

void add_kms(Services& services) {
  Operations table("kms", services);
  table.changes("CreateKey", kms::create_key);
  table.reads("DescribeKey", kms::describe_key);
  table.reads("ListKeys", kms::list_keys);
  table.reads("ListAliases", kms::list_aliases);
  table.changes("CreateAlias", kms::create_alias);
  table.changes("UpdateAlias", kms::update_alias);
  table.changes("DeleteAlias", kms::delete_alias);
  table.changes("EnableKeyRotation", kms::enable_rotation);
  table.changes("DisableKeyRotation", kms::disable_rotation);
  table.reads("GetKeyRotationStatus", kms::rotation_status);
  table.changes("EnableKey", [](Request& request) { return kms::set_enabled(request, true); });
  table.changes("DisableKey", [](Request& request) { return kms::set_enabled(request, false); });
  table.changes("ScheduleKeyDeletion", kms::schedule_deletion);
  table.changes("CancelKeyDeletion", kms::cancel_deletion);
  table.reads("GetKeyPolicy", kms::get_policy);
  table.changes("PutKeyPolicy", kms::put_policy);
  table.reads("ListKeyPolicies", kms::list_policies);
  table.changes("UpdateKeyDescription", kms::update_description);
  table.changes("TagResource", kms::tag_resource);
  table.changes("UntagResource", kms::untag_resource);
  table.reads("ListResourceTags", kms::list_tags);
}

}  // namespace fixpoint::sandbox
