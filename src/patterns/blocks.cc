#include "patterns/blocks.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fixpoint::patterns {
namespace {

constexpr std::uint64_t even_bits = 0x5555555555555555ULL;

struct Raw {
  std::uint64_t quotes;
  std::uint64_t backslashes;
  std::uint64_t opens;
  std::uint64_t closes;
  std::uint64_t separators;
  std::uint64_t dots;
};

// Each bit becomes the parity of itself and all lower ones: from quotes to the inside of strings.
inline std::uint64_t parity_below(std::uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

struct State {
  std::uint64_t escaped = 0;    // 1 where the next block's first byte is escaped
  std::uint64_t in_string = 0;  // all ones where the next block begins inside a string

  // The characters that a backslash escapes: every second one of a run counts, wherever the run began.
  inline std::uint64_t escapes(std::uint64_t backslashes) {
    if (backslashes == 0) {
      const std::uint64_t result = escaped;
      escaped = 0;
      return result;
    }
    backslashes &= ~escaped;
    const std::uint64_t follows = backslashes << 1 | escaped;
    const std::uint64_t odd_starts = backslashes & ~even_bits & ~follows;
    std::uint64_t even_sequences;
    escaped = __builtin_add_overflow(odd_starts, backslashes, &even_sequences) ? 1 : 0;
    // The addition has carried through the runs that began on an odd place: of those the other half is escaped.
    return (even_bits ^ even_sequences << 1) & follows;
  }

  inline void finish(const Raw& raw, Block& block) {
    const std::uint64_t quotes = raw.quotes & ~escapes(raw.backslashes);
    const std::uint64_t inside = parity_below(quotes) ^ in_string;
    in_string = static_cast<std::uint64_t>(static_cast<std::int64_t>(inside) >> 63);
    block.opens = raw.opens & ~inside;
    block.closes = raw.closes & ~inside;
    block.dots = raw.dots;
    block.backslashes = raw.backslashes != 0 ? 1 : 0;
    block.tokens = quotes | block.opens | block.closes | (raw.separators & ~inside);
  }
};

inline void count(Block& block) {
  block.open_count = static_cast<std::uint16_t>(__builtin_popcountll(block.opens));
  block.close_count = static_cast<std::uint16_t>(__builtin_popcountll(block.closes));
}

// The loop is the same for all; it must be inlined into a function of its processor's kind, hence a macro.
#define FIXPOINT_CLASSIFY(READ)                     \
  State state;                                      \
  std::size_t at = 0;                               \
  for (; at + 64 <= size; at += 64, ++blocks) {     \
    state.finish(READ(text + at), *blocks);         \
    count(*blocks);                                 \
  }                                                 \
  if (at < size) {                                  \
    alignas(64) std::array<char, 64> last;          \
    last.fill(' ');                                 \
    std::memcpy(last.data(), text + at, size - at); \
    state.finish(READ(last.data()), *blocks);       \
    count(*blocks);                                 \
  }                                                 \
  return state.in_string == 0

inline Raw read_plain(const char* p) {
  Raw raw{};
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint64_t bit = 1ULL << i;
    switch (p[i]) {
      case '"': raw.quotes |= bit; break;
      case '\\': raw.backslashes |= bit; break;
      case '{':
      case '[': raw.opens |= bit; break;
      case '}':
      case ']': raw.closes |= bit; break;
      case ':':
      case ',': raw.separators |= bit; break;
      case '.': raw.dots |= bit; break;
      default: break;
    }
  }
  return raw;
}

bool classify_plain(const char* text, std::size_t size, Block* blocks) {
  FIXPOINT_CLASSIFY(read_plain);
}

#if defined(__x86_64__)

inline Raw read_sse2(const char* p) {
  Raw raw{};
  const __m128i blank = _mm_set1_epi8(0x20);
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    const __m128i lower = _mm_or_si128(v, blank);  // [ ] become { }
    const auto bits = [&](__m128i equal) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(equal))) << (16 * i);
    };
    raw.quotes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    raw.backslashes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    raw.opens |= bits(_mm_cmpeq_epi8(lower, _mm_set1_epi8('{')));
    raw.closes |= bits(_mm_cmpeq_epi8(lower, _mm_set1_epi8('}')));
    raw.separators |= bits(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')), _mm_cmpeq_epi8(v, _mm_set1_epi8(','))));
    raw.dots |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
  }
  return raw;
}

bool classify_sse2(const char* text, std::size_t size, Block* blocks) {
  FIXPOINT_CLASSIFY(read_sse2);
}

#define FIXPOINT_AVX2 __attribute__((target("avx2,bmi,popcnt"), always_inline))

FIXPOINT_AVX2 inline std::uint64_t bits_avx2(__m256i low, __m256i high) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(low))) |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

FIXPOINT_AVX2 inline Raw read_avx2(const char* p) {
  const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
  const __m256i blank = _mm256_set1_epi8(0x20);
  const __m256i la = _mm256_or_si256(a, blank);
  const __m256i lb = _mm256_or_si256(b, blank);
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i open = _mm256_set1_epi8('{');
  const __m256i close = _mm256_set1_epi8('}');
  const __m256i colon = _mm256_set1_epi8(':');
  const __m256i comma = _mm256_set1_epi8(',');
  Raw raw;
  raw.quotes = bits_avx2(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
  raw.backslashes = bits_avx2(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash));
  raw.opens = bits_avx2(_mm256_cmpeq_epi8(la, open), _mm256_cmpeq_epi8(lb, open));
  raw.closes = bits_avx2(_mm256_cmpeq_epi8(la, close), _mm256_cmpeq_epi8(lb, close));
  raw.separators = bits_avx2(_mm256_or_si256(_mm256_cmpeq_epi8(a, colon), _mm256_cmpeq_epi8(a, comma)),
                             _mm256_or_si256(_mm256_cmpeq_epi8(b, colon), _mm256_cmpeq_epi8(b, comma)));
  const __m256i dot = _mm256_set1_epi8('.');
  raw.dots = bits_avx2(_mm256_cmpeq_epi8(a, dot), _mm256_cmpeq_epi8(b, dot));
  return raw;
}

__attribute__((target("avx2,bmi,popcnt"))) bool classify_avx2(const char* text, std::size_t size, Block* blocks) {
  FIXPOINT_CLASSIFY(read_avx2);
}

__attribute__((target("avx512f,avx512bw,bmi,popcnt"), always_inline)) inline Raw read_avx512(const char* p) {
  const __m512i v = _mm512_loadu_si512(p);
  const __m512i lower = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
  Raw raw;
  raw.quotes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
  raw.backslashes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
  raw.opens = _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('{'));
  raw.closes = _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('}'));
  raw.separators = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(':')) | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(','));
  raw.dots = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('.'));
  return raw;
}

__attribute__((target("avx512f,avx512bw,bmi,popcnt"))) bool classify_avx512(const char* text, std::size_t size,
                                                                            Block* blocks) {
  FIXPOINT_CLASSIFY(read_avx512);
}

#endif

struct Choice {
  std::array<Classifier, 4> list{};
  std::size_t count = 0;

  Choice() {
    list[count++] = {"byte by byte", classify_plain};
#if defined(__x86_64__)
    list[count++] = {"SSE2", classify_sse2};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi"))
      list[count++] = {"AVX2", classify_avx2};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi"))
      list[count++] = {"AVX-512", classify_avx512};
#endif
  }
};

const Choice& choice() {
  static const Choice made;
  return made;
}

}  // namespace

bool classify(const char* text, std::size_t size, Block* blocks) {
  const Choice& made = choice();
  return made.list[made.count - 1].run(text, size, blocks);
}

std::size_t classifiers(const Classifier*& list) {
  list = choice().list.data();
  return choice().count;
}

}  // namespace fixpoint::patterns
