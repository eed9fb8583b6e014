#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::jsonata {

/// What one evaluation may use. Passing any of them is the error U1001, which no expression can catch.
struct Budget {
  std::size_t steps = 20'000'000;  ///< nodes evaluated, and elements and bytes that functions walk over
  std::size_t depth = 1'500;       ///< nodes within each other; ten to twenty for each call of a function
  std::size_t memory_bytes = 256UL * 1024 * 1024;  ///< of what is made on the way, the result included
};

struct Program;
struct KeptState;
class Bindings;

/// A value that an expression gave, kept for later; unlike a json::Value it may be a function or hold some, with
/// everything that these close over. Cheap to copy, immutable, and safe to use from several threads.
///
/// It borrows the input and the values that were bound by Bindings::borrow when it was made: they have to live as long
/// as it does. What was bound by Bindings::set it holds itself.
class Kept {
 public:
  /// Undefined.
  Kept() = default;
  bool is_undefined() const;
  /// True where the value itself is a function (not where it only holds some).
  bool is_function() const;
  /// As Expression::evaluate would have given it.
  Result<std::optional<json::Value>> value() const;

 private:
  friend class Expression;
  friend class Bindings;
  friend struct KeptState;
  std::shared_ptr<const KeptState> state_;
};

/// The variables that an expression finds: `$name`, named here without the `$`. They win over the built-in functions of
/// the same name. A name that is set twice has the last value.
class Bindings {
 public:
  /// The value stays with the caller and has to outlive every evaluation (and Kept) made with these bindings.
  void borrow(std::string name, const json::Value& value);
  /// The value goes in, and is shared between copies of these bindings.
  void set(std::string name, json::Value value);
  /// Binds what another expression gave, such as a function. An undefined one hides a built-in of that name.
  void set(std::string name, Kept value);
  /// What `$now()` and `$millis()` say, and what a time without a date refers to; without this the machine's clock.
  void set_time(TimeMs now_ms) { now_ms_ = now_ms; }

 private:
  friend class Expression;
  friend struct KeptState;
  struct Entry {
    std::string name;
    const json::Value* borrowed = nullptr;
    std::shared_ptr<const json::Value> owned;
    std::optional<Kept> kept;
  };
  Entry& entry(std::string name);
  std::vector<Entry> entries_;
  std::optional<TimeMs> now_ms_;
};

/// A compiled expression of the language at https://docs.jsonata.org, version 2.0.6, with the functions that Step
/// Functions adds ($partition, $range, $hash, $random with a seed, $uuid, $parse) and without the one that it takes
/// away
/// ($eval): https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. The operators `??` and `?:` of
/// later versions are understood as well; 2.0.6 refuses them.
///
/// Where it differs from the official implementation: regular expressions are RE2's, whole characters and no
/// look-around or back-references; $split(text, "") gives characters, not halves of surrogate pairs; $base64encode
/// takes a text that is not Latin-1 as UTF-8; members of objects stay in their order, also those with numbers for
/// names; integers keep all their digits in $string. Errors of Step Functions' functions, for which AWS gives no codes:
/// D3150 (the size of a chunk), D3151 and D3152 (a step of 0, a range of more than 1000), D3153 (the algorithm of
/// $hash), D3154 (what $parse reads is no JSON).
///
/// Cheap to copy, immutable, and safe to use from several threads at once.
class Expression {
 public:
  /// Nothing is undefined: JSONata's "no such thing", which is not null. `input` is borrowed for the call.
  ///
  /// Numbers are doubles, as in JSONata; one that is only passed on (selected, bound, put into an array or object)
  /// keeps all its digits. A function within the result is "", as $string has it; a result that is itself a function is
  /// the error T1006.
  ///
  /// Errors: JSONata's codes (T2001, D3010, ...) with its place in `where` as "position N"; U1001 where the budget is
  /// used up.
  Result<std::optional<json::Value>> evaluate(const json::Value& input, const Bindings& bindings = {},
                                              const Budget& budget = {}) const;
  /// The same with an undefined input.
  Result<std::optional<json::Value>> evaluate_without_input(const Bindings& bindings = {},
                                                            const Budget& budget = {}) const;
  /// Keeps the value, which may be a function, instead of turning it into JSON: for a variable of other expressions.
  /// See Kept for what it borrows.
  Result<Kept> keep(const json::Value& input, const Bindings& bindings = {}, const Budget& budget = {}) const;

  const std::string& text() const;

 private:
  friend Result<Expression> compile(std::string_view text);
  std::shared_ptr<const Program> program_;
};

/// Errors: JSONata's S0101 to S0402 with the place in `where`; S0303 where a regular expression is not valid or wants
/// what RE2 does not have; U1001 where the expression is nested too deeply or longer than a mebibyte.
Result<Expression> compile(std::string_view text);

/// N of a `where` that says "position N": UTF-16 code units from the start of the expression to the end of the token
/// that is at fault, as the official implementation counts.
std::optional<std::size_t> position_of(const Error& error);

}  // namespace fixpoint::jsonata
