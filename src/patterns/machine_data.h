#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/address.h"
#include "patterns/decimal.h"
#include "patterns/hash.h"
#include "patterns/pattern.h"

namespace fixpoint::patterns {

constexpr std::uint32_t none = 0xFFFFFFFF;

/// One test of a predicate, in 12 bytes. What `a` and `b` are depends on the kind: a text (offset, length), the index
/// of a number, range or address block, or (first, count) of the pieces of a wildcard or of the tests under
/// anything-but.
struct PackedTest {
  Kind kind;
  std::uint8_t bounds;
  std::uint16_t unused;
  std::uint32_t a;
  std::uint32_t b;
};

/// "The field at this path has one of these values." Rules that say the same share it.
struct Predicate {
  std::uint32_t path;
  std::uint32_t first;  ///< into `tests`: first the texts, sorted by length and bytes, then all others
  std::uint32_t texts;  ///< how many of them are texts
  std::uint32_t others : 31;
  std::uint32_t absent : 1;  ///< the field may be missing
};

/// A branch of a rule: its predicates, the rarest first.
struct SubRule {
  std::uint32_t rule;
  std::uint32_t first;  ///< into `fields`
  std::uint32_t count : 31;
  std::uint32_t absent : 1;  ///< one of the predicates may be satisfied by absence
};

/// A member name on the way to a field. Children are found by a small hash table of their own.
struct Node {
  std::uint32_t path = none;   ///< where a field ends here
  std::uint32_t children = 0;  ///< first slot of the table in `slots`
  std::uint32_t mask = 0;      ///< size of the table - 1
  std::uint32_t count = 0;     ///< of children
  std::uint64_t lengths = 0;   ///< bit n: a child's name has n bytes (modulo 64)
};

struct ChildSlot {
  std::uint64_t first = 0;  ///< the name's first eight bytes, which with
  std::uint64_t last = 0;   ///< the last eight say all of a name of up to 16
  std::uint32_t node = none;
  std::uint32_t name = 0;  ///< text
  std::uint32_t length = 0;
};

/// How the values at a path are looked up among the entries: which kinds of keys there are.
struct PathIndex {
  std::uint32_t name = 0;  ///< text
  std::uint32_t name_length = 0;
  std::uint32_t rank = 0;  ///< the place among all paths by name
  bool any = false;        ///< some rule is entered here
  bool texts = false;
  bool folded_texts = false;
  bool numbers = false;
  bool words = false;  ///< true, false, null
  bool grams8 = false;
  bool grams4 = false;
  std::vector<std::uint32_t> prefixes;  ///< lengths, ascending
  std::vector<std::uint32_t> suffixes;
  std::vector<std::uint32_t> folded_prefixes;
  std::vector<std::uint32_t> folded_suffixes;
  std::vector<std::uint8_t> v4_bits;
  std::vector<std::uint8_t> v6_bits;
  std::vector<std::uint32_t> scanned;  ///< predicates that no key leads to, each held against every value of the path
};

/// A key and the branches that are entered by it: `first` and `count` into `candidates`.
struct Entry {
  std::uint64_t key = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// What kind of key a hash was made from: no two kinds share a key.
enum class KeyKind : std::uint8_t {
  Text,
  Prefix,
  Suffix,
  FoldedText,
  FoldedPrefix,
  FoldedSuffix,
  Gram8,
  Gram4,
  Number,
  Word,
  V4,
  V6,
  Scan
};

inline std::uint64_t key_of(std::uint32_t path, KeyKind kind, std::uint64_t hash) {
  const std::uint64_t key =
      (hash ^ (static_cast<std::uint64_t>(path) * 16 + static_cast<std::uint64_t>(kind) + 1) * 0x9E3779B97F4A7C15ULL) *
      0xD6E8FEB86659FD93ULL;
  return key ^ key >> 32;
}

inline std::uint64_t hash_of(const Address& address) {
  return (address.high * 0x9FB21C651E98DF25ULL ^ address.low) * 0xD6E8FEB86659FD93ULL;
}

/// Of a member name, by its first and last eight bytes and its length.
inline std::uint32_t name_hash(std::uint64_t first, std::uint64_t last, std::size_t length) {
  return static_cast<std::uint32_t>(
      ((first ^ length * 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL ^ last * 0x9FB21C651E98DF25ULL) >> 32);
}

inline std::uint64_t first_bytes(std::string_view name) {
  return name.size() >= 8 ? load8(name.data()) : load_part(name.data(), name.size());
}

inline std::uint64_t last_bytes(std::string_view name) {
  return name.size() >= 8 ? load8(name.data() + name.size() - 8) : 0;
}

/// The bit of a piece of eight or four bytes in the filter for pieces of wildcards.
inline std::uint64_t gram_bit(std::uint64_t gram, std::uint64_t mask) {
  return gram * 0xD6E8FEB86659FD93ULL >> 40 & mask;
}

struct MachineData {
  std::string text;  ///< every string once
  std::vector<PackedTest> tests;
  std::vector<Predicate> predicates;
  std::vector<std::uint32_t> fields;  ///< predicates
  std::vector<SubRule> sub_rules;
  std::vector<std::uint32_t> rule_names;  ///< offsets into `names`, one more than there are rules
  std::string names;
  std::vector<Decimal> numbers;  ///< a range has two, side by side
  std::vector<Cidr> cidrs;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pieces;  ///< of wildcards: texts

  std::vector<Node> nodes;  ///< the first is the root
  std::vector<ChildSlot> slots;
  std::vector<PathIndex> paths;

  std::vector<Entry> entries;         ///< open addressing, a power of two
  std::vector<std::uint64_t> filter;  ///< a bit for the keys that are there, four to eight times as many bits as keys
  std::uint64_t filter_mask = 0;
  std::vector<std::uint64_t> gram_filter;  ///< the same for pieces of wildcards, which are looked for at every byte
  std::uint64_t gram_mask = 0;
  std::vector<std::uint32_t> candidates;  ///< branches
  std::vector<std::uint32_t> always;      ///< branches that no value is needed for

  std::string_view string(std::uint32_t offset, std::uint32_t length) const { return {text.data() + offset, length}; }
};

}  // namespace fixpoint::patterns
