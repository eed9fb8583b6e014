#include "functions/folder.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "functions/process.h"

namespace fixpoint::functions {

namespace fs = std::filesystem;

namespace {

// What is empty goes without a descriptor. False where it is still there.
bool remove(const std::string& path) {
  if (::rmdir(path.c_str()) == 0) return true;
  std::error_code failure;
  fs::remove_all(path, failure);
  return !failure;
}

// Folders that could not be removed when their owners went, for want of a descriptor, say.
class Left {
 public:
  void add(std::string path) {
    const std::lock_guard lock(mutex_);
    paths_.push_back(std::move(path));
  }
  void remove_again() {
    const std::lock_guard lock(mutex_);
    std::erase_if(paths_, remove);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> paths_;
};

Left& left() {
  static Left one;
  return one;
}

}  // namespace

Result<Folder> Folder::make(const std::string& purpose) {
  left().remove_again();
  std::error_code failure;
  const fs::path among = fs::temp_directory_path(failure);
  if (failure) return fail(refused_by_system("There is no folder for temporary files", failure.value()));
  std::string name = (among / ("fixpoint-" + purpose + "-XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr)
    return fail(refused_by_system("The folder " + name + " for a handler cannot be made", errno));
  Folder out;
  out.path_ = std::move(name);
  return out;
}

Folder::Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

Folder& Folder::operator=(Folder&& other) noexcept {
  if (this != &other) std::swap(path_, other.path_);
  return *this;
}

Folder::~Folder() {
  if (!path_.empty() && !remove(path_)) left().add(std::move(path_));
}

Result<void> Folder::write(const std::string& name, const std::string& text) const {
  const std::string path = path_ + "/" + name;
  const auto failed = [&] { return fail(refused_by_system("The file " + path + " cannot be written", errno)); };
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return failed();
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = ::write(file.get(), text.data() + at, text.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed();
    at += static_cast<std::size_t>(put);
  }
  // Whatever the umask says.
  if (fchmod(file.get(), 0644) != 0) return failed();
  return {};
}

}  // namespace fixpoint::functions
