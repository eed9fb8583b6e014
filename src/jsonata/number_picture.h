#pragma once

#include <string>
#include <string_view>

#include "jsonata/item.h"

namespace fixpoint::jsonata {

/// To the nearest, halves to the even neighbour, with that many digits behind the point (before it where negative).
double rounded(double value, double precision);

/// XPath's fn:format-number: https://www.w3.org/TR/xpath-functions-31/#formatting-numbers. `options` is an object that
/// replaces the signs, or undefined. Throws Failure D3080 to D3093 where the picture is wrong.
std::string format_with_picture(double value, std::string_view picture, const Item& options);

}  // namespace fixpoint::jsonata
