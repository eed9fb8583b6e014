#include "sandbox/s3_object_checks.h"

#include <algorithm>

#include "aws/checksum.h"
#include "base/text.h"
#include "sandbox/kms.h"
#include "sandbox/s3.h"

namespace fixpoint::sandbox::s3 {
namespace {

constexpr std::pair<std::string_view, std::string_view> checksums[] = {
    {"ChecksumCRC32", "CRC32"}, {"ChecksumCRC32C", "CRC32C"}, {"ChecksumCRC64NVME", "CRC64NVME"},
    {"ChecksumSHA1", "SHA1"},   {"ChecksumSHA256", "SHA256"}, {"ChecksumSHA512", "SHA512"},
    {"ChecksumMD5", "MD5"}};
// Of S3's, those that nothing here works out.
constexpr std::string_view checksums_not_there[] = {"ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128"};

tl::unexpected<Error> not_there(std::string_view member, std::string_view why) {
  return fail(errors::not_implemented(
      std::string(member) + " is not there in the embedded account: " + std::string(why), std::string(member)));
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
Result<void> check_lock(const Request& request, const json::Value& bucket) {
  for (const auto member : {"ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"}) {
    if (!request.has(member)) continue;
    if (bucket["ObjectLock"].is_null())
      return refuse("InvalidRequest", 400, "Bucket is missing Object Lock Configuration");
    return not_there(member, "no object is kept from being overwritten or deleted");
  }
  if (!bucket["ObjectLock"]["Rule"]["DefaultRetention"].is_null())
    return not_there("DefaultRetention of the bucket's Object Lock configuration",
                     "no object is kept from being overwritten or deleted; a bucket without it takes the object");
  return {};
}

}  // namespace

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html: ids are opaque and at most 1,024
// bytes. S3's own have 32 characters, those of its documentation 20 and more.
Result<bool> is_the_version(const json::Value& id) {
  if (id.is_null()) return true;
  const std::string_view text = id.string_or({});
  if (text == "null") return true;
  if (text.empty()) return refuse("InvalidArgument", 400, "Version id cannot be the empty string");
  const bool is_id = text.size() >= 20 && text.size() <= 1024 && std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '_' || c == '+' || c == '/';
                     });
  if (!is_id) return refuse("InvalidArgument", 400, "Invalid version id specified");
  return false;
}

Result<void> check_members(const Request& request, const Document& bucket) {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
  for (const auto member :
       {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5", "CopySourceSSECustomerAlgorithm",
        "CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5"})
    if (request.has(member)) return not_there(member, "objects are not encrypted with keys that a call brings");
  if (request.has("WriteOffsetBytes")) return not_there("WriteOffsetBytes", "bytes are not appended to an object");
  return bucket ? check_lock(request, *bucket) : Result<void>();
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (x-amz-storage-class)
Result<void> check_storage_class(const Request& request) {
  static constexpr std::string_view known[] = {"STANDARD",     "REDUCED_REDUNDANCY",  "STANDARD_IA",
                                               "ONEZONE_IA",   "INTELLIGENT_TIERING", "GLACIER",
                                               "DEEP_ARCHIVE", "GLACIER_IR"};
  const std::string_view wanted = request.input["StorageClass"].string_or("STANDARD");
  if (std::find(std::begin(known), std::end(known), wanted) != std::end(known)) return {};
  return refuse("InvalidStorageClass", 400, "The storage class you specified is not valid");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
Result<void> set_checksum(const Request& request, std::string_view bytes, json::Value& object) {
  std::string_view algorithm = request.input["ChecksumAlgorithm"].string_or("CRC64NVME");
  std::string_view stated;
  for (const auto member : checksums_not_there)
    if (request.has(member)) return not_there(member, "what it says of the object could not be checked");
  for (const auto& [member, name] : checksums) {
    object.as_object().erase(member);
    if (!request.has(member)) continue;
    if (!stated.empty())
      return refuse("InvalidRequest", 400,
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    stated = request.text(member);
    algorithm = name;
  }
  const auto actual = aws::checksum_of(algorithm, bytes);
  if (!actual)
    return refuse("InvalidRequest", 400,
                  "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, "
                  "CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5]");
  if (!stated.empty() && stated != *actual)
    return refuse("BadDigest", 400,
                  "The " + std::string(algorithm) + " you specified did not match the calculated checksum.");
  object.set("Checksum" + to_upper(algorithm), *actual);
  return {};
}

void copy_checksum(const json::Value& object, json::Object& out) {
  for (const auto& [member, name] : checksums) {
    if (object[member].is_null()) continue;
    out.set(member, object[member]);
    out.set("ChecksumType", "FULL_OBJECT");
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (x-amz-server-side-encryption)
Result<void> set_encryption(Request& request, const json::Value& bucket, json::Value& object) {
  const json::Value& rule = bucket["Encryption"]["Rules"][0];
  const bool said = request.has("ServerSideEncryption");
  if (const std::string_view wanted = request.text("ServerSideEncryption");
      said && wanted != "AES256" && wanted != "aws:kms" && wanted != "aws:kms:dsse")
    return refuse("InvalidArgument", 400, "The encryption method specified is not supported");
  const json::Value& by_default = rule["ApplyServerSideEncryptionByDefault"];
  if (request.has("SSEKMSKeyId") && !request.text("ServerSideEncryption").starts_with("aws:kms"))
    return refuse("InvalidArgument", 400,
                  "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
                  "aws:kms");
  const std::string algorithm(
      (said ? request.input["ServerSideEncryption"] : by_default["SSEAlgorithm"]).string_or({}));
  if (algorithm.empty()) return {};
  object.set("ServerSideEncryption", algorithm);
  if (!algorithm.starts_with("aws:kms")) return {};
  const std::string_view wanted =
      (said ? request.input["SSEKMSKeyId"] : by_default["KMSMasterKeyID"]).string_or("alias/aws/s3");
  // The key is one of the bucket's region.
  aws::CallContext there = request.context;
  there.region = bucket["Region"].string_or(there.region);
  Request at{there, request.input, request.state, request.now_ms, request.operation};
  const auto key = kms::find_key(at, wanted);
  if (!key) return refuse("KMS." + key.error().code, 400, key.error().message);
  const std::string arn(kms::arn_of(**key));
  const std::string_view state = (**key)["Metadata"]["KeyState"].string_or({});
  if (state == "Disabled") return refuse("KMS.DisabledException", 400, arn + " is disabled.");
  if (state == "PendingDeletion") return refuse("KMS.KMSInvalidStateException", 400, arn + " is pending deletion.");
  object.set("SSEKMSKeyId", arn);
  const json::Value& bucket_key =
      request.has("BucketKeyEnabled") ? request.input["BucketKeyEnabled"] : rule["BucketKeyEnabled"];
  if (bucket_key.bool_or(false)) object.set("BucketKeyEnabled", true);
  return {};
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
json::Value lower_names(const json::Value& metadata) {
  json::Object out;
  if (!metadata.is_object()) return out;
  for (const json::Member& member : metadata.as_object()) {
    const std::string name = to_lower(member.key);
    const json::Value* there = out.find(name);
    out.set(name, there == nullptr
                      ? member.value
                      : json::Value(std::string(there->string_or({})) + "," + std::string(member.value.string_or({}))));
  }
  return out;
}

}  // namespace fixpoint::sandbox::s3
