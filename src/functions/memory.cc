#include "functions/memory.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "functions/process.h"

namespace fixpoint::functions {
namespace {

constexpr std::size_t most_processes = 4'096;  // above what a run may have: a tree that grows while it is read ends

// Above what ordinary programs have together; 65,530 mappings are what Linux allows one process. Each piece of shared
// memory costs a call.
constexpr std::size_t most_mappings = 200'000;
constexpr std::size_t most_pieces = 16'384;

// Up to 16 KiB of it: none of these files is longer, and of a list of children that is, the rest is seen another time.
std::string read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::array<char, 16UL * 1024> buffer;
  std::string out;
  while (out.size() < buffer.size()) {
    const ssize_t got = read(file, buffer.data(), buffer.size() - out.size());
    if (got <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(file);
  return out;
}

// The number behind `name` at the beginning of a line.
std::int64_t number_of(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  return at == std::string_view::npos ? 0 : std::strtoll(text.data() + at + name.size(), nullptr, 10);
}

// Each thread lists the children that it started.
void add_children(const std::string& process, std::vector<pid_t>& out) {
  const std::string tasks = process + "/task";
  const auto closed = [](DIR* folder) { closedir(folder); };
  const std::unique_ptr<DIR, decltype(closed)> folder(opendir(tasks.c_str()), closed);
  if (!folder) return;
  while (const dirent* task = readdir(folder.get())) {
    if (task->d_name[0] == '.') continue;
    const std::string text = read_file(tasks + "/" + task->d_name + "/children");
    for (const char* at = text.c_str(); *at != '\0';) {
      char* end = nullptr;
      const long child = std::strtol(at, &end, 10);
      if (end == at) break;
      out.push_back(static_cast<pid_t>(child));
      at = *end == ' ' ? end + 1 : end;
    }
  }
}

// A line of /proc/PID/maps: "7fb9f0ea5000-7fb9f72a5000 rw-s 00000000 00:01 976    /dev/zero (deleted)".
struct Mapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t inode = 0;
};

std::optional<Mapping> mapping_of(std::string_view line) {
  Mapping out;
  const auto take = [&line](std::uint64_t& number, int base, char behind) {
    const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), number, base);
    if (failure != std::errc() || end == line.data() + line.size() || *end != behind) return false;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
    return true;
  };
  if (!take(out.start, 16, '-') || !take(out.end, 16, ' ')) return {};
  line.remove_prefix(std::min(line.size(), line.find(' ') + 1));  // rw-s
  if (!take(out.offset, 16, ' ') || !take(out.major, 16, ':') || !take(out.minor, 16, ' ')) return {};
  if (!take(out.inode, 10, ' ')) return {};
  return out;
}

// Where shared memory lies that belongs to no file. Nothing where that cannot be found out now.
std::optional<dev_t> device_of_shared_memory() {
  static std::atomic<dev_t> known = 0;
  if (known != 0) return known;
  const Fd piece(memfd_create("fixpoint", MFD_CLOEXEC));
  struct stat about = {};
  if (!piece || fstat(piece.get(), &about) != 0) return {};
  known = about.st_dev;
  return about.st_dev;
}

// The pieces of shared memory that processes have mapped, each once.
class SharedMemory {
 public:
  // False where there are more mappings than a look can see.
  bool add(const std::string& process) {
    const auto device = device_of_shared_memory();
    const Fd maps(open((process + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
    if (!device || !maps) return true;
    std::array<char, 16UL * 1024> buffer;
    std::string text;
    while (mappings_ < most_mappings && pieces_.size() < most_pieces) {
      const ssize_t got = read(maps.get(), buffer.data(), buffer.size());
      if (got <= 0) return true;
      text.append(buffer.data(), static_cast<std::size_t>(got));
      std::size_t begin = 0;
      for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        ++mappings_;
        const auto mapping = mapping_of(std::string_view(text).substr(begin, end + 1 - begin));
        if (mapping && makedev(mapping->major, mapping->minor) == *device) add(process, *mapping);
      }
      text.erase(0, begin);
    }
    return false;
  }
  std::int64_t kb() const {
    std::int64_t out = 0;
    for (const auto& [inode, piece] : pieces_) out += piece.kb;
    return out;
  }

 private:
  struct Piece {
    std::int64_t kb = 0;
    bool told = false;  // by the system
  };

  void add(const std::string& process, const Mapping& mapping) {
    Piece& piece = pieces_[mapping.inode];
    if (piece.told) return;
    struct stat about = {};
    const std::string link = fmt::format("{}/map_files/{:x}-{:x}", process, mapping.start, mapping.end);
    piece.told = stat(link.c_str(), &about) == 0 && about.st_ino == mapping.inode;
    const std::uint64_t mapped = mapping.offset + mapping.end - mapping.start;
    piece.kb = piece.told ? about.st_blocks / 2 : std::max(piece.kb, static_cast<std::int64_t>(mapped / 1024));
  }

  std::size_t mappings_ = 0;
  std::unordered_map<std::uint64_t, Piece> pieces_;  // by inode
};

}  // namespace

SharedMemorySight shared_memory_sight(pid_t process) {
  const Fd maps(open(("/proc/" + std::to_string(process) + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  if (!maps) return SharedMemorySight::Resident;
  const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Fd piece(memfd_create("fixpoint", MFD_CLOEXEC));
  if (!piece || ftruncate(piece.get(), static_cast<off_t>(size)) != 0) return SharedMemorySight::Mapped;
  void* const place = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, piece.get(), 0);
  if (place == MAP_FAILED) return SharedMemorySight::Mapped;
  const auto start = reinterpret_cast<std::uintptr_t>(place);
  struct stat about = {};
  const bool told = stat(fmt::format("/proc/self/map_files/{:x}-{:x}", start, start + size).c_str(), &about) == 0;
  munmap(place, size);
  return told ? SharedMemorySight::Whole : SharedMemorySight::Mapped;
}

std::int64_t memory_of_tree_kb(pid_t root, std::int64_t enough_kb) {
  std::vector<pid_t> tree{root};
  struct Held {
    std::int64_t own = 0;
    std::int64_t shared = 0;
  };
  std::vector<Held> held;
  Held sum;
  SharedMemory shared;
  bool seen = true;
  for (std::size_t i = 0; i < tree.size() && i < most_processes; ++i) {
    const std::string process = "/proc/" + std::to_string(tree[i]);
    const std::string status = read_file(process + "/status");
    held.push_back(
        {number_of(status, "\nRssAnon:") + number_of(status, "\nVmSwap:"), number_of(status, "\nRssShmem:")});
    sum.own += held.back().own;
    sum.shared += held.back().shared;
    seen = shared.add(process) && seen;
    add_children(process, tree);
  }
  // What is mapped of shared memory is part of it, but for what files of a file system in memory have.
  const std::int64_t pieces = shared.kb();
  const auto whole = [&] { return sum.own + std::max(sum.shared, pieces); };
  if (!seen) return std::max(whole(), enough_kb + 1);
  if (whole() <= enough_kb) return whole();
  sum = {};
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::string maps = read_file("/proc/" + std::to_string(tree[i]) + "/smaps_rollup");
    const bool told = maps.find("\nPss_Anon:") != std::string::npos;
    sum.own += told ? number_of(maps, "\nPss_Anon:") + number_of(maps, "\nSwapPss:") : held[i].own;
    sum.shared += told ? number_of(maps, "\nPss_Shmem:") : held[i].shared;
  }
  return whole();
}

}  // namespace fixpoint::functions
