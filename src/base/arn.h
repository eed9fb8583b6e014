#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace fixpoint {

/// The six parts of an Amazon Resource Name.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
struct Arn {
  std::string partition;  ///< aws, aws-cn, aws-us-gov, ...
  std::string service;
  std::string region;    ///< may be empty
  std::string account;   ///< may be empty
  std::string resource;  ///< all that follows the fifth colon, colons and slashes included

  std::string to_string() const;
};

/// Error: ValidationException that says which part is missing.
Result<Arn> parse_arn(std::string_view text);

/// The partition that a region belongs to: cn-* aws-cn, us-gov-* aws-us-gov, us-iso* aws-iso and so on, else aws.
std::string_view partition_of_region(std::string_view region);

}  // namespace fixpoint
