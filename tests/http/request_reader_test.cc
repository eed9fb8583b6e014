#include "http/request_reader.h"

#include <gtest/gtest.h>

#include "http/reading.h"

namespace fixpoint::http {
namespace {

using test::Reading;

constexpr std::size_t header_limit = 1024;
constexpr std::size_t body_limit = 4096;

Reading read_by(std::size_t piece, std::string_view bytes) {
  RequestReader reader(header_limit, body_limit);
  return test::read_in_pieces(reader, bytes, [&] { return piece; });
}

/// The reading must not depend on how the bytes are cut.
Reading read_all(std::string_view bytes) {
  const Reading whole = read_by(bytes.size(), bytes);
  for (const std::size_t piece : {1, 2, 3, 7}) {
    const Reading pieces = read_by(piece, bytes);
    EXPECT_EQ(pieces.requests.size(), whole.requests.size()) << bytes << " by " << piece;
    EXPECT_EQ(pieces.refusal.status, whole.refusal.status) << bytes << " by " << piece;
    EXPECT_EQ(pieces.is_idle, whole.is_idle) << bytes << " by " << piece;
    for (std::size_t i = 0; i < std::min(pieces.requests.size(), whole.requests.size()); ++i) {
      EXPECT_EQ(pieces.requests[i].target, whole.requests[i].target);
      EXPECT_EQ(pieces.requests[i].headers.lines(), whole.requests[i].headers.lines());
      EXPECT_EQ(pieces.requests[i].body, whole.requests[i].body);
      EXPECT_EQ(pieces.requests[i].trailers.lines(), whole.requests[i].trailers.lines());
    }
  }
  return whole;
}

int refusal_of(std::string_view bytes) {
  const Reading reading = read_all(bytes);
  EXPECT_TRUE(reading.requests.empty()) << bytes;
  if (reading.refusal.status != 0) EXPECT_FALSE(reading.refusal.sentence.empty()) << bytes;
  return reading.refusal.status;
}

HttpRequest only(std::string_view bytes) {
  Reading reading = read_all(bytes);
  EXPECT_EQ(reading.requests.size(), 1U) << bytes << '\n' << reading.refusal.sentence;
  EXPECT_TRUE(reading.is_idle) << bytes;
  return reading.requests.empty() ? HttpRequest() : std::move(reading.requests.front());
}

TEST(RequestReader, keeps_target_and_headers_as_they_were_sent) {
  const HttpRequest request = only(
      "GET //a/../b%2f%2F;x?q=%20+&&z= HTTP/1.1\r\nhOsT: h:80\r\nX-A: \t two  words\t "
      "\r\nx-a:second\r\nX-Empty:\r\n\r\n");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "//a/../b%2f%2F;x?q=%20+&&z=");
  const std::vector<Headers::Line> want = {{"hOsT", "h:80"}, {"X-A", "two  words"}, {"x-a", "second"}, {"X-Empty", ""}};
  EXPECT_EQ(request.headers.lines(), want);
}

TEST(RequestReader, reads_a_sized_body) {
  EXPECT_EQ(only(std::string_view("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na\0b\r\n", 52)).body,
            std::string("a\0b\r\n", 5));
  EXPECT_EQ(only("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").body, "");
  const std::string large(body_limit, 'x');
  EXPECT_EQ(
      only("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large).body,
      large);
}

TEST(RequestReader, reads_a_chunked_body_and_keeps_trailers_apart) {
  const HttpRequest request = only(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n0A;name=\"quoted ; value\";flag\r\n0123456789\r\n000\r\nx-amz-checksum-crc32: q==\r\nX-B: "
      "c\r\n\r\n");
  EXPECT_EQ(request.body, "abc0123456789");
  const std::vector<Headers::Line> want = {{"x-amz-checksum-crc32", "q=="}, {"X-B", "c"}};
  EXPECT_EQ(request.trailers.lines(), want);
  EXPECT_FALSE(request.headers.has("X-B"));
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(only(head + "0\r\n\r\n").body, "");
  EXPECT_EQ(only(head + "1 ; a ;b= \"x\\\"y\" ; c = d\r\nz\r\n0;e\r\n\r\n").body, "z");
}

TEST(RequestReader, reads_requests_one_behind_another) {
  const Reading reading = read_all(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
      "\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: h\r\n\r\nGET /5");
  ASSERT_EQ(reading.requests.size(), 4U);
  EXPECT_EQ(reading.requests[1].body, "ab");
  EXPECT_EQ(reading.requests[2].body, "c");
  EXPECT_EQ(reading.requests[3].target, "/4");
  EXPECT_EQ(reading.requests[3].body, "");
  EXPECT_TRUE(reading.requests[3].trailers.lines().empty());
  EXPECT_FALSE(reading.is_idle);
}

TEST(RequestReader, knows_when_the_connection_is_kept) {
  EXPECT_TRUE(read_all("GET / HTTP/1.1\r\nHost: h\r\n\r\n").keep_alive.front());
  EXPECT_FALSE(read_all("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n").keep_alive.front());
  EXPECT_FALSE(read_all("GET / HTTP/1.0\r\n\r\n").keep_alive.front());
  EXPECT_TRUE(read_all("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive.front());
}

TEST(RequestReader, takes_absolute_form_targets_apart) {
  // RFC 9112 section 3.2.2: the authority of the target stands above the Host header.
  HttpRequest request = only("GET http://real:8080/p?q=http://x HTTP/1.1\r\nX: 1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(request.target, "/p?q=http://x");
  EXPECT_EQ(request.headers.get("Host"), "real:8080");
  EXPECT_EQ(only("GET HTTPS://real HTTP/1.1\r\nHost: real\r\n\r\n").target, "/");
  EXPECT_EQ(only("GET http://real?a=b HTTP/1.1\r\nHost: real\r\n\r\n").target, "/?a=b");
  EXPECT_EQ(only("GET http://real/ HTTP/1.0\r\n\r\n").headers.get("Host"), "real");
  EXPECT_EQ(only("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").target, "*");
}

TEST(RequestReader, asks_for_continue_only_once_the_headers_are_acceptable) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n";
  EXPECT_EQ(read_by(1, head + "Content-Length: 3\r\n\r\n").continues, 1);
  EXPECT_EQ(read_by(1, head + "Transfer-Encoding: chunked\r\n\r\n").continues, 1);
  EXPECT_EQ(read_by(1, head + "Content-Length: 3\r\n\r\nabc").requests.front().body, "abc");
  EXPECT_EQ(read_by(4096, head + "Content-Length: 3\r\n\r\nabc").continues, 0);  // the body is there already
  // botocore waits for it before an empty body as well.
  EXPECT_EQ(read_by(1, head + "Content-Length: 0\r\n\r\n").continues, 1);
  EXPECT_EQ(read_by(1, head + "\r\n").continues, 1);
  EXPECT_EQ(read_by(1, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").continues, 0);
  const Reading refused = read_by(1, head + "Content-Length: 4097\r\n\r\n");
  EXPECT_EQ(refused.continues, 0);
  EXPECT_EQ(refused.refusal.status, 413);
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\n"), 417);
}

TEST(RequestReader, refuses_a_length_that_can_be_read_in_two_ways) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  for (const char* lines : {
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
           "Content-Length: 3\r\nContent-Length: 3\r\n",
           "Content-Length: 3\r\nContent-Length: 4\r\n",
           "Content-Length: 3, 3\r\n",
           "Content-Length: +3\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x3\r\n",
           "Content-Length: 3 \t3\r\n",
           "Content-Length: 3.0\r\n",
           "Content-Length:\r\n",
           "Content-Length: 18446744073709551616\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Content-Length : 3\r\n",
           " Content-Length: 3\r\n",
           "Transfer-Encoding:\n chunked\r\n",
           "Transfer-Encoding: chunked\r\n , identity\r\n",
           "X: y\r\n Content-Length: 3\r\n",
           "X:\r\n\ty\r\n",
           "X: y\r\n \r\n",
           "X: y\nContent-Length: 3\r\n",
           "X: y\rContent-Length: 3\r\n",
           "X: y\r\r\n",
           "X\r\n",
           "X y: z\r\n",
           ": z\r\n",
           "X\x01: z\r\n",
           "X: a\x01z\r\n",
           "X: a\x7fz\r\n",
           "X(): z\r\n",
           "X\xc3\xa9: z\r\n",
       })
    EXPECT_TRUE(refusal_of(head + lines + "\r\nabc") == 400 || refusal_of(head + lines + "\r\nabc") == 501) << lines;
  using namespace std::string_literals;
  EXPECT_EQ(refusal_of(head + "X: a\0z\r\n\r\n"s), 400);
  EXPECT_EQ(refusal_of(head + "X\0: z\r\n\r\n"s), 400);
}

TEST(RequestReader, refuses_transfer_codings_that_it_does_not_know) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ";
  for (const char* coding : {"gzip", "gzip, chunked", "identity", "xchunked", "chunked;q=1", "\"chunked\"", ""})
    EXPECT_EQ(refusal_of(head + coding + "\r\n\r\n"), 501) << coding;
  EXPECT_EQ(refusal_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(RequestReader, refuses_malformed_chunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* chunks : {"x\r\n",
                             "-1\r\n",
                             "\r\n",
                             "3 3\r\nabc\r\n",
                             "0x3\r\nabc\r\n",
                             "3\r\nabcd\r\n0\r\n\r\n",
                             "3\r\nabc0\r\n\r\n",
                             "ffffffffffffffffff\r\n",
                             "3\nabc\r\n",
                             "3\rabc",
                             "3;\r\nabc",
                             "3;=x\r\nabc",
                             "3;a=\r\nabc",
                             "3 \r\nabc",
                             "3 a\r\nabc",
                             "3;a=\"b\\\"\r\nabc",
                             "3;a=\"b\"c\r\nabc",
                             "3;a=\"b\r\nabc\r\n0\r\n\r\n",
                             "0\r\nX y: z\r\n\r\n",
                             "0\r\nContent-Length: 3\r\n\r\n",
                             "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                             "0\r\nHost: other\r\n\r\n",
                             "0\r\n folded: x\r\n\r\n"}) {
    const Reading reading = read_all(head + chunks + "\"\r\n\r\n");
    EXPECT_TRUE(reading.requests.empty()) << chunks;
    EXPECT_TRUE(reading.refusal.status == 400 || reading.refusal.status == 413)
        << chunks << ' ' << reading.refusal.status;
  }
}

TEST(RequestReader, refuses_what_is_longer_than_its_limits) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(refusal_of("GET /" + std::string(header_limit, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 414);
  EXPECT_EQ(refusal_of("GET /" + std::string(header_limit, 'a')), 414);
  EXPECT_EQ(refusal_of(start + "X: " + std::string(header_limit, 'a') + "\r\n\r\n"), 431);
  std::string many = start;
  while (many.size() <= header_limit) many += "A:\r\n";
  EXPECT_EQ(refusal_of(many), 431);
  const std::string fits = start + "X: " + std::string(header_limit - start.size() - 7, 'a') + "\r\n\r\n";
  EXPECT_EQ(fits.size(), header_limit);
  EXPECT_EQ(only(fits).headers.get("X").size(), header_limit - start.size() - 7);

  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(refusal_of(post + "Content-Length: 4097\r\n\r\n"), 413);
  EXPECT_EQ(refusal_of(post + "Content-Length: 18446744073709551615\r\n\r\n"), 413);
  EXPECT_EQ(refusal_of(post + "Transfer-Encoding: chunked\r\n\r\n1001\r\n"), 413);
  std::string chunks = post + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 4097; ++i) chunks += "1\r\na\r\n";
  EXPECT_EQ(refusal_of(chunks), 413);
  EXPECT_EQ(refusal_of(post + "Transfer-Encoding: chunked\r\n\r\n1;x=" + std::string(9000, 'y')), 431);
  std::string trailers = post + "Transfer-Encoding: chunked\r\n\r\n0\r\n";
  while (trailers.size() < 10'000) trailers += "A: b\r\n";
  EXPECT_EQ(refusal_of(trailers), 431);
}

TEST(RequestReader, refuses_request_lines_that_are_none) {
  for (const char* line : {"GET /\r\n",
                           "GET  / HTTP/1.1\r\n",
                           "GET /  HTTP/1.1\r\n",
                           "GET / HTTP/1.1 \r\n",
                           " GET / HTTP/1.1\r\n",
                           "GET\t/\tHTTP/1.1\r\n",
                           "GET / http/1.1\r\n",
                           "GET /a b HTTP/1.1\r\n",
                           "GET / HTTP/1.1\n",
                           "G@T / HTTP/1.1\r\n",
                           "GET / HTTP/11\r\n",
                           "GET / HTTP/2.0\r\n",
                           "PRI * HTTP/2.0\r\n",
                           "GET / HTTP/0.9\r\n",
                           "\r\n\r\n\r\n\r\n\r\n",
                           "GET relative HTTP/1.1\r\n",
                           "GET * HTTP/1.1\r\n",
                           "GET ftp://h/ HTTP/1.1\r\n",
                           "GET http:///p HTTP/1.1\r\n",
                           "GET http://u@h/p HTTP/1.1\r\n",
                           "GET /a#b HTTP/1.1\r\n",
                           "GET /\x01 HTTP/1.1\r\n",
                           "GET /\x7f HTTP/1.1\r\n",
                           "get / HTTP/1.1\r\n",
                           "CONNECT h:443 HTTP/1.1\r\n",
                           "\x16\x03\x01\x02",
                           "{\"json\": 1}\r\n",
                           "\n"}) {
    const int status = refusal_of(std::string(line) + "Host: h\r\n\r\n");
    EXPECT_TRUE(status == 400 || status == 501 || status == 505) << line << ' ' << status;
  }
  EXPECT_EQ(refusal_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal_of("get / HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
  EXPECT_EQ(refusal_of("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
}

TEST(RequestReader, refuses_no_host_two_hosts_and_hosts_that_are_none) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  for (const char* host : {"a b", "a/b", "u@h", "a,b", "a?b", "a#b", "a\\b", "\xc3\xa9"})
    EXPECT_EQ(refusal_of(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"), 400) << host;
  EXPECT_EQ(only("GET / HTTP/1.1\r\nHost:\r\n\r\n").headers.get("Host"), "");  // RFC 9112 section 3.2 allows it
  EXPECT_EQ(only("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").headers.get("Host"), "[::1]:80");
}

TEST(RequestReader, stays_refused) {
  RequestReader reader(header_limit, body_limit);
  const Reading reading = test::read_in_pieces(reader, "bad\n", [] { return 1; });
  EXPECT_EQ(reading.refusal.status, 400);
  EXPECT_EQ(reader.advance(), RequestReader::State::refused);
}

TEST(RequestReader, a_claimed_length_alone_costs_no_memory) {
  RequestReader reader(header_limit, std::size_t{1} << 40);
  const std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1099511627776\r\n\r\nabc";
  const Reading reading = test::read_in_pieces(reader, head, [] { return 4096; });
  EXPECT_EQ(reading.refusal.status, 0);
  EXPECT_LE(reader.space().size(), 1024U * 1024U);
}

TEST(RequestReader, holds_back_pipelined_bytes_within_its_buffer) {
  // While a request is with its handler, nobody calls advance(): what comes meanwhile must not pile up.
  RequestReader reader(header_limit, body_limit);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  auto space = reader.space();
  std::memcpy(space.data(), request.data(), request.size());
  reader.received(request.size());
  ASSERT_EQ(reader.advance(), RequestReader::State::complete);
  reader.take();
  std::size_t taken = 0;
  for (space = reader.space(); !space.empty() && taken < 1024 * 1024; space = reader.space()) {
    std::memset(space.data(), 'A', space.size());
    reader.received(space.size());
    taken += space.size();
  }
  EXPECT_LE(taken, 64U * 1024U);
  EXPECT_EQ(reader.advance(), RequestReader::State::refused);
}

}  // namespace
}  // namespace fixpoint::http
