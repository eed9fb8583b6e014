#include "http/address_guard.h"

#include <gtest/gtest.h>

#include "http/curl_client.h"
#include "http/sockets.h"

namespace fixpoint::http {
namespace {

TEST(AddressGuard, knows_what_is_not_public) {
  for (const auto* address : {"127.0.0.1",
                              "127.255.255.255",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "0.0.0.0",
                              "224.0.0.1",
                              "255.255.255.255",
                              "192.0.2.1",
                              "198.18.0.1",
                              "::1",
                              "::",
                              "fe80::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::a00:1",
                              "2002:7f00:1::",
                              "2001:db8::1",
                              "2001::1",
                              "::127.0.0.1",
                              "no address",
                              ""})
    EXPECT_FALSE(is_public(std::string_view(address))) << address;
  for (const auto* address : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "11.0.0.1", "2600:1f18::1",
                              "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860::8888"})
    EXPECT_TRUE(is_public(std::string_view(address))) << address;
}

TEST(AddressGuard, says_why_of_a_url_however_its_address_is_written) {
  for (const auto* url : {"http://127.0.0.1/x", "https://[::1]:8443/", "http://2130706433/", "http://0x7f.1/",
                          "http://localhost/", "http://user@10.1.2.3:80/"})
    EXPECT_TRUE(why_not_public(url)) << url;
  EXPECT_FALSE(why_not_public("http://8.8.8.8/"));
  EXPECT_FALSE(why_not_public("http://no-such-name.invalid/"));  // it is asked again when it is sent to
  EXPECT_TRUE(why_not_public("http://"));
}

TEST(AddressGuard, a_guarded_client_does_not_connect) {
  bool asked = false;
  test::ScriptedServer server([&](test::Socket&, int) { asked = true; });
  CurlClientOptions options;
  options.public_addresses_only = true;
  CurlClient client(options);
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    const auto answer = client.send("http://" + host + ":" + std::to_string(server.port()), request, 20'000);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "ConnectionError");
    EXPECT_FALSE(answer.error().retryable);
    EXPECT_NE(answer.error().message.find("not public"), std::string::npos) << answer.error().message;
  }
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace fixpoint::http
