#include <gmock/gmock.h>
#include <random>

#include "gateway/hub.h"

namespace fixpoint::gateway {
namespace {

using testing::HasSubstr;

// Texts that PostgreSQL keeps otherwise than SQLite, or not at all, make no difference to what becomes of a finding.

TEST(StrangeFindings, an_id_with_nul_takes_no_other_finding_with_it) {
  Hub hub;
  const Value good = hub.bucket();
  const Value strange = other(good, std::string("nul/\0", 5));
  const auto taken = hub.securityhub->import_all({strange, good}, hub.caller.region);
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_EQ(hub.stored(good)["Id"], good["Id"]);
  EXPECT_EQ(hub.stored(strange)["Id"], strange["Id"]);
  const auto open = hub.open();  // one for both
  EXPECT_EQ(open.subject, "") << "the strange one came first";
  hub.ended_or_asks(open.id);
  EXPECT_THAT(hub.journal_of(open.id), HasSubstr("the same work for another finding: "));
  ASSERT_TRUE(hub.answer(open.id, true, "ann"));
  EXPECT_EQ(hub.ended(open.id).outcome, "fixed");
  for (const Value* finding : {&good, &strange}) EXPECT_EQ(hub.status(*finding), "RESOLVED");
}

TEST(StrangeFindings, an_id_that_is_too_long_to_be_one_is_a_dead_letter_and_stops_nothing_else) {
  Hub hub;
  const Value good = hub.bucket();
  // An event of a person's own: Security Hub would not take the finding.
  std::mt19937 random(7);
  std::string id;
  for (int i = 0; i < 6000; ++i) id += static_cast<char>('0' + static_cast<int>(random() % 64));
  const bus::BusName where{hub.caller.account, hub.caller.region, hub.caller.partition, "default"};
  const auto event = [&](const Value& finding) {
    return hub.bus->make_event(where, "tests", "Security Hub Findings - Imported", {},
                               Object{{"findings", json::Array{finding}}});
  };
  const auto put = hub.store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(hub.bus->publish(tx, event(other(good, id))));
    return hub.bus->publish(tx, event(good));
  });
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(hub.open().subject, good["Id"].as_string());
  const auto left = hub.bus->deliveries().left(10).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].state, "dropped");
  EXPECT_THAT(left[0].error, HasSubstr("ValidationException: the finding's ProductArn and Id together have 60"));
  hub.settle();
}

}  // namespace
}  // namespace fixpoint::gateway
