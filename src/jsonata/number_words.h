#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::jsonata {

/// "One Thousand, Two Hundred and Thirty-Four"; as an ordinal "... Thirty-Fourth". `value` is an integer of 0 or more.
std::string number_to_words(double value, bool ordinal);
/// From lower-case words; NaN where one is unknown.
double words_to_number(std::string_view words);
/// All the words that words_to_number knows, in lower case.
const std::vector<std::string>& number_words();

}  // namespace fixpoint::jsonata
