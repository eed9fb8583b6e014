#pragma once

#include <string>

#include "base/error.h"

namespace fixpoint::functions {

/// A folder among the machine's temporary ones that goes with its owner, with all that is in it. Where that
/// cannot be just then it is tried again with the next one that is made.
class Folder {
 public:
  /// A new one, "fixpoint-PURPOSE-" and six letters, for its user alone. Error: ServiceException, retryable for a lack
  /// (process.h).
  static Result<Folder> make(const std::string& purpose);
  Folder() = default;
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&& other) noexcept;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  const std::string& path() const { return path_; }  ///< empty where there is none
  /// A file in it that everybody may read. Error: as make(); then what is there of it is not whole.
  Result<void> write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace fixpoint::functions
