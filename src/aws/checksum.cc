#include "aws/checksum.h"

#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::string_view header_prefix = "x-amz-checksum-";
constexpr std::array<std::string_view, 7> algorithms{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"};
// Of S3's, those that nothing here works out.
constexpr std::array<std::string_view, 3> not_there{"XXHASH64", "XXHASH3", "XXHASH128"};

template <class Number>
std::string big_endian(Number number) {
  std::string bytes(sizeof number, '\0');
  for (std::size_t i = 0; i < sizeof number; ++i)
    bytes[i] = static_cast<char>(number >> (8 * (sizeof number - 1 - i)) & 0xFF);
  return bytes;
}

std::string header_of(std::string_view algorithm) {
  return std::string(header_prefix) + to_lower(algorithm);
}

bool has_newer_checksum(const Headers& headers) {
  for (const auto& [name, value] : headers)
    if (equals_ignore_case(std::string_view(name).substr(0, header_prefix.size()), header_prefix)) return true;
  return false;
}

Result<void> verify_md5(const HttpRequest& request, std::string_view body) {
  const std::string* stated = request.headers.find("content-md5");
  if (stated == nullptr) return {};
  const auto bytes = base64_decode(*stated);
  if (!bytes || bytes->size() != 16)
    return fail(errors::coded("InvalidDigest", "The Content-MD5 you specified is not valid.", 400));
  if (*bytes != md5(body))
    return fail(errors::coded("BadDigest", "The Content-MD5 you specified did not match what we received.", 400));
  return {};
}

}  // namespace

std::optional<std::string> checksum_of(std::string_view algorithm, std::string_view bytes) {
  if (equals_ignore_case(algorithm, "CRC32")) return base64_encode(big_endian(crc32(bytes)));
  if (equals_ignore_case(algorithm, "CRC32C")) return base64_encode(big_endian(crc32c(bytes)));
  if (equals_ignore_case(algorithm, "CRC64NVME")) return base64_encode(big_endian(crc64nvme(bytes)));
  if (equals_ignore_case(algorithm, "SHA1")) return base64_encode(sha1(bytes));
  if (equals_ignore_case(algorithm, "SHA256")) return base64_encode(sha256(bytes));
  if (equals_ignore_case(algorithm, "SHA512")) return base64_encode(sha512(bytes));
  if (equals_ignore_case(algorithm, "MD5")) return base64_encode(md5(bytes));
  return {};
}

Result<void> add_checksum(HttpRequest& request, const Operation& operation, const json::Value& input) {
  const HttpChecksum& wanted = operation.checksum;
  if (wanted.algorithm == nullptr) {
    if (wanted.required && !request.headers.has("content-md5"))
      request.headers.set("Content-MD5", base64_encode(md5(request.body)));
    return {};
  }
  const std::string_view named = input[wanted.algorithm->name].string_or("");
  if (named.empty() && !wanted.required) return {};
  if (has_newer_checksum(request.headers) || request.headers.has("content-md5")) return {};
  const std::string_view algorithm = named.empty() ? "CRC32" : named;
  auto checksum = checksum_of(algorithm, request.body);
  if (!checksum)
    return fail(errors::validation("The checksum algorithm '" + std::string(algorithm) +
                                       "' is unknown: expected CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512 or MD5",
                                   std::string(wanted.algorithm->name)));
  request.headers.set(header_of(algorithm), std::move(*checksum));
  if (named.empty() && wanted.algorithm->location == Location::Header)
    request.headers.set(wanted.algorithm->wire_name, std::string(algorithm));
  return {};
}

Result<void> verify_checksums(const HttpRequest& request, std::string_view body, const Operation& operation) {
  FIXPOINT_CHECK(verify_md5(request, body));
  if (operation.checksum.algorithm == nullptr) return {};
  for (const std::string_view algorithm : not_there) {
    const std::string header = header_of(algorithm);
    if (request.headers.has(header) || request.trailers.has(header))
      return fail(
          errors::not_implemented(header + " is not there in this version: what it says could not be checked", header));
  }
  for (const std::string_view algorithm : algorithms) {
    const std::string header = header_of(algorithm);
    const std::string* stated = request.headers.find(header);
    if (stated == nullptr) stated = request.trailers.find(header);
    if (stated == nullptr) continue;
    const std::string actual = *checksum_of(algorithm, body);
    if (*stated == actual) continue;
    const auto bytes = base64_decode(*stated);
    if (!bytes || bytes->size() != base64_decode(actual)->size())
      return fail(errors::coded("InvalidRequest", "Value for " + header + " header is invalid.", 400));
    return fail(errors::coded(
        "BadDigest", "The " + std::string(algorithm) + " you specified did not match the calculated checksum.", 400));
  }
  return {};
}

Result<void> verify_response_checksum(const HttpResponse& response, const Operation& operation) {
  if (operation.checksum.response_algorithms.empty()) return {};
  for (const std::string_view algorithm : algorithms) {
    const std::string* stated = response.headers.find(header_of(algorithm));
    // A checksum of checksums ("...-3", of a multipart upload) says nothing of the body.
    if (stated == nullptr || stated->find('-') != std::string::npos) continue;
    if (*stated == *checksum_of(algorithm, response.body)) continue;
    Error error = errors::coded(
        "ChecksumMismatch", "The " + std::string(algorithm) + " of the response is not the one that its header states");
    error.retryable = true;
    return fail(std::move(error));
  }
  return {};
}

}  // namespace fixpoint::aws
