#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "base/id.h"
#include "functions/runtime.h"
#include "functions/zips.h"
#include "json/text.h"

namespace fixpoint::functions {

/// A runtime, and what makes an invocation out of a module's text.
class Handlers : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::no_python().empty()) GTEST_SKIP() << test::no_python();
    start(options());
  }

  void start(RuntimeOptions options) {
    auto started = Runtime::start(std::move(options));
    ASSERT_TRUE(started) << describe(started.error());
    runtime_ = std::move(*started);
  }

  RuntimeOptions options() {
    RuntimeOptions out;
    out.processes = 2;
    out.init_timeout_ms = 60'000;
    out.probe_timeout_ms = 30'000;
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
  bool isolated() { return runtime_->isolation().starts_with("Handlers run in bubblewrap"); }

  std::string log_group_, log_stream_, log_;  // of the last run; written before its outcome is told
  std::unique_ptr<Runtime> runtime_;          // goes first: it writes the above
};

}  // namespace fixpoint::functions
