#include "patterns/pattern.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "patterns/fold.h"
#include "patterns/json_reader.h"
#include "patterns/operators.h"

namespace fixpoint::patterns {
namespace {

// Names that an alternative of a `$or` must not use for its fields.
constexpr std::array<std::string_view, 23> reserved{"exactly",
                                                    "equals-ignore-case",
                                                    "prefix",
                                                    "suffix",
                                                    "anything-but",
                                                    "exists",
                                                    "wildcard",
                                                    "numeric",
                                                    "cidr",
                                                    "=",
                                                    "<",
                                                    "<=",
                                                    ">",
                                                    ">=",
                                                    "regex",
                                                    "not-wildcard",
                                                    "not-equals-ignore-case",
                                                    "date-after",
                                                    "date-on-or-after",
                                                    "date-before",
                                                    "date-on-or-before",
                                                    "in-date-range",
                                                    "ip-address-in-range"};

class Compiler {
 public:
  Compiler(std::string_view text, bool or_is_a_field)
      : reader_(text), place_(text, reader_), plain_(or_is_a_field), operators_(reader_, place_, or_is_a_field) {}

  bool run() {
    if (reader_.peek() != '{')
      return place_.refuse("Filter is not an object", "a pattern is a JSON object, as the events are");
    std::vector<std::vector<Pattern::Field>> branches;
    if (!object(branches, nullptr, false, 1)) return false;
    if (reader_.peek() != '\0' || !reader_.at_end())
      return place_.refuse("Unexpected text after the pattern", "nothing may follow the closing brace");
    pattern_.branches = std::move(branches);
    return true;
  }

  Pattern& pattern() { return pattern_; }
  Error error() const { return place_.error(); }
  bool saw_or() const { return saw_or_; }

 private:
  using Branches = std::vector<std::vector<Pattern::Field>>;

  // `path` is null at the top.
  bool object(Branches& branches, const std::string* path, bool inside_or, std::size_t depth) {
    if (depth > max_depth)
      return place_.refuse("The pattern is nested too deeply", "a pattern nests at most 1000 levels");
    const std::size_t start = reader_.position();
    reader_.take('{');
    if (reader_.peek() == '}') {
      reader_.move_to(start);
      return place_.refuse("Empty objects are not allowed",
                           "name a field with a list of values, as in {\"source\": [\"aws.ec2\"]}");
    }
    do {
      std::string name;
      reader_.peek();
      const std::size_t name_at = reader_.position();
      if (!reader_.string(name)) return place_.syntax();
      if (!reader_.take(':')) return place_.syntax("a ':' should stand here");
      const Step step(place_, name);
      const char c = reader_.peek();
      if (name == "$or") saw_or_ = true;
      if (name == "$or" && !plain_) {
        if (!alternatives(branches, path, depth)) return false;
        continue;
      }
      if (inside_or &&
          (std::find(reserved.begin(), reserved.end(), name) != reserved.end() || name == "ip-address-not-in-range")) {
        reader_.move_to(name_at);
        return place_.refuse(
            name + " is Ruler reserved fieldName which cannot be used inside $or.",
            "an alternative of $or holds fields; this word is an operator, and stands in the list of a field");
      }
      const std::string full = path == nullptr ? name : *path + "." + name;
      if (c == '{') {
        if (!object(branches, &full, inside_or, depth + 1)) return false;
      } else if (c == '[') {
        if (!values(branches, full)) return false;
      } else {
        return place_.refuse("\"" + name + "\" must be an object or an array",
                             "put the value into a list: [" + place_.found() + "]");
      }
    } while (reader_.take(','));
    if (!reader_.take('}')) return place_.syntax("a ',' or '}' should stand here");
    return true;
  }

  // Every alternative starts from the branches so far; what comes after the $or is added to all of them.
  bool alternatives(Branches& branches, const std::string* path, std::size_t depth) {
    if (reader_.peek() != '[')
      return place_.refuse("It must be an Array followed with $or.", "$or takes a list of at least two objects");
    const std::size_t start = reader_.position();
    reader_.take('[');
    const Branches before = std::move(branches);
    branches.clear();
    std::size_t count = 0;
    if (!reader_.take(']')) {
      do {
        const Step step(place_, count++);
        if (reader_.peek() != '{')
          return place_.refuse("Only JSON object is allowed in array of $or relationship.",
                               "each alternative is an object of fields");
        Branches more = before;
        if (more.empty()) more.emplace_back();
        if (!object(more, path, true, depth + 1)) return false;
        branches.insert(branches.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        std::size_t fields = 0;
        for (const auto& branch : branches) fields += branch.size();
        if (branches.size() > max_branches || fields > max_branch_fields)
          return place_.refuse("Rule is too complex", "the alternatives of all $or multiply to more than " +
                                                          std::to_string(max_branches) +
                                                          " combinations; make several rules of it");
      } while (reader_.take(','));
      if (!reader_.take(']')) return place_.syntax("a ',' or ']' should stand here");
    }
    if (count < 2) {
      reader_.move_to(start);
      return place_.refuse("There must have at least 2 Objects in $or relationship.",
                           "give a second alternative, or write the fields without $or");
    }
    return true;
  }

  bool values(Branches& branches, const std::string& path) {
    std::vector<Test> tests;
    if (!operators_.values(tests)) return false;
    if (branches.empty()) branches.emplace_back();
    const auto [known, added] = path_ids_.try_emplace(path, static_cast<std::uint32_t>(pattern_.paths.size()));
    if (added) pattern_.paths.push_back(path);
    const Pattern::Field field{known->second, static_cast<std::uint32_t>(pattern_.tests.size())};
    pattern_.tests.push_back(std::move(tests));
    for (auto& branch : branches) {
      const auto same =
          std::find_if(branch.begin(), branch.end(), [&](const Pattern::Field& f) { return f.path == field.path; });
      if (same != branch.end())
        *same = field;
      else
        branch.push_back(field);
    }
    return true;
  }

  JsonReader reader_;
  PatternPlace place_;
  bool plain_;
  bool saw_or_ = false;
  Operators operators_;
  Pattern pattern_;
  std::unordered_map<std::string, std::uint32_t> path_ids_;
};

}  // namespace

Result<Pattern> compile(std::string_view json_text) {
  Compiler compiler(json_text, false);
  if (compiler.run()) return std::move(compiler.pattern());
  if (compiler.saw_or()) {
    // A field may be called `$or`: the service falls back to that reading, with the operators that it had before it
    // knew the relationship. The first reading's error is the one to report.
    Compiler again(json_text, true);
    if (again.run()) return std::move(again.pattern());
  }
  return fail(compiler.error());
}

}  // namespace fixpoint::patterns
