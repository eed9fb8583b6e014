#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <iostream>

#include "aws/sign.h"
#include "aws/verify.h"
#include "base/text.h"
#include "json/text.h"
#include "json/value.h"
#include "raw_request.h"
#include "support/paths.h"

namespace fixpoint::aws {
namespace {

namespace fs = std::filesystem;

class OneKey final : public KeyLookup {
 public:
  explicit OneKey(Credentials credentials)
      : access_key_(credentials.access_key),
        record_(std::make_shared<const KeyRecord>(
            KeyRecord{credentials.secret, credentials.session_token, {}, std::make_shared<Principal>()})) {}
  std::shared_ptr<const KeyRecord> find(std::string_view access_key) const override {
    return access_key == access_key_ ? record_ : nullptr;
  }

 private:
  std::string access_key_;
  std::shared_ptr<const KeyRecord> record_;
};

struct Case {
  Credentials credentials;
  SigningOptions options;
  int expires_s = 0;
};

Case read_case(const fs::path& folder) {
  const auto context = json::parse(test::read_file(folder / "context.json"));
  if (!context) throw std::runtime_error(describe(context.error()));
  const json::Value& given = (*context)["credentials"];
  Case out;
  out.credentials = {std::string(given["access_key_id"].string_or("")),
                     std::string(given["secret_access_key"].string_or("")), std::string(given["token"].string_or(""))};
  out.options.service = (*context)["service"].string_or("");
  out.options.region = (*context)["region"].string_or("");
  out.options.time_ms = *parse_iso8601_ms((*context)["timestamp"].string_or(""));
  out.options.path_rule = (*context)["normalize"].bool_or(true) ? PathRule::Normalized : PathRule::AsSent;
  out.options.sends_content_sha256 = (*context)["sign_body"].bool_or(false);
  out.options.session_token_is_signed = !(*context)["omit_session_token"].bool_or(false);
  out.expires_s = static_cast<int>((*context)["expiration_in_seconds"].int_or(3600));
  return out;
}

std::string text_of(const fs::path& file) {
  return std::string(trim(test::read_file(file)));
}

struct Tally {
  int passed = 0;
  int failed = 0;
  void note(bool right, const std::string& name, const std::string& what) {
    (right ? passed : failed) += 1;
    if (!right) ADD_FAILURE() << name << ": " << what;
  }
  void print(const char* suite) const {
    std::cout << suite << ": " << passed << " passed, " << failed << " failed, 0 skipped\n";
  }
};

// Every case signs to the recorded signature, and the recorded signed request verifies, in headers and presigned.
TEST(SigningSuite, signs_and_verifies_every_case) {
  const auto suites = test::conformance_dir();
  if (!suites || !fs::is_directory(*suites / "sigv4-aws-c-auth/v4")) {
    GTEST_SKIP() << "the suite sigv4-aws-c-auth is not here; FIXPOINT_CONFORMANCE names the folder of the suites";
  }
  Tally signing;
  Tally verifying;
  for (const auto& entry : fs::directory_iterator(*suites / "sigv4-aws-c-auth/v4")) {
    const fs::path folder = entry.path();
    const std::string name = folder.filename();
    const Case given = read_case(folder);
    const OneKey keys(given.credentials);
    const ManualClock clock(given.options.time_ms);
    const Verifier verifier(keys, clock);
    const VerifyOptions how{.path_rule = given.options.path_rule};

    HttpRequest request = test::split_request(test::read_file(folder / "request.txt"));
    ASSERT_TRUE(sign(request, given.credentials, given.options));
    const std::string authorization(request.headers.get("Authorization"));
    signing.note(authorization.ends_with("Signature=" + text_of(folder / "header-signature.txt")), name, authorization);
    request = test::split_request(test::read_file(folder / "header-signed-request.txt"));
    const auto by_header = verifier.verify(request, how);
    verifying.note(by_header.has_value(), name, by_header ? "" : describe(by_header.error()));

    request = test::split_request(test::read_file(folder / "request.txt"));
    ASSERT_TRUE(presign(request, given.credentials, given.options, given.expires_s));
    signing.note(
        request.target.find("&X-Amz-Signature=" + text_of(folder / "query-signature.txt")) != std::string::npos, name,
        request.target);
    request = test::split_request(test::read_file(folder / "query-signed-request.txt"));
    const auto by_query = verifier.verify(request, how);
    verifying.note(by_query.has_value(), name, by_query ? "" : describe(by_query.error()));
  }
  signing.print("sigv4-aws-c-auth, signed");
  verifying.print("sigv4-aws-c-auth, verified");
  EXPECT_EQ(signing.passed, 76);
  EXPECT_EQ(verifying.passed, 76);
}

// Bytes that the aws command and boto3 of two generations sent.
TEST(Captures, verify_whatever_real_clients_sent) {
  const auto shared = test::shared_dir();
  if (!shared || !fs::is_directory(*shared / "references/wire/raw")) {
    GTEST_SKIP() << "the captured requests are not here; FIXPOINT_SHARED names the folder of shared data";
  }
  Tally tally;
  for (const auto& entry : fs::directory_iterator(*shared / "references/wire/raw")) {
    const std::string name = entry.path().filename();
    const HttpRequest request = test::split_request(test::read_file(entry.path()));
    const OneKey keys({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                       std::string(request.headers.get("X-Amz-Security-Token"))});
    std::string date(request.headers.get("X-Amz-Date"));
    if (date.empty()) date = request.target.substr(request.target.find("X-Amz-Date=") + 11, 16);
    const ManualClock clock(*parse_basic_iso8601(date));
    const auto verified = Verifier(keys, clock).verify(request);
    tally.note(verified.has_value(), name, verified ? "" : describe(verified.error()));
  }
  tally.print("captured requests, verified");
  EXPECT_EQ(tally.passed, 62);
}

// botocore is what signs most of what arrives. It runs in the Python that the build packages bring.
TEST(Botocore, signs_random_requests_that_all_verify) {
  const std::string command =
      "/usr/bin/python3 '" + test::test_data("aws/data/sign_requests.py").string() + "' 1000 1 2>/dev/null";
  FILE* out = popen(command.c_str(), "r");
  ASSERT_NE(out, nullptr);
  std::string text;
  char buffer[65536];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, out)) > 0;) text.append(buffer, got);
  if (pclose(out) != 0) GTEST_SKIP() << "/usr/bin/python3 has no botocore here (apt-get install python3-botocore)";
  const OneKey keys({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""});
  Tally tally;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t line = rest.find('\n');
    const auto size = to_int64(rest.substr(0, line));
    ASSERT_TRUE(size);
    const std::string_view raw = rest.substr(line + 1, static_cast<std::size_t>(*size));
    rest.remove_prefix(line + 1 + raw.size());
    const HttpRequest request = test::split_request(raw);
    std::string date(request.headers.get("X-Amz-Date"));
    if (date.empty()) date = request.target.substr(request.target.find("X-Amz-Date=") + 11, 16);
    const ManualClock clock(*parse_basic_iso8601(date));
    const auto verified = Verifier(keys, clock).verify(request);
    tally.note(verified.has_value(), request.method + ' ' + request.target, verified ? "" : describe(verified.error()));
  }
  tally.print("signed by botocore, verified");
  EXPECT_EQ(tally.passed, 1000);
}

}  // namespace
}  // namespace fixpoint::aws
