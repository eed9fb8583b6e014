#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "store/store.h"

namespace fixpoint::sandbox {

/// Where a kind of resource lives. `account` and `region` are empty for what is global: IAM has no region, the names
/// of S3 buckets belong to no account.
struct Scope {
  std::string service;
  std::string type;
  std::string account;
  std::string region;
};

/// A resource as it is stored; null where there is none.
using Document = std::shared_ptr<const json::Value>;

/// Thrown by a View whose store cannot be read; ends the call that it happens in.
struct StateFailure {
  Error error;
};

/// What one call sees and changes. Not thread-safe; lives as long as the call.
class View {
 public:
  virtual ~View() = default;
  Document get(const Scope& scope, std::string_view id);
  /// Resources in the byte order of their ids: those whose id begins with `prefix` and comes after `after`. Stops
  /// where `visit` says false. Must not be changed meanwhile.
  void each(const Scope& scope, std::string_view prefix, std::string_view after,
            const std::function<bool(std::string_view id, const Document& body)>& visit);
  bool any(const Scope& scope, std::string_view prefix = {});
  void put(const Scope& scope, std::string_view id, json::Value body);
  void erase(const Scope& scope, std::string_view id);
  struct Whole {
    Document body;        ///< null where there is no such resource
    std::string content;  ///< bytes beside it that are not held in memory, such as an object's
  };
  /// A resource and its content as one write left both: what get() said before may be of an earlier write.
  /// `expected_bytes`: how much content a call that is not quick says that it will bring.
  Whole get_with_content(const Scope& scope, std::string_view id, std::size_t expected_bytes);
  void put_content(const Scope& scope, std::string_view id, std::string bytes);
  void erase_content(const Scope& scope, std::string_view id);
  bool changed() const { return !changes_.empty() || !contents_.empty(); }

 protected:
  friend class State;
  struct Found {
    std::string key;
    Document body;
    bool there = true;  ///< false: an upper layer says that it is gone
  };
  /// The layers below this call's own changes.
  virtual std::optional<Found> below(const std::string& key) = 0;
  /// At most `limit` from below with from < key, key beginning with `prefix`, in order.
  virtual std::vector<Found> below_after(const std::string& prefix, const std::string& from, std::size_t limit) = 0;
  virtual Document load(const std::string& key) = 0;
  virtual Whole load_whole(const std::string& key, std::size_t expected_bytes) = 0;

  std::map<std::string, Document> changes_;  // null: erased
  std::map<std::string, std::optional<std::string>> contents_;
};

/// All resources of all accounts: a table of the store with a cache in front of it. The keys are all in memory, of the
/// bodies as many as `cache_limit_bytes` holds. A read sees what is committed; a write runs on the store's writer
/// thread, one after another, and sees those before it. Thread-safe.
class State {
 public:
  explicit State(store::Store& store, std::size_t cache_limit_bytes = 96UL * 1024 * 1024);
  static store::Schema schema();
  /// Reads the keys. Errors: StoreError.
  Result<void> load();

  /// Runs `work` on what is committed. Changes that it makes are seen by itself and then dropped: `changed` says so.
  Result<json::Value> read(const std::function<Result<json::Value>(View&)>& work, bool& changed);
  struct Quick {
    std::optional<Result<json::Value>> answer;
    std::size_t content_bytes = 0;  ///< without an answer: of the content that read() will bring, about
  };
  /// What read() gives, where memory alone gives it and soon: no answer where `work` changes something, wants what is
  /// in the store only, or goes over thousands of resources. Waits for nothing.
  Quick read_quickly(const std::function<Result<json::Value>(View&)>& work);
  /// Runs `work` on the writer's thread and returns when what it changed is committed, all of it, or nothing where
  /// it gives an error. Must not be called on the writer's thread.
  Result<json::Value> write(const std::function<Result<json::Value>(View&)>& work);

  std::size_t cached_bytes() const;
  std::size_t resources() const;

 private:
  friend class ReadView;
  friend class QuickView;
  friend class WriteView;
  struct Entry {
    Document body;  // null where it is on disk only
    std::size_t bytes = 0;
    std::uint64_t version = 0;
    mutable std::atomic<bool> used{false};
  };
  struct Pending {
    Document body;
    std::uint64_t sequence;
  };
  std::optional<View::Found> find(const std::string& key) const;
  void find_after(const std::string& prefix, const std::string& from, std::size_t limit,
                  std::vector<View::Found>& out) const;
  std::uint64_t version(const std::string& key) const;
  // Keeps a body that was read from disk, unless a commit came after the look at `version`.
  void remember(const std::string& key, std::uint64_t version, const Document& body, std::size_t bytes);
  void apply(const std::map<std::string, Document>& changes, const std::map<std::string, std::size_t>& sizes);
  void evict();

  store::Store& store_;
  const std::size_t cache_limit_bytes_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::size_t cached_bytes_ = 0;
  std::uint64_t versions_ = 0;
  std::string hand_;  // where the search for a body to drop goes on
  // Of the writer's thread alone: changes of transactions that are not committed yet.
  std::map<std::string, Pending> pending_;
  std::uint64_t sequence_ = 0;
};

}  // namespace fixpoint::sandbox
