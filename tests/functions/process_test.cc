#include "functions/process.h"

#include <cerrno>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "functions/descriptors.h"
#include "functions/network.h"
#include "functions/relay.h"

namespace fixpoint::functions {
namespace {

using testing::HasSubstr;

// With few descriptors free, from none to as many as it takes.
void expect_done_or_retryable(const std::function<Result<void>()>& what) {
  int done_with = -1;
  for (int count = 0; count < 40 && done_with < 0; ++count) {
    const test::FreeDescriptors few(count);
    const auto done = what();
    if (done)
      done_with = count;
    else
      EXPECT_TRUE(done.error().retryable) << "with " << count << ": " << done.error().message;
  }
  EXPECT_GT(done_with, 0);
}

TEST(Start, that_finds_too_few_descriptors_may_be_tried_again) {
  expect_done_or_retryable([]() -> Result<void> {
    FIXPOINT_CHECK(memory_file("name", "text"));
    return {};
  });
  expect_done_or_retryable([]() -> Result<void> {
    Launch launch;
    launch.argv = {"/bin/true"};
    FIXPOINT_CHECK(Process::start(std::move(launch)));
    return {};
  });
  for (const std::vector<std::uint16_t>& ports : {std::vector<std::uint16_t>{}, {7001, 7002}})
    if (Network::make(ports))
      expect_done_or_retryable([&]() -> Result<void> {
        FIXPOINT_CHECK(Network::make(ports));
        return {};
      });
  expect_done_or_retryable([]() -> Result<void> {
    FIXPOINT_CHECK(Relay::start({}));
    return {};
  });
}

TEST(Start, says_what_it_found_none_of) {
  const test::FreeDescriptors none(0);
  const auto file = memory_file("name", "text");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("no file in memory: Too many open files"));
}

TEST(Start, is_tried_again_for_what_passes_and_not_for_what_stays) {
  for (const int code : {EMFILE, ENFILE, EAGAIN, ENOMEM, ENOSPC, EDQUOT})
    EXPECT_TRUE(refused_by_system("it", code).retryable) << code;
  for (const int code : {ENOENT, EACCES, EPERM, ENOSYS}) EXPECT_FALSE(refused_by_system("it", code).retryable) << code;
}

}  // namespace
}  // namespace fixpoint::functions
