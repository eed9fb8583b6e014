#include "signed_request.h"

#include <cstdlib>

#include "aws/protocol.h"
#include "base/clock.h"

namespace fixpoint::bench {

std::string signed_request(const aws::Models& models, std::string_view service, std::string_view operation,
                           const json::Value& input, const std::string& host, const aws::Credentials& key) {
  const auto model = models.get(service).value();
  HttpRequest request = aws::serialize_request(*model->find_operation(operation), input, {.host = host}).value();
  const auto options =
      aws::SigningOptions::for_service(std::string(model->signing_name), "us-east-1", SystemClock().now_ms());
  if (!aws::sign(request, key, options)) std::abort();
  std::string raw = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) raw += name + ": " + value + "\r\n";
  if (!request.headers.has("Content-Length")) raw += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return raw + "\r\n" + request.body;
}

}  // namespace fixpoint::bench
