#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "findings/filters.h"
#include "findings/index.h"
#include "store/store.h"

namespace fixpoint::findings {

struct SortKey {
  std::string field;  ///< a filter's name: UpdatedAt, SeverityNormalized, ...
  bool descending = false;
};

/// Where a finding stands in an order: its value of each sort key, then its number.
struct Position {
  using Cell = std::variant<std::monostate, std::int64_t, std::string>;
  std::vector<Cell> cells;
  std::int64_t number = 0;
};

/// The sort keys, checked: at most 10 (as many as there may be filters), each field once, none of a kind without an
/// order. Findings without a value stand last, either way; of several values the lowest counts, or descending the
/// highest; and findings that are equal in all stand in the order in which they came.
class Order {
 public:
  /// Error: InvalidInputException naming the criterion.
  static Result<Order> compile(const std::vector<SortKey>& keys);

  Position position_of(std::int64_t number, const json::Value& finding) const;
  bool before(const Position& a, const Position& b) const;

  struct Key {
    const FieldRule* rule;
    bool descending;
  };
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
};

/// What the index says of filters: the findings that fit all that it knows of, and the filters that it does not, for
/// which the documents have to be read.
struct Selection {
  Bits findings;
  std::vector<const Filters::Field*> unanswered;
};

/// One search within one session. `document` reads a finding by its number.
class Search {
 public:
  using Read = std::function<Result<json::Value>(std::int64_t number)>;
  Search(store::Session& session, Read document) : session_(session), document_(std::move(document)) {}

  /// Filters that the index answers at once come first; a comparison that makes it go through a field's values
  /// (CONTAINS, ...) is left to the documents where few findings are left or the field has too many values.
  /// `filters` has to outlive what is returned.
  Result<Selection> select(const Filters& filters);

  /// Keeps of `findings` those that fit one field's filters. False, and `findings` as it was, where the index cannot
  /// say.
  Result<bool> narrow(const Filters::Field& field, Bits& findings) { return answer(field, findings); }

  /// The first `limit` of `among` behind `after`, in order. Error: InvalidInputException where so many findings cannot
  /// be put in that order.
  Result<std::vector<Position>> first(const Bits& among, const Order& order, const std::optional<Position>& after,
                                      std::size_t limit);

 private:
  Result<bool> answer(const Filters::Field& field, Bits& findings);
  Result<bool> answer_terms(const Filters::Field& field, Bits& findings);
  Result<void> answer_column(const Filters::Field& field, Bits& findings);
  Result<std::vector<Position>> by_columns(const Bits& among, const Order& order, std::size_t first_key,
                                           const std::optional<Position>& after, std::size_t limit);
  Result<std::vector<Position>> by_documents(const Bits& among, const Order& order,
                                             const std::optional<Position>& after, std::size_t limit);
  Result<std::vector<Position>> by_terms(const Bits& among, const Order& order, const std::optional<Position>& after,
                                         std::size_t limit);
  Result<const Column*> column(std::uint8_t code, const Bits& numbers);

  store::Session& session_;
  Read document_;
  Columns columns_;
};

}  // namespace fixpoint::findings
