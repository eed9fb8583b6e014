#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/person.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::bus {

/// Where rules live: an account's bus in a region.
struct BusName {
  std::string account, region, partition = "aws", name = "default";

  /// arn:PARTITION:events:REGION:ACCOUNT:event-bus/NAME
  std::string arn() const;
};

/// A rule has a pattern, or a schedule, or both.
struct Rule {
  BusName bus;
  std::string name;
  std::string pattern;   ///< JSON text as it was given; may be empty
  std::string schedule;  ///< rate(...) or cron(...); may be empty
  std::string description;
  std::string role;
  bool enabled = true;
  bool with_all_of_cloudtrail = false;  ///< enabled as ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
  TimeMs made_ms = 0;                   ///< a rate counts from here

  /// arn:PARTITION:events:REGION:ACCOUNT:rule/NAME, or rule/BUS/NAME on a bus of another name than default.
  std::string arn() const;
};

struct Target {
  std::string id;
  std::string arn;
  json::Value form;  ///< as PutTargets gave it: Id, Arn, Input, InputPath, ...
};

/// Whose doing an event is, where that is known; not a part of the event that targets get.
struct Origin {
  std::string execution;  ///< the execution that caused it
  std::string principal;  ///< who did (`base/person.h`)
};

/// Whether the event tells of a choice of a custom action: Security Hub's own, since anybody may put events that look
/// like one, but none of AWS's sources (PutEvents refuses "aws.").
/// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
inline bool is_custom_action(const json::Value& event) {
  return event["source"].string_or("") == "aws.securityhub" &&
         event["detail-type"].string_or("") == "Security Hub Findings - Custom Action";
}

/// Code of an error, and ERROR_CODE of the dead letter, of an event that was to go from bus to bus once more than it
/// may.
inline constexpr std::string_view third_hop = "THIRD_ACCOUNT_HOP_DETECTED";

/// One event on its way to one target of a rule that it matched.
struct Delivery {
  std::string rule_arn;
  std::string rule_name;
  Target target;
  json::Value event;  ///< the whole envelope
  std::string text;   ///< what the target gets: the event, or what Input, InputPath or InputTransformer made of it
  json::Object attributes;  ///< of a dead letter: why it is one (name to text); else empty
  Origin origin;
  int hops = 0;  ///< buses that the event came through before this one

  /// (rule, target, event): what starts an execution only once.
  std::string name() const;
  /// Whether a person decided by it: chose a custom action, now. What an archive replays was decided about what was
  /// then, and whoever starts the replay chose nothing.
  bool is_decision() const {
    return is_custom_action(event) && event.find("replay-name") == nullptr && !origin.principal.empty() &&
           origin.execution.empty();
  }
  /// The person by whose doing the event is: brought the finding, put the event, started the replay. Where four eyes
  /// are required, who approves is somebody else. Empty for an execution, and where nobody is known.
  std::string person() const {
    const bool known = origin.execution.empty() && !person_of(origin.principal).empty();
    return known ? origin.principal : std::string();
  }
};

/// Begins what a delivery is for, in the transaction that it is given. What it wrote before an error is taken back. An
/// error that is `retryable` is tried again until the target's limits; any other makes the event a dead letter.
using Starter = std::function<Result<void>(store::Transaction&, const Delivery&)>;
/// The same for what cannot be part of a transaction (a request to somebody else): `done` is called once, on any
/// thread. It may be sent again after a crash.
using Sender = std::function<void(const Delivery&, std::function<void(Result<void>)> done)>;
/// Refuses an ARN that could not be a target; error: ValidationException with a sentence.
using ArnCheck = std::function<Result<void>(const std::string& arn)>;

/// A kind of target: either `start` or `send`.
struct TargetKind {
  Starter start;
  Sender send;
  ArnCheck check;
  /// Of `send`, may be empty: when a delivery may be sent. A time to come is when it is to be asked again; that counts
  /// as no try.
  std::function<TimeMs(const Delivery&)> when = {};
  /// Of `send`, may be empty: ends what is under way; `done` is called for each.
  std::function<void()> stop = {};
};

}  // namespace fixpoint::bus
