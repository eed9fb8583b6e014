#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::sandbox::ec2 {

/// Security group rules apart from the account that they are in. A rule is an object in the form of
/// DescribeSecurityGroupRules: IsEgress, IpProtocol, FromPort, ToPort (-1 for all), one of CidrIpv4, CidrIpv6,
/// PrefixListId and ReferencedGroupInfo, Description.

/// `100.68.0.18/18` as AWS keeps it: `100.68.0.0/18`; IPv6 in its short form. Error: InvalidParameterValue.
Result<std::string> canonical_cidr(const std::string& text, bool ipv6);

/// `TCP` and `6` are `tcp`; other numbers stay numbers. Error: InvalidParameterValue.
Result<std::string> canonical_protocol(std::string_view text);

/// Gives the id and owner of the group that a UserIdGroupPair names.
using GroupLookup = std::function<Result<json::Value>(const json::Value& pair)>;

/// The rules that a list of IpPermission says, one for each source. Errors: InvalidParameterValue, MissingParameter,
/// and what `group` answers.
Result<std::vector<json::Value>> rules_of(const json::Value& permissions, bool egress, const GroupLookup& group);

/// The rules of one direction as IpPermissions: one for each protocol and port range, with all sources in it, in the
/// order of protocol, ports and source (AWS promises none).
json::Array permissions_of(const json::Value& rules, bool egress);

/// Direction, protocol, ports and source as one text: two rules of the same are the same rule.
std::string rule_key(const json::Value& rule);

/// How many rules the list of IpPermission says, right or wrong.
std::size_t sources_in(const json::Value& permissions);

/// `peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW`, as AWS's messages put it.
std::string describe_rule(const json::Value& rule);

/// Error: InvalidParameterValue with the characters that are allowed.
Result<void> check_description(std::string_view text);

}  // namespace fixpoint::sandbox::ec2
