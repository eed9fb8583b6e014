#include "functions/memory.h"

#include <array>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace fixpoint::functions {
namespace {

constexpr std::size_t most_processes = 4'096;  // above what a run may have: a tree that grows while it is read ends

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

}  // namespace

std::int64_t memory_of_tree_kb(pid_t root, std::int64_t enough_kb) {
  std::vector<pid_t> tree{root};
  std::vector<std::int64_t> held;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < tree.size() && i < most_processes; ++i) {
    const std::string process = "/proc/" + std::to_string(tree[i]);
    const std::string status = read_file(process + "/status");
    held.push_back(number_of(status, "\nRssAnon:") + number_of(status, "\nRssShmem:"));
    sum += held.back();
    add_children(process, tree);
  }
  if (sum <= enough_kb) return sum;
  sum = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::string maps = read_file("/proc/" + std::to_string(tree[i]) + "/smaps_rollup");
    const bool told = maps.find("\nPss_Anon:") != std::string::npos;
    sum += told ? number_of(maps, "\nPss_Anon:") + number_of(maps, "\nPss_Shmem:") : held[i];
  }
  return sum;
}

}  // namespace fixpoint::functions
