#include "store/private_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace fixpoint::store {

Result<std::string> read_private_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return fail(errors::resource_not_found("there is no " + path));
    return fail(errors::validation("cannot read " + path + ": " + std::strerror(errno)));
  }
  if ((info.st_mode & 077) != 0)
    return fail(errors::validation(
        path + " can be read by others; 'chmod 600' it, and replace its keys if they may have been seen"));
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) return fail(errors::validation("cannot read " + path));
  return text;
}

Result<void> write_private_file(const std::string& path, const std::string& text) {
  const auto refused = [&] { return fail(errors::validation("cannot write " + path + ": " + std::strerror(errno))); };
  const std::string beside = path + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return refused();
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  errno = error;
  if (!whole || ::rename(beside.c_str(), path.c_str()) != 0) return refused();
  return {};
}

}  // namespace fixpoint::store
