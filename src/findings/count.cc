// How many findings have each value of a field: what an insight shows.
#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <span>
#include <tuple>

#include "base/text.h"
#include "findings/fields.h"
#include "findings/finding_store.h"
#include "findings/search.h"

namespace fixpoint::findings {
namespace {

using json::Value;

constexpr std::size_t documents_a_count = 100'000;

std::string text_of(const Value& value) {
  return value.is_string()      ? value.as_string()
         : value.is_number()    ? value.number_text()
         : value.bool_or(false) ? "true"
                                : "false";
}

// Each value of a path once, as text.
std::vector<std::string> texts_at(const Value& document, std::span<const std::string_view> path) {
  std::vector<std::string> values;
  any_value_at(document, path, [&](const Value& value) {
    if (!value.is_null()) values.push_back(text_of(value));
    return false;
  });
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

Error too_many() {
  return errors::invalid_input("so many findings fit that they cannot be counted one by one: at most " +
                                   std::to_string(documents_a_count) + "; narrow the filters",
                               "Filters");
}

}  // namespace

Result<void> FindingStore::can_count_by(std::string_view field) {
  const FieldRule* rule = find_field(field);
  using Kind = FieldRule::Kind;
  if (rule != nullptr && rule->kind != Kind::Date && rule->kind != Kind::Map && rule->kind != Kind::Keyword) return {};
  return fail(errors::invalid_input("findings cannot be grouped by '" + std::string(field.substr(0, 80)) +
                                        "': the attribute is the name of a filter such as ResourceId, SeverityLabel or "
                                        "AwsAccountId, of texts or numbers",
                                    "GroupByAttribute"));
}

// How many of `chosen` have each value of a field that is held as terms.
Result<void> FindingStore::count_terms(store::Session& session, const FieldRule& rule, const Bits& chosen,
                                       const std::function<void(const std::string&, std::int64_t)>& add) {
  IndexReader index(session);
  struct Cut {
    std::string term;
    std::int64_t count, number;
  };
  std::vector<Cut> cut;
  FIXPOINT_CHECK(index.walk(rule.code, false, std::nullopt, [&](const IndexReader::Rows& rows) {
    std::int64_t count = 0, first = -1;
    for (const auto& [chunk, bytes] : rows.chunks) {
      std::array<std::uint64_t, ChunkBits::words> words{};
      if (!ChunkBits::or_into(words.data(), bytes)) continue;
      for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t at = static_cast<std::size_t>(chunk) * ChunkBits::words + i;
        const std::uint64_t both = words[i] & chosen.word(at);
        if (both != 0 && first < 0) first = static_cast<std::int64_t>(at * 64) + std::countr_zero(both);
        count += std::popcount(both);
      }
    }
    if (count > 0 && is_cut_term(rows.term))
      cut.push_back({rows.term, count, first});
    else if (count > 0)
      add(rows.term, count);
    return true;
  }));
  // The whole of a long value is in a finding that has it.
  for (const Cut& one : cut) {
    FIXPOINT_TRY(finding, indexed(session, one.number));
    any_value_at(finding, path_of(rule), [&](const Value& value) {
      if (term_of(text_of(value)) != one.term) return false;
      add(text_of(value), one.count);
      return true;
    });
  }
  return {};
}

Result<std::map<std::string, std::int64_t>> FindingStore::count_by(const OcsfFilters& filters, const OcsfField& field) {
  std::map<std::string, std::int64_t> counts;
  const auto path = split(field.name, '.');
  FIXPOINT_CHECK(store_.read([&](store::Session& session) -> Result<void> {
    Search search(session, [&](std::int64_t number) { return indexed(session, number); });
    FIXPOINT_TRY(possible,
                 filters.possible(session, search, [&](std::string_view uid) { return number_of_uid(session, uid); }));
    // What the index counts: findings that fit for sure, by a field that it has under the same or a rewritten value.
    const FieldRule* rule = field.asff.empty() ? nullptr : find_field(field.asff);
    const bool by_terms = rule != nullptr && rule->index == FieldRule::Index::Term &&
                          (field.index == OcsfField::Index::Same || field.index == OcsfField::Index::Derived);
    Bits read_them = std::move(possible.maybe);
    if (by_terms) {
      Bits counted = possible.sure;
      counted -= possible.originals;
      read_them -= counted;
      FIXPOINT_CHECK(count_terms(session, *rule, counted, [&](const std::string& value, std::int64_t count) {
        counts[field.rewrite != nullptr ? field.rewrite(value) : value] += count;
      }));
    }
    if (read_them.count() > documents_a_count) return fail(too_many());
    Result<void> went;
    read_them.for_each(0, [&](std::int64_t number) {
      auto known = known_by(session, number);
      if (!known) {
        went = fail(std::move(known.error()));
        return false;
      }
      const Value ocsf = ocsf_of(known->finding, known->original);
      if (!possible.sure.contains(number) && !filters.matches(ocsf)) return true;
      for (const std::string& value : texts_at(ocsf, path)) ++counts[value];
      return true;
    });
    return went;
  }));
  return counts;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> FindingStore::count_by(const Filters& filters,
                                                                                 const std::string& field,
                                                                                 std::size_t limit) {
  FIXPOINT_CHECK(can_count_by(field));
  const FieldRule& rule = *find_field(field);
  std::map<std::string, std::int64_t> counts;
  FIXPOINT_CHECK(store_.read([&](store::Session& session) -> Result<void> {
    const auto read = [&](std::int64_t number) { return indexed(session, number); };
    Search search(session, read);
    FIXPOINT_TRY(selection, search.select(filters));
    Bits chosen = std::move(selection.findings);
    const bool by_terms = rule.index == FieldRule::Index::Term;
    if (!selection.unanswered.empty() || !by_terms) {
      if (chosen.count() > documents_a_count) return fail(too_many());
      Bits fitting;
      Result<void> went;
      chosen.for_each(0, [&](std::int64_t number) {
        auto finding = read(number);
        if (!finding) {
          went = fail(std::move(finding.error()));
          return false;
        }
        if (!std::all_of(selection.unanswered.begin(), selection.unanswered.end(),
                         [&](const auto* one) { return one->matches(*finding); }))
          return true;
        fitting.add(number);
        if (by_terms) return true;
        for (const std::string& value : texts_at(*finding, path_of(rule))) ++counts[value];
        return true;
      });
      FIXPOINT_CHECK(went);
      chosen = std::move(fitting);
    }
    if (!by_terms) return {};
    return count_terms(session, rule, chosen,
                       [&](const std::string& value, std::int64_t count) { counts[value] = count; });
  }));
  std::vector<std::pair<std::string, std::int64_t>> out(counts.begin(), counts.end());
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace fixpoint::findings
