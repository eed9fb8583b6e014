#include "base/arn.h"

#include <array>

namespace fixpoint {

std::string Arn::to_string() const {
  return "arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource;
}

Result<Arn> parse_arn(std::string_view text) {
  const std::string shown(text.substr(0, 128));
  if (!text.starts_with("arn:"))
    return fail(errors::validation("'" + shown + "' is not an ARN: it should start with 'arn:'"));
  std::string_view rest = text.substr(4);
  std::array<std::string_view, 4> parts;
  static constexpr std::array<const char*, 4> names{"partition", "service", "region", "account"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos)
      return fail(errors::validation("'" + shown + "' is not an ARN: it ends before the " +
                                     std::string(i + 1 < names.size() ? names[i + 1] : "resource")));
    parts[i] = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (parts[0].empty()) return fail(errors::validation("'" + shown + "' is not an ARN: its partition is empty"));
  if (parts[1].empty()) return fail(errors::validation("'" + shown + "' is not an ARN: its service is empty"));
  if (rest.empty()) return fail(errors::validation("'" + shown + "' is not an ARN: its resource is empty"));
  return Arn{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), std::string(parts[3]),
             std::string(rest)};
}

std::string_view partition_of_region(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  if (region.starts_with("us-isob-")) return "aws-iso-b";
  if (region.starts_with("us-iso-")) return "aws-iso";
  if (region.starts_with("eu-isoe-")) return "aws-iso-e";
  if (region.starts_with("us-isof-")) return "aws-iso-f";
  return "aws";
}

}  // namespace fixpoint
