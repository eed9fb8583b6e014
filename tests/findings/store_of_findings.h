#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "findings/finding_store.h"
#include "findings/sample.h"
#include "support/postgres.h"

namespace fixpoint::findings {

/// A store in memory with a clock that stands at the sample's time.
class StoreOfFindings : public testing::Test {
 protected:
  Stored import(const json::Value& finding) {
    return store_->write([&](store::Transaction& tx) { return findings_.import(tx, finding); }).value();
  }
  std::optional<Stored> update(const char* update, const std::string& id = "finding-1",
                               const std::string& by = "arn:aws:iam::111111111111:user/anna") {
    return store_
        ->write([&](store::Transaction& tx) {
          return findings_.update(tx, {sample()["ProductArn"].as_string(), id}, *json::parse(update), by);
        })
        .value();
  }
  Filters compile(const std::string& filters) {
    return Filters::compile(*json::parse(filters), clock_.now_ms()).value();
  }
  Page find(const std::string& filters, const std::vector<SortKey>& sort = {}, std::size_t limit = 100,
            const std::string& token = "") {
    auto page = findings_.find(compile(filters), sort, limit, token);
    EXPECT_TRUE(page) << (page ? "" : describe(page.error()));
    return page ? std::move(*page) : Page{};
  }
  json::Value stored(const std::string& id = "finding-1") {
    return store_
        ->read(
            [&](store::Session& session) { return findings_.get(session, {sample()["ProductArn"].as_string(), id}); })
        .value()
        .value();
  }

  ManualClock clock_{1704164645678};
  std::unique_ptr<store::Store> store_ = store::Store::open(test::store_options(), {FindingStore::schema()}).value();
  FindingStore findings_{*store_, clock_, "a key of the test"};
};

/// The same, as its provider updated it so many days into February.
inline json::Value later(json::Value finding, int days) {
  finding.set("UpdatedAt", "2024-02-" + std::string(days < 10 ? "0" : "") + std::to_string(days) + "T00:00:00.000Z");
  return finding;
}

}  // namespace fixpoint::findings
