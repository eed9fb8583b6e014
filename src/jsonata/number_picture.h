#pragma once

#include <string>
#include <string_view>

#include "jsonata/item.h"

namespace fixpoint::jsonata {

/// To the nearest, halves to the even neighbour, with that many digits behind the point (before it where negative).
double rounded(double value, double precision);

}  // namespace fixpoint::jsonata
