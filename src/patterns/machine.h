#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "patterns/pattern.h"

namespace fixpoint::patterns {

/// A rule within one Machine: 0 to rule_count() - 1, in the order of the rules' names.
using RuleId = std::uint32_t;

struct MachineData;

/// What one thread needs to match with: buffers that are kept from event to event. One for each thread that matches;
/// any machine may use it. After the first events of a kind, matching allocates nothing.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// A set of rules made ready for matching. Immutable: any number of threads may match with one machine at once, each
/// with its own Scratch, without a lock. Shared by shared_ptr: who holds it may use it however the RuleSet goes on.
class Machine {
 public:
  struct Rule {
    std::string_view name;
    const Pattern* pattern;
  };
  /// Of rules with different names. The patterns and names are read now and not needed afterwards.
  static std::shared_ptr<const Machine> build(const std::vector<Rule>& rules);

  explicit Machine(std::unique_ptr<const MachineData> data);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Replaces `out` by the rules that the event matches, in ascending order. The event's text is read once, and no
  /// document is made of it; parts that no rule asks for are skipped, in which only brackets and quotes have to be in
  /// order. Time: linear in the event for a given machine (LANGUAGE.md says with what factor). Error:
  /// ValidationException where the text is no JSON object as far as it was read, or nests deeper than max_depth, with
  /// the byte's line and column in `where`; `out` is then empty.
  Result<void> match(std::string_view event_text, std::vector<RuleId>& out, Scratch& scratch) const;

  std::size_t rule_count() const;
  std::string_view name(RuleId rule) const;
  /// What the machine holds in memory.
  std::size_t bytes() const;

  const MachineData& data() const { return *data_; }

 private:
  std::unique_ptr<const MachineData> data_;
};

/// The rules by name, and the machine of them. All calls may come from any thread; changes wait for each other, readers
/// wait for nobody: machine() gives the machine of the last finished change, and who goes on with an older one finishes
/// undisturbed. A change builds a new machine of all rules (some microseconds a rule), so make many changes in one
/// call. A removed rule leaves nothing behind.
class RuleSet {
 public:
  RuleSet();

  struct Change {
    std::string name;
    std::string pattern;  ///< its JSON text; empty: the rule is removed (that there is none is no error)
  };
  /// Sets (adds or replaces) and removes rules, all or none. Error: InvalidEventPatternException of the first pattern
  /// that is none, with the rule's name in front of `where`; the rules are then as before.
  Result<void> apply(const std::vector<Change>& changes);
  Result<void> set(std::string name, std::string pattern) { return apply({{std::move(name), std::move(pattern)}}); }
  void remove(std::string_view name);

  /// Never null.
  std::shared_ptr<const Machine> machine() const;
  std::size_t size() const;

 private:
  struct Stored {
    std::string name;
    std::string pattern;
  };
  mutable std::mutex changing_;  // held while a machine is built
  std::vector<Stored> rules_;    // by name
  mutable std::mutex publishing_;
  std::shared_ptr<const Machine> machine_;
};

}  // namespace fixpoint::patterns
