// Any bytes as an event: a machine of rules of every kind answers as the plain evaluator does for each; what is no JSON
// breaks nothing.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "../patterns/oracle.h"
#include "../patterns/random_texts.h"
#include "patterns/json_reader.h"
#include "patterns/machine.h"

using namespace fixpoint::patterns;

namespace {

struct Rules {
  std::vector<std::string> texts;
  std::vector<std::string> names;
  std::vector<Pattern> patterns;
  std::shared_ptr<const Machine> machine;

  Rules() {
    RandomTexts random(11);
    texts = {R"({"a":["x"]})",
             R"({"a":{"b":[1],"c":[2]}})",
             R"({"a":[{"exists":false}]})",
             R"({"a":[{"wildcard":"*ab*ba*"}]})",
             R"({"a":[{"numeric":[">=",0,"<",1e3]}]})",
             R"({"b":[{"cidr":"10.0.0.0/8"}]})",
             R"({"a":{"b":[{"exists":true}]},"c":[{"anything-but":["x"]}]})"};
    while (texts.size() < 30) texts.push_back(random.pattern());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto pattern = compile(texts[i]);
      if (!pattern) std::abort();
      patterns.push_back(std::move(*pattern));
      names.push_back((i < 10 ? "r0" : "r") + std::to_string(i));
    }
    std::vector<Machine::Rule> rules;
    for (std::size_t i = 0; i < texts.size(); ++i) rules.push_back({names[i], &patterns[i]});
    machine = Machine::build(rules);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Rules rules;
  static Scratch scratch;
  const std::string_view event(reinterpret_cast<const char*>(data), size);
  std::vector<RuleId> out;
  const auto mine = rules.machine->match(event, out, scratch);
  JsonReader reader(event);
  const bool valid = reader.peek() == '{' && reader.skip_value(max_depth) && reader.peek() == '\0' && reader.at_end();
  if (!valid) return 0;
  if (!mine) {
    std::fprintf(stderr, "refused: %.*s\n%s\n", static_cast<int>(size), event.data(), mine.error().message.c_str());
    std::abort();
  }
  if (size > 300) return 0;  // the plain evaluator tries every choice
  std::size_t next = 0;
  for (std::size_t i = 0; i < rules.patterns.size(); ++i) {
    const bool matched = next < out.size() && out[next] == i;
    if (matched) ++next;
    if (*oracle_matches(rules.patterns[i], event) != matched) {
      std::fprintf(stderr, "differs: %s\n%.*s\n", rules.texts[i].c_str(), static_cast<int>(size), event.data());
      std::abort();
    }
  }
  return 0;
}
