#include <set>

#include "account.h"

namespace fixpoint::sandbox {
namespace {

constexpr TimeMs now = 1'700'000'000'000;  // the clock of Accounts
constexpr TimeMs hour = 3'600'000;

std::string event(TimeMs at, const std::string& message) {
  return "{timestamp: " + std::to_string(at) + ", message: '" + message + "'}";
}
// PutLogEvents to the stream `s` of the group `/aws/events/app`.
std::string put(const std::string& events, const std::string& stream = "s") {
  return "{logGroupName: /aws/events/app, logStreamName: " + stream + ", logEvents: [" + events + "]}";
}
std::vector<std::string> messages(const json::Value& answer) {
  std::vector<std::string> out;
  for (const json::Value& one : answer["events"].as_array()) out.push_back(one["message"].as_string());
  return out;
}
using Texts = std::vector<std::string>;

class LogStreams : public testing::Test {
 protected:
  LogStreams() {
    aws.ok("logs:CreateLogGroup", "{logGroupName: /aws/events/app}");
    aws.ok("logs:CreateLogStream", "{logGroupName: /aws/events/app, logStreamName: s}");
  }
  Accounts aws;
};

TEST_F(LogStreams, streams_come_and_go_with_what_was_logged_to_them) {
  EXPECT_EQ(aws.error("logs:CreateLogStream", "{logGroupName: /aws/events/app, logStreamName: s}").code,
            "ResourceAlreadyExistsException");
  EXPECT_EQ(aws.error("logs:CreateLogStream", "{logGroupName: /none, logStreamName: s}").message,
            "The specified log group does not exist.");
  aws.ok("logs:PutLogEvents", put(event(now, "one")));
  const auto shown = aws.ok("logs:DescribeLogStreams", "{logGroupName: /aws/events/app}")["logStreams"][0];
  EXPECT_EQ(shown["logStreamName"], "s");
  EXPECT_EQ(shown["arn"], "arn:aws:logs:us-east-1:111111111111:log-group:/aws/events/app:log-stream:s");
  EXPECT_EQ(shown["firstEventTimestamp"], now);
  EXPECT_EQ(shown["lastEventTimestamp"], now);
  EXPECT_EQ(shown["lastIngestionTime"], now);
  aws.ok("logs:DeleteLogStream", "{logGroupName: /aws/events/app, logStreamName: s}");
  EXPECT_EQ(aws.error("logs:DeleteLogStream", "{logGroupName: /aws/events/app, logStreamName: s}").message,
            "The specified log stream does not exist.");
  aws.ok("logs:CreateLogStream", "{logGroupName: /aws/events/app, logStreamName: s}");
  EXPECT_EQ(messages(aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s}")), Texts{});
  aws.ok("logs:PutLogEvents", put(event(now, "two")));
  aws.ok("logs:DeleteLogGroup", "{logGroupName: /aws/events/app}");
  EXPECT_EQ(aws.code("logs:FilterLogEvents", "{logGroupName: /aws/events/app}"), "ResourceNotFoundException");
  aws.ok("logs:CreateLogGroup", "{logGroupName: /aws/events/app}");
  EXPECT_EQ(aws.ok("logs:DescribeLogStreams", "{logGroupName: /aws/events/app}")["logStreams"].size(), 0u);
  EXPECT_EQ(messages(aws.ok("logs:FilterLogEvents", "{logGroupName: /aws/events/app}")), Texts{});
}

TEST_F(LogStreams, streams_are_listed_by_name_or_by_their_last_event_a_page_at_a_time) {
  for (const auto* name : {"b", "a", "c"})
    aws.ok("logs:CreateLogStream", std::string("{logGroupName: /aws/events/app, logStreamName: ") + name + "}");
  aws.ok("logs:PutLogEvents", put(event(now - 1, "x"), "c"));
  aws.ok("logs:PutLogEvents", put(event(now, "x"), "a"));
  const auto names = [&](const std::string& more) {
    Texts out;
    std::string token;
    do {
      const auto page =
          aws.ok("logs:DescribeLogStreams",
                 "{logGroupIdentifier: 'arn:aws:logs:us-east-1:111111111111:log-group:/aws/events/app:*', "
                 "limit: 3" +
                     more + token + "}");
      for (const json::Value& one : page["logStreams"].as_array()) out.push_back(one["logStreamName"].as_string());
      token = page["nextToken"].is_null() ? "" : ", nextToken: '" + page["nextToken"].as_string() + "'";
    } while (!token.empty());
    return out;
  };
  EXPECT_EQ(names(""), (Texts{"a", "b", "c", "s"}));
  EXPECT_EQ(names(", descending: true"), (Texts{"s", "c", "b", "a"}));
  EXPECT_EQ(names(", logStreamNamePrefix: b"), Texts{"b"});
  EXPECT_EQ(names(", orderBy: LastEventTime, descending: true").front(), "a");
  EXPECT_EQ(aws.error("logs:DescribeLogStreams",
                      "{logGroupName: /aws/events/app, orderBy: LastEventTime, logStreamNamePrefix: a}")
                .code,
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:DescribeLogStreams", "{logGroupName: /aws/events/app, nextToken: made-up}"),
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:DescribeLogStreams", "{logGroupName: a, logGroupIdentifier: b}"),
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:DescribeLogStreams", "{}"), "InvalidParameterException");
}

// The limits of https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
TEST_F(LogStreams, a_batch_that_breaks_a_limit_is_refused_whole) {
  const auto refused = [&](const std::string& events, const std::string& part) {
    const Error error = aws.error("logs:PutLogEvents", put(events));
    EXPECT_EQ(error.code, "InvalidParameterException");
    EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
  };
  refused(event(now, "b") + "," + event(now - 1, "a"), "must be in chronological order");
  refused(event(now - 24 * hour - 1, "a") + "," + event(now, "b"), "cannot span more than 24 hours");
  refused("", "1 to 10000");
  refused(event(now, ""), "must not be empty");
  // 1,048,576 bytes with 26 for each event.
  refused(event(now, std::string(1'048'576 - 25, 'x')), "Upload too large: 1048577 bytes");
  EXPECT_EQ(messages(aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s}")), Texts{});
  aws.ok("logs:PutLogEvents", put(event(now, std::string(1'048'576 - 26, 'x'))));
  EXPECT_EQ(aws.error("logs:PutLogEvents", put(event(now, "a"), "none")).message,
            "The specified log stream does not exist.");
}

TEST_F(LogStreams, events_too_old_too_new_or_expired_are_left_out_and_named) {
  EXPECT_EQ(aws.ok("logs:PutLogEvents", put(event(now - 14 * 24 * hour - 1, "old")))["rejectedLogEventsInfo"],
            yaml("{tooOldLogEventEndIndex: 1}"));
  EXPECT_EQ(aws.ok("logs:PutLogEvents",
                   put(event(now, "ok") + "," + event(now + 2 * hour + 1, "new")))["rejectedLogEventsInfo"],
            yaml("{tooNewLogEventStartIndex: 1}"));
  aws.ok("logs:PutRetentionPolicy", "{logGroupName: /aws/events/app, retentionInDays: 1}");
  EXPECT_EQ(aws.ok("logs:PutLogEvents",
                   put(event(now - 25 * hour, "gone") + "," + event(now - 2 * hour, "kept")))["rejectedLogEventsInfo"],
            yaml("{expiredLogEventEndIndex: 1}"));
  EXPECT_EQ(messages(aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s}")),
            (Texts{"kept", "ok"}));
  // What is older than the retention is not there any more, read or counted.
  aws.clock().advance_ms(23 * hour);
  EXPECT_EQ(messages(aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s}")), Texts{"ok"});
  EXPECT_EQ(messages(aws.ok("logs:FilterLogEvents", "{logGroupName: /aws/events/app}")), Texts{"ok"});
  const std::size_t before = aws.sandbox().figures().resources;
  aws.ok("logs:PutLogEvents", put(event(now + 23 * hour, "later")));
  EXPECT_EQ(aws.sandbox().figures().resources, before);  // one came, one went
}

TEST_F(LogStreams, events_are_read_in_their_order_forwards_and_backwards) {
  // Whatever the order in which they were put.
  aws.ok("logs:PutLogEvents", put(event(now - 2, "c") + "," + event(now, "e")));
  aws.ok("logs:PutLogEvents", put(event(now - 4, "a") + "," + event(now - 3, "b") + "," + event(now - 1, "d")));
  const auto get = [&](const std::string& more) {
    return aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s" + more + "}");
  };
  const auto after = [](const json::Value& page, const char* way) {
    return ", nextToken: '" + page[way].as_string() + "'";
  };
  EXPECT_EQ(messages(get("")), (Texts{"a", "b", "c", "d", "e"}));
  auto page = get(", limit: 2, startFromHead: true");
  EXPECT_EQ(messages(page), (Texts{"a", "b"}));
  page = get(", limit: 2" + after(page, "nextForwardToken"));
  EXPECT_EQ(messages(page), (Texts{"c", "d"}));
  EXPECT_EQ(messages(get(", limit: 2" + after(page, "nextBackwardToken"))), (Texts{"a", "b"}));
  page = get(", limit: 2" + after(page, "nextForwardToken"));
  EXPECT_EQ(messages(page), Texts{"e"});
  // At the end the token comes again, and finds what is logged later.
  const auto end = get(after(page, "nextForwardToken"));
  EXPECT_EQ(messages(end), Texts{});
  EXPECT_EQ(end["nextForwardToken"], page["nextForwardToken"]);
  aws.ok("logs:PutLogEvents", put(event(now + 1, "f")));
  EXPECT_EQ(messages(get(after(end, "nextForwardToken"))), Texts{"f"});
  EXPECT_EQ(messages(get(", limit: 2")), (Texts{"e", "f"}));
  // startTime is within, endTime is not.
  EXPECT_EQ(messages(get(", startTime: " + std::to_string(now - 3) + ", endTime: " + std::to_string(now))),
            (Texts{"b", "c", "d"}));
  EXPECT_EQ(get("")["events"][0], yaml("{timestamp: 1699999999996, message: a, ingestionTime: 1700000000000}"));
  EXPECT_EQ(aws.code("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s, nextToken: made-up}"),
            "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: none}"),
            "ResourceNotFoundException");
}

TEST_F(LogStreams, an_empty_streams_token_finds_what_comes) {
  const auto page = aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s}");
  EXPECT_EQ(messages(page), Texts{});
  aws.ok("logs:PutLogEvents", put(event(now, "first")));
  EXPECT_EQ(messages(aws.ok("logs:GetLogEvents", "{logGroupName: /aws/events/app, logStreamName: s, nextToken: '" +
                                                     page["nextForwardToken"].as_string() + "'}")),
            Texts{"first"});
}

// The examples of "Match terms in unstructured log events":
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
TEST_F(LogStreams, terms_filter_the_events_of_all_streams) {
  aws.ok("logs:CreateLogStream", "{logGroupName: /aws/events/app, logStreamName: t}");
  aws.ok("logs:PutLogEvents",
         put(event(now - 3, "[ERROR 400] BAD REQUEST") + "," + event(now - 1, "[ERROR 419] MISSING ARGUMENTS")));
  aws.ok("logs:PutLogEvents",
         put(event(now - 2, "[ERROR 401] UNAUTHORIZED REQUEST") + "," + event(now, "[WARN] 420 TIMEOUT"), "t"));
  const auto filter = [&](const std::string& pattern, const std::string& more = "") {
    Texts out;
    for (const auto& message : messages(aws.ok(
             "logs:FilterLogEvents", "{logGroupName: /aws/events/app, filterPattern: '" + pattern + "'" + more + "}")))
      out.push_back(message.substr(message.find_first_of("4"), 3));
    return out;
  };
  EXPECT_EQ(filter("ERROR"), (Texts{"400", "401", "419"}));
  EXPECT_EQ(filter("ERROR REQUEST"), (Texts{"400", "401"}));
  EXPECT_EQ(filter("?WARN ?ARGUMENTS"), (Texts{"419", "420"}));
  EXPECT_EQ(filter("ERROR -ARGUMENTS"), (Texts{"400", "401"}));
  EXPECT_EQ(filter("\"BAD REQUEST\""), Texts{"400"});
  EXPECT_EQ(filter(""), (Texts{"400", "401", "419", "420"}));
  EXPECT_EQ(filter("", ", logStreamNames: [t]"), (Texts{"401", "420"}));
  EXPECT_EQ(filter("", ", logStreamNamePrefix: s"), (Texts{"400", "419"}));
  const auto page = aws.ok("logs:FilterLogEvents", "{logGroupName: /aws/events/app, limit: 3}");
  EXPECT_EQ(page["events"].size(), 3u);
  EXPECT_EQ(page["events"][1]["logStreamName"], "t");
  const auto rest = aws.ok("logs:FilterLogEvents",
                           "{logGroupName: /aws/events/app, nextToken: '" + page["nextToken"].as_string() + "'}");
  EXPECT_EQ(messages(rest), Texts{"[WARN] 420 TIMEOUT"});
  EXPECT_TRUE(rest["nextToken"].is_null());
}

TEST_F(LogStreams, patterns_that_are_not_there_and_wrong_ones_are_refused) {
  for (const auto* pattern : {"{ $.x = 1 }", "[a, b]", "%ERR%"})
    EXPECT_EQ(aws.error("logs:FilterLogEvents",
                        std::string("{logGroupName: /aws/events/app, filterPattern: '") + pattern + "'}")
                  .code,
              "NotImplemented")
        << pattern;
  for (const auto* pattern : {"\"open", "- ", "\"\""})
    EXPECT_EQ(aws.code("logs:FilterLogEvents",
                       std::string("{logGroupName: /aws/events/app, filterPattern: '") + pattern + "'}"),
              "InvalidParameterException")
        << pattern;
  EXPECT_EQ(aws.code("logs:FilterLogEvents", "{logGroupName: /aws/events/app, logStreamNames: [none]}"),
            "ResourceNotFoundException");
  EXPECT_EQ(
      aws.code("logs:FilterLogEvents", "{logGroupName: /aws/events/app, logStreamNames: [s], logStreamNamePrefix: s}"),
      "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:FilterLogEvents", "{logGroupName: /aws/events/app, nextToken: made-up}"),
            "InvalidParameterException");
}

TEST_F(LogStreams, resource_policies_are_kept) {
  const auto put = aws.ok("logs:PutResourcePolicy", "{policyName: events, policyDocument: '{}'}");
  EXPECT_EQ(put["resourcePolicy"], yaml("{policyName: events, policyDocument: '{}', lastUpdatedTime: 1700000000000}"));
  EXPECT_EQ(aws.ok("logs:DescribeResourcePolicies")["resourcePolicies"].size(), 1u);
  aws.ok("logs:DeleteResourcePolicy", "{policyName: events}");
  EXPECT_EQ(aws.code("logs:DeleteResourcePolicy", "{policyName: events}"), "ResourceNotFoundException");
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
TEST(Logs, a_key_of_a_group_is_there_and_enabled) {
  Accounts aws;
  const auto key = aws.ok("kms:CreateKey")["KeyMetadata"];
  const std::string arn = key["Arn"].as_string();
  const auto associate = [&](const std::string& id) {
    return aws.code("logs:AssociateKmsKey", "{logGroupName: g, kmsKeyId: '" + id + "'}");
  };
  aws.ok("logs:CreateLogGroup", "{logGroupName: g}");
  EXPECT_EQ(associate(arn), "OK");
  EXPECT_EQ(associate(arn.substr(0, arn.size() - 1) + "x"), "InvalidParameterException");
  EXPECT_EQ(associate(key["KeyId"].as_string()), "InvalidParameterException");
  EXPECT_EQ(associate("junk"), "InvalidParameterException");
  EXPECT_EQ(associate("arn:aws:kms:us-east-1:222222222222:key/" + key["KeyId"].as_string()), "OK");
  EXPECT_EQ(aws.code("logs:CreateLogGroup", "{logGroupName: h, kmsKeyId: junk}"), "InvalidParameterException");
  aws.ok("kms:DisableKey", "{KeyId: '" + arn + "'}");
  EXPECT_EQ(associate(arn), "InvalidParameterException");
  EXPECT_EQ(aws.ok("logs:DescribeLogGroups")["logGroups"].size(), 1u);
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
TEST(Logs, metric_filters_are_found_by_their_metric_and_counted) {
  Accounts aws;
  aws.ok("logs:CreateLogGroup", "{logGroupName: g}");
  aws.ok("logs:CreateLogGroup", "{logGroupName: g2}");
  const auto put = [&](const std::string& group, const std::string& name, const std::string& metric) {
    aws.ok("logs:PutMetricFilter", "{logGroupName: " + group + ", filterName: " + name +
                                       ", filterPattern: x, metricTransformations: [{metricName: " + metric +
                                       ", metricNamespace: n, metricValue: '1'}]}");
  };
  put("g", "a", "m");
  put("g", "b", "k");
  put("g", "b", "k");
  put("g2", "c", "m");
  const auto count = [&](const std::string& input) {
    return aws.ok("logs:DescribeMetricFilters", input)["metricFilters"].size();
  };
  EXPECT_EQ(count("{}"), 3u);
  EXPECT_EQ(count("{metricName: m, metricNamespace: n}"), 2u);
  EXPECT_EQ(count("{metricName: m, metricNamespace: o}"), 0u);
  EXPECT_EQ(count("{logGroupName: g, metricName: m, metricNamespace: n}"), 1u);
  EXPECT_EQ(count("{logGroupName: g, filterNamePrefix: b}"), 1u);
  const auto page = aws.ok("logs:DescribeMetricFilters", "{limit: 2}");
  EXPECT_EQ(count("{nextToken: '" + page["nextToken"].as_string() + "'}"), 1u);
  EXPECT_EQ(aws.code("logs:DescribeMetricFilters", "{logGroupName: none}"), "ResourceNotFoundException");
  EXPECT_EQ(aws.code("logs:DescribeMetricFilters", "{metricName: m}"), "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:DescribeMetricFilters", "{nextToken: junk}"), "InvalidParameterException");
  const auto counted = [&] { return aws.ok("logs:DescribeLogGroups")["logGroups"][0]["metricFilterCount"]; };
  EXPECT_EQ(counted(), 2);
  aws.ok("logs:DeleteMetricFilter", "{logGroupName: g, filterName: a}");
  EXPECT_EQ(counted(), 1);
  EXPECT_EQ(aws.code("logs:DescribeLogGroups", "{logGroupNamePrefix: g, logGroupNamePattern: g}"),
            "InvalidParameterException");
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
TEST(LogGroups, are_narrowed_down_by_class_and_by_identifiers) {
  Accounts aws;
  for (const auto* more : {"/a", "/b", "/c, logGroupClass: INFREQUENT_ACCESS"})
    aws.ok("logs:CreateLogGroup", "{logGroupName: " + std::string(more) + "}");
  const auto names = [&](const std::string& input) {
    std::string all;
    const auto answer = aws.ok("logs:DescribeLogGroups", input);
    for (const json::Value& one : answer["logGroups"].as_array()) all += one["logGroupName"].as_string() + " ";
    return all;
  };
  EXPECT_EQ(names("{}"), "/a /b /c ");
  EXPECT_EQ(names("{logGroupClass: INFREQUENT_ACCESS}"), "/c ");
  EXPECT_EQ(names("{logGroupClass: STANDARD}"), "/a /b ");
  EXPECT_EQ(names("{logGroupIdentifiers: [/b, /none]}"), "/b ");
  EXPECT_EQ(names("{logGroupIdentifiers: ['arn:aws:logs:us-east-1:111111111111:log-group:/c', "
                  "'arn:aws:logs:us-east-1:111111111111:log-group:/a:*']}"),
            "/a /c ");
  EXPECT_EQ(names("{logGroupIdentifiers: ['arn:aws:logs:us-east-1:222222222222:log-group:/a']}"), "");
  for (const auto* other : {"logGroupNamePrefix: /a", "logGroupNamePattern: a", "logGroupClass: STANDARD"})
    EXPECT_EQ(aws.code("logs:DescribeLogGroups", "{logGroupIdentifiers: [/a], " + std::string(other) + "}"),
              "InvalidParameterException");
  EXPECT_EQ(aws.code("logs:DescribeLogGroups", "{logGroupIdentifiers: ['arn:aws:s3:::a']}"),
            "InvalidParameterException");
}

TEST_F(LogStreams, an_event_has_an_id_of_its_own_among_all_streams) {
  std::set<std::string> ids;
  for (const auto* stream : {"s", "t", "u"}) {
    if (*stream != 's')
      aws.ok("logs:CreateLogStream", "{logGroupName: /aws/events/app, logStreamName: " + std::string(stream) + "}");
    aws.ok("logs:PutLogEvents", put(event(now, "same"), stream));
  }
  const auto events = aws.ok("logs:FilterLogEvents", "{logGroupName: /aws/events/app}");
  for (const json::Value& one : events["events"].as_array()) {
    EXPECT_EQ(one["eventId"].as_string().size(), 56u);
    ids.insert(one["eventId"].as_string());
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(aws.ok("logs:FilterLogEvents", "{logGroupName: /aws/events/app}"), events);
}

}  // namespace
}  // namespace fixpoint::sandbox
