#pragma once

#include <cstdint>

#include "store/store.h"

namespace fixpoint::store {

inline constexpr std::int64_t rows_a_piece = 2000;

/// Runs `take_away`, which deletes at most `rows_a_piece` rows and says how many it did, in one transaction after
/// another until it finds fewer. Rows without number that go in one transaction hold up everybody's writes, and are in
/// memory until it is committed. What an error or a crash leaves is there for the next time.
template <class TakeAway>
Result<void> in_pieces(Store& store, TakeAway take_away) {
  while (true) {
    FIXPOINT_TRY(gone, store.write([&](Transaction& tx) -> Result<std::int64_t> { return take_away(tx); }));
    if (gone < rows_a_piece) return {};
  }
}

}  // namespace fixpoint::store
