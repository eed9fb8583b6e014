#pragma once

namespace fixpoint {

/// A named place at which a test ends the process as a power cut would: with SIGKILL, no handler, no destructor.
///
/// Inert unless the environment variable FIXPOINT_FAULT was set when the process first came to any such place. Its form
/// is NAME or NAME:N: the N-th time (from 1, counted over all threads) that the place NAME is come to, the process ends
/// there. A name that does not exist is never come to. Thread-safe; where it is inert it costs one look at a flag.
///
/// The places, in the order in which a change comes by:
/// - door.intent_stored: the intent and the state before are committed, the changing call is not made;
/// - door.call_made: the account has answered the changing call, its result is not stored;
/// - door.result_stored: the result is committed, the execution's step is not;
/// - executor.before_commit: a step is done, and nothing of it is written;
/// - executor.in_commit: a step is written, its transaction is not committed;
/// - executor.after_commit: a step is committed, nobody was told.
void fault_point(const char* name) noexcept;

}  // namespace fixpoint
