#include "patterns/entries.h"

#include <algorithm>

#include "patterns/hash.h"

namespace fixpoint::patterns {
namespace {

struct Key {
  std::uint64_t hash = 0;
  KeyKind kind = KeyKind::Scan;
  std::uint32_t length = 0;  // of the text, or bits of the mask
  std::uint64_t gram = 0;    // for pieces of wildcards: the bytes
};

constexpr std::uint64_t scan_cost = 1ULL << 40;
constexpr std::size_t most_grams = 64;  // of one piece of a wildcard that are looked at

// How often keys come; open addressing.
class Counts {
 public:
  std::uint32_t& operator[](std::uint64_t key) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = find(key);
    if (!slot.taken) {
      slot = {key, 0, true};
      ++used_;
    }
    return slot.count;
  }
  std::uint32_t get(std::uint64_t key) {
    if (slots_.empty()) return 0;
    const Slot& slot = find(key);
    return slot.taken ? slot.count : 0;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t count = 0;
    bool taken = false;
  };
  Slot& find(std::uint64_t key) {
    std::size_t i = key & (slots_.size() - 1);
    while (slots_[i].taken && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return slots_[i];
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(std::max<std::size_t>(64, old.size() * 2), {});
    for (const Slot& slot : old)
      if (slot.taken) find(slot.key) = slot;
  }
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

class Entries {
 public:
  explicit Entries(MachineData& data) : data_(data) {}

  void run() {
    uses_.assign(data_.predicates.size(), 0);
    for (const std::uint32_t predicate : data_.fields) ++uses_[predicate];
    for (std::uint32_t p = 0; p < data_.predicates.size(); ++p) {
      if (data_.predicates[p].absent) continue;
      each_test(p, [&](const PackedTest& test) {
        keys_of(data_.predicates[p].path, test);
        for (const Key& key : keys_) counts_[key.hash] += uses_[p];
        return true;
      });
    }
    costs_.resize(data_.predicates.size());
    for (std::uint32_t p = 0; p < data_.predicates.size(); ++p) costs_[p] = cost(p);
    for (std::uint32_t s = 0; s < data_.sub_rules.size(); ++s) enter(s);
    fill();
  }

 private:
  template <class Visit>
  void each_test(std::uint32_t p, Visit visit) const {
    const Predicate& predicate = data_.predicates[p];
    for (std::uint32_t i = 0; i < predicate.texts + predicate.others; ++i)
      if (!visit(data_.tests[predicate.first + i])) return;
  }

  void add_key(std::uint32_t path, KeyKind kind, std::uint64_t hash, std::uint32_t length) {
    keys_.push_back({key_of(path, kind, hash), kind, length, hash});
  }

  void add_grams(std::uint32_t path, std::string_view piece) {
    const std::size_t size = piece.size() >= 8 ? 8 : 4;
    if (piece.size() < size) return;
    for (std::size_t i = 0; i + size <= piece.size() && i < most_grams; ++i) {
      if (size == 8)
        add_key(path, KeyKind::Gram8, load8(piece.data() + i), 8);
      else
        add_key(path, KeyKind::Gram4, load_part(piece.data() + i, 4), 4);
    }
  }

  // The keys of which each one alone leads to the test; none where no key does.
  void keys_of(std::uint32_t path, const PackedTest& test) {
    keys_.clear();
    switch (test.kind) {
      case Kind::Null: add_key(path, KeyKind::Word, 0, 0); break;
      case Kind::True: add_key(path, KeyKind::Word, 1, 0); break;
      case Kind::False: add_key(path, KeyKind::Word, 2, 0); break;
      case Kind::Number: add_key(path, KeyKind::Number, hash_of(data_.numbers[test.a]), 0); break;
      case Kind::Text: add_key(path, KeyKind::Text, hash_bytes(data_.string(test.a, test.b)), test.b); break;
      case Kind::EqualsIgnoreCase:
        add_key(path, KeyKind::FoldedText, hash_bytes(data_.string(test.a, test.b)), test.b);
        break;
      case Kind::Prefix:
      case Kind::PrefixIgnoreCase:
        if (test.b > 0)
          add_key(path, test.kind == Kind::Prefix ? KeyKind::Prefix : KeyKind::FoldedPrefix,
                  hash_bytes(data_.string(test.a, test.b)), test.b);
        break;
      case Kind::Suffix:
      case Kind::SuffixIgnoreCase:
        if (test.b > 0)
          add_key(path, test.kind == Kind::Suffix ? KeyKind::Suffix : KeyKind::FoldedSuffix,
                  hash_bytes_backward(data_.string(test.a, test.b)), test.b);
        break;
      case Kind::Cidr: {
        const Cidr& cidr = data_.cidrs[test.a];
        add_key(path, cidr.base.v6 ? KeyKind::V6 : KeyKind::V4, hash_of(cidr.base) + cidr.bits, cidr.bits);
        break;
      }
      case Kind::Wildcard: {
        const auto piece = [&](std::uint32_t i) {
          return data_.string(data_.pieces[test.a + i].first, data_.pieces[test.a + i].second);
        };
        if (test.b == 1) {
          add_key(path, KeyKind::Text, hash_bytes(piece(0)), 0);
          break;
        }
        const std::string_view first = piece(0);
        const std::string_view last = piece(test.b - 1);
        if (!first.empty()) add_key(path, KeyKind::Prefix, hash_bytes(first), static_cast<std::uint32_t>(first.size()));
        if (!last.empty())
          add_key(path, KeyKind::Suffix, hash_bytes_backward(last), static_cast<std::uint32_t>(last.size()));
        for (std::uint32_t i = 0; i < test.b; ++i) add_grams(path, piece(i));
        break;
      }
      default: break;
    }
  }

  // Prefixes, suffixes and whole values are looked up more cheaply than grams, so they win where the counts are equal.
  const Key* rarest() {
    const Key* best = nullptr;
    std::uint32_t least = 0;
    for (const Key& key : keys_) {
      const std::uint32_t count = counts_.get(key.hash);
      if (best == nullptr || count < least) {
        best = &key;
        least = count;
      }
    }
    return best;
  }

  std::uint64_t cost(std::uint32_t p) {
    if (data_.predicates[p].absent) return scan_cost * 2;
    std::uint64_t sum = 0;
    std::uint32_t shortest = 1000;
    each_test(p, [&](const PackedTest& test) {
      keys_of(data_.predicates[p].path, test);
      const Key* key = rarest();
      if (key == nullptr) {
        sum = scan_cost + uses_[p];
        return false;
      }
      sum += static_cast<std::uint64_t>(counts_.get(key->hash)) * 1024;
      shortest = std::min(shortest, key->length);
      return true;
    });
    // Of two fields that are equally rare among the rules, the longer text is the rarer one in events.
    return sum + (sum < scan_cost ? 1000 - shortest : 0);
  }

  void enter(std::uint32_t s) {
    SubRule& sub = data_.sub_rules[s];
    const auto first = data_.fields.begin() + sub.first;
    std::sort(first, first + sub.count,
              [&](std::uint32_t x, std::uint32_t y) { return costs_[x] != costs_[y] ? costs_[x] < costs_[y] : x < y; });
    const std::uint32_t p = *first;
    const Predicate& predicate = data_.predicates[p];
    if (predicate.absent) {
      data_.always.push_back(s);
      return;
    }
    PathIndex& index = data_.paths[predicate.path];
    index.any = true;
    if (costs_[p] >= scan_cost) {
      index.scanned.push_back(p);
      pairs_.push_back({key_of(predicate.path, KeyKind::Scan, mix(p)), s});
      return;
    }
    each_test(p, [&](const PackedTest& test) {
      keys_of(predicate.path, test);
      const Key* key = rarest();
      note(index, *key);
      if (key->kind == KeyKind::Gram8 || key->kind == KeyKind::Gram4) grams_.push_back(key->gram);
      pairs_.push_back({key->hash, s});
      return true;
    });
  }

  static void note(PathIndex& index, const Key& key) {
    switch (key.kind) {
      case KeyKind::Text: index.texts = true; break;
      case KeyKind::FoldedText: index.folded_texts = true; break;
      case KeyKind::Number: index.numbers = true; break;
      case KeyKind::Word: index.words = true; break;
      case KeyKind::Gram8: index.grams8 = true; break;
      case KeyKind::Gram4: index.grams4 = true; break;
      case KeyKind::Prefix: note(index.prefixes, key.length); break;
      case KeyKind::Suffix: note(index.suffixes, key.length); break;
      case KeyKind::FoldedPrefix: note(index.folded_prefixes, key.length); break;
      case KeyKind::FoldedSuffix: note(index.folded_suffixes, key.length); break;
      case KeyKind::V4: note(index.v4_bits, static_cast<std::uint8_t>(key.length)); break;
      case KeyKind::V6: note(index.v6_bits, static_cast<std::uint8_t>(key.length)); break;
      case KeyKind::Scan: break;
    }
  }

  template <class T>
  static void note(std::vector<T>& sorted, T value) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
    if (at == sorted.end() || *at != value) sorted.insert(at, value);
  }

  void fill() {
    for (PathIndex& index : data_.paths) {
      std::sort(index.scanned.begin(), index.scanned.end());
      index.scanned.erase(std::unique(index.scanned.begin(), index.scanned.end()), index.scanned.end());
    }
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
    std::size_t keys = 0;
    for (std::size_t i = 0; i < pairs_.size(); ++i) keys += i == 0 || pairs_[i].first != pairs_[i - 1].first ? 1 : 0;
    std::size_t size = 4;
    while (size < keys * 2) size *= 2;
    data_.entries.assign(size, {});
    data_.filter.assign(std::max<std::size_t>(1, size * 4 / 64), 0);
    data_.filter_mask = data_.filter.size() * 64 - 1;
    std::size_t gram_bits = 64;
    while (gram_bits < grams_.size() * 16) gram_bits *= 2;
    data_.gram_filter.assign(gram_bits / 64, 0);
    data_.gram_mask = gram_bits - 1;
    for (const std::uint64_t gram : grams_) {
      const std::uint64_t bit = gram_bit(gram, data_.gram_mask);
      data_.gram_filter[bit / 64] |= 1ULL << (bit % 64);
    }
    data_.candidates.reserve(pairs_.size());
    for (std::size_t i = 0; i < pairs_.size();) {
      const std::uint64_t key = pairs_[i].first;
      Entry entry{key, static_cast<std::uint32_t>(data_.candidates.size()), 0};
      for (; i < pairs_.size() && pairs_[i].first == key; ++i) data_.candidates.push_back(pairs_[i].second);
      entry.count = static_cast<std::uint32_t>(data_.candidates.size()) - entry.first;
      std::size_t slot = key & (size - 1);
      while (data_.entries[slot].count != 0) slot = (slot + 1) & (size - 1);
      data_.entries[slot] = entry;
      const std::uint64_t bit = key >> 20 & data_.filter_mask;
      data_.filter[bit / 64] |= 1ULL << (bit % 64);
    }
  }

  MachineData& data_;
  Counts counts_;
  std::vector<Key> keys_;
  std::vector<std::uint32_t> uses_;
  std::vector<std::uint64_t> costs_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pairs_;
  std::vector<std::uint64_t> grams_;
};

}  // namespace

void make_entries(MachineData& data) {
  Entries(data).run();
}

}  // namespace fixpoint::patterns
