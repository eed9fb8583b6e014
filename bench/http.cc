// bench_http serve [THREADS [CERTIFICATE KEY]]: a hello server, which prints its port and serves until it is killed
// (for wrk). bench_http load [SECONDS] [CONNECTIONS]: our own load generator against such a server. bench_http client
// [SECONDS] [IN_FLIGHT]: requests a second of the curl client against such a server.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

#include "http/curl_client.h"
#include "http/server.h"
#include "load.h"

namespace {

using fixpoint::HttpRequest;
using fixpoint::HttpResponse;
using fixpoint::Result;

std::unique_ptr<fixpoint::http::Server> start(unsigned threads, std::string certificate = {}, std::string key = {}) {
  fixpoint::http::ServerOptions options;
  options.tls_certificate_file = std::move(certificate);
  options.tls_key_file = std::move(key);
  options.threads = threads;
  auto server = fixpoint::http::Server::start(options, [](HttpRequest, fixpoint::http::Responder respond) {
    HttpResponse response;
    response.headers.add("Content-Type", "application/json");
    response.body = R"({"message":"hello"})";
    respond.send(std::move(response));
  });
  if (!server) {
    std::fprintf(stderr, "%s\n", fixpoint::describe(server.error()).c_str());
    std::exit(1);
  }
  return std::move(*server);
}

void run_client(int seconds, int in_flight) {
  const auto server = start(1);
  const std::string url = "http://127.0.0.1:" + std::to_string(server->port());
  fixpoint::http::CurlClientOptions options;
  options.use_environment_proxy = false;
  fixpoint::http::CurlClient client(options);
  HttpRequest request;
  request.method = "POST";
  request.target = "/";
  request.headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "Service.Operation"}};
  request.body = "{}";
  std::atomic<bool> over = false;
  std::atomic<long> done = 0;
  std::atomic<long> failed = 0;
  std::atomic<int> open = in_flight;
  std::function<void()> send_next = [&] {
    client.send_async(url, request, 5000, [&](Result<HttpResponse> result) {
      ++(result && result->status == 200 ? done : failed);
      if (over)
        --open;
      else
        send_next();
    });
  };
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < in_flight; ++i) send_next();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::printf("curl client, %d in flight: %.0f requests/s, %ld failed\n", in_flight, static_cast<double>(done) / took,
              failed.load());
  over = true;
  while (open > 0) std::this_thread::yield();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "client";
  if (mode == "serve") {
    const auto server = start(argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1, argc > 4 ? argv[3] : "",
                              argc > 4 ? argv[4] : "");
    std::printf("%u\n", server->port());
    std::fflush(stdout);
    pause();
  } else if (mode == "load") {
    const auto server = start(1);
    const std::vector<std::string> requests = {
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: Service.Operation\r\nContent-Length: 2\r\n\r\n{}"};
    const auto result = fixpoint::bench::run_load("127.0.0.1", server->port(), requests,
                                                  argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 64,
                                                  argc > 2 ? std::atof(argv[2]) : 3);
    std::printf("load generator: %s\n", fixpoint::bench::describe(result).c_str());
  } else {
    run_client(argc > 2 ? std::atoi(argv[2]) : 3, argc > 3 ? std::atoi(argv[3]) : 32);
  }
}
