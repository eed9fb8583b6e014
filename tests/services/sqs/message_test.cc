#include "services/sqs/message.h"

#include "base/text.h"
#include "queue_house.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;
using testing::HasSubstr;

Value yaml(const std::string& text) {
  return json::parse_yaml(text).value();
}
std::string refusal(const std::string& text) {
  const auto message = message_of(yaml(text), "me");
  return message ? "taken" : describe(message.error());
}

// The figure of a test that is run against SQS itself, by moto and LocalStack alike.
TEST(Md5, of_a_number_is_what_sqs_computes) {
  EXPECT_EQ(md5_of_attributes(yaml("{timestamp: {DataType: Number.java.lang.Long, StringValue: '1493147359900'}}")),
            "2e2e4876d8e0bd6b8c2c8f556831c349");
}

// MD5 of: 0000 0001 'a' | 0000 0006 'Binary' | 02 | 0000 0002 00 ff | 0000 0001 'b' | 0000 0006 'String' | 01 | 0000
// 0001 'x'.
TEST(Md5, goes_over_names_in_order_types_and_bytes) {
  const auto either =
      md5_of_attributes(yaml("{b: {DataType: String, StringValue: x}, a: {DataType: Binary, BinaryValue: AP8=}}"));
  EXPECT_EQ(either, md5_of_attributes(
                        yaml("{a: {DataType: Binary, BinaryValue: AP8=}, b: {DataType: String, StringValue: x}}")));
  EXPECT_EQ(either, "4aae296eb02fb79944900e5a4a037616");
  EXPECT_EQ(md5_of_attributes(Value()), "");
}

TEST(Message, of_which_the_queue_hears_nothing_wrong) {
  const auto message =
      message_of(yaml("{MessageBody: \"a\\tb\\r\\n\", MessageAttributes: {n: {DataType: Number, StringValue: "
                      "'-1e3'}}, DelaySeconds: 900}"),
                 "me");
  ASSERT_TRUE(message) << describe(message.error());
  EXPECT_EQ(message->size_bytes(), 5 + 1 + 6 + 4);
  EXPECT_EQ(message->md5_of_body.size(), 32u);
}

TEST(Message, is_refused_in_sqs_words) {
  EXPECT_THAT(refusal("{}"), HasSubstr("must contain the parameter MessageBody"));
  EXPECT_THAT(refusal("{MessageBody: \"a\\u0000b\"}"), HasSubstr("InvalidMessageContents"));
  EXPECT_THAT(refusal("{MessageBody: \"a\\uFFFEb\"}"), HasSubstr("InvalidMessageContents"));
  EXPECT_EQ(refusal("{MessageBody: \"a\\uFFFDb\"}"), "taken");
  EXPECT_THAT(refusal("{MessageBody: x, DelaySeconds: 901}"), HasSubstr("DelaySeconds must be >= 0 and <= 900"));
  EXPECT_THAT(refusal("{MessageBody: x, MessageGroupId: 'a b'}"), HasSubstr("alphanumeric and punctuation"));
  EXPECT_THAT(refusal("{MessageBody: x, MessageDeduplicationId: ''}"), HasSubstr("1 to 128"));
  const auto attribute = [](const std::string& attribute) {
    return refusal("{MessageBody: x, MessageAttributes: {" + attribute + "}}");
  };
  EXPECT_THAT(attribute("AWS.x: {DataType: String, StringValue: x}"), HasSubstr("is not valid"));
  EXPECT_THAT(attribute("a..b: {DataType: String, StringValue: x}"), HasSubstr("is not valid"));
  EXPECT_THAT(attribute("a: {DataType: String, StringValue: ''}"), HasSubstr("non-empty message attribute value"));
  EXPECT_THAT(attribute("a: {DataType: Binary, BinaryValue: '*'}"), HasSubstr("no base64"));
  EXPECT_THAT(attribute("a: {DataType: Number, StringValue: many}"), HasSubstr("to a number"));
  EXPECT_THAT(attribute("a: {DataType: Colour, StringValue: red}"), HasSubstr("type prefixes"));
  std::string many;
  for (int i = 0; i < 11; ++i) many += "a" + std::to_string(i) + ": {DataType: String, StringValue: x},";
  EXPECT_THAT(attribute(many), HasSubstr("[11] exceeds the allowed maximum [10]"));
  EXPECT_THAT(refusal("{MessageBody: x, MessageSystemAttributes: {Other: {DataType: String, StringValue: x}}}"),
              HasSubstr("AWSTraceHeader"));
}

// Bodies are data: whatever is wrong with one, it is not in the sentence.
TEST(Message, is_not_quoted_where_it_is_refused) {
  EXPECT_THAT(refusal("{MessageBody: \"secret\\u0001\"}"), testing::Not(HasSubstr("secret")));
}

TEST(Receipt, is_of_its_queue_alone) {
  Queue queue, other;
  queue.id = 77;
  other.id = 78;
  const Receipt receipt{77, 123456789, std::string(32, 'a')};
  const auto back = receipt_of(receipt.handle(), queue);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sequence, 123456789);
  EXPECT_EQ(back->nonce, receipt.nonce);
  EXPECT_EQ(receipt_of(receipt.handle(), other).error().code, "ReceiptHandleIsInvalid");
  for (const auto* forged : {"", "x", "AAAA", "****"})
    EXPECT_EQ(receipt_of(forged, queue).error().code, "ReceiptHandleIsInvalid");
}

}  // namespace
}  // namespace fixpoint::services::sqs
