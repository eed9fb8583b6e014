#pragma once

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <libpq-fe.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "store/store.h"
#include "support/paths.h"
#include "support/temp_dir.h"

namespace fixpoint::test {

/// A PostgreSQL of this process's own (tests/support/postgres), started when it is first asked for.
class Postgres {
 public:
  static Postgres& instance() {
    static Postgres postgres;
    return postgres;
  }
  ~Postgres() { stop(); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// Empty where there is one, else a sentence why not.
  const std::string& missing() const { return missing_; }

  /// As an operator's restart: every connection ends.
  void restart() {
    stop();
    start();
  }
  /// At once, without a word to its clients.
  void stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGQUIT);
    int status = 0;
    ::waitpid(process_, &status, 0);
    std::fclose(output_);
    process_ = 0;
  }
  void start() {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const std::string script = test_data("support/postgres").string();
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(script.c_str(), script.c_str(), folder_.string().c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
    std::string said;
    char line[1024];
    while (std::fgets(line, sizeof line, output_) != nullptr) {
      said += line;
      if (said.find("ready to accept connections") != std::string::npos) return;
    }
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 77) throw std::runtime_error("PostgreSQL does not start: " + said);
    missing_ = said;
  }

  /// One statement, outside of any store.
  std::string run(const std::string& sql) {
    PGconn* connection = PQconnectdb(base().c_str());
    PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
    PGresult* result = PQexec(connection, sql.c_str());
    const auto status = PQresultStatus(result);
    std::string answer = status == PGRES_TUPLES_OK && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    const std::string error = PQerrorMessage(connection);
    PQclear(result);
    PQfinish(connection);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(error);
    return answer;
  }

  std::string folder() const { return folder_.string(); }
  std::string base() const { return "host=" + folder_.string() + " user=fixpoint dbname=postgres"; }

  /// A connection string that leads to a schema of its own, made where it is missing.
  std::string schema(const std::string& name) {
    run("CREATE SCHEMA IF NOT EXISTS \"" + name + "\"");
    return base() + " options='-c search_path=" + name + "'";
  }
  std::string fresh() {
    static std::atomic<int> count{0};
    return schema("fresh_" + std::to_string(count++));
  }

 private:
  Postgres() { start(); }
  TempDir folder_;
  std::string missing_;
  pid_t process_ = 0;
  std::FILE* output_ = nullptr;
};

/// The options of a test's store: in the folder (in memory where there is none), or, where FIXPOINT_TEST_STORE says
/// `postgres`, in a schema of PostgreSQL that goes by the folder's name. Ends the process with 77, which ctest takes as
/// skipped, where there is no PostgreSQL.
inline store::Options store_options(const std::string& folder = {}, unsigned readers = 4) {
  store::Options options{.folder = folder, .readers = readers, .durable = false};
  const char* wanted = std::getenv("FIXPOINT_TEST_STORE");
  if (wanted == nullptr || std::string(wanted) != "postgres") return options;
  Postgres& postgres = Postgres::instance();
  if (!postgres.missing().empty()) {
    std::cout << postgres.missing();
    std::cout.flush();
    std::_Exit(77);
  }
  std::string name = std::filesystem::path(folder).filename().string();
  options.database = folder.empty() ? postgres.fresh() : postgres.schema(to_lower(name));
  return options;
}

}  // namespace fixpoint::test
