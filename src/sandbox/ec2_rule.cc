#include "sandbox/ec2_rule.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <tuple>
#include <unordered_set>

#include "base/text.h"

namespace fixpoint::sandbox::ec2 {
namespace {

tl::unexpected<Error> invalid(std::string message) {
  return fail(errors::coded("InvalidParameterValue", std::move(message), 400));
}

constexpr std::string_view source_members[] = {"CidrIpv4", "CidrIpv6", "PrefixListId"};

std::string source_of(const json::Value& rule) {
  for (const auto member : source_members)
    if (rule[member].is_string()) return rule[member].as_string();
  return std::string(rule["ReferencedGroupInfo"]["GroupId"].string_or({}));
}

std::tuple<std::string, std::int64_t, std::int64_t> ports_of(const json::Value& rule) {
  return {std::string(rule["IpProtocol"].string_or({})), rule["FromPort"].int_or(-1), rule["ToPort"].int_or(-1)};
}

// FromPort and ToPort as AWS keeps them for the protocol.
Result<std::pair<std::int64_t, std::int64_t>> canonical_ports(const std::string& protocol,
                                                              const json::Value& from_member,
                                                              const json::Value& to_member) {
  const std::int64_t from = from_member.int_or(-1);
  const std::int64_t to = to_member.int_or(-1);
  if (protocol == "tcp" || protocol == "udp") {
    if (from_member.is_null() || to_member.is_null())
      return invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    for (const std::int64_t port : {from, to})
      if (port < 0 || port > 65535) return invalid("TCP/UDP port (" + std::to_string(port) + ") out of range");
    if (from > to)
      return invalid("Invalid TCP/UDP port range (" + std::to_string(from) + ":" + std::to_string(to) + ")");
    return std::pair{from, to};
  }
  if (protocol == "icmp" || protocol == "icmpv6") {
    if (from < -1 || from > 255) return invalid("ICMP type (" + std::to_string(from) + ") out of range");
    if (to < -1 || to > 255) return invalid("ICMP code (" + std::to_string(to) + ") out of range");
    if (from == -1 && to != -1) return invalid("ICMP code (" + std::to_string(to) + ") cannot be given with all types");
    return std::pair{from, to};
  }
  return std::pair<std::int64_t, std::int64_t>{-1, -1};  // every other protocol is open on all ports
}

}  // namespace

Result<std::string> canonical_cidr(const std::string& text, bool ipv6) {
  const auto malformed = [&] { return invalid("CIDR block " + text + " is malformed"); };
  const auto slash = text.find('/');
  if (slash == std::string::npos) return malformed();
  const auto bits = to_int64(std::string_view(text).substr(slash + 1));
  const int family = ipv6 ? AF_INET6 : AF_INET;
  const std::size_t size = ipv6 ? 16 : 4;
  std::array<unsigned char, 16> address{};
  if (!bits || *bits < 0 || *bits > static_cast<std::int64_t>(size * 8) ||
      inet_pton(family, text.substr(0, slash).c_str(), address.data()) != 1)
    return malformed();
  for (std::size_t i = 0; i < size; ++i) {
    const auto kept = std::clamp<std::int64_t>(*bits - static_cast<std::int64_t>(i) * 8, 0, 8);
    address[i] = static_cast<unsigned char>(address[i] & (0xff00 >> kept));
  }
  std::array<char, INET6_ADDRSTRLEN> printed{};
  inet_ntop(family, address.data(), printed.data(), printed.size());
  return std::string(printed.data()) + "/" + std::to_string(*bits);
}

Result<std::string> canonical_protocol(std::string_view text) {
  std::string name = to_lower(text);
  static constexpr std::pair<std::string_view, std::string_view> numbers[] = {
      {"6", "tcp"}, {"17", "udp"}, {"1", "icmp"}, {"58", "icmpv6"}, {"all", "-1"}};
  for (const auto& [number, known] : numbers)
    if (name == number || name == known) return std::string(known);
  if (const auto number = to_int64(name); number && *number >= 0 && *number <= 255) return name;
  return invalid("Invalid value '" + std::string(text) + "' for IP protocol. Unknown protocol.");
}

Result<void> check_description(std::string_view text) {
  static constexpr std::string_view extra = ". _-:/()#,@[]+=&;{}!$*";
  const bool fits = text.size() < 256 && std::all_of(
                                             text.begin(), text.end(),
                                             [](char c) {
                                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                                      (c >= '0' && c <= '9') || extra.find(c) != std::string_view::npos;
                                             });
  if (!fits)
    return invalid(
        "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "
        "a-zA-Z0-9" +
        std::string(extra));
  return {};
}

Result<std::vector<json::Value>> rules_of(const json::Value& permissions, bool egress, const GroupLookup& group) {
  std::vector<json::Value> out;
  for (std::size_t i = 0; i < permissions.size(); ++i) {
    const json::Value& permission = permissions[i];
    if (permission["IpProtocol"].is_null())
      return fail(errors::coded("MissingParameter", "The request must contain the parameter ipProtocol", 400));
    FIXPOINT_TRY(protocol, canonical_protocol(permission["IpProtocol"].string_or({})));
    FIXPOINT_TRY(ports, canonical_ports(protocol, permission["FromPort"], permission["ToPort"]));
    const std::size_t before = out.size();
    const auto add = [&](std::string_view member, json::Value source, const json::Value& from) -> Result<void> {
      json::Object rule{
          {"IsEgress", egress}, {"IpProtocol", protocol}, {"FromPort", ports.first}, {"ToPort", ports.second}};
      rule.set(member, std::move(source));
      if (const std::string_view text = from["Description"].string_or({}); !text.empty()) {
        FIXPOINT_CHECK(check_description(text));
        rule.set("Description", text);
      }
      out.emplace_back(std::move(rule));
      return {};
    };
    for (std::size_t n = 0; n < permission["IpRanges"].size(); ++n) {
      const json::Value& range = permission["IpRanges"][n];
      FIXPOINT_TRY(cidr, canonical_cidr(std::string(range["CidrIp"].string_or({})), false));
      FIXPOINT_CHECK(add("CidrIpv4", cidr, range));
    }
    for (std::size_t n = 0; n < permission["Ipv6Ranges"].size(); ++n) {
      const json::Value& range = permission["Ipv6Ranges"][n];
      FIXPOINT_TRY(cidr, canonical_cidr(std::string(range["CidrIpv6"].string_or({})), true));
      FIXPOINT_CHECK(add("CidrIpv6", cidr, range));
    }
    for (std::size_t n = 0; n < permission["PrefixListIds"].size(); ++n) {
      const json::Value& list = permission["PrefixListIds"][n];
      FIXPOINT_CHECK(add("PrefixListId", list["PrefixListId"], list));
    }
    for (std::size_t n = 0; n < permission["UserIdGroupPairs"].size(); ++n) {
      const json::Value& pair = permission["UserIdGroupPairs"][n];
      FIXPOINT_TRY(referenced, group(pair));
      FIXPOINT_CHECK(add("ReferencedGroupInfo", referenced, pair));
    }
    if (out.size() == before)
      return fail(errors::coded(
          "MissingParameter",
          "The request must contain a source for each permission: an IP range, a prefix list or a security group",
          400));
  }
  std::unordered_set<std::string> seen;
  for (const json::Value& rule : out)
    if (!seen.insert(rule_key(rule)).second) return invalid("The same permission must not appear multiple times");
  return out;
}

json::Array permissions_of(const json::Value& rules, bool egress) {
  std::vector<const json::Value*> sorted;
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (rules[i]["IsEgress"].bool_or(false) == egress) sorted.push_back(&rules[i]);
  std::sort(sorted.begin(), sorted.end(), [](const json::Value* a, const json::Value* b) {
    const auto left = ports_of(*a);
    const auto right = ports_of(*b);
    return left != right ? left < right : source_of(*a) < source_of(*b);
  });
  json::Array out;
  const json::Value* last = nullptr;
  for (const json::Value* rule : sorted) {
    if (last == nullptr || ports_of(*last) != ports_of(*rule)) {
      json::Object permission{{"IpProtocol", (*rule)["IpProtocol"]}};
      const auto [protocol, from, to] = ports_of(*rule);
      if (protocol == "tcp" || protocol == "udp" || protocol == "icmp" || protocol == "icmpv6") {
        permission.set("FromPort", from);
        permission.set("ToPort", to);
      }
      for (const auto list : {"IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"})
        permission.set(list, json::Array());
      out.emplace_back(std::move(permission));
    }
    last = rule;
    json::Object item;
    std::string_view list = "UserIdGroupPairs";
    if (const json::Value& cidr = (*rule)["CidrIpv4"]; !cidr.is_null()) {
      item.set("CidrIp", cidr);
      list = "IpRanges";
    } else if (const json::Value& cidr6 = (*rule)["CidrIpv6"]; !cidr6.is_null()) {
      item.set("CidrIpv6", cidr6);
      list = "Ipv6Ranges";
    } else if (const json::Value& prefixes = (*rule)["PrefixListId"]; !prefixes.is_null()) {
      item.set("PrefixListId", prefixes);
      list = "PrefixListIds";
    } else {
      for (const json::Member& member : (*rule)["ReferencedGroupInfo"].as_object()) item.set(member.key, member.value);
    }
    if (const json::Value& text = (*rule)["Description"]; !text.is_null()) item.set("Description", text);
    out.back().as_object().find(list)->push_back(std::move(item));
  }
  return out;
}

std::string rule_key(const json::Value& rule) {
  const auto [protocol, from, to] = ports_of(rule);
  std::string out = rule["IsEgress"].bool_or(false) ? "out " : "in ";
  out += protocol + " " + std::to_string(from) + " " + std::to_string(to) + " ";
  for (const auto member : source_members)
    if (rule[member].is_string()) return out + std::string(member) + " " + rule[member].as_string();
  return out + "GroupId " + std::string(rule["ReferencedGroupInfo"]["GroupId"].string_or({}));
}

std::size_t sources_in(const json::Value& permissions) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < permissions.size(); ++i)
    for (const auto list : {"IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"})
      out += permissions[i][list].size();
  return out;
}

std::string describe_rule(const json::Value& rule) {
  const auto [protocol, from, to] = ports_of(rule);
  std::string out = "peer: " + source_of(rule) + ", ";
  if (protocol == "tcp" || protocol == "udp")
    out += to_upper(protocol) + ", from port: " + std::to_string(from) + ", to port: " + std::to_string(to);
  else if (protocol == "icmp" || protocol == "icmpv6")
    out += to_upper(protocol) + ", type: " + std::to_string(from) + ", code: " + std::to_string(to);
  else
    out += protocol == "-1" ? "ALL" : protocol;
  return out + ", ALLOW";
}

}  // namespace fixpoint::sandbox::ec2
