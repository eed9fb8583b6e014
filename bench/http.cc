// A hello server to be loaded by wrk: bench_http [THREADS] prints its port and serves until it is killed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "http/server.h"

int main(int argc, char** argv) {
  fixpoint::http::ServerOptions options;
  if (argc > 1) options.threads = static_cast<unsigned>(std::atoi(argv[1]));
  auto server = fixpoint::http::Server::start(options, [](fixpoint::HttpRequest, fixpoint::http::Responder respond) {
    fixpoint::HttpResponse response;
    response.headers.add("Content-Type", "application/json");
    response.body = R"({"message":"hello"})";
    respond.send(std::move(response));
  });
  if (!server) {
    std::fprintf(stderr, "%s\n", fixpoint::describe(server.error()).c_str());
    return 1;
  }
  std::printf("%u\n", (*server)->port());
  std::fflush(stdout);
  pause();
}
