#pragma once

namespace fixpoint::findings {

/// What one thing is called in OCSF and in ASFF.
struct NamePair {
  const char* ocsf;
  const char* asff;
};

/// The texts of a vulnerability's package.
inline constexpr NamePair package_texts[] = {{"architecture", "Architecture"},
                                             {"fixed_in_version", "FixedInVersion"},
                                             {"name", "Name"},
                                             {"package_manager", "PackageManager"},
                                             {"path", "FilePath"},
                                             {"release", "Release"},
                                             {"version", "Version"}};

}  // namespace fixpoint::findings
