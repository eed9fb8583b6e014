#include "functions/process.h"

#include <cerrno>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "functions/network.h"
#include "functions/relay.h"

namespace fixpoint::functions {
namespace {

using testing::HasSubstr;

// No descriptor is free while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    struct rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  struct rlimit before_{};
};

Error error_without_descriptors(const std::function<Result<void>()>& what) {
  const NoDescriptors none;
  auto done = what();
  return done ? errors::internal("nothing was refused") : done.error();
}

TEST(Start, that_finds_no_descriptor_may_be_tried_again) {
  const auto file = error_without_descriptors([]() -> Result<void> {
    FIXPOINT_CHECK(memory_file("name", "text"));
    return {};
  });
  EXPECT_TRUE(file.retryable);
  EXPECT_THAT(file.message, HasSubstr("no file in memory: Too many open files"));
  const auto process = error_without_descriptors([]() -> Result<void> {
    Launch launch;
    launch.argv = {"/bin/true"};
    FIXPOINT_CHECK(Process::start(std::move(launch)));
    return {};
  });
  EXPECT_TRUE(process.retryable) << process.message;
  const auto network = error_without_descriptors([]() -> Result<void> {
    FIXPOINT_CHECK(Network::make({}));
    return {};
  });
  EXPECT_TRUE(network.retryable) << network.message;
  const auto relay = error_without_descriptors([]() -> Result<void> {
    FIXPOINT_CHECK(Relay::start({}));
    return {};
  });
  EXPECT_TRUE(relay.retryable) << relay.message;
}

TEST(Start, is_tried_again_for_what_passes_and_not_for_what_stays) {
  for (const int code : {EMFILE, ENFILE, EAGAIN, ENOMEM}) EXPECT_TRUE(refused_by_system("it", code).retryable) << code;
  for (const int code : {ENOENT, EACCES, EPERM, ENOSYS}) EXPECT_FALSE(refused_by_system("it", code).retryable) << code;
}

}  // namespace
}  // namespace fixpoint::functions
