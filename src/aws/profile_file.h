#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"

/// The files that AWS's tools share. https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
namespace fixpoint::aws {

/// One section's settings by name in small letters.
using ProfileSection = std::map<std::string, std::string, std::less<>>;

/// The section `[name]` or `[profile name]`, nothing where there is none. `# ` and `; ` begin comments; of a setting
/// that stands twice the last counts.
std::optional<ProfileSection> read_profile_section(std::istream& in, std::string_view name);

/// The profile (AWS_PROFILE or `default`) of the config file (AWS_CONFIG_FILE or ~/.aws/config); empty where there is
/// none.
ProfileSection config_section(const Environment& environment);

}  // namespace fixpoint::aws
