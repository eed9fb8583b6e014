// Verification on any bytes: an HTTP request as text, its parts wherever the fuzzer puts them. Nothing that was not
// signed with the secret may verify, and what signing made of the same bytes must. The body also goes through the
// decoder of aws-chunked.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "aws/sign.h"
#include "aws/verify.h"
#include "base/text.h"

namespace {

using namespace fixpoint;

const TimeMs now = *parse_basic_iso8601("20240102T030405Z");

class OneKey final : public aws::KeyLookup {
 public:
  std::shared_ptr<const aws::KeyRecord> find(std::string_view access_key) const override {
    if (access_key.empty()) return nullptr;
    return record_;
  }

 private:
  std::shared_ptr<const aws::KeyRecord> record_ = std::make_shared<const aws::KeyRecord>(
      aws::KeyRecord{"a secret that the fuzzer does not know", "", {}, std::make_shared<const aws::Principal>()});
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const OneKey keys;
  static const ManualClock clock(now);
  static const aws::Verifier verifier(keys, clock);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  HttpRequest request;
  request.method = take_line(text);
  request.target = '/';
  request.target += take_line(text);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(':'), line.size());
    request.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(std::min(colon + 1, line.size()))));
  }
  request.body = text;
  require(!verifier.verify(request), "what was not signed does not verify");

  const auto chunked = aws::decode_aws_chunked(request.body, {});
  if (chunked) require(chunked->payload.size() < request.body.size(), "chunks hold less than the body");

  // S3 and a service with normalised paths by turns. What names the signature's own parts already is left aside.
  const bool s3 = size % 2 == 0;
  for (const char* name : {"X-Amz-Date", "Date", "Authorization", "x-amz-content-sha256", "X-Amz-Security-Token"}) {
    request.headers.remove(name);
  }
  if (request.target.find("X-Amz-") != std::string::npos || request.headers.lines().size() > 100) return 0;
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of(";=, \t\r\n") != std::string::npos) return 0;
  }
  request.headers.set("Host", "host");
  const auto options = aws::SigningOptions::for_service(s3 ? "s3" : "kms", "us-east-1", now);
  const aws::Credentials credentials{"AKIA", "a secret that the fuzzer does not know", ""};
  HttpRequest presigned = request;
  require(aws::sign(request, credentials, options).has_value(), "a request with a host can be signed");
  const auto verified = verifier.verify(request);
  if (!verified) std::fprintf(stderr, "%s\n", describe(verified.error()).c_str());
  require(verified.has_value(), "what was signed verifies");
  require(aws::presign(presigned, credentials, options, 60).has_value(), "a request with a host can be presigned");
  const auto by_query = verifier.verify(presigned);
  if (!by_query) std::fprintf(stderr, "%s\n", describe(by_query.error()).c_str());
  require(by_query.has_value(), "what was presigned verifies");
  return 0;
}
