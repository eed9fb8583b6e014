#pragma once

#include <cstdint>
#include <string_view>

namespace fixpoint::aws {

/// What the models do not say and the wire demands: every exception to the models is a row of a table here.

/// A service that is spoken in the query protocol by old clients and in JSON by new ones; its model may be of either
/// generation. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
struct SecondProtocol {
  std::string_view service;
  std::string_view json_target_prefix;
  std::string_view json_version;
  std::string_view xml_namespace;
};
const SecondProtocol* find_second_protocol(std::string_view service);

/// How the XML document of a response begins where the output's own name is not what AWS sends.
struct ResponseRoot {
  std::string_view service;
  std::string_view operation;
  std::string_view root;
  bool bare = false;  ///< the root is the one member of the output itself, not an element around it
};
const ResponseRoot* find_response_root(std::string_view service, std::string_view operation);

/// The namespace of a service's XML documents where its model says none at the service: S3's model says it only where a
/// request's payload is. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
std::string_view default_xml_namespace(std::string_view service);

/// The form of an XML error document.
enum class XmlErrorForm : std::uint8_t { Wrapped, Bare };
/// S3 sends `<Error>` alone, all others `<ErrorResponse><Error>`.
XmlErrorForm xml_error_form(std::string_view service);

/// True where the service takes a body in gzip and the packages' models do not say so: those of Debian are older than
/// the trait, and in those of npm it is code.
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
bool takes_gzip(std::string_view service, std::string_view operation);

/// Whether a service without a model speaks rest-xml: that can be told by its name alone.
bool is_rest_xml(std::string_view signing_name);

/// The member that a form may leave out for the path to say it, `/ACCOUNT/NAME`; empty for most services.
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
std::string_view member_in_path(std::string_view service);

/// True where a failure may come inside a response of status 200.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
bool may_fail_inside_success(std::string_view service);

/// True where a header may say `True` for `true`, as older boto3 does of S3's `x-amz-bucket-object-lock-enabled`.
bool takes_loose_headers(std::string_view service);

}  // namespace fixpoint::aws
