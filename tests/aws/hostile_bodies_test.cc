#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/router.h"
#include "base/text.h"
#include "json/text.h"

// Bodies that want to be more than they are. Each is refused with the protocol's own code, or read as what it says.
namespace fixpoint::aws {
namespace {

using json::Value;

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// The input as JSON text, or the code that it was refused with.
std::string read(std::string method, std::string target, const Headers& headers, std::string body,
                 std::string_view signing_name) {
  static const Router router(models(), {.hosts = {"localhost"}});
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = headers;
  request.headers.add("Host", "localhost");
  request.body = std::move(body);
  const auto routed = router.route(request, signing_name);
  if (!routed) return routed.error().error.code;
  const auto input = parse_request(*routed, request);
  return input ? json::print(*input) : input.error().code;
}

std::string put_tagging(std::string body) {
  return read("PUT", "/b?tagging", {}, std::move(body), "s3");
}

std::string in_tagging(const std::string& value) {
  return "<Tagging><TagSet><Tag><Key>k</Key><Value>" + value + "</Value></Tag></TagSet></Tagging>";
}

const std::string right = R"({"Tagging":{"TagSet":[{"Key":"k","Value":"v"}]},"Bucket":"b"})";

TEST(hostile_xml,
     declares_no_entities) {  // https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing
  const std::string laughs =
      "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;&lol;&lol;&lol;\">"
      "<!ENTITY lol3 \"&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;\">]>" +
      in_tagging("&lol3;");
  EXPECT_EQ(put_tagging(laughs), "MalformedXML");
  EXPECT_EQ(put_tagging("<!DOCTYPE t [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + in_tagging("&x;")),
            "MalformedXML");
  EXPECT_EQ(put_tagging("<!DOCTYPE t SYSTEM \"http://example.com/t.dtd\">" + in_tagging("v")), "MalformedXML");
  EXPECT_EQ(put_tagging("<!DOCTYPE t [<!ENTITY % p SYSTEM \"http://example.com/p\"> %p;]>" + in_tagging("v")),
            "MalformedXML");
}

TEST(hostile_xml, has_xmls_own_entities_and_characters_only) {  // https://www.w3.org/TR/xml/#sec-predefined-ent
  EXPECT_EQ(put_tagging(in_tagging("v")), right);
  EXPECT_EQ(put_tagging(in_tagging("&lt;&amp;&gt;&quot;&apos;&#65;&#x42;")),
            R"({"Tagging":{"TagSet":[{"Key":"k","Value":"<&>\"'AB"}]},"Bucket":"b"})");
  EXPECT_EQ(put_tagging(in_tagging("<![CDATA[<Key>not a tag</Key>]]>")),
            R"({"Tagging":{"TagSet":[{"Key":"k","Value":"<Key>not a tag</Key>"}]},"Bucket":"b"})");
  EXPECT_EQ(put_tagging(in_tagging("<!-- & is itself in here --><![CDATA[&]]>")),
            R"({"Tagging":{"TagSet":[{"Key":"k","Value":"&"}]},"Bucket":"b"})");
  EXPECT_EQ(put_tagging(in_tagging("&#x10FFFF;&#9;&#xD7FF;")).find("MalformedXML"), std::string::npos);
  // What refers to nothing, or to what no document may hold, would cut the text off there or stand as it is.
  for (const char* text : {"&unknown;", "one&#0;two", "&#x1;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&#;", "&#x;",
                           "&#1a;", "&", "a & b", "&amp", "one\x01two", "\x1b", "\xEF\xBF\xBE", "\xEF\xBF\xBF"})
    EXPECT_EQ(put_tagging(in_tagging(text)), "MalformedXML") << text;
  EXPECT_EQ(put_tagging("<Tagging a=\"&no;\"><TagSet/></Tagging>"), "MalformedXML");
}

TEST(hostile_xml, has_one_element_and_that_of_its_kind) {  // https://www.w3.org/TR/xml/#NT-document
  const std::string whole = in_tagging("v");
  EXPECT_EQ(put_tagging("<?xml version=\"1.0\"?>\n<!-- a -->" + whole + "\n<!-- b -->\n"), right);
  for (const std::string& body : {whole + whole, whole + "garbage", "garbage" + whole, whole + "<![CDATA[x]]>"})
    EXPECT_EQ(put_tagging(body), "MalformedXML") << body;
  EXPECT_EQ(put_tagging("<NoSuchThing><TagSet/></NoSuchThing>"), "MalformedXML") << "it would take all tags away";
}

TEST(hostile_xml, is_not_deeper_than_a_hundred_elements) {
  const auto nested = [](std::size_t depth) {
    return "<Tagging>" + repeated("<x>", depth) + repeated("</x>", depth) +
           "<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
  };
  EXPECT_EQ(put_tagging(nested(90)), right) << "elements that the model does not know are passed over";
  EXPECT_EQ(put_tagging(nested(101)), "MalformedXML");
  EXPECT_EQ(put_tagging(nested(1'000'000)), "MalformedXML");
  EXPECT_EQ(put_tagging(repeated("<Tagging>", 500'000)), "MalformedXML");
}

TEST(hostile_xml, is_not_larger_than_eight_megabytes) {
  EXPECT_EQ(put_tagging(in_tagging(std::string(9UL * 1024 * 1024, 'v'))), "MalformedXML");
  EXPECT_NE(put_tagging(in_tagging(std::string(1024, 'v'))), "MalformedXML");
}

TEST(hostile_xml, has_attributes_that_mean_nothing) {
  EXPECT_EQ(put_tagging("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" a=\"1\" b=\"&lt;\"><TagSet x='y'>"
                        "<Tag Key=\"other\"><Key z=\"\">k</Key><Value>v</Value></Tag></TagSet></Tagging>"),
            right);
  EXPECT_EQ(put_tagging("<Tagging a=1><TagSet/></Tagging>"), "MalformedXML") << "a value has quotes";
  EXPECT_EQ(put_tagging("<Tagging a=\"<\"" + repeated(" a=\"1\"", 100'000)), "MalformedXML");
}

TEST(hostile_xml, is_whole_and_utf8) {
  const std::string whole = in_tagging("v");
  for (std::size_t length = 1; length < whole.size(); ++length)
    EXPECT_EQ(put_tagging(whole.substr(0, length)), "MalformedXML") << whole.substr(0, length);
  EXPECT_EQ(put_tagging(in_tagging("\xff\xfe")), "MalformedXML");
  EXPECT_EQ(put_tagging(in_tagging("\xc0\xaf")), "MalformedXML") << "an overlong form (RFC 3629 section 3)";
  EXPECT_EQ(put_tagging(in_tagging("\xed\xa0\x80")), "MalformedXML") << "half a surrogate pair";
  EXPECT_EQ(put_tagging("text"), "MalformedXML");
  EXPECT_EQ(put_tagging("<Tagging><TagSet></Tagging></TagSet>"), "MalformedXML");
}

TEST(hostile_xml, in_a_response_is_an_error_of_the_call) {
  const auto service = models().get("s3").value();
  HttpResponse answer;
  answer.body = "<!DOCTYPE t [<!ENTITY x \"y\">]><ListAllMyBucketsResult>&x;</ListAllMyBucketsResult>";
  const auto outcome = parse_response(*service->find_operation("ListBuckets"), answer);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, "ResponseParserError");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Grantee.html: the one attribute that a model knows.
TEST(xml_attributes, that_a_model_knows_are_read_and_written) {
  const auto service = models().get("s3").value();
  HttpResponse answer;
  answer.body =
      "<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"><ID>a</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList>"
      "</AccessControlPolicy>";
  const auto output = parse_response(*service->find_operation("GetBucketAcl"), answer);
  ASSERT_TRUE(output);
  EXPECT_EQ((*output)["Grants"][0],
            json::parse(R"({"Grantee": {"Type": "CanonicalUser", "ID": "a"}, "Permission": "READ"})").value());
  const auto sent = serialize_request(
      *service->find_operation("PutBucketAcl"),
      json::parse(R"({"Bucket": "b", "AccessControlPolicy": {"Grants": [{"Grantee": {"Type": "Group", "URI": "u"}}]}})")
          .value());
  ASSERT_TRUE(sent);
  EXPECT_NE(sent->body.find("xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""), std::string::npos)
      << sent->body;
  EXPECT_NE(sent->body.find("xsi:type=\"Group\""), std::string::npos) << sent->body;
}

std::string list_keys(std::string body) {
  return read("POST", "/", {{"X-Amz-Target", "TrentService.ListKeys"}, {"Content-Type", "application/x-amz-json-1.1"}},
              std::move(body), "kms");
}

TEST(hostile_json, is_nothing_but_rfc_8259) {
  EXPECT_EQ(list_keys(R"({"Limit": 5, "Marker": "m"})"), R"({"Limit":5,"Marker":"m"})");
  for (const char* body : {"{\"Limit\": 5",
                           "{\"Limit\": 5}}",
                           "{\"Limit\": 5,}",
                           "{'Limit': 5}",
                           "{Limit: 5}",
                           "{\"Limit\": NaN}",
                           "{\"Limit\": 05}",
                           "{\"Limit\": +5}",
                           "{\"Limit\": 5} x",
                           "/* c */ {}",
                           "[",
                           "\"",
                           "nul",
                           "{\"Marker\": \"\\x\"}",
                           "{\"Marker\": \"\\ud800\"}",
                           "{\"Marker\": \"\xff\"}",
                           "{\"Marker\": \"a\nb\"}",
                           "\xef\xbb\xbf{}",
                           "[1]",
                           "5"})
    EXPECT_EQ(list_keys(body), "SerializationException") << body;
}

TEST(hostile_json, is_not_deeper_than_a_hundred_levels) {
  EXPECT_EQ(list_keys("{\"Other\": " + repeated("[", 90) + repeated("]", 90) + "}"), "{}");
  for (const std::size_t depth : {101UL, 100'000UL, 3'000'000UL}) {
    EXPECT_EQ(list_keys("{\"Other\": " + repeated("[", depth) + repeated("]", depth) + "}"), "SerializationException");
    EXPECT_EQ(list_keys(repeated("{\"a\":", depth)), "SerializationException");
  }
}

TEST(hostile_json, has_numbers_that_fit_or_none) {
  for (const char* number : {"1e400", "99999999999999999999", "2147483648", "5.5", "-1e99999999"})
    EXPECT_EQ(list_keys(std::string("{\"Limit\": ") + number + "}"), "SerializationException") << number;
  EXPECT_EQ(list_keys("{\"Limit\": " + std::string(100'000, '9') + "}"), "SerializationException");
  EXPECT_EQ(list_keys("{\"Limit\": 5e0}"), "{\"Limit\":5}");
}

TEST(hostile_json, of_a_name_twice_means_the_last) {
  EXPECT_EQ(list_keys(R"({"Limit": 1, "Limit": 2})"), R"({"Limit":2})");
}

TEST(hostile_form, is_bounded_in_depth_and_count) {
  const auto describe_groups = [](const std::string& parameters) {
    return read("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}},
                "Action=DescribeSecurityGroups&Version=2016-11-15" + parameters, "ec2");
  };
  EXPECT_EQ(describe_groups("&GroupId.2=b&GroupId.1=a"), R"({"GroupIds":["a","b"]})");
  EXPECT_EQ(describe_groups("&GroupId" + repeated(".1", 10'000) + "=a"), "InvalidParameterValue");
  EXPECT_EQ(describe_groups(repeated("&x=1", 60'000)), "MalformedQueryString");
  EXPECT_EQ(describe_groups("&GroupId.999999999=a"), R"({"GroupIds":["a"]})") << "a number is an order, not a size";
  EXPECT_EQ(describe_groups("&MaxResults=%ff"), "MalformedQueryString");
}

}  // namespace
}  // namespace fixpoint::aws
