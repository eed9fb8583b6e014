#pragma once

#include "bus/rule.h"
#include "json/text.h"

namespace fixpoint::bus {

// How rules and targets stand in the store; for this room alone.

constexpr const char* rule_columns =
    "SELECT account, region, bus, name, partition, pattern, description, role, enabled, schedule, made_ms FROM "
    "bus_rule ";

inline Rule rule_of(store::Row& row) {
  Rule rule;
  rule.bus = {row.take(0), row.take(1), row.take(4), row.take(2)};
  rule.name = row.take(3);
  rule.pattern = row.take(5);
  rule.description = row.take(6);
  rule.role = row.take(7);
  rule.enabled = row.integer(8) != 0;
  rule.with_all_of_cloudtrail = row.integer(8) == 2;
  rule.schedule = row.take(9);
  rule.made_ms = row.integer(10);
  return rule;
}

/// Of a row that begins with id, arn, form.
inline Result<Target> target_of(store::Row& row) {
  Target target;
  target.id = row.take(0);
  target.arn = row.take(1);
  FIXPOINT_TRY(form, json::parse(row.text(2)));
  target.form = std::move(form);
  return target;
}

}  // namespace fixpoint::bus
