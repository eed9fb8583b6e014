#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/connection.h"
#include "store/postgres_link.h"

namespace fixpoint::store {

/// One PostgreSQL connection with its prepared statements, made anew where it was lost. Not thread-safe.
///
/// The one for writing holds an advisory lock of its schema, so that two servers never write to one database; what
/// begins and ends transactions goes out together with the statement that follows, so that it costs no round trip.
/// PostgreSQL 13 or newer, its database in UTF-8.
class PostgresConnection final : public Connection {
 public:
  /// For writing it connects at once, for reading when it is first used. Errors: StoreError; retryable where the
  /// server cannot be reached, or another program holds the lock.
  static Result<std::unique_ptr<PostgresConnection>> open(const PostgresTarget& target, bool read_only,
                                                          const Options& options);
  ~PostgresConnection() override;

  Result<std::vector<Row>> query(std::string_view sql, const Params& params) override;
  Result<void> scan(std::string_view sql, const Params& params, const std::function<bool(Row&)>& each) override;
  Result<std::int64_t> execute(std::string_view sql, const Params& params) override;

  Result<void> begin() override;
  Result<void> commit() override;
  void roll_back() override;
  Result<void> savepoint() override;
  Result<void> release() override;
  void roll_back_to() override;
  bool in_transaction() const override { return open_; }
  bool in_doubt() const override { return in_doubt_; }
  Result<bool> was_committed() override;
  Result<void> run_script(const std::string& sql) override;
  std::int64_t bytes_on_disk() override;

 private:
  struct Prepared {
    std::string name;
    std::vector<unsigned> types;  // of the parameters
  };

  PostgresConnection(PostgresTarget target, bool read_only, const Options& options)
      : target_(std::move(target)),
        read_only_(read_only),
        durable_(options.durable),
        lock_wait_ms_(options.lock_wait_ms) {}
  Result<void> connect();
  Result<const Prepared*> prepare(std::string_view sql, std::string_view prefix);
  Result<void> put(const Prepared& prepared, std::string_view sql, const Params& params);
  Result<PostgresResult> exchange(std::string_view sql);
  Result<PostgresResult> run(std::string_view sql, const Params& params);
  Result<void> close_with(const char* command);

  PostgresTarget target_;
  bool read_only_;
  bool durable_;
  unsigned lock_wait_ms_;
  std::unique_ptr<PostgresLink> link_;
  std::unordered_map<std::string, Prepared> statements_;
  std::size_t prepared_count_ = 0;
  std::size_t cursors_ = 0;   // that are open
  bool open_ = false;         // a transaction
  bool asks_number_ = false;  // the answer to begin() is still to come
  bool in_doubt_ = false;
  std::string transaction_;  // its number, to ask for it where the commit's answer was lost
};

}  // namespace fixpoint::store
