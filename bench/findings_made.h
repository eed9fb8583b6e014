#pragma once

#include <cstdint>
#include <string>

namespace fixpoint::bench {

/// The JSON of the n-th finding of a made-up organisation, about 4 KB: 60 accounts in 6 regions, 200 controls of 24
/// services with several resources each, and one finding in ten of another product (GuardDuty, Inspector). The same
/// for the same n. Deterministic, and no finding is like another in its ids, times, tags and details.
std::string made_finding(std::uint64_t n);

/// What the filters of the benchmark ask for.
std::string made_account(std::uint64_t account);
std::string made_control(std::uint64_t control);

}  // namespace fixpoint::bench
