#pragma once

#include <cstdint>

namespace fixpoint {

/// A named place at which a test ends the process as a power cut would: with SIGKILL, no handler, no destructor.
///
/// Inert unless the environment variable FIXPOINT_FAULT was set when the process first came to any such place. Its form
/// is NAME or NAME:N: the N-th time (from 1, counted over all threads) that the place NAME is come to, the process ends
/// there. A name that does not exist is never come to. Thread-safe; where it is inert it costs one look at a flag.
///
/// The places, in the order in which a finding comes by:
/// - import.in_commit: a finding, its history and what its event began are written, their transaction is not committed;
/// - bus.delivered: a target of a rule has begun, in the transaction of the event;
/// - import.after_commit: the findings of a call are committed, nobody was told;
/// - approval.asked: a question is written, in the transaction of its step;
/// - approval.answered: an answer is written, with what it wakes, its transaction is not committed;
/// - door.intent_stored: the intent and the state before are committed, the changing call is not made;
/// - door.call_made: the account has answered the changing call, its result is not stored;
/// - door.result_stored: the result is committed, the execution's step is not;
/// - function.called: a function's credentials are issued, its handler was not called;
/// - function.returned: the handler has answered, and nothing of it is written;
/// - executor.before_commit: a step is done, and nothing of it is written;
/// - finding.updated: a finding and its history are written, in the transaction of the step or request that does it;
/// - executor.in_commit: a step is written, its transaction is not committed;
/// - executor.after_commit: a step is committed, nobody was told;
/// - store.before_commit, store.after_commit: around every commit of the store, with all that shares it.
void fault_point(const char* name) noexcept;

/// True where FIXPOINT_FAULT is set: the embedded account then notes the changing calls of executions, for a test to
/// count them.
bool is_fault_test() noexcept;

/// What a test adds to the machine's clock, in milliseconds: FIXPOINT_CLOCK names a file of 8 bytes, an integer in the
/// machine's order, and the test may change it while the process runs. 0 where it is not set.
std::int64_t clock_offset_ms() noexcept;

}  // namespace fixpoint
