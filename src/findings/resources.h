#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fixpoint::findings {

/// Where a resource lies; what it takes to make its ARN of its id.
struct ResourcePlace {
  std::string partition;
  std::string region;
  std::string account;
};

/// A finding's name for a resource type of CloudFormation and Config: `AwsEc2SecurityGroup` for
/// `AWS::EC2::SecurityGroup`; `Other` for one that the finding format does not name or that is not known here.
/// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
std::string_view asff_type_of(std::string_view cloudformation_type);

/// The other way; a type that is not known here stays as it is.
std::string_view cloudformation_type_of(std::string_view asff_type);

/// The ARN of a resource of which only an id or name is known; `type` is a finding's or CloudFormation's. Nothing where
/// it takes more than that (a secret's ARN ends in six characters of chance), where the id is not one of the type (an
/// instance's begins with `i-`; `AIDA...` is no user's name), or where what the ARN needs of the place is empty. An id
/// that is an ARN already gives nothing. Forms: https://docs.aws.amazon.com/service-authorization/latest/reference/
std::optional<std::string> arn_of(std::string_view type, std::string_view id, const ResourcePlace& place);

}  // namespace fixpoint::findings
