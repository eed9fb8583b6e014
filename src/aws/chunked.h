#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

/// The content coding `aws-chunked`: a body in pieces, each with a signature of its own or none, and perhaps trailing
/// headers. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
namespace fixpoint::aws {

/// What chunk signatures are made of: the key, the time and scope of the request, and the request's own signature,
/// which the first chunk's covers as each chunk's covers that of the one before.
struct ChunkSigning {
  std::string key;  ///< the signing key, raw
  std::string basic_time;
  std::string scope;
  std::string seed_signature;
};

struct ChunkedBody {
  std::string payload;
  std::vector<std::pair<std::string, std::string>> trailers;  ///< without x-amz-trailer-signature
};

/// The signature of one chunk, 64 hexadecimal digits.
std::string chunk_signature(const ChunkSigning& signing, std::string_view previous, std::string_view chunk);
/// The signature of the trailing headers; `lines` are `name:value\n` each.
std::string trailer_signature(const ChunkSigning& signing, std::string_view previous, std::string_view lines);

/// Takes `body` apart. With `signing` every chunk must carry its signature, and the trailers theirs where there are
/// any; without it, signatures are ignored. `decoded_length` is x-amz-decoded-content-length where it was sent.
/// Errors: IncompleteBody 400 (framing broken or cut short, or another length than stated), SignatureDoesNotMatch 403.
Result<ChunkedBody> decode_aws_chunked(std::string_view body, const std::optional<ChunkSigning>& signing,
                                       std::optional<std::size_t> decoded_length = {});

}  // namespace fixpoint::aws
