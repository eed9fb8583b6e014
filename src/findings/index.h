#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "findings/bits.h"
#include "findings/filters.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::findings {

/// What a finding is found by. A pure function of the document: taking a finding out of the index again needs nothing
/// but the document. Who changes what it gives raises `index_version`, so that the index is made anew.
struct IndexEntries {
  struct Term {
    std::uint8_t code;
    std::uint32_t begin;  // in `text`
    std::uint32_t size;
  };
  struct Number {
    std::uint8_t code;
    std::int64_t value;
    auto operator<=>(const Number&) const = default;
  };
  std::string text;             ///< of all terms, one behind the other
  std::vector<Term> terms;      ///< sorted by code and value, each once
  std::vector<Number> numbers;  ///< sorted by code, one each

  std::string_view value(const Term& term) const { return std::string_view(text).substr(term.begin, term.size); }
};
inline constexpr std::int64_t index_version = 2;

/// `original` is the OCSF document that the finding came as (ocsf.h), null for none.
IndexEntries entries_of(const json::Value& finding, const json::Value& original = {});

/// A value as the index names it: itself up to 368 bytes, longer ones cut there with their SHA-256 behind, so that a
/// key stays within what a database takes.
inline constexpr std::size_t term_cut_bytes = 368;
std::string term_of(std::string_view value);
/// True for the name of a value that was cut.
bool is_cut_term(std::string_view term);
/// A map's member as the index names it, before term_of: the key's length, a colon, the key, then `value`.
std::string map_term(std::string_view key, std::string_view value);

/// The findings by value: for each field and value the set of their numbers, in rows of 4096 numbers; and the columns
/// of numbers and times, in rows of 512. Reading all of a field's value for a million findings is 250 rows.
/// What many findings share lies value by value; what few share lies by the 4096 first, so that what comes together is
/// written together.
extern const char* const index_tables;  ///< SQL
extern const char* const name_tables;   ///< SQL, of the second version

/// By which a finding's number is found from its key: equal for equal keys, seldom for others.
std::int64_t hash_of(std::string_view product_arn, std::string_view id);

/// Gathers what is to be changed and writes it row by row, sorted. What it has not flushed is lost.
class IndexWriter {
 public:
  explicit IndexWriter(store::Transaction& tx) : tx_(tx) {}
  void add(std::int64_t number, std::int64_t hash, const IndexEntries& entries);
  void change(std::int64_t number, const IndexEntries& before, const IndexEntries& after);
  Result<void> flush();

 private:
  struct Change {
    std::uint16_t offset;
    bool in;                 // of terms
    std::int64_t value = 0;  // of columns
  };
  struct Row {
    std::uint8_t code;
    std::int64_t chunk;
    std::string value;
    std::vector<Change> changes;
  };
  // Rows by their code, chunk and value.
  class Rows {
   public:
    std::vector<Change>& at(std::uint8_t code, std::int64_t chunk, std::string_view value);
    std::vector<const Row*> sorted(bool by_chunk) const;
    void clear();

   private:
    struct Hash : std::hash<std::string_view> {
      using is_transparent = void;
    };
    std::vector<Row> rows_;
    std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> places_;
    std::string key_;  // room to put one together
  };
  void set_term(std::int64_t number, std::uint8_t code, std::string_view value, bool in);
  void set_number(std::int64_t number, std::uint8_t code, std::int64_t value);
  Result<void> write_values(const Row& row, bool names);
  Result<void> write_column(const Row& row);

  store::Transaction& tx_;
  Rows terms_;
  Rows names_;
  Rows columns_;
  std::vector<std::pair<std::int64_t, std::int64_t>> keys_;  // hash, number
};

/// The reading side, within one session.
class IndexReader {
 public:
  explicit IndexReader(store::Session& session) : session_(session) {}

  Result<Bits> all();
  /// Or-s those with that value into `into`.
  Result<void> add_value(Bits& into, std::uint8_t code, std::string_view term);
  /// Or-s those with a value that `holds` says yes to, of the terms that start with `prefix`, into `into`. False, and
  /// `into` of no use, where it cannot say: a term is cut and `needs_whole` is set, or it went past `row_limit` rows.
  /// Of names, all below `prefix` are gone through.
  Result<bool> add_values(Bits& into, std::uint8_t code, std::string_view prefix, bool needs_whole,
                          const std::function<bool(std::string_view term)>& holds);

  /// Hands out a field's terms in order, from `from` on where given, each with the rows of its findings, until
  /// `each` says false.
  struct Rows {
    std::string term;
    std::vector<std::pair<std::int64_t, std::string>> chunks;
  };
  Result<void> walk(std::uint8_t code, bool descending, const std::optional<std::string>& from,
                    const std::function<bool(const Rows&)>& each);

  static constexpr std::size_t row_limit = 100'000;

 private:
  Result<bool> add_names(Bits& into, std::uint8_t code, std::string_view prefix, bool needs_whole,
                         const std::function<bool(std::string_view term)>& holds);
  store::Session& session_;
};

/// A field's column, read chunk by chunk as it is needed. The rows stay as they came; a value is read where it is asked
/// for, since most orders and filters ask for few.
class Column {
 public:
  explicit Column(std::uint8_t code) : code_(code) {}
  /// Reads what is missing of the chunks that hold one of `numbers`.
  Result<void> load(store::Session& session, const Bits& numbers);
  /// ColumnChunk::none where it has no value, or was not read.
  std::int64_t operator[](std::int64_t number) const {
    const auto at = static_cast<std::size_t>(number) / ColumnChunk::width;
    if (at >= chunks_.size() || chunks_[at].bytes.empty()) return ColumnChunk::none;
    return ColumnChunk::value_at(chunks_[at].lowest, chunks_[at].bytes,
                                 static_cast<std::size_t>(number) % ColumnChunk::width);
  }

  /// Those of `numbers` whose value lies within one of `bounds`, low and high.
  Bits within(const Bits& numbers, const std::vector<std::pair<std::int64_t, std::int64_t>>& bounds) const;
  /// The same of one word of numbers.
  std::uint64_t within(std::size_t word, std::uint64_t wanted, std::int64_t low, std::int64_t high) const {
    constexpr std::size_t words = ColumnChunk::width / 64;
    if (wanted == 0 || word / words >= chunks_.size() || chunks_[word / words].bytes.empty()) return 0;
    const Chunk& chunk = chunks_[word / words];
    return ColumnChunk::within(chunk.lowest, chunk.bytes, word % words, wanted, low, high);
  }

 private:
  struct Chunk {
    bool loaded = false;
    std::int64_t lowest = 0;
    std::string bytes;
  };
  std::uint8_t code_;
  std::vector<Chunk> chunks_;
};
using Columns = std::map<std::uint8_t, Column>;

}  // namespace fixpoint::findings
