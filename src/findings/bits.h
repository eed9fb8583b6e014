#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::findings {

/// A set of findings by their numbers, one bit each: a million findings are 125 KB. Not thread-safe.
class Bits {
 public:
  void add(std::int64_t number) {
    const auto at = static_cast<std::size_t>(number);
    if (at / 64 >= words_.size()) words_.resize(at / 64 + 1);
    words_[at / 64] |= std::uint64_t{1} << (at % 64);
  }
  bool contains(std::int64_t number) const {
    return (word(static_cast<std::size_t>(number) / 64) >> (number % 64)) & 1;
  }
  std::size_t count() const {
    std::size_t bits = 0;
    for (const auto w : words_) bits += static_cast<std::size_t>(std::popcount(w));
    return bits;
  }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t w) { return w == 0; });
  }

  Bits& operator&=(const Bits& other) {
    if (words_.size() > other.words_.size()) words_.resize(other.words_.size());
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  Bits& operator|=(const Bits& other) {
    if (words_.size() < other.words_.size()) words_.resize(other.words_.size());
    for (std::size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  Bits& operator-=(const Bits& other) {
    const std::size_t both = std::min(words_.size(), other.words_.size());
    for (std::size_t i = 0; i < both; ++i) words_[i] &= ~other.words_[i];
    return *this;
  }

  /// The words, 64 findings each from number 0 on.
  std::size_t size_in_words() const { return words_.size(); }
  std::uint64_t word(std::size_t index) const { return index < words_.size() ? words_[index] : 0; }
  /// Room for so many words, to be or-ed into.
  std::uint64_t* words_from(std::size_t index, std::size_t count) {
    if (words_.size() < index + count) words_.resize(index + count);
    return words_.data() + index;
  }

  /// Calls `each` with every number from `first` on, in order, until it says false.
  template <class Each>
  void for_each(std::int64_t first, const Each& each) const {
    std::size_t index = static_cast<std::size_t>(first) / 64;
    std::uint64_t left = word(index) & (~std::uint64_t{0} << (first % 64));
    while (true) {
      for (; left != 0; left &= left - 1)
        if (!each(static_cast<std::int64_t>(index * 64) + std::countr_zero(left))) return;
      if (++index >= words_.size()) return;
      left = words_[index];
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

/// The findings of one value within a chunk of 4096 numbers, as a row of the index holds it: up to 255 of them as a
/// sorted list of 16-bit offsets, more as 512 bytes of bits. All little-endian.
class ChunkBits {
 public:
  static constexpr std::int64_t width = 4096;
  static constexpr std::size_t words = width / 64;

  ChunkBits() = default;
  /// Nothing where the bytes are no such row.
  static std::optional<ChunkBits> decode(std::string_view bytes);
  std::string encode() const;  ///< empty where nothing is in it
  void set(std::uint16_t offset, bool in);

  /// Or-s a row into `words` words, without a ChunkBits between. False where the bytes are no such row.
  static bool or_into(std::uint64_t* into, std::string_view bytes);

 private:
  std::array<std::uint64_t, words> bits_{};
};

/// The numbers or times of 512 findings side by side, as a row of the index holds them: the lowest stands beside it,
/// then a byte that says how many bytes each has, then each one's distance from the lowest and one, 0 for none.
class ColumnChunk {
 public:
  static constexpr std::int64_t width = 512;
  static constexpr std::int64_t none = INT64_MIN;  ///< no value

  ColumnChunk() { values_.fill(none); }
  static std::optional<ColumnChunk> decode(std::int64_t lowest, std::string_view bytes);
  /// Empty where no finding has a value.
  std::string encode(std::int64_t& lowest) const;
  std::int64_t& operator[](std::size_t at) { return values_[at]; }

  static bool is_valid(std::string_view bytes) {
    return !bytes.empty() && bytes[0] >= 1 && bytes[0] <= 8 &&
           bytes.size() == 1 + static_cast<std::size_t>(bytes[0]) * width;
  }
  /// A word of bits for 64 values of a row that is valid, the first at `word` * 64: one where the value lies between
  /// `low` and `high`. Of `wanted` alone.
  static std::uint64_t within(std::int64_t lowest, std::string_view bytes, std::size_t word, std::uint64_t wanted,
                              std::int64_t low, std::int64_t high);
  /// One value of a row that is valid.
  static std::int64_t value_at(std::int64_t lowest, std::string_view bytes, std::size_t at) {
    const auto each = static_cast<std::size_t>(bytes[0]);
    const std::size_t begin = 1 + at * each;
    std::uint64_t distance = 0;
    if (begin + 8 <= bytes.size()) {
      std::memcpy(&distance, bytes.data() + begin, 8);
      distance &= ~std::uint64_t{0} >> (64 - each * 8);
    } else {
      std::memcpy(&distance, bytes.data() + begin, each);
    }
    return distance == 0 ? none : lowest + static_cast<std::int64_t>(distance - 1);
  }

 private:
  std::array<std::int64_t, width> values_;
};

}  // namespace fixpoint::findings
