#include "aws/profile_file.h"

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace fixpoint::aws {

std::optional<ProfileSection> read_profile_section(std::istream& in, std::string_view name) {
  std::optional<ProfileSection> section;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    std::string_view text = trim(line);
    if (text.empty() || text[0] == '#' || text[0] == ';') continue;
    if (text[0] == '[') {
      const std::size_t end = std::min(text.find(']'), text.size());
      std::string_view found = trim(text.substr(1, end - 1));
      if (found.starts_with("profile ")) found = trim(found.substr(8));
      inside = found == name;
      if (inside && !section) section.emplace();
      continue;
    }
    const std::size_t equals = text.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    std::string_view value = trim(text.substr(equals + 1));
    for (const std::string_view comment : {" #", " ;"}) value = trim(value.substr(0, value.find(comment)));
    section->insert_or_assign(to_lower(trim(text.substr(0, equals))), std::string(value));
  }
  return section;
}

ProfileSection config_section(const Environment& environment) {
  std::filesystem::path file = environment("AWS_CONFIG_FILE").value_or("");
  if (file.empty()) file = std::filesystem::path(environment("HOME").value_or("")) / ".aws/config";
  const std::string profile = environment("AWS_PROFILE").value_or("");
  std::ifstream in(file);
  if (!in) return {};
  return read_profile_section(in, profile.empty() ? "default" : profile).value_or(ProfileSection());
}

}  // namespace fixpoint::aws
