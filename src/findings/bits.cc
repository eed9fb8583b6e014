#include "findings/bits.h"

namespace fixpoint::findings {
namespace {

constexpr std::size_t dense_bytes = ChunkBits::width / 8;
static_assert(std::endian::native == std::endian::little, "the rows are little-endian, and read as they lie");

}  // namespace

bool ChunkBits::or_into(std::uint64_t* into, std::string_view bytes) {
  if (bytes.size() == dense_bytes) {
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i * 8, 8);
      into[i] |= word;
    }
    return true;
  }
  if (bytes.size() > dense_bytes || bytes.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint16_t offset = 0;
    std::memcpy(&offset, bytes.data() + i, 2);
    if (offset >= width) return false;
    into[offset / 64] |= std::uint64_t{1} << (offset % 64);
  }
  return true;
}

std::optional<ChunkBits> ChunkBits::decode(std::string_view bytes) {
  ChunkBits chunk;
  if (!or_into(chunk.bits_.data(), bytes)) return {};
  return chunk;
}

void ChunkBits::set(std::uint16_t offset, bool in) {
  const std::uint64_t bit = std::uint64_t{1} << (offset % 64);
  if (in)
    bits_[offset / 64] |= bit;
  else
    bits_[offset / 64] &= ~bit;
}

std::string ChunkBits::encode() const {
  std::size_t count = 0;
  for (const auto word : bits_) count += static_cast<std::size_t>(std::popcount(word));
  std::string out;
  if (count * 2 >= dense_bytes) {
    out.resize(dense_bytes);
    std::memcpy(out.data(), bits_.data(), dense_bytes);
    return out;
  }
  out.reserve(count * 2);
  for (std::size_t i = 0; i < words; ++i)
    for (std::uint64_t left = bits_[i]; left != 0; left &= left - 1) {
      const auto offset = static_cast<std::uint16_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(left)));
      out.append(reinterpret_cast<const char*>(&offset), 2);
    }
  return out;
}

std::optional<ColumnChunk> ColumnChunk::decode(std::int64_t lowest, std::string_view bytes) {
  if (!is_valid(bytes)) return {};
  ColumnChunk chunk;
  for (std::size_t i = 0; i < width; ++i) chunk.values_[i] = value_at(lowest, bytes, i);
  return chunk;
}

std::string ColumnChunk::encode(std::int64_t& lowest) const {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
  for (const auto value : values_) {
    if (value == none) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {};
  lowest = low;
  const std::uint64_t most = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const auto each = static_cast<std::size_t>((std::bit_width(most) + 7) / 8);
  std::string out(1 + each * width, '\0');
  out[0] = static_cast<char>(each);
  char* at = out.data() + 1;
  for (const auto value : values_) {
    const std::uint64_t distance =
        value == none ? 0 : static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low) + 1;
    std::memcpy(at, &distance, each);
    at += each;
  }
  return out;
}

}  // namespace fixpoint::findings
