#include "aws/quirks.h"

#include <algorithm>
#include <array>

namespace fixpoint::aws {
namespace {

constexpr std::array second_protocols{
    SecondProtocol{"sqs", "AmazonSQS", "1.0", "http://queue.amazonaws.com/doc/2012-11-05/"},
    SecondProtocol{"cloudwatch", "GraniteServiceVersion20100801", "1.0",
                   "http://monitoring.amazonaws.com/doc/2010-08-01/"},
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html: the "Response Syntax" of each.
constexpr std::array response_roots{
    ResponseRoot{"s3", "GetBucketLocation", "LocationConstraint", true},
    ResponseRoot{"s3", "ListBuckets", "ListAllMyBucketsResult"},
    ResponseRoot{"s3", "ListDirectoryBuckets", "ListAllMyDirectoryBucketsResult"},
    ResponseRoot{"s3", "ListObjects", "ListBucketResult"},
    ResponseRoot{"s3", "ListObjectsV2", "ListBucketResult"},
    ResponseRoot{"s3", "ListObjectVersions", "ListVersionsResult"},
    ResponseRoot{"s3", "ListMultipartUploads", "ListMultipartUploadsResult"},
    ResponseRoot{"s3", "ListParts", "ListPartsResult"},
    ResponseRoot{"s3", "CreateMultipartUpload", "InitiateMultipartUploadResult"},
    ResponseRoot{"s3", "CompleteMultipartUpload", "CompleteMultipartUploadResult"},
    ResponseRoot{"s3", "DeleteObjects", "DeleteResult"},
    ResponseRoot{"s3", "GetBucketAccelerateConfiguration", "AccelerateConfiguration"},
    ResponseRoot{"s3", "GetBucketAcl", "AccessControlPolicy"},
    ResponseRoot{"s3", "GetObjectAcl", "AccessControlPolicy"},
    ResponseRoot{"s3", "GetBucketCors", "CORSConfiguration"},
    ResponseRoot{"s3", "GetBucketLifecycle", "LifecycleConfiguration"},
    ResponseRoot{"s3", "GetBucketLifecycleConfiguration", "LifecycleConfiguration"},
    ResponseRoot{"s3", "GetBucketLogging", "BucketLoggingStatus"},
    ResponseRoot{"s3", "GetBucketNotification", "NotificationConfiguration"},
    ResponseRoot{"s3", "GetBucketNotificationConfiguration", "NotificationConfiguration"},
    ResponseRoot{"s3", "GetBucketRequestPayment", "RequestPaymentConfiguration"},
    ResponseRoot{"s3", "GetBucketTagging", "Tagging"},
    ResponseRoot{"s3", "GetObjectTagging", "Tagging"},
    ResponseRoot{"s3", "GetBucketVersioning", "VersioningConfiguration"},
    ResponseRoot{"s3", "GetBucketWebsite", "WebsiteConfiguration"},
    ResponseRoot{"s3", "GetObjectAttributes", "GetObjectAttributesResponse"},
    ResponseRoot{"s3", "ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult"},
    ResponseRoot{"s3", "ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult"},
    ResponseRoot{"s3", "ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult"},
};

}  // namespace

const ResponseRoot* find_response_root(std::string_view service, std::string_view operation) {
  const auto* row = std::ranges::find_if(
      response_roots, [&](const ResponseRoot& r) { return r.service == service && r.operation == operation; });
  return row == response_roots.end() ? nullptr : row;
}

XmlErrorForm xml_error_form(std::string_view service) {
  return service == "s3" ? XmlErrorForm::Bare : XmlErrorForm::Wrapped;
}

bool may_fail_inside_success(std::string_view service) {
  return service == "s3";
}

std::string_view default_xml_namespace(std::string_view service) {
  return service == "s3" ? "http://s3.amazonaws.com/doc/2006-03-01/" : "";
}

bool is_rest_xml(std::string_view signing_name) {
  return signing_name == "cloudfront" || signing_name == "route53";
}

std::string_view member_in_path(std::string_view service) {
  return service == "sqs" ? "QueueUrl" : "";
}

bool takes_loose_headers(std::string_view service) {
  return service == "s3";
}

bool takes_gzip(std::string_view service, std::string_view operation) {
  return service == "cloudwatch" && operation == "PutMetricData";
}

const SecondProtocol* find_second_protocol(std::string_view service) {
  const auto* row = std::ranges::find(second_protocols, service, &SecondProtocol::service);
  return row == second_protocols.end() ? nullptr : row;
}

}  // namespace fixpoint::aws
