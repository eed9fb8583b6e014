#include "main/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace fixpoint::main {

Result<void> check_readable(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return fail(errors::validation("cannot read " + path + ": it is a folder; name a file"));
  errno = 0;
  if (!std::ifstream(path)) return fail(errors::validation("cannot read " + path + ": " + std::strerror(errno)));
  return {};
}

Result<std::string> read_file(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  FIXPOINT_CHECK(check_readable(path));
  std::ifstream in(path, std::ios::binary);
  if (in.peek() == std::ifstream::traits_type::eof() && !in.bad()) return std::string();
  text << in.rdbuf();
  if (in.bad() || text.bad())
    return fail(errors::validation("cannot read " + path + " to its end: " + std::strerror(errno)));
  return text.str();
}

Result<std::unique_ptr<NewFile>> NewFile::make(const std::string& path) {
  const auto refused = [&] { return fail(errors::validation("cannot write " + path + ": " + std::strerror(errno))); };
  auto file = std::unique_ptr<NewFile>(new NewFile(path));
  struct stat there{};
  const bool is_there = ::stat(path.c_str(), &there) == 0;
  errno = 0;
  if (is_there && !S_ISREG(there.st_mode)) {
    file->out_.open(path, std::ios::binary);
    if (!file->out_) return refused();
    return file;
  }
  // A link stays one.
  std::error_code none;
  if (is_there) file->path_ = std::filesystem::canonical(path, none).string();
  if (none || (is_there && ::access(path.c_str(), W_OK) != 0)) return refused();
  std::string beside = file->path_ + ".XXXXXX";
  const int made = ::mkstemp(beside.data());
  if (made < 0) return refused();
  file->beside_ = beside;
  mode_t mode = 0;
  if (is_there) {
    mode = there.st_mode & 07777;
  } else {
    mode = ::umask(0);
    ::umask(mode);
    mode = 0666 & ~mode;
  }
  const bool moded = ::fchmod(made, mode) == 0;
  ::close(made);
  if (moded) file->out_.open(beside, std::ios::binary);
  if (!moded || !file->out_) return refused();
  return file;
}

Result<void> NewFile::keep(const std::string& ending) {
  errno = 0;
  out_.close();
  bool whole = !out_.fail();
  if (whole && is_beside()) {
    const int file = ::open(beside_.c_str(), O_RDONLY | O_CLOEXEC);
    whole = file >= 0 && ::fsync(file) == 0;
    const int error = errno;
    if (file >= 0) ::close(file);
    errno = error;
    whole = whole && ::rename(beside_.c_str(), (path_ + ending).c_str()) == 0;
  }
  if (!whole)
    return fail(errors::validation("cannot write " + path_ + ending + ": " + std::strerror(errno) +
                                   (is_beside() ? "; what was there is as it was" : "")));
  beside_.clear();
  return {};
}

NewFile::~NewFile() {
  if (is_beside()) ::unlink(beside_.c_str());
}

}  // namespace fixpoint::main
