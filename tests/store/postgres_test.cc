#include "support/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

namespace fixpoint::store {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<Schema> schemas{
    {"toys", {"CREATE TABLE toy (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT"}}};

Result<void> put(Transaction& tx, const std::string& name) {
  FIXPOINT_CHECK(tx.execute("INSERT INTO toy VALUES (?, 1)", {name}));
  return {};
}

class PostgresStore : public testing::Test {
 protected:
  void SetUp() override {
    if (!server().missing().empty()) GTEST_SKIP() << server().missing();
    database_ = server().fresh();
    store_ = open();
    ASSERT_TRUE(store_);
  }
  static test::Postgres& server() { return test::Postgres::instance(); }
  std::unique_ptr<Store> open() {
    auto opened = Store::open({.database = database_, .readers = 2}, schemas);
    EXPECT_TRUE(opened) << describe(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  std::int64_t count() {
    auto rows = store_->read([](Session& s) { return s.query("SELECT count(*) FROM toy"); });
    EXPECT_TRUE(rows) << describe(rows.error());
    return rows ? (*rows)[0].integer(0) : -1;
  }
  std::string schema() const {
    std::string name = database_.substr(database_.find("search_path=") + 12);
    name.pop_back();  // the quote around the options
    return name;
  }
  // Ends the sessions of this store at the server, as an administrator or a failing network would.
  static void end_sessions() {
    server().run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'fixpoint'");
  }

  std::string database_;
  std::unique_ptr<Store> store_;
};

TEST_F(PostgresStore, commits_wait_for_the_disk) {
  const auto setting = [](Store& store) {
    std::string value;
    EXPECT_TRUE(store.write([&](Transaction& tx) -> Result<void> {
      FIXPOINT_TRY(rows, tx.query("SELECT current_setting('synchronous_commit')"));
      value = rows[0].text(0);
      return {};
    }));
    return value;
  };
  EXPECT_EQ(setting(*store_), "on");
  store_.reset();
  auto relaxed = Store::open({.database = database_, .durable = false}, schemas);
  ASSERT_TRUE(relaxed) << describe(relaxed.error());
  EXPECT_EQ(setting(**relaxed), "off");
}

TEST_F(PostgresStore, what_ran_when_the_connection_was_lost_is_taken_back_and_the_next_goes_on_by_itself) {
  bool told = false;
  const auto lost = store_->write([&](Transaction& tx) -> Result<void> {
    tx.after_commit([&] { told = true; });
    FIXPOINT_CHECK(put(tx, "ball"));
    end_sessions();
    return put(tx, "kite");
  });
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "StoreError");
  EXPECT_TRUE(lost.error().retryable);
  EXPECT_FALSE(told);
  EXPECT_TRUE(store_->write([](Transaction& tx) { return put(tx, "ball"); }));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresStore, connections_that_ended_while_nobody_used_them_are_made_anew_unnoticed) {
  EXPECT_EQ(count(), 0);
  end_sessions();
  EXPECT_EQ(count(), 0);
  end_sessions();
  EXPECT_TRUE(store_->write([](Transaction& tx) { return put(tx, "ball"); }));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresStore, without_its_server_it_refuses_and_goes_on_when_the_server_is_back) {
  server().stop();
  const auto refused = store_->write([](Transaction& tx) { return put(tx, "ball"); });
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot connect to the store's PostgreSQL database postgres"));
  const auto unread = store_->read([](Session& s) { return s.query("SELECT 1"); });
  ASSERT_FALSE(unread);
  EXPECT_TRUE(unread.error().retryable);
  server().start();
  EXPECT_TRUE(store_->write([](Transaction& tx) { return put(tx, "ball"); }));
  EXPECT_EQ(count(), 1);
}

// Stands between a store and its server, and forwards; told to, it lets the next commit pass and loses the answer.
class Line {
 public:
  explicit Line(std::string server_folder) : server_(std::move(server_folder)) {
    listening_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un here = address(folder_.string());
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || ::listen(listening_, 8) != 0)
      throw std::runtime_error("no socket");
    thread_ = std::thread([this] {
      for (int client; (client = ::accept(listening_, nullptr, nullptr)) >= 0;)
        calls_.emplace_back([this, client] { forward(client); });
    });
  }
  ~Line() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    for (auto& call : calls_) call.join();
    ::close(listening_);
  }
  std::string folder() const { return folder_.string(); }
  void lose_next_commit() { lose_ = true; }

 private:
  static sockaddr_un address(const std::string& folder) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    std::snprintf(out.sun_path, sizeof out.sun_path, "%s/.s.PGSQL.5432", folder.c_str());
    return out;
  }
  void forward(int client) {
    const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un there = address(server_);
    bool up = ::connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
    bool losing = false;
    char bytes[65536];
    while (up) {
      pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      ::poll(both, 2, -1);
      for (int side = 0; side < 2 && up; ++side) {
        if (both[side].revents == 0) continue;
        const ssize_t size = ::read(both[side].fd, bytes, sizeof bytes);
        up = size > 0;
        if (!up) break;
        if (side == 0 &&
            std::string_view(bytes, static_cast<std::size_t>(size)).find(std::string_view("COMMIT\0", 7)) !=
                std::string_view::npos)
          losing = lose_.exchange(false);
        if (side == 1 && losing)
          up = false;
        else
          ::send(both[1 - side].fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
    }
    ::close(client);
    ::close(server);
  }

  test::TempDir folder_;
  std::string server_;
  int listening_ = -1;
  std::atomic<bool> lose_ = false;
  std::thread thread_;
  std::vector<std::thread> calls_;
};

TEST_F(PostgresStore, a_commit_whose_answer_was_lost_is_looked_up_and_was_made) {
  Line line(server().folder());
  std::string through = database_;
  through.replace(through.find(server().folder()), server().folder().size(), line.folder());
  store_.reset();
  auto opened = Store::open({.database = through, .readers = 2}, schemas);
  ASSERT_TRUE(opened) << describe(opened.error());
  store_ = std::move(*opened);
  line.lose_next_commit();
  bool told = false;
  const auto done = store_->write([&](Transaction& tx) -> Result<void> {
    tx.after_commit([&] { told = true; });
    return put(tx, "ball");
  });
  EXPECT_TRUE(done) << describe(done.error());
  EXPECT_TRUE(told);
  EXPECT_EQ(count(), 1);
  store_.reset();
}

TEST_F(PostgresStore, a_commit_whose_answer_was_lost_is_looked_up_and_was_not_made) {
  // What runs last within the commit ends the session.
  server().run(
      "SET search_path = " + schema() +
      "; CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'cut' THEN PERFORM "
      "pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$; CREATE CONSTRAINT TRIGGER cut AFTER "
      "INSERT ON toy DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()");
  bool told = false;
  const auto cut = store_->write([&](Transaction& tx) -> Result<void> {
    tx.after_commit([&] { told = true; });
    return put(tx, "cut");
  });
  ASSERT_FALSE(cut);
  EXPECT_TRUE(cut.error().retryable);
  EXPECT_FALSE(told);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(store_->write([](Transaction& tx) { return put(tx, "ball"); }));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresStore, a_second_server_on_the_same_schema_is_refused) {
  const auto second = Store::open({.database = database_, .lock_wait_ms = 20}, schemas);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another fixpoint works with the store's PostgreSQL"));
  store_.reset();
  EXPECT_TRUE(Store::open({.database = database_}, schemas));
}

// https://www.postgresql.org/docs/15/btree-implementation.html
TEST_F(PostgresStore, a_text_that_is_too_long_for_an_index_is_refused_and_takes_nothing_with_it) {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 6000; ++i) text += static_cast<char>('0' + static_cast<int>(random() % 64));
  const auto refused = store_->write([&](Transaction& tx) { return put(tx, text); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationException") << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("a text is too long for the store's index"));
  ASSERT_TRUE(store_->write([&](Transaction& tx) -> Result<void> {
    EXPECT_FALSE(tx.attempt([&] { return put(tx, text); }));
    return put(tx, "ball");
  }));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresStore, an_attempt_under_which_the_connection_was_lost_takes_the_whole_transaction_with_it) {
  const auto lost = store_->write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(put(tx, "ball"));
    const auto tried = tx.attempt([&] {
      end_sessions();
      return put(tx, "kite");
    });
    EXPECT_FALSE(tried);
    EXPECT_EQ(tried.error().code, "StoreError");
    EXPECT_TRUE(tried.error().retryable);
    return {};
  });
  EXPECT_FALSE(lost);
  EXPECT_EQ(count(), 0);
}

TEST_F(PostgresStore, a_database_of_another_encoding_is_refused) {
  server().run("DROP DATABASE IF EXISTS latin");
  server().run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'");
  std::string other = server().base();
  other.replace(other.find("dbname=postgres"), 15, "dbname=latin");
  const auto refused = Store::open({.database = other}, schemas);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("keeps text as LATIN1; fixpoint wants one made with ENCODING 'UTF8'"));
}

TEST_F(PostgresStore, more_statements_than_are_kept_prepared) {
  ASSERT_TRUE(store_->write([](Transaction& tx) { return put(tx, "ball"); }));
  const auto done = store_->read([](Session& s) -> Result<void> {
    for (int i = 0; i < 600; ++i) {
      FIXPOINT_TRY(rows, s.query("SELECT " + std::to_string(i) + " + count FROM toy WHERE name = ?", {"ball"}));
      EXPECT_EQ(rows[0].integer(0), i + 1);
    }
    return {};
  });
  EXPECT_TRUE(done) << describe(done.error());
}

TEST_F(PostgresStore, a_wrong_number_of_parameters_is_an_error) {
  const auto done = store_->read([](Session& s) { return s.query("SELECT count FROM toy WHERE name = ?"); });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("1 parameters and got 0"));
}

// No server listens there, and none of these texts may come back in an error: a password is in each.
TEST(PostgresSecrets, no_error_repeats_a_password) {
  for (const char* database :
       {"postgresql://someone:s3cr3t@127.0.0.1:1/name", "host=127.0.0.1 port=1 user=someone password=s3cr3t",
        "host=127.0.0.1 port=1 password='s3cr3t", "postgresql://someone:s3cr3t@127.0.0.1:port/name",
        "postgresql://someone:s3cr3t%ZZ@127.0.0.1/name", "postgresql://127.0.0.1/name?passwort=s3cr3t",
        "host=127.0.0.1 password = s3cr3t s3cr3t", "hosst=s3cr3t", "s3cr3t"}) {
    const auto store = Store::open({.database = database}, schemas);
    ASSERT_FALSE(store) << database;
    EXPECT_THAT(describe(store.error()), Not(HasSubstr("s3cr3t")));
    if (const auto shown = describe_database(database)) EXPECT_THAT(*shown, Not(HasSubstr("s3cr3t")));
  }
  EXPECT_EQ(describe_database("postgresql://someone:s3cr3t@db.example:5433/name").value(),
            "PostgreSQL database name at db.example:5433");
}

}  // namespace
}  // namespace fixpoint::store
