#include "load.h"

#include <atomic>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/sockets.h"

namespace fixpoint::bench {
namespace {

std::string request(const std::string& target, const std::string& body = {}) {
  return "POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

TEST(Load, counts_what_is_answered_and_how) {
  std::atomic<std::uint64_t> handled = 0;
  auto server = http::Server::start({}, [&](HttpRequest asked, http::Responder respond) {
    ++handled;
    if (asked.target == "/chunks") {
      auto stream = respond.begin(200, {});
      stream.write("abc");
      stream.write(std::string(100'000, 'x'));
      stream.close();
      return;
    }
    HttpResponse response;
    response.status = asked.target == "/bad" ? 403 : 200;
    response.body = asked.target == "/bad" ? "not signed" : asked.body;
    respond.send(std::move(response));
  });
  ASSERT_TRUE(server);
  const std::vector<std::string> requests = {request("/ok", "body"), request("/large", std::string(300'000, 'x')),
                                             request("/chunks"), request("/bad"),
                                             "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n"};
  const LoadResult result = run_load("127.0.0.1", (*server)->port(), requests, 3, 1);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.broken, 0U);
  EXPECT_EQ(result.requests, handled);
  EXPECT_GE(result.requests, 3U);
  // The requests are taken in turn, so that every fifth is the bad one.
  EXPECT_LE(result.non_2xx * 5, result.requests + 4);
  EXPECT_GE(result.non_2xx * 5 + 4, result.requests);
  if (result.non_2xx > 0) EXPECT_TRUE(result.first_non_2xx.ends_with("\r\n\r\nnot signed")) << result.first_non_2xx;
  EXPECT_LE(result.p50_ms, result.p99_ms);
  EXPECT_LE(result.p99_ms, result.max_ms);
}

TEST(Load, opens_connections_again_that_the_server_closes) {
  auto server = http::Server::start({}, [](HttpRequest, http::Responder respond) { respond.send({}); });
  ASSERT_TRUE(server);
  const LoadResult result =
      run_load("127.0.0.1", (*server)->port(), {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}, 2, 1);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.broken, 0U);
  EXPECT_GT(result.requests, 2U);
}

TEST(Load, counts_answers_that_break_off) {
  http::test::ScriptedServer server([](http::test::Socket& socket, int) {
    socket.hear_until("\r\n\r\n");
    socket.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  const LoadResult result = run_load("127.0.0.1", server.port(), {"GET / HTTP/1.1\r\nHost: h\r\n\r\n"}, 1, 1);
  EXPECT_EQ(result.requests, 0U);
  EXPECT_GT(result.broken, 0U);
}

TEST(Load, says_why_there_is_none) {
  const http::test::DeafPort deaf;
  const std::uint16_t port = deaf.port();
  EXPECT_NE(run_load("127.0.0.1", port, {"GET / HTTP/1.1\r\n\r\n"}, 1, 0.01).error, "");
  EXPECT_NE(run_load("localhost", port, {"GET / HTTP/1.1\r\n\r\n"}, 1, 0.01).error, "");
  EXPECT_NE(run_load("127.0.0.1", port, {}, 1, 0.01).error, "");
}

}  // namespace
}  // namespace fixpoint::bench
