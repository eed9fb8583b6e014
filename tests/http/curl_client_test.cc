#include "http/curl_client.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/server.h"
#include "http/sockets.h"
#include "support/until.h"

namespace fixpoint::http {
namespace {

using test::DeafPort;
using test::ScriptedServer;
using test::Socket;

constexpr int patient_ms = 20'000;

CurlClientOptions direct() {
  CurlClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

HttpRequest request_of(std::string method, std::string target, Headers headers = {}, std::string body = {}) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  request.body = std::move(body);
  return request;
}

std::string hear_request(Socket& socket) {
  std::string head = socket.hear_until("\r\n\r\n");
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? head : head + socket.hear(std::strtoul(head.c_str() + at + 16, nullptr, 10));
}

bool comes(std::future<void> what) {
  return what.wait_for(std::chrono::milliseconds(patient_ms)) == std::future_status::ready;
}

/// What arrives when the request is sent.
std::string arrives_as(const HttpRequest& request) {
  std::promise<std::string> heard;
  ScriptedServer server([&](Socket& socket, int) {
    heard.set_value(hear_request(socket));
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  CurlClient client(direct());
  const auto response = client.send(server.url(), request, patient_ms);
  EXPECT_TRUE(response) << describe(response.error());
  if (!response) return {};
  std::string text = heard.get_future().get();
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  if (const auto at = text.find(host); at != std::string::npos) text.replace(at, host.size(), "HOST");
  return text;
}

TEST(CurlClient, sends_headers_as_they_are_and_adds_none_but_host_and_length) {
  EXPECT_EQ(arrives_as(request_of("GET", "/")), "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n");
  EXPECT_EQ(
      arrives_as(request_of("POST", "/p?q=1",
                            {{"X-Amz-Target", "A.B"}, {"x-empty", ""}, {"content-type", "application/x-amz-json-1.1"}},
                            "{\"a\":1}")),
      "POST /p?q=1 HTTP/1.1\r\nHost: HOST\r\nX-Amz-Target: A.B\r\nx-empty:\r\n"
      "content-type: application/x-amz-json-1.1\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
  EXPECT_EQ(arrives_as(request_of("POST", "/", {}, "x")),
            "POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(arrives_as(request_of("PUT", "/")), "PUT / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(arrives_as(request_of("DELETE", "/k")), "DELETE /k HTTP/1.1\r\nHost: HOST\r\n\r\n");
  EXPECT_EQ(arrives_as(request_of("GET", "/", {}, "body")),
            "GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\n\r\nbody");
}

TEST(CurlClient, lets_our_host_and_length_stand) {
  EXPECT_EQ(
      arrives_as(request_of("POST", "/", {{"host", "sts.amazonaws.com"}, {"content-length", "2"}}, "ab")).substr(0, 65),
      "POST / HTTP/1.1\r\nHost: sts.amazonaws.com\r\ncontent-length: 2\r\n\r\n");
}

TEST(CurlClient, sends_the_target_byte_for_byte) {
  for (const std::string target :
       {"/a/../b/./c//d", "/%2e%2E/%2f", "/a%2Fb%20c?x=%7e&y=+&&z", "/?policy", "/??a=b?c", "/{x}|\"<>`^\\[]'",
        "/a;b=c,d:e@f", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations",
        "//double", "/?", "/."}) {
    const std::string heard = arrives_as(request_of("GET", target));
    EXPECT_EQ(heard.substr(0, heard.find("\r\n")), "GET " + target + " HTTP/1.1");
  }
}

TEST(CurlClient, sends_bytes_of_the_body_as_they_are) {
  std::string body(300'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  const std::string heard = arrives_as(request_of("POST", "/", {}, body));
  EXPECT_EQ(heard.substr(heard.find("\r\n\r\n") + 4), body);
}

TEST(CurlClient, gives_the_response_whole_with_headers_in_order) {
  ScriptedServer server([&](Socket& socket, int) {
    hear_request(socket);
    socket.say(
        "HTTP/1.1 100 Continue\r\nX-Not: this\r\n\r\nHTTP/1.1 404 Not Found\r\nx-b: 1\r\nX-A:  two words \r\nx-b: 2\r\n"
        "X-Fold: a\r\n  b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n");
  });
  CurlClient client(direct());
  const auto response = client.send(server.url(), request_of("GET", "/"), patient_ms);
  ASSERT_TRUE(response) << describe(response.error());
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "abcde");
  const std::vector<Headers::Line> want = {
      {"x-b", "1"}, {"X-A", "two words"}, {"x-b", "2"}, {"X-Fold", "a b"}, {"Transfer-Encoding", "chunked"}};
  EXPECT_EQ(response->headers.lines(), want);
}

TEST(CurlClient, answers_to_head_have_no_body) {
  ScriptedServer server([&](Socket& socket, int) {
    hear_request(socket);
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  });
  CurlClient client(direct());
  const auto response = client.send(server.url(), request_of("HEAD", "/"), patient_ms);
  ASSERT_TRUE(response) << describe(response.error());
  EXPECT_EQ(response->headers.get("content-length"), "1234");
  EXPECT_EQ(response->body, "");
}

TEST(CurlClient, does_not_follow_redirects) {
  std::atomic<int> requests = 0;
  ScriptedServer server([&](Socket& socket, int) {
    hear_request(socket);
    ++requests;
    socket.say("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  });
  CurlClient client(direct());
  const auto response = client.send(server.url(), request_of("GET", "/"), patient_ms);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(requests, 1);
}

TEST(CurlClient, uses_a_connection_again) {
  std::atomic<int> connections = 0;
  ScriptedServer server([&](Socket& socket, int) {
    ++connections;
    while (!hear_request(socket).empty()) socket.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  CurlClient client(direct());
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(client.send(server.url(), request_of("POST", "/", {}, "x"), patient_ms)->body, "ok");
  EXPECT_EQ(connections, 1);
  client.stop();
}

TEST(CurlClient, never_sends_a_changing_request_twice) {
  // A server that dies after it has read the request may have made the change already.
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    CurlClient client(direct());
    // The first request opens the connection; the second meets its end.
    std::atomic<int> wanted = 0;
    ScriptedServer dying([&](Socket& socket, int) {
      while (true) {
        const std::string heard = hear_request(socket);
        if (heard.empty()) return;
        if (heard.find("/change") != std::string::npos) {
          ++wanted;
          return;
        }
        socket.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    });
    ASSERT_TRUE(client.send(dying.url(), request_of("GET", "/"), patient_ms));
    const auto response =
        client.send(dying.url(), request_of(method, "/change", {}, method[0] == 'D' ? "" : "body"), patient_ms);
    ASSERT_FALSE(response) << method;
    EXPECT_EQ(response.error().code, "ConnectionError");
    EXPECT_EQ(response.error().where, "after sending");
    EXPECT_TRUE(response.error().retryable);
    EXPECT_EQ(wanted, 1) << method;
    client.stop();
  }
}

TEST(CurlClient, says_whether_anything_was_sent) {
  CurlClient client(direct());
  const DeafPort deaf;
  const auto refused = client.send(deaf.url(), request_of("GET", "/"), patient_ms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ConnectionError");
  EXPECT_EQ(refused.error().where, "before sending");
  EXPECT_TRUE(refused.error().retryable);

  ScriptedServer closing([](Socket& socket, int) { hear_request(socket); });
  const auto closed = client.send(closing.url(), request_of("POST", "/", {}, "x"), patient_ms);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, "ConnectionError");
  EXPECT_EQ(closed.error().where, "after sending");

  ScriptedServer cutting([](Socket& socket, int) {
    hear_request(socket);
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const auto cut = client.send(cutting.url(), request_of("GET", "/"), patient_ms);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, "ConnectionError");
  EXPECT_EQ(cut.error().where, "after sending");
}

TEST(CurlClient, times_out) {
  CurlClient client(direct());
  std::promise<void> over;
  auto wait = over.get_future().share();
  ScriptedServer silent([&](Socket& socket, int) {
    hear_request(socket);
    wait.wait();
  });
  const auto response = client.send(silent.url(), request_of("GET", "/secret?X-Amz-Signature=abc"), 2'000);
  over.set_value();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "RequestTimeout");
  EXPECT_TRUE(response.error().retryable);
  EXPECT_EQ(response.error().where, "after sending");
  // A signed URL is a secret for as long as it lives.
  EXPECT_EQ(response.error().message.find("Signature"), std::string::npos) << response.error().message;
}

TEST(CurlClient, a_request_that_waits_for_a_connection_times_out_too) {
  CurlClientOptions options = direct();
  options.connections_per_host = 1;
  CurlClient client(options);
  std::promise<void> over;
  auto wait = over.get_future().share();
  std::promise<void> first_came;
  ScriptedServer silent([&](Socket& socket, int number) {
    hear_request(socket);
    if (number == 0) first_came.set_value();
    wait.wait();
  });
  std::promise<Result<HttpResponse>> first;
  client.send_async(silent.url(), request_of("GET", "/"), patient_ms,
                    [&](Result<HttpResponse> result) { first.set_value(std::move(result)); });
  EXPECT_TRUE(comes(first_came.get_future()));
  const auto second = client.send(silent.url(), request_of("GET", "/"), 50);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "RequestTimeout");
  EXPECT_EQ(second.error().where, "before sending");
  client.stop();
  over.set_value();
  EXPECT_FALSE(first.get_future().get());
}

TEST(CurlClient, bounds_the_response) {
  ScriptedServer server([](Socket& socket, int) {
    hear_request(socket);
    socket.say("HTTP/1.1 200 OK\r\n\r\n");
    while (socket.say(std::string(4096, 'x'))) {
    }
  });
  CurlClientOptions options = direct();
  options.response_limit_bytes = 10'000;
  CurlClient client(options);
  const auto response = client.send(server.url(), request_of("GET", "/"), patient_ms);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "RequestEntityTooLarge");
  EXPECT_FALSE(response.error().retryable);
}

TEST(CurlClient, refuses_what_cannot_be_sent_as_it_is) {
  CurlClient client(direct());
  const auto refusal = [&](const std::string& url, const HttpRequest& request) {
    const auto result = client.send(url, request, patient_ms);
    return result ? std::string("sent") : result.error().code;
  };
  const std::string url = "http://127.0.0.1:1";
  for (const char* bad : {"", "127.0.0.1:80", "file:///etc/passwd", "ftp://x", "http://", "http://user@host",
                          "http://a/b", "http://a?b", "gopher://x", "https//x", "http://a b"})
    EXPECT_EQ(refusal(bad, request_of("GET", "/")), "ValidationException") << bad;
  for (const char* bad : {"", "x", "*", "/a b", "/a#b", "/a\r\nX: y", "/\xc3\xa9", "http://x/"})
    EXPECT_EQ(refusal(url, request_of("GET", bad)), "ValidationException") << bad;
  for (const char* bad : {"", "GE T", "GET\r\n", "G:"})
    EXPECT_EQ(refusal(url, request_of(bad, "/")), "ValidationException") << bad;
  EXPECT_EQ(refusal(url, request_of("GET", "/", {{"X", "a\r\nY: b"}})), "ValidationException");
  EXPECT_EQ(refusal(url, request_of("GET", "/", {{"X", std::string("a\0b", 3)}})), "ValidationException");
  EXPECT_EQ(refusal(url, request_of("GET", "/", {{"X Y", "a"}})), "ValidationException");
  EXPECT_EQ(refusal(url, request_of("GET", "/", {{"", "a"}})), "ValidationException");
  EXPECT_EQ(refusal(url, request_of("POST", "/", {{"Transfer-Encoding", "chunked"}}, "a")), "ValidationException");
  EXPECT_EQ(refusal(url, request_of("POST", "/", {{"Content-Length", "5"}}, "a")), "ValidationException");
}

TEST(CurlClient, refuses_an_answer_that_is_not_http) {
  for (const char* answer : {"hello\r\n\r\n", "HTTP/0.9\r\n\r\n", "\x16\x03\x01", ""}) {
    ScriptedServer server([&](Socket& socket, int) {
      hear_request(socket);
      socket.say(answer);
    });
    CurlClient client(direct());
    const auto response = client.send(server.url(), request_of("GET", "/"), patient_ms);
    ASSERT_FALSE(response) << answer;
    EXPECT_EQ(response.error().code, "ConnectionError") << answer;
  }
}

TEST(CurlClient, calls_back_once_each_from_many_requests_at_once) {
  auto server = Server::start({}, [](HttpRequest request, Responder respond) {
    HttpResponse response;
    response.body = request.target;
    respond.send(std::move(response));
  });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CurlClient client(direct());
  constexpr int count = 500;
  std::atomic<int> right = 0;
  std::atomic<int> called = 0;
  std::promise<void> all;
  for (int i = 0; i < count; ++i) {
    const std::string target = "/" + std::to_string(i);
    client.send_async(url, request_of("GET", target), patient_ms, [&, target](Result<HttpResponse> result) {
      if (result && result->body == target) ++right;
      if (++called == count) all.set_value();
    });
  }
  EXPECT_TRUE(comes(all.get_future()));
  client.stop();
  EXPECT_EQ(right, count);
}

// One that is forgotten goes on when its time to connect is up, ten seconds: its own time is shorter here.
TEST(CurlClient, forgets_none_of_those_that_wait_for_a_connection) {
  auto server = Server::start({}, [](HttpRequest, Responder respond) { respond.send({}); });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CurlClientOptions options = direct();
  options.connections_per_host = 8;
  CurlClient client(options);
  constexpr int count = 200;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> right = 0;
    std::atomic<int> called = 0;
    const auto all = std::make_shared<std::promise<void>>();  // set_value may still be on its way out
    for (int i = 0; i < count; ++i)
      client.send_async(url, request_of("GET", "/"), 8'000, [&, all](Result<HttpResponse> result) {
        if (result) ++right;
        if (++called == count) all->set_value();
      });
    if (!comes(all->get_future())) client.stop();
    ASSERT_EQ(right, count) << "round " << round;
  }
}

TEST(CurlClient, one_that_waits_too_long_for_a_connection_was_not_sent) {
  std::mutex mutex;
  std::vector<Responder> held;
  auto server = Server::start({}, [&](HttpRequest, Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CurlClientOptions options = direct();
  options.connections_per_host = 1;
  CurlClient client(options);
  std::promise<Result<HttpResponse>> first;
  client.send_async(url, request_of("POST", "/first"), patient_ms,
                    [&](Result<HttpResponse> result) { first.set_value(std::move(result)); });
  const auto second = client.send(url, request_of("POST", "/second"), 200);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "RequestTimeout");
  EXPECT_EQ(second.error().where, "before sending");
  EXPECT_TRUE(fixpoint::test::until([&] {
    const std::lock_guard lock(mutex);
    for (Responder& respond : held) respond.send({});
    return !held.empty();
  }));
  EXPECT_TRUE(first.get_future().get());
}

TEST(CurlClient, a_callback_may_send_the_next_request_but_not_wait) {
  auto server = Server::start({}, [](HttpRequest, Responder respond) { respond.send({}); });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CurlClient client(direct());
  std::promise<int> status;
  std::string waiting_says;
  client.send_async(url, request_of("GET", "/1"), patient_ms, [&](Result<HttpResponse>) {
    const auto waited = client.send(url, request_of("GET", "/"), patient_ms);
    waiting_says = waited ? "sent" : waited.error().code;
    client.send_async(url, request_of("GET", "/2"), patient_ms,
                      [&](Result<HttpResponse> result) { status.set_value(result->status); });
  });
  EXPECT_EQ(status.get_future().get(), 200);
  EXPECT_EQ(waiting_says, "InternalFailure");
}

TEST(CurlClient, a_callback_that_throws_ends_nothing_else) {
  auto server = Server::start({}, [](HttpRequest, Responder respond) { respond.send({}); });
  ASSERT_TRUE(server);
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  CurlClient client(direct());
  client.send_async(url, request_of("GET", "/"), patient_ms,
                    [](Result<HttpResponse>) { throw std::runtime_error("the callback's own"); });
  EXPECT_TRUE(client.send(url, request_of("GET", "/"), patient_ms));
}

TEST(CurlClient, stop_in_a_while_ends_what_has_not_ended_by_then) {
  std::promise<void> over;
  auto wait = over.get_future().share();
  ScriptedServer silent([&](Socket& socket, int) {
    hear_request(socket);
    wait.wait_for(std::chrono::milliseconds(patient_ms));
  });
  ScriptedServer prompt([&](Socket& socket, int) {
    hear_request(socket);
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  CurlClient client(direct());
  client.stop_in(1'000);
  client.stop_in(patient_ms);  // moves nothing
  const auto answered = client.send(prompt.url(), request_of("GET", "/"), patient_ms);
  const auto ended = client.send(silent.url(), request_of("GET", "/"), patient_ms);
  over.set_value();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "ConnectionError");
  // On a machine that takes a second for one request the first is ended as well.
  if (answered) {
    EXPECT_EQ(answered->body, "ok");
  }
  EXPECT_FALSE(client.send(prompt.url(), request_of("GET", "/"), patient_ms));
}

TEST(CurlClient, stop_ends_what_is_under_way_and_refuses_what_comes_after) {
  std::promise<void> over;
  auto wait = over.get_future().share();
  std::promise<void> came;
  ScriptedServer silent([&](Socket& socket, int) {
    hear_request(socket);
    came.set_value();
    wait.wait();
  });
  CurlClient client(direct());
  std::promise<Result<HttpResponse>> first;
  client.send_async(silent.url(), request_of("POST", "/", {}, "x"), patient_ms,
                    [&](Result<HttpResponse> result) { first.set_value(std::move(result)); });
  EXPECT_TRUE(comes(came.get_future()));
  client.stop();
  over.set_value();
  const auto ended = first.get_future().get();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "ConnectionError");
  EXPECT_EQ(ended.error().where, "after sending");
  EXPECT_FALSE(ended.error().retryable);
  const auto after = client.send(silent.url(), request_of("GET", "/"), patient_ms);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, "ConnectionError");
  client.stop();
}

TEST(CurlClient, goes_through_the_proxy_it_is_given) {
  std::promise<std::string> heard;
  ScriptedServer proxy([&](Socket& socket, int) {
    heard.set_value(hear_request(socket));
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
  });
  CurlClientOptions options;
  options.proxy = proxy.url();
  CurlClient client(options);
  const auto response = client.send("http://sts.invalid:81", request_of("GET", "/a/../b"), patient_ms);
  ASSERT_TRUE(response) << describe(response.error());
  EXPECT_EQ(response->body, "proxy");
  const std::string request = heard.get_future().get();
  EXPECT_EQ(request.substr(0, request.find("\r\n")), "GET http://sts.invalid:81/a/../b HTTP/1.1");
}

}  // namespace
}  // namespace fixpoint::http
