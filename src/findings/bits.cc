#include "findings/bits.h"

namespace fixpoint::findings {
namespace {

constexpr std::size_t dense_bytes = ChunkBits::width / 8;

// How far the values of 64 findings lie above the lowest, and one, each of `Each` bytes: one where that lies within
// `span` of `first`. Reads up to 7 bytes behind the last of them.
template <std::size_t Each>
std::uint64_t near(const char* at, std::size_t count, std::uint64_t first, std::uint64_t span) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t distance = 0;
    std::memcpy(&distance, at + i * Each, 8);
    if constexpr (Each < 8) distance &= (std::uint64_t{1} << (Each * 8)) - 1;
    out |= std::uint64_t{distance - 1 - first <= span} << i;
  }
  return out;
}
using Near = std::uint64_t (*)(const char*, std::size_t, std::uint64_t, std::uint64_t);
constexpr std::array<Near, 9> near_of{nullptr, near<1>, near<2>, near<3>, near<4>, near<5>, near<6>, near<7>, near<8>};
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

std::uint64_t ColumnChunk::within(std::int64_t lowest, std::string_view bytes, std::size_t word, std::uint64_t wanted,
                                  std::int64_t low, std::int64_t high) {
  if (high < low || high < lowest) return 0;
  const auto base = static_cast<std::uint64_t>(lowest);
  const std::uint64_t first = low > lowest ? static_cast<std::uint64_t>(low) - base : 0;
  const std::uint64_t span = static_cast<std::uint64_t>(high) - base - first;
  constexpr int few = 20;
  std::uint64_t out = 0;
  // The last values of a row have nothing behind them, and so have few that are wanted little to do with the others.
  constexpr std::size_t last_word = width / 64 - 1;
  std::size_t done = 0;
  if (std::popcount(wanted) > few) {
    done = word == last_word ? 56 : 64;
    const auto each = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]));
    out = near_of[each](bytes.data() + 1 + word * 64 * each, done, first, span) & wanted;
  }
  for (std::uint64_t left = done == 64 ? 0 : wanted >> done << done; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(left));
    const std::int64_t value = value_at(lowest, bytes, word * 64 + bit);
    if (value != none && value >= low && value <= high) out |= std::uint64_t{1} << bit;
  }
  return out;
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
