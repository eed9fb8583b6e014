#include <cmath>

#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

// $contains, $match, $replace and $split. A pattern is a string, a regular expression, or any function that answers as
// a regular expression does: {match, start, end, groups, next}.

namespace fixpoint::jsonata {
namespace {

// One match after the other, whatever finds them.
class Matches {
 public:
  Matches(Evaluator& evaluator, const Item& subject, const Item& matcher)
      : evaluator_(evaluator), subject_(subject), matcher_(matcher) {
    if (matcher.is_function() && matcher.function->kind == FunctionNode::Kind::Regex) node_ = matcher.function->node;
  }

  bool next() {
    const bool first = !started_;
    started_ = true;
    if (node_ != nullptr) return next_of_regex(first);
    const Item answer = first ? evaluator_.call(matcher_, &subject_, 1) : evaluator_.call(next_, nullptr, 0);
    if (answer.is_undefined()) return false;
    const Item start = member(answer, "start");
    const Item end = member(answer, "end");
    const Item groups = member(answer, "groups");
    next_ = member(answer, "next");
    if (!answer.is_object() || !(start.is_number() || end.is_number() || groups.is_array() || next_.is_function()))
      throw Failure{"T1010",
                    "a function that matches must give an object of match, start, end, groups and next",
                    Failure::nowhere,
                    {}};
    const auto place = [&](const Item& item) {
      const double units = item.is_number() ? item.as_double() : 0;
      return byte_of_utf16_unit(subject_.string(), units > 0 ? static_cast<std::size_t>(std::min(units, 4e9)) : 0);
    };
    start_ = place(start);
    const Item text = member(answer, "match");
    end_ = text.is_string() ? std::min<std::size_t>(start_ + text.size, subject_.size) : std::max(start_, place(end));
    object_ = answer;
    groups_ = groups;
    return true;
  }

  std::size_t start() const { return start_; }
  std::size_t end() const { return end_; }
  Item groups() const { return groups_; }
  /// The match as an object.
  Item object() {
    if (object_.is_undefined()) object_ = evaluator_.match_object(node_, subject_, match_);
    return object_;
  }

 private:
  bool next_of_regex(bool first) {
    const Pattern& pattern = *node_->pattern;
    const std::string_view text = subject_.string();
    const std::size_t from = first ? 0 : end_;
    if (!first && from >= text.size()) return false;
    evaluator_.charge(1 + (text.size() - from) / 64);
    auto match = pattern.find(text, from);
    if (!match) return false;
    if (!first && match->start == match->end)
      throw Failure{
          "D1004", "the regular expression /" + pattern.source() + "/ matches an empty string", node_->place, {}};
    match_ = std::move(*match);
    start_ = match_.start;
    end_ = match_.end;
    object_ = Item();
    ArrayNode* groups = evaluator_.new_array(0, match_.groups.size());
    for (const auto& group : match_.groups) evaluator_.push(groups, group ? Item::of(*group) : Item());
    groups_ = Item::of(groups);
    return true;
  }

  Evaluator& evaluator_;
  Item subject_;
  Item matcher_;
  const Node* node_ = nullptr;
  bool started_ = false;
  Pattern::Match match_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  Item object_;
  Item groups_;
  Item next_;
};

// How many matches are wanted; all where nothing is said.
double limit_of(const Item& limit, const char* code, const char* function) {
  if (!limit.is_number()) return INFINITY;
  const double value = limit.as_double();
  if (value < 0)
    throw Failure{code, std::string("the limit of $") + function + " must not be negative", Failure::nowhere, function};
  return value;
}

Item contains(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 64);
  if (a[1].is_string()) return Item::of(a[0].string().find(a[1].string()) != std::string_view::npos);
  if (!a[1].is_function()) return {};
  if (a[1].function->kind == FunctionNode::Kind::Regex)
    return Item::of(a[1].function->node->pattern->matches(a[0].string()));
  return Item::of(Matches(e, a[0], a[1]).next());
}

Item match(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  const double limit = limit_of(a[2], "D3040", "match");
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  Matches matches(e, a[0], a[1]);
  const std::string_view text = a[0].string();
  std::size_t counted = 0;  // bytes, and the units that they are
  std::size_t units = 0;
  for (double n = 0; n < limit && matches.next(); ++n) {
    if (matches.start() >= counted) units += utf16_units(text.substr(counted, matches.start() - counted));
    counted = std::max(counted, matches.start());
    ObjectNode* found = e.new_object();
    found->set(e.arena(), "match", Item::of(text.substr(matches.start(), matches.end() - matches.start())));
    found->set(e.arena(), "index", Item::count(units));
    found->set(e.arena(), "groups", matches.groups());
    e.push(result, Item::of(found));
  }
  return Item::of(result);
}

// $1 to $n are groups, $0 the match, $$ a dollar. Of $12 only as many digits count as there are groups.
void substitute(std::string& out, std::string_view replacement, std::string_view matched, const Item& groups) {
  const ArrayView all(groups);
  std::size_t at = 0;
  for (;;) {
    const std::size_t dollar = replacement.find('$', at);
    if (dollar == std::string_view::npos) break;
    out += replacement.substr(at, dollar - at);
    at = dollar + 1;
    const char c = at < replacement.size() ? replacement[at] : '\0';
    if (c == '$') {
      out += '$';
      ++at;
      continue;
    }
    if (c == '0') {
      out += matched;
      ++at;
      continue;
    }
    std::size_t most = 1;
    for (std::size_t n = all.size(); n >= 10; n /= 10) ++most;
    const auto read = [&](std::size_t digits, std::size_t& used) {
      std::size_t value = 0;
      used = 0;
      while (used < digits && at + used < replacement.size() && replacement[at + used] >= '0' &&
             replacement[at + used] <= '9')
        value = value * 10 + static_cast<std::size_t>(replacement[at + used++] - '0');
      return value;
    };
    std::size_t used = 0;
    std::size_t index = read(most, used);
    if (most > 1 && index > all.size()) index = read(most - 1, used);
    if (used == 0) {
      out += '$';
      continue;
    }
    if (index >= 1 && index <= all.size()) {
      const Item group = all[index - 1];
      if (group.is_string()) out += group.string();
    }
    at += used;
  }
  out += replacement.substr(std::min(at, replacement.size()));
}

Item replace(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  const std::string_view text = a[0].string();
  if (a[1].is_string() && a[1].size == 0)
    throw Failure{"D3010", "what $replace looks for must not be empty", Failure::nowhere, "replace"};
  const double limit = limit_of(a[3], "D3011", "replace");
  std::string out;
  std::size_t at = 0;
  const auto check = [&] {
    e.charge(1);
    if (out.size() > 65536) e.arena().check_room_for(out.size());
  };
  if (a[1].is_string()) {
    e.charge(1 + text.size() / 64);
    const std::string_view replacement = a[2].is_string() ? a[2].string() : std::string_view();
    if (!a[2].is_string())
      throw Failure{"D3012", "what $replace puts in place of a string must be a string", Failure::nowhere, "replace"};
    for (double n = 0; n < limit; ++n) {
      const std::size_t found = text.find(a[1].string(), at);
      if (found == std::string_view::npos) break;
      out += text.substr(at, found - at);
      out += replacement;
      at = found + a[1].size;
      check();
    }
  } else {
    Matches matches(e, a[0], a[1]);
    for (double n = 0; n < limit && matches.next(); ++n) {
      const std::size_t start = std::max(at, matches.start());
      out += text.substr(at, start - at);
      const std::string_view matched = text.substr(start, std::max(start, matches.end()) - start);
      if (a[2].is_string()) {
        substitute(out, a[2].string(), matched, matches.groups());
      } else {
        const Item object = matches.object();
        const Item made = e.call(a[2], &object, 1);
        if (!made.is_string())
          throw Failure{"D3012", "the function that $replace calls must give a string", Failure::nowhere, "replace"};
        out += made.string();
      }
      at = std::max(start, matches.end());
      check();
    }
  }
  if (at == 0 && out.empty()) return a[0];
  out += text.substr(at);
  return e.string(out);
}

Item split(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  const std::string_view text = a[0].string();
  // String.prototype.split takes a whole number of parts; a regular expression counts up to the limit.
  double limit = limit_of(a[2], "D3020", "split");
  ArrayNode* result = e.new_array();
  e.charge(1 + text.size() / 64);
  if (a[1].is_string()) {
    limit = std::floor(limit);
    const std::string_view separator = a[1].string();
    if (separator.empty()) {
      for (std::size_t at = 0; at < text.size() && result->size < limit;) {
        const std::size_t start = at;
        next_code_point(text, at);
        e.charge(1);
        e.push(result, Item::of(text.substr(start, at - start)));
      }
      return Item::of(result);
    }
    for (std::size_t at = 0; result->size < limit;) {
      e.charge(1);
      const std::size_t found = text.find(separator, at);
      e.push(result, Item::of(text.substr(at, found == std::string_view::npos ? found : found - at)));
      if (found == std::string_view::npos) break;
      at = found + separator.size();
    }
    return Item::of(result);
  }
  if (limit <= 0) return Item::of(result);
  Matches matches(e, a[0], a[1]);
  std::size_t at = 0;
  while (result->size < limit && matches.next()) {
    const std::size_t start = std::max(at, matches.start());
    e.push(result, Item::of(text.substr(at, start - at)));
    at = std::max(start, matches.end());
  }
  if (result->size < limit) e.push(result, Item::of(text.substr(at)));
  return Item::of(result);
}

constexpr Builtin table[] = {
    {"contains", "<s-(sf):b>", 2, contains},
    {"match", "<s-f<s:o>n?:a<o>>", 3, match},
    {"replace", "<s-(sf)(sf)n?:s>", 4, replace},
    {"split", "<s-(sf)n?:a<s>>", 3, split},
};

}  // namespace

std::span<const Builtin> pattern_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
