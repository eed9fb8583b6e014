#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <thread>

#include "http/curl_client.h"
#include "http/server.h"
#include "http/sockets.h"

namespace fixpoint::http {
namespace {

using test::Socket;

constexpr int patient_ms = 20'000;

/// A certificate for 127.0.0.1 that signs itself, made for the test.
class Tls : public testing::Test {
 protected:
  Tls() {
    char name[] = "/tmp/fixpoint-tls-XXXXXX";
    folder_ = ::mkdtemp(name);
    certificate_ = (folder_ / "certificate.pem").string();
    key_ = (folder_ / "key.pem").string();
    make(certificate_, key_, nullptr);
    options_.tls_certificate_file = certificate_;
    options_.tls_key_file = key_;
  }
  ~Tls() override { std::filesystem::remove_all(folder_); }

  static void make(const std::string& certificate_file, const std::string& key_file, const char* passphrase) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    for (const auto& [nid, value] :
         {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, {NID_basic_constraints, "CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, passphrase != nullptr ? EVP_aes_128_cbc() : nullptr,
                         reinterpret_cast<const unsigned char*>(passphrase),
                         passphrase != nullptr ? static_cast<int>(std::strlen(passphrase)) : 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  void start() {
    auto started = Server::start(options_, [](HttpRequest request, Responder respond) {
      HttpResponse response;
      if (request.target == "/stream") {
        auto stream = respond.begin(200, {});
        for (int i = 0; i < 100; ++i) stream.write(std::string(1000, static_cast<char>('a' + i % 26)));
        stream.close();
        return;
      }
      response.body = request.target == "/echo" ? std::move(request.body) : request.target;
      respond.send(std::move(response));
    });
    ASSERT_TRUE(started) << describe(started.error());
    server_ = std::move(*started);
    url_ = "https://127.0.0.1:" + std::to_string(server_->port());
  }
  CurlClientOptions trusting() const {
    CurlClientOptions options;
    options.use_environment_proxy = false;
    options.ca_file = certificate_;
    return options;
  }
  static HttpRequest request_of(std::string target, std::string body = {}) {
    HttpRequest request;
    request.method = body.empty() ? "GET" : "POST";
    request.target = std::move(target);
    request.body = std::move(body);
    return request;
  }

  std::filesystem::path folder_;
  std::string certificate_;
  std::string key_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::string url_;
};

TEST_F(Tls, serves_requests_large_bodies_and_streams) {
  start();
  CurlClient client(trusting());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.send(url_, request_of("/a"), patient_ms);
    ASSERT_TRUE(response) << describe(response.error());
    EXPECT_EQ(response->body, "/a");
  }
  EXPECT_EQ(server_->connections(), 1U);
  std::string large(5'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 13);
  const auto echoed = client.send(url_, request_of("/echo", large), patient_ms);
  ASSERT_TRUE(echoed) << describe(echoed.error());
  EXPECT_EQ(echoed->body, large);
  const auto streamed = client.send(url_, request_of("/stream"), patient_ms);
  ASSERT_TRUE(streamed) << describe(streamed.error());
  EXPECT_EQ(streamed->body.size(), 100'000U);
}

TEST_F(Tls, an_untrusted_certificate_is_an_error_that_trying_again_does_not_help) {
  start();
  CurlClientOptions options = trusting();
  const std::string other = (folder_ / "other.pem").string();
  make(other, (folder_ / "other-key.pem").string(), nullptr);
  options.ca_file = other;
  CurlClient client(options);
  const auto response = client.send(url_, request_of("/"), patient_ms);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "ConnectionError");
  EXPECT_EQ(response.error().where, "before sending");
  EXPECT_FALSE(response.error().retryable);
}

TEST_F(Tls, a_certificate_for_another_name_is_refused) {
  start();
  CurlClient client(trusting());
  const auto response =
      client.send("https://localhost:" + std::to_string(server_->port()), request_of("/"), patient_ms);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "ConnectionError");
}

TEST_F(Tls, what_is_no_handshake_is_closed_on) {
  options_.idle_timeout_ms = 1'000;
  start();
  Socket plain = Socket::to_port(server_->port());
  plain.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(plain.hear_all().find("HTTP/1.1"), std::string::npos);
  Socket silent = Socket::to_port(server_->port());
  silent.say("\x16\x03\x01");  // the beginning of one, and no more: the idle deadline ends it
  silent.hear_all();
  options_.idle_timeout_ms = 75'000;  // a handshake takes its time
  start();
  CurlClient client(trusting());
  EXPECT_TRUE(client.send(url_, request_of("/alive"), patient_ms));
}

TEST_F(Tls, refuses_versions_below_1_2) {
  start();
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  Socket socket = Socket::to_port(server_->port());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket.fd());
  EXPECT_NE(SSL_connect(ssl), 1);
  SSL_free(ssl);
  SSL_CTX_free(context);
}

TEST_F(Tls, says_which_file_cannot_be_used) {
  const auto refusal = [&](const std::string& certificate, const std::string& key) {
    ServerOptions options;
    options.tls_certificate_file = certificate;
    options.tls_key_file = key;
    const auto server = Server::start(options, [](HttpRequest, Responder) {});
    return server ? std::string("started") : server.error().code + " " + server.error().where;
  };
  const std::string other = (folder_ / "other.pem").string();
  const std::string other_key = (folder_ / "other-key.pem").string();
  make(other, other_key, nullptr);
  EXPECT_EQ(refusal((folder_ / "missing").string(), key_), "ValidationException tls_certificate_file");
  EXPECT_EQ(refusal(key_, key_), "ValidationException tls_certificate_file");
  EXPECT_EQ(refusal(certificate_, (folder_ / "missing").string()), "ValidationException tls_key_file");
  EXPECT_EQ(refusal(certificate_, certificate_), "ValidationException tls_key_file");
  EXPECT_EQ(refusal(certificate_, other_key), "ValidationException tls_key_file");
  const std::string locked = (folder_ / "locked.pem").string();
  make(other, locked, "passphrase");
  EXPECT_EQ(refusal(other, locked), "ValidationException tls_key_file");  // and nobody is asked on the terminal
}

TEST_F(Tls, stops_with_connections_open) {
  start();
  CurlClient client(trusting());
  ASSERT_TRUE(client.send(url_, request_of("/"), patient_ms));
  server_->stop();
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_FALSE(client.send(url_, request_of("/"), patient_ms));
}

}  // namespace
}  // namespace fixpoint::http
