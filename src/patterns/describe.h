#pragma once

#include <string>
#include <vector>

#include "patterns/pattern.h"

namespace fixpoint::patterns {

/// What a field has to be, in words: `"FAILED" or a text that begins with "x"`.
std::string describe(const std::vector<Test>& tests);

}  // namespace fixpoint::patterns
