#include "patterns/builder.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "patterns/entries.h"
#include "patterns/hash.h"

namespace fixpoint::patterns {
namespace {

template <class T>
void append_bytes(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_number(std::string& out, const Decimal& number) {
  append_bytes(out, number.sign);
  append_bytes(out, number.exponent);
  append_bytes(out, number.head);
  append_bytes(out, number.tail.size());
  out += number.tail;
}

// Texts by their bytes: the strings themselves stay in the machine's one buffer.
class TextTable {
 public:
  std::uint32_t intern(std::string& buffer, std::string_view bytes) {
    if ((used_ + 1) * 2 > slots_.size()) grow(buffer);
    const std::uint64_t hash = hash_bytes(bytes);
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[i];
      if (slot.length == none) {
        slot = {static_cast<std::uint32_t>(buffer.size()), static_cast<std::uint32_t>(bytes.size())};
        buffer += bytes;
        ++used_;
        return slot.offset;
      }
      if (slot.length == bytes.size() && std::string_view(buffer).substr(slot.offset, slot.length) == bytes)
        return slot.offset;
    }
  }

 private:
  struct Slot {
    std::uint32_t offset = 0;
    std::uint32_t length = none;
  };
  void grow(const std::string& buffer) {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(std::max<std::size_t>(64, old.size() * 2), {});
    for (const Slot& slot : old) {
      if (slot.length == none) continue;
      std::size_t i = hash_bytes(std::string_view(buffer).substr(slot.offset, slot.length)) & (slots_.size() - 1);
      while (slots_[i].length != none) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace

struct Builder::Work {
  std::unique_ptr<MachineData> data = std::make_unique<MachineData>();
  TextTable texts;
  std::unordered_map<std::string, std::uint32_t> numbers;
  std::unordered_map<std::string, std::uint32_t> cidrs;
  std::unordered_map<std::string, std::uint32_t> wildcards;
  std::unordered_map<std::string, std::uint32_t> lists;
  std::unordered_map<std::string, std::uint32_t> predicates;
  std::unordered_map<std::string, std::uint32_t> paths;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> children;  // of (node, name's text): node
  std::vector<std::uint32_t> path_of_pattern;

  std::uint32_t text(std::string_view bytes) { return texts.intern(data->text, bytes); }

  template <class Make>
  static std::uint32_t intern(std::unordered_map<std::string, std::uint32_t>& known, std::string key, Make make) {
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    const std::uint32_t made = make();
    known.emplace(std::move(key), made);
    return made;
  }

  std::uint32_t path(const std::string& name) {
    return intern(paths, name, [&] {
      const auto id = static_cast<std::uint32_t>(data->paths.size());
      PathIndex& index = data->paths.emplace_back();
      index.name = text(name);
      index.name_length = static_cast<std::uint32_t>(name.size());
      std::uint32_t node = 0;
      std::size_t start = 0;
      while (true) {
        const auto dot = name.find('.', start);
        const std::string_view segment =
            std::string_view(name).substr(start, dot == std::string::npos ? dot : dot - start);
        // The empty name shares its offset with the text that follows it, so it needs a key of its own.
        const std::uint32_t segment_text = segment.empty() ? none : text(segment);
        const auto [child, added] =
            children.try_emplace({node, segment_text}, static_cast<std::uint32_t>(data->nodes.size()));
        if (added) {
          data->nodes.emplace_back();
          node_names.push_back({segment.empty() ? 0 : segment_text, static_cast<std::uint32_t>(segment.size())});
          node_children[node].push_back(child->second);
          node_children.emplace_back();
        }
        node = child->second;
        if (dot == std::string::npos) break;
        start = dot + 1;
      }
      data->nodes[node].path = id;
      return id;
    });
  }

  std::uint32_t number(const Decimal& value, const Decimal* second) {
    std::string key;
    append_number(key, value);
    if (second != nullptr) append_number(key, *second);
    return intern(numbers, std::move(key), [&] {
      const auto id = static_cast<std::uint32_t>(data->numbers.size());
      data->numbers.push_back(value);
      if (second != nullptr) data->numbers.push_back(*second);
      return id;
    });
  }

  PackedTest pack(const Test& test) {
    PackedTest packed{test.kind, test.bounds, 0, 0, 0};
    switch (test.kind) {
      case Kind::Text:
      case Kind::Prefix:
      case Kind::Suffix:
      case Kind::EqualsIgnoreCase:
      case Kind::PrefixIgnoreCase:
      case Kind::SuffixIgnoreCase:
        packed.b = static_cast<std::uint32_t>(test.text.size());
        packed.a = test.text.empty() ? 0 : text(test.text);
        break;
      case Kind::Number: packed.a = number(test.number, nullptr); break;
      case Kind::Range: packed.a = number(test.number, &test.top); break;
      case Kind::Cidr: {
        std::string key;
        append_bytes(key, test.cidr.base.high);
        append_bytes(key, test.cidr.base.low);
        key.push_back(static_cast<char>(test.cidr.bits));
        key.push_back(test.cidr.base.v6 ? '6' : '4');
        packed.a = intern(cidrs, std::move(key), [&] {
          data->cidrs.push_back(test.cidr);
          return static_cast<std::uint32_t>(data->cidrs.size() - 1);
        });
        break;
      }
      case Kind::Wildcard: {
        std::string key;
        for (const std::string& piece : test.pieces) {
          append_bytes(key, piece.size());
          key += piece;
        }
        packed.b = static_cast<std::uint32_t>(test.pieces.size());
        packed.a = intern(wildcards, std::move(key), [&] {
          const auto first = static_cast<std::uint32_t>(data->pieces.size());
          for (const std::string& piece : test.pieces)
            data->pieces.push_back({piece.empty() ? 0 : text(piece), static_cast<std::uint32_t>(piece.size())});
          return first;
        });
        break;
      }
      case Kind::AnythingBut: {
        std::vector<PackedTest> list;
        list.reserve(test.but.size());
        for (const Test& one : test.but) list.push_back(pack(one));
        sort_texts(list);
        packed.b = static_cast<std::uint32_t>(list.size());
        packed.a = intern(
            lists, std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(PackedTest)), [&] {
              const auto first = static_cast<std::uint32_t>(data->tests.size());
              data->tests.insert(data->tests.end(), list.begin(), list.end());
              return first;
            });
        break;
      }
      default: break;
    }
    return packed;
  }

  // Texts first, by length and bytes, each once; the order of the others does not matter.
  std::size_t sort_texts(std::vector<PackedTest>& list) const {
    const auto middle =
        std::partition(list.begin(), list.end(), [](const PackedTest& t) { return t.kind == Kind::Text; });
    std::sort(list.begin(), middle, [&](const PackedTest& x, const PackedTest& y) {
      if (x.b != y.b) return x.b < y.b;
      return data->string(x.a, x.b) < data->string(y.a, y.b);
    });
    const auto end = std::unique(list.begin(), middle,
                                 [](const PackedTest& x, const PackedTest& y) { return x.a == y.a && x.b == y.b; });
    const auto count = static_cast<std::size_t>(end - list.begin());
    list.erase(end, middle);
    return count;
  }

  std::uint32_t predicate(std::uint32_t path_id, const std::vector<Test>& tests) {
    packing.clear();
    bool absent = false;
    for (const Test& test : tests) {
      if (test.kind == Kind::Absent)
        absent = true;
      else
        packing.push_back(pack(test));
    }
    const std::size_t text_count = sort_texts(packing);
    std::string key;
    append_bytes(key, path_id);
    key.push_back(absent ? 1 : 0);
    key.append(reinterpret_cast<const char*>(packing.data()), packing.size() * sizeof(PackedTest));
    return intern(predicates, std::move(key), [&] {
      Predicate made{};
      made.path = path_id;
      made.first = static_cast<std::uint32_t>(data->tests.size());
      made.texts = static_cast<std::uint32_t>(text_count);
      made.others = static_cast<std::uint32_t>(packing.size() - text_count) & 0x7FFFFFFFU;
      made.absent = absent ? 1 : 0;
      data->tests.insert(data->tests.end(), packing.begin(), packing.end());
      data->predicates.push_back(made);
      return static_cast<std::uint32_t>(data->predicates.size() - 1);
    });
  }

  void make_child_tables() {
    for (std::uint32_t n = 0; n < data->nodes.size(); ++n) {
      Node& node = data->nodes[n];
      node.count = static_cast<std::uint32_t>(node_children[n].size());
      node.children = static_cast<std::uint32_t>(data->slots.size());
      if (node.count == 0) continue;
      std::uint32_t size = 2;
      while (size < node.count * 2) size *= 2;
      node.mask = size - 1;
      data->slots.resize(data->slots.size() + size);
      for (const std::uint32_t child : node_children[n]) {
        const auto [offset, length] = node_names[child];
        const std::string_view name = data->string(offset, length);
        const std::uint32_t hash = name_hash(first_bytes(name), last_bytes(name), length);
        node.lengths |= 1ULL << (length & 63U);
        std::uint32_t i = hash & node.mask;
        while (data->slots[node.children + i].node != none) i = (i + 1) & node.mask;
        data->slots[node.children + i] = {first_bytes(name), last_bytes(name), child, offset, length};
      }
    }
  }

  std::vector<PackedTest> packing;
  std::vector<std::vector<std::uint32_t>> node_children;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> node_names;
};

Builder::Builder() : work_(std::make_unique<Work>()) {
  work_->data->nodes.emplace_back();
  work_->node_children.emplace_back();
  work_->node_names.emplace_back();
  work_->data->text.push_back('\0');  // offset 0 is the empty text's
}

Builder::~Builder() = default;

void Builder::add(std::string_view name, const Pattern& pattern) {
  MachineData& data = *work_->data;
  const auto rule = static_cast<std::uint32_t>(data.rule_names.size());
  data.rule_names.push_back(static_cast<std::uint32_t>(data.names.size()));
  data.names += name;
  std::vector<std::uint32_t> paths;
  paths.reserve(pattern.paths.size());
  for (const std::string& path : pattern.paths) paths.push_back(work_->path(path));
  std::vector<std::uint32_t> made(pattern.tests.size(), none);
  for (const auto& branch : pattern.branches) {
    SubRule sub{rule, static_cast<std::uint32_t>(data.fields.size()),
                static_cast<std::uint32_t>(branch.size()) & 0x7FFFFFFFU, 0};
    for (const Pattern::Field& field : branch) {
      std::uint32_t& predicate = made[field.tests];
      if (predicate == none) predicate = work_->predicate(paths[field.path], pattern.tests[field.tests]);
      if (data.predicates[predicate].absent != 0) sub.absent = 1;
      data.fields.push_back(predicate);
    }
    data.sub_rules.push_back(sub);
  }
}

std::unique_ptr<const MachineData> Builder::finish() {
  MachineData& data = *work_->data;
  data.rule_names.push_back(static_cast<std::uint32_t>(data.names.size()));
  work_->make_child_tables();
  std::vector<PathIndex*> sorted;
  sorted.reserve(data.paths.size());
  for (PathIndex& index : data.paths) sorted.push_back(&index);
  std::sort(sorted.begin(), sorted.end(), [&](const PathIndex* x, const PathIndex* y) {
    return data.string(x->name, x->name_length) < data.string(y->name, y->name_length);
  });
  for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i]->rank = static_cast<std::uint32_t>(i);
  work_->predicates = {};
  work_->lists = {};
  work_->texts = {};
  make_entries(data);
  data.text.shrink_to_fit();
  data.names.shrink_to_fit();
  data.tests.shrink_to_fit();
  data.predicates.shrink_to_fit();
  data.fields.shrink_to_fit();
  data.sub_rules.shrink_to_fit();
  data.rule_names.shrink_to_fit();
  data.numbers.shrink_to_fit();
  data.cidrs.shrink_to_fit();
  data.pieces.shrink_to_fit();
  return std::move(work_->data);
}

}  // namespace fixpoint::patterns
