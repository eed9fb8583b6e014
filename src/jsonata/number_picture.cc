#include "jsonata/number_picture.h"

#include <cmath>
#include <cstdlib>

#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// Moves the decimal point without the error that a multiplication by a power of ten would add.
double shifted(double value, double places) {
  std::string text = number_text(value);
  double exponent = places;
  if (const auto e = text.find('e'); e != std::string::npos) {
    exponent += std::strtod(text.c_str() + e + 1, nullptr);
    text.resize(e);
  }
  return std::strtod((text + "e" + number_text(exponent)).c_str(), nullptr);
}

}  // namespace

double rounded(double value, double precision) {
  precision = std::trunc(precision);
  if (precision != 0) value = shifted(value, precision);
  double result = std::floor(value + 0.5);
  if (std::fabs(result - value) == 0.5 && std::fmod(std::fabs(result), 2) == 1) result -= 1;
  if (precision != 0) result = shifted(result, -precision);
  return result == 0 ? 0 : result;
}

}  // namespace fixpoint::jsonata
