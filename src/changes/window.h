#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace fixpoint::changes {

/// A maintenance window, as text: `sat,sun 22:00-04:00 Europe/Berlin`. Days are mon to sun, ranges of them (`mon-fri`),
/// or `daily`; the times are the wall clock's in an IANA time zone; a window whose end is not after its beginning ends
/// on the day after it began (`00:00-00:00` is the whole day). It belongs to the day on which it begins.
///
/// Where a clock is put forward over the beginning or the end, the moment of the change counts; where it is put back
/// and a time comes twice, a window begins at the first and ends at the second.
struct Window {
  unsigned days = 0;  ///< bit 0 is Sunday
  int from_minute = 0;
  int to_minute = 0;
  std::string zone;
  std::string text;  ///< as it was given

  /// As somebody gives it. Error: ValidationException that says which part is wrong and what it would have to be.
  static Result<Window> parse(std::string_view text);
  /// As it is stored: what was a window when it was set is one, whatever parse() thinks of it now. One from a time to
  /// the same lasts a whole day, and one whose zone this machine does not know stays closed. Error: as of parse().
  static Result<Window> read(std::string_view text);
};

struct Opening {
  bool open = false;
  TimeMs at_ms = 0;   ///< of a closed one: when a window opens next
  std::string which;  ///< the window that is open, or that opens next
};

/// Where there are no windows it is always open.
Opening look_at(const std::vector<Window>& windows, TimeMs now_ms);

}  // namespace fixpoint::changes
