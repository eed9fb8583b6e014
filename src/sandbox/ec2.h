#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/operation.h"

namespace fixpoint::sandbox::ec2 {

/// Resources of a type lie in the scope (ec2, its EC2 resource type): `security-group`, `vpc`, `instance`.
Scope scope(const Request& request, std::string_view type);

/// Registers operations so that `DryRun` works: the operation runs, what it changed is taken back, and the answer is
/// DryRunOperation (412) instead of success.
class Table {
 public:
  explicit Table(Services& services) : rows_("ec2", services) {}
  void reads(std::string_view name, Operations::Function run);
  void changes(std::string_view name, Operations::Function run);

 private:
  Operations rows_;
};

tl::unexpected<Error> refuse(std::string code, std::string message, int status = 400);

/// `prefix` and 8 or 17 hexadecimal digits.
bool is_id(std::string_view text, std::string_view prefix);
std::string new_id(std::string_view prefix);

/// The Availability Zone that a call names by `AvailabilityZone` or `AvailabilityZoneId`, the region's first where it
/// names none; nothing for one that the region does not have. Every region has the zones a to f.
std::optional<std::string> zone_in(const Request& request);
/// `use1-az1` of `us-east-1a`. https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
std::string zone_id(std::string_view zone);

/// What a describe operation can be filtered by: the values of a filter's name in one resource, nothing for a name that
/// is no filter. `tag:KEY`, `tag-key` and `tag-value` are understood by apply_filters itself.
using FilterValues =
    std::function<std::optional<std::vector<std::string>>(std::string_view name, const json::Value& it)>;
/// Whether the resource passes all filters. `*` and `?` stand for any text and any character, `\` takes that from them.
/// Errors: InvalidParameterValue for an unknown filter, FilterLimitExceeded.
Result<bool> passes(const json::Value& filters, const json::Value& it, const FilterValues& values);
bool matches_pattern(std::string_view pattern, std::string_view text);

/// How many security groups a network interface has. Error: SecurityGroupsPerInstanceLimitExceeded.
Result<void> check_group_count(std::size_t groups);

/// Describes resources of a type: by id (all must be there), by filter, in pages.
struct Describe {
  std::string_view type;
  std::string_view ids;           ///< the input's member with the ids
  std::string_view into;          ///< the answer's member
  std::string_view id_prefix;     ///< `vpc-`
  std::string_view missing_code;  ///< InvalidVpcID.NotFound
  std::string_view malformed_code;
  std::string_view noun;  ///< "vpc ID": The vpc ID 'vpc-1' does not exist
  FilterValues filters;
  std::function<json::Value(const json::Value&)> show;  ///< the stored form as it is answered; as it is where empty
  std::string_view filters_member = "Filters";
};
Reply describe(Request& request, const Describe& how);

/// The value of the member that the table pairs with the filter's name, or nothing for a name that is not in it.
std::optional<std::vector<std::string>> filter_members(
    std::string_view name, const json::Value& it,
    std::initializer_list<std::pair<std::string_view, std::string_view>> table);

/// The resource that the call's `member` names. Errors: `malformed`, `missing`.
Result<Document> resource_of(Request& request, std::string_view type, std::string_view member, std::string_view prefix,
                             std::string_view missing, std::string_view malformed, std::string_view noun);

/// The tags that a call's TagSpecifications give to a new resource of the type. Error: InvalidParameterValue.
Result<json::Value> new_tags(const Request& request, std::string_view type);
/// Adds tags, a tag of the same key being replaced. Errors: InvalidParameterValue, TagLimitExceeded.
Result<void> merge_tags(json::Value& resource, const json::Value& tags);

/// Makes the default VPC with its subnets, gateway, route table, network ACL and security group where the account has
/// none yet in the region, as AWS has it in every new account; the VPC's id. Empty where it was deleted.
std::string default_vpc(Request& request);
/// A new VPC's own security group, route table and network ACL.
void furnish_vpc(Request& request, const std::string& vpc_id, std::string_view seed);

/// The group in the stored form with IpPermissions and IpPermissionsEgress made anew from its rules.
void render_permissions(json::Value& group);

/// A new VPC's network ACL.
void furnish_acl(Request& request, const std::string& id, const std::string& vpc_id);

/// Whether an instance may be terminated or, with `against_stop`, stopped. Error: OperationNotPermitted.
Result<void> check_not_protected(const json::Value& instance, bool against_stop);

/// Block public access for snapshots: unblocked, block-new-sharing or block-all-sharing.
std::string snapshot_blocking(Request& request);

/// A volume as CreateVolume or a device of RunInstances (`Ebs`) asks for it, not yet kept. Errors: MissingParameter,
/// InvalidSnapshot.NotFound, InvalidParameterValue, InvalidParameterDependency, InvalidParameterCombination.
Reply new_volume(Request& request, const json::Value& given, std::string_view zone);

/// The profile that a call's IamInstanceProfile names, as instances show it. Error: InvalidParameterValue.
Result<json::Value> profile_in(Request& request);
/// Makes and keeps the association of a profile with an instance.
json::Value keep_association(Request& request, std::string_view instance_id, const json::Value& profile);
json::Value instance_state(std::string_view name);

/// RunInstances, and what goes with an instance when it is terminated.
void add_launch(Table& table);
void end_instance(Request& request, json::Value& instance);

void add_security_groups(Table& table);
void add_rules(Table& table);
void add_network(Table& table);
void add_tags(Table& table);
void add_storage(Table& table);
void add_instances(Table& table);
void add_instance_attributes(Table& table);
void add_gateways(Table& table);
void add_acls(Table& table);
void add_addresses(Table& table);
void add_images(Table& table);

}  // namespace fixpoint::sandbox::ec2
