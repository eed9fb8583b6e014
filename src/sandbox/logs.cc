// CloudWatch Logs: streams and what is logged to them. Groups, filters and policies are in catalog/sandbox/logs.yaml.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/arn.h"
#include "base/hash.h"
#include "base/text.h"
#include "sandbox/item_list.h"
#include "sandbox/operation.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace logs {
namespace {

using json::Value;

// A stream is under "GROUP:STREAM", a log event under "GROUP:STREAM:TIME:NUMBER" with as many digits that their order
// is that of their times; neither name can have a colon in it.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
constexpr std::size_t events_a_batch = 10'000;
constexpr std::size_t bytes_a_batch = 1'048'576;
constexpr std::size_t bytes_beside_a_message = 26;
constexpr TimeMs hour_ms = 3'600'000;
constexpr TimeMs day_ms = 24 * hour_ms;
constexpr std::size_t events_an_answer = 10'000;
constexpr std::size_t bytes_an_answer = 1'048'576;
constexpr std::int64_t streams_an_answer = 50;

tl::unexpected<Error> invalid(const std::string& message) {
  return fail(errors::coded("InvalidParameterException", message, 400));
}

Scope groups(const Request& request) {
  return request.regional("logs", "group");
}
Scope streams(const Request& request) {
  return request.regional("logs", "stream");
}
Scope events(const Request& request) {
  return request.regional("logs", "event");
}

std::string digits(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  return text.size() >= width ? text : std::string(width - text.size(), '0') + text;
}
std::string event_id(const std::string& stream, TimeMs at, std::int64_t number) {
  return stream + ":" + digits(at, 15) + ":" + digits(number, 12);
}

// The group by its name, or by its name or ARN as logGroupIdentifier.
Result<std::string> group_of(Request& request) {
  std::string name(request.text("logGroupName"));
  const std::string identifier(request.text("logGroupIdentifier"));
  if (!name.empty() && !identifier.empty())
    return invalid("Specify either logGroupName or logGroupIdentifier, not both.");
  if (name.empty()) name = identifier;
  if (name.empty()) return invalid("Either logGroupName or logGroupIdentifier must be specified.");
  if (const auto arn = parse_arn(name); arn && arn->resource.starts_with("log-group:"))
    name = arn->resource.substr(10, arn->resource.ends_with(":*") ? arn->resource.size() - 12 : std::string::npos);
  if (!request.state.get(groups(request), name))
    return fail(errors::coded("ResourceNotFoundException", "The specified log group does not exist.", 400));
  return name;
}

Result<std::string> stream_of(Request& request, const std::string& group) {
  std::string id = group + ":" + std::string(request.text("logStreamName"));
  if (!request.state.get(streams(request), id))
    return fail(errors::coded("ResourceNotFoundException", "The specified log stream does not exist.", 400));
  return id;
}

// What is older than the group's retention is not there any more; 0 without one.
TimeMs oldest_kept(Request& request, const std::string& group) {
  const Document body = request.state.get(groups(request), group);
  const std::int64_t days = body ? (*body)["retentionInDays"].int_or(0) : 0;
  return days == 0 ? 0 : request.now_ms - days * day_ms;
}

void forget_expired(Request& request, const std::string& stream, TimeMs oldest) {
  std::vector<std::string> gone;
  request.state.each(events(request), stream + ":", {}, [&](std::string_view id, const Document& body) {
    if (!body || (*body)["timestamp"].int_or(0) >= oldest) return false;
    gone.emplace_back(id);
    return true;
  });
  for (const std::string& id : gone) request.state.erase(events(request), id);
}

Reply put_log_events(Request& request) {
  FIXPOINT_TRY(group, group_of(request));
  FIXPOINT_TRY(stream, stream_of(request, group));
  const Value& given = request.input["logEvents"];
  if (given.size() == 0 || given.size() > events_a_batch)
    return invalid("Log events in a single PutLogEvents request are 1 to 10000, not " + std::to_string(given.size()) +
                   ".");
  std::size_t bytes = 0;
  for (const Value& event : given.as_array()) {
    if (event["message"].string_or("").empty()) return invalid("Log event message must not be empty.");
    bytes += event["message"].string_or("").size() + bytes_beside_a_message;
  }
  if (bytes > bytes_a_batch)
    return invalid("Upload too large: " + std::to_string(bytes) + " bytes exceeds limit of 1048576");
  const TimeMs first = given[0]["timestamp"].int_or(0);
  TimeMs last = first;
  for (const Value& event : given.as_array()) {
    const TimeMs at = event["timestamp"].int_or(0);
    if (at < last) return invalid("Log events in a single PutLogEvents request must be in chronological order.");
    last = at;
  }
  if (last - first > day_ms)
    return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  const TimeMs oldest = oldest_kept(request, group);
  if (oldest != 0) forget_expired(request, stream, oldest);
  Value body = *request.state.get(streams(request), stream);
  std::int64_t number = body["Number"].int_or(0);
  json::Object rejected;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const TimeMs at = given[i]["timestamp"].int_or(0);
    if (at > request.now_ms + 2 * hour_ms) {
      if (!rejected.contains("tooNewLogEventStartIndex")) rejected.set("tooNewLogEventStartIndex", i);
    } else if (at < request.now_ms - 14 * day_ms) {
      rejected.set("tooOldLogEventEndIndex", i + 1);
    } else if (at < oldest) {
      rejected.set("expiredLogEventEndIndex", i + 1);
    } else {
      request.state.put(
          events(request), event_id(stream, at, ++number),
          json::Object{{"timestamp", at}, {"message", given[i]["message"]}, {"ingestionTime", request.now_ms}});
      body.set("firstEventTimestamp", std::min<TimeMs>(at, body["firstEventTimestamp"].int_or(at)));
      body.set("lastEventTimestamp", std::max<TimeMs>(at, body["lastEventTimestamp"].int_or(at)));
      body.set("lastIngestionTime", request.now_ms);
    }
  }
  body.set("Number", number);
  body.set("uploadSequenceToken", digits(number, 56));
  json::Object out{{"nextSequenceToken", body["uploadSequenceToken"]}};
  request.state.put(streams(request), stream, std::move(body));
  if (!rejected.empty()) out.set("rejectedLogEventsInfo", std::move(rejected));
  return Value(std::move(out));
}

Reply describe_log_streams(Request& request) {
  FIXPOINT_TRY(group, group_of(request));
  const bool by_time = request.text("orderBy") == "LastEventTime";
  const std::string prefix(request.text("logStreamNamePrefix"));
  if (by_time && !prefix.empty()) return invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
  std::vector<Document> found;
  request.state.each(streams(request), group + ":" + prefix, {}, [&](std::string_view, const Document& body) {
    if (body) found.push_back(body);
    return true;
  });
  // By name as they come.
  if (by_time)
    std::sort(found.begin(), found.end(), [](const Document& a, const Document& b) {
      const auto key = [](const Value& stream) {
        return std::pair(stream["lastEventTimestamp"].int_or(0), stream["logStreamName"].string_or(""));
      };
      return key(*a) < key(*b);
    });
  if (request.input["descending"].bool_or(false)) std::reverse(found.begin(), found.end());
  FIXPOINT_TRY(after, page_position(request.text("nextToken"), "InvalidParameterException",
                                    "The specified nextToken is invalid."));
  std::size_t at = 0;
  if (!after.empty()) {
    const auto there = std::find_if(found.begin(), found.end(), [&](const Document& one) {
      return (*one)["logStreamName"].string_or("") == after;
    });
    at = there == found.end() ? found.size() : static_cast<std::size_t>(there - found.begin()) + 1;
  }
  const auto limit = static_cast<std::size_t>(request.input["limit"].int_or(streams_an_answer));
  json::Array items;
  for (; at < found.size() && items.size() < limit; ++at) {
    Value one = *found[at];
    one.as_object().erase("Number");
    items.push_back(std::move(one));
  }
  json::Object out;
  if (at < found.size()) out.set("nextToken", page_token(items.back()["logStreamName"].string_or("")));
  out.set("logStreams", std::move(items));
  return Value(std::move(out));
}

struct Found {
  std::string id;
  Document body;
};

bool within(Request& request, const Value& event, TimeMs oldest) {
  const TimeMs at = event["timestamp"].int_or(0);
  return at >= std::max<TimeMs>(request.input["startTime"].int_or(0), oldest) &&
         at < request.input["endTime"].int_or(INT64_MAX);
}

// Those of a stream that the times ask for, in their order.
std::vector<Found> events_of(Request& request, const std::string& stream, TimeMs oldest) {
  std::vector<Found> out;
  request.state.each(events(request), stream + ":", {}, [&](std::string_view id, const Document& body) {
    if (body && within(request, *body, oldest)) out.push_back({std::string(id.substr(stream.size() + 1)), body});
    return true;
  });
  return out;
}

// A token is "f/ID" or "b/ID": what comes after an event, or before it. It says so again where nothing is left.
Reply get_log_events(Request& request) {
  FIXPOINT_TRY(group, group_of(request));
  FIXPOINT_TRY(stream, stream_of(request, group));
  const std::vector<Found> all = events_of(request, stream, oldest_kept(request, group));
  const auto limit = static_cast<std::size_t>(request.input["limit"].int_or(events_an_answer));
  FIXPOINT_TRY(place, page_position(request.text("nextToken"), "InvalidParameterException",
                                    "The specified nextToken is invalid."));
  const bool has_token = place.size() > 2;
  const bool forward = has_token ? place.starts_with("f/") : request.input["startFromHead"].bool_or(false);
  const std::string from = has_token ? place.substr(2) : "";
  const auto before = [](const Found& event, const std::string& id) { return event.id < id; };
  std::size_t begin = 0, end = all.size();
  if (has_token && forward) {
    const auto at = std::upper_bound(all.begin(), all.end(), from,
                                     [](const std::string& id, const Found& event) { return id < event.id; });
    begin = static_cast<std::size_t>(at - all.begin());
  } else if (has_token) {
    end = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), from, before) - all.begin());
  }
  std::size_t bytes = 0, count = 0;
  const auto fits = [&](const Found& event) {
    bytes += (*event.body)["message"].string_or("").size() + bytes_beside_a_message;
    return count < limit && (count == 0 || bytes <= bytes_an_answer);
  };
  if (forward) {
    while (begin + count < end && fits(all[begin + count])) ++count;
    end = begin + count;
  } else {
    while (end - count > begin && fits(all[end - count - 1])) ++count;
    begin = end - count;
  }
  json::Array items;
  for (std::size_t i = begin; i < end; ++i) items.push_back(*all[i].body);
  // Of an answer without events the place itself, so that what is logged later is found with it.
  const std::string none = has_token ? from : "0";
  return Value(json::Object{{"events", std::move(items)},
                            {"nextForwardToken", page_token("f/" + (begin < end ? all[end - 1].id : none))},
                            {"nextBackwardToken", page_token("b/" + (begin < end ? all[begin].id : none))}});
}

// The terms of a filter pattern for text that has no structure: each has to be in the message, "-" before one forbids
// it, of those with "?" one has to be. Quotes hold a term together.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
class Terms {
 public:
  static Result<Terms> read(std::string_view pattern) {
    Terms out;
    const std::string_view text = trim(pattern);
    if (text.starts_with('{') || text.starts_with('[') || text.starts_with('%'))
      return fail(errors::not_implemented(
          "filter patterns for JSON, for fields and with regular expressions are not there in this version; the "
          "embedded account reads terms: word, \"a phrase\", -without, ?either ?or",
          "filterPattern"));
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == ' ' || text[i] == '\t') {
        ++i;
        continue;
      }
      auto* list = &out.all_;
      if (text[i] == '-') list = &out.none_;
      if (text[i] == '?') list = &out.any_;
      if (list != &out.all_) ++i;
      std::string term;
      if (i < text.size() && text[i] == '"') {
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\' && i + 1 < text.size()) ++i;
          term += text[i];
        }
        if (i == text.size()) return invalid("Invalid filter pattern: a quote is not closed.");
        ++i;
      } else {
        while (i < text.size() && text[i] != ' ' && text[i] != '\t') term += text[i++];
      }
      if (term.empty()) return invalid("Invalid filter pattern: a term is empty.");
      list->push_back(std::move(term));
    }
    return out;
  }
  bool match(std::string_view message) const {
    const auto in = [&](const std::string& term) { return message.find(term) != std::string_view::npos; };
    return std::all_of(all_.begin(), all_.end(), in) && std::none_of(none_.begin(), none_.end(), in) &&
           (any_.empty() || std::any_of(any_.begin(), any_.end(), in));
  }

 private:
  std::vector<std::string> all_, any_, none_;
};

// Digits, as AWS's are, of which the first say the time. An event's number is its place in its stream, so the stream is
// in it as well.
std::string event_id(const std::string& place, const std::string& stream) {
  std::string out = replace_all(place.substr(0, 28), ":", "");
  for (const char byte : sha256(stream).substr(0, 29))
    out += static_cast<char>('0' + static_cast<unsigned char>(byte) % 10);
  return out;
}

// Of several streams by time; a token is the place of the last one that was seen.
Reply filter_log_events(Request& request) {
  FIXPOINT_TRY(group, group_of(request));
  FIXPOINT_TRY(terms, Terms::read(request.text("filterPattern")));
  const Value& names = request.input["logStreamNames"];
  const std::string prefix(request.text("logStreamNamePrefix"));
  if (names.size() > 0 && !prefix.empty())
    return invalid("Specify either logStreamNames or logStreamNamePrefix, not both.");
  FIXPOINT_TRY(after, page_position(request.text("nextToken"), "InvalidParameterException",
                                    "The specified nextToken is invalid."));
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!request.state.get(streams(request), group + ":" + std::string(names[i].string_or(""))))
      return fail(errors::coded("ResourceNotFoundException", "The specified log stream does not exist.", 400));
  const TimeMs oldest = oldest_kept(request, group);
  const auto wanted = texts_in(names);
  std::vector<Found> all;  // the id: TIME:NUMBER:STREAM
  request.state.each(streams(request), group + ":" + prefix, {}, [&](std::string_view id, const Document& stream) {
    const std::string_view name = stream ? (*stream)["logStreamName"].string_or("") : std::string_view();
    if (!stream || (names.size() > 0 && !wanted.contains(name))) return true;
    for (Found& event : events_of(request, std::string(id), oldest))
      if (terms.match((*event.body)["message"].string_or("")))
        all.push_back({event.id + ":" + std::string(name), std::move(event.body)});
    return true;
  });
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.id < b.id; });
  const auto limit = static_cast<std::size_t>(request.input["limit"].int_or(events_an_answer));
  json::Array items;
  json::Object out;
  std::size_t bytes = 0;
  std::string last;
  for (const Found& event : all) {
    if (!after.empty() && event.id <= after) continue;
    bytes += (*event.body)["message"].string_or("").size() + bytes_beside_a_message;
    if (items.size() == limit || (!items.empty() && bytes > bytes_an_answer)) {
      out.set("nextToken", page_token(last));
      break;
    }
    Value one = *event.body;
    const std::string stream = event.id.substr(event.id.find(':', event.id.find(':') + 1) + 1);
    one.set("eventId", event_id(event.id, stream));
    one.set("logStreamName", stream);
    items.push_back(std::move(one));
    last = event.id;
  }
  out.set("events", std::move(items));
  out.set("searchedLogStreams", json::Array());
  return Value(std::move(out));
}

}  // namespace
}  // namespace logs

void add_logs(Services& services) {
  Operations operations("logs", services);
  operations.changes("PutLogEvents", logs::put_log_events);
  operations.reads("DescribeLogStreams", logs::describe_log_streams);
  operations.reads("GetLogEvents", logs::get_log_events);
  operations.reads("FilterLogEvents", logs::filter_log_events);
  add_log_settings(services);
}

}  // namespace fixpoint::sandbox
