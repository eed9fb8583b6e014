#include <algorithm>

#include "account.h"
#include "base/text.h"

namespace fixpoint::sandbox {
namespace {

// Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

constexpr std::string_view unknown_version = "3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHY";

std::string of_version(std::string_view id) {
  return "{Bucket: one, Key: a, VersionId: '" + std::string(id) + "'}";
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
TEST(S3Objects, a_deletion_of_a_version_takes_no_other_version) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  for (const auto* id : {"nonsense", "d2f1a7b0-93c5-4b7e-8a55-0d7f1c1c8a11", "0"})
    EXPECT_EQ(aws.error("s3:DeleteObject", of_version(id)),
              (Error{"InvalidArgument", "Invalid version id specified", {}, false, 400}))
        << id;
  EXPECT_EQ(aws.code("s3:DeleteObject", of_version("")), "InvalidArgument");
  EXPECT_EQ(aws.ok("s3:DeleteObject", of_version(unknown_version))["VersionId"], json::Value(unknown_version));
  EXPECT_EQ(aws.ok("s3:DeleteObjects",
                   "{Bucket: one, Delete: {Objects: [{Key: a, VersionId: nonsense}, {Key: a, VersionId: " +
                       std::string(unknown_version) + "}]}}"),
            yaml("{Deleted: [{Key: a, VersionId: 3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHY}], Errors: [{Key: a, VersionId: "
                 "nonsense, Code: InvalidArgument, Message: Invalid version id specified}]}"));
  EXPECT_EQ(aws.ok("s3:GetObject", "{Bucket: one, Key: a}")["Body"], "aGVsbG8=");
  aws.ok("s3:DeleteObject", of_version("null"));
  EXPECT_EQ(aws.code("s3:GetObject", "{Bucket: one, Key: a}"), "NoSuchKey");
}

TEST(S3Objects, a_read_names_the_version_null_or_none) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  EXPECT_EQ(aws.ok("s3:GetObject", of_version("null"))["Body"], "aGVsbG8=");
  EXPECT_EQ(aws.error("s3:GetObject", of_version("nonsense")),
            (Error{"InvalidArgument", "Invalid version id specified", {}, false, 400}));
  EXPECT_EQ(aws.code("s3:GetObject", of_version(unknown_version)), "NoSuchVersion");
  EXPECT_EQ(aws.code("s3:HeadObject", of_version("nonsense")), "400");
  EXPECT_EQ(aws.code("s3:HeadObject", of_version(unknown_version)), "404");
  EXPECT_EQ(aws.code("s3:GetObjectTagging", of_version("nonsense")), "InvalidArgument");
  const auto copy = [&](std::string_view version) {
    return aws.code("s3:CopyObject",
                    "{Bucket: one, Key: b, CopySource: 'one/a?versionId=" + std::string(version) + "'}");
  };
  EXPECT_EQ(copy("nonsense"), "InvalidArgument");
  EXPECT_EQ(copy(unknown_version), "NoSuchVersion");
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: b}"), "404");
  EXPECT_EQ(copy("null"), "OK");
  // A key may have what looks like a version, encoded.
  aws.ok("s3:PutObject", "{Bucket: one, Key: 'a?versionId=1', Body: ''}");
  aws.ok("s3:CopyObject", "{Bucket: one, Key: c, CopySource: 'one/a%3FversionId%3D1'}");
  EXPECT_EQ(aws.ok("s3:HeadObject", "{Bucket: one, Key: c}")["ContentLength"], 0);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
TEST(S3Objects, a_deletion_and_a_copy_keep_to_their_conditions) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto etag = aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}")["ETag"].as_string();
  EXPECT_EQ(aws.code("s3:DeleteObject", "{Bucket: one, Key: a, IfMatch: other}"), "PreconditionFailed");
  EXPECT_EQ(aws.code("s3:DeleteObject", "{Bucket: one, Key: a, IfMatchSize: 5}"), "NotImplemented");
  EXPECT_EQ(aws.ok("s3:DeleteObjects", "{Bucket: one, Delete: {Quiet: true, Objects: [{Key: a, ETag: other}]}}"),
            yaml("{Errors: [{Key: a, Code: PreconditionFailed, Message: At least one of the pre-conditions you "
                 "specified did not hold}]}"));
  const auto copy = [&](const std::string& condition) {
    return aws.code("s3:CopyObject", "{Bucket: one, Key: b, CopySource: one/a, " + condition + "}");
  };
  EXPECT_EQ(copy("CopySourceIfMatch: other"), "PreconditionFailed");
  EXPECT_EQ(copy("CopySourceIfNoneMatch: '" + etag + "'"), "PreconditionFailed");
  EXPECT_EQ(copy("CopySourceIfUnmodifiedSince: 1"), "PreconditionFailed");
  EXPECT_EQ(copy("CopySourceIfModifiedSince: 1"), "OK");
  EXPECT_EQ(copy("IfNoneMatch: '*'"), "PreconditionFailed");
  EXPECT_EQ(copy("ExpectedSourceBucketOwner: '222222222222'"), "AccessDenied");
  aws.ok("s3:DeleteObject", "{Bucket: one, Key: a, IfMatch: '" + etag + "'}");
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: a}"), "404");
  // Measured by others: https://github.com/localstack/localstack/issues/13894 (and that a VersionId goes with none).
  for (const auto* condition : {"'*'", "other"}) {
    const auto gone = aws.error("s3:DeleteObject", std::string("{Bucket: one, Key: a, IfMatch: ") + condition + "}");
    EXPECT_EQ(gone.code, "NoSuchKey");
    EXPECT_EQ(gone.http_status, 404);
  }
  for (const std::string& version : {std::string("'null'"), std::string(unknown_version)}) {
    const auto refused =
        aws.error("s3:DeleteObject", "{Bucket: one, Key: b, IfMatch: '*', VersionId: " + version + "}");
    EXPECT_EQ(refused.code, "NotImplemented");
    EXPECT_EQ(refused.http_status, 501);
  }
  aws.ok("s3:HeadObject", "{Bucket: one, Key: b}");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, API_PutObject.html
TEST(S3Objects, what_is_none_of_the_values_that_a_header_has_is_refused_and_nothing_is_stored) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=, Metadata: {m: old}}");
  for (const auto* wrong :
       {"MetadataDirective: Replace", "MetadataDirective: ''", "TaggingDirective: copy", "ServerSideEncryption: foo",
        "ServerSideEncryption: 'aws:kmsfoo'", "ServerSideEncryption: aes256", "StorageClass: COLD"}) {
    const auto error =
        aws.error("s3:CopyObject", "{Bucket: one, Key: b, CopySource: one/a, " + std::string(wrong) + "}");
    EXPECT_EQ(error.http_status, 400) << wrong;
    EXPECT_EQ(error.code, std::string(wrong).starts_with("Storage") ? "InvalidStorageClass" : "InvalidArgument")
        << wrong;
    EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: b}"), "404");
  }
  for (const auto* wrong : {"foo", "aws:kmsfoo", "''"})
    EXPECT_EQ(
        aws.code("s3:PutObject", "{Bucket: one, Key: b, Body: '', ServerSideEncryption: " + std::string(wrong) + "}"),
        "InvalidArgument");
  for (const auto* right : {"AES256", "aws:kms", "aws:kms:dsse"})
    EXPECT_EQ(aws.ok("s3:PutObject", "{Bucket: one, Key: b, Body: '', ServerSideEncryption: '" + std::string(right) +
                                         "'}")["ServerSideEncryption"],
              right);
}

TEST(S3Objects, an_override_that_no_header_can_hold_is_refused) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  for (const auto* operation : {"s3:GetObject", "s3:HeadObject"})
    for (const auto* wrong : {R"("a\r\nb")", R"("a\0b")", R"("\x7f")"}) {
      const auto error =
          aws.error(operation, "{Bucket: one, Key: a, ResponseContentDisposition: " + std::string(wrong) + "}");
      EXPECT_EQ(error.code, operation == std::string("s3:GetObject") ? "InvalidArgument" : "400") << wrong;
      EXPECT_EQ(error.http_status, 400);
    }
  EXPECT_EQ(
      aws.ok("s3:GetObject", R"({Bucket: one, Key: a, ResponseContentDisposition: "a\tb"})")["ContentDisposition"],
      "a\tb");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
TEST(S3Objects, a_key_of_the_customers_is_refused) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  for (const auto* operation : {"PutObject", "CopyObject", "GetObject", "HeadObject"})
    for (const auto* member : {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}) {
      const auto error = aws.error(std::string("s3:") + operation,
                                   "{Bucket: one, Key: a, CopySource: one/a, " + std::string(member) + ": AES256}");
      EXPECT_EQ(error.code, "NotImplemented") << operation << " " << member;
      EXPECT_EQ(error.http_status, 501);
      EXPECT_NE(error.message.find(member), std::string::npos) << error.message;
    }
  EXPECT_EQ(aws.code("s3:CopyObject", "{Bucket: one, Key: b, CopySource: one/a, CopySourceSSECustomerKey: k}"),
            "NotImplemented");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: a, Body: '', WriteOffsetBytes: 5}"), "NotImplemented");
}

// The sums of "hello" are those of `openssl dgst` and Python's zlib.
TEST(S3Objects, a_checksum_is_compared_kept_and_given_back_where_it_is_asked_for) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto put = aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=, ChecksumCRC32: NhCmhg==}");
  EXPECT_EQ(put["ChecksumCRC32"], "NhCmhg==");
  EXPECT_EQ(put["ChecksumType"], "FULL_OBJECT");
  const auto asked = [&](const std::string& key, const std::string& more = {}) {
    return aws.ok("s3:GetObject", "{Bucket: one, Key: " + key + ", ChecksumMode: ENABLED" + more + "}");
  };
  EXPECT_EQ(asked("a")["ChecksumCRC32"], "NhCmhg==");
  EXPECT_TRUE(asked("a")["ChecksumCRC64NVME"].is_null());
  EXPECT_TRUE(asked("a", ", Range: bytes=0-1")["ChecksumCRC32"].is_null());
  EXPECT_TRUE(aws.ok("s3:GetObject", "{Bucket: one, Key: a}")["ChecksumCRC32"].is_null());
  EXPECT_EQ(aws.ok("s3:HeadObject", "{Bucket: one, Key: a, ChecksumMode: ENABLED}")["ChecksumCRC32"], "NhCmhg==");
  EXPECT_EQ(aws.error("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=, ChecksumCRC32: AAAAAA==}"),
            (Error{"BadDigest", "The CRC32 you specified did not match the calculated checksum.", {}, false, 400}));
  EXPECT_EQ(aws.code("s3:PutObject",
                     "{Bucket: one, Key: a, Body: aGVsbG8=, ChecksumCRC32: NhCmhg==, ChecksumSHA1: "
                     "qvTGHdzF6KLavt4PO0gs2a6pQ00=}"),
            "InvalidRequest");
  aws.ok("s3:PutObject", "{Bucket: one, Key: b, Body: aGVsbG8=, ChecksumAlgorithm: SHA1}");
  EXPECT_EQ(asked("b")["ChecksumSHA1"], "qvTGHdzF6KLavt4PO0gs2a6pQ00=");
  aws.ok("s3:PutObject", "{Bucket: one, Key: c, Body: aGVsbG8=}");
  EXPECT_FALSE(asked("c")["ChecksumCRC64NVME"].is_null());
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: d, Body: '', ChecksumAlgorithm: ADLER}"), "InvalidRequest");
  // Of newer clients: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
  const std::string put_d = "{Bucket: one, Key: d, Body: aGVsbG8=, ";
  EXPECT_EQ(aws.code("s3:PutObject", put_d + "ChecksumMD5: JfnnlDI7RTiF9RgfG2JNCw==}"), "BadDigest");
  EXPECT_EQ(aws.code("s3:PutObject", put_d + "ChecksumSHA512: JfnnlDI7RTiF9RgfG2JNCw==}"), "BadDigest");
  for (const auto* member : {"ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128"}) {
    const auto refused = aws.error("s3:PutObject", put_d + member + ": AAAAAAAAAAA=}");
    EXPECT_EQ(refused.code, "NotImplemented");
    EXPECT_NE(refused.message.find(member), std::string::npos);
  }
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: d}"), "404");
  EXPECT_EQ(aws.code("s3:PutObject", put_d + "ChecksumMD5: XUFAKrxLKna5cZ2REBfFkg==}"), "OK");
  EXPECT_EQ(
      aws.code("s3:PutObject", put_d + "ChecksumSHA512: 'm3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4"
                                       "UuMXaDEZjR1wuXDre9G9zvN7AQw=='}"),
      "OK");
  const auto copy =
      aws.ok("s3:CopyObject",
             "{Bucket: one, Key: e, CopySource: one/c, ChecksumAlgorithm: CRC32, MetadataDirective: REPLACE}");
  EXPECT_EQ(copy["CopyObjectResult"]["ChecksumCRC32"], "NhCmhg==");
  EXPECT_EQ(asked("e")["ChecksumCRC32"], "NhCmhg==");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
TEST(S3Objects, a_read_says_what_its_answer_says_of_the_content) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject",
         "{Bucket: one, Key: a, Body: aGVsbG8=, ContentType: text/plain, CacheControl: no-store, Expires: 1800000000}");
  const std::string wanted =
      "ResponseContentType: text/csv, ResponseContentDisposition: 'attachment; filename=x', ResponseContentEncoding: "
      "br, ResponseContentLanguage: de, ResponseCacheControl: no-cache, ResponseExpires: 1900000000";
  for (const auto* operation : {"s3:GetObject", "s3:HeadObject"}) {
    const auto said = aws.ok(operation, "{Bucket: one, Key: a, " + wanted + "}");
    EXPECT_EQ(said["ContentType"], "text/csv");
    EXPECT_EQ(said["ContentDisposition"], "attachment; filename=x");
    EXPECT_EQ(said["ContentEncoding"], "br");
    EXPECT_EQ(said["ContentLanguage"], "de");
    EXPECT_EQ(said["CacheControl"], "no-cache");
    EXPECT_EQ(said["Expires"], 1900000000);
    const auto kept = aws.ok(operation, "{Bucket: one, Key: a}");
    EXPECT_EQ(kept["ContentType"], "text/plain");
    EXPECT_EQ(kept["CacheControl"], "no-store");
    EXPECT_EQ(kept["Expires"], 1800000000);
    EXPECT_TRUE(kept["ContentLanguage"].is_null());
    EXPECT_EQ(aws.code(operation, "{Bucket: one, Key: a, PartNumber: 1}"), "OK");
  }
  EXPECT_EQ(aws.code("s3:GetObject", "{Bucket: one, Key: a, PartNumber: 2}"), "InvalidPartNumber");
  aws.ok("s3:CopyObject", "{Bucket: one, Key: b, CopySource: one/a}");
  EXPECT_EQ(aws.ok("s3:HeadObject", "{Bucket: one, Key: b}")["Expires"], 1800000000);
  aws.ok("s3:CopyObject", "{Bucket: one, Key: c, CopySource: one/a, MetadataDirective: REPLACE}");
  EXPECT_TRUE(aws.ok("s3:HeadObject", "{Bucket: one, Key: c}")["Expires"].is_null());
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
TEST(S3Objects, names_of_user_metadata_come_back_in_lower_case) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: '', Metadata: {Team: Pay, team: Ops, X-Y: Z}}");
  EXPECT_EQ(aws.ok("s3:HeadObject", "{Bucket: one, Key: a}")["Metadata"], yaml("{team: 'Pay,Ops', x-y: Z}"));
  aws.ok("s3:CopyObject",
         "{Bucket: one, Key: b, CopySource: one/a, MetadataDirective: REPLACE, Metadata: {OWNER: Me}}");
  EXPECT_EQ(aws.ok("s3:HeadObject", "{Bucket: one, Key: b}")["Metadata"], yaml("{owner: Me}"));
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html, API_ListObjectsV2.html (EncodingType): keys and
// what is of keys. Clients decode them all, so that one that was not encoded sent them to another key.
TEST(S3Objects, a_listing_encodes_all_that_is_of_keys_or_nothing) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  for (const auto* key : {"p %/a%2Fb", "p %/c %/d", "p %/e"})
    aws.ok("s3:PutObject", std::string("{Bucket: one, Body: '', Key: '") + key + "'}");
  const std::string in = "{Bucket: one, Prefix: 'p %/', Delimiter: ' %', MaxKeys: 1, EncodingType: url, ";
  auto page = aws.ok("s3:ListObjects", in + "Marker: 'p %/ +'}");
  EXPECT_EQ(page["Contents"][0]["Key"], "p%20%25/a%252Fb");
  EXPECT_EQ(page["NextMarker"], "p%20%25/a%252Fb");
  EXPECT_EQ(page["Marker"], "p%20%25/%20%2B");
  EXPECT_EQ(page["Prefix"], "p%20%25/");
  EXPECT_EQ(page["Delimiter"], "%20%25");
  page = aws.ok("s3:ListObjects", in + "Marker: 'p %/a%2Fb'}");
  EXPECT_EQ(page["CommonPrefixes"][0]["Prefix"], "p%20%25/c%20%25");
  EXPECT_EQ(page["NextMarker"], "p%20%25/c%20%25");
  page = aws.ok("s3:ListObjectsV2", in + "StartAfter: 'p %/a%2Fb'}");
  EXPECT_EQ(page["StartAfter"], "p%20%25/a%252Fb");
  EXPECT_EQ(page["Prefix"], "p%20%25/");
  EXPECT_EQ(page["Delimiter"], "%20%25");
  // A token is opaque, and comes back as it was sent.
  const std::string token(page["NextContinuationToken"].string_or({}));
  page = aws.ok("s3:ListObjectsV2", in + "ContinuationToken: '" + token + "'}");
  EXPECT_EQ(page["ContinuationToken"], json::Value(token));
  EXPECT_EQ(page["Contents"][0]["Key"], "p%20%25/e");
  page = aws.ok("s3:ListObjects", "{Bucket: one, Prefix: 'p %/', Delimiter: ' %', Marker: 'p %/ +', MaxKeys: 1}");
  EXPECT_EQ(page["NextMarker"], "p %/a%2Fb");
  EXPECT_EQ(page["Delimiter"], " %");
  EXPECT_EQ(aws.code("s3:ListObjects", "{Bucket: one, EncodingType: base64}"), "InvalidArgument");
}

TEST(S3Objects, a_listing_of_less_than_no_keys_is_refused) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  for (const auto* operation : {"s3:ListObjects", "s3:ListObjectsV2"}) {
    EXPECT_EQ(aws.code(operation, "{Bucket: one, MaxKeys: -1}"), "InvalidArgument");
    EXPECT_EQ(aws.ok(operation, "{Bucket: one, MaxKeys: 0}")["MaxKeys"], 0);
    EXPECT_EQ(aws.ok(operation, "{Bucket: one, MaxKeys: 2000}")["MaxKeys"], 1000);
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: each of these makes a copy onto itself a change.
TEST(S3Objects, a_copy_onto_itself_changes_something) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  const std::string self = "{Bucket: one, Key: a, CopySource: one/a";
  EXPECT_EQ(aws.code("s3:CopyObject", self + "}"), "InvalidRequest");
  aws.ok("s3:CopyObject", self + ", WebsiteRedirectLocation: /b}");
  const auto got = aws.ok("s3:GetObject", "{Bucket: one, Key: a}");
  EXPECT_EQ(got["WebsiteRedirectLocation"], "/b");
  EXPECT_EQ(got["Body"], "aGVsbG8=");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (x-amz-tagging),
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
TEST(S3Objects, tags_and_metadata_of_headers_have_their_limits) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto put = [&](const std::string& more) {
    return aws.error("s3:PutObject", "{Bucket: one, Key: a, Body: '', " + more + "}");
  };
  EXPECT_EQ(put("Tagging: 'a=1&a=2'"),
            (Error{"InvalidArgument",
                   "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
                   "tag name duplicates.",
                   {},
                   false,
                   400}));
  EXPECT_EQ(put("Tagging: 'a=1&%61=2'").code, "InvalidArgument");
  EXPECT_EQ(put("Tagging: 'aws:a=1'").code, "InvalidTag");
  EXPECT_EQ(put("Tagging: 'a=" + std::string(257, 'v') + "'").code, "InvalidTag");
  EXPECT_EQ(put("Tagging: 'a&b&c&d&e&f&g&h&i&j&k'").code, "BadRequest");
  EXPECT_EQ(
      put("Metadata: {a: " + std::string(1024, 'v') + ", b: " + std::string(1023, 'v') + "}"),
      (Error{"MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {}, false, 400}));
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: a}"), "404");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: '', Tagging: 'a&b&c&d&e&f&g&h&i&j', Metadata: {a: " +
                             std::string(1024, 'v') + ", b: " + std::string(1022, 'v') + "}}");
  EXPECT_EQ(aws.ok("s3:GetObjectTagging", "{Bucket: one, Key: a}")["TagSet"].size(), 10u);
}

// https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
TEST(S3Objects, a_range_is_these_bytes_of_the_object_wherever_it_begins_and_ends) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  constexpr std::string_view bytes = "abcdefgh";
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: " + base64_encode(bytes.substr(0, size)) + "}");
    for (std::size_t first = 0; first < size; ++first)
      for (std::size_t last = first; last <= size; ++last) {
        const std::string range = std::to_string(first) + "-" + (last == size ? "" : std::to_string(last));
        const std::string_view part = bytes.substr(first, std::min(last, size - 1) - first + 1);
        EXPECT_EQ(aws.ok("s3:GetObject", "{Bucket: one, Key: a, Range: 'bytes=" + range + "'}")["Body"],
                  json::Value(base64_encode(part)))
            << range << " of " << size;
      }
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
TEST(S3Objects, what_would_have_to_be_retained_is_refused) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:CreateBucket", "{Bucket: locked, ObjectLockEnabledForBucket: true}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: ''}");
  aws.ok("s3:PutObject", "{Bucket: locked, Key: a, Body: ''}");
  for (const auto* operation : {"s3:PutObject", "s3:CopyObject"})
    for (const auto* wish :
         {"ObjectLockMode: GOVERNANCE", "ObjectLockRetainUntilDate: 1900000000", "ObjectLockLegalHoldStatus: 'ON'"}) {
      const std::string rest = ", Key: b, Body: '', CopySource: one/a, " + std::string(wish) + "}";
      EXPECT_EQ(aws.error(operation, "{Bucket: one" + rest),
                (Error{"InvalidRequest", "Bucket is missing Object Lock Configuration", {}, false, 400}));
      EXPECT_EQ(aws.code(operation, "{Bucket: locked" + rest), "NotImplemented") << operation << " " << wish;
    }
  aws.ok("s3:PutObjectLockConfiguration",
         "{Bucket: locked, ObjectLockConfiguration: {ObjectLockEnabled: Enabled, Rule: {DefaultRetention: {Mode: "
         "GOVERNANCE, Days: 1}}}}");
  const auto refused = aws.error("s3:PutObject", "{Bucket: locked, Key: b, Body: ''}");
  EXPECT_EQ(refused.code, "NotImplemented");
  EXPECT_NE(refused.message.find("DefaultRetention"), std::string::npos);
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: locked, Key: b}"), "404");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
TEST(S3Objects, an_object_is_encrypted_with_a_key_that_can_be_used) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto by_default = [&](const std::string& key) {
    aws.ok("s3:PutBucketEncryption",
           "{Bucket: one, ServerSideEncryptionConfiguration: {Rules: [{ApplyServerSideEncryptionByDefault: "
           "{SSEAlgorithm: 'aws:kms', KMSMasterKeyID: '" +
               key + "'}, BucketKeyEnabled: true}]}}");
  };
  by_default("alias/foo");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: a, Body: ''}"), "KMS.NotFoundException");
  EXPECT_EQ(aws.error("s3:PutObject", "{Bucket: one, Key: a, Body: ''}").http_status, 400);
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: a}"), "404");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: a, Body: '', SSEKMSKeyId: alias/foo}"), "InvalidArgument");
  const auto key = aws.ok("kms:CreateKey")["KeyMetadata"];
  aws.ok("kms:CreateAlias", "{AliasName: alias/foo, TargetKeyId: " + key["KeyId"].as_string() + "}");
  const auto put = aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: ''}");
  EXPECT_EQ(put["SSEKMSKeyId"], key["Arn"]);
  EXPECT_EQ(put["BucketKeyEnabled"], true);
  aws.ok("kms:DisableKey", "{KeyId: " + key["KeyId"].as_string() + "}");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: b, Body: ''}"), "KMS.DisabledException");
  EXPECT_EQ(aws.ok("s3:PutObject", "{Bucket: one, Key: b, Body: '', ServerSideEncryption: AES256}"),
            aws.ok("s3:PutObject", "{Bucket: one, Key: c, Body: '', ServerSideEncryption: AES256}"));
}

}  // namespace
}  // namespace fixpoint::sandbox
