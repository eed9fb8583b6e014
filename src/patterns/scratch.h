#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/blocks.h"
#include "patterns/decimal.h"
#include "patterns/machine.h"
#include "patterns/machine_data.h"

namespace fixpoint::patterns {

enum class LeafType : std::uint8_t { Text, Number, True, False, Null };

/// A value of the event at a path that some rule asks for.
struct Leaf {
  const char* data;
  std::uint32_t length;
  std::uint32_t next;     ///< the next leaf of the path
  std::uint32_t element;  ///< the array element that it lies in, 0 for none
  std::uint32_t folded;   ///< offset of the folded text, or none as long as nobody asked
  std::uint32_t folded_length;
  std::uint32_t number;  ///< index of the parsed number, for numbers
  LeafType type;

  std::string_view text() const { return {data, length}; }
};

/// An object or array that is an element of an array. The first one stands for the event itself.
struct Element {
  std::uint32_t parent;
  std::uint32_t array;
  std::uint32_t depth;
};

struct Scratch::State {
  std::vector<Block> blocks;
  std::vector<Leaf> leaves;
  std::vector<std::uint32_t> leaves_of;  ///< by path: the first leaf; all none between events
  std::vector<std::uint32_t> touched;    ///< the paths that have leaves
  std::vector<Element> elements;
  std::uint32_t arrays = 0;
  std::string decoded;  ///< texts that were written with escapes; never grows while an event is matched
  std::string folded;
  std::string string;
  std::vector<Decimal> numbers;
  std::size_t number_count = 0;
  std::vector<std::uint32_t> candidates;
  std::vector<std::uint32_t> entered;  ///< by entry: the event that last came to it, for entries of many candidates
  std::uint32_t event = 0;             ///< counts the events
  // For consistency.cc: the elements in which each field of a branch is satisfied.
  std::vector<std::uint32_t> choices;
  std::vector<std::uint32_t> ends;
  std::vector<std::uint32_t> chosen;

  std::string_view folded_text(Leaf& leaf);
  void forget();
};

/// Whether one of the predicate's values is the leaf's; absence aside.
bool holds(const MachineData& data, Scratch::State& state, const Predicate& predicate, Leaf& leaf);

/// Whether all fields of the branch hold in one consistent choice of array elements. `too_hard` is set, and the answer
/// false, where an event that repeats names within objects makes the choice too large.
bool consistent(const MachineData& data, Scratch::State& state, const SubRule& sub, bool& too_hard);

/// Reads the event: fills leaves, elements and candidates. False with the offset of the fault.
bool scan(const MachineData& data, Scratch::State& state, std::string_view text, std::size_t& offset,
          const char*& fault);

}  // namespace fixpoint::patterns
