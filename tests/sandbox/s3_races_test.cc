#include <functional>
#include <utility>

#include "account.h"

namespace fixpoint::sandbox {
namespace {

// A store in which something happens once, right before a read begins.
class Interrupted final : public store::Store {
 public:
  explicit Interrupted(std::unique_ptr<store::Store> beneath) : beneath_(std::move(beneath)) {}
  std::function<void()> before_read;

  Result<void> write_raw(std::function<Result<void>(store::Transaction&)> work) override {
    return beneath_->write_raw(std::move(work));
  }
  void write_async(std::function<Result<void>(store::Transaction&)> work,
                   std::function<void(Result<void>)> done) override {
    beneath_->write_async(std::move(work), std::move(done));
  }
  Result<void> read_raw(const std::function<Result<void>(store::Session&)>& work) override {
    if (const auto happen = std::exchange(before_read, nullptr)) happen();
    return beneath_->read_raw(work);
  }
  std::uint64_t kept_version() const override { return beneath_->kept_version(); }
  std::int64_t bytes_on_disk() const override { return beneath_->bytes_on_disk(); }

 private:
  std::unique_ptr<store::Store> beneath_;
};

class S3Races : public testing::Test {
 protected:
  S3Races()
      : store_(store::Store::open(test::store_options({}), {Sandbox::schema()}).value()),
        sandbox_(Sandbox::open(store_, catalog::Catalog::embedded(), clock_).value()) {
    EXPECT_TRUE(call("CreateBucket", "{Bucket: one}"));
    put("aGVsbG8=", "hello");
  }

  Result<json::Value> call(std::string_view operation, const std::string& input) {
    return sandbox_->call({"111111111111", "us-east-1", {}, "request"}, "s3", operation,
                          json::parse_yaml(input).value());
  }
  void put(const std::string& body, const std::string& name) {
    EXPECT_TRUE(call("PutObject", "{Bucket: one, Key: k, Body: '" + body + "', Metadata: {name: " + name + "}}"));
  }
  // The answer to a read of the object, while which something happens between its first look and its content.
  Result<json::Value> get(std::function<void()> meanwhile, const std::string& more = {}) {
    bool happened = false;
    store_.before_read = [&, happen = std::move(meanwhile)] {
      happened = true;
      happen();
    };
    auto answer = call("GetObject", "{Bucket: one, Key: k, ChecksumMode: ENABLED" + more + "}");
    EXPECT_TRUE(happened);
    return answer;
  }

  ManualClock clock_{1'700'000'000'000};
  Interrupted store_;
  std::unique_ptr<Sandbox> sandbox_;
};

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel: updates to a single key are
// atomic. Readers beside an overwrite got the one's bytes under the other's ETag.
TEST_F(S3Races, an_object_that_is_overwritten_meanwhile_is_read_as_one_of_the_two) {
  const auto read = get([&] { put("Yg==", "b"); });
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ((*read)["Body"], "Yg==");
  EXPECT_EQ((*read)["ContentLength"], 1);
  EXPECT_EQ((*read)["ETag"], "\"92eb5ffee6ae2fec3ad71c777531578f\"");  // md5 of "b"
  EXPECT_EQ((*read)["Metadata"], yaml("{name: b}"));
  EXPECT_EQ((*read)["ChecksumCRC64NVME"],
            call("HeadObject", "{Bucket: one, Key: k, ChecksumMode: ENABLED}").value()["ChecksumCRC64NVME"]);
}

TEST_F(S3Races, a_range_and_conditions_are_of_the_object_that_is_read) {
  const auto part = get([&] { put("d29ybGRzIQ==", "worlds"); }, ", Range: bytes=4-");
  ASSERT_TRUE(part) << describe(part.error());
  EXPECT_EQ((*part)["Body"], "ZHMh");
  EXPECT_EQ((*part)["ContentRange"], "bytes 4-6/7");
  const auto beyond = get([&] { put("Yg==", "b"); }, ", Range: bytes=4-");
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, "InvalidRange");
  const auto other = get([&] { put("Yw==", "c"); }, ", IfMatch: 92eb5ffee6ae2fec3ad71c777531578f");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "PreconditionFailed");
}

TEST_F(S3Races, an_object_that_is_deleted_meanwhile_is_not_there) {
  for (const auto* more : {"", ", Range: bytes=2-"}) {
    put("aGVsbG8=", "hello");
    const auto read = get([&] { EXPECT_TRUE(call("DeleteObject", "{Bucket: one, Key: k}")); }, more);
    ASSERT_FALSE(read) << more;
    EXPECT_EQ(read.error().code, "NoSuchKey");
  }
}

}  // namespace
}  // namespace fixpoint::sandbox
