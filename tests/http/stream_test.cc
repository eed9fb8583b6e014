#include <future>
#include <gtest/gtest.h>
#include <thread>

#include "http/server.h"
#include "http/sockets.h"
#include "support/until.h"

namespace fixpoint::http {
namespace {

using test::hear_response;
using test::Heard;
using test::Socket;

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

/// A server whose handler begins a stream and gives it to the test.
class Streams : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    auto started = Server::start(std::move(options), [this](HttpRequest request, Responder respond) {
      if (request.target == "/plain") {
        HttpResponse response;
        response.body = "plain";
        respond.send(std::move(response));
        return;
      }
      Headers headers{{"Content-Type", "text/event-stream"}, {"Content-Length", "5"}};
      if (request.target == "/bad") headers.add("X", "a\nb");
      streams_.set_value(respond.begin(request.target == "/204" ? 204 : 200, std::move(headers)));
    });
    ASSERT_TRUE(started) << describe(started.error());
    server_ = std::move(*started);
  }
  ResponseStream next() {
    auto came = streams_.get_future();
    if (came.wait_for(std::chrono::seconds(20)) != std::future_status::ready)
      throw std::runtime_error("no request came for 20 s");
    ResponseStream stream = came.get();
    streams_ = {};
    return stream;
  }

  std::promise<ResponseStream> streams_;
  std::unique_ptr<Server> server_;
};

TEST_F(Streams, pieces_arrive_as_they_are_written) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/"));
  ResponseStream stream = next();
  const std::string head = socket.hear_until("\r\n\r\n");
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
  EXPECT_TRUE(stream.write("data: 1\n\n"));
  EXPECT_EQ(socket.hear_until("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  EXPECT_TRUE(stream.write(""));  // writes nothing: an empty chunk would end the body
  EXPECT_TRUE(stream.write("0123456789abcdef!"));
  EXPECT_EQ(socket.hear(23), "11\r\n0123456789abcdef!\r\n");
  stream.close();
  EXPECT_FALSE(stream.is_open());
  EXPECT_FALSE(stream.write("after"));
  EXPECT_EQ(socket.hear(5), "0\r\n\r\n");
}

TEST_F(Streams, the_connection_goes_on_after_a_stream) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/") + get("/plain"));
  {
    ResponseStream stream = next();
    stream.write("a");
    stream.write("b");
    stream.close();
  }
  EXPECT_EQ(hear_response(socket).body, "ab");
  EXPECT_EQ(hear_response(socket).body, "plain");
}

TEST_F(Streams, a_dropped_stream_cuts_the_connection) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/"));
  {
    ResponseStream stream = next();
    stream.write("half");
  }
  const std::string all = socket.hear_all();
  EXPECT_TRUE(all.ends_with("4\r\nhalf\r\n")) << all;  // no last chunk: the client sees that the body is not whole
}

TEST_F(Streams, http_10_gets_the_body_until_the_connection_closes) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ResponseStream stream = next();
  stream.write("a");
  stream.write("b");
  stream.close();
  const std::string all = socket.hear_all();
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\nab")) << all;
}

TEST_F(Streams, head_and_204_have_no_chunks) {
  start();
  Socket socket = Socket::to_port(server_->port());
  for (const char* request : {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /204 HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    socket.say(request);
    ResponseStream stream = next();
    EXPECT_TRUE(stream.write("never sent"));
    stream.close();
    hear_response(socket, true);
    socket.say(get("/plain"));
    EXPECT_EQ(hear_response(socket).body, "plain");
  }
}

TEST_F(Streams, a_head_that_cannot_be_sent_is_a_500) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/bad"));
  ResponseStream stream = next();
  EXPECT_EQ(hear_response(socket).status, 500);
  EXPECT_TRUE(socket.is_closed_by_peer());
  EXPECT_TRUE(fixpoint::test::until([&] { return !stream.write("x"); }));
}

TEST_F(Streams, a_writer_learns_that_the_reader_has_gone) {
  start();
  for (const bool in_order : {true, false}) {
    Socket socket = Socket::to_port(server_->port());
    socket.say(get("/"));
    ResponseStream stream = next();
    socket.hear_until("\r\n\r\n");
    if (in_order)
      socket.close();
    else
      socket.reset();
    EXPECT_TRUE(fixpoint::test::until([&] { return !stream.write(""); }));
    EXPECT_FALSE(stream.write("x"));
  }
}

TEST_F(Streams, a_reader_that_is_too_slow_is_cut) {
  ServerOptions options;
  options.stream_limit_bytes = 100'000;
  start(options);
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/"));
  ResponseStream stream = next();
  const std::string piece(10'000, 'x');
  std::size_t written = 0;
  while (stream.write(piece)) written += piece.size();
  EXPECT_GE(written, 100'000 - piece.size());
  EXPECT_FALSE(socket.hear_all().ends_with("0\r\n\r\n"));
  EXPECT_FALSE(stream.write(""));
}

TEST_F(Streams, what_waits_is_counted_down_as_it_is_read) {
  ServerOptions options;
  options.stream_limit_bytes = 100'000;
  start(options);
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/"));
  ResponseStream stream = next();
  socket.hear_until("\r\n\r\n");
  const std::string piece(40'000, 'x');
  // The piece before may not be counted down yet when its last byte is heard here; the one before that is.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(stream.write(piece)) << i;
    ASSERT_EQ(socket.hear(piece.size() + 8).size(), piece.size() + 8);
  }
}

TEST_F(Streams, stop_cuts_streams) {
  start();
  Socket socket = Socket::to_port(server_->port());
  socket.say(get("/"));
  ResponseStream stream = next();
  stream.write("x");
  socket.hear_until("x\r\n");
  server_->stop();
  EXPECT_TRUE(socket.is_closed_by_peer());
  EXPECT_FALSE(stream.write("y"));
  server_.reset();
  EXPECT_FALSE(stream.write("z"));
}

TEST_F(Streams, pieces_of_many_writers_reach_their_own_readers) {
  ServerOptions options;
  options.threads = 2;
  start(options);
  constexpr int readers = 6;
  std::vector<Socket> sockets;
  std::vector<std::thread> writers;
  for (int reader = 0; reader < readers; ++reader) {
    sockets.push_back(Socket::to_port(server_->port()));
    sockets.back().say(get("/"));
    writers.emplace_back([reader, stream = next()]() mutable {
      for (int i = 0; i < 300; ++i) stream.write(std::to_string(reader) + ":" + std::to_string(i) + "\n");
      stream.close();
    });
  }
  for (int reader = 0; reader < readers; ++reader) {
    std::string want;
    for (int i = 0; i < 300; ++i) want += std::to_string(reader) + ":" + std::to_string(i) + "\n";
    EXPECT_EQ(hear_response(sockets[static_cast<std::size_t>(reader)]).body, want);
  }
  for (auto& writer : writers) writer.join();
}

/// A Responder needs no server: a test of another room may stand in for the connection.
class StandIn final : public Exchange {
 public:
  void send(std::uint64_t, HttpResponse response) override { sent = response.status; }
  bool reserve(std::uint64_t, std::size_t bytes) override {
    reserved += bytes;
    return true;
  }
  void abandon(std::uint64_t) override { sent = -1; }
  void begin(std::uint64_t, int status, Headers) override { sent = status; }
  bool write(std::uint64_t, std::string data) override {
    written += data;
    return true;
  }
  void end(std::uint64_t, bool whole) override { ended = whole ? 1 : -1; }
  bool cancelled(std::uint64_t) const override { return false; }
  std::size_t reserved = 0;
  int sent = 0;
  int ended = 0;
  std::string written;
};

TEST(Responder, answers_once_through_its_exchange_or_gives_up) {
  auto exchange = std::make_shared<StandIn>();
  {
    Responder(exchange, 1).send({});
  }
  EXPECT_EQ(exchange->sent, 200);
  {
    Responder dropped(exchange, 2);
  }
  EXPECT_EQ(exchange->sent, -1);
  {
    Responder first(exchange, 3);
    Responder second(std::move(first));
    first = std::move(second);
    ResponseStream stream = first.begin(201, {});
    stream.write("a");
    ResponseStream moved;
    moved = std::move(stream);
    moved.write("b");
    moved.close();
  }
  EXPECT_EQ(exchange->sent, 201);
  EXPECT_EQ(exchange->ended, 1);
  EXPECT_EQ(exchange->written, "ab");
  {
    ResponseStream dropped = Responder(exchange, 4).begin(200, {});
  }
  EXPECT_EQ(exchange->ended, -1);
  EXPECT_TRUE(Responder().cancelled());
}

}  // namespace
}  // namespace fixpoint::http
