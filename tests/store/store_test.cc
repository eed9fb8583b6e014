#include "store/store.h"

#include <gtest/gtest.h>
#include <thread>

#include "support/temp_dir.h"

namespace fixpoint::store {
namespace {

const std::vector<Schema> schemas{
    {"toys", {"CREATE TABLE toy (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT"}}};

std::int64_t count_of(Store& store, const std::string& name) {
  return store
      .read([&](Session& session) -> Result<std::int64_t> {
        FIXPOINT_TRY(rows, session.query("SELECT count FROM toy WHERE name = ?", {name}));
        return rows.empty() ? -1 : rows[0].integer(0);
      })
      .value();
}

Result<void> put(Transaction& tx, const std::string& name, std::int64_t count) {
  FIXPOINT_CHECK(tx.execute("INSERT INTO toy VALUES (?, ?)", {name, count}));
  return {};
}

TEST(Store, what_was_committed_is_there_after_a_reopen) {
  const test::TempDir dir;
  {
    auto store = Store::open({.folder = dir.string()}, schemas);
    ASSERT_TRUE(store) << describe(store.error());
    ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 3); }));
  }
  auto store = Store::open({.folder = dir.string()}, schemas);
  ASSERT_TRUE(store);
  EXPECT_EQ(count_of(**store, "ball"), 3);
}

TEST(Store, a_transaction_that_fails_takes_back_itself_and_nothing_else) {
  auto store = Store::open({}, schemas);
  ASSERT_TRUE(store) << describe(store.error());
  bool ran = false;
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
  const auto failed = (*store)->write([&](Transaction& tx) -> Result<void> {
    tx.after_commit([&] { ran = true; });
    FIXPOINT_CHECK(put(tx, "kite", 1));
    return put(tx, "ball", 2);
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "StoreConflict");
  EXPECT_FALSE(ran);
  EXPECT_EQ(count_of(**store, "kite"), -1);
  EXPECT_EQ(count_of(**store, "ball"), 1);
}

TEST(Store, a_transaction_that_throws_fails_alone) {
  auto store = Store::open({}, schemas);
  const auto failed = (*store)->write([](Transaction&) -> Result<void> { throw std::runtime_error("oops"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "InternalFailure");
  EXPECT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
}

TEST(Store, loses_no_update_of_several_threads) {
  const test::TempDir dir;
  auto store = Store::open({.folder = dir.string(), .durable = false}, schemas);
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 0); }));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const auto done = (*store)->write([](Transaction& tx) -> Result<void> {
          FIXPOINT_TRY(rows, tx.query("SELECT count FROM toy WHERE name = 'ball'"));
          FIXPOINT_CHECK(tx.execute("UPDATE toy SET count = ? WHERE name = 'ball'", {rows[0].integer(0) + 1}));
          return {};
        });
        ASSERT_TRUE(done) << describe(done.error());
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count_of(**store, "ball"), 400);
}

TEST(Store, refuses_a_database_of_a_newer_program) {
  const test::TempDir dir;
  {
    auto newer = schemas;
    newer[0].steps.push_back("ALTER TABLE toy ADD COLUMN colour TEXT");
    ASSERT_TRUE(Store::open({.folder = dir.string()}, newer));
  }
  const auto store = Store::open({.folder = dir.string()}, schemas);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("version 2 of 'toys'"), std::string::npos) << store.error().message;
}

TEST(Store, a_schema_step_that_fails_leaves_the_version_before) {
  const test::TempDir dir;
  auto broken = schemas;
  broken[0].steps.push_back("CREATE TABLE kite (a TEXT) STRICT; CREATE TABEL oops");
  EXPECT_FALSE(Store::open({.folder = dir.string()}, broken));
  EXPECT_TRUE(Store::open({.folder = dir.string()}, schemas));
}

TEST(Store, keeps_bytes_and_large_integers) {
  auto store = Store::open({}, {{"raw", {"CREATE TABLE raw (a ANY, b ANY, c ANY) STRICT"}}});
  const std::string bytes("a\0b\xff", 4);
  ASSERT_TRUE((*store)->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("INSERT INTO raw VALUES (?, ?, ?)", {bytes, std::int64_t{9007199254740993}, nullptr}));
    return {};
  }));
  const auto rows = (*store)->read([](Session& s) { return s.query("SELECT a, b, c FROM raw"); });
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[0].text(0), bytes);
  EXPECT_EQ((*rows)[0].integer(1), 9007199254740993);
  EXPECT_TRUE((*rows)[0].is_null(2));
}

TEST(Store, keeps_blobs_apart_from_text) {
  auto store = Store::open({}, {{"blobs", {"CREATE TABLE kept (bytes BLOB PRIMARY KEY) STRICT"}}}).value();
  const std::string bytes("a\0\xff", 3);
  ASSERT_TRUE(store->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("INSERT INTO kept VALUES (?)", {Blob{bytes}}));
    FIXPOINT_CHECK(tx.execute("INSERT INTO kept VALUES (?)", {Blob{}}));
    return {};
  }));
  const auto rows = store->read([&](Session& session) {
    return session.query("SELECT bytes FROM kept WHERE bytes <= ? ORDER BY bytes DESC", {Blob{bytes}});
  });
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].text(0), bytes);
  EXPECT_EQ((*rows)[1].text(0), "");
  EXPECT_FALSE((*rows)[1].is_null(0));
}

TEST(Store, a_folder_that_cannot_be_made_is_an_error) {
  const auto store = Store::open({.folder = "/proc/nothing/here"}, schemas);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "StoreError");
}

}  // namespace
}  // namespace fixpoint::store
