#include "store/store.h"

#include <atomic>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <thread>

#include "store/kept.h"
#include "store/later.h"
#include "support/postgres.h"
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
    auto store = Store::open(test::store_options(dir.string()), schemas);
    ASSERT_TRUE(store) << describe(store.error());
    ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 3); }));
  }
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store);
  EXPECT_EQ(count_of(**store, "ball"), 3);
}

TEST(Store, a_transaction_that_fails_takes_back_itself_and_nothing_else) {
  auto store = Store::open(test::store_options(), schemas);
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

TEST(Kept, is_read_again_after_a_change_of_it_and_not_before) {
  auto store = Store::open(test::store_options(), schemas).value();
  int reads = 0;
  bool broken = false;
  Kept<std::int64_t> sum(*store, [&](Session& session) -> Result<std::int64_t> {
    ++reads;
    if (broken) return fail(errors::internal("broken"));
    FIXPOINT_TRY(rows, session.query("SELECT COALESCE(SUM(count), 0) FROM toy"));
    return rows[0].integer(0);
  });
  EXPECT_EQ(**sum.get(), 0);
  EXPECT_EQ(**sum.get(), 0);
  EXPECT_EQ(reads, 1);
  const auto add = [&](const std::string& name, bool says, bool fails) {
    return store->write([&](Transaction& tx) -> Result<void> {
      if (says) tx.changes_kept();
      FIXPOINT_CHECK(put(tx, name, 5));
      if (fails) return fail(errors::internal("taken back"));
      return {};
    });
  };
  ASSERT_TRUE(add("ball", true, false));
  EXPECT_EQ(**sum.get(), 5) << "who asks after the answer gets what was written";
  ASSERT_FALSE(add("kite", true, true));
  EXPECT_EQ(**sum.get(), 5);
  EXPECT_EQ(reads, 2) << "what was taken back changed nothing";
  ASSERT_TRUE(add("kite", false, false));
  EXPECT_EQ(**sum.get(), 5) << "a transaction that does not say so changes nothing that is kept";
  ASSERT_TRUE(add("doll", true, false));
  broken = true;
  EXPECT_EQ(sum.get().error().message, "broken");
  broken = false;
  EXPECT_EQ(**sum.get(), 15) << "an error is not kept";
}

TEST(Kept, never_goes_back_to_what_was_before_an_answer) {
  auto store = Store::open(test::store_options(), schemas).value();
  ASSERT_TRUE(store->write([](Transaction& tx) { return put(tx, "ball", 0); }));
  Kept<std::int64_t> count(*store, [](Session& session) -> Result<std::int64_t> {
    FIXPOINT_TRY(rows, session.query("SELECT count FROM toy"));
    return rows[0].integer(0);
  });
  std::atomic<std::int64_t> answered = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  std::atomic<int> behind = 0;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const std::int64_t at_least = answered;
        if (**count.get() < at_least) ++behind;
      }
    });
  for (int i = 1; i <= 500; ++i) {
    ASSERT_TRUE(store->write([&](Transaction& tx) -> Result<void> {
      tx.changes_kept();
      FIXPOINT_CHECK(tx.execute("UPDATE toy SET count = ?", {std::int64_t{i}}));
      return {};
    }));
    answered = i;
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(behind, 0);
}

// What the page cache forgets at each end of a transaction is what lies behind the end of the file, and nothing else.
TEST(Store, pages_are_what_was_written_through_growth_shrinking_and_taking_back) {
  const test::TempDir dir;
  const std::vector<Schema> pieces{
      {"blobs",
       {"CREATE TABLE piece (key INTEGER PRIMARY KEY, size INTEGER NOT NULL, bytes TEXT NOT NULL) STRICT; CREATE "
        "INDEX piece_size ON piece (size)"}}};
  std::map<std::int64_t, std::string> model;
  std::mt19937 random(7);
  const auto text = [&] {
    return std::string(random() % 3 == 0 ? random() % 9000 : random() % 60, 'a' + random() % 26);
  };
  {
    auto store = Store::open(test::store_options(dir.string()), pieces).value();
    for (int round = 0; round < 300; ++round) {
      const bool fails = random() % 4 == 0;
      const bool shrinks = round % 40 > 30;
      auto next = model;
      const auto done = store->write([&](Transaction& tx) -> Result<void> {
        for (int i = 0; i < 30; ++i) {
          const std::int64_t key = random() % 2000;
          if (shrinks || random() % 5 == 0) {
            FIXPOINT_CHECK(tx.execute("DELETE FROM piece WHERE key BETWEEN ? AND ?", {key, key + 10}));
            next.erase(next.lower_bound(key), next.upper_bound(key + 10));
          } else {
            next[key] = text();
            FIXPOINT_CHECK(
                tx.execute("INSERT INTO piece VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET size = excluded.size, "
                           "bytes = excluded.bytes",
                           {key, static_cast<std::int64_t>(next[key].size()), next[key]}));
          }
        }
        if (fails) return fail(errors::internal("taken back"));
        return {};
      });
      EXPECT_EQ(done.has_value(), !fails) << (done ? "" : describe(done.error()));
      if (!fails) model = std::move(next);
    }
  }
  auto store = Store::open(test::store_options(dir.string()), pieces).value();
  std::map<std::int64_t, std::string> found;
  ASSERT_TRUE(store->read([&](Session& session) {
    return session.scan("SELECT key, bytes FROM piece", {}, [&](Row& row) {
      found[row.integer(0)] = row.text(1);
      return true;
    });
  }));
  EXPECT_EQ(found.size(), model.size());
  EXPECT_TRUE(found == model);
}

// What the savepoint would take back is several megabytes here.
TEST(Store, a_transaction_may_overwrite_much) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  const auto put_all = [&](std::int64_t count) {
    return (*store)->write([&](Transaction& tx) -> Result<void> {
      for (int i = 0; i < 4000; ++i)
        FIXPOINT_CHECK(
            tx.execute("INSERT INTO toy VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = excluded.count",
                       {std::to_string(i) + std::string(2000, 'x'), count}));
      return {};
    });
  };
  ASSERT_TRUE(put_all(1));
  const auto over = put_all(2);
  ASSERT_TRUE(over) << describe(over.error());
  EXPECT_EQ(count_of(**store, "7" + std::string(2000, 'x')), 2);
}

TEST(Store, a_transaction_that_throws_fails_alone) {
  auto store = Store::open(test::store_options(), schemas);
  const auto failed = (*store)->write([](Transaction&) -> Result<void> { throw std::runtime_error("oops"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "InternalFailure");
  EXPECT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
}

TEST(LaterWrites, end_after_those_under_way_have_told_how_they_went) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  std::promise<void> go;
  auto may_go = go.get_future().share();
  std::vector<std::string> told;  // by the writer's thread alone, and read when that has ended with it
  {
    LaterWrites later(**store);
    for (const std::int64_t count : {1, 2})
      later.write<std::int64_t>(
          [=](Transaction& tx) -> Result<std::int64_t> {
            may_go.wait();
            FIXPOINT_CHECK(put(tx, "ball", count));
            return count;
          },
          [&](const Result<std::int64_t>& result) {
            told.push_back(result ? std::to_string(*result) : result.error().code);
          });
    EXPECT_TRUE(told.empty());
    go.set_value();
  }
  EXPECT_EQ(told, (std::vector<std::string>{"1", "StoreConflict"}));
  EXPECT_EQ(count_of(**store, "ball"), 1);
}

// More than SQLite keeps in memory of what a savepoint would take back: it goes on in a file, of any length.
TEST(Store, takes_back_what_has_changed_many_pages_and_keeps_what_has) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  constexpr int rows = 10'000;
  const auto name = [](int i) { return std::to_string(i) + std::string(2000, 'n'); };
  ASSERT_TRUE((*store)->write([&](Transaction& tx) -> Result<void> {
    for (int i = 0; i < rows; ++i) FIXPOINT_CHECK(put(tx, name(i), i));
    return {};
  }));
  const auto refused = (*store)->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("UPDATE toy SET count = -5"));
    return put(tx, name(0), 0);
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "StoreConflict") << describe(refused.error());
  for (const int i : {0, rows / 2, rows - 1}) EXPECT_EQ(count_of(**store, name(i)), i);
  const auto kept = (*store)->write([&](Transaction& tx) { return tx.execute("UPDATE toy SET count = count + 1"); });
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_EQ(*kept, rows);
  for (const int i : {0, rows / 2, rows - 1}) EXPECT_EQ(count_of(**store, name(i)), i + 1);
}

TEST(Store, loses_no_update_of_several_threads) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
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
    ASSERT_TRUE(Store::open(test::store_options(dir.string()), newer));
  }
  const auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("version 2 of 'toys'"), std::string::npos) << store.error().message;
}

TEST(Store, a_schema_step_that_fails_leaves_the_version_before) {
  const test::TempDir dir;
  auto broken = schemas;
  broken[0].steps.push_back("CREATE TABLE kite (a TEXT) STRICT; CREATE TABEL oops");
  EXPECT_FALSE(Store::open(test::store_options(dir.string()), broken));
  EXPECT_TRUE(Store::open(test::store_options(dir.string()), schemas));
}

TEST(Store, keeps_bytes_large_integers_and_reals_as_they_are) {
  const std::vector<Schema> raw{
      {"raw", {"CREATE TABLE raw (a BLOB, b INTEGER, c TEXT, d REAL, text TEXT NOT NULL DEFAULT 'none') STRICT"}}};
  auto store = Store::open(test::store_options(), raw);
  ASSERT_TRUE(store) << describe(store.error());
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const auto written = (*store)->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("INSERT INTO raw (a, b, c, d) VALUES (?, ?, ?, ?)",
                              {Blob{bytes}, std::int64_t{9007199254740993}, nullptr, 0.1}));
    return {};
  });
  ASSERT_TRUE(written) << describe(written.error());
  const auto rows = (*store)->read([](Session& s) { return s.query("SELECT a, b, c, d, text FROM raw"); });
  ASSERT_TRUE(rows) << describe(rows.error());
  EXPECT_EQ((*rows)[0].text(0), bytes);
  EXPECT_EQ((*rows)[0].integer(1), 9007199254740993);
  EXPECT_TRUE((*rows)[0].is_null(2));
  EXPECT_EQ((*rows)[0].real(3), 0.1);
  EXPECT_EQ((*rows)[0].text(4), "none");
}

TEST(Store, texts_are_ordered_by_their_bytes) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  for (const char* name : {"b", "a-c", "ab", "B", "\xC3\xA4", "a c", "_"})
    ASSERT_TRUE((*store)->write([&](Transaction& tx) { return put(tx, name, 1); }));
  const auto rows =
      (*store)->read([](Session& s) { return s.query("SELECT name FROM toy WHERE name > ? ORDER BY name", {"A"}); });
  ASSERT_TRUE(rows) << describe(rows.error());
  std::string order;
  for (const Row& row : *rows) order += row.text(0) + "|";
  EXPECT_EQ(order, "B|_|a c|a-c|ab|b|\xC3\xA4|");
}

TEST(Store, a_scan_stops_where_it_is_told_and_other_statements_may_run_within) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  ASSERT_TRUE((*store)->write([](Transaction& tx) -> Result<void> {
    for (int i = 0; i < 1000; ++i) FIXPOINT_CHECK(put(tx, "toy-" + std::to_string(i), i));
    return {};
  }));
  std::int64_t seen = 0;
  std::int64_t sum = 0;
  const auto done = (*store)->read([&](Session& session) -> Result<void> {
    for (const int wanted : {700, 5000}) {
      int count = 0;
      FIXPOINT_CHECK(
          session.scan("SELECT count FROM toy WHERE count >= ? ORDER BY count", {std::int64_t{0}}, [&](Row& row) {
            ++seen;
            if (row.integer(0) % 100 != 0) return ++count < wanted;
            int inner = 0;
            auto nested = session.scan("SELECT count FROM toy", {}, [&](Row&) { return ++inner < 3; });
            auto rows =
                session.query("SELECT count FROM toy WHERE name = ?", {"toy-" + std::to_string(row.integer(0))});
            EXPECT_TRUE(nested && rows);
            if (rows) sum += (*rows)[0].integer(0);
            return ++count < wanted;
          }));
    }
    return {};
  });
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(seen, 1700);
  EXPECT_EQ(sum, 2100 + 4500);
}

TEST(Store, a_view_does_not_change_under_its_reader) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
  const auto done = (*store)->read([&](Session& session) -> Result<void> {
    FIXPOINT_TRY(before, session.query("SELECT count(*) FROM toy"));
    auto written = std::async(std::launch::async,
                              [&] { return (*store)->write([](Transaction& tx) { return put(tx, "kite", 1); }); });
    FIXPOINT_CHECK(written.get());
    FIXPOINT_TRY(after, session.query("SELECT count(*) FROM toy"));
    EXPECT_EQ(before[0].integer(0), 1);
    EXPECT_EQ(after[0].integer(0), 1);
    return {};
  });
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(count_of(**store, "kite"), 1);
}

TEST(Store, is_not_read_anew_from_within_a_transaction_or_a_read) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  auto other = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(other) << describe(other.error());
  const auto inner = [&] { return (*store)->read([](Session&) -> Result<int> { return 1; }); };
  ASSERT_TRUE((*store)->write([&](Transaction& tx) -> Result<void> {
    const auto read = inner();
    EXPECT_FALSE(read);
    if (!read) EXPECT_THAT(read.error().message, ::testing::HasSubstr("from within a transaction or a read"));
    EXPECT_EQ(count_of(**other, "ball"), -1);
    return put(tx, "ball", 1);
  }));
  ASSERT_TRUE((*store)->read([&](Session&) -> Result<void> {
    EXPECT_FALSE(inner());
    return {};
  }));
  EXPECT_TRUE(inner());
  EXPECT_EQ(count_of(**store, "ball"), 1);
}

TEST(Store, a_reader_cannot_write) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  const auto done = (*store)->read([&](Session& session) -> Result<void> {
    FIXPOINT_CHECK(session.execute("DELETE FROM toy"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "StoreError");
}

TEST(Store, a_transaction_that_goes_on_after_a_failed_statement_is_taken_back) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
  const auto done = (*store)->write([](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(put(tx, "kite", 1));
    EXPECT_FALSE(put(tx, "ball", 2));
    return {};
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(count_of(**store, "kite"), -1);
  EXPECT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "kite", 2); }));
}

TEST(Store, what_is_attempted_may_fail_alone) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  std::vector<std::string> told;
  const auto done = (*store)->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(put(tx, "ball", 1));
    // A statement that fails, also two levels down.
    const auto again = tx.attempt([&]() -> Result<void> {
      tx.after_commit([&] { told.emplace_back("again"); });
      FIXPOINT_CHECK(put(tx, "kite", 1));
      FIXPOINT_CHECK(tx.attempt([&] { return put(tx, "ball", 2); }));
      return {};
    });
    EXPECT_EQ(again.error().code, "StoreConflict");
    // A refusal without one.
    EXPECT_EQ(tx.attempt([&]() -> Result<void> {
                  FIXPOINT_CHECK(put(tx, "doll", 1));
                  return fail(errors::validation("no dolls"));
                }).error(),
              errors::validation("no dolls"));
    // An error that the work hides is one all the same.
    EXPECT_FALSE(tx.attempt([&]() -> Result<void> {
      (void)put(tx, "ball", 3);
      return {};
    }));
    EXPECT_THROW((void)tx.attempt([&]() -> Result<void> {
      FIXPOINT_CHECK(put(tx, "drum", 1));
      throw std::runtime_error("broken");
    }),
                 std::runtime_error);
    FIXPOINT_CHECK(tx.attempt([&]() -> Result<void> {
      tx.after_commit([&] { told.emplace_back("top"); });
      EXPECT_FALSE(tx.attempt([&] { return put(tx, "ball", 4); }));
      return put(tx, "top", 4);
    }));
    return {};
  });
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_THAT(told, testing::ElementsAre("top"));
  EXPECT_EQ(count_of(**store, "ball"), 1);
  EXPECT_EQ(count_of(**store, "top"), 4);
  for (const char* gone : {"kite", "doll", "drum"}) EXPECT_EQ(count_of(**store, gone), -1) << gone;
}

TEST(Store, an_attempt_that_succeeds_hides_no_failure_before_it) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "ball", 1); }));
  EXPECT_FALSE((*store)->write([](Transaction& tx) -> Result<void> {
    EXPECT_FALSE(put(tx, "ball", 2));
    (void)tx.attempt([&] { return put(tx, "kite", 1); });
    return {};
  }));
  EXPECT_EQ(count_of(**store, "kite"), -1);
}

TEST(Store, keeps_every_character_of_a_text_and_their_order) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  using namespace std::string_literals;
  // In the order of their bytes.
  const std::vector<std::string> texts{""s,
                                       "\0"s,
                                       "\0\0"s,
                                       "\0\1"s,
                                       "\1"s,
                                       "\1\0"s,
                                       "\1\1"s,
                                       "\1\2"s,
                                       "\1\2\1\1"s,
                                       "\1\3"s,
                                       "\2"s,
                                       "a"s,
                                       "a\0b"s,
                                       "a\1b"s,
                                       "b"s,
                                       "\xc3\xa4\0"s,
                                       "\xf0\x9f\x98\x80"s};
  ASSERT_TRUE((*store)->write([&](Transaction& tx) -> Result<void> {
    for (auto at = texts.rbegin(); at != texts.rend(); ++at)
      FIXPOINT_CHECK(put(tx, *at, static_cast<std::int64_t>(at - texts.rbegin())));
    return {};
  }));
  const auto rows =
      (*store)->read([&](Session& session) { return session.query("SELECT name FROM toy ORDER BY name"); });
  ASSERT_TRUE(rows) << describe(rows.error());
  std::vector<std::string> kept;
  for (const Row& row : *rows) kept.push_back(row.text(0));
  EXPECT_EQ(kept, texts);
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(count_of(**store, texts[i]), static_cast<std::int64_t>(texts.size() - 1 - i)) << i;
}

TEST(Store, a_text_that_is_no_utf8_is_refused_and_takes_nothing_with_it) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  // Not of UTF-8 at all, half of a surrogate pair, an overlong NUL.
  for (const std::string text : {"\xff\xfe", "\xed\xa0\x80", "\xc0\x80"}) {
    const auto refused = (*store)->write([&](Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(put(tx, "ball", 1));
      return put(tx, text, 1);
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "ValidationException") << refused.error().message;
  }
  EXPECT_EQ(count_of(**store, "ball"), -1);
}

TEST(Store, counts_the_bytes_of_a_text) {
  auto store = Store::open(test::store_options(), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  ASSERT_TRUE((*store)->write([](Transaction& tx) { return put(tx, "\xc3\xa4\xf0\x9f\x98\x80", 1); }));
  const auto rows = (*store)->read(
      [&](Session& session) { return session.query("SELECT length(name), octet_length(name) FROM toy"); });
  ASSERT_TRUE(rows) << describe(rows.error());
  EXPECT_EQ((*rows)[0].integer(0), 2);
  EXPECT_EQ((*rows)[0].integer(1), 6);
}

TEST(Store, of_transactions_that_share_a_commit_the_failed_ones_take_back_only_themselves) {
  const test::TempDir dir;
  auto store = Store::open(test::store_options(dir.string()), schemas);
  ASSERT_TRUE(store) << describe(store.error());
  std::promise<void> gate;
  auto open = gate.get_future().share();
  std::atomic<int> committed{0};
  std::vector<std::future<Result<void>>> results;
  std::vector<std::promise<Result<void>>> promises(100);
  // The first holds the writer until the others wait behind it.
  (*store)->write_async(
      [open](Transaction& tx) {
        open.wait();
        return put(tx, "ball", 0);
      },
      [](Result<void>) {});
  for (int i = 0; i < 100; ++i) {
    results.push_back(promises[static_cast<std::size_t>(i)].get_future());
    (*store)->write_async(
        [i, &committed](Transaction& tx) -> Result<void> {
          tx.after_commit([&committed] { ++committed; });
          FIXPOINT_CHECK(put(tx, "toy-" + std::to_string(i), i));
          if (i % 3 == 0) return put(tx, "ball", 1);
          return {};
        },
        [&promises, i](Result<void> done) { promises[static_cast<std::size_t>(i)].set_value(std::move(done)); });
  }
  gate.set_value();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(results[static_cast<std::size_t>(i)].get().has_value(), i % 3 != 0) << i;
    EXPECT_EQ(count_of(**store, "toy-" + std::to_string(i)), i % 3 != 0 ? i : -1);
  }
  EXPECT_EQ(committed, 66);
  EXPECT_GT((*store)->bytes_on_disk(), 0);
}

TEST(Store, keeps_blobs_apart_from_text) {
  auto store =
      Store::open(test::store_options(), {{"pieces", {"CREATE TABLE kept (bytes BLOB PRIMARY KEY) STRICT"}}}).value();
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
