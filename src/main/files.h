#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "base/error.h"

namespace fixpoint::main {

/// What is in a file, or on standard input for "-". Error: ValidationException for one that cannot be read to its end,
/// a folder among them.
Result<std::string> read_file(const std::string& path);

/// The same error for a file that is read in pieces, before it is opened.
Result<void> check_readable(const std::string& path);

/// A file that is written anew. It is written beside the one of its name and takes its place when it is kept; until
/// then, and where it never is, the one that was there stays. What is no regular file, such as a pipe, is written as it
/// is.
class NewFile {
 public:
  /// Error: ValidationException where nothing can be written there.
  static Result<std::unique_ptr<NewFile>> make(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::ostream& out() { return out_; }
  /// Puts it in place, synced; under that name plus `ending`. It has the mode of the file that was there. Error:
  /// ValidationException where something could not be written.
  Result<void> keep(const std::string& ending = {});
  /// Whether keep() will replace or make a file.
  bool is_beside() const { return !beside_.empty(); }

 private:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::string beside_;  // empty where there is nothing to put in place
  std::ofstream out_;
};

}  // namespace fixpoint::main
