#include "functions/runtime.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "functions/zips.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

/// One runtime for all tests of a suite: a process a function, as in service.
class Handlers : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::no_python().empty()) GTEST_SKIP() << test::no_python();
    auto started = Runtime::start(options());
    ASSERT_TRUE(started) << describe(started.error());
    runtime_ = std::move(*started);
  }

  virtual RuntimeOptions options() {
    RuntimeOptions out;
    out.processes = 2;
    out.init_timeout_ms = 60'000;
    out.on_log = [this](std::string_view group, std::string_view stream, std::string_view text) {
      log_group_ = group;
      log_stream_ = stream;
      log_ = text;
    };
    return out;
  }

  static Invocation invocation(const std::string& module, int timeout_s = 30) {
    return of_zip(test::zip_of({{"app.py", module}}), timeout_s);
  }

  static Invocation of_zip(const std::string& zip, int timeout_s = 30) {
    Invocation out;
    out.function.owner = {"123456789012", "eu-central-1"};
    out.function.name = "thing";
    out.function.runtime = "python3.12";
    out.function.handler = "app.handler";
    out.function.role = "arn:aws:iam::123456789012:role/r";
    out.function.timeout_s = timeout_s;
    out.function.revision_id = random_uuid();
    out.code = [zip]() -> Result<std::string> { return zip; };
    out.credentials = {"AKIAONE", "secret-one", "token-one"};
    out.request_id = "11111111-2222-3333-4444-555555555555";
    out.endpoint_url = "http://127.0.0.1:9";
    return out;
  }

  Outcome run(const Invocation& invocation) {
    auto outcome = runtime_->invoke_and_wait(invocation);
    EXPECT_TRUE(outcome) << describe(outcome.error());
    return outcome ? *outcome : Outcome{};
  }
  static json::Value payload(const Outcome& outcome) { return json::parse(outcome.payload).value_or(json::Value()); }

  std::unique_ptr<Runtime> runtime_;
  std::string log_group_, log_stream_, log_;  // of the last run; written before its outcome is told
};

TEST_F(Handlers, gives_the_event_and_takes_the_result) {
  auto call = invocation(
      "def handler(event, context):\n    print('hello', event['n'])\n    return {'twice': event['n'] * 2, 'text': "
      "'gr\\u00fc\\u00df'}\n");
  call.payload = R"({"n": 21})";
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.function_error, "") << outcome.payload << outcome.log_tail;
  EXPECT_EQ(outcome.payload, "{\"twice\": 42, \"text\": \"gr\u00fc\u00df\"}");
  EXPECT_TRUE(outcome.cold);
  EXPECT_GT(outcome.memory_used_mb, 5);
  EXPECT_NE(
      outcome.log_tail.find(
          "START RequestId: 11111111-2222-3333-4444-555555555555 Version: $LATEST\nhello 21\nEND RequestId: 11111111"),
      std::string::npos)
      << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("REPORT RequestId: 11111111-2222-3333-4444-555555555555\tDuration: "),
            std::string::npos);
  EXPECT_NE(runtime_->isolation(), "");
}

}  // namespace
}  // namespace fixpoint::functions
