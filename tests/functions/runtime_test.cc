#include "functions/runtime.h"

#include <future>
#include <gtest/gtest.h>
#include <vector>

#include "functions/ear.h"
#include "functions/handlers.h"
#include "http/curl_client.h"

namespace fixpoint::functions {
namespace {

std::string error_type(const Outcome& outcome) {
  EXPECT_EQ(outcome.function_error, "Unhandled") << outcome.payload;
  const auto document = json::parse(outcome.payload).value_or(json::Value());
  EXPECT_EQ(document["errorType"].string_or(""), outcome.error_type) << outcome.payload;
  EXPECT_TRUE(document["stackTrace"].is_array()) << outcome.payload;
  return outcome.error_type;
}

std::string error_message(const Outcome& outcome) {
  return std::string(json::parse(outcome.payload).value_or(json::Value())["errorMessage"].string_or(""));
}

TEST_F(Handlers, gives_the_event_and_takes_the_result) {
  auto call = invocation(
      "def handler(event, context):\n    print('hello', event['n'])\n    return {'twice': event['n'] * 2, 'text': "
      "'gr\\u00fc\\u00df'}\n");
  call.payload = R"({"n": 21})";
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.function_error, "") << outcome.payload << outcome.log_tail;
  EXPECT_EQ(outcome.payload, "{\"twice\": 42, \"text\": \"gr\u00fc\u00df\"}");
  EXPECT_TRUE(outcome.cold);
  EXPECT_GT(outcome.init_ms, 0);
  EXPECT_GE(static_cast<double>(outcome.billed_ms), outcome.duration_ms);
  EXPECT_GT(outcome.memory_used_mb, 5);
  EXPECT_EQ(outcome.memory_mb, 128);
  EXPECT_NE(outcome.log_tail.find("START RequestId: 11111111-2222-3333-4444-555555555555 Version: $LATEST\nhello "
                                  "21\nEND RequestId: 11111111-2222-3333-4444-555555555555\nREPORT RequestId: "
                                  "11111111-2222-3333-4444-555555555555\tDuration: "),
            std::string::npos)
      << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("\tMemory Size: 128 MB\tMax Memory Used: "), std::string::npos) << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("\tInit Duration: "), std::string::npos) << outcome.log_tail;
  EXPECT_EQ(log_group_, "/aws/lambda/thing");
  EXPECT_NE(log_stream_.find("/[$LATEST]"), std::string::npos) << log_stream_;
  EXPECT_EQ(log_, outcome.log_tail);
}

// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
TEST_F(Handlers, an_error_type_is_a_legible_name_whatever_the_handler_says) {
  const Outcome outcome =
      run(invocation("import json, os, urllib.request\n"
                     "def handler(event, context):\n"
                     "    url = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/' + "
                     "context.aws_request_id + '/error'\n"
                     "    document = json.dumps({'errorType': 'A\\0B' + 'x' * 1000, 'errorMessage': 'm'}).encode()\n"
                     "    urllib.request.urlopen(urllib.request.Request(url, data=document, method='POST'))\n"));
  EXPECT_EQ(outcome.function_error, "Unhandled") << outcome.payload;
  EXPECT_EQ(outcome.error_type, "A\uFFFDB" + std::string(250, 'x') + "...");
}

TEST_F(Handlers, shows_the_context_and_the_environment_that_lambda_promises) {
  auto call = invocation(
      "import os, time\n"
      "def handler(event, context):\n"
      "    left = context.get_remaining_time_in_millis()\n"
      "    names = ['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', "
      "'_HANDLER',\n"
      "             'TZ', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV', 'AWS_ENDPOINT_URL', 'STAGE',\n"
      "             'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']\n"
      "    return {'id': context.aws_request_id, 'name': context.function_name, 'version': context.function_version,\n"
      "            'arn': context.invoked_function_arn, 'memory': context.memory_limit_in_mb, 'left': left,\n"
      "            'group': context.log_group_name, 'stream': context.log_stream_name,\n"
      "            'identity': context.identity.cognito_identity_id, 'custom': context.client_context.custom,\n"
      "            'app': context.client_context.client.app_title, 'env': {n: os.environ.get(n) for n in names},\n"
      "            'root': os.environ['LAMBDA_TASK_ROOT'] == os.getcwd() == os.path.dirname(__file__)}\n");
  call.function.environment = {{"STAGE", "b\u00e9ta \"x\""}};
  call.function.version = "7";
  call.invoked_arn = "arn:aws:lambda:eu-central-1:123456789012:function:thing:live";
  call.client_context = "{\"custom\": {\"a\": \"\u00fc\"},\n \"client\": {\"app_title\": \"App\"}}";
  const Outcome outcome = run(call);
  const json::Value got = payload(outcome);
  EXPECT_EQ(got["id"], "11111111-2222-3333-4444-555555555555") << outcome.payload;
  EXPECT_EQ(got["name"], "thing");
  EXPECT_EQ(got["version"], "7");
  EXPECT_EQ(got["arn"], call.invoked_arn);
  EXPECT_EQ(got["memory"], "128");
  EXPECT_GT(got["left"].int_or(-1), 0);
  EXPECT_LE(got["left"].int_or(-1), 30'000);
  EXPECT_EQ(got["group"], "/aws/lambda/thing");
  EXPECT_EQ(got["stream"], log_stream_);
  EXPECT_TRUE(got["identity"].is_null());
  EXPECT_EQ(got["custom"]["a"], "\u00fc");
  EXPECT_EQ(got["app"], "App");
  EXPECT_EQ(got["root"], true) << outcome.payload;
  const json::Value env = got["env"];
  EXPECT_EQ(env["AWS_LAMBDA_FUNCTION_NAME"], "thing");
  EXPECT_EQ(env["AWS_LAMBDA_FUNCTION_VERSION"], "7");
  EXPECT_EQ(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
  EXPECT_EQ(env["_HANDLER"], "app.handler");
  EXPECT_EQ(env["TZ"], ":UTC");
  EXPECT_EQ(env["AWS_REGION"], "eu-central-1");
  EXPECT_EQ(env["AWS_DEFAULT_REGION"], "eu-central-1");
  EXPECT_EQ(env["AWS_EXECUTION_ENV"], "AWS_Lambda_python3.12");
  EXPECT_EQ(env["AWS_ENDPOINT_URL"], "http://127.0.0.1:9");
  EXPECT_EQ(env["STAGE"], "b\u00e9ta \"x\"");
  EXPECT_EQ(env["AWS_ACCESS_KEY_ID"], "AKIAONE");
  EXPECT_EQ(env["AWS_SECRET_ACCESS_KEY"], "secret-one");
  EXPECT_EQ(env["AWS_SESSION_TOKEN"], "token-one");
}

TEST_F(Handlers, writes_logging_as_lambda_formats_it) {
  const Outcome outcome =
      run(invocation("import logging, sys\nlog = logging.getLogger()\nlog.setLevel('INFO')\n"
                     "def handler(event, context):\n    log.info('all %s', 'well')\n    log.debug('not this')\n    "
                     "print('to stderr', file=sys.stderr)\n"));
  EXPECT_EQ(outcome.payload, "null") << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("[INFO]\t20"), std::string::npos) << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("Z\t11111111-2222-3333-4444-555555555555\tall well\n"), std::string::npos)
      << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find("to stderr\n"), std::string::npos) << outcome.log_tail;
  EXPECT_EQ(outcome.log_tail.find("not this"), std::string::npos) << outcome.log_tail;
}

TEST_F(Handlers, tells_an_exception_with_its_trace) {
  const Outcome outcome = run(
      invocation("def inner():\n    raise ValueError('no such thing')\n\ndef handler(event, context):\n    inner()\n"));
  EXPECT_EQ(error_type(outcome), "ValueError");
  EXPECT_EQ(error_message(outcome), "no such thing");
  const json::Value trace = payload(outcome)["stackTrace"];
  ASSERT_EQ(trace.size(), 2U) << outcome.payload;
  EXPECT_NE(trace[0].string_or("").find("app.py\", line 5, in handler\n    inner()\n"), std::string::npos)
      << outcome.payload;
  EXPECT_NE(outcome.log_tail.find("[ERROR] ValueError: no such thing\nTraceback (most recent call last):\n"),
            std::string::npos)
      << outcome.log_tail;
  EXPECT_EQ(payload(outcome)["requestId"], "11111111-2222-3333-4444-555555555555");
}

TEST_F(Handlers, says_what_is_wrong_with_a_module_or_handler) {
  struct Case {
    std::string module, handler, type, message;
  };
  const std::vector<Case> cases{
      {"import no_such_module\n", "app.handler", "Runtime.ImportModuleError",
       "Unable to import module 'app': No module named 'no_such_module'"},
      {"pass\n", "other.handler", "Runtime.ImportModuleError",
       "Unable to import module 'other': No module named 'other'"},
      {"pass\n", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"},
      {"def handler(:\n", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "},
      {"pass\n", "apphandler", "Runtime.MalformedHandlerName", "Bad handler 'apphandler'"},
      {"raise KeyError('at import')\n", "app.handler", "KeyError", "'at import'"},
      {"def handler(e, c):\n    return {1, 2}\n", "app.handler", "Runtime.MarshalError",
       "Unable to marshal response: Object of type set is not JSON serializable"},
      {"def handler(e, c):\n    return float('nan')\n", "app.handler", "Runtime.MarshalError",
       "Unable to marshal response: "},
      {"import sys\ndef handler(e, c):\n    sys.exit(3)\n", "app.handler", "Runtime.ExitError",
       "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: exit status 3"},
      {"import os\ndef handler(e, c):\n    os._exit(0)\n", "app.handler", "Runtime.ExitError",
       "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited without providing a reason"},
      {"import os\ndef handler(e, c):\n    os.kill(os.getpid(), 9)\n", "app.handler", "Runtime.ExitError",
       "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: signal: killed"},
      {"import os\nos._exit(1)\n", "app.handler", "Runtime.ExitError",
       "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: exit status 1"},
  };
  for (const Case& each : cases) {
    auto call = invocation(each.module);
    call.function.handler = each.handler;
    const Outcome outcome = run(call);
    EXPECT_EQ(error_type(outcome), each.type) << outcome.payload;
    EXPECT_EQ(error_message(outcome).substr(0, each.message.size()), each.message) << outcome.payload;
    EXPECT_NE(outcome.log_tail.find("END RequestId: "), std::string::npos) << outcome.log_tail;
  }
}

TEST_F(Handlers, refuses_an_event_that_is_no_json) {
  auto call = invocation("def handler(event, context):\n    return event\n");
  call.payload = "{broken";
  EXPECT_EQ(error_type(run(call)), "Runtime.UnmarshalError");
}

TEST_F(Handlers, refuses_a_payload_beyond_lambdas_limit) {
  auto call = invocation("def handler(event, context):\n    return event\n");
  call.payload = "\"" + std::string(6'291'456, 'x') + "\"";
  const auto outcome = runtime_->invoke_and_wait(call);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "RequestTooLargeException");
  EXPECT_EQ(outcome.error().http_status, 413);
}

TEST_F(Handlers, a_result_beyond_the_limit_is_a_function_error) {
  const Outcome outcome = run(invocation("def handler(event, context):\n    return 'x' * 7_000_000\n"));
  EXPECT_EQ(error_type(outcome), "Function.ResponseSizeTooLarge");
}

TEST_F(Handlers, keeps_a_process_for_the_next_invocation_and_replaces_it_for_a_new_revision) {
  auto call = invocation(
      "import os, time\nborn = time.time()\ncount = 0\ndef handler(event, context):\n    global count\n    count += "
      "1\n    return [born, count]\n");
  const Outcome first = run(call);
  const Outcome second = run(call);
  EXPECT_EQ(payload(first)[0], payload(second)[0]);
  EXPECT_EQ(payload(second)[1].int_or(0), 2);
  EXPECT_TRUE(first.cold);
  EXPECT_FALSE(second.cold);
  EXPECT_EQ(second.init_ms, 0);
  EXPECT_EQ(second.log_tail.find("Init Duration"), std::string::npos) << second.log_tail;
  call.function.revision_id = random_uuid();
  EXPECT_EQ(payload(run(call))[1].int_or(0), 1);
  EXPECT_EQ(runtime_->counts().started, 2U);
}

TEST_F(Handlers, replaces_a_process_after_so_many_runs) {
  auto some = options();
  some.recycle_after = 2;
  start(some);
  const auto call =
      invocation("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n");
  std::vector<std::string> counts;
  for (int i = 0; i < 5; ++i) counts.push_back(run(call).payload);
  EXPECT_EQ(counts, (std::vector<std::string>{"1", "2", "1", "2", "1"}));
}

TEST_F(Handlers, makes_room_for_another_function_and_keeps_to_its_number_of_processes) {
  auto some = options();
  some.processes = 1;
  start(some);
  const auto one = invocation("def handler(event, context):\n    return 'one'\n");
  const auto two = invocation("def handler(event, context):\n    return 'two'\n");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(one).payload, "\"one\"");
    EXPECT_EQ(run(two).payload, "\"two\"");
  }
  EXPECT_EQ(runtime_->counts().started, 4U);
  EXPECT_LE(runtime_->counts().processes, 1U);
}

TEST_F(Handlers, runs_what_waits_in_turn_and_refuses_what_is_beyond_the_queue) {
  auto some = options();
  some.processes = 1;
  some.queue_limit = 3;
  start(some);
  auto call = invocation("import time\ndef handler(event, context):\n    return event\n");
  std::vector<std::promise<Result<Outcome>>> done(20);
  for (std::size_t i = 0; i < done.size(); ++i) {
    call.payload = std::to_string(i);
    runtime_->invoke(call, [&done, i](Result<Outcome> outcome) { done[i].set_value(std::move(outcome)); });
  }
  int served = 0;
  int refused = 0;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const auto outcome = done[i].get_future().get();
    if (outcome) {
      ++served;
      EXPECT_EQ(outcome->payload, std::to_string(i));
    } else {
      ++refused;
      EXPECT_EQ(outcome.error().code, "TooManyRequestsException");
      EXPECT_EQ(outcome.error().http_status, 429);
      EXPECT_TRUE(outcome.error().retryable);
    }
  }
  EXPECT_GE(served, 3);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(runtime_->counts().waiting, 0U);
}

TEST_F(Handlers, runs_invocations_of_one_function_side_by_side) {
  auto call = invocation(test::hold_a_connection +
                         "def handler(event, context):\n    hold(event)\n    return context.aws_request_id\n");
  test::Ear ears[2];
  std::promise<Result<Outcome>> done[2];
  for (int i = 0; i < 2; ++i) {
    call.payload = ears[i].port();
    call.endpoint_url = ears[i].url();
    call.request_id = "run-" + std::to_string(i);
    runtime_->invoke(call, [&done, i](Result<Outcome> outcome) { done[i].set_value(std::move(outcome)); });
  }
  for (auto& ear : ears) EXPECT_TRUE(ear.hears_it_start());
  EXPECT_EQ(runtime_->counts().running, 2U);
  for (int i : {1, 0}) {
    ears[i].let_it_go_on();
    const auto outcome = done[i].get_future().get();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->payload, "\"run-" + std::to_string(i) + "\"");
  }
}

TEST_F(Handlers, refuses_a_request_id_or_client_context_that_cannot_travel) {
  auto call = invocation("def handler(event, context):\n    return event\n");
  call.request_id = "a/b\r\n";
  EXPECT_EQ(runtime_->invoke_and_wait(call).error().code, "ValidationException");
  call.request_id.clear();
  for (const std::string& context :
       {std::string("[1]"), std::string("{"), "{\"a\": \"" + std::string(4000, 'x') + "\"}"}) {
    call.client_context = context;
    EXPECT_EQ(runtime_->invoke_and_wait(call).error().code, "InvalidRequestContentException");
  }
}

TEST_F(Handlers, ends_a_run_at_its_timeout_and_goes_on_with_a_new_process) {
  auto call = invocation(
      "def handler(event, context):\n    if event == 'spin':\n        print('spinning')\n        while True:\n         "
      "   pass\n    return event\n",
      2);
  call.payload = "\"spin\"";
  const Outcome outcome = run(call);
  EXPECT_EQ(error_type(outcome), "Sandbox.Timedout");
  EXPECT_EQ(error_message(outcome),
            "RequestId: 11111111-2222-3333-4444-555555555555 Error: Task timed out after 2.00 seconds");
  EXPECT_NE(outcome.log_tail.find("spinning\n"), std::string::npos) << outcome.log_tail;
  EXPECT_NE(outcome.log_tail.find(" 11111111-2222-3333-4444-555555555555 Task timed out after "), std::string::npos)
      << outcome.log_tail;
  EXPECT_GE(outcome.billed_ms, 2000);
  call.function.timeout_s = 30;
  call.payload = "\"well\"";
  const Outcome next = run(call);
  EXPECT_EQ(next.payload, "\"well\"");
  EXPECT_TRUE(next.cold);
}

TEST_F(Handlers, ends_a_module_that_never_imports) {
  auto some = options();
  some.init_timeout_ms = 1'000;
  start(some);
  const Outcome outcome = run(invocation("while True:\n    pass\n"));
  EXPECT_EQ(error_type(outcome), "Sandbox.Timedout");
  EXPECT_NE(error_message(outcome).find("while the handler's module was imported"), std::string::npos);
}

TEST_F(Handlers, ends_a_run_at_the_callers_deadline) {
  auto call = invocation(
      "def handler(event, context):\n    if event == 1:\n        return 1\n    while True:\n        pass\n", 900);
  call.payload = "1";
  run(call);  // the process is there
  call.payload = "2";
  call.deadline_ms = SystemClock().now_ms() + 3'000;
  EXPECT_EQ(error_type(run(call)), "Sandbox.Timedout");
}

TEST_F(Handlers, a_deadline_that_passed_runs_nothing) {
  auto call = invocation("def handler(event, context):\n    return 1\n");
  call.deadline_ms = SystemClock().now_ms() - 1;
  const auto outcome = runtime_->invoke_and_wait(call);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "TooManyRequestsException");
  EXPECT_EQ(runtime_->counts().started, 0U);
}

TEST_F(Handlers, what_the_code_cannot_be_fetched_with_is_the_answer) {
  auto call = invocation("def handler(event, context):\n    return 1\n");
  call.code = []() -> Result<std::string> { return fail(errors::resource_not_found("Function not found: x")); };
  const auto outcome = runtime_->invoke_and_wait(call);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "ResourceNotFoundException");
}

TEST_F(Handlers, a_stopped_runtime_ends_what_runs_and_takes_nothing_more) {
  const auto call =
      invocation("print('up', flush=True)\ndef handler(event, context):\n    while True:\n        pass\n");
  std::promise<Result<Outcome>> done;
  runtime_->invoke(call, [&](Result<Outcome> outcome) { done.set_value(std::move(outcome)); });
  runtime_->stop();
  const auto outcome = done.get_future().get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "ServiceUnavailable");
  const auto later = runtime_->invoke_and_wait(call);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, "ServiceUnavailable");
  EXPECT_EQ(runtime_->counts().processes, 0U);
}

TEST_F(Handlers, an_interpreter_that_is_not_there_is_named) {
  auto some = options();
  some.interpreter = "/usr/bin/no-such-python";
  start(some);
  const auto outcome = runtime_->invoke_and_wait(invocation("def handler(e, c):\n    pass\n"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "ServiceException");
  EXPECT_NE(outcome.error().message.find("/usr/bin/no-such-python"), std::string::npos) << outcome.error().message;
  EXPECT_NE(runtime_->isolation().find("No handler can run"), std::string::npos);
}

TEST_F(Handlers, runs_without_bubblewrap_where_it_must_and_says_so) {
  auto some = options();
  some.use_bubblewrap = false;
  start(some);
  EXPECT_NE(runtime_->isolation().find("WITHOUT"), std::string::npos) << runtime_->isolation();
  auto call = invocation(
      "import subprocess, sys\ndef handler(event, context):\n    if event:\n        subprocess.Popen(['/bin/sleep', "
      "'600'])\n        while True:\n            pass\n    return 'fine'\n");
  call.payload = "false";
  EXPECT_EQ(run(call).payload, "\"fine\"");
  call.function.timeout_s = 3;
  call.payload = "true";
  EXPECT_EQ(error_type(run(call)), "Sandbox.Timedout");
}

TEST_F(Handlers, the_interface_answers_nobody_without_its_secret) {
  const Outcome outcome =
      run(invocation("import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n"));
  const std::string address(payload(outcome).string_or(""));
  const std::size_t slash = address.find('/');
  ASSERT_NE(slash, std::string::npos) << outcome.payload;
  EXPECT_EQ(address.size() - slash, 65U);
  http::CurlClient client({.use_environment_proxy = false});
  for (const std::string& path :
       {std::string("/2018-06-01/runtime/invocation/next"), "/" + std::string(64, '0') + "/fixpoint/credentials",
        std::string("/"), address.substr(slash, 64) + "/fixpoint/credentials"}) {
    const auto response =
        client.send("http://" + address.substr(0, slash),
                    {.method = "GET", .target = path, .headers = {}, .body = {}, .peer = {}, .trailers = {}}, 10'000);
    ASSERT_TRUE(response) << describe(response.error());
    EXPECT_EQ(response->status, 403) << path;
  }
  // With the secret, but while no invocation runs: there are no credentials.
  const auto response = client.send("http://" + address.substr(0, slash),
                                    {.method = "GET",
                                     .target = address.substr(slash) + "/fixpoint/credentials",
                                     .headers = {},
                                     .body = {},
                                     .peer = {},
                                     .trailers = {}},
                                    10'000);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
}

}  // namespace
}  // namespace fixpoint::functions
