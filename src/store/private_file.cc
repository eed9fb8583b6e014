#include "store/private_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace fixpoint::store {

namespace {

// What the mode must not have, and what is said where it has.
Result<std::string> read_file(const std::string& path, mode_t forbidden, const char* sentence) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return fail(errors::resource_not_found("there is no " + path));
    return fail(errors::validation("cannot read " + path + ": " + std::strerror(errno)));
  }
  if ((info.st_mode & forbidden) != 0) return fail(errors::validation(path + sentence));
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) return fail(errors::validation("cannot read " + path));
  return text;
}

Error of_system(const std::string& what, const std::string& path) {
  return errors::coded("StoreError", "cannot " + what + " " + path + ": " + std::strerror(errno), 500);
}

}  // namespace

Result<void> check_private_folder(const std::string& folder) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0 || (info.st_mode & 022) == 0) return {};
  return fail(errors::validation("others may write in the folder " + folder +
                                 ", and so put another database or other keys there; 'chmod go-w' it, or name a "
                                 "folder in it that is not there yet, which fixpoint makes for itself alone"));
}

Result<void> make_private_folder(const std::string& folder) {
  std::filesystem::path path(folder);
  if (!path.has_filename()) path = path.parent_path();
  std::error_code failure;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
  if (failure)
    return fail(errors::coded("StoreError", "cannot make the folder " + folder + ": " + failure.message(), 500));
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return fail(of_system("make the folder", folder));
  if (!std::filesystem::is_directory(path, failure)) {
    errno = ENOTDIR;
    return fail(of_system("make the folder", folder));
  }
  if (auto checked = check_private_folder(folder); !checked)
    return fail(errors::coded("StoreError", checked.error().message, 500));
  return {};
}

Result<void> make_private_file(const std::string& path) {
  // Opened only where it is new: to close a file takes away the locks that this process has on it (fcntl(2)).
  if (const int file = ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); file >= 0) {
    ::close(file);
    return {};
  }
  struct stat info{};
  if (errno != EEXIST || ::stat(path.c_str(), &info) != 0 ||
      ((info.st_mode & 077) != 0 && ::chmod(path.c_str(), info.st_mode & 0700) != 0))
    return fail(of_system("keep others out of", path));
  return {};
}

Result<std::string> read_private_file(const std::string& path) {
  return read_file(path, 077,
                   " can be read by others; 'chmod 600' it, and replace its keys if they may have been seen");
}

Result<std::string> read_own_file(const std::string& path) {
  return read_file(path, 022, " can be written by others; look at what it says, and 'chmod 600' it");
}

Result<void> write_private_file(const std::string& path, const std::string& text) {
  const auto refused = [&] { return fail(errors::validation("cannot write " + path + ": " + std::strerror(errno))); };
  const std::string beside = path + ".new";
  // One that a crash left, or that somebody else put there, would keep its mode.
  ::unlink(beside.c_str());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return refused();
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  errno = error;
  if (!whole || ::rename(beside.c_str(), path.c_str()) != 0) return refused();
  return {};
}

}  // namespace fixpoint::store
