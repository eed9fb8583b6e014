#pragma once

#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/error.h"

namespace fixpoint::aws {

/// Where a call goes and what its signature is scoped to.
struct Endpoint {
  std::string scheme = "https";
  std::string host;         ///< with the port where it is not the scheme's own
  std::string base_path;    ///< of an endpoint override, without a slash at its end; usually empty
  std::string region;       ///< of the credential scope
  std::string service;      ///< of the credential scope
  bool overridden = false;  ///< an emulator or proxy: bucket names and host prefixes stay out of the host

  std::string base_url() const { return scheme + "://" + host; }
};

/// Whether AWS has a partition of that name.
bool is_partition(std::string_view name);

/// The domain under which a partition's services are: `amazonaws.com` for aws.
/// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
std::string_view dns_suffix(std::string_view partition);

/// The endpoint of `service` in `region`: `https://{endpointPrefix}.{region}.{dnsSuffix}`, but for the services that
/// have one endpoint for the whole partition (iam, cloudfront, route53, organizations, account).
/// https://docs.aws.amazon.com/general/latest/gr/rande.html
/// Error: ValidationException where `region` cannot be part of a host name.
Result<Endpoint> endpoint_of(const Service& service, std::string_view region);

/// The endpoint `url` (`http://127.0.0.1:4566`, a path allowed) instead of AWS's own, for all that `service` offers.
/// Error: ValidationException naming what is wrong with the URL.
Result<Endpoint> endpoint_at(std::string_view url, const Service& service, std::string_view region);

/// Moves the bucket of an S3 request from the path into the host: `/bucket/key` of s3.R to `/key` of bucket.s3.R, as
/// AWS recommends. Does nothing where the name is no label of a host (dots break the certificate) or the endpoint is
/// overridden. An access point's ARN goes to its own host.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
/// Error: ValidationException for an ARN that is no access point's.
Result<void> address_bucket(Endpoint& endpoint, std::string& target, std::string_view bucket);

/// True for letters, digits and inner dashes, 1 to 63 of them: what a part of a host name may be.
bool is_host_label(std::string_view text);

}  // namespace fixpoint::aws
