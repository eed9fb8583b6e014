#include <algorithm>
#include <cstring>

#include "patterns/hash.h"
#include "patterns/json_reader.h"
#include "patterns/scratch.h"

namespace fixpoint::patterns {
namespace {

class Scan {
 public:
  Scan(const MachineData& data, Scratch::State& state, std::string_view text)
      : data_(data), state_(state), text_(text.data()), size_(text.size()), end_(text.data() + text.size()) {}

  bool run() {
    const std::size_t count = (size_ + 63) / 64;
    if (state_.blocks.size() < count) state_.blocks.resize(count + count / 2);
    blocks_ = state_.blocks.data();
    block_count_ = count;
    const bool closed = classify(text_, size_, blocks_);
    if (!closed) return wrong(size_, "a string does not end");
    if (count > 0) bits_ = blocks_[0].tokens;
    const std::size_t start = blank(0);
    if (start == size_ || text_[start] != '{') return wrong(start, "an event is a JSON object");
    std::size_t at = 0;
    next(at);
    if (!object(0, 0, 1)) return false;
    const std::size_t after = blank(at_ + 1);
    if (after != size_) return wrong(after, "nothing may follow the event's closing brace");
    return true;
  }

  std::size_t offset() const { return offset_; }
  const char* fault() const { return fault_; }

 private:
  bool wrong(std::size_t offset, const char* fault) {
    offset_ = offset;
    fault_ = fault;
    return false;
  }

  bool next(std::size_t& at) {
    while (bits_ == 0) {
      if (++block_ >= block_count_) {
        block_ = block_count_;
        at_ = size_;
        return wrong(size_, "the text ends within the event");
      }
      bits_ = blocks_[block_].tokens;
    }
    at_ = at = block_ * 64 + static_cast<std::size_t>(__builtin_ctzll(bits_));
    bits_ &= bits_ - 1;
    return true;
  }

  std::size_t blank(std::size_t at) const {
    while (at < size_ && (text_[at] == ' ' || text_[at] == '\n' || text_[at] == '\r' || text_[at] == '\t')) ++at;
    return at;
  }

  // After the opening bracket was taken: past the one that closes it, whatever lies between.
  bool skip_container() {
    std::uint32_t depth = 1;
    std::uint64_t opens = block_ < block_count_ ? blocks_[block_].opens & bits_ : 0;
    std::uint64_t closes = block_ < block_count_ ? blocks_[block_].closes & bits_ : 0;
    auto open_count = static_cast<std::uint32_t>(__builtin_popcountll(opens));
    auto close_count = static_cast<std::uint32_t>(__builtin_popcountll(closes));
    while (true) {
      if (close_count >= depth) {
        std::uint64_t both = opens | closes;
        while (both != 0) {
          const std::uint64_t bit = both & (~both + 1);
          both ^= bit;
          if ((opens & bit) != 0) {
            ++depth;
          } else if (--depth == 0) {
            at_ = block_ * 64 + static_cast<std::size_t>(__builtin_ctzll(bit));
            bits_ = blocks_[block_].tokens & ~(bit | (bit - 1));
            return true;
          }
        }
      } else {
        depth += open_count - close_count;
      }
      if (++block_ >= block_count_) {
        bits_ = 0;
        return wrong(size_, "the text ends within the event");
      }
      const Block& block = blocks_[block_];
      bits_ = block.tokens;
      opens = block.opens;
      closes = block.closes;
      open_count = block.open_count;
      close_count = block.close_count;
    }
  }

  bool escaped(std::size_t from, std::size_t to) const {
    std::uint32_t any = 0;
    for (std::size_t b = from >> 6; b <= to >> 6; ++b) any |= blocks_[b].backslashes;
    return any != 0 && std::memchr(text_ + from, '\\', to - from) != nullptr;
  }

  bool has_dot(std::size_t from, std::size_t to) const {
    if (from == to) return false;
    const std::size_t first = from >> 6;
    const std::size_t last = (to - 1) >> 6;
    for (std::size_t b = first; b <= last; ++b) {
      std::uint64_t dots = blocks_[b].dots;
      if (b == first) dots &= ~0ULL << (from & 63U);
      if (b == last) dots &= ~0ULL >> (63U - ((to - 1) & 63U));
      if (dots != 0) return true;
    }
    return false;
  }

  // The child of that name, or none.
  std::uint32_t child(const Node& node, const char* name, std::size_t length) const {
    if ((node.lengths >> (length & 63U) & 1U) == 0) return none;
    const std::uint64_t first = first_bytes({name, length});
    const std::uint64_t last = last_bytes({name, length});
    for (std::uint32_t i = name_hash(first, last, length) & node.mask;; i = (i + 1) & node.mask) {
      const ChildSlot& slot = data_.slots[node.children + i];
      if (slot.node == none) return none;
      if (slot.first == first && slot.last == last && slot.length == length &&
          (length <= 16 || std::memcmp(data_.text.data() + slot.name, name, length) == 0))
        return slot.node;
    }
  }

  // A member name with dots is as many steps as it has parts.
  std::uint32_t descend(std::uint32_t node, std::string_view name) const {
    while (true) {
      const auto dot = name.find('.');
      const std::string_view part = name.substr(0, dot);
      if (data_.nodes[node].count == 0) return none;
      node = child(data_.nodes[node], part.data(), part.size());
      if (node == none || dot == std::string_view::npos) return node;
      name.remove_prefix(dot + 1);
    }
  }

  // A string between its quotes, unescaped.
  bool text_of(std::size_t from, std::size_t to, std::string_view& result) {
    if (!escaped(from, to)) {
      result = {text_ + from, to - from};
      return true;
    }
    JsonReader reader({text_ + from - 1, to - from + 2});
    if (!reader.string(state_.string)) return wrong(from - 1, "the string is not valid JSON");
    if (state_.decoded.capacity() - state_.decoded.size() < size_) {
      // All that is decoded of one event is shorter than the event, so this happens before the first is.
      state_.decoded.reserve(size_ + 64);
    }
    const std::size_t start = state_.decoded.size();
    state_.decoded += state_.string;
    result = std::string_view(state_.decoded).substr(start);
    return true;
  }

  bool object(std::uint32_t node_id, std::uint32_t element, std::size_t depth) {
    if (depth > max_depth) return wrong(at_, "the event is nested too deeply");
    const Node& node = data_.nodes[node_id];
    std::size_t at = 0;
    if (!next(at)) return false;
    if (text_[at] == '}') return true;
    while (true) {
      if (text_[at] != '"') return wrong(at, "a member's name should stand here");
      const std::size_t from = at + 1;
      if (!next(at)) return false;
      const std::size_t to = at;
      std::uint32_t found = none;
      if (escaped(from, to)) {
        std::string_view name;
        if (!text_of(from, to, name)) return false;
        found = descend(node_id, name);
      } else {
        found = child(node, text_ + from, to - from);
        if (found == none && has_dot(from, to)) found = descend(node_id, {text_ + from, to - from});
      }
      if (!next(at)) return false;
      if (text_[at] != ':') return wrong(at, "a ':' should stand here");
      const std::size_t value = blank(at + 1);
      if (value == size_) return wrong(size_, "the text ends within the event");
      if (!(found == none ? skip(value) : read(value, found, element, depth))) return false;
      if (!next(at)) return false;
      if (text_[at] == '}') return true;
      if (text_[at] != ',') return wrong(at, "a ',' or '}' should stand here");
      if (!next(at)) return false;
    }
  }

  bool array(std::uint32_t node, std::uint32_t element, std::size_t depth) {
    if (depth > max_depth) return wrong(at_, "the event is nested too deeply");
    const std::uint32_t id = state_.arrays++;
    std::size_t at = at_;
    std::size_t value = blank(at + 1);
    if (value < size_ && text_[value] == ']') return next(at);
    while (true) {
      if (value == size_) return wrong(size_, "the text ends within the event");
      const char c = text_[value];
      const bool object_here = c == '{' && data_.nodes[node].count > 0;
      if (object_here || c == '[') {
        if (!next(at)) return false;
        const auto inner = static_cast<std::uint32_t>(state_.elements.size());
        state_.elements.push_back({element, id, state_.elements[element].depth + 1});
        if (!(object_here ? object(node, inner, depth + 1) : array(node, inner, depth + 1))) return false;
      } else if (!read(value, node, element, depth)) {
        return false;
      }
      if (!next(at)) return false;
      if (text_[at] == ']') return true;
      if (text_[at] != ',') return wrong(at, "a ',' or ']' should stand here");
      value = blank(at + 1);
    }
  }

  bool skip(std::size_t value) {
    std::size_t at = 0;
    switch (text_[value]) {
      case '"': return next(at) && next(at);
      case '{':
      case '[': return next(at) && skip_container();
      case '}':
      case ']':
      case ',':
      case ':': return wrong(value, "a value should stand here");
      default: return true;
    }
  }

  bool read(std::size_t value, std::uint32_t node_id, std::uint32_t element, std::size_t depth) {
    const Node& node = data_.nodes[node_id];
    std::size_t at = 0;
    switch (text_[value]) {
      case '{':
        if (!next(at)) return false;
        return node.count > 0 ? object(node_id, element, depth + 1) : skip_container();
      case '[': return next(at) && array(node_id, element, depth + 1);
      case '"': {
        if (!next(at) || !next(at)) return false;
        if (node.path == none) return true;
        std::string_view text;
        if (!text_of(value + 1, at, text)) return false;
        add(node.path, text, LeafType::Text, element);
        return true;
      }
      default: break;
    }
    if (node.path == none) return skip(value);
    return word(value, node.path, element);
  }

  bool word(std::size_t value, std::uint32_t path, std::uint32_t element) {
    std::size_t end = value;
    while (end < size_ && text_[end] != ',' && text_[end] != '}' && text_[end] != ']' &&
           static_cast<unsigned char>(text_[end]) > ' ')
      ++end;
    const std::string_view text(text_ + value, end - value);
    LeafType type = LeafType::Number;
    if (text == "true") {
      type = LeafType::True;
    } else if (text == "false") {
      type = LeafType::False;
    } else if (text == "null") {
      type = LeafType::Null;
    } else {
      if (state_.number_count == state_.numbers.size()) state_.numbers.emplace_back();
      if (!parse_decimal(text, state_.numbers[state_.number_count])) return wrong(value, "this is no JSON value");
      ++state_.number_count;
    }
    add(path, text, type, element);
    return true;
  }

  void add(std::uint32_t path, std::string_view text, LeafType type, std::uint32_t element) {
    std::uint32_t& first = state_.leaves_of[path];
    if (first == none) state_.touched.push_back(path);
    const auto id = static_cast<std::uint32_t>(state_.leaves.size());
    const auto number = static_cast<std::uint32_t>(state_.number_count) - 1;
    state_.leaves.push_back(
        {text.data(), static_cast<std::uint32_t>(text.size()), first, element, none, 0, number, type});
    first = id;
    const PathIndex& index = data_.paths[path];
    if (index.any) look_up(path, index, state_.leaves.back());
  }

  void probe(std::uint64_t key) {
    const std::uint64_t bit = key >> 20 & data_.filter_mask;
    if ((data_.filter[bit / 64] >> (bit % 64) & 1U) == 0) return;
    const std::size_t mask = data_.entries.size() - 1;
    for (std::size_t i = key & mask; data_.entries[i].count != 0; i = (i + 1) & mask) {
      if (data_.entries[i].key != key) continue;
      // A value that an event repeats must not bring the same long list again and again.
      if (data_.entries[i].count > 8) {
        if (state_.entered[i] == state_.event) return;
        state_.entered[i] = state_.event;
      }
      const std::uint32_t* first = data_.candidates.data() + data_.entries[i].first;
      state_.candidates.insert(state_.candidates.end(), first, first + data_.entries[i].count);
      return;
    }
  }

  static std::uint64_t beginning(const char* p, std::size_t available, std::size_t count) {
    if (available < 8 || count == 0) return load_part(p, count);
    return load8(p) & ~0ULL >> (64 - count * 8);
  }

  void look_up_forward(std::uint32_t path, std::string_view value, const std::vector<std::uint32_t>& lengths,
                       bool whole, KeyKind prefix, KeyKind text) {
    std::uint64_t chain = 0;
    std::size_t at = 0;
    std::size_t i = 0;
    while (true) {
      for (; i < lengths.size() && lengths[i] < at + 8 && lengths[i] <= value.size(); ++i)
        probe(key_of(path, prefix,
                     hash_end(chain, beginning(value.data() + at, value.size() - at, lengths[i] - at), lengths[i])));
      if (at + 8 > value.size()) break;
      if (!whole && i == lengths.size()) return;
      chain = mix(chain ^ load8(value.data() + at));
      at += 8;
    }
    if (whole)
      probe(key_of(path, text, hash_end(chain, load_part(value.data() + at, value.size() - at), value.size())));
  }

  void look_up_backward(std::uint32_t path, std::string_view value, const std::vector<std::uint32_t>& lengths,
                        KeyKind suffix) {
    std::uint64_t chain = 0;
    std::size_t left = value.size();
    std::size_t taken = 0;
    for (std::size_t i = 0; i < lengths.size() && lengths[i] <= value.size();) {
      if (lengths[i] < taken + 8) {
        const std::size_t count = lengths[i] - taken;
        probe(key_of(path, suffix, hash_end(chain, load_part(value.data() + left - count, count), lengths[i])));
        ++i;
        continue;
      }
      chain = mix(chain ^ load8(value.data() + left - 8));
      left -= 8;
      taken += 8;
    }
  }

  template <std::size_t Size>
  void look_up_grams(std::uint32_t path, std::string_view value, KeyKind kind) {
    const std::uint64_t* filter = data_.gram_filter.data();
    const std::uint64_t mask = data_.gram_mask;
    for (std::size_t i = 0; i + Size <= value.size(); ++i) {
      const std::uint64_t gram = Size == 8 ? load8(value.data() + i) : load_part(value.data() + i, Size);
      const std::uint64_t bit = gram_bit(gram, mask);
      if ((filter[bit / 64] >> (bit % 64) & 1U) != 0) probe(key_of(path, kind, gram));
    }
  }

  void look_up_text(std::uint32_t path, const PathIndex& index, Leaf& leaf) {
    const std::string_view value = leaf.text();
    if (index.texts || !index.prefixes.empty())
      look_up_forward(path, value, index.prefixes, index.texts, KeyKind::Prefix, KeyKind::Text);
    if (!index.suffixes.empty()) look_up_backward(path, value, index.suffixes, KeyKind::Suffix);
    if (index.grams8) look_up_grams<8>(path, value, KeyKind::Gram8);
    if (index.grams4) look_up_grams<4>(path, value, KeyKind::Gram4);
    if (index.folded_texts || !index.folded_prefixes.empty() || !index.folded_suffixes.empty()) {
      const std::string_view folded = state_.folded_text(leaf);
      look_up_forward(path, folded, index.folded_prefixes, index.folded_texts, KeyKind::FoldedPrefix,
                      KeyKind::FoldedText);
      look_up_backward(path, folded, index.folded_suffixes, KeyKind::FoldedSuffix);
    }
    if (index.v4_bits.empty() && index.v6_bits.empty()) return;
    Address address;
    if (!parse_address(value, address)) return;
    for (const std::uint8_t bits : address.v6 ? index.v6_bits : index.v4_bits)
      probe(key_of(path, address.v6 ? KeyKind::V6 : KeyKind::V4, hash_of(masked(address, bits)) + bits));
  }

  void look_up(std::uint32_t path, const PathIndex& index, Leaf& leaf) {
    switch (leaf.type) {
      case LeafType::Text: look_up_text(path, index, leaf); break;
      case LeafType::Number:
        if (index.numbers) probe(key_of(path, KeyKind::Number, hash_of(state_.numbers[leaf.number])));
        break;
      case LeafType::Null:
      case LeafType::True:
      case LeafType::False:
        if (index.words)
          probe(key_of(path, KeyKind::Word, leaf.type == LeafType::Null ? 0 : leaf.type == LeafType::True ? 1 : 2));
        break;
    }
    for (const std::uint32_t p : index.scanned)
      if (holds(data_, state_, data_.predicates[p], leaf)) probe(key_of(path, KeyKind::Scan, mix(p)));
  }

  const MachineData& data_;
  Scratch::State& state_;
  const char* text_;
  std::size_t size_;
  const char* end_;
  Block* blocks_ = nullptr;
  std::size_t block_count_ = 0;
  std::size_t block_ = 0;
  std::uint64_t bits_ = 0;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;
  const char* fault_ = "";
};

}  // namespace

bool scan(const MachineData& data, Scratch::State& state, std::string_view text, std::size_t& offset,
          const char*& fault) {
  state.elements.assign(1, {0, 0, 0});
  if (state.leaves_of.size() < data.paths.size()) state.leaves_of.resize(data.paths.size(), none);
  if (state.entered.size() < data.entries.size()) state.entered.resize(data.entries.size(), 0);
  if (++state.event == 0) {
    std::fill(state.entered.begin(), state.entered.end(), 0);
    state.event = 1;
  }
  if (text.size() >= none / 2) {
    offset = none / 2;
    fault = "the event is larger than 2 GB";
    return false;
  }
  Scan reading(data, state, text);
  if (reading.run()) return true;
  offset = reading.offset();
  fault = reading.fault();
  return false;
}

void Scratch::State::forget() {
  for (const std::uint32_t path : touched) leaves_of[path] = none;
  touched.clear();
  leaves.clear();
  arrays = 0;
  decoded.clear();
  folded.clear();
  number_count = 0;
  candidates.clear();
}

}  // namespace fixpoint::patterns
