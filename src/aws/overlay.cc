#include <algorithm>
#include <fstream>
#include <map>

#include "aws/compression.h"
#include "aws/pack.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit_bytes = 64UL * 1024 * 1024;

Error invalid(const fs::path& file, std::string message) {
  return Error{"InvalidModel", std::move(message), file.string(), false, 0};
}

constexpr std::string_view packed_suffix = ".gz";

// The file as it is, or in gzip as botocore has brought its own since 1.34; empty where it is there in neither form.
fs::path plain_or_packed(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) return file;
  fs::path packed = file;
  packed += packed_suffix;
  return fs::is_regular_file(packed, ignored) ? packed : fs::path();
}

// botocore's rule: the greatest version that has the file.
fs::path newest_version(const fs::path& folder) {
  fs::path newest;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator(folder, ignored)) {
    fs::path file = plain_or_packed(version.path() / "service-2.json");
    if (!file.empty() && (newest.empty() || file.parent_path() > newest.parent_path())) newest = std::move(file);
  }
  return newest;
}

Result<json::Value> read_json(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) return fail(invalid(file, "The model cannot be read: " + error.message() + "."));
  if (size > file_limit_bytes)
    return fail(invalid(file, "The model has " + std::to_string(size) + " bytes; at most " +
                                  std::to_string(file_limit_bytes) + " are taken."));
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(invalid(file, "The model cannot be read."));
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (file.extension() == packed_suffix) {
    auto inflated = gunzip(text, file_limit_bytes);
    if (!inflated) return fail(invalid(file, "The model cannot be unpacked: " + describe(inflated.error())));
    text = std::move(*inflated);
  }
  auto value = json::parse(text);
  if (!value) return fail(invalid(file, "The model is no JSON: " + describe(value.error())));
  if (!value->is_object()) return fail(invalid(file, "The model has to be a JSON object."));
  return std::move(*value);
}

Result<json::Value> read_sister(const fs::path& file) {
  const fs::path there = plain_or_packed(file);
  return there.empty() ? Result<json::Value>(json::Value()) : read_json(there);
}

// `name.json` or `name.json.gz` without that; nothing for any other file.
std::string stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(packed_suffix)) name.resize(name.size() - packed_suffix.size());
  constexpr std::string_view suffix = ".json";
  if (!name.ends_with(suffix)) return {};
  name.resize(name.size() - suffix.size());
  return name;
}

}  // namespace

Result<std::vector<OverlayEntry>> list_overlay(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return fail(invalid(folder, "The folder of models is not there, or is no folder."));
  std::map<std::string, fs::path> found;
  for (const auto& at : fs::directory_iterator(folder, error)) {
    const fs::path& path = at.path();
    std::string name;
    fs::path file;
    if (at.is_directory(error)) {
      name = path.filename().string();
      file = newest_version(path);
    } else if (name = stem_of(path); !name.empty() && !name.starts_with('_')) {
      // botocore's own folder has files like _retry.json and endpoints.json beside the services.
      file = path;
      if (name == "endpoints" || name == "partitions" || name == "sdk-default-configuration") continue;
    }
    if (file.empty()) continue;
    const auto [known, added] = found.emplace(name, file);
    if (!added)
      return fail(invalid(folder, "The service '" + name + "' is there twice: " + known->second.string() + " and " +
                                      file.string() + "."));
  }
  if (error) return fail(invalid(folder, "The folder of models cannot be listed: " + error.message() + "."));
  if (found.empty())
    return fail(
        invalid(folder,
                "The folder of models holds none: it has NAME.json, or NAME/VERSION/service-2.json as botocore's "
                "data folder does, each also with .gz."));
  std::vector<OverlayEntry> entries;
  entries.reserve(found.size());
  for (auto& [name, file] : found) entries.push_back({name, std::move(file)});
  return entries;
}

Result<ServiceFiles> read_overlay(const OverlayEntry& entry) {
  ServiceFiles files;
  FIXPOINT_TRY(service, read_json(entry.file));
  for (const std::string_view key : {"metadata", "operations", "shapes"})
    if (!service[key].is_object())
      return fail(
          invalid(entry.file, "The model has no object '" + std::string(key) +
                                  "'; botocore's form of a service-2.json has metadata, operations and shapes."));
  files.service = std::move(service);
  if (stem_of(entry.file) == "service-2") {
    FIXPOINT_TRY(paginators, read_sister(entry.file.parent_path() / "paginators-1.json"));
    FIXPOINT_TRY(waiters, read_sister(entry.file.parent_path() / "waiters-2.json"));
    files.paginators = std::move(paginators);
    files.waiters = std::move(waiters);
  }
  return files;
}

}  // namespace fixpoint::aws
