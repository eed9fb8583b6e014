#include <gtest/gtest.h>

#include "base/arn.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/http_message.h"
#include "base/id.h"
#include "base/person.h"
#include "base/seal.h"
#include "base/shell.h"
#include "base/text.h"
#include "base/utf8.h"

namespace fixpoint {
namespace {

Result<int> check_within_if(bool look, bool good) {
  if (look)
    FIXPOINT_CHECK(good ? Result<void>() : Result<void>(fail(errors::validation("no"))));
  else
    return 2;
  return 1;
}

// An else behind the check once belonged to the check's own if: what was found was then taken as missing.
TEST(Error, a_check_within_an_if_leaves_the_else_to_that_if) {
  EXPECT_EQ(check_within_if(true, true).value(), 1);
  EXPECT_EQ(check_within_if(false, true).value(), 2);
  EXPECT_FALSE(check_within_if(true, false));
}

TEST(Clock, prints_and_reads_times) {
  // 1704164645 is 2024-01-02 03:04:05 UTC (date -u -d @1704164645).
  EXPECT_EQ(format_iso8601_ms(1704164645678), "2024-01-02T03:04:05.678Z");
  EXPECT_EQ(format_iso8601(1704164645), "2024-01-02T03:04:05Z");
  EXPECT_EQ(format_iso8601(1704164645.5), "2024-01-02T03:04:05.5Z");
  EXPECT_EQ(format_basic_iso8601(1704164645678), "20240102T030405Z");
  EXPECT_EQ(format_http_date(1704164645), "Tue, 02 Jan 2024 03:04:05 GMT");
  EXPECT_EQ(format_iso8601(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(*parse_iso8601("2024-01-02T03:04:05Z"), 1704164645);
  EXPECT_EQ(*parse_iso8601("2024-01-02T05:04:05+02:00"), 1704164645);
  EXPECT_EQ(*parse_iso8601("2024-01-02T03:04:05.678123456Z"), 1704164645.678123456);
  EXPECT_EQ(*parse_iso8601_ms("2024-01-02T03:04:05.6789Z"), 1704164645678);
  EXPECT_EQ(*parse_iso8601("2024-01-02"), 1704153600);
  EXPECT_EQ(*parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(*parse_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(*parse_http_date("Sun, 06 Nov 1994 08:49:37.123 GMT"), 784111777.123);
  EXPECT_EQ(*parse_basic_iso8601("20240102T030405Z"), 1704164645000);
}

TEST(Clock, refuses_times_that_do_not_exist) {
  for (const char* text : {"2023-02-29", "2024-13-01", "2024-01-02T25:00:00Z", "2024-01-02T03:04", "2024-1-2", "",
                           "now", "2024-01-02T03:04:05Zjunk", "2024-01-02T03:04:05.Z", "20240102T030405Z"})
    EXPECT_EQ(parse_iso8601(text).has_value(), std::string_view(text) == "2024-01-02T03:04") << text;
  EXPECT_FALSE(parse_http_date("Sun, 31 Feb 1994 08:49:37 GMT"));
  EXPECT_FALSE(parse_basic_iso8601("20241302T030405Z"));
}

TEST(Text, base64_as_rfc_4648_says) {
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_decode("Zm9vYg=="), "foob");
  EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
  EXPECT_FALSE(base64_decode("Zm9vY"));
  EXPECT_FALSE(base64_decode("Zm9v!mFy"));
  EXPECT_FALSE(base64_decode("Zm=vYmFy"));
}

TEST(Text, uri_encoding_leaves_the_unreserved_alone) {
  EXPECT_EQ(uri_encode("a b/c~d\xc3\xa9"), "a%20b%2Fc~d%C3%A9");
  EXPECT_EQ(uri_encode("a/b", true), "a/b");
  EXPECT_EQ(uri_decode("a%20b+c%2"), "a b+c%2");
  EXPECT_EQ(uri_decode("a+b", true), "a b");
}

TEST(Text, utf8) {
  EXPECT_TRUE(is_valid_utf8("h\xc3\xa9llo \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "a\x80"})
    EXPECT_FALSE(is_valid_utf8(bad));
}

TEST(Text, utf8_repaired) {
  EXPECT_EQ(legible(std::string("a\0\xff", 3)), "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(legible("a\n"), "a\n");
  EXPECT_EQ(valid_utf8("h\xc3\xa9llo"), "h\xc3\xa9llo");
  EXPECT_EQ(valid_utf8("caf\xc3"), "caf\xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("a\xf0\x9f\x98 b"), "a\xef\xbf\xbd b");
  EXPECT_EQ(valid_utf8("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Text, utf8_is_cut_between_characters) {
  EXPECT_EQ(first_bytes("na\xc3\xafve", 6), "na\xc3\xafve");
  EXPECT_EQ(first_bytes("na\xc3\xafve", 4), "na\xc3\xaf");
  EXPECT_EQ(first_bytes("na\xc3\xafve", 3), "na");
  EXPECT_EQ(first_bytes("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(cut_characters("na\xc3\xafve", 5), "na\xc3\xafve");
  EXPECT_EQ(cut_characters("na\xc3\xafvet\xc3\xa9", 6), "na\xc3\xaf...");
  EXPECT_EQ(cut_characters("na\xc3\xafvet\xc3\xa9", 7), "na\xc3\xafvet\xc3\xa9");
  EXPECT_EQ(cut_characters("abcd", 3), "...");
  EXPECT_EQ(cut_characters("", 3), "");
}

TEST(Error, says_whole_characters_whatever_it_quotes) {
  EXPECT_EQ(errors::validation("'" + std::string("na\xc3\xafve").substr(0, 3) + "' is no name", "x").message,
            "'na\xef\xbf\xbd' is no name");
  EXPECT_EQ(errors::coded("Bad", "\xff", 400).message, "\xef\xbf\xbd");
}

TEST(Text, prints_doubles_as_people_write_them) {
  EXPECT_EQ(print_double(0.1), "0.1");
  EXPECT_EQ(print_double(1e21), "1e+21");
  EXPECT_EQ(print_double(100), "100");
  EXPECT_EQ(print_double(1e-7), "1e-07");
}

// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
TEST(Shell, a_text_is_one_word_whatever_stands_in_it) {
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a/b"), "'a/b'");
  EXPECT_EQ(shell_quoted("x'; touch y; echo '$(z)`\n"), "'x'\\''; touch y; echo '\\''$(z)`\n'");
  for (const auto* bare : {"a", "./data", "arn:aws:s3:::b-1", "ann+x@example.org", "-x"})
    EXPECT_EQ(shell_word(bare), bare);
  for (const auto* acts :
       {"", " ", "a b", "~", "a=b", "*", "a;b", "$x", "a\nb", "\"", "\\", "#", "{a,b}", "!1", "\xc3\xa9"})
    EXPECT_EQ(shell_word(acts), "'" + std::string(acts) + "'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

TEST(Hash, known_answers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // FIPS 180-2, appendix C.1.
  EXPECT_EQ(
      hex_encode(sha512("abc")),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce8"
      "0e2a9ac94fa54ca49f");
  EXPECT_EQ(hex_encode(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  // RFC 4231, test case 2 and 6.
  EXPECT_EQ(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  // The check values of the CRC catalogue for "123456789".
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc64nvme("123456789"), 0xAE8B14860A799888ULL);
}

TEST(Seal, opens_with_the_same_key_about_the_same_thing_alone) {
  const std::string sealed = seal("key", "hunter2", "arn:a");
  EXPECT_EQ(open_sealed("key", sealed, "arn:a"), "hunter2");
  EXPECT_EQ(open_sealed("key", seal("key", "", ""), ""), "");
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_NE(seal("key", "hunter2", "arn:a"), sealed);  // another nonce each time
  EXPECT_FALSE(open_sealed("Key", sealed, "arn:a"));
  EXPECT_FALSE(open_sealed("key", sealed, "arn:b"));
  const std::string raw = base64_decode(sealed).value();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    std::string changed = raw;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(open_sealed("key", base64_encode(changed), "arn:a")) << i;
    EXPECT_FALSE(open_sealed("key", base64_encode(raw.substr(0, i)), "arn:a")) << i;
  }
  EXPECT_FALSE(open_sealed("key", "no base64!", "arn:a"));
  EXPECT_FALSE(open_sealed("key", "", "arn:a"));
}

TEST(Arn, splits_and_joins) {
  const auto arn = parse_arn("arn:aws-cn:ec2:cn-north-1:111111111111:security-group/sg-1");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->partition, "aws-cn");
  EXPECT_EQ(arn->resource, "security-group/sg-1");
  EXPECT_EQ(arn->to_string(), "arn:aws-cn:ec2:cn-north-1:111111111111:security-group/sg-1");
  EXPECT_EQ(parse_arn("arn:aws:s3:::bucket/key:with:colons")->resource, "bucket/key:with:colons");
  for (const char* bad : {"", "arn", "arn:aws", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "urn:aws:s3:::b"})
    EXPECT_FALSE(parse_arn(bad)) << bad;
}

TEST(Person, is_who_assumed_the_role) {
  const std::string ann = "arn:aws:iam::111111111111:user/ann";
  const std::string session = "arn:aws-cn:sts::222222222222:assumed-role/fixer/bob";
  EXPECT_EQ(person_text(ann, ""), ann);
  EXPECT_EQ(person_text(ann, ann), ann);
  EXPECT_EQ(person_text(session, ann), session + ", assumed by " + ann);
  EXPECT_EQ(person_of(ann), ann);
  EXPECT_EQ(person_of(person_text(session, ann)), ann);
}

TEST(Person, is_nobody_where_nobody_knows) {
  const std::string session = "arn:aws:sts::222222222222:assumed-role/fixer/bob";
  for (const std::string& text : {std::string(), session, person_text(session, session + "2"),
                                  std::string("custom action Fix"), session + ", assumed by "})
    EXPECT_EQ(person_of(text), "") << text;
}

TEST(Id, uuids_have_their_version) {
  const std::string id = random_uuid();
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, random_uuid());
  EXPECT_EQ(random_hex(17).size(), 17U);
}

TEST(Headers, names_compare_without_case) {
  Headers headers{{"Content-Type", "a"}, {"x-b", "1"}, {"X-B", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  headers.set("X-b", "3");
  EXPECT_EQ(headers.lines().size(), 2U);
  EXPECT_EQ(headers.get("x-B"), "3");
  headers.remove("CONTENT-TYPE");
  EXPECT_FALSE(headers.has("Content-Type"));
}

}  // namespace
}  // namespace fixpoint
