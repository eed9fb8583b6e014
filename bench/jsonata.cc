// Evaluates what bench/jsonata.js has evaluated, checks that the results are the same, and prints both times.
// bench_jsonata FOLDER; bench/jsonata.sh makes the folder.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <vector>

#include "json/text.h"
#include "jsonata/expression.h"

namespace {

using namespace fixpoint;

json::Value read_json(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  auto value = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!value) throw std::runtime_error(path + ": " + describe(value.error()));
  return std::move(*value);
}

double measure_ns(const jsonata::Expression& expression, const json::Value& document) {
  for (std::size_t rounds = 1;;) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < rounds; ++i)
      if (!expression.evaluate(document)) throw std::runtime_error("evaluation fails: " + expression.text());
    const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
    if (ns > 1e8) return ns / static_cast<double>(rounds);
    rounds = ns < 1e6 ? rounds * 10 : static_cast<std::size_t>(static_cast<double>(rounds) * 1.2e8 / ns) + 1;
  }
}

int run(const std::string& folder) {
  const json::Value cases = read_json(folder + "/node.json");
  std::vector<double> ratios;
  int different = 0;
  std::printf("%-20s %6s %12s %12s %8s\n", "expression", "KB", "node us", "fixpoint us", "times");
  for (const json::Value& one : cases.as_array()) {
    const json::Value document = read_json(folder + "/" + one["kilobytes"].number_text() + ".json");
    const auto expression = jsonata::compile(one["expr"].as_string());
    if (!expression) throw std::runtime_error(describe(expression.error()));
    const auto result = expression->evaluate(document);
    const bool same = result && (*result ? **result == one["result"] : one["result"].is_null());
    if (!same) ++different;
    const double ns = measure_ns(*expression, document);
    ratios.push_back(one["ns"].as_double() / ns);
    std::printf("%-20s %6s %12.1f %12.1f %8.1f%s\n", one["name"].as_string().c_str(),
                one["kilobytes"].number_text().c_str(), one["ns"].as_double() / 1000, ns / 1000, ratios.back(),
                same ? "" : "  DIFFERENT RESULT");
  }
  std::sort(ratios.begin(), ratios.end());
  const double median = ratios[ratios.size() / 2];
  std::printf("median %.1f times as fast, least %.1f, most %.1f; 5 is wanted at the median; %d results differ\n",
              median, ratios.front(), ratios.back(), different);
  return median >= 5 && different == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("bench_jsonata FOLDER; bench/jsonata.sh makes it");
    return run(argv[1]);
  } catch (const std::exception& e) {
    std::cerr << "bench_jsonata: " << e.what() << "\n";
    return 1;
  }
}
