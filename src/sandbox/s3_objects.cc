#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "sandbox/paging.h"
#include "sandbox/s3.h"
#include "sandbox/s3_access.h"
#include "sandbox/s3_object_checks.h"

namespace fixpoint::sandbox {
namespace s3 {
namespace {

constexpr std::size_t object_limit_bytes = 64UL * 1024 * 1024;

std::string object_id(std::string_view bucket, std::string_view key) {
  return std::string(bucket) + "/" + std::string(key);
}

tl::unexpected<Error> no_such_version() {
  return refuse("NoSuchVersion", 404, "The specified version does not exist.");
}

tl::unexpected<Error> no_such_key() {
  return refuse("NoSuchKey", 404, "The specified key does not exist.");
}

tl::unexpected<Error> precondition_failed() {
  return refuse("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold");
}

Result<Document> object_of(Request& request) {
  FIXPOINT_CHECK(bucket_of(request));
  FIXPOINT_TRY(is_there, is_the_version(request.input["VersionId"]));
  if (!is_there) return no_such_version();
  Document object = request.state.get(object_scope(), object_id(request.text("Bucket"), request.text("Key")));
  if (!object) return no_such_key();
  return object;
}

std::string quoted(std::string_view text) {
  return !text.empty() && text.front() == '"' ? std::string(text) : "\"" + std::string(text) + "\"";
}

enum class Fit { Yes, Failed, Unchanged };

// RFC 9110 section 13: the conditions of a read, and those on the source of a copy, whose names have a prefix.
Fit fit_of(const Request& request, const std::string& prefix, const json::Value& object) {
  const std::string_view etag = object["ETag"].string_or({});
  const auto names = [&](const std::string& member) {
    return request.text(member) == "*" || quoted(request.text(member)) == etag;
  };
  const double modified = object["LastModified"].as_double();
  if (request.has(prefix + "IfMatch")) {
    if (!names(prefix + "IfMatch")) return Fit::Failed;
  } else if (const json::Value& since = request.input[prefix + "IfUnmodifiedSince"]; since.is_number()) {
    if (modified > since.as_double()) return Fit::Failed;
  }
  if (request.has(prefix + "IfNoneMatch")) {
    if (names(prefix + "IfNoneMatch")) return Fit::Unchanged;
  } else if (const json::Value& since = request.input[prefix + "IfModifiedSince"]; since.is_number()) {
    if (modified <= since.as_double()) return Fit::Unchanged;
  }
  return Fit::Yes;
}

Result<void> check_conditions(const Request& request, const json::Value& object) {
  const Fit fit = fit_of(request, {}, object);
  if (fit == Fit::Failed) return precondition_failed();
  if (fit == Fit::Unchanged) return refuse("304", 304, "Not Modified");
  return {};
}

// The conditions of a write: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
Result<void> check_write_conditions(Request& request, const Document& there) {
  if (request.text("IfNoneMatch") == "*" && there) return precondition_failed();
  if (request.has("IfMatch")) {
    if (!there) return no_such_key();
    if (quoted(request.text("IfMatch")) != (*there)["ETag"].string_or({})) return precondition_failed();
  }
  return {};
}

constexpr std::string_view kept_members[] = {"CacheControl",    "ContentDisposition", "ContentEncoding",
                                             "ContentLanguage", "ContentType",        "Expires",
                                             "Metadata",        "StorageClass",       "WebsiteRedirectLocation"};

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: names and values together, in UTF-8.
Result<void> check_metadata(const Request& request) {
  std::size_t bytes = 0;
  if (const json::Value& metadata = request.input["Metadata"]; metadata.is_object())
    for (const json::Member& member : metadata.as_object())
      bytes += member.key.size() + member.value.string_or({}).size();
  if (bytes <= 2048) return {};
  return refuse("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size");
}

void keep_members(const Request& request, json::Value& object) {
  object.set("ContentType", "binary/octet-stream");
  for (const auto member : kept_members) {
    const json::Value& value = request.input[member];
    if (!value.is_null()) object.set(member, std::string_view(member) == "Metadata" ? lower_names(value) : value);
  }
}

// `a=b&c=d`, the form of the tagging header.
Result<json::Array> tags_of_header(std::string_view header) {
  json::Array out;
  if (header.empty()) return out;
  for (const auto pair : split(header, '&')) {
    const auto equals = pair.find('=');
    const std::string key = uri_decode(pair.substr(0, equals), true);
    // A header is short, so that each may be held against all.
    const bool again = std::any_of(out.begin(), out.end(), [&](const json::Value& tag) { return tag["Key"] == key; });
    if (key.empty() || again)
      return refuse("InvalidArgument", 400,
                    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
                    "tag name duplicates.");
    out.push_back(json::Object{
        {"Key", key}, {"Value", equals == std::string_view::npos ? "" : uri_decode(pair.substr(equals + 1), true)}});
  }
  FIXPOINT_CHECK(check_tags(out, 10));
  return out;
}

json::Object copy_members(const json::Value& object, std::initializer_list<std::string_view> names) {
  json::Object out;
  for (const auto name : names)
    if (const json::Value& value = object[name]; !value.is_null()) out.set(name, value);
  return out;
}

Reply put_object(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  FIXPOINT_CHECK(check_members(request, bucket));
  FIXPOINT_CHECK(check_storage_class(request));
  FIXPOINT_CHECK(check_metadata(request));
  const std::string id = object_id(request.text("Bucket"), request.text("Key"));
  if (request.text("Key").size() > 1024) return refuse("KeyTooLongError", 400, "Your key is too long");
  FIXPOINT_CHECK(check_write_conditions(request, request.state.get(object_scope(), id)));
  std::string body(request.text("Body"));
  const auto bytes = base64_decode(body);
  if (!bytes) return refuse("InvalidRequest", 400, "The body is not base64");
  if (bytes->size() > object_limit_bytes)
    return refuse("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size");
  const std::string digest = md5(*bytes);
  if (request.has("ContentMD5")) {
    const auto expected = base64_decode(request.text("ContentMD5"));
    if (!expected || expected->size() != 16)
      return refuse("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    if (*expected != digest)
      return refuse("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
  }
  json::Value object = json::Object{{"Key", request.input["Key"]},
                                    {"Size", bytes->size()},
                                    {"ETag", quoted(hex_encode(digest))},
                                    {"LastModified", request.now()}};
  keep_members(request, object);
  FIXPOINT_CHECK(set_checksum(request, *bytes, object));
  FIXPOINT_TRY(tags, tags_of_header(request.text("Tagging")));
  if (!tags.empty()) object.set("Tags", std::move(tags));
  FIXPOINT_CHECK(set_encryption(request, *bucket, object));
  FIXPOINT_CHECK(apply_acl(request, object, bucket));
  json::Object answer = copy_members(object, {"ETag", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"});
  copy_checksum(object, answer);
  request.state.put(object_scope(), id, std::move(object));
  request.state.put_content(object_scope(), id, std::move(body));
  return answer;
}

// What a signed read wants in place of what is kept; unsigned ones are let in nowhere.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Overriding response header values)
constexpr std::pair<std::string_view, std::string_view> overrides[] = {
    {"ResponseCacheControl", "CacheControl"},       {"ResponseContentDisposition", "ContentDisposition"},
    {"ResponseContentEncoding", "ContentEncoding"}, {"ResponseContentLanguage", "ContentLanguage"},
    {"ResponseContentType", "ContentType"},         {"ResponseExpires", "Expires"}};

// Such a value becomes a header of the answer. https://www.rfc-editor.org/rfc/rfc9110#section-5.5
Result<void> check_overrides(const Request& request) {
  for (const auto& [wanted, member] : overrides)
    for (const char c : request.text(wanted))
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
        return refuse("InvalidArgument", 400, "Header value cannot be represented using ISO-8859-1.");
  return {};
}

json::Object describe_object(const Request& request, const json::Value& object) {
  json::Object out =
      copy_members(object, {"LastModified", "ETag", "CacheControl", "ContentDisposition", "ContentEncoding",
                            "ContentLanguage", "ContentType", "Expires", "Metadata", "ServerSideEncryption",
                            "SSEKMSKeyId", "BucketKeyEnabled", "WebsiteRedirectLocation"});
  out.set("ContentLength", object["Size"]);
  out.set("AcceptRanges", "bytes");
  // STANDARD is never named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  if (object["StorageClass"].string_or("STANDARD") != "STANDARD") out.set("StorageClass", object["StorageClass"]);
  if (object["Tags"].size() > 0) out.set("TagCount", object["Tags"].size());
  for (const auto& [wanted, member] : overrides)
    if (request.has(wanted)) out.set(member, request.input[wanted]);
  // The checksum is of the whole object: clients hold it against what they get.
  if (request.text("ChecksumMode") == "ENABLED" && !request.has("Range")) copy_checksum(object, out);
  return out;
}

// An object is in one part. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (partNumber)
Result<void> check_part(const Request& request) {
  if (request.input["PartNumber"].int_or(1) == 1) return {};
  return refuse("InvalidPartNumber", 416, "The requested partnumber is not satisfiable");
}

struct Range {
  std::size_t first;
  std::size_t last;
};

// RFC 9110 section 14.1.2; nothing where the header is none that is understood, which then counts for nothing.
std::optional<Range> range_of(std::string_view header, std::size_t size, bool& unsatisfiable) {
  if (header.substr(0, 6) != "bytes=") return {};
  header.remove_prefix(6);
  const auto dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return {};
  const auto first = to_int64(header.substr(0, dash));
  const auto last = to_int64(header.substr(dash + 1));
  if (!first) {
    if (dash != 0 || !last || *last < 0) return {};
    const auto length = std::min<std::size_t>(size, static_cast<std::size_t>(*last));
    unsatisfiable = length == 0;
    return Range{size - length, size - 1};
  }
  if (*first < 0 || (last && *last < *first)) return {};
  unsatisfiable = static_cast<std::size_t>(*first) >= size;
  return Range{static_cast<std::size_t>(*first),
               last ? std::min<std::size_t>(static_cast<std::size_t>(*last), size - 1) : size - 1};
}

// Which bytes are asked for, written into what the answer says of the object; nothing where all of them are.
Result<std::optional<Range>> take_range(Request& request, const json::Value& object, json::Object& out) {
  const auto size = static_cast<std::size_t>(object["Size"].int_or(0));
  bool unsatisfiable = false;
  const auto range = range_of(request.text("Range"), size, unsatisfiable);
  if (!range) return range;
  if (unsatisfiable) return refuse("InvalidRange", 416, "The requested range is not satisfiable");
  out.set("ContentLength", range->last - range->first + 1);
  out.set("ContentRange",
          "bytes " + std::to_string(range->first) + "-" + std::to_string(range->last) + "/" + std::to_string(size));
  return range;
}

// The object that is asked for, where all that the request asks of it holds.
Result<Document> object_to_read(Request& request) {
  FIXPOINT_CHECK(check_members(request, nullptr));
  FIXPOINT_CHECK(check_overrides(request));
  FIXPOINT_TRY(object, object_of(request));
  FIXPOINT_CHECK(check_conditions(request, *object));
  FIXPOINT_CHECK(check_part(request));
  return object;
}

// Of content, which is in base64: four characters are three bytes.
std::string part_of(std::string_view content, const Range& range) {
  const std::size_t begin = range.first / 3 * 4;
  const std::size_t end = (range.last / 3 + 1) * 4;
  const std::string bytes = base64_decode(content.substr(begin, end - begin)).value_or("");
  return base64_encode(std::string_view(bytes).substr(range.first % 3, range.last - range.first + 1));
}

Reply get_object(Request& request) {
  // What is refused is refused without a look at the content.
  FIXPOINT_TRY(seen, object_to_read(request));
  json::Object of_range;
  FIXPOINT_TRY(wanted, take_range(request, *seen, of_range));
  auto [object, content] = request.state.get_with_content(
      object_scope(), object_id(request.text("Bucket"), request.text("Key")),
      wanted ? wanted->last - wanted->first + 1 : static_cast<std::size_t>((*seen)["Size"].int_or(0)));
  if (!object) return no_such_key();
  FIXPOINT_CHECK(check_conditions(request, *object));
  json::Object out = describe_object(request, *object);
  FIXPOINT_TRY(range, take_range(request, *object, out));
  out.set("Body", range ? part_of(content, *range) : std::move(content));
  return out;
}

Reply describe_for_head(Request& request) {
  FIXPOINT_TRY(object, object_to_read(request));
  json::Object out = describe_object(request, *object);
  FIXPOINT_CHECK(take_range(request, *object, out));
  return out;
}

// An answer to HEAD has no body, so that its status is all that it says of an error.
Reply head_object(Request& request) {
  auto answer = describe_for_head(request);
  if (answer) return answer;
  const int status = answer.error().http_status;
  for (const auto& [bare, text] : {std::pair{400, "Bad Request"},
                                   {403, "Forbidden"},
                                   {404, "Not Found"},
                                   {412, "Precondition Failed"},
                                   {416, "Requested Range Not Satisfiable"}})
    if (bare == status) return refuse(std::to_string(status), status, text);
  return answer;
}

void erase_object(Request& request, std::string_view key) {
  const std::string id = object_id(request.text("Bucket"), key);
  request.state.erase(object_scope(), id);
  request.state.erase_content(object_scope(), id);
}

// One object of a deletion. What is not there is deleted, and so is a version that the object does not have.
// `etag`, where it is no null, has to be the object's.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
// What S3 makes of a condition was measured, since the user guide says otherwise of a key that is not there:
// https://github.com/localstack/localstack/issues/13894
Result<void> delete_one(Request& request, std::string_view key, const json::Value& version, const json::Value& etag) {
  if (!version.is_null() && !etag.is_null())
    return refuse("NotImplemented", 501, "A header you provided implies functionality that is not implemented");
  FIXPOINT_TRY(is_there, is_the_version(version));
  if (!is_there) return {};
  if (const std::string_view wanted = etag.string_or({}); !etag.is_null()) {
    const Document object = request.state.get(object_scope(), object_id(request.text("Bucket"), key));
    if (!object) return no_such_key();
    if ((wanted != "*" && quoted(wanted) != (*object)["ETag"].string_or({}))) return precondition_failed();
  }
  erase_object(request, key);
  return {};
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html: S3 has them for directory buckets.
Result<void> refuse_conditions(const json::Value& input, std::initializer_list<std::string_view> members) {
  for (const auto member : members)
    if (!input[member].is_null())
      return fail(errors::not_implemented(std::string(member) + " is for directory buckets, which are not there in the "
                                                                "embedded account; an ETag is compared",
                                          std::string(member)));
  return {};
}

Reply delete_object(Request& request) {
  FIXPOINT_CHECK(bucket_of(request));
  FIXPOINT_CHECK(refuse_conditions(request.input, {"IfMatchLastModifiedTime", "IfMatchSize"}));
  const json::Value& version = request.input["VersionId"];
  FIXPOINT_CHECK(delete_one(request, request.text("Key"), version, request.input["IfMatch"]));
  json::Object answer;
  if (!version.is_null()) answer.set("VersionId", version);
  return answer;
}

Reply delete_objects(Request& request) {
  FIXPOINT_CHECK(bucket_of(request));
  const json::Value& objects = request.input["Delete"]["Objects"];
  if (!objects.is_array() || objects.size() == 0 || objects.size() > 1000) return malformed_xml();
  for (const json::Value& item : objects.as_array())
    FIXPOINT_CHECK(refuse_conditions(item, {"LastModifiedTime", "Size"}));
  json::Array deleted;
  json::Array errors;
  for (const json::Value& item : objects.as_array()) {
    json::Object entry = copy_members(item, {"Key", "VersionId"});
    const auto done = delete_one(request, item["Key"].string_or({}), item["VersionId"], item["ETag"]);
    if (!done) {
      entry.set("Code", done.error().code);
      entry.set("Message", done.error().message);
    }
    (done ? deleted : errors).emplace_back(std::move(entry));
  }
  json::Object answer;
  if (!deleted.empty() && !request.input["Delete"]["Quiet"].bool_or(false)) answer.set("Deleted", std::move(deleted));
  if (!errors.empty()) answer.set("Errors", std::move(errors));
  return answer;
}

struct Source {
  std::string id;
  Document object;
};

// `BUCKET/KEY`, encoded as a URL is, and `?versionId=ID` behind it: the object, which its conditions fit.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-copy-source)
Result<Source> source_of(Request& request) {
  std::string_view text = request.text("CopySource");
  json::Value version;
  if (const auto at = text.find("?versionId="); at != std::string_view::npos) {
    version = uri_decode(text.substr(at + std::string_view("?versionId=").size()));
    text = text.substr(0, at);
  }
  std::string id = uri_decode(text);
  if (!id.empty() && id.front() == '/') id.erase(0, 1);
  const auto slash = id.find('/');
  if (slash == std::string::npos || slash + 1 == id.size())
    return refuse("InvalidArgument", 400, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  const Document bucket = request.state.get(bucket_scope(), id.substr(0, slash));
  if (!bucket) return refuse("NoSuchBucket", 404, "The specified bucket does not exist");
  const std::string_view account = (*bucket)["Account"].string_or({});
  const std::string_view expected = request.text("ExpectedSourceBucketOwner");
  if (account != request.context.account || (!expected.empty() && expected != account))
    return refuse("AccessDenied", 403, "Access Denied");
  FIXPOINT_TRY(is_there, is_the_version(version));
  if (!is_there) return no_such_version();
  Document object = request.state.get(object_scope(), id);
  if (!object) return no_such_key();
  if (fit_of(request, "CopySource", *object) != Fit::Yes) return precondition_failed();
  return Source{std::move(id), std::move(object)};
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
Result<void> check_directive(const Request& request, std::string_view member, const char* otherwise) {
  const std::string_view directive = request.input[member].string_or("COPY");
  if (directive == "COPY" || directive == "REPLACE") return {};
  return refuse("InvalidArgument", 400, otherwise);
}

Reply copy_object(Request& request) {
  FIXPOINT_TRY(bucket, bucket_of(request));
  FIXPOINT_CHECK(check_members(request, bucket));
  FIXPOINT_CHECK(check_storage_class(request));
  FIXPOINT_CHECK(check_metadata(request));
  FIXPOINT_CHECK(check_directive(request, "MetadataDirective", "Unknown metadata directive."));
  FIXPOINT_CHECK(check_directive(request, "TaggingDirective", "Unknown tagging directive."));
  FIXPOINT_TRY(source, source_of(request));
  const bool replace = request.text("MetadataDirective") == "REPLACE";
  const std::string id = object_id(request.text("Bucket"), request.text("Key"));
  if (id == source.id && !replace && !request.has("StorageClass") && !request.has("ServerSideEncryption") &&
      !request.has("WebsiteRedirectLocation"))
    return refuse(
        "InvalidRequest", 400,
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.");
  FIXPOINT_CHECK(check_write_conditions(request, request.state.get(object_scope(), id)));
  json::Value object = *source.object;
  if (replace) {
    for (const auto member : kept_members) object.as_object().erase(member);
    keep_members(request, object);
  }
  if (request.text("TaggingDirective") == "REPLACE") {
    FIXPOINT_TRY(tags, tags_of_header(request.text("Tagging")));
    object.set("Tags", std::move(tags));
  }
  // What no copy takes along from its source.
  for (const auto member :
       {"Acl", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "StorageClass", "WebsiteRedirectLocation"}) {
    object.as_object().erase(member);
  }
  object.set("Key", request.input["Key"]);
  object.set("LastModified", request.now());
  for (const auto member : {"StorageClass", "WebsiteRedirectLocation"})
    if (request.has(member)) object.set(member, request.input[member]);
  FIXPOINT_CHECK(set_encryption(request, *bucket, object));
  FIXPOINT_CHECK(apply_acl(request, object, bucket));
  std::string content = request.state.get_with_content(object_scope(), source.id, 0).content;
  if (request.has("ChecksumAlgorithm"))
    FIXPOINT_CHECK(set_checksum(request, base64_decode(content).value_or(""), object));
  json::Object answer = copy_members(object, {"ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"});
  json::Object result = copy_members(object, {"ETag", "LastModified"});
  copy_checksum(object, result);
  answer.set("CopyObjectResult", std::move(result));
  request.state.put_content(object_scope(), id, std::move(content));
  request.state.put(object_scope(), id, std::move(object));
  return answer;
}

struct Listing {
  json::Array contents;
  json::Array prefixes;
  std::string last;  // the last key or common prefix in it
  bool truncated = false;
};

// What of a listing the caller chose, as it is written: with an encoding also what XML cannot carry. Clients decode all
// that S3 encodes, so that what is left out means another key to them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html, API_ListObjectsV2.html (EncodingType)
std::string shown(const Request& request, std::string_view text) {
  return request.text("EncodingType") == "url" ? uri_encode(text, true) : std::string(text);
}

Result<void> check_encoding(const Request& request) {
  if (!request.has("EncodingType") || request.text("EncodingType") == "url") return {};
  return refuse("InvalidArgument", 400, "Invalid Encoding Method specified in Request");
}

Listing list(Request& request, std::string_view after, std::int64_t most, bool with_owner) {
  Listing out;
  const std::string bucket = std::string(request.text("Bucket")) + "/";
  const std::string_view prefix = request.text("Prefix");
  const std::string_view delimiter = request.text("Delimiter");
  request.state.each(object_scope(), bucket + std::string(prefix),
                     after.empty() ? std::string() : bucket + std::string(after),
                     [&](std::string_view id, const Document& object) {
                       if (!object) return true;
                       const std::string_view key = id.substr(bucket.size());
                       std::string common;
                       if (!delimiter.empty())
                         if (const auto at = key.find(delimiter, prefix.size()); at != std::string_view::npos)
                           common = key.substr(0, at + delimiter.size());
                       // What a page that ended with this common prefix holds already.
                       if (!common.empty() && (common == out.last || common == after)) return true;
                       if (static_cast<std::int64_t>(out.contents.size() + out.prefixes.size()) >= most) {
                         out.truncated = most > 0;
                         return false;
                       }
                       if (!common.empty()) {
                         out.prefixes.push_back(json::Object{{"Prefix", shown(request, common)}});
                         out.last = common;
                         return true;
                       }
                       json::Object item = copy_members(*object, {"LastModified", "ETag", "Size"});
                       item.set("Key", shown(request, key));
                       item.set("StorageClass", (*object)["StorageClass"].string_or("STANDARD"));
                       if (with_owner) item.set("Owner", owner(request.context.account));
                       out.contents.emplace_back(std::move(item));
                       out.last = key;
                       return true;
                     });
  return out;
}

json::Object listing_head(const Request& request, Listing& listing, std::int64_t most) {
  json::Object out{{"IsTruncated", listing.truncated},
                   {"Name", request.input["Bucket"]},
                   {"Prefix", shown(request, request.text("Prefix"))},
                   {"MaxKeys", most}};
  if (!listing.contents.empty()) out.set("Contents", std::move(listing.contents));
  if (!listing.prefixes.empty()) out.set("CommonPrefixes", std::move(listing.prefixes));
  if (request.has("Delimiter")) out.set("Delimiter", shown(request, request.text("Delimiter")));
  if (request.has("EncodingType")) out.set("EncodingType", request.input["EncodingType"]);
  return out;
}

// Codes and texts of S3: https://github.com/ceph/s3-tests (test_bucket_list_maxkeys_invalid)
Result<std::int64_t> max_keys(const Request& request) {
  const std::int64_t most = request.input["MaxKeys"].int_or(1000);
  if (most < 0) return refuse("InvalidArgument", 400, "Argument maxKeys must be an integer between 0 and 2147483647");
  return std::min<std::int64_t>(most, 1000);
}

Reply list_objects_v2(Request& request) {
  FIXPOINT_CHECK(bucket_of(request));
  FIXPOINT_TRY(position, page_position(request.text("ContinuationToken"), "InvalidArgument",
                                       "The continuation token provided is incorrect"));
  FIXPOINT_CHECK(check_encoding(request));
  FIXPOINT_TRY(most, max_keys(request));
  const std::string after = position.empty() ? std::string(request.text("StartAfter")) : position;
  Listing listing = list(request, after, most, request.input["FetchOwner"].bool_or(false));
  const std::size_t count = listing.contents.size() + listing.prefixes.size();
  json::Object out = listing_head(request, listing, most);
  out.set("KeyCount", count);
  if (request.has("StartAfter")) out.set("StartAfter", shown(request, request.text("StartAfter")));
  if (request.has("ContinuationToken")) out.set("ContinuationToken", request.input["ContinuationToken"]);
  if (listing.truncated) out.set("NextContinuationToken", page_token(listing.last));
  return out;
}

Reply list_objects(Request& request) {
  FIXPOINT_CHECK(bucket_of(request));
  FIXPOINT_CHECK(check_encoding(request));
  FIXPOINT_TRY(most, max_keys(request));
  Listing listing = list(request, request.text("Marker"), most, true);
  json::Object out = listing_head(request, listing, most);
  out.set("Marker", shown(request, request.text("Marker")));
  // Only where there is a delimiter; else the last key is the marker.
  if (listing.truncated && request.has("Delimiter")) out.set("NextMarker", shown(request, listing.last));
  return out;
}

Reply get_object_acl(Request& request) {
  FIXPOINT_TRY(object, object_of(request));
  return read_acl(*object, request.context.account);
}

Reply put_object_acl(Request& request) {
  FIXPOINT_TRY(object, object_of(request));
  FIXPOINT_CHECK(check_acl_given(request));
  FIXPOINT_TRY(bucket, bucket_of(request));
  json::Value body = *object;
  FIXPOINT_CHECK(apply_acl(request, body, bucket));
  request.state.put(object_scope(), object_id(request.text("Bucket"), request.text("Key")), std::move(body));
  return empty();
}

Reply get_object_tagging(Request& request) {
  FIXPOINT_TRY(object, object_of(request));
  const json::Value& tags = (*object)["Tags"];
  return json::Object{{"TagSet", tags.is_array() ? tags : json::Value(json::Array())}};
}

Reply change_object_tags(Request& request, json::Value tags) {
  FIXPOINT_TRY(object, object_of(request));
  json::Value body = *object;
  body.set("Tags", std::move(tags));
  request.state.put(object_scope(), object_id(request.text("Bucket"), request.text("Key")), std::move(body));
  return empty();
}

Reply put_object_tagging(Request& request) {
  FIXPOINT_CHECK(check_tags(request.input["Tagging"]["TagSet"], 10));
  return change_object_tags(request, request.input["Tagging"]["TagSet"]);
}

Reply delete_object_tagging(Request& request) {
  return change_object_tags(request, json::Array());
}

}  // namespace
}  // namespace s3

void add_s3_objects(Services& services) {
  Operations table("s3", services);
  table.changes("PutObject", s3::put_object);
  table.reads("GetObject", s3::get_object);
  table.reads("HeadObject", s3::head_object);
  table.changes("DeleteObject", s3::delete_object);
  table.changes("DeleteObjects", s3::delete_objects);
  table.changes("CopyObject", s3::copy_object);
  table.reads("ListObjectsV2", s3::list_objects_v2);
  table.reads("ListObjects", s3::list_objects);
  table.reads("GetObjectAcl", s3::get_object_acl);
  table.changes("PutObjectAcl", s3::put_object_acl);
  table.reads("GetObjectTagging", s3::get_object_tagging);
  table.changes("PutObjectTagging", s3::put_object_tagging);
  table.changes("DeleteObjectTagging", s3::delete_object_tagging);
}

}  // namespace fixpoint::sandbox
