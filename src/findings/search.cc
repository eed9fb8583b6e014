#include "findings/search.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "findings/timestamp.h"

namespace fixpoint::findings {
namespace {

using json::Value;
using Kind = FieldRule::Kind;
using Index = FieldRule::Index;
using Comparison = Filters::Comparison;

// Above so many findings an order by something that has no column is walked in the index, or refused.
constexpr std::size_t few_documents = 1000;
constexpr std::size_t most_documents = 5000;
// With so few findings left, reading them costs less than going through a field's values.
constexpr std::size_t few_to_read = 300;

// Labels stand in the order of what they mean.
const FieldRule& ordering_rule(const FieldRule& rule) {
  static const FieldRule& severity = *find_field("SeverityNormalized");
  return rule.name == "SeverityLabel" ? severity : rule;
}

// A finding may have several values of what lies within an array.
bool may_have_several(const FieldRule& rule) {
  for (const std::string_view array :
       {"Resources", "Types", "Compliance.AssociatedStandards", "Compliance.SecurityControlParameters",
        "RelatedFindings", "FindingProviderFields.RelatedFindings", "FindingProviderFields.Types", "Malware",
        "ThreatIntelIndicators", "Vulnerabilities"})
    if (rule.path.starts_with(array)) return true;
  return false;
}

Position::Cell cell_of(std::int64_t column_value) {
  if (column_value == ColumnChunk::none) return {};
  return column_value;
}

// Negative where a stands before b, whatever the direction; no value stands last.
int compare(const Position::Cell& a, const Position::Cell& b, bool descending) {
  if (a == b) return 0;
  if (std::holds_alternative<std::monostate>(a)) return 1;
  if (std::holds_alternative<std::monostate>(b)) return -1;
  return (a < b) == descending ? 1 : -1;
}

// The cheaper to ask, the earlier.
int rank(const Filters::Field& field) {
  if (field.rule->index == Index::None) return 4;
  if (field.rule->index == Index::Column) return 1;
  int highest = 0;
  for (const auto& test : field.tests) {
    const bool exact = test.comparison == Comparison::Equals || test.comparison == Comparison::NotEquals;
    const bool prefix = test.comparison == Comparison::Prefix || test.comparison == Comparison::PrefixNotEquals;
    highest = std::max(highest, exact ? 0 : prefix ? 2 : 3);
  }
  return highest;
}

}  // namespace

Result<Order> Order::compile(const std::vector<SortKey>& keys) {
  Order order;
  if (keys.size() > Filters::most_fields)
    return fail(errors::invalid_input(
        "SortCriteria has " + std::to_string(keys.size()) + " entries; at most 10 are taken", "SortCriteria"));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string where = "SortCriteria[" + std::to_string(i) + "].Field";
    const FieldRule* rule = find_field(keys[i].field);
    if (rule == nullptr)
      return fail(errors::invalid_input(
          where + " is '" + keys[i].field.substr(0, 80) +
              "'; it has to be the name of a filter, such as SeverityNormalized, UpdatedAt or CreatedAt",
          where));
    if (rule->kind != Kind::Text && rule->kind != Kind::Number && rule->kind != Kind::Date)
      return fail(errors::invalid_input(
          where + " is " + keys[i].field + ", which has no order; texts, numbers and times have one", where));
    for (std::size_t j = 0; j < i; ++j)
      if (keys[j].field == keys[i].field)
        return fail(
            errors::invalid_input(where + " is " + keys[i].field + " a second time; give each field once", where));
    order.keys_.push_back({&ordering_rule(*rule), keys[i].descending});
  }
  return order;
}

Position Order::position_of(std::int64_t number, const Value& finding) const {
  Position position;
  position.number = number;
  for (const Key& key : keys_) {
    Position::Cell best;
    any_value_at(finding, path_of(*key.rule), [&](const Value& value) {
      Position::Cell cell;
      if (key.rule->kind == Kind::Date) {
        if (const auto time = parse_timestamp(value.string_or(""))) cell = *time;
      } else if (key.rule->kind == Kind::Number) {
        if (const auto whole = value.as_int64())
          cell = *whole;
        else if (value.is_number())
          cell = static_cast<std::int64_t>(std::clamp(value.as_double(), -9e18, 9e18));
      } else if (value.is_string()) {
        cell = term_of(value.as_string());
      }
      if (compare(cell, best, key.descending) < 0) best = std::move(cell);
      return false;
    });
    position.cells.push_back(std::move(best));
  }
  return position;
}

bool Order::before(const Position& a, const Position& b) const {
  for (std::size_t i = 0; i < keys_.size(); ++i)
    if (const int side = compare(a.cells[i], b.cells[i], keys_[i].descending); side != 0) return side < 0;
  return a.number < b.number;
}

Result<Selection> Search::select(const Filters& filters) {
  Selection selection;
  IndexReader reader(session_);
  FIXPOINT_TRY(all, reader.all());
  selection.findings = std::move(all);
  std::vector<const Filters::Field*> fields;
  for (const auto& field : filters.fields()) fields.push_back(&field);
  std::sort(fields.begin(), fields.end(), [](const auto* a, const auto* b) { return rank(*a) < rank(*b); });
  for (const auto* field : fields) {
    if (selection.findings.empty()) break;
    FIXPOINT_TRY(answered, answer(*field, selection.findings));
    if (!answered) selection.unanswered.push_back(field);
  }
  return selection;
}

Result<bool> Search::answer(const Filters::Field& field, Bits& findings) {
  if (field.rule->index == Index::None) return false;
  if (field.rule->index == Index::Column) {
    FIXPOINT_CHECK(answer_column(field, findings));
    return true;
  }
  if (rank(field) == 3 && findings.count() <= few_to_read) return false;
  return answer_terms(field, findings);
}

Result<bool> Search::answer_terms(const Filters::Field& field, Bits& findings) {
  IndexReader reader(session_);
  Bits positive;
  Bits negative;
  bool any_positive = false;
  for (const auto& test : field.tests) {
    any_positive = any_positive || !test.is_negative();
    Bits& into = test.is_negative() ? negative : positive;
    const std::string before = field.rule->kind == Kind::Map ? map_term(test.key, "") : "";
    if (test.comparison == Comparison::Equals || test.comparison == Comparison::NotEquals) {
      FIXPOINT_CHECK(reader.add_value(into, field.rule->code, term_of(before + test.value)));
      continue;
    }
    const bool prefix = test.comparison == Comparison::Prefix || test.comparison == Comparison::PrefixNotEquals;
    const std::string start = prefix ? before + test.value : before;
    if (start.size() > term_cut_bytes) return false;
    FIXPOINT_TRY(known, reader.add_values(into, field.rule->code, start, !prefix, [&](std::string_view term) {
      return prefix || test.holds(term.substr(before.size()));
    }));
    if (!known) return false;
  }
  if (any_positive) findings &= positive;
  findings -= negative;
  return true;
}

Result<void> Search::answer_column(const Filters::Field& field, Bits& findings) {
  FIXPOINT_TRY(values, column(field.rule->code, findings));
  // The bounds as whole numbers, which all values are.
  constexpr double far = 9e18;
  std::vector<std::pair<std::int64_t, std::int64_t>> bounds;
  for (const auto& test : field.tests)
    bounds.emplace_back(static_cast<std::int64_t>(std::ceil(std::clamp(test.low, -far, far))),
                        static_cast<std::int64_t>(std::floor(std::clamp(test.high, -far, far))));
  findings = values->within(findings, bounds);
  return {};
}

Result<const Column*> Search::column(std::uint8_t code, const Bits& numbers) {
  Column& values = columns_.try_emplace(code, code).first->second;
  FIXPOINT_CHECK(values.load(session_, numbers));
  return &values;
}

Result<std::vector<Position>> Search::first(const Bits& among, const Order& order, const std::optional<Position>& after,
                                            std::size_t limit) {
  const auto has_column = [](const Order::Key& key) { return key.rule->index == Index::Column; };
  const auto& keys = order.keys();
  if (std::all_of(keys.begin(), keys.end(), has_column)) return by_columns(among, order, 0, after, limit);
  const std::size_t count = among.count();
  if (count <= few_documents) return by_documents(among, order, after, limit);
  if (keys[0].rule->index == Index::Term && !may_have_several(*keys[0].rule) &&
      std::all_of(keys.begin() + 1, keys.end(), has_column))
    return by_terms(among, order, after, limit);
  if (count <= most_documents) return by_documents(among, order, after, limit);
  return fail(errors::invalid_input(
      std::to_string(count) + " findings fit the filters; at most " + std::to_string(most_documents) +
          " are sorted by these fields. Narrow the filters, or sort by SeverityNormalized, SeverityLabel, Confidence, "
          "Criticality or one of the finding's times",
      "SortCriteria"));
}

Result<std::vector<Position>> Search::by_columns(const Bits& among, const Order& order, std::size_t first_key,
                                                 const std::optional<Position>& after, std::size_t limit) {
  // A column's values as they are compared: the smaller stands before, whatever the direction, and none last.
  struct Sorted {
    const Column* column;
    bool descending;
    std::int64_t after;
    std::int64_t side_of(std::int64_t value) const {
      if (value == ColumnChunk::none) return INT64_MAX;
      return descending ? -value : value;
    }
    std::int64_t side(std::int64_t number) const { return side_of((*column)[number]); }
  };
  std::vector<Sorted> sorted;
  for (std::size_t i = first_key; i < order.keys().size(); ++i) {
    FIXPOINT_TRY(values, column(order.keys()[i].rule->code, among));
    Sorted key{values, order.keys()[i].descending, 0};
    if (after) {
      const auto* value = std::get_if<std::int64_t>(&after->cells[i]);
      key.after = key.side_of(value != nullptr ? *value : ColumnChunk::none);
    }
    sorted.push_back(key);
  }
  const auto before = [&](std::int64_t a, std::int64_t b) {
    for (const Sorted& key : sorted) {
      const std::int64_t side_a = key.side(a);
      const std::int64_t side_b = key.side(b);
      if (side_a != side_b) return side_a < side_b;
    }
    return a < b;
  };
  const auto behind = [&](std::int64_t number) {
    for (const Sorted& key : sorted)
      if (const std::int64_t side = key.side(number); side != key.after) return key.after < side;
    return after->number < number;
  };

  // The best so far as a heap with the last of them on top.
  std::vector<std::int64_t> best;
  std::int64_t worst = INT64_MAX;  // the first key of that one, once there are enough: most are behind it
  const auto consider = [&](std::int64_t number) {
    if (after && !behind(number)) return;
    if (best.size() < limit) {
      best.push_back(number);
      std::push_heap(best.begin(), best.end(), before);
    } else if (before(number, best.front())) {
      std::pop_heap(best.begin(), best.end(), before);
      best.back() = number;
      std::push_heap(best.begin(), best.end(), before);
    }
  };
  if (sorted.empty()) {
    among.for_each(after ? after->number + 1 : 0, [&](std::int64_t number) {
      best.push_back(number);
      return best.size() < limit;
    });
  } else {
    const Sorted& key = sorted[0];
    for (std::size_t word = 0; word < among.size_in_words(); ++word) {
      std::uint64_t left = among.word(word);
      if (worst != INT64_MAX) {
        // Nothing without a value is among them any more, and what comes before the page is none of it.
        const std::int64_t nearest = after ? key.after : INT64_MIN + 1;
        left = key.descending ? key.column->within(word, left, -worst, -nearest)
                              : key.column->within(word, left, nearest, worst);
      }
      for (; left != 0; left &= left - 1) consider(static_cast<std::int64_t>(word * 64) + std::countr_zero(left));
      if (best.size() == limit) worst = key.side(best.front());
    }
  }
  std::sort(best.begin(), best.end(), before);
  std::vector<Position> positions;
  for (const std::int64_t number : best) {
    Position& position = positions.emplace_back();
    position.number = number;
    position.cells.resize(first_key);
    for (const Sorted& key : sorted) position.cells.push_back(cell_of((*key.column)[number]));
  }
  return positions;
}

Result<std::vector<Position>> Search::by_documents(const Bits& among, const Order& order,
                                                   const std::optional<Position>& after, std::size_t limit) {
  std::vector<Position> positions;
  Result<void> broke;
  among.for_each(0, [&](std::int64_t number) {
    const auto finding = document_(number);
    if (!finding) {
      broke = fail(finding.error());
      return false;
    }
    Position position = order.position_of(number, *finding);
    if (!after || order.before(*after, position)) positions.push_back(std::move(position));
    return true;
  });
  FIXPOINT_CHECK(broke);
  std::sort(positions.begin(), positions.end(), [&](const auto& a, const auto& b) { return order.before(a, b); });
  if (positions.size() > limit) positions.resize(limit);
  return positions;
}

Result<std::vector<Position>> Search::by_terms(const Bits& among, const Order& order,
                                               const std::optional<Position>& after, std::size_t limit) {
  const Order::Key& key = order.keys()[0];
  IndexReader reader(session_);
  std::vector<Position> positions;
  // Takes what is first within those that have the same value of the first key.
  const auto take = [&](const Bits& group, const Position::Cell& value, bool resumes) -> Result<void> {
    FIXPOINT_TRY(some, by_columns(group, order, 1, resumes ? after : std::nullopt, limit - positions.size()));
    for (Position& position : some) {
      position.cells[0] = value;
      positions.push_back(std::move(position));
    }
    return {};
  };

  const bool in_values = !after || std::holds_alternative<std::string>(after->cells[0]);
  if (in_values) {
    std::optional<std::string> from;
    if (after) from = std::get<std::string>(after->cells[0]);
    struct Group {
      std::string term;
      Bits findings;
    };
    std::vector<Group> groups;
    std::size_t gathered = 0;
    FIXPOINT_CHECK(reader.walk(key.rule->code, key.descending, from, [&](const IndexReader::Rows& rows) {
      Bits group;
      for (const auto& [chunk, bytes] : rows.chunks) {
        const auto at = static_cast<std::size_t>(chunk) * ChunkBits::words;
        if (at >= among.size_in_words()) continue;
        ChunkBits::or_into(group.words_from(at, ChunkBits::words), bytes);
      }
      group &= among;
      if (group.empty()) return true;
      // Of the value at which the page before ended, nobody knows yet how much is left.
      if (!from || rows.term != *from) gathered += group.count();
      groups.push_back({rows.term, std::move(group)});
      return gathered < limit;
    }));
    for (const Group& group : groups) {
      if (positions.size() == limit) return positions;
      FIXPOINT_CHECK(take(group.findings, group.term, from && group.term == *from));
    }
    if (positions.size() == limit) return positions;
  }
  Bits without = among;
  Bits with;
  FIXPOINT_CHECK(reader.walk(key.rule->code, false, std::nullopt, [&](const IndexReader::Rows& rows) {
    for (const auto& [chunk, bytes] : rows.chunks)
      ChunkBits::or_into(with.words_from(static_cast<std::size_t>(chunk) * ChunkBits::words, ChunkBits::words), bytes);
    return true;
  }));
  without -= with;
  FIXPOINT_CHECK(take(without, {}, !in_values));
  return positions;
}

}  // namespace fixpoint::findings
