// Any bytes as a pattern: it is refused, or the machine answers as the plain evaluator does, for events that are made
// to meet it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../patterns/oracle.h"
#include "patterns/json_reader.h"
#include "patterns/machine.h"

using namespace fixpoint::patterns;

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// An event with a value for each field of the first branch, taken from the pattern itself where it has one.
std::string event_for(const Pattern& pattern, bool in_arrays) {
  std::string out = "{";
  for (const auto& field : pattern.branches[0]) {
    std::string values;
    for (const Test& test : pattern.tests[field.tests]) {
      if (!values.empty()) values += ",";
      if (test.kind == Kind::Wildcard) {
        std::string text = test.pieces[0];
        for (std::size_t i = 1; i < test.pieces.size(); ++i) text += "~" + test.pieces[i];
        values += quoted(text);
      } else if (!test.text.empty()) {
        values += quoted(test.text);
      } else {
        values += test.kind == Kind::Number || test.kind == Kind::Range ? "7"
                  : test.kind == Kind::Cidr                             ? "\"10.0.0.1\""
                                                                        : "null";
      }
      if (values.size() > 400) break;
    }
    if (out.size() > 1) out += ",";
    out += quoted(pattern.paths[field.path]) + ":[" + values + "]";
    if (out.size() > 2000) break;
  }
  out += "}";
  return in_arrays ? "{\"a\":[" + out + "," + out + "],\"b\":" + out + "}" : out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pattern = compile(text);
  if (!pattern) {
    if (!pattern.error().message.starts_with("Event pattern is not valid. Reason: ")) std::abort();
    return 0;
  }
  // The plain evaluator tries every choice, so it gets no pattern that has many.
  if (pattern->branches.size() > 20) return 0;
  for (const auto& branch : pattern->branches)
    if (branch.size() > 6) return 0;
  const auto machine = Machine::build({{"rule", &*pattern}});
  static Scratch scratch;
  std::vector<RuleId> out;
  for (const std::string& event : {std::string("{}"), std::string(R"({"a":[1,"a",{"b":null}],"b":{"c":"ab"}})"),
                                   event_for(*pattern, false), event_for(*pattern, true)}) {
    const auto right = oracle_matches(*pattern, event);
    const auto mine = machine->match(event, out, scratch);
    if (!right) continue;
    if (!mine || *right == out.empty()) {
      std::fprintf(stderr, "differs: %.*s\n%s\n", static_cast<int>(size), text.data(), event.c_str());
      std::abort();
    }
  }
  return 0;
}
