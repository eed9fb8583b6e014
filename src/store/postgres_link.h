#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

struct pg_conn;
struct pg_result;

namespace fixpoint::store {

/// Where a PostgreSQL database is, taken apart.
struct PostgresTarget {
  std::vector<std::pair<std::string, std::string>> settings;  ///< libpq's keywords and their values
  std::vector<std::string> secrets;                           ///< the values that no error may repeat
  std::string shown;                                          ///< for people: without secrets

  /// Reads a URI or `keyword=value` pairs. Error: ValidationException, without what was given.
  static Result<PostgresTarget> parse(const std::string& text);
};

struct FreeResult {
  void operator()(pg_result* result) const;
};
using PostgresResult = std::unique_ptr<pg_result, FreeResult>;

/// One connection by libpq, in pipeline mode: commands are put into its buffer, and exchange() sends them all and reads
/// all answers in one round trip. Not thread-safe.
class PostgresLink {
 public:
  /// Error: StoreError, retryable where the server cannot be reached or is starting.
  static Result<std::unique_ptr<PostgresLink>> connect(const PostgresTarget& target);
  ~PostgresLink();
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  /// False where the connection is known to be lost; looks whether the server has closed it.
  bool alive();
  int server_version() const;  ///< 150018 is 15.18

  /// One statement without parameters.
  void put(const std::string& sql);
  void put_prepare(const std::string& name, const std::string& sql);
  void put_describe(const std::string& name);
  /// A parameter is null, text, or (binary) bytes as they are.
  struct Value {
    const char* bytes = nullptr;
    int size = 0;
    bool binary = false;
  };
  void put_prepared(const std::string& name, const std::vector<Value>& values);

  struct Answers {
    std::vector<PostgresResult> results;  ///< one for each command, as far as answers came
    std::optional<Error> error;           ///< the first; the server passes over what came after it
  };
  /// Sends what was put and reads the answers to all since the last exchange.
  Answers exchange();
  /// Sends what was put and does not wait: its answers are passed over by the next exchange.
  void post();

 private:
  PostgresLink(pg_conn* connection, std::vector<std::string> secrets)
      : connection_(connection), secrets_(std::move(secrets)) {}
  Error lost() const;
  Error error_of(const pg_result* result) const;
  void note(int sent);
  Answers read_answers(std::size_t commands);

  pg_conn* connection_;
  std::vector<std::string> secrets_;
  std::size_t unanswered_ = 0;       // commands put and not sent
  std::vector<std::size_t> posted_;  // the commands of each post whose answers were not read
  bool broken_ = false;
};

}  // namespace fixpoint::store
