#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace fixpoint::store {

/// Keeps a folder's database for one process: a second server would answer from what it read long ago. It is a lock of
/// the operating system on `fixpoint.lock`, so it ends with the process, however that ends. Processes that this one
/// starts do not hold it.
class FolderLock {
 public:
  /// Waits for at most `wait_ms` for another process to let go. Errors: StoreError, retryable, with the other's process
  /// id; StoreError where the file cannot be made.
  static Result<std::unique_ptr<FolderLock>> take(const std::string& folder, unsigned wait_ms);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace fixpoint::store
