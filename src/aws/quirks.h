#pragma once

#include <span>
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

}  // namespace fixpoint::aws
