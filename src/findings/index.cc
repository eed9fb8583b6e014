#include "findings/index.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/hash.h"
#include "findings/timestamp.h"

namespace fixpoint::findings {
namespace {

using json::Value;
using Kind = FieldRule::Kind;
using Index = FieldRule::Index;

constexpr std::size_t cut_term_bytes = term_cut_bytes + 32;

Error broken(const char* what) {
  return errors::coded(
      "StoreError",
      std::string("the index of the findings holds a row that is no ") + what + ": the database is damaged", 500);
}

void add_term(IndexEntries& entries, std::uint8_t code, std::string_view value) {
  const auto begin = static_cast<std::uint32_t>(entries.text.size());
  if (value.size() <= term_cut_bytes)
    entries.text += value;
  else
    entries.text += term_of(value);
  entries.terms.push_back({code, begin, static_cast<std::uint32_t>(entries.text.size()) - begin});
}

void add_terms(const FieldRule& field, const Value& finding, IndexEntries& entries) {
  any_value_at(finding, path_of(field), [&](const Value& value) {
    if (field.kind == Kind::Map) {
      if (!value.is_object()) return false;
      for (const auto& member : value.as_object())
        if (member.value.is_string()) add_term(entries, field.code, map_term(member.key, member.value.as_string()));
    } else if (value.is_string()) {
      add_term(entries, field.code, value.as_string());
    } else if (value.is_bool()) {
      add_term(entries, field.code, value.as_bool() ? "true" : "false");
    } else if (value.is_number()) {
      add_term(entries, field.code, value.number_text());
    }
    return false;
  });
}

void add_number(const FieldRule& field, const Value& finding, std::vector<IndexEntries::Number>& numbers) {
  any_value_at(finding, path_of(field), [&](const Value& value) {
    if (field.kind == Kind::Date) {
      const auto time = parse_timestamp(value.string_or(""));
      if (!time) return false;
      numbers.push_back({field.code, *time});
      return true;
    }
    const auto number = value.as_int64();
    if (!number || *number == ColumnChunk::none) return false;
    numbers.push_back({field.code, *number});
    return true;
  });
}

}  // namespace

const char* const index_tables = R"sql(
CREATE TABLE finding_term (field INTEGER NOT NULL, value BLOB NOT NULL, chunk INTEGER NOT NULL, bits BLOB NOT NULL,
  PRIMARY KEY (field, value, chunk)) STRICT, WITHOUT ROWID;
CREATE TABLE finding_column (field INTEGER NOT NULL, chunk INTEGER NOT NULL, lowest INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (field, chunk)) STRICT, WITHOUT ROWID;
)sql";

const char* const name_tables = R"sql(
CREATE TABLE finding_name (field INTEGER NOT NULL, chunk INTEGER NOT NULL, value BLOB NOT NULL, bits BLOB NOT NULL,
  PRIMARY KEY (field, chunk, value)) STRICT, WITHOUT ROWID;
CREATE TABLE finding_key (hash INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (hash, number)) STRICT, WITHOUT ROWID;
)sql";

std::int64_t hash_of(std::string_view product_arn, std::string_view id) {
  const std::string digest = sha256(std::string(product_arn) + "\n" + std::string(id));
  std::int64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

std::string term_of(std::string_view value) {
  if (value.size() <= term_cut_bytes) return std::string(value);
  return std::string(value.substr(0, term_cut_bytes)) + sha256(value);
}

bool is_cut_term(std::string_view term) {
  return term.size() == cut_term_bytes;
}

std::string map_term(std::string_view key, std::string_view value) {
  return std::to_string(key.size()) + ":" + std::string(key) + std::string(value);
}

IndexEntries entries_of(const Value& finding, const Value& original) {
  IndexEntries entries;
  entries.text.reserve(1200);
  entries.terms.reserve(40);
  entries.numbers.reserve(8);
  add_term(entries, all_findings_code, "");
  if (original.is_object()) {
    add_term(entries, ocsf_code, "");
    if (const std::string_view uid = original["metadata"]["uid"].string_or(""); !uid.empty())
      add_term(entries, ocsf_uid_code, uid);
  }
  for (const FieldRule& field : all_fields()) {
    if (field.index == Index::Term || field.index == Index::Name) add_terms(field, finding, entries);
    if (field.index == Index::Column) add_number(field, finding, entries.numbers);
  }
  const auto key = [&](const IndexEntries::Term& term) { return std::pair(term.code, entries.value(term)); };
  std::sort(entries.terms.begin(), entries.terms.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  entries.terms.erase(std::unique(entries.terms.begin(), entries.terms.end(),
                                  [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                      entries.terms.end());
  std::sort(entries.numbers.begin(), entries.numbers.end());
  return entries;
}

std::vector<IndexWriter::Change>& IndexWriter::Rows::at(std::uint8_t code, std::int64_t chunk, std::string_view value) {
  key_.assign(1, static_cast<char>(code));
  key_.append(reinterpret_cast<const char*>(&chunk), sizeof chunk);
  key_ += value;
  auto found = places_.find(std::string_view(key_));
  if (found == places_.end()) {
    found = places_.emplace(key_, rows_.size()).first;
    rows_.push_back({code, chunk, std::string(value), {}});
  }
  return rows_[found->second].changes;
}

// As the table is ordered, so that neighbours are written one after the other.
std::vector<const IndexWriter::Row*> IndexWriter::Rows::sorted(bool by_chunk) const {
  std::vector<const Row*> sorted;
  sorted.reserve(rows_.size());
  for (const Row& row : rows_) sorted.push_back(&row);
  std::sort(sorted.begin(), sorted.end(), [&](const Row* a, const Row* b) {
    if (by_chunk) return std::tie(a->code, a->chunk, a->value) < std::tie(b->code, b->chunk, b->value);
    return std::tie(a->code, a->value, a->chunk) < std::tie(b->code, b->value, b->chunk);
  });
  return sorted;
}

void IndexWriter::Rows::clear() {
  rows_.clear();
  places_.clear();
}

void IndexWriter::set_term(std::int64_t number, std::uint8_t code, std::string_view value, bool in) {
  (holds_names(code) ? names_ : terms_)
      .at(code, number / ChunkBits::width, value)
      .push_back({static_cast<std::uint16_t>(number % ChunkBits::width), in});
}

void IndexWriter::set_number(std::int64_t number, std::uint8_t code, std::int64_t value) {
  columns_.at(code, number / ColumnChunk::width, {})
      .push_back({static_cast<std::uint16_t>(number % ColumnChunk::width), true, value});
}

void IndexWriter::add(std::int64_t number, std::int64_t hash, const IndexEntries& entries) {
  keys_.emplace_back(hash, number);
  for (const auto& term : entries.terms) set_term(number, term.code, entries.value(term), true);
  for (const auto& entry : entries.numbers) set_number(number, entry.code, entry.value);
}

void IndexWriter::change(std::int64_t number, const IndexEntries& before, const IndexEntries& after) {
  auto old = before.terms.begin();
  auto now = after.terms.begin();
  while (old != before.terms.end() || now != after.terms.end()) {
    const auto here = [](const IndexEntries& entries, const IndexEntries::Term& term) {
      return std::pair(term.code, entries.value(term));
    };
    const bool only_old =
        now == after.terms.end() || (old != before.terms.end() && here(before, *old) < here(after, *now));
    const bool only_now = !only_old && (old == before.terms.end() || here(after, *now) < here(before, *old));
    if (only_old) set_term(number, old->code, before.value(*old), false);
    if (only_now) set_term(number, now->code, after.value(*now), true);
    if (!only_now) ++old;
    if (!only_old) ++now;
  }
  const auto has = [](const std::vector<IndexEntries::Number>& numbers, std::uint8_t code) {
    return std::any_of(numbers.begin(), numbers.end(), [&](const auto& entry) { return entry.code == code; });
  };
  for (const auto& entry : after.numbers)
    if (std::find(before.numbers.begin(), before.numbers.end(), entry) == before.numbers.end())
      set_number(number, entry.code, entry.value);
  for (const auto& entry : before.numbers)
    if (!has(after.numbers, entry.code)) set_number(number, entry.code, ColumnChunk::none);
}

Result<void> IndexWriter::write_values(const Row& row, bool names) {
  const std::int64_t code = row.code;
  FIXPOINT_TRY(rows, tx_.query(names ? "SELECT bits FROM finding_name WHERE field = ? AND chunk = ? AND value = ?"
                                     : "SELECT bits FROM finding_term WHERE field = ? AND chunk = ? AND value = ?",
                               {code, row.chunk, store::Blob{row.value}}));
  ChunkBits bits;
  if (!rows.empty()) {
    const auto stored = ChunkBits::decode(rows[0].text(0));
    if (!stored) return fail(broken("set of findings"));
    bits = *stored;
  }
  for (const Change& change : row.changes) bits.set(change.offset, change.in);
  std::string bytes = bits.encode();
  if (bytes.empty()) {
    FIXPOINT_CHECK(tx_.execute(names ? "DELETE FROM finding_name WHERE field = ? AND chunk = ? AND value = ?"
                                     : "DELETE FROM finding_term WHERE field = ? AND chunk = ? AND value = ?",
                               {code, row.chunk, store::Blob{row.value}}));
    return {};
  }
  const char* insert = names ? "INSERT INTO finding_name (bits, field, chunk, value) VALUES (?, ?, ?, ?)"
                             : "INSERT INTO finding_term (bits, field, chunk, value) VALUES (?, ?, ?, ?)";
  const char* update = names ? "UPDATE finding_name SET bits = ? WHERE field = ? AND chunk = ? AND value = ?"
                             : "UPDATE finding_term SET bits = ? WHERE field = ? AND chunk = ? AND value = ?";
  FIXPOINT_CHECK(tx_.execute(rows.empty() ? insert : update,
                             {store::Blob{std::move(bytes)}, code, row.chunk, store::Blob{row.value}}));
  return {};
}

Result<void> IndexWriter::write_column(const Row& row) {
  const std::int64_t code = row.code;
  FIXPOINT_TRY(rows,
               tx_.query("SELECT lowest, bytes FROM finding_column WHERE field = ? AND chunk = ?", {code, row.chunk}));
  ColumnChunk chunk;
  if (!rows.empty()) {
    const auto stored = ColumnChunk::decode(rows[0].integer(0), rows[0].text(1));
    if (!stored) return fail(broken("column"));
    chunk = *stored;
  }
  for (const Change& change : row.changes) chunk[change.offset] = change.value;
  std::int64_t lowest = 0;
  std::string bytes = chunk.encode(lowest);
  if (bytes.empty()) {
    FIXPOINT_CHECK(tx_.execute("DELETE FROM finding_column WHERE field = ? AND chunk = ?", {code, row.chunk}));
    return {};
  }
  FIXPOINT_CHECK(tx_.execute(
      "INSERT INTO finding_column (field, chunk, lowest, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (field, chunk) "
      "DO UPDATE SET lowest = excluded.lowest, bytes = excluded.bytes",
      {code, row.chunk, lowest, store::Blob{std::move(bytes)}}));
  return {};
}

Result<void> IndexWriter::flush() {
  for (const Row* row : terms_.sorted(false)) FIXPOINT_CHECK(write_values(*row, false));
  for (const Row* row : names_.sorted(true)) FIXPOINT_CHECK(write_values(*row, true));
  for (const Row* row : columns_.sorted(true)) FIXPOINT_CHECK(write_column(*row));
  std::sort(keys_.begin(), keys_.end());
  for (const auto& [hash, number] : keys_)
    FIXPOINT_CHECK(tx_.execute("INSERT INTO finding_key (hash, number) VALUES (?, ?)", {hash, number}));
  keys_.clear();
  terms_.clear();
  names_.clear();
  columns_.clear();
  return {};
}

Result<Bits> IndexReader::all() {
  Bits bits;
  FIXPOINT_CHECK(add_value(bits, all_findings_code, ""));
  return bits;
}

namespace {

// Or-s a row of `chunk` and `bits`.
bool add_row(Bits& into, std::int64_t chunk, std::string_view bits) {
  return ChunkBits::or_into(into.words_from(static_cast<std::size_t>(chunk) * ChunkBits::words, ChunkBits::words),
                            bits);
}

// Every chunk that there is, from the set of all findings, and in each a look-up.
constexpr const char* each_chunk =
    "SELECT n.chunk, n.bits, n.value FROM finding_term a CROSS JOIN finding_name n WHERE a.field = ? AND a.value = ? "
    "AND "
    "n.field = ? AND n.chunk = a.chunk AND ";

// The least text behind all that begin with `prefix`; nothing where there is none.
std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return {};
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

Result<void> IndexReader::add_value(Bits& into, std::uint8_t code, std::string_view term) {
  Result<void> broke;
  const auto take = [&](store::Row& row) {
    if (!add_row(into, row.integer(0), row.text(1))) broke = fail(broken("set of findings"));
    return broke.has_value();
  };
  const std::int64_t field = code;
  const store::Blob value{std::string(term)};
  if (holds_names(code))
    FIXPOINT_CHECK(session_.scan(std::string(each_chunk) + "n.value = ?",
                                 {std::int64_t{all_findings_code}, store::Blob{}, field, value}, take));
  else
    FIXPOINT_CHECK(session_.scan("SELECT chunk, bits FROM finding_term WHERE field = ? AND value = ? ORDER BY chunk",
                                 {field, value}, take));
  return broke;
}

Result<bool> IndexReader::add_names(Bits& into, std::uint8_t code, std::string_view prefix, bool needs_whole,
                                    const std::function<bool(std::string_view)>& holds) {
  std::size_t rows = 0;
  bool undecided = false;
  Result<void> broke;
  const auto take = [&](store::Row& row) {
    undecided = (needs_whole && is_cut_term(row.text(2))) || ++rows > row_limit;
    if (undecided) return false;
    if (holds(row.text(2)) && !add_row(into, row.integer(0), row.text(1))) broke = fail(broken("set of findings"));
    return broke.has_value();
  };
  store::Params params{std::int64_t{all_findings_code}, store::Blob{}, std::int64_t{code},
                       store::Blob{std::string(prefix)}};
  std::string sql = std::string(each_chunk) + "n.value >= ?";
  if (auto end = end_of_prefix(std::string(prefix))) {
    sql += " AND n.value < ?";
    params.emplace_back(store::Blob{std::move(*end)});
  }
  FIXPOINT_CHECK(session_.scan(sql, params, take));
  FIXPOINT_CHECK(broke);
  return !undecided;
}

Result<bool> IndexReader::add_values(Bits& into, std::uint8_t code, std::string_view prefix, bool needs_whole,
                                     const std::function<bool(std::string_view)>& holds) {
  if (holds_names(code)) return add_names(into, code, prefix, needs_whole, holds);
  // After that many rows of a value that is not wanted, the next value is looked up instead of read up to.
  constexpr std::size_t patience = 8;
  std::string from(prefix);
  std::size_t rows = 0;
  Result<void> broke;
  while (true) {
    std::string term;
    bool wanted = false;
    bool known = false;
    bool leap = false;
    bool undecided = false;
    std::size_t unwanted = 0;
    FIXPOINT_CHECK(session_.scan(
        "SELECT value, chunk, bits FROM finding_term WHERE field = ? AND value >= ? ORDER BY value, chunk",
        {std::int64_t{code}, store::Blob{from}}, [&](store::Row& row) {
          if (!known || row.text(0) != term) {
            term = row.text(0);
            if (!term.starts_with(prefix)) return false;
            undecided = needs_whole && is_cut_term(term);
            wanted = holds(term);
            known = true;
            unwanted = 0;
          }
          if (undecided || ++rows > row_limit) {
            undecided = true;
            return false;
          }
          if (!wanted) {
            leap = ++unwanted >= patience;
            return !leap;
          }
          if (!add_row(into, row.integer(1), row.text(2))) broke = fail(broken("set of findings"));
          return broke.has_value();
        }));
    FIXPOINT_CHECK(broke);
    if (undecided) return false;
    if (!leap) return true;
    from = term + '\0';
  }
}

Result<void> IndexReader::walk(std::uint8_t code, bool descending, const std::optional<std::string>& from,
                               const std::function<bool(const Rows&)>& each) {
  Rows rows;
  bool any = false;
  bool stopped = false;
  const std::string order = descending ? "DESC" : "ASC";
  std::string sql = "SELECT value, chunk, bits FROM finding_term WHERE field = ? ";
  store::Params params{std::int64_t{code}};
  if (from) {
    sql += descending ? "AND value <= ? " : "AND value >= ? ";
    params.emplace_back(store::Blob{*from});
  }
  FIXPOINT_CHECK(session_.scan(sql + "ORDER BY value " + order + ", chunk " + order, params, [&](store::Row& row) {
    if (any && row.text(0) != rows.term) {
      stopped = !each(rows);
      rows.chunks.clear();
    }
    if (stopped) return false;
    any = true;
    rows.term = row.text(0);
    rows.chunks.emplace_back(row.integer(1), row.take(2));
    return true;
  }));
  if (any && !stopped) each(rows);
  return {};
}

Bits Column::within(const Bits& numbers, const std::vector<std::pair<std::int64_t, std::int64_t>>& bounds) const {
  Bits fit;
  std::uint64_t* into = fit.words_from(0, numbers.size_in_words());
  for (std::size_t word = 0; word < numbers.size_in_words(); ++word)
    for (const auto& [low, high] : bounds) into[word] |= within(word, numbers.word(word), low, high);
  return fit;
}

Result<void> Column::load(store::Session& session, const Bits& numbers) {
  constexpr std::size_t words = ColumnChunk::width / 64;
  const std::size_t chunks = (numbers.size_in_words() + words - 1) / words;
  if (chunks_.size() < chunks) chunks_.resize(chunks);
  std::vector<std::int64_t> missing;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < words; ++i) any |= numbers.word(chunk * words + i);
    if (any != 0 && !chunks_[chunk].loaded) missing.push_back(static_cast<std::int64_t>(chunk));
  }
  if (missing.empty()) return {};
  Result<void> broke;
  const auto take = [&](Chunk& chunk, store::Row& row) {
    chunk.loaded = true;
    chunk.lowest = row.integer(1);
    chunk.bytes = row.take(2);
    if (!ColumnChunk::is_valid(chunk.bytes)) broke = fail(broken("column"));
    return broke.has_value();
  };
  const std::int64_t first = missing.front();
  const std::int64_t last = missing.back();
  if (missing.size() > static_cast<std::size_t>(last - first + 1) / 4) {
    FIXPOINT_CHECK(session.scan(
        "SELECT chunk, lowest, bytes FROM finding_column WHERE field = ? AND chunk >= ? AND chunk <= ? ORDER BY chunk",
        {std::int64_t{code_}, first, last},
        [&](store::Row& row) { return take(chunks_[static_cast<std::size_t>(row.integer(0))], row); }));
  } else {
    for (const std::int64_t chunk : missing)
      FIXPOINT_CHECK(session.scan(
          "SELECT chunk, lowest, bytes FROM finding_column WHERE field = ? AND chunk = ?", {std::int64_t{code_}, chunk},
          [&](store::Row& row) { return take(chunks_[static_cast<std::size_t>(chunk)], row); }));
  }
  for (const std::int64_t chunk : missing) chunks_[static_cast<std::size_t>(chunk)].loaded = true;
  return broke;
}

}  // namespace fixpoint::findings
