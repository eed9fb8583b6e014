#pragma once

#include <cstddef>
#include <cstdint>

namespace fixpoint::patterns {

/// What 64 bytes of JSON text hold, a bit a byte, the first byte in the lowest bit.
struct Block {
  std::uint64_t tokens;  ///< quotes that begin or end a string, and { } [ ] : , outside of strings
  std::uint64_t opens;   ///< { and [ outside of strings
  std::uint64_t closes;  ///< } and ] outside of strings
  std::uint64_t dots;    ///< anywhere
  std::uint16_t open_count;
  std::uint16_t close_count;
  std::uint32_t backslashes;  ///< 0 where there is none, in or out of strings
};

/// Classifies the whole text into (size + 63) / 64 blocks, at the speed of memory where the processor has AVX-512 or
/// AVX2, with SSE2 or byte by byte elsewhere. Bytes beyond the end count as blanks. True where the last string ends.
bool classify(const char* text, std::size_t size, Block* blocks);

/// The ways that this processor can take, by name, the one that classify() takes last: for tests, which hold them
/// against each other.
struct Classifier {
  const char* name;
  bool (*run)(const char* text, std::size_t size, Block* blocks);
};
std::size_t classifiers(const Classifier*& list);

}  // namespace fixpoint::patterns
