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

}  // namespace

const SecondProtocol* find_second_protocol(std::string_view service) {
  const auto* row = std::ranges::find(second_protocols, service, &SecondProtocol::service);
  return row == second_protocols.end() ? nullptr : row;
}

}  // namespace fixpoint::aws
