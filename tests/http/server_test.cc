#include "http/server.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "http/sockets.h"
#include "support/until.h"

namespace fixpoint::http {
namespace {

using test::hear_response;
using test::Heard;
using test::Socket;

std::unique_ptr<Server> start(ServerOptions options, Handler handler) {
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server) << describe(server.error());
  return server ? std::move(*server) : nullptr;
}

HttpResponse text(std::string body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

/// Answers with what it was asked.
void echo(HttpRequest request, Responder respond) {
  HttpResponse response = text(request.method + ' ' + request.target + ' ' + request.body);
  for (const auto& [name, value] : request.trailers) response.headers.add("X-Trailer-" + name, value);
  response.headers.add("X-Peer", request.peer);
  respond.send(std::move(response));
}

/// Responders that were handed in by a handler, for a test to answer when it likes, in the order in which they came.
/// What was said on several connections comes in any order. Fails the test where none comes for 20 s.
class Parked {
 public:
  Handler handler() {
    return [this](HttpRequest request, Responder respond) {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::move(request), std::move(respond));
      came_.notify_all();
    };
  }
  std::pair<HttpRequest, Responder> next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(20), [&] { return !waiting_.empty(); })) {
      ADD_FAILURE() << "no request came for 20 s";
      return {};
    }
    auto first = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return first;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::pair<HttpRequest, Responder>> waiting_;
};

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string post(std::size_t bytes) {
  return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}

ServerOptions four_megabytes() {
  ServerOptions options;
  options.body_limit_bytes = 2 << 20;
  options.bodies_limit_bytes = 4 << 20;
  return options;
}

void expect_full(Socket& socket) {
  const Heard heard = hear_response(socket);
  EXPECT_EQ(heard.status, 503) << heard.body;
  EXPECT_EQ(heard.headers.get("Retry-After"), "1");
  EXPECT_EQ(heard.headers.get("Connection"), "close");
}

TEST(Bodies, that_are_refused_unread_are_refused_in_the_form_of_the_clients) {
  ServerOptions options = four_megabytes();
  options.shape_refusal = [](const HttpRequest& head, HttpResponse plain) {
    HttpResponse shaped =
        text(head.method + ' ' + head.target + ' ' + std::string(head.headers.get("X-Kind")), plain.status);
    return shaped;
  };
  const auto server = start(options, echo);
  Socket sized = Socket::to_port(server->port());
  sized.say("PUT /sized HTTP/1.1\r\nHost: h\r\nX-Kind: a\r\nContent-Length: " + std::to_string((2 << 20) + 1) +
            "\r\n\r\n");
  const Heard refused = hear_response(sized);
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "PUT /sized a");
  EXPECT_EQ(refused.headers.get("Connection"), "close");
  Socket chunked = Socket::to_port(server->port());
  chunked.say("PUT /chunked HTTP/1.1\r\nHost: h\r\nX-Kind: b\r\nTransfer-Encoding: chunked\r\n\r\n200001\r\n");
  EXPECT_EQ(hear_response(chunked).body, "PUT /chunked b");
  // What is no request has no form.
  Socket broken = Socket::to_port(server->port());
  broken.say("PUT /broken HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n");
  EXPECT_EQ(hear_response(broken).status, 400);
}

// Answers up to the limit, one of 4 MiB at most: more than the buffers of two sockets hold, so that it waits for its
// reader.
ServerOptions answers_of(std::size_t limit_bytes) {
  ServerOptions options;
  options.answers_limit_bytes = limit_bytes;
  return options;
}

// Slow readers of one large object took as much memory as there were connections.
TEST(Answers, that_wait_for_their_readers_are_bounded_and_small_ones_are_not) {
  constexpr std::size_t large_bytes = 16UL << 20;
  const auto server = start(answers_of(large_bytes + (100UL << 10)), [](HttpRequest request, Responder respond) {
    respond.send(text(std::string(request.target == "/large" ? large_bytes : 64UL << 10, 'x')));
  });
  Socket slow = Socket::to_port(server->port());
  slow.say(get("/large"));
  ASSERT_NE(slow.hear_until("HTTP/1.1 200 OK\r\n"), "");
  Socket other = Socket::to_port(server->port());
  for (int i = 0; i < 2; ++i) {
    other.say(get("/large"));
    const Heard full = hear_response(other);
    EXPECT_EQ(full.status, 503) << full.body;
    EXPECT_EQ(full.headers.get("Retry-After"), "1");
    other.say(get("/small"));
    EXPECT_EQ(hear_response(other).body.size(), 64UL << 10);
  }
  other.say("HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(hear_response(other, true).status, 200);
}

TEST(Answers, that_were_read_make_room_for_others) {
  constexpr std::size_t large_bytes = 16UL << 20;
  const auto server = start(answers_of(large_bytes),
                            [](HttpRequest, Responder respond) { respond.send(text(std::string(large_bytes, 'x'))); });
  // The next answer of a connection comes after the last byte of the one before it, and its room.
  Socket socket = Socket::to_port(server->port());
  for (int i = 0; i < 3; ++i) {
    socket.say(get("/"));
    EXPECT_EQ(hear_response(socket).body.size(), large_bytes);
  }
}

TEST(Answers, have_the_room_that_was_reserved_for_them_until_they_are_sent_or_given_up) {
  Parked parked;
  const auto server = start(answers_of(1 << 20), parked.handler());
  Socket first = Socket::to_port(server->port());
  Socket second = Socket::to_port(server->port());
  first.say(get("/first"));
  auto held = parked.next();
  second.say(get("/second"));
  auto waiting = parked.next();
  EXPECT_TRUE(held.second.reserve(1 << 20));
  EXPECT_TRUE(waiting.second.reserve(64 << 10));  // small
  EXPECT_FALSE(waiting.second.reserve(65 << 10));
  held.second.send(text("less"));
  EXPECT_EQ(hear_response(first).body, "less");
  // What came back is taken before the answer's first byte is written.
  EXPECT_TRUE(waiting.second.reserve(1 << 20));
  waiting.second.send(text(std::string(1 << 20, 'x')));
  EXPECT_EQ(hear_response(second).body.size(), 1U << 20);
}

TEST(Bodies, beyond_what_all_may_take_are_refused_and_small_ones_are_not) {
  Parked parked;
  const auto server = start(four_megabytes(), parked.handler());
  std::vector<Socket> holding;
  std::vector<std::pair<HttpRequest, Responder>> held;
  for (int i = 0; i < 2; ++i) {
    holding.push_back(Socket::to_port(server->port()));
    holding.back().say(post(2 << 20) + std::string(2 << 20, 'x'));
    held.push_back(parked.next());
  }
  // A new large one is told before a byte of its body has come, of a length that is said as of one that is not.
  Socket large = Socket::to_port(server->port());
  large.say(post(65 << 10));
  expect_full(large);
  Socket chunked = Socket::to_port(server->port());
  chunked.say("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'x'));
  expect_full(chunked);
  Socket small = Socket::to_port(server->port());
  small.say(post(64 << 10) + std::string(64 << 10, 'x'));
  auto third = parked.next();
  EXPECT_EQ(third.first.body.size(), 64U << 10);
  // The room of a request is free with its answer, and with the end of who held it.
  held[0].second.send(text("done"));
  EXPECT_EQ(hear_response(holding[0]).status, 200);
  holding[0].say(post(2 << 20) + std::string(2 << 20, 'x'));
  EXPECT_EQ(parked.next().first.body.size(), 2U << 20);
  held[1].second = {};
  EXPECT_EQ(hear_response(holding[1]).status, 500);
}

TEST(Bodies, that_were_given_up_halfway_take_nothing) {
  const auto server = start(four_megabytes(), echo);
  for (int i = 0; i < 20; ++i) {
    Socket socket = Socket::to_port(server->port());
    socket.say(post(2 << 20) + std::string(1 << 20, 'x'));
  }
  // Closed ones are noticed one after the other.
  Heard heard;
  for (int i = 0; i < 1000 && heard.status != 200; ++i) {
    Socket socket = Socket::to_port(server->port());
    socket.say(post(2 << 20) + std::string(2 << 20, 'x'));
    heard = hear_response(socket);
  }
  EXPECT_EQ(heard.status, 200);
  EXPECT_EQ(heard.body.size(), (2U << 20) + 7);
}

TEST(Bodies, more_than_may_be_together_are_read_in_the_end) {
  const auto server = start(four_megabytes(), echo);
  // Each sends again what was refused, as clients of AWS do.
  std::vector<std::jthread> clients;
  std::atomic<int> done{0};
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      for (int tries = 0; tries < 1000; ++tries) {
        Socket socket = Socket::to_port(server->port());
        socket.say(post(2 << 20) + std::string(2 << 20, 'x'));
        if (hear_response(socket).status != 200) continue;
        ++done;
        return;
      }
    });
  clients.clear();
  EXPECT_EQ(done, 8);
}

TEST(Server, answers_with_length_and_date) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say("POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz");
  const Heard heard = hear_response(socket);
  EXPECT_EQ(heard.head.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(heard.body, "POST /a?b xyz");
  EXPECT_EQ(heard.headers.get("Content-Length"), "13");
  EXPECT_EQ(heard.headers.get("Date").size(), std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size());
  EXPECT_EQ(heard.headers.get("X-Peer"), "127.0.0.1");
  EXPECT_FALSE(heard.headers.has("Connection"));
}

TEST(Server, keeps_the_connection_for_the_next_request) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  for (int i = 0; i < 3; ++i) {
    socket.say(get("/" + std::to_string(i)));
    EXPECT_EQ(hear_response(socket).body, "GET /" + std::to_string(i) + " ");
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST(Server, closes_where_the_client_asks_for_it) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(hear_response(socket).headers.get("Connection"), "close");
  EXPECT_TRUE(socket.is_closed_by_peer());
  Socket old = Socket::to_port(server->port());
  old.say("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(hear_response(old).headers.get("Connection"), "close");
  EXPECT_TRUE(old.is_closed_by_peer());
  Socket kept = Socket::to_port(server->port());
  kept.say("GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_EQ(hear_response(kept).headers.get("Connection"), "keep-alive");
  kept.say("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(hear_response(kept).body, "GET /2 ");
}

TEST(Server, answers_pipelined_requests_in_their_order) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += get("/" + std::to_string(i));
  std::thread saying([&] { socket.say(all); });
  for (int i = 0; i < 500; ++i) EXPECT_EQ(hear_response(socket).body, "GET /" + std::to_string(i) + " ");
  saying.join();
}

TEST(Server, answers_pipelined_requests_in_their_order_when_answers_come_late) {
  Parked parked;
  const auto server = start({}, parked.handler());
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/1") + get("/2") + get("/3"));
  for (const char* want : {"/1", "/2", "/3"}) {
    auto [request, respond] = parked.next();
    EXPECT_EQ(request.target, want);
    EXPECT_EQ(parked.count(), 0U);  // one after another
    respond.send(text(request.target));
  }
  for (const char* want : {"/1", "/2", "/3"}) EXPECT_EQ(hear_response(socket).body, want);
}

TEST(Server, waiting_requests_hold_no_thread) {
  Parked parked;
  const auto server = start({}, parked.handler());  // one I/O thread
  std::vector<Socket> sockets;
  std::vector<std::pair<HttpRequest, Responder>> waiting;
  for (int i = 0; i < 50; ++i) {
    sockets.push_back(Socket::to_port(server->port()));
    sockets.back().say(get("/" + std::to_string(i)));
    waiting.push_back(parked.next());
  }
  for (std::size_t i = waiting.size(); i-- > 0;) {
    waiting[i].second.send(text(waiting[i].first.target));
    EXPECT_EQ(hear_response(sockets[i]).body, "/" + std::to_string(i));
  }
}

TEST(Server, a_handler_that_throws_answers_500_to_that_request_alone) {
  std::mutex mutex;
  std::vector<std::string> faults;
  ServerOptions options;
  options.on_fault = [&](std::string_view sentence) {
    const std::lock_guard lock(mutex);
    faults.emplace_back(sentence);
  };
  const auto server = start(options, [](HttpRequest request, Responder respond) {
    if (request.target == "/throw") throw std::runtime_error("broken invariant");
    if (request.target == "/int") throw 42;
    respond.send(text("fine"));
  });
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/throw") + get("/int") + get("/"));
  EXPECT_EQ(hear_response(socket).status, 500);
  EXPECT_EQ(hear_response(socket).status, 500);
  EXPECT_EQ(hear_response(socket).body, "fine");
  const std::lock_guard lock(mutex);
  EXPECT_NE(std::find_if(faults.begin(), faults.end(),
                         [](const std::string& fault) { return fault.find("broken invariant") != std::string::npos; }),
            faults.end());
}

TEST(Server, a_handler_that_throws_after_its_answer_has_answered) {
  const auto server = start({}, [](HttpRequest, Responder respond) {
    respond.send(text("first"));
    throw std::runtime_error("too late");
  });
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/") + get("/"));
  EXPECT_EQ(hear_response(socket).body, "first");
  EXPECT_EQ(hear_response(socket).body, "first");
}

TEST(Server, a_dropped_responder_answers_500) {
  Parked parked;
  const auto server = start({}, parked.handler());
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/later"));
  {
    const auto dropped = parked.next();
  }
  EXPECT_EQ(hear_response(socket).status, 500);
  socket.say(get("/assigned"));
  auto assigned = parked.next();
  assigned.second = Responder();
  EXPECT_EQ(hear_response(socket).status, 500);
  const auto at_once = start({}, [](HttpRequest, Responder) {});
  Socket other = Socket::to_port(at_once->port());
  other.say(get("/"));
  EXPECT_EQ(hear_response(other).status, 500);
}

TEST(Server, only_the_first_answer_counts) {
  const auto server = start({}, [](HttpRequest, Responder respond) {
    respond.send(text("first"));
    EXPECT_FALSE(respond.is_open());
    respond.send(text("second"));
    EXPECT_FALSE(respond.begin(200, {}).is_open());
  });
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/") + get("/"));
  EXPECT_EQ(hear_response(socket).body, "first");
  EXPECT_EQ(hear_response(socket).body, "first");
}

TEST(Server, head_and_bodiless_statuses_have_no_body) {
  const auto server = start({}, [](HttpRequest request, Responder respond) {
    HttpResponse response = text("body");
    if (request.target == "/204") response.status = 204;
    if (request.target == "/304") response.status = 304;
    if (request.target == "/object") {
      response.body.clear();
      response.headers.add("Content-Length", "1234");
    }
    respond.send(std::move(response));
  });
  Socket socket = Socket::to_port(server->port());
  socket.say("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(hear_response(socket, true).headers.get("Content-Length"), "4");
  socket.say("HEAD /object HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(hear_response(socket, true).headers.get("Content-Length"), "1234");
  socket.say(get("/204"));
  EXPECT_FALSE(hear_response(socket).headers.has("Content-Length"));
  socket.say(get("/304"));
  EXPECT_EQ(hear_response(socket).status, 304);
  socket.say(get("/object"));
  EXPECT_EQ(hear_response(socket).headers.get("Content-Length"), "0");  // a wrong length of a handler's does no harm
  socket.say(get("/"));
  EXPECT_EQ(hear_response(socket).body, "body");
}

TEST(Server, never_splits_a_response) {
  const auto server = start({}, [](HttpRequest request, Responder respond) {
    HttpResponse response = text("x");
    if (request.target == "/value") response.headers.add("X", "a\r\nSet-Cookie: b");
    if (request.target == "/nul") response.headers.add("X", std::string("a\0b", 3));
    if (request.target == "/name") response.headers.add("X: y\r\nZ", "a");
    if (request.target == "/status") response.status = 42;
    if (request.target == "/framing") {
      response.headers.add("Transfer-Encoding", "chunked");
      response.headers.add("content-length", "99");
      response.headers.add("connection", "upgrade");
    }
    respond.send(std::move(response));
  });
  Socket socket = Socket::to_port(server->port());
  for (const char* target : {"/value", "/nul", "/name", "/status"}) {
    socket.say(get(target));
    const Heard heard = hear_response(socket);
    EXPECT_EQ(heard.status, 500) << target;
    EXPECT_FALSE(heard.headers.has("Set-Cookie"));
  }
  socket.say(get("/framing"));
  const Heard heard = hear_response(socket);
  EXPECT_EQ(heard.headers.get("Content-Length"), "1");
  EXPECT_FALSE(heard.headers.has("Transfer-Encoding"));
  EXPECT_FALSE(heard.headers.has("Connection"));
}

TEST(Server, takes_chunked_bodies_with_trailers) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say(
      "PUT /o HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1\r\n!\r\n0\r\ncrc: q==\r\n\r\n");
  const Heard heard = hear_response(socket);
  EXPECT_EQ(heard.body, "PUT /o abcd!");
  EXPECT_EQ(heard.headers.get("X-Trailer-crc"), "q==");
}

TEST(Server, says_continue_before_the_body_comes) {
  const auto server = start({}, echo);
  Socket socket = Socket::to_port(server->port());
  for (int i = 0; i < 2; ++i) {
    socket.say("PUT /o HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(socket.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    socket.say("body");
    EXPECT_EQ(hear_response(socket).body, "PUT /o body");
    socket.say("PUT /empty HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(socket.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(hear_response(socket).body, "PUT /empty ");
  }
}

TEST(Server, refuses_before_it_says_continue) {
  ServerOptions options;
  options.body_limit_bytes = 100;
  const auto server = start(options, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say("PUT /o HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_EQ(hear_response(socket).status, 413);
  EXPECT_TRUE(socket.is_closed_by_peer());
}

TEST(Server, refuses_with_the_right_status_and_closes) {
  ServerOptions options;
  options.body_limit_bytes = 1000;
  options.header_limit_bytes = 1000;
  std::atomic<int> handled = 0;
  const auto server = start(options, [&](HttpRequest request, Responder respond) {
    ++handled;
    echo(std::move(request), std::move(respond));
  });
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1000, 'a') + "\r\n\r\n", 431},
      {"GET /" + std::string(1000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
      {std::string("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 35), 400},
      {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"\x16\x03\x01", 400},
  };
  for (const auto& [bytes, status] : cases) {
    Socket socket = Socket::to_port(server->port());
    // What comes behind a refused request is never looked at.
    socket.say(bytes + get("/smuggled"));
    const Heard heard = hear_response(socket);
    EXPECT_EQ(heard.status, status) << bytes;
    EXPECT_EQ(heard.headers.get("Connection"), "close") << bytes;
    EXPECT_GT(heard.body.size(), 10U) << bytes;
    EXPECT_TRUE(socket.is_closed_by_peer()) << bytes;
  }
  EXPECT_EQ(handled, 0);
}

TEST(Server, a_refusal_is_heard_although_the_client_goes_on_sending) {
  ServerOptions options;
  options.body_limit_bytes = 1000;
  const auto server = start(options, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  for (int i = 0; i < 40; ++i) socket.say(std::string(100'000, 'x'));
  EXPECT_EQ(hear_response(socket).status, 413);
}

TEST(Server, a_request_that_does_not_end_in_time_is_answered_408) {
  ServerOptions options;
  options.request_timeout_ms = 60;
  const auto server = start(options, echo);
  for (const char* part :
       {"G", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
    Socket socket = Socket::to_port(server->port());
    socket.say(part);
    EXPECT_EQ(hear_response(socket).status, 408) << part;
    EXPECT_TRUE(socket.is_closed_by_peer());
  }
}

TEST(Server, drops_of_bytes_do_not_move_the_deadline) {
  ServerOptions options;
  options.request_timeout_ms = 100;
  const auto server = start(options, echo);
  Socket socket = Socket::to_port(server->port());
  socket.say("GET / HTTP/1.1\r\nHost: h\r\n");
  // As slowly as the server lets it: the loop ends by the server's closing, and by nothing else.
  std::atomic<bool> closed = false;
  std::thread dripping([&] {
    while (!closed && socket.say("X: y\r\n")) std::this_thread::yield();
  });
  const Heard heard = hear_response(socket);
  closed = true;
  dripping.join();
  EXPECT_TRUE(heard.status == 408 || heard.status == 431) << heard.head;
}

TEST(Server, closes_idle_connections_without_a_word) {
  ServerOptions options;
  options.idle_timeout_ms = 500;
  const auto server = start(options, echo);
  Socket fresh = Socket::to_port(server->port());
  EXPECT_TRUE(fresh.is_closed_by_peer());
  for (int tries = 0; tries < 20; ++tries) {
    Socket used = Socket::to_port(server->port());
    used.say(get("/"));
    if (hear_response(used).status != 200) continue;  // it was closed before the request came
    EXPECT_TRUE(used.is_closed_by_peer());
    return;
  }
  ADD_FAILURE() << "no request came in time";
}

TEST(Server, a_late_answer_has_no_deadline) {
  ServerOptions options;
  options.idle_timeout_ms = 2'000;
  options.request_timeout_ms = 2'000;
  Parked parked;
  const auto server = start(options, parked.handler());
  Socket waiting = Socket::to_port(server->port());
  waiting.say(get("/"));
  auto parked_one = parked.next();
  // Another connection lives and is closed for idleness twice over meanwhile.
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Socket::to_port(server->port()).is_closed_by_peer());
  EXPECT_FALSE(parked_one.second.cancelled());
  parked_one.second.send(text("late"));
  EXPECT_EQ(hear_response(waiting).body, "late");
}

std::chrono::microseconds processor_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

// The deadline of the request's reading has long passed when the answer comes: it is none of the answer's.
TEST(Server, an_answer_that_is_waited_for_costs_nothing) {
  ServerOptions options;
  options.request_timeout_ms = 500;
  Parked parked;
  const auto server = start(options, parked.handler());
  Socket socket = Socket::to_port(server->port());
  socket.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
  socket.say("x");
  auto waiting = parked.next();
  const auto before = processor_time();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_LT(processor_time() - before, std::chrono::milliseconds(700));
  waiting.second.send(text("late"));
  EXPECT_EQ(hear_response(socket).body, "late");
}

TEST(Server, refuses_connections_beyond_its_limit) {
  ServerOptions options;
  options.connection_limit = 2;
  const auto server = start(options, echo);
  std::optional<Socket> first(Socket::to_port(server->port()));
  Socket second = Socket::to_port(server->port());
  for (Socket* socket : {&*first, &second}) {
    socket->say(get("/"));
    EXPECT_EQ(hear_response(*socket).status, 200);
  }
  Socket third = Socket::to_port(server->port());
  const Heard heard = hear_response(third);
  EXPECT_EQ(heard.status, 503);
  EXPECT_EQ(heard.headers.get("Connection"), "close");
  EXPECT_EQ(std::to_string(heard.body.size()), heard.headers.get("Content-Length"));
  EXPECT_TRUE(third.is_closed_by_peer());
  first.reset();
  // The place is free as soon as the server has seen the end of the first.
  int status = 0;
  while (status != 200) {
    Socket next = Socket::to_port(server->port());
    next.say(get("/"));
    status = hear_response(next).status;
    ASSERT_TRUE(status == 200 || status == 503 || status == 0);
  }
}

TEST(Server, sends_large_bodies_whole_to_slow_readers) {
  std::string large(20'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31);
  const auto server = start({}, [&](HttpRequest, Responder respond) { respond.send(text(large)); });
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/1") + get("/2"));
  EXPECT_EQ(hear_response(socket).body, large);
  EXPECT_EQ(hear_response(socket).body, large);
}

TEST(Server, takes_large_bodies_whole) {
  const auto server =
      start({}, [](HttpRequest request, Responder respond) { respond.send(text(std::move(request.body))); });
  std::string large(10'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 17);
  Socket socket = Socket::to_port(server->port());
  std::thread saying([&] {
    socket.say("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
  });
  EXPECT_EQ(hear_response(socket).body, large);
  saying.join();
}

TEST(Server, a_peer_that_reads_no_answers_is_cut) {
  ServerOptions options;
  options.request_timeout_ms = 60;
  const auto server =
      start(options, [](HttpRequest, Responder respond) { respond.send(text(std::string(1'000'000, 'x'))); });
  Socket socket = Socket::to_port(server->port());
  while (socket.say(get("/"))) {
  }
  // say() came to an end: the server stopped reading, and then closed.
  SUCCEED();
}

TEST(Server, a_request_is_answered_although_the_client_has_ended_its_side) {
  Parked parked;
  const auto server = start({}, parked.handler());
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/1") + get("/2"));
  socket.end_saying();
  for (int i = 0; i < 2; ++i) {
    auto [request, respond] = parked.next();
    respond.send(text(request.target));
  }
  EXPECT_EQ(hear_response(socket).body, "/1");
  EXPECT_EQ(hear_response(socket).body, "/2");
  EXPECT_TRUE(socket.is_closed_by_peer());
}

TEST(Server, a_responder_learns_that_its_peer_is_gone) {
  Parked parked;
  const auto server = start({}, parked.handler());
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/"));
  auto waiting = parked.next();
  EXPECT_FALSE(waiting.second.cancelled());
  socket.reset();
  EXPECT_TRUE(fixpoint::test::until([&] { return waiting.second.cancelled(); }));
  waiting.second.send(text("nobody hears this"));
  Socket other = Socket::to_port(server->port());
  other.say(get("/"));
  parked.next().second.send(text("fine"));
  EXPECT_EQ(hear_response(other).body, "fine");
}

TEST(Server, clients_that_vanish_at_any_byte_do_no_harm) {
  const auto server = start({}, echo);
  const std::string request = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789";
  for (std::size_t cut = 0; cut <= request.size(); ++cut) {
    Socket socket = Socket::to_port(server->port());
    socket.say(std::string_view(request).substr(0, cut));
    if (cut % 2 == 0)
      socket.reset();
    else
      socket.close();
  }
  Socket socket = Socket::to_port(server->port());
  socket.say(get("/alive"));
  EXPECT_EQ(hear_response(socket).body, "GET /alive ");
}

TEST(Server, spreads_connections_over_its_threads) {
  ServerOptions options;
  options.threads = 3;
  std::mutex mutex;
  std::set<std::thread::id> seen;
  const auto server = start(options, [&](HttpRequest request, Responder respond) {
    {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    }
    echo(std::move(request), std::move(respond));
  });
  for (int i = 0; i < 6; ++i) {
    Socket socket = Socket::to_port(server->port());
    socket.say(get("/"));
    EXPECT_EQ(hear_response(socket).status, 200);
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Server, answers_from_many_threads_at_once) {
  ServerOptions options;
  options.threads = 2;
  Parked parked;
  const auto server = start(options, parked.handler());
  constexpr int clients = 8;
  constexpr int requests = 100;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  std::atomic<int> left = clients * requests;
  for (int answering = 0; answering < 3; ++answering)
    threads.emplace_back([&] {
      while (left.fetch_sub(1) > 0) {
        auto [request, respond] = parked.next();
        respond.send(text(request.target));
      }
    });
  for (int client = 0; client < clients; ++client)
    threads.emplace_back([&, client] {
      Socket socket = Socket::to_port(server->port());
      for (int i = 0; i < requests; ++i) {
        const std::string target = "/" + std::to_string(client) + "-" + std::to_string(i);
        socket.say(get(target));
        if (hear_response(socket).body == target) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, clients * requests);
}

TEST(Server, stop_answers_what_is_under_way_and_closes_what_is_idle) {
  Parked parked;
  auto server = start({}, parked.handler());
  Socket idle = Socket::to_port(server->port());
  Socket busy = Socket::to_port(server->port());
  busy.say(get("/busy"));
  auto [request, respond] = parked.next();
  std::thread stopping([&] { server->stop(); });
  EXPECT_TRUE(idle.is_closed_by_peer());
  respond.send(text("still answered"));
  const Heard heard = hear_response(busy);
  EXPECT_EQ(heard.body, "still answered");
  EXPECT_EQ(heard.headers.get("Connection"), "close");
  EXPECT_TRUE(busy.is_closed_by_peer());
  stopping.join();
  EXPECT_EQ(server->connections(), 0U);
  server->stop();
}

TEST(Server, stop_waits_for_answers_no_longer_than_it_may) {
  ServerOptions options;
  options.stop_timeout_ms = 20;
  Parked parked;
  auto server = start(options, parked.handler());
  Socket busy = Socket::to_port(server->port());
  busy.say(get("/busy"));
  auto waiting = parked.next();
  server->stop();
  EXPECT_TRUE(busy.is_closed_by_peer());
  EXPECT_TRUE(waiting.second.cancelled());
  server.reset();
  waiting.second.send(text("into the void"));  // a Responder may outlive its server
}

TEST(Server, the_port_is_free_again_after_stop) {
  auto first = start({}, echo);
  ServerOptions options;
  options.port = first->port();
  const auto taken = Server::start(options, echo);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, "ServiceUnavailable");
  first->stop();
  const auto second = start(options, echo);
  EXPECT_EQ(second->port(), options.port);
}

TEST(Server, listens_on_ipv6) {
  ServerOptions options;
  options.address = "::1";
  auto server = Server::start(options, echo);
  if (!server) GTEST_SKIP() << "this machine has no IPv6: " << describe(server.error());
  EXPECT_NE((*server)->port(), 0);
}

class UnixServer : public testing::Test {
 protected:
  UnixServer() {
    char name[] = "/tmp/fixpoint-http-XXXXXX";
    folder_ = ::mkdtemp(name);
    options_.unix_path = (folder_ / "socket").string();
  }
  ~UnixServer() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  ServerOptions options_;
};

TEST_F(UnixServer, serves_its_owner_alone) {
  auto server = start(options_, echo);
  EXPECT_EQ(server->port(), 0);
  struct stat status{};
  ASSERT_EQ(::stat(options_.unix_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  Socket socket = Socket::to_path(options_.unix_path);
  socket.say(get("/"));
  const Heard heard = hear_response(socket);
  EXPECT_EQ(heard.body, "GET / ");
  EXPECT_EQ(heard.headers.get("X-Peer"), "unix");
  server->stop();
  EXPECT_FALSE(std::filesystem::exists(options_.unix_path));
}

TEST_F(UnixServer, takes_over_a_socket_whose_owner_is_gone_but_no_other_file) {
  // A socket's file without a listener, as a killed process leaves it.
  const int left_behind = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strncpy(at.sun_path, options_.unix_path.c_str(), sizeof at.sun_path - 1);
  ASSERT_EQ(::bind(left_behind, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ::close(left_behind);
  const auto server = start(options_, echo);
  ASSERT_TRUE(server);
  const auto second = Server::start(options_, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "ServiceUnavailable");
  Socket::to_path(options_.unix_path);

  options_.unix_path = (folder_ / "file").string();
  {
    std::FILE* file = std::fopen(options_.unix_path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fclose(file);
  }
  const auto over_file = Server::start(options_, echo);
  ASSERT_FALSE(over_file);
  EXPECT_EQ(over_file.error().code, "ValidationException");
  EXPECT_TRUE(std::filesystem::exists(options_.unix_path));
}

TEST(Server, refuses_options_that_make_no_sense) {
  const auto refusal = [](auto change) {
    ServerOptions options;
    change(options);
    const auto server = Server::start(options, echo);
    return server ? std::string("started") : server.error().code + " " + server.error().where;
  };
  EXPECT_EQ(refusal([](ServerOptions& o) { o.address = "localhost"; }), "ValidationException address");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.address = "256.0.0.1"; }), "ValidationException address");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.address = "192.0.2.1"; }), "ValidationException address");  // not ours
  EXPECT_EQ(refusal([](ServerOptions& o) { o.threads = 0; }), "ValidationException threads");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.header_limit_bytes = 1; }), "ValidationException header_limit_bytes");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.connection_limit = 0; }), "ValidationException connection_limit");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.idle_timeout_ms = 0; }), "ValidationException idle_timeout_ms");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.request_timeout_ms = -1; }), "ValidationException request_timeout_ms");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.tls_key_file = "key.pem"; }), "ValidationException tls_certificate_file");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.unix_path = std::string(200, 'a'); }), "ValidationException unix_path");
  EXPECT_EQ(refusal([](ServerOptions& o) { o.unix_path = "/nonexistent/folder/socket"; }),
            "ValidationException unix_path");
  EXPECT_FALSE(Server::start({}, nullptr));
}

}  // namespace
}  // namespace fixpoint::http
