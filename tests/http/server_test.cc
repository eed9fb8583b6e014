#include "http/server.h"

#include <gtest/gtest.h>
TEST(Server, starts) {
  auto server = fixpoint::http::Server::start({}, [](fixpoint::HttpRequest, fixpoint::http::Responder) {});
  ASSERT_TRUE(server);
  EXPECT_NE((*server)->port(), 0);
}
