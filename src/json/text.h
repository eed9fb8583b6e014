#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/value.h"

namespace fixpoint::json {

struct Limits {
  std::size_t depth = 200;                 ///< arrays and objects within each other
  std::size_t bytes = 64UL * 1024 * 1024;  ///< of the text
};

/// RFC 8259, and nothing more: no comments, no trailing commas, no NaN; the text is valid UTF-8 with nothing after the
/// value. Of a name that comes twice the last value stays. Numbers that fit int64 or read back from the shortest double
/// are held as such, all others keep their text. Error: SerializationException with line and column in `where`.
Result<Value> parse(std::string_view text, Limits limits = {});

/// Reads what print() made of a value that parse() took: it may lie some levels deeper, within what it was put into.
/// For what the program itself has written; the errors are parse()'s.
Result<Value> parse_printed(std::string_view text);

/// Without blanks. Doubles that are not finite print as null.
std::string print(const Value& value);
void print_to(std::string& out, const Value& value);
/// Over several lines, two blanks a level, with a line end at the end left out.
std::string print_pretty(const Value& value);
/// The same text for equal values: members sorted by name at every depth, numbers in their shortest form. For hashes.
std::string print_canonical(const Value& value);
/// A JSON string with its quotes.
void print_string_to(std::string& out, std::string_view text);

}  // namespace fixpoint::json
