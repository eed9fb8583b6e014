#include "catalog/catalog.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

// Made by tools/archive_catalog: for each file "PATH\n", its size in decimal, "\n", its bytes.
extern "C" const char fixpoint_catalog_start[];
extern "C" const char fixpoint_catalog_end[];

namespace fixpoint::catalog {
namespace {

constexpr std::uintmax_t file_limit_bytes = 1024UL * 1024;

std::string_view line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return out;
}

}  // namespace

Catalog Catalog::embedded() {
  Catalog catalog;
  std::string_view rest(fixpoint_catalog_start,
                        static_cast<std::size_t>(fixpoint_catalog_end - fixpoint_catalog_start));
  while (!rest.empty()) {
    const std::string path(line(rest));
    const std::size_t size = std::stoul(std::string(line(rest)));
    catalog.files_.emplace(path, rest.substr(0, size));
    rest.remove_prefix(size);
  }
  return catalog;
}

Result<void> Catalog::overlay(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::recursive_directory_iterator entries(folder, failure);
  if (failure)
    return fail(errors::validation("the catalog folder " + folder + " cannot be read: " + failure.message()));
  for (const auto& entry : entries) {
    if (!entry.is_regular_file(failure)) continue;
    const std::string path = entry.path().lexically_relative(folder).generic_string();
    if (entry.file_size(failure) > file_limit_bytes)
      return fail(errors::validation("the catalog file " + path + " is larger than 1 MiB", path));
    std::ifstream in(entry.path(), std::ios::binary);
    if (!in) return fail(errors::validation("the catalog file " + path + " cannot be read", path));
    files_[path] = std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return {};
}

std::vector<std::string> Catalog::list(std::string_view folder) const {
  std::vector<std::string> paths;
  const std::string start = std::string(folder) + "/";
  for (auto at = files_.lower_bound(start); at != files_.end() && at->first.starts_with(start); ++at)
    paths.push_back(at->first);
  return paths;
}

const std::string* Catalog::find(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace fixpoint::catalog
