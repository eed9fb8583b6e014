#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/http_message.h"

/// The canonical request of Signature Version 4, which signing and verification share.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
namespace fixpoint::aws {

/// How the path of a request enters its canonical form.
enum class PathRule {
  Normalized,  ///< dot segments and repeated slashes removed, then every segment as sent is percent-encoded once more
  AsSent,      ///< S3: nothing removed, encoded once; an object may be called `a//../b`
};

/// AsSent for S3 and its relatives (by signing name), Normalized for every other service.
PathRule path_rule_of(std::string_view service);

/// Appends the canonical form of `path`, which is as sent: percent-encoded.
void append_canonical_path(std::string& out, std::string_view path, PathRule rule);

/// Appends the query, each name and value encoded anew, sorted by name and then value. Parameters named in `without`
/// (decoded names) are left out.
void append_canonical_query(std::string& out, std::string_view query, std::span<const std::string_view> without = {});

/// Appends `name:value\n` for each of `names` (lower case), with repeated lines joined by a comma, blanks trimmed and
/// runs of blanks made one. A name that the request does not have gets an empty value.
void append_canonical_headers(std::string& out, const Headers& headers, std::span<const std::string_view> names);

/// The whole canonical request. `payload_hash` is the last line as it stands: a digest or one of S3's words for none.
std::string canonical_request(const HttpRequest& request, PathRule rule, std::span<const std::string_view> signed_names,
                              std::string_view payload_hash, std::span<const std::string_view> without_query = {});

/// Appends every byte but the unreserved characters of RFC 3986 as %XX.
void append_encoded(std::string& out, std::string_view bytes, bool keep_slash = false);

}  // namespace fixpoint::aws
