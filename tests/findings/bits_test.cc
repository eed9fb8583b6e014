#include "findings/bits.h"

#include <gtest/gtest.h>
#include <random>

namespace fixpoint::findings {
namespace {

// Of every width that a row may have, at every place of it, with gaps: what lies between two bounds is what each value
// says by itself.
TEST(ColumnChunk, says_for_a_word_what_its_values_say_one_by_one) {
  std::mt19937_64 random(7);
  for (int bits = 1; bits <= 63; bits += 2) {
    const std::int64_t base = bits % 4 == 1 ? -(std::int64_t{1} << (bits - 1)) : 1'700'000'000'000;
    ColumnChunk chunk;
    std::vector<std::int64_t> values(ColumnChunk::width, ColumnChunk::none);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (random() % 5 == 0) continue;
      const std::uint64_t distance = random() >> (64 - bits);
      values[i] =
          base > 0 && bits == 63 ? static_cast<std::int64_t>(distance) : base + static_cast<std::int64_t>(distance);
      chunk[i] = values[i];
    }
    std::int64_t lowest = 0;
    const std::string bytes = chunk.encode(lowest);
    ASSERT_TRUE(ColumnChunk::is_valid(bytes));
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(ColumnChunk::value_at(lowest, bytes, i), values[i]);
    for (int tries = 0; tries < 40; ++tries) {
      std::int64_t low = values[random() % values.size()];
      std::int64_t high = values[random() % values.size()];
      if (tries % 4 == 1) low = INT64_MIN + 1;
      if (tries % 4 == 2) high = INT64_MAX;
      if (tries % 8 == 3) low = lowest;
      for (const std::uint64_t wanted : {~std::uint64_t{0}, random(), random() & random() & random(), std::uint64_t{0}})
        for (std::size_t word = 0; word < ColumnChunk::width / 64; ++word) {
          std::uint64_t right = 0;
          for (std::size_t bit = 0; bit < 64; ++bit) {
            const std::int64_t value = values[word * 64 + bit];
            if ((wanted >> bit & 1) != 0 && value != ColumnChunk::none && value >= low && value <= high)
              right |= std::uint64_t{1} << bit;
          }
          ASSERT_EQ(ColumnChunk::within(lowest, bytes, word, wanted, low, high), right)
              << bits << " bits, word " << word << ", from " << low << " to " << high;
        }
    }
  }
}

}  // namespace
}  // namespace fixpoint::findings
