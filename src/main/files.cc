#include "main/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

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

}  // namespace fixpoint::main
