#include "functions/zip.h"

#include <string>
#include <utility>

#include "base/text.h"

namespace fixpoint::functions {
namespace {

constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t entry_bytes = 46;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t comment_limit = 65535;
constexpr std::uint32_t unix_host = 3;
constexpr std::uint32_t type_mask = 0170000;
constexpr std::uint32_t type_link = 0120000;

std::uint32_t little_endian(std::string_view bytes, std::size_t at, int size) {
  std::uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

tl::unexpected<Error> refused(std::string message) {
  return fail(errors::coded("InvalidParameterValueException", std::move(message), 400));
}

tl::unexpected<Error> no_zip(std::string_view why) {
  return refused("Could not unzip uploaded file. Please check your file, then try to upload again. (" +
                 std::string(why) + ")");
}

// The end record stands at the very end, but for a comment whose length it states.
std::size_t find_end(std::string_view bytes) {
  if (bytes.size() < end_bytes) return std::string_view::npos;
  const std::size_t last = bytes.size() - end_bytes;
  const std::size_t first = last > comment_limit ? last - comment_limit : 0;
  for (std::size_t at = last + 1; at-- > first;)
    if (little_endian(bytes, at, 4) == end_signature &&
        at + end_bytes + little_endian(bytes, at + 20, 2) == bytes.size())
      return at;
  return std::string_view::npos;
}

bool leads_out(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos)
    return true;
  for (const auto part : split(name, '/'))
    if (part == "..") return true;
  return false;
}

}  // namespace

Result<ZipSummary> check_zip(std::string_view bytes, const ZipLimits& limits) {
  if (bytes.empty()) return no_zip("it is empty");
  const std::size_t end = find_end(bytes);
  if (end == std::string_view::npos) return no_zip("it has no end of a zip's directory: it is no zip file, or cut off");
  const std::uint32_t entries = little_endian(bytes, end + 10, 2);
  const std::uint32_t size = little_endian(bytes, end + 12, 4);
  const std::uint32_t start = little_endian(bytes, end + 16, 4);
  if (little_endian(bytes, end + 4, 2) != 0 || little_endian(bytes, end + 6, 2) != 0 ||
      little_endian(bytes, end + 8, 2) != entries)
    return no_zip("it is one part of several");
  if (entries == 0xffff || size == 0xffffffff || start == 0xffffffff)
    return no_zip("it is zip64, which no code package needs");
  if (std::uint64_t{start} + size != end) return no_zip("its directory is not where its end says");
  if (entries == 0) return refused("Uploaded file must be a non-empty zip");
  if (entries > limits.entries)
    return refused("The zip file has " + std::to_string(entries) + " entries; at most " +
                   std::to_string(limits.entries) + " are taken");

  ZipSummary summary;
  std::size_t at = start;
  for (std::uint32_t i = 0; i < entries; ++i) {
    if (end - at < entry_bytes || little_endian(bytes, at, 4) != entry_signature)
      return no_zip("its directory is broken");
    const std::uint32_t made_by = little_endian(bytes, at + 5, 1);
    const std::uint32_t flags = little_endian(bytes, at + 8, 2);
    const std::uint32_t method = little_endian(bytes, at + 10, 2);
    const std::uint32_t packed = little_endian(bytes, at + 20, 4);
    const std::uint32_t unpacked = little_endian(bytes, at + 24, 4);
    const std::size_t name_size = little_endian(bytes, at + 28, 2);
    const std::size_t length =
        entry_bytes + name_size + little_endian(bytes, at + 30, 2) + little_endian(bytes, at + 32, 2);
    const std::uint32_t mode = little_endian(bytes, at + 38, 4) >> 16;
    const std::uint32_t local = little_endian(bytes, at + 42, 4);
    if (end - at < length) return no_zip("its directory is cut off");
    const std::string_view name = bytes.substr(at + entry_bytes, name_size);
    if (leads_out(name))
      return refused(
          "The zip file's entry '" + std::string(name.substr(0, 200)) +
          "' leads out of the function's folder; names are relative, without '..' and with '/' between folders");
    if ((flags & 1) != 0) return no_zip("its entry '" + std::string(name.substr(0, 200)) + "' is encrypted");
    if (method != 0 && method != 8)
      return no_zip("its entry '" + std::string(name.substr(0, 200)) + "' is compressed by method " +
                    std::to_string(method) + "; stored and deflated are right");
    if (made_by == unix_host && (mode & type_mask) == type_link)
      return refused("The zip file's entry '" + std::string(name.substr(0, 200)) +
                     "' is a symbolic link; pack the file itself");
    if (std::uint64_t{local} + local_bytes + packed > start || little_endian(bytes, local, 4) != local_signature)
      return no_zip("its entry '" + std::string(name.substr(0, 200)) + "' is not where the directory says");
    summary.unpacked_bytes += unpacked;
    if (summary.unpacked_bytes > limits.unpacked_bytes)
      return refused("Unzipped size must be smaller than " + std::to_string(limits.unpacked_bytes) + " bytes");
    ++summary.entries;
    at += length;
  }
  if (at != end) return no_zip("its directory has bytes left over");
  return summary;
}

}  // namespace fixpoint::functions
