#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/model.h"
#include "base/error.h"
#include "base/http_message.h"

/// Compressed bodies of requests, for the operations whose model says that the service takes them.
/// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
namespace fixpoint::aws {

/// What a compressed body may become: CloudWatch takes 1 MB, and what is not compressed is bounded elsewhere.
inline constexpr std::size_t inflated_limit_bytes = 16UL * 1024 * 1024;

struct CompressionSettings {
  bool enabled = true;
  std::size_t min_bytes = 10'240;  ///< a body of this size or more is compressed
};

/// The SDKs' settings: AWS_DISABLE_REQUEST_COMPRESSION and AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES, else the same of the
/// profile in the shared config file, else the defaults.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html
/// Error: ValidationException for a value that is none, naming the setting.
Result<CompressionSettings> compression_settings(const Environment& environment);

/// One gzip member (RFC 1952).
std::string gzip(std::string_view bytes);
/// What gzip members hold. Errors: SerializationException where they are broken, cut short or followed by something
/// else; RequestEntityTooLarge where they hold more than `limit_bytes`: no more than that is ever made of them.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes);
/// The first `bytes_wanted` bytes of what they hold, less where there is no more or it is broken. For routing.
std::string gunzip_beginning(std::string_view bytes, std::size_t bytes_wanted);

/// True where gzip is the coding that was applied last.
bool is_gzip_coded(const Headers& headers);

/// Compresses the body of a request, and says so, where the operation's service takes it and it is worth while.
void compress(HttpRequest& request, const Operation& operation, const CompressionSettings& settings);
/// The body without its gzip; nothing where it has none, or the operation's service does not take it: then a
/// Content-Encoding is the caller's own. Errors: those of gunzip, in the words of the protocol.
Result<std::optional<std::string>> decompress(const Headers& headers, std::string_view body, const Operation& operation,
                                              Protocol protocol);

}  // namespace fixpoint::aws
