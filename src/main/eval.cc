// fixpoint eval: for people who write expressions, and for suites of them.
#include <fstream>
#include <iostream>
#include <iterator>

#include "json/text.h"
#include "jsonata/expression.h"
#include "main/command.h"
#include "main/files.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

// The line of the expression where the error is, and a caret under it. JSONata's positions count UTF-16 units to the
// end of the token at fault, so the caret goes under its last character.
void print_place(const std::string& text, std::size_t position) {
  std::size_t units = 0;
  std::size_t at = 0;
  std::size_t last = 0;
  while (at < text.size() && units < position) {
    last = at;
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    units += length == 4 ? 2 : 1;
    at += length;
  }
  const std::size_t before = last == 0 ? std::string::npos : text.rfind('\n', last - 1);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  const std::size_t end = text.find('\n', last);
  std::string line = text.substr(start, end == std::string::npos ? end : end - start);
  std::string indent;
  for (std::size_t i = start; i < last && i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) indent += text[i] == '\t' ? '\t' : ' ';
  std::cerr << "  " << line << "\n  " << indent << "^\n";
}

int refuse(const Error& error, const std::string& text) {
  std::cerr << describe(error) << "\n";
  if (const auto position = jsonata::position_of(error)) print_place(text, *position);
  return bad_input;
}

int evaluate_one(const Arguments& arguments) {
  const std::string& text = arguments.positional[0];
  const auto expression = jsonata::compile(text);
  if (!expression) return refuse(expression.error(), text);
  Result<std::optional<json::Value>> result;
  if (arguments.positional.size() > 1) {
    const std::string& path = arguments.positional[1];
    const auto content = read_file(path);
    if (!content) {
      std::cerr << content.error().message << "\n";
      return bad_input;
    }
    const auto input = json::parse(*content);
    if (!input) {
      std::cerr << path << ": " << describe(input.error()) << "\n";
      return bad_input;
    }
    result = expression->evaluate(*input);
  } else {
    result = expression->evaluate_without_input();
  }
  if (!result) return refuse(result.error(), text);
  if (!*result) {
    std::cout << "undefined\n";
    return negative;
  }
  std::cout << print_pretty_escaped(**result) << "\n";
  return ok;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Half of a surrogate pair is JSON to JavaScript and no text to us. An expression can say it with an escape of its own,
// so the line's escape becomes that.
std::string with_halves_escaped(const std::string& line) {
  const auto half_at = [&](std::size_t at, char from, char to) {
    if (line.compare(at, 2, "\\u") != 0 || at + 6 > line.size()) return false;
    const char second = static_cast<char>(line[at + 3] | 0x20);
    return (line[at + 2] | 0x20) == 'd' && second >= from && second <= to && is_hex(line[at + 4]) &&
           is_hex(line[at + 5]);
  };
  const auto is_high = [&](std::size_t at) { return half_at(at, '8', '9') || half_at(at, 'a', 'b'); };
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] != '\\') {
      out += line[i++];
    } else if (is_high(i) && half_at(i + 6, 'c', 'f')) {
      out += line.substr(i, 12);
      i += 12;
    } else if (is_high(i) || half_at(i, 'c', 'f')) {
      out += "\\" + line.substr(i, 6);
      i += 6;
    } else {
      out += line.substr(i, 2);
      i += 2;
    }
  }
  return out;
}

Result<std::optional<json::Value>> run_case(const json::Value& line) {
  FIXPOINT_TRY(expression, jsonata::compile(line["expr"].string_or("")));
  jsonata::Bindings bindings;
  if (line["bindings"].is_object())
    for (const json::Member& member : line["bindings"].as_object()) bindings.borrow(member.key, member.value);
  if (const json::Value* data = line.find("data")) return expression.evaluate(*data, bindings);
  return expression.evaluate_without_input(bindings);
}

int evaluate_cases(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    if (const auto readable = check_readable(path); !readable) {
      std::cerr << readable.error().message << "\n";
      return bad_input;
    }
    file.open(path, std::ios::binary);
  }
  std::istream& in = path == "-" ? std::cin : file;
  int status = ok;
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto line = json::parse(text);
    if (!line) line = json::parse(with_halves_escaped(text));
    if (!line || !line->is_object() || !(*line)["expr"].is_string()) {
      std::cerr << path << ", line " << number << ": "
                << (line ? "a case is an object with a string \"expr\"" : describe(line.error())) << "\n";
      status = bad_input;
      continue;
    }
    json::Object answer;
    answer.set("id", (*line)["id"]);
    auto result = run_case(*line);
    if (!result)
      answer.set("error", result.error().code);
    else if (!*result)
      answer.set("undefined", true);
    else
      answer.set("result", std::move(**result));
    std::cout << print_escaped(json::Value(std::move(answer))) << "\n";
  }
  std::cout.flush();
  return status;
}

int run(const Arguments& arguments) {
  if (arguments.has("cases")) {
    if (!arguments.positional.empty()) {
      std::cerr << "eval --cases FILE takes no expression: the file has them\n";
      return bad_usage;
    }
    return evaluate_cases(arguments.get("cases"));
  }
  if (arguments.positional.empty()) {
    std::cerr << "eval wants an expression, or --cases FILE\n";
    return bad_usage;
  }
  return evaluate_one(arguments);
}

}  // namespace

Command eval_command() {
  Command command;
  command.name = "eval";
  command.summary = "Evaluate a JSONata expression, as the controls use them";
  command.positional = "EXPRESSION [FILE]";
  command.at_least = 0;
  command.at_most = 2;
  command.options = {
      {"cases", "FILE", "a JSON object a line: id, expr, data (optional), bindings (optional)", {}, false}};
  command.run = run;
  command.more =
      "FILE is the JSON document ('-' reads standard input); without it the input is undefined.\n"
      "Prints the result and exits with 0; 'undefined' and 1 where there is none; the error with its place and 3.\n"
      "--cases prints a line for each line: {\"id\", \"result\"}, {\"id\", \"undefined\": true} or {\"id\", \"error\": "
      "CODE}.";
  return command;
}

}  // namespace fixpoint::main
