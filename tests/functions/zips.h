#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/paths.h"
#include "support/temp_dir.h"

namespace fixpoint::test {

/// Why handlers cannot be run here, or nothing.
inline std::string no_python() {
  static const std::string reason = [] {
    if (::access("/usr/bin/python3", X_OK) != 0) return std::string("/usr/bin/python3 is not installed");
    if (std::system("/usr/bin/python3 -c 'import boto3' 2>/dev/null") != 0)
      return std::string("/usr/bin/python3 has no boto3 (Debian's python3-boto3)");
    return std::string();
  }();
  return reason;
}

/// Another Python that has a boto3 of its own, from PATH; empty where there is none.
inline std::string other_python() {
  std::string path;
  if (std::FILE* said = ::popen("python3 -c 'import boto3, sys; print(sys.executable)' 2>/dev/null", "r")) {
    char buffer[512];
    if (std::fgets(buffer, sizeof(buffer), said) != nullptr) path = buffer;
    ::pclose(said);
  }
  while (!path.empty() && path.back() == '\n') path.pop_back();
  return path == "/usr/bin/python3" ? std::string() : path;
}

/// A zip file of these files, made by Python's own zipfile.
inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  const TempDir dir;
  std::string script = "import zipfile\nz=zipfile.ZipFile('" + dir.string() + "/out.zip','w',zipfile.ZIP_DEFLATED)\n";
  int number = 0;
  for (const auto& [name, text] : files) {
    const std::string source = dir.string() + "/" + std::to_string(number++);
    std::ofstream(source, std::ios::binary) << text;
    script += "z.writestr('" + name + "', open('" + source + "','rb').read())\n";
  }
  std::ofstream(dir.path() / "make.py") << script << "z.close()\n";
  if (std::system(("/usr/bin/python3 " + dir.string() + "/make.py").c_str()) != 0) std::abort();
  return read_file(dir.path() / "out.zip");
}

}  // namespace fixpoint::test
