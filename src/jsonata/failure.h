#pragma once

#include <cstddef>
#include <string>

namespace fixpoint::jsonata {

/// Ends an evaluation or compilation; thrown inside this room only, and turned into an Error at its border.
struct Failure {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  std::string code;
  std::string message;
  std::size_t place = nowhere;  ///< bytes from the start of the expression to the end of the token at fault
  std::string token;            ///< the operator or function at fault, where the message should name it
};

}  // namespace fixpoint::jsonata
