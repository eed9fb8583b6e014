#include "aws/compression.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <new>
#include <zlib.h>

#include "aws/profile_file.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr int gzip_window = 15 + 16;  // zlib's way to say: a gzip header and trailer, the largest window
constexpr std::size_t largest_min_bytes = 10'485'760;

class Inflater {
 public:
  explicit Inflater(std::string_view bytes) {
    // zlib takes its input by a pointer to what it does not change.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    if (inflateInit2(&stream_, gzip_window) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class Ended { Whole, Broken, TooLarge };
  // Appends what the members hold, at most `limit` bytes.
  Ended run(std::string& out, std::size_t limit) {
    std::array<char, 64UL * 1024> piece{};
    while (true) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = piece.size() - stream_.avail_out;
      const std::size_t room = limit - out.size();
      out.append(piece.data(), std::min(made, room));
      if (made > room) return Ended::TooLarge;
      if (status == Z_STREAM_END) {
        if (stream_.avail_in == 0) return Ended::Whole;
        if (inflateReset(&stream_) != Z_OK) return Ended::Broken;
      } else if (status != Z_OK || (made == 0 && stream_.avail_in == 0)) {
        return Ended::Broken;
      }
    }
  }

 private:
  z_stream stream_{};
};

std::string_view last_coding(std::string_view codings) {
  return trim(codings.substr(codings.rfind(',') + 1));
}

Error bad_value(std::string_view setting, std::string_view value, const std::string& expected) {
  return errors::validation(
      std::string(setting) + " is '" + std::string(value.substr(0, 64)) + "': it has to be " + expected,
      std::string(setting));
}

}  // namespace

Result<CompressionSettings> compression_settings(const Environment& environment) {
  constexpr std::string_view disable = "AWS_DISABLE_REQUEST_COMPRESSION";
  constexpr std::string_view min_size = "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES";
  CompressionSettings settings;
  const ProfileSection section = config_section(environment);
  // Each is called the same in the file, without the prefix and in small letters.
  const auto value_of = [&](std::string_view name) {
    const auto set = environment(name);
    if (set && !set->empty()) return *set;
    const auto found = section.find(to_lower(name.substr(4)));
    return found == section.end() ? std::string() : found->second;
  };
  if (const std::string value = value_of(disable); !value.empty()) {
    const bool yes = equals_ignore_case(value, "true");
    if (!yes && !equals_ignore_case(value, "false")) return fail(bad_value(disable, value, "true or false"));
    settings.enabled = !yes;
  }
  if (const std::string value = value_of(min_size); !value.empty()) {
    const auto number = to_int64(value);
    if (!number || *number < 0 || *number > static_cast<std::int64_t>(largest_min_bytes))
      return fail(bad_value(min_size, value, "a number of bytes from 0 to 10485760"));
    settings.min_bytes = static_cast<std::size_t>(*number);
  }
  return settings;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);  // deflateBound is what this needs at most
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes) {
  std::string out;
  if (bytes.size() > std::numeric_limits<uInt>::max())
    return fail(errors::too_large("The compressed body is too long"));
  switch (Inflater(bytes).run(out, limit_bytes)) {
    case Inflater::Ended::Whole: return out;
    case Inflater::Ended::TooLarge:
      return fail(errors::too_large("The compressed body holds more than " + std::to_string(limit_bytes) + " bytes"));
    case Inflater::Ended::Broken: break;
  }
  return fail(errors::serialization("The body is not gzip, which its Content-Encoding says, or it is cut short"));
}

std::string gunzip_beginning(std::string_view bytes, std::size_t bytes_wanted) {
  std::string out;
  Inflater(bytes.substr(0, std::numeric_limits<uInt>::max())).run(out, bytes_wanted);
  return out;
}

bool is_gzip_coded(const Headers& headers) {
  return equals_ignore_case(last_coding(headers.get("content-encoding")), "gzip");
}

void compress(HttpRequest& request, const Operation& operation, const CompressionSettings& settings) {
  if (!operation.takes_gzip || !settings.enabled || request.body.empty() || request.body.size() < settings.min_bytes)
    return;
  request.body = gzip(request.body);
  const std::string before(request.headers.get("content-encoding"));
  request.headers.set("Content-Encoding", before.empty() ? "gzip" : before + ", gzip");
}

Result<std::optional<std::string>> decompress(const Headers& headers, std::string_view body, const Operation& operation,
                                              Protocol protocol) {
  if (!operation.takes_gzip || !is_gzip_coded(headers)) return std::optional<std::string>();
  auto plain = gunzip(body, inflated_limit_bytes);
  if (plain) return std::optional<std::string>(std::move(*plain));
  Error error = std::move(plain.error());
  if (error.code == "SerializationException") {
    switch (protocol) {
      case Protocol::Query: error.code = "MalformedInput"; break;
      case Protocol::Ec2: error.code = "InvalidParameterValue"; break;
      case Protocol::RestXml: error.code = "MalformedXML"; break;
      default: break;
    }
  }
  return fail(std::move(error));
}

}  // namespace fixpoint::aws
