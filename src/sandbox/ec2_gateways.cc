#include <algorithm>

#include "sandbox/ec2.h"
#include "sandbox/item_list.h"

namespace fixpoint::sandbox::ec2 {
namespace {

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
Reply create_flow_logs(Request& request) {
  default_vpc(request);
  const std::string_view kind = request.text("ResourceType");
  const std::string_view type = kind == "VPC" ? "vpc" : kind == "Subnet" ? "subnet" : std::string_view();
  if (type.empty())
    return refuse("InvalidParameterValue", "Flow logs of resource type '" + std::string(kind) +
                                               "' are not in the embedded account: VPC and Subnet are");
  const std::string_view destination_type = request.input["LogDestinationType"].string_or("cloud-watch-logs");
  if (destination_type == "cloud-watch-logs" && request.text("DeliverLogsPermissionArn").empty())
    return refuse("InvalidParameter",
                  "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.");
  if (request.text("LogGroupName").empty() && request.text("LogDestination").empty())
    return refuse("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.");
  json::Array ids;
  json::Array failed;
  FIXPOINT_TRY(tags, new_tags(request, "vpc-flow-log"));
  const json::Value& resources = request.input["ResourceIds"];
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
  if (resources.size() > 1000)
    return refuse("InvalidParameterValue", "More than 1000 resources specified: a call takes up to 1000 resource IDs");
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const std::string resource(resources[i].string_or({}));
    const auto unsuccessful = [&](std::string_view code, const std::string& message) {
      failed.push_back(
          json::Object{{"ResourceId", resource}, {"Error", json::Object{{"Code", code}, {"Message", message}}}});
    };
    if (!request.state.get(scope(request, type), resource)) {
      unsuccessful(type == "vpc" ? "InvalidVpcId.NotFound" : "InvalidSubnetId.NotFound",
                   "The " + std::string(kind) + " ID '" + resource + "' does not exist");
      continue;
    }
    json::Value log = json::Object{
        {"FlowLogId", new_id("fl-")},
        {"ResourceId", resource},
        {"FlowLogStatus", "ACTIVE"},
        {"DeliverLogsStatus", "SUCCESS"},
        {"CreationTime", request.now()},
        {"TrafficType", request.input["TrafficType"].string_or("ALL")},
        {"LogDestinationType", destination_type},
        {"MaxAggregationInterval", request.input["MaxAggregationInterval"].int_or(600)},
        {"LogFormat", request.input["LogFormat"].string_or(
                          "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
                          "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}")}};
    for (const auto member : {"LogGroupName", "LogDestination", "DeliverLogsPermissionArn"})
      if (request.has(member)) log.set(member, request.input[member]);
    if (tags.size() > 0) log.set("Tags", tags);
    bool there = false;
    request.state.each(scope(request, "vpc-flow-log"), {}, {}, [&](std::string_view, const Document& body) {
      there = body && (*body)["ResourceId"] == log["ResourceId"] && (*body)["LogGroupName"] == log["LogGroupName"] &&
              (*body)["LogDestination"] == log["LogDestination"];
      return !there;
    });
    if (there) {
      unsuccessful("FlowLogAlreadyExists",
                   "Error. There is an existing Flow Log with the same configuration and log destination.");
      continue;
    }
    const std::string id(log["FlowLogId"].string_or({}));
    ids.push_back(id);
    request.state.put(scope(request, "vpc-flow-log"), id, std::move(log));
  }
  return json::Object{{"FlowLogIds", std::move(ids)}, {"Unsuccessful", std::move(failed)}};
}

Reply describe_flow_logs(Request& request) {
  return describe(request, {.type = "vpc-flow-log",
                            .ids = "FlowLogIds",
                            .into = "FlowLogs",
                            .id_prefix = "fl-",
                            .missing_code = "InvalidFlowLogId.NotFound",
                            .malformed_code = "InvalidFlowLogId.Malformed",
                            .noun = "flow log ID",
                            .filters =
                                [](std::string_view name, const json::Value& it) {
                                  return filter_members(name, it,
                                                        {{"flow-log-id", "FlowLogId"},
                                                         {"resource-id", "ResourceId"},
                                                         {"traffic-type", "TrafficType"},
                                                         {"log-group-name", "LogGroupName"},
                                                         {"log-destination-type", "LogDestinationType"},
                                                         {"deliver-log-status", "DeliverLogsStatus"}});
                                },
                            .show = {},
                            .filters_member = "Filter"});
}

Reply delete_flow_logs(Request& request) {
  json::Array failed;
  const json::Value& ids = request.input["FlowLogIds"];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string id(ids[i].string_or({}));
    if (request.state.get(scope(request, "vpc-flow-log"), id))
      request.state.erase(scope(request, "vpc-flow-log"), id);
    else
      failed.push_back(
          json::Object{{"ResourceId", id},
                       {"Error", json::Object{{"Code", "InvalidFlowLogId.NotFound"},
                                              {"Message", "The specified flow log was not found: " + id}}}});
  }
  return json::Object{{"Unsuccessful", std::move(failed)}};
}

Reply create_endpoint(Request& request) {
  default_vpc(request);
  FIXPOINT_CHECK(
      resource_of(request, "vpc", "VpcId", "vpc-", "InvalidVpcId.NotFound", "InvalidVpcId.Malformed", "Vpc Id"));
  if (request.text("ServiceName").empty())
    return refuse("MissingParameter", "The request must contain the parameter ServiceName");
  const std::string id = new_id("vpce-");
  const std::string_view type = request.input["VpcEndpointType"].string_or("Gateway");
  const auto list = [&](std::string_view member) {
    return request.input[member].is_array() ? request.input[member] : json::Value(json::Array());
  };
  json::Array groups;
  const json::Value& given = request.input["SecurityGroupIds"];
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Document group = request.state.get(scope(request, "security-group"), given[i].string_or({}));
    if (!group)
      return refuse("InvalidSecurityGroupId.NotFound",
                    "The security group ID '" + std::string(given[i].string_or({})) + "' does not exist");
    groups.push_back(json::Object{{"GroupId", given[i]}, {"GroupName", (*group)["GroupName"]}});
  }
  json::Value endpoint = json::Object{
      {"VpcEndpointId", id},
      {"VpcEndpointType", type},
      {"VpcId", request.input["VpcId"]},
      {"ServiceName", request.input["ServiceName"]},
      {"State", "available"},
      {"RouteTableIds", list("RouteTableIds")},
      {"SubnetIds", list("SubnetIds")},
      {"Groups", std::move(groups)},
      {"PrivateDnsEnabled", request.input["PrivateDnsEnabled"].bool_or(type == "Interface")},
      {"RequesterManaged", false},
      {"CreationTimestamp", request.now()},
      {"OwnerId", request.context.account},
      {"PolicyDocument",
       request.input["PolicyDocument"].string_or(
           R"({"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})")}};
  FIXPOINT_TRY(tags, new_tags(request, "vpc-endpoint"));
  if (tags.size() > 0) endpoint.set("Tags", std::move(tags));
  request.state.put(scope(request, "vpc-endpoint"), id, endpoint);
  return json::Object{{"VpcEndpoint", std::move(endpoint)}};
}

Reply describe_endpoints(Request& request) {
  return describe(request, {.type = "vpc-endpoint",
                            .ids = "VpcEndpointIds",
                            .into = "VpcEndpoints",
                            .id_prefix = "vpce-",
                            .missing_code = "InvalidVpcEndpointId.NotFound",
                            .malformed_code = "InvalidVpcEndpointId.Malformed",
                            .noun = "Vpc Endpoint Id",
                            .filters =
                                [](std::string_view name, const json::Value& it) {
                                  return filter_members(name, it,
                                                        {{"vpc-endpoint-id", "VpcEndpointId"},
                                                         {"vpc-id", "VpcId"},
                                                         {"service-name", "ServiceName"},
                                                         {"vpc-endpoint-state", "State"},
                                                         {"vpc-endpoint-type", "VpcEndpointType"}});
                                },
                            .show = {}});
}

Reply delete_endpoints(Request& request) {
  json::Array failed;
  const json::Value& ids = request.input["VpcEndpointIds"];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string id(ids[i].string_or({}));
    if (request.state.get(scope(request, "vpc-endpoint"), id))
      request.state.erase(scope(request, "vpc-endpoint"), id);
    else
      failed.push_back(
          json::Object{{"ResourceId", id},
                       {"Error", json::Object{{"Code", "InvalidVpcEndpoint.NotFound"},
                                              {"Message", "The Vpc Endpoint Id '" + id + "' does not exist"}}}});
  }
  return json::Object{{"Unsuccessful", std::move(failed)}};
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TransitGatewayOptions.html
Reply create_transit_gateway(Request& request) {
  const std::string id = new_id("tgw-");
  json::Object options{{"AmazonSideAsn", 64512},
                       {"AutoAcceptSharedAttachments", "disable"},
                       {"DefaultRouteTableAssociation", "enable"},
                       {"DefaultRouteTablePropagation", "enable"},
                       {"VpnEcmpSupport", "enable"},
                       {"DnsSupport", "enable"},
                       {"MulticastSupport", "disable"}};
  if (const json::Value& given = request.input["Options"]; given.is_object())
    for (const json::Member& member : given.as_object()) options.set(member.key, member.value);
  json::Value gateway = json::Object{{"TransitGatewayId", id},
                                     {"TransitGatewayArn", request.arn("ec2", "transit-gateway/" + id)},
                                     {"State", "available"},
                                     {"OwnerId", request.context.account},
                                     {"Description", request.text("Description")},
                                     {"CreationTime", request.now()},
                                     {"Options", std::move(options)}};
  FIXPOINT_TRY(tags, new_tags(request, "transit-gateway"));
  if (tags.size() > 0) gateway.set("Tags", std::move(tags));
  request.state.put(scope(request, "transit-gateway"), id, gateway);
  return json::Object{{"TransitGateway", std::move(gateway)}};
}

Result<Document> transit_gateway_of(Request& request) {
  return resource_of(request, "transit-gateway", "TransitGatewayId", "tgw-", "InvalidTransitGatewayID.NotFound",
                     "InvalidTransitGatewayID.Malformed", "transit gateway ID");
}

Reply modify_transit_gateway(Request& request) {
  FIXPOINT_TRY(gateway, transit_gateway_of(request));
  json::Value body = *gateway;
  if (request.has("Description")) body.set("Description", request.input["Description"]);
  if (const json::Value& given = request.input["Options"]; given.is_object()) {
    json::Value& options = body.at_or_make("Options");
    for (const json::Member& member : given.as_object())
      if (member.key != "AddTransitGatewayCidrBlocks" && member.key != "RemoveTransitGatewayCidrBlocks")
        options.set(member.key, member.value);
    json::Value blocks = options["TransitGatewayCidrBlocks"];
    if (!blocks.is_array()) blocks = json::Array();
    auto& list = blocks.as_array();
    if (const json::Value& gone = given["RemoveTransitGatewayCidrBlocks"]; gone.is_array())
      take_items(list, gone.as_array(), {});
    if (const json::Value& added = given["AddTransitGatewayCidrBlocks"]; added.is_array())
      put_items(list, added.as_array(), {}, Same::Keep);
    if (list.empty())
      options.as_object().erase("TransitGatewayCidrBlocks");
    else
      options.set("TransitGatewayCidrBlocks", std::move(blocks));
  }
  request.state.put(scope(request, "transit-gateway"), request.text("TransitGatewayId"), body);
  return json::Object{{"TransitGateway", std::move(body)}};
}

Reply describe_transit_gateways(Request& request) {
  return describe(request,
                  {.type = "transit-gateway",
                   .ids = "TransitGatewayIds",
                   .into = "TransitGateways",
                   .id_prefix = "tgw-",
                   .missing_code = "InvalidTransitGatewayID.NotFound",
                   .malformed_code = "InvalidTransitGatewayID.Malformed",
                   .noun = "transit gateway ID",
                   .filters =
                       [](std::string_view name, const json::Value& it) {
                         return filter_members(
                             name, it,
                             {{"transit-gateway-id", "TransitGatewayId"}, {"state", "State"}, {"owner-id", "OwnerId"}});
                       },
                   .show = {}});
}

Reply delete_transit_gateway(Request& request) {
  FIXPOINT_TRY(gateway, transit_gateway_of(request));
  json::Value gone = *gateway;
  gone.set("State", "deleting");
  request.state.erase(scope(request, "transit-gateway"), request.text("TransitGatewayId"));
  return json::Object{{"TransitGateway", std::move(gone)}};
}

}  // namespace

void add_gateways(Table& table) {
  table.changes("CreateFlowLogs", create_flow_logs);
  table.reads("DescribeFlowLogs", describe_flow_logs);
  table.changes("DeleteFlowLogs", delete_flow_logs);
  table.changes("CreateVpcEndpoint", create_endpoint);
  table.reads("DescribeVpcEndpoints", describe_endpoints);
  table.changes("DeleteVpcEndpoints", delete_endpoints);
  table.changes("CreateTransitGateway", create_transit_gateway);
  table.reads("DescribeTransitGateways", describe_transit_gateways);
  table.changes("ModifyTransitGateway", modify_transit_gateway);
  table.changes("DeleteTransitGateway", delete_transit_gateway);
}

}  // namespace fixpoint::sandbox::ec2
