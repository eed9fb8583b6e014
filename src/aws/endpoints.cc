#include "aws/endpoints.h"

#include <algorithm>
#include <array>

#include "base/arn.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

struct Suffix {
  std::string_view partition;
  std::string_view suffix;
};
constexpr std::array<Suffix, 8> suffixes = {{
    {"aws", "amazonaws.com"},
    {"aws-cn", "amazonaws.com.cn"},
    {"aws-us-gov", "amazonaws.com"},
    {"aws-iso", "c2s.ic.gov"},
    {"aws-iso-b", "sc2s.sgov.gov"},
    {"aws-iso-e", "cloud.adc-e.uk"},
    {"aws-iso-f", "csp.hci.ic.gov"},
    {"aws-eusc", "amazonaws.eu"},
}};

// Services with one endpoint for a partition: where it is, and the region that is signed for.
struct Global {
  std::string_view endpoint_prefix;
  std::string_view partition;
  std::string_view host;
  std::string_view region;
};
constexpr std::array<Global, 21> globals = {{
    {"iam", "aws", "iam.amazonaws.com", "us-east-1"},
    {"iam", "aws-cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"iam", "aws-us-gov", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"iam", "aws-iso", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"iam", "aws-iso-b", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"iam", "aws-iso-f", "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
    {"cloudfront", "aws", "cloudfront.amazonaws.com", "us-east-1"},
    {"cloudfront", "aws-cn", "cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"route53", "aws", "route53.amazonaws.com", "us-east-1"},
    {"route53", "aws-cn", "route53.amazonaws.com.cn", "cn-northwest-1"},
    {"route53", "aws-us-gov", "route53.us-gov.amazonaws.com", "us-gov-west-1"},
    {"route53", "aws-iso", "route53.c2s.ic.gov", "us-iso-east-1"},
    {"route53", "aws-iso-b", "route53.sc2s.sgov.gov", "us-isob-east-1"},
    {"organizations", "aws", "organizations.us-east-1.amazonaws.com", "us-east-1"},
    {"organizations", "aws-cn", "organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"organizations", "aws-us-gov", "organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"organizations", "aws-iso", "organizations.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"organizations", "aws-iso-b", "organizations.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"organizations", "aws-iso-f", "organizations.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"},
    {"account", "aws", "account.us-east-1.amazonaws.com", "us-east-1"},
    {"account", "aws-cn", "account.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
}};

Result<void> check_region(std::string_view region) {
  if (is_host_label(region)) return {};
  return fail(errors::validation(
      "a region is letters, digits and dashes, like us-east-1; this one would become part of a host name and is '" +
          std::string(region.substr(0, 64)) + "'",
      "region"));
}

}  // namespace

bool is_host_label(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_partition(std::string_view name) {
  return std::ranges::any_of(suffixes, [&](const Suffix& known) { return known.partition == name; });
}

std::string_view dns_suffix(std::string_view partition) {
  for (const Suffix& known : suffixes) {
    if (known.partition == partition) return known.suffix;
  }
  return suffixes.front().suffix;
}

Result<Endpoint> endpoint_of(const Service& service, std::string_view region) {
  FIXPOINT_CHECK(check_region(region));
  Endpoint endpoint;
  endpoint.service = service.signing_name;
  const std::string_view partition = partition_of_region(region);
  for (const Global& global : globals) {
    if (global.endpoint_prefix != service.endpoint_prefix || global.partition != partition) continue;
    endpoint.host = global.host;
    endpoint.region = global.region;
    return endpoint;
  }
  endpoint.region = region;
  endpoint.host = service.endpoint_prefix;
  endpoint.host += '.';
  endpoint.host += region;
  endpoint.host += '.';
  endpoint.host += dns_suffix(partition);
  return endpoint;
}

Result<Endpoint> endpoint_at(std::string_view url, const Service& service, std::string_view region) {
  FIXPOINT_TRY(own, endpoint_of(service, region));
  const auto wrong = [&](std::string_view what) {
    return fail(errors::validation(
        "an endpoint URL " + std::string(what) + ", and this one is '" + std::string(url) + "'", "endpoint"));
  };
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return wrong("begins with http:// or https://");
  Endpoint endpoint;
  endpoint.scheme = to_lower(url.substr(0, scheme_end));
  if (endpoint.scheme != "http" && endpoint.scheme != "https") return wrong("begins with http:// or https://");
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::size_t host_end = std::min(rest.find('/'), rest.size());
  endpoint.host = rest.substr(0, host_end);
  if (endpoint.host.empty()) return wrong("names a host");
  if (rest.find_first_of("?#@ \t\r\n") != std::string_view::npos) return wrong("is scheme, host, port and path only");
  endpoint.base_path = rest.substr(host_end);
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  endpoint.region = own.region;
  endpoint.service = own.service;
  endpoint.overridden = true;
  return endpoint;
}

Result<void> address_bucket(Endpoint& endpoint, std::string& target, std::string_view bucket) {
  const std::size_t path_end = std::min(target.find_first_of("/?", 1), target.size());
  if (bucket.starts_with("arn:")) {
    FIXPOINT_TRY(arn, parse_arn(bucket));
    constexpr std::string_view kind = "accesspoint/";
    constexpr std::string_view other_kind = "accesspoint:";
    const std::string_view resource = arn.resource;
    const bool is_access_point =
        arn.service == "s3" && (resource.starts_with(kind) || resource.starts_with(other_kind));
    const std::string_view name = is_access_point ? resource.substr(kind.size()) : std::string_view();
    if (!is_host_label(name) || !is_host_label(arn.account) || !is_host_label(arn.region)) {
      return fail(
          errors::validation("an ARN in place of a bucket must be that of an access point, "
                             "arn:PARTITION:s3:REGION:ACCOUNT:accesspoint/NAME, and this one is '" +
                                 std::string(bucket.substr(0, 256)) + "'",
                             "Bucket"));
    }
    // The name stands in the path as one segment or, with its slash unescaped, as two.
    std::size_t end = path_end;
    if (uri_decode(std::string_view(target).substr(1, end - 1)) != bucket) {
      end = std::min(target.find_first_of("/?", std::min(end + 1, target.size())), target.size());
    }
    target.erase(0, end);
    endpoint.region = arn.region;
    if (!endpoint.overridden) {
      endpoint.host = std::string(name) + '-' + arn.account + ".s3-accesspoint." + arn.region + '.' +
                      std::string(dns_suffix(arn.partition));
    }
  } else if (endpoint.overridden || !is_host_label(bucket) || to_lower(bucket) != bucket || bucket.size() < 3) {
    return {};
  } else {
    if (std::string_view(target).substr(1, path_end - 1) != bucket) return {};
    target.erase(0, path_end);
    endpoint.host.insert(0, std::string(bucket) + '.');
  }
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  return {};
}

}  // namespace fixpoint::aws
