#include "jsonata/number_words.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/text.h"

namespace fixpoint::jsonata {
namespace {

constexpr std::array<std::string_view, 20> few = {
    "Zero", "One",    "Two",    "Three",    "Four",     "Five",    "Six",     "Seven",     "Eight",    "Nine",
    "Ten",  "Eleven", "Twelve", "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen"};
constexpr std::array<std::string_view, 20> few_ordinals = {
    "Zeroth",     "First",     "Second",    "Third",       "Fourth",     "Fifth",     "Sixth",
    "Seventh",    "Eighth",    "Ninth",     "Tenth",       "Eleventh",   "Twelfth",   "Thirteenth",
    "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth", "Nineteenth"};
constexpr std::array<std::string_view, 8> tens = {"Twenty", "Thirty",  "Forty",  "Fifty",
                                                  "Sixty",  "Seventy", "Eighty", "Ninety"};
constexpr std::array<std::string_view, 4> magnitudes = {"Thousand", "Million", "Billion", "Trillion"};

std::string words_of(double number, bool follows, bool ordinal) {
  if (number < 20) {
    const auto i = static_cast<std::size_t>(number);
    return (follows ? " and " : "") + std::string(ordinal ? few_ordinals[i] : few[i]);
  }
  if (number < 100) {
    const auto i = static_cast<std::size_t>(number);
    std::string words = (follows ? " and " : "") + std::string(tens[i / 10 - 2]);
    if (i % 10 > 0) return words + "-" + words_of(static_cast<double>(i % 10), false, ordinal);
    if (ordinal) words.replace(words.size() - 1, 1, "ieth");
    return words;
  }
  double factor = 100;
  std::string_view name = "Hundred";
  if (number >= 1000) {
    std::size_t magnitude = 1;
    for (factor = 1000; magnitude < magnitudes.size() && number >= factor * 1000; factor *= 1000) ++magnitude;
    name = magnitudes[magnitude - 1];
  }
  const double many = std::floor(number / factor);
  const double rest = number - many * factor;
  std::string words = (follows ? ", " : "") + words_of(many, false, false) + " " + std::string(name);
  if (rest > 0) return words + words_of(rest, true, ordinal);
  return ordinal ? words + "th" : words;
}

struct Vocabulary {
  std::map<std::string, double, std::less<>> values;
  std::vector<std::string> words;

  void add(std::string word, double value) {
    words.push_back(word);
    values.emplace(std::move(word), value);
  }

  Vocabulary() {
    for (std::size_t i = 0; i < few.size(); ++i) {
      add(to_lower(few[i]), static_cast<double>(i));
      add(to_lower(few_ordinals[i]), static_cast<double>(i));
    }
    for (std::size_t i = 0; i < tens.size(); ++i) {
      const std::string word = to_lower(tens[i]);
      add(word, static_cast<double>(i + 2) * 10);
      add(word.substr(0, word.size() - 1) + "ieth", static_cast<double>(i + 2) * 10);
    }
    add("hundred", 100);
    add("hundredth", 100);
    double value = 1;
    for (const std::string_view magnitude : magnitudes) {
      value *= 1000;
      add(to_lower(magnitude), value);
      add(to_lower(magnitude) + "th", value);
    }
  }
};

const Vocabulary& vocabulary() {
  static const Vocabulary all;
  return all;
}

}  // namespace

std::string number_to_words(double value, bool ordinal) {
  return words_of(value, false, ordinal);
}

const std::vector<std::string>& number_words() {
  return vocabulary().words;
}

double words_to_number(std::string_view text) {
  // Each part that is closed by a thousand or more stands alone; the parts add up.
  std::vector<double> parts = {0};
  std::string word;
  bool known = true;
  const auto take = [&] {
    if (word.empty() || word == "and") return;
    const auto found = vocabulary().values.find(word);
    if (found == vocabulary().values.end()) {
      known = false;
    } else if (found->second < 100) {
      if (parts.back() >= 1000) parts.push_back(0);
      parts.back() += found->second;
    } else {
      parts.back() *= found->second;
    }
  };
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') {
      word += c;
      continue;
    }
    take();
    word.clear();
  }
  take();
  if (!known) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace fixpoint::jsonata
