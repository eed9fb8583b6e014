#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace fixpoint::findings {

/// Packs documents with zstd and a dictionary that is trained on the first of them: findings are small and much alike,
/// so that each alone gives zstd little to work with. The dictionaries lie in the store, numbered, and are never
/// changed or taken away: a document names in its own frame the one that it wants. Thread-safe.
class Documents {
 public:
  Documents();
  ~Documents();

  /// With the newest dictionary known, or with none. Remembers some of what it packs until there is enough to train on.
  std::string pack(std::string_view document);

  /// Error: StoreError where the bytes are no document or their dictionary is not in the store.
  Result<std::string> unpack(store::Session& session, std::string_view packed);

  /// True once, when enough was packed without a dictionary to train one.
  bool wants_training();
  /// Trains on what was remembered and stores the dictionary for all that is packed from now on. Takes a quarter of a
  /// second: not within a transaction.
  Result<void> train(store::Store& store);
  /// Takes up the newest dictionary in the store.
  Result<void> load(store::Session& session);

  static const char* const tables;  ///< SQL
  static constexpr std::size_t document_limit_bytes = 4UL * 1024 * 1024;

 private:
  struct Dictionary;
  Result<std::shared_ptr<const Dictionary>> dictionary(store::Session& session, unsigned number);
  void keep(std::shared_ptr<const Dictionary> dictionary);

  std::mutex mutex_;
  std::map<unsigned, std::shared_ptr<const Dictionary>> known_;
  std::shared_ptr<const Dictionary> newest_;
  std::vector<std::string> samples_;  // until there is a dictionary
  std::size_t sample_bytes_ = 0;
  bool asked_ = false;
};

}  // namespace fixpoint::findings
