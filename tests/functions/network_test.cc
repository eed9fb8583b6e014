#include "functions/network.h"

#include <arpa/inet.h>
#include <future>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

#include "base/text.h"
#include "functions/descriptors.h"
#include "functions/ear.h"
#include "functions/handlers.h"
#include "functions/relay.h"
#include "http/server.h"

// What a handler reaches, and what it does not.
namespace fixpoint::functions {
namespace {

class CutOff : public Handlers {
 protected:
  void SetUp() override {
    Handlers::SetUp();
    if (IsSkipped()) return;
    const std::string sentence = runtime_->isolation();
    if (sentence.find("The network is cut off") == std::string::npos) {
      // Then it says so, and why.
      EXPECT_NE(sentence.find("The network is NOT cut off"), std::string::npos) << sentence;
      GTEST_SKIP() << sentence;
    }
  }
  // The handler's own words about each of the things that it tries.
  json::Value tries(const std::string& body, const std::string& event = "null") {
    auto call = invocation(
        "import os, socket, subprocess\n"
        "def tried(action):\n"
        "    try:\n        return repr(action())\n"
        "    except Exception as e:\n        return type(e).__name__\n"
        "def connect(host, port, family=socket.AF_INET, kind=socket.SOCK_STREAM):\n"
        "    with socket.socket(family, kind) as s:\n"
        "        s.settimeout(5)\n"
        "        s.connect((host, port))\n"
        "        if kind == socket.SOCK_DGRAM: s.send(b'x')\n"
        "        return 'connected'\n"
        "def handler(event, context):\n" +
        body);
    call.payload = event;
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.function_error, "") << outcome.payload << outcome.log_tail;
    return payload(outcome);
  }
};

TEST_F(CutOff, a_handler_reaches_no_other_port_of_this_machine) {
  test::Ear ear;  // listens, and is not the gateway
  const auto got = tries(
      "    return {'loopback': tried(lambda: connect('127.0.0.1', event)),\n"
      "            'other': tried(lambda: connect('127.9.9.9', event)),\n"
      "            'six': tried(lambda: connect('::1', event, socket.AF_INET6)),\n"
      "            'any': tried(lambda: connect('0.0.0.0', event))}\n",
      ear.port());
  for (const json::Member& one : got.as_object())
    EXPECT_EQ(one.value.string_or(""), "ConnectionRefusedError") << one.key;
}

TEST_F(CutOff, a_handler_reaches_nothing_beyond_this_machine) {
  const auto got = tries(
      "    return {'lan': tried(lambda: connect('192.168.0.1', 80)),\n"
      "            'ten': tried(lambda: connect('10.0.0.1', 22)),\n"
      "            'world': tried(lambda: connect('198.51.100.1', 443)),\n"
      "            'metadata': tried(lambda: connect('169.254.169.254', 80)),\n"
      "            'metadata6': tried(lambda: connect('fd00:ec2::254', 80, socket.AF_INET6)),\n"
      "            'dns': tried(lambda: connect('192.168.0.1', 53, kind=socket.SOCK_DGRAM)),\n"
      "            'name': tried(lambda: socket.getaddrinfo('example.com', 443)),\n"
      "            'links': [n for _, n in socket.if_nameindex()]}\n");
  for (const char* what : {"lan", "ten", "world", "metadata", "metadata6", "dns"})
    EXPECT_EQ(got[what].string_or(""), "OSError") << what << ": network is unreachable " << json::print(got);
  EXPECT_EQ(got["name"].string_or(""), "gaierror");
  EXPECT_EQ(got["links"], json::Value(json::Array{"lo"}));
}

TEST_F(CutOff, a_handler_makes_no_socket_that_goes_around_the_network) {
  const auto got = tries(
      "    return {'raw': tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)),\n"
      "            'packet': tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)),\n"
      "            'vsock': tried(lambda: socket.socket(40, socket.SOCK_STREAM)),\n"
      "            'ping': tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)),\n"
      "            'unix': tried(lambda: socket.socketpair()[0].close())}\n");
  for (const char* what : {"raw", "packet", "vsock", "ping"})
    EXPECT_TRUE(got[what] == "PermissionError" || got[what] == "OSError") << what << ": " << json::print(got);
  EXPECT_EQ(got["unix"].string_or(""), "None") << "sockets within the process are its own business";
}

TEST_F(CutOff, what_a_handler_starts_is_cut_off_as_well) {
  test::Ear ear;
  const auto got = tries(
      "    code = \"import socket,sys; r = lambda a: socket.socket().connect_ex(a); \"\\\n"
      "           \"print(r(('127.0.0.1', int(sys.argv[1]))), r(('192.168.0.1', 80)))\"\n"
      "    import sys\n"
      "    child = subprocess.run([sys.executable, '-S', '-c', code, str(event)], capture_output=True, text=True)\n"
      "    entered = tried(lambda: subprocess.run(['nsenter', '-t', '1', '-n', 'true'], stderr=-3).returncode)\n"
      "    return {'child': child.stdout.split(), 'entered': entered,\n"
      "            'ns': tried(lambda: open('/proc/1/ns/net').close())}\n",
      ear.port());
  EXPECT_EQ(got["child"], (json::Value(json::Array{"111", "101"}))) << "refused, unreachable: " << json::print(got);
  EXPECT_NE(got["entered"].string_or("0"), "0");
}

TEST_F(CutOff, handlers_do_not_hear_each_other) {
  // Two at once: one listens, the other calls the same port.
  test::Ear ears[2];
  const std::string module = test::hold_a_connection +
                             "def handler(event, context):\n"
                             "    s = socket.socket()\n"
                             "    if event['listen']:\n"
                             "        s.bind(('127.0.0.1', 7777)); s.listen()\n"
                             "        hold(event['port'])\n"
                             "        return 'listened'\n"
                             "    hold(event['port'])\n"
                             "    return s.connect_ex(('127.0.0.1', 7777))\n";
  std::promise<Result<Outcome>> done[2];
  for (int i = 0; i < 2; ++i) {
    auto call = invocation(module);
    call.endpoint_url = ears[i].url();
    call.payload = R"({"port": )" + ears[i].port() + R"(, "listen": )" + (i == 0 ? "true}" : "false}");
    call.request_id = "run-" + std::to_string(i);
    runtime_->invoke(call, [&done, i](Result<Outcome> outcome) { done[i].set_value(std::move(outcome)); });
  }
  EXPECT_TRUE(ears[0].hears_it_start());
  EXPECT_TRUE(ears[1].hears_it_start());
  ears[1].let_it_go_on();
  EXPECT_EQ(done[1].get_future().get().value().payload, "111") << "connection refused";
  ears[0].let_it_go_on();
  EXPECT_EQ(done[0].get_future().get().value().payload, "\"listened\"");
}

TEST_F(CutOff, the_gateway_answers_boto3_and_plain_programs_alike) {
  auto server = http::Server::start({}, [](HttpRequest request, http::Responder respond) {
    HttpResponse response;
    response.body = request.method == "PUT" ? std::to_string(request.body.size())
                                            : "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>"
                                              "123456789012</Account></GetCallerIdentityResult>"
                                              "</GetCallerIdentityResponse>";
    respond.send(std::move(response));
  });
  ASSERT_TRUE(server);
  auto call = invocation(
      "import boto3, os, sys, subprocess, urllib.request\n"
      "def handler(event, context):\n"
      "    url = os.environ['AWS_ENDPOINT_URL']\n"
      "    big = urllib.request.Request(url + '/x', data=b'b' * 3_000_000, method='PUT')\n"
      "    child = subprocess.run([sys.executable, '-S', '-c', 'import sys, urllib.request; '\n"
      "        'print(len(urllib.request.urlopen(sys.argv[1]).read()))', url], capture_output=True, text=True)\n"
      "    return [boto3.client('sts').get_caller_identity()['Account'], urllib.request.urlopen(big).read().decode(),\n"
      "            child.stdout.strip(), url]\n");
  for (const char* host : {"127.0.0.1", "localhost", "0.0.0.0"}) {
    call.endpoint_url = std::string("http://") + host + ":" + std::to_string((*server)->port());
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.payload, "[\"123456789012\", \"3000000\", \"137\", \"http://127.0.0.1:" +
                                   std::to_string((*server)->port()) + "\"]")
        << host << outcome.log_tail;
  }
  (*server)->stop();
}

// A client of boto3 keeps its connection, and a module may well have one for each region and service.
TEST_F(CutOff, a_handler_keeps_more_connections_than_its_network_holds) {
  auto server = http::Server::start({}, [](HttpRequest request, http::Responder respond) {
    HttpResponse response;
    response.body = request.target;
    respond.send(std::move(response));
  });
  ASSERT_TRUE(server);
  auto some = options();
  some.gateway_connections = 4;
  start(some);
  auto call = invocation(
      "import http.client, os\n"
      "host = os.environ['AWS_ENDPOINT_URL'][len('http://'):]\n"
      "kept = [http.client.HTTPConnection(host) for _ in range(12)]\n"
      "def handler(event, context):\n"
      "    said = []\n"
      "    for round in range(2):\n"
      "        for at, one in enumerate(kept):\n"
      "            try:\n"
      "                one.request('GET', f'/{round}/{at}')\n"
      "                said.append(one.getresponse().read().decode())\n"
      "            except (http.client.RemoteDisconnected, ConnectionError):\n"
      "                one.close()\n"
      "                one.request('GET', f'/{round}/{at}')\n"
      "                said.append(one.getresponse().read().decode())\n"
      "    return len(set(said))\n");
  call.endpoint_url = "http://127.0.0.1:" + std::to_string((*server)->port());
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.payload, "24") << outcome.log_tail;
  (*server)->stop();
}

TEST_F(CutOff, a_handler_gets_whole_answers_by_more_threads_than_its_network_holds_connections) {
  auto server = http::Server::start({}, [](HttpRequest, http::Responder respond) {
    HttpResponse response;
    response.body.assign(3'000'000, 'b');
    respond.send(std::move(response));
  });
  ASSERT_TRUE(server);
  auto some = options();
  some.gateway_connections = 4;
  some.gateway_quiet_ms = 5'000;
  start(some);
  auto call = invocation(
      "import concurrent.futures, http.client, os\n"
      "host = os.environ['AWS_ENDPOINT_URL'][len('http://'):]\n"
      "def get(_):\n"
      "    one = http.client.HTTPConnection(host)\n"
      "    said = []\n"
      "    for round in range(3):\n"
      "        try:\n"
      "            one.request('GET', '/')\n"
      "            answer = one.getresponse()\n"
      "        except (http.client.RemoteDisconnected, ConnectionError):\n"
      "            one.close()\n"
      "            one.request('GET', '/')\n"
      "            answer = one.getresponse()\n"
      "        said.append(len(answer.read()))\n"
      "    return said\n"
      "def handler(event, context):\n"
      "    with concurrent.futures.ThreadPoolExecutor(8) as pool:\n"
      "        return sorted({n for said in pool.map(get, range(8)) for n in said})\n");
  call.endpoint_url = "http://127.0.0.1:" + std::to_string((*server)->port());
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.payload, "[3000000]") << outcome.log_tail;
  (*server)->stop();
}

TEST_F(CutOff, without_bubblewrap_the_network_is_cut_off_all_the_same) {
  auto some = options();
  some.use_bubblewrap = false;
  start(some);
  if (runtime_->isolation().find("The network is cut off") == std::string::npos) GTEST_SKIP() << runtime_->isolation();
  test::Ear ear;
  const auto got = tries(
      "    return {'loopback': tried(lambda: connect('127.0.0.1', event)),\n"
      "            'lan': tried(lambda: connect('192.168.0.1', 80)),\n"
      "            'vsock': tried(lambda: socket.socket(40, socket.SOCK_STREAM))}\n",
      ear.port());
  EXPECT_EQ(got["loopback"].string_or(""), "ConnectionRefusedError");
  EXPECT_EQ(got["lan"].string_or(""), "OSError");
  EXPECT_EQ(got["vsock"].string_or(""), "OSError");
}

TEST_F(Handlers, that_share_the_machines_network_are_said_to) {
  auto some = options();
  some.own_network = false;
  start(some);
  EXPECT_NE(runtime_->isolation().find("The network is NOT cut off"), std::string::npos) << runtime_->isolation();
  EXPECT_EQ(runtime_->isolation().find("The network is cut off"), std::string::npos);
  EXPECT_EQ(run(invocation("def handler(e, c):\n    return 'well'\n")).payload, "\"well\"");
}

// ---- The relay by itself.

int connected_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

// At which nobody listens.
std::pair<Fd, std::uint16_t> bound() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<struct sockaddr*>(&address), size), 0);
  getsockname(fd.get(), reinterpret_cast<struct sockaddr*>(&address), &size);
  return {std::move(fd), ntohs(address.sin_port)};
}

std::pair<Fd, std::uint16_t> listener() {
  auto made = bound();
  EXPECT_EQ(listen(made.first.get(), 16), 0);
  return made;
}

bool readable(int fd, int timeout_ms = 20'000) {
  struct pollfd wait = {fd, POLLIN, 0};
  return poll(&wait, 1, timeout_ms) == 1;
}

bool ends(const Fd& fd) {
  char byte = 0;
  return readable(fd.get()) && recv(fd.get(), &byte, 1, 0) <= 0;
}

TEST(Relay, carries_both_ways_and_passes_on_the_end_of_each) {
  auto [target, target_port] = listener();
  auto [entrance, entrance_port] = listener();
  std::vector<Relay::Way> ways;
  ways.push_back({std::move(entrance), "127.0.0.1", target_port});
  const auto relay = Relay::start(std::move(ways));
  ASSERT_TRUE(relay) << describe(relay.error());
  // What comes in is sent back once its end has come.
  std::jthread echo([fd = target.get()] {
    struct pollfd wait = {fd, POLLIN, 0};
    poll(&wait, 1, 10'000);
    const int one = accept(fd, nullptr, nullptr);
    std::string all;
    char buffer[65536];
    for (ssize_t got; (got = recv(one, buffer, sizeof(buffer), 0)) > 0;) all.append(buffer, static_cast<size_t>(got));
    for (std::size_t at = 0; at < all.size();) {
      const ssize_t put = send(one, all.data() + at, all.size() - at, MSG_NOSIGNAL);
      if (put <= 0) break;
      at += static_cast<std::size_t>(put);
    }
    close(one);
  });
  const Fd client(connected_to(entrance_port));
  std::string text;
  for (int i = 0; i < 2'000'000; ++i) text += static_cast<char>(i * 31 >> 2);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = send(client.get(), text.data() + at, text.size() - at, MSG_NOSIGNAL);
    ASSERT_GT(put, 0);
    at += static_cast<std::size_t>(put);
  }
  shutdown(client.get(), SHUT_WR);
  std::string back;
  char buffer[65536];
  for (ssize_t got; (got = recv(client.get(), buffer, sizeof(buffer), 0)) > 0;)
    back.append(buffer, static_cast<std::size_t>(got));
  EXPECT_EQ(back.size(), text.size());
  EXPECT_TRUE(back == text);
}

TEST(Relay, to_where_nobody_listens_ends_the_connection) {
  auto [deaf, deaf_port] = bound();
  auto [entrance, entrance_port] = listener();
  std::vector<Relay::Way> ways;
  ways.push_back({std::move(entrance), "127.0.0.1", deaf_port});
  const auto relay = Relay::start(std::move(ways));
  ASSERT_TRUE(relay);
  const Fd client(connected_to(entrance_port));
  EXPECT_TRUE(ends(client));
}

// A relay with one way, and who connects to it and whom it leads to.
class RelayOf : public testing::Test {
 protected:
  struct Pair {
    Fd client;
    Fd target;
  };

  void start(std::size_t connections, std::chrono::milliseconds quiet_for = std::chrono::milliseconds(100)) {
    auto [target, target_port] = listener();
    auto [entrance, entrance_port] = listener();
    target_ = std::move(target);
    port_ = entrance_port;
    std::vector<Relay::Way> ways;
    ways.push_back({std::move(entrance), "127.0.0.1", target_port, connections, quiet_for});
    auto relay = Relay::start(std::move(ways));
    ASSERT_TRUE(relay) << describe(relay.error());
    relay_ = std::move(*relay);
  }
  Fd arrival() { return readable(target_.get()) ? Fd(accept(target_.get(), nullptr, nullptr)) : Fd(); }
  Pair pair() {
    Fd client(connected_to(port_));
    return {std::move(client), arrival()};
  }
  // One byte through the relay.
  static void carry(const Fd& from, const Fd& to) {
    char byte = 0;
    ASSERT_EQ(send(from.get(), "x", 1, MSG_NOSIGNAL), 1);
    ASSERT_TRUE(readable(to.get()));
    ASSERT_EQ(recv(to.get(), &byte, 1, 0), 1);
  }
  // Closed with a reset in place of an end.
  static void reset(Fd& fd) {
    const struct linger now = {1, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    fd.reset();
  }
  // It does not look for work again and again while there is none.
  bool comes_to_rest() {
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t before = relay_->rounds();
      poll(nullptr, 0, 20);
      if (relay_->rounds() == before) return true;
    }
    return false;
  }

  Fd target_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayOf, one_way_holds_so_many_connections_and_the_next_waits_until_one_ends) {
  start(2);
  std::vector<Pair> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(pair());
    carry(open.back().client, open.back().target);  // its answer is due
  }
  const Fd next(connected_to(port_));
  EXPECT_TRUE(comes_to_rest());
  EXPECT_FALSE(readable(target_.get(), 0));
  open[0].target.reset();
  open[0].client.reset();
  EXPECT_TRUE(readable(target_.get()));
}

TEST_F(RelayOf, one_way_gives_the_place_of_the_connection_that_was_idle_longest) {
  start(3);
  std::vector<Pair> open;
  for (int i = 0; i < 3; ++i) open.push_back(pair());
  for (const int i : {1, 2, 0}) carry(open[i].client, open[i].target);
  for (const int i : {2, 1}) carry(open[i].target, open[i].client);
  // Of 0 an answer is due; 2 was answered before 1 was.
  const Pair next = pair();
  ASSERT_TRUE(next.target);
  EXPECT_TRUE(ends(open[2].client));
  EXPECT_TRUE(ends(open[2].target));
  for (const int i : {0, 1}) carry(open[i].client, open[i].target);
  carry(next.client, next.target);
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(RelayOf, one_way_does_not_give_the_place_of_an_answer_that_still_comes) {
  start(1, std::chrono::seconds(3));
  const Pair one = pair();
  carry(one.client, one.target);
  carry(one.target, one.client);
  const std::uint64_t before = relay_->rounds();
  const Fd next(connected_to(port_));
  // The rest of it, a piece at a time.
  for (int piece = 0; piece < 50; ++piece) carry(one.target, one.client);
  EXPECT_FALSE(readable(target_.get(), 0));
  // Then it waits for its next use.
  const Fd target = arrival();
  ASSERT_TRUE(target);
  EXPECT_TRUE(ends(one.client));
  carry(next, target);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_LT(relay_->rounds() - before, 150U);
}

TEST_F(RelayOf, one_way_gives_the_place_of_the_connection_that_the_other_end_closed_first) {
  start(2);
  Pair kept = pair();
  Pair closed = pair();
  carry(closed.client, closed.target);
  closed.target.reset();
  EXPECT_TRUE(ends(closed.client));
  // It was used last, and its client holds it still.
  const Pair next = pair();
  ASSERT_TRUE(next.target);
  carry(kept.client, kept.target);
  carry(next.client, next.target);
}

TEST_F(RelayOf, a_reset_of_the_side_that_had_ended_keeps_it_not_busy) {
  start(4);
  Pair one = pair();
  shutdown(one.target.get(), SHUT_WR);
  EXPECT_TRUE(ends(one.client));
  reset(one.target);
  EXPECT_TRUE(comes_to_rest());
  Pair other = pair();
  shutdown(other.client.get(), SHUT_WR);
  EXPECT_TRUE(ends(other.target));
  reset(other.client);
  EXPECT_TRUE(comes_to_rest());
  // What is written then finds out.
  ASSERT_EQ(send(other.target.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(ends(other.target));
  ASSERT_EQ(send(one.client.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(ends(one.client));
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(RelayOf, a_connection_whose_way_on_has_no_descriptor_waits_for_one) {
  start(4);
  const Pair one = pair();
  Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    // For one of the two that the connection takes.
    const test::FreeDescriptors few(1);
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(client.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)), 0);
    const std::uint64_t before = relay_->rounds();
    while (relay_->rounds() < before + 4) carry(one.client, one.target);
  }
  const Fd target = arrival();
  ASSERT_TRUE(target);
  carry(client, target);
}

TEST(Relay, takes_addresses_and_no_names) {
  auto [entrance, port] = listener();
  std::vector<Relay::Way> ways;
  ways.push_back({std::move(entrance), "gateway.example", port});
  const auto relay = Relay::start(std::move(ways));
  ASSERT_FALSE(relay);
  EXPECT_EQ(relay.error().message, "'gateway.example' is no IPv4 or IPv6 address");
}

}  // namespace
}  // namespace fixpoint::functions
