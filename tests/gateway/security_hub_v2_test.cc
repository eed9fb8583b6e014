// Security Hub V2's event, and a control as its target.
#include <gmock/gmock.h>

#include "findings/ocsf.h"
#include "gateway/hub.h"

namespace fixpoint::gateway {
namespace {

using controls::Mode;
using testing::HasSubstr;

// What another tool says in OCSF of the bucket.
Value document_of(const std::string& bucket, const std::string& check = "s3_bucket_default_encryption") {
  return Object{
      {"class_uid", 2004},
      {"activity_id", 1},
      {"activity_name", "Create"},
      {"cloud", Object{{"account", Object{{"uid", "111111111111"}}}, {"provider", "aws"}, {"region", "us-east-1"}}},
      {"finding_info", Object{{"uid", "prowler-1"}, {"title", "No encryption"}, {"created_time", 1698796800}}},
      {"metadata", Object{{"event_code", check}, {"product", Object{{"name", "Prowler"}, {"uid", "prowler"}}}}},
      {"resources", json::Array{Value(Object{{"type", "AwsS3Bucket"}, {"uid", bucket}})}},
      {"severity_id", 4},
      {"status_id", 1},
      {"status_code", "FAIL"}};
}

class V2 : public Hub {
 public:
  V2() {
    // The first rule acts on the older event as well; here V2's alone is to begin something.
    const bus::BusName where{caller.account, caller.region, caller.partition, "default"};
    must(bus->remove_targets(where, "fix", json::Array{Value("1")}));
    if (!bus->delete_rule(where, "fix")) throw std::runtime_error("the rule is not deleted");
    rule("fix-v2", R"({"source": ["aws.securityhub"], "detail-type": ["Findings Imported V2"],
      "detail": {"findings": {"severity": ["High"], "status": ["New"]}}})",
         "arn:aws:fixpoint:us-east-1:111111111111:control/*");
    mode(Mode::Auto);
    arn = must(gateway::set_scene(control("S3.4"), caller, *sandbox, kept));
  }
  Result<Value> operation(const char* name, const Value& input = Object()) {
    return table.operations.find(name)->second.function(caller, input);
  }
  void enable() { must(operation("EnableSecurityHubV2")); }
  std::size_t import_document(const Value& document) {
    const Value original = must(findings::original_of(document));
    return must(securityhub->import_all({must(findings::asff_of(original))}, caller.region, {original})).created;
  }
  Value in_v2() { return must(operation("GetFindingsV2"))["Findings"]; }

  aws::ServiceTable table = securityhub->table();
};

TEST(SecurityHubV2, a_control_is_the_target_of_its_event_and_what_it_did_shows_in_both) {
  V2 hub;
  hub.enable();
  EXPECT_EQ(hub.import_document(document_of(hub.arn)), 1U);
  const auto all = hub.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(hub.ended(all[0].id).outcome, "fixed");
  const Value finding = hub.in_v2()[0];
  EXPECT_EQ(finding["status"], Value("Resolved"));
  EXPECT_EQ(finding["finding_info"]["uid"], Value("prowler-1"));
  EXPECT_EQ(finding["status_code"], Value("FAIL"));  // as Prowler said it
  EXPECT_THAT(finding["comment"].as_string(), HasSubstr("Fixed and verified by control S3.4"));
  const Value older = Hub::must(hub.operation("GetFindings"))["Findings"][0];
  EXPECT_EQ(older["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(older["UserDefinedFields"]["fixpoint:execution"].string_or(""), all[0].id);
}

TEST(SecurityHubV2, its_event_is_sent_only_while_it_is_on) {
  V2 hub;
  hub.import_document(document_of(hub.arn));
  EXPECT_TRUE(hub.all().empty());
  const auto off = hub.operation("GetFindingsV2");
  ASSERT_FALSE(off);
  EXPECT_EQ(off.error().code, "AccessDeniedException");
  hub.enable();
  ASSERT_TRUE(hub.operation("DisableSecurityHubV2"));
  Value later = document_of(hub.arn);
  later.at_or_make("finding_info").set("modified_time", 1698796900);
  hub.import_document(later);
  EXPECT_TRUE(hub.all().empty());
}

TEST(SecurityHubV2, an_event_from_elsewhere_means_the_stored_finding_by_its_uid_and_else_what_it_says_itself) {
  V2 hub;
  hub.import_document(document_of(hub.arn));
  hub.enable();
  // Sent on from a hub that knows the finding: what has become of it here counts.
  const Value stored = hub.in_v2()[0];
  ASSERT_TRUE(hub.operation("BatchUpdateFindingsV2",
                            Object{{"MetadataUids", json::Array{stored["metadata"]["uid"]}}, {"StatusId", 3}}));
  const auto publish = [&](const Value& ocsf) {
    const Value event = services::SecurityHub::imported_event_v2(*hub.bus, ocsf, {"111111111111", "us-east-1"});
    ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) { return hub.bus->publish(tx, event); }));
  };
  publish(stored);
  EXPECT_TRUE(hub.all().empty());  // it is suppressed by now
  Value unknown = stored;
  unknown.at_or_make("finding_info").set("uid", "another");
  unknown.at_or_make("metadata").set("uid", "nobody-knows-it");
  publish(unknown);
  ASSERT_EQ(hub.all().size(), 1U);
  EXPECT_EQ(hub.ended(hub.all()[0].id).outcome, "fixed");
  // What is no finding about an account begins nothing and stops nothing.
  Value kubernetes = unknown;
  kubernetes.as_object().find("metadata")->set("uid", "nor-this");
  kubernetes.as_object().find("cloud")->as_object().erase("account");
  kubernetes.as_object().find("cloud")->set("account", Object{{"uid", "111111111111"}});
  kubernetes.as_object().erase("resources");
  publish(kubernetes);
  EXPECT_EQ(hub.all().size(), 1U);
}

TEST(SecurityHubV2, a_check_that_no_control_is_for_begins_nothing) {
  V2 hub;
  hub.enable();
  hub.import_document(document_of(hub.arn, "s3_bucket_object_versioning"));
  EXPECT_TRUE(hub.all().empty());
}

TEST(SecurityHubV2, both_events_together_are_one_piece_of_work) {
  V2 hub;
  hub.enable();
  hub.rule("fix-both", R"({"source": ["aws.securityhub"]})", "arn:aws:fixpoint:us-east-1:111111111111:control/*");
  hub.import_document(document_of(hub.arn));
  hub.settle();
  EXPECT_EQ(hub.all().size(), 1U);
}

}  // namespace
}  // namespace fixpoint::gateway
