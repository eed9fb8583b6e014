#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace fixpoint::test {

/// A file beside the tests: test_data("json/data/x.json") is tests/json/data/x.json of the checkout.
inline std::filesystem::path test_data(const std::string& name) {
  return std::filesystem::path(FIXPOINT_TEST_DATA) / name;
}

/// The folder of shared data that may lie beside the checkout: FIXPOINT_SHARED, else ../shared. Nothing where there is
/// none.
inline std::optional<std::filesystem::path> shared_dir() {
  const char* named = std::getenv("FIXPOINT_SHARED");
  const std::filesystem::path folder =
      named != nullptr ? named : std::filesystem::path(FIXPOINT_SOURCE) / ".." / "shared";
  if (std::filesystem::is_directory(folder)) return folder;
  return {};
}

/// The conformance suites: FIXPOINT_CONFORMANCE, else `conformance` in the shared folder. Nothing where there are none.
inline std::optional<std::filesystem::path> conformance_dir() {
  if (const char* named = std::getenv("FIXPOINT_CONFORMANCE")) return std::filesystem::path(named);
  const auto shared = shared_dir();
  if (shared && std::filesystem::is_directory(*shared / "conformance")) return *shared / "conformance";
  return {};
}

/// The whole file; throws where it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace fixpoint::test
