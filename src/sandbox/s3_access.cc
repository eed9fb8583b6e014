#include "sandbox/s3_access.h"

#include <algorithm>

#include "base/text.h"
#include "json/text.h"
#include "sandbox/s3.h"
#include "sandbox/s3_policy.h"

namespace fixpoint::sandbox::s3 {
namespace {

constexpr std::string_view all_users = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::string_view authenticated_users = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr std::string_view log_delivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

json::Value grant(json::Value grantee, std::string_view permission) {
  return json::Object{{"Grantee", std::move(grantee)}, {"Permission", permission}};
}

json::Value user(std::string_view id, std::string_view name = {}) {
  json::Object out;
  if (!name.empty()) out.set("DisplayName", name);
  out.set("ID", id);
  out.set("Type", "CanonicalUser");
  return out;
}

json::Value group(std::string_view uri) {
  return json::Object{{"Type", "Group"}, {"URI", uri}};
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
Result<json::Array> canned(std::string_view name, std::string_view account) {
  json::Array out{grant(user(canonical_id(account), account), "FULL_CONTROL")};
  if (name == "private" || name == "bucket-owner-full-control" || name == "bucket-owner-read" ||
      name == "aws-exec-read")
    return out;
  if (name == "public-read" || name == "public-read-write") out.push_back(grant(group(all_users), "READ"));
  if (name == "public-read-write") out.push_back(grant(group(all_users), "WRITE"));
  if (name == "authenticated-read") out.push_back(grant(group(authenticated_users), "READ"));
  if (name == "log-delivery-write") {
    out.push_back(grant(group(log_delivery), "WRITE"));
    out.push_back(grant(group(log_delivery), "READ_ACP"));
  }
  if (out.size() == 1)
    return refuse("InvalidArgument", 400,
                  "Argument 'x-amz-acl' has the value '" + std::string(name) + "', which is no canned ACL");
  return out;
}

// `uri="...", id="..."`: the grantees of a x-amz-grant-* header.
Result<void> grants_of_header(std::string_view header, std::string_view permission, json::Array& out) {
  for (std::string_view part : split(header, ',')) {
    part = trim(part);
    const auto equals = part.find('=');
    std::string_view value = equals == std::string_view::npos ? std::string_view() : trim(part.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const std::string_view kind = trim(part.substr(0, equals));
    if (value.empty() || (kind != "id" && kind != "uri" && kind != "emailAddress"))
      return refuse("InvalidArgument", 400, "Argument format not recognized");
    if (kind == "emailAddress")
      return refuse("UnresolvableGrantByEmailAddress", 400,
                    "The e-mail address you provided does not match any account on record.");
    out.push_back(grant(kind == "uri" ? group(value) : user(value), permission));
  }
  return {};
}

bool is_public(const json::Array& grants) {
  return std::any_of(grants.begin(), grants.end(), [](const json::Value& item) {
    const std::string_view uri = item["Grantee"]["URI"].string_or({});
    return uri == all_users || uri == authenticated_users;
  });
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
Result<void> check_grants(const json::Array& grants) {
  static constexpr std::string_view permissions[] = {"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"};
  for (const json::Value& item : grants) {
    const std::string_view permission = item["Permission"].string_or({});
    if (std::find(std::begin(permissions), std::end(permissions), permission) == std::end(permissions))
      return refuse("MalformedACLError", 400,
                    "The XML you provided was not well-formed or did not validate against our published schema");
    const json::Value& grantee = item["Grantee"];
    if (const json::Value& uri = grantee["URI"]; !uri.is_null() && uri.string_or({}) != all_users &&
                                                 uri.string_or({}) != authenticated_users &&
                                                 uri.string_or({}) != log_delivery)
      return refuse("InvalidArgument", 400, "Invalid group uri");
    if (const std::string_view id = grantee["ID"].string_or({});
        !id.empty() && (id.size() != 64 || id.find_first_not_of("0123456789abcdef") != std::string_view::npos))
      return refuse("InvalidArgument", 400, "Invalid id");
  }
  return {};
}

bool is_enforced(const json::Value& bucket) {
  return bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"].string_or({}) == "BucketOwnerEnforced";
}

bool is_of_owner(const Request& request, const json::Array& grants) {
  const std::string own = canonical_id(request.context.account);
  return std::all_of(grants.begin(), grants.end(),
                     [&](const json::Value& item) { return item["Grantee"]["ID"].string_or({}) == own; });
}

Reply put_bucket_policy(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  FIXPOINT_TRY(policy, read_bucket_policy(request.text("Policy"), request.text("Bucket")));
  if ((*bucket)["PublicAccessBlock"]["BlockPublicPolicy"].bool_or(false) && is_public_policy(policy))
    return refuse(
        "AccessDenied", 403,
        "User: arn:" + request.partition() + ":iam::" + request.context.account +
            ":root is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:" + request.partition() +
            ":s3:::" + std::string(request.text("Bucket")) +
            "\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.");
  json::Value body = *bucket;
  body.set("Policy", request.input["Policy"]);
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

Reply get_bucket_policy_status(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  const auto policy = json::parse((*bucket)["Policy"].string_or({}));
  if (!policy) return refuse("NoSuchBucketPolicy", 404, "The bucket policy does not exist");
  return json::Object{{"PolicyStatus", json::Object{{"IsPublic", is_public_policy(*policy)}}}};
}

Reply get_bucket_acl(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  return read_acl(*bucket, request.context.account);
}

Reply put_bucket_acl(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  FIXPOINT_CHECK(check_acl_given(request));
  json::Value body = *bucket;
  FIXPOINT_CHECK(apply_acl(request, body, {}));
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
Reply put_bucket_ownership(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  const json::Value& rules = request.input["OwnershipControls"]["Rules"];
  const std::string_view ownership = rules[0]["ObjectOwnership"].string_or({});
  if (rules.size() != 1 ||
      (ownership != "BucketOwnerPreferred" && ownership != "ObjectWriter" && ownership != "BucketOwnerEnforced"))
    return refuse("MalformedXML", 400,
                  "The XML you provided was not well-formed or did not validate against our published schema");
  json::Value body = *bucket;
  body.set("OwnershipControls", request.input["OwnershipControls"]);
  if (is_enforced(body) && (*bucket)["Acl"].is_array() && !is_of_owner(request, (*bucket)["Acl"].as_array()))
    return refuse("InvalidBucketAclWithObjectOwnership", 400,
                  "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  request.state.put(bucket_scope(), request.text("Bucket"), std::move(body));
  return empty();
}

}  // namespace

Result<void> check_acl_given(const Request& request) {
  for (const auto member :
       {"ACL", "AccessControlPolicy", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"})
    if (request.has(member)) return {};
  return refuse("MissingSecurityHeader", 400, "Your request was missing a required header");
}

Result<void> apply_acl(Request& request, json::Value& target, const Document& around) {
  static constexpr std::pair<std::string_view, std::string_view> headers[] = {{"GrantFullControl", "FULL_CONTROL"},
                                                                              {"GrantRead", "READ"},
                                                                              {"GrantReadACP", "READ_ACP"},
                                                                              {"GrantWrite", "WRITE"},
                                                                              {"GrantWriteACP", "WRITE_ACP"}};
  const std::string_view name = request.text("ACL");
  json::Array grants;
  bool given = !name.empty();
  if (given) {
    FIXPOINT_TRY(made, canned(name, request.context.account));
    grants = std::move(made);
  }
  for (const auto& [member, permission] : headers) {
    if (!request.has(member)) continue;
    if (!name.empty())
      return refuse("InvalidRequest", 400, "Specifying both Canned ACLs and Header Grants is not allowed");
    given = true;
    FIXPOINT_CHECK(grants_of_header(request.text(member), permission, grants));
  }
  if (const json::Value& policy = request.input["AccessControlPolicy"]; !policy.is_null()) {
    if (given) return refuse("UnexpectedContent", 400, "This request does not support content.");
    if (!policy["Grants"].is_array() || policy["Owner"]["ID"].string_or({}) != canonical_id(request.context.account))
      return refuse("MalformedACLError", 400,
                    "The XML you provided was not well-formed or did not validate against our published schema");
    given = true;
    grants = policy["Grants"].as_array();
  }
  if (!given) return {};
  FIXPOINT_CHECK(check_grants(grants));
  const json::Value& bucket = around ? *around : target;
  if (is_enforced(bucket)) {
    if (!is_of_owner(request, grants))
      return refuse("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
    return {};
  }
  if (bucket["PublicAccessBlock"]["BlockPublicAcls"].bool_or(false) && is_public(grants))
    return refuse("AccessDenied", 403, "Access Denied");
  target.set("Acl", std::move(grants));
  return {};
}

json::Value read_acl(const json::Value& target, std::string_view account) {
  json::Value grants = target["Acl"];
  if (!grants.is_array()) grants = json::Array{grant(user(canonical_id(account), account), "FULL_CONTROL")};
  return json::Object{{"Owner", owner(account)}, {"Grants", std::move(grants)}};
}

void add_access(Operations& table) {
  table.changes("PutBucketPolicy", put_bucket_policy);
  table.reads("GetBucketPolicyStatus", get_bucket_policy_status);
  table.reads("GetBucketAcl", get_bucket_acl);
  table.changes("PutBucketAcl", put_bucket_acl);
  table.changes("PutBucketOwnershipControls", put_bucket_ownership);
}

}  // namespace fixpoint::sandbox::s3
