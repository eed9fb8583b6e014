#include "bus/destination_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "bus/path.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

// Taken out of a request whoever asks for them, or set by EventBridge itself: "Headers included in requests to API
// destinations" of the guide. In lower case.
constexpr std::array<std::string_view, 33> kept_headers{"a-im",
                                                        "accept-charset",
                                                        "accept-datetime",
                                                        "accept-encoding",
                                                        "cache-control",
                                                        "connection",
                                                        "content-encoding",
                                                        "content-length",
                                                        "content-md5",
                                                        "date",
                                                        "expect",
                                                        "forwarded",
                                                        "from",
                                                        "host",
                                                        "http2-settings",
                                                        "if-match",
                                                        "if-modified-since",
                                                        "if-none-match",
                                                        "if-range",
                                                        "if-unmodified-since",
                                                        "max-forwards",
                                                        "origin",
                                                        "pragma",
                                                        "proxy-authorization",
                                                        "range",
                                                        "referer",
                                                        "te",
                                                        "trailer",
                                                        "transfer-encoding",
                                                        "user-agent",
                                                        "upgrade",
                                                        "via",
                                                        "warning"};

using Pairs = std::vector<std::pair<std::string, std::string>>;

void put(Pairs& pairs, const std::string& name, const std::string& value, bool any_case) {
  for (auto& [key, old] : pairs)
    if (any_case ? equals_ignore_case(key, name) : key == name) {
      old = value;
      return;
    }
  pairs.emplace_back(name, value);
}

// A connection's parameters are a list of {Key, Value}.
void put_all(Pairs& pairs, const Value& list, bool any_case) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const std::string_view key = list[i]["Key"].string_or(""); !key.empty())
      put(pairs, std::string(key), std::string(list[i]["Value"].string_or("")), any_case);
}

std::string form_of(const Pairs& pairs) {
  std::string out;
  for (const auto& [key, value] : pairs) out += (out.empty() ? "" : "&") + uri_encode(key) + "=" + uri_encode(value);
  return out;
}

struct Url {
  std::string base, path, query;
};

// Of a URL that check_url took.
Url split_url(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find_first_of("/?", host), url.size());
  const std::size_t query = std::min(url.find('?', path), url.size());
  Url out{url.substr(0, path), url.substr(path, query - path), query < url.size() ? url.substr(query + 1) : ""};
  if (out.path.empty()) out.path = "/";
  return out;
}

std::string target_of(const Url& url, const Pairs& query) {
  const std::string more = form_of(query);
  std::string all = url.query + (url.query.empty() || more.empty() ? "" : "&") + more;
  return url.path + (all.empty() ? "" : "?" + all);
}

bool is_dynamic(std::string_view value) {
  return value == "$" || value.starts_with("$.") || value.starts_with("$[");
}

// A value of a target is a text, or a path that leads to one in the event (not in what a transformer made of it):
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html#targets-specifying-parameters
Result<std::string> value_of(const Value& given, const Value& event, const std::string& place) {
  std::string text(given.string_or(""));
  if (!is_dynamic(text)) return text;
  FIXPOINT_TRY(path, Path::read(text));
  const auto found = path.in(event);
  if (!found || found->is_null()) return fail(errors::validation(place + ": the event has nothing at " + text, place));
  return found->is_string() ? found->as_string() : json::print(*found);
}

// Each `*` of the endpoint, in their order. A value stays one segment of the path.
Result<std::string> filled(const std::string& endpoint, const Value& values, const Value& event) {
  std::string out;
  std::size_t next = 0;
  for (const char c : endpoint) {
    if (c != '*') {
      out += c;
      continue;
    }
    const std::string place = "HttpParameters.PathParameterValues[" + std::to_string(next) + "]";
    if (next >= values.size())
      return fail(errors::validation("the endpoint has " +
                                         std::to_string(std::count(endpoint.begin(), endpoint.end(), '*')) +
                                         " path parameters (*), and the target gives " + std::to_string(values.size()),
                                     "HttpParameters.PathParameterValues"));
    FIXPOINT_TRY(value, value_of(values[next++], event, place));
    if (value.empty() || value == "." || value == "..")
      return fail(errors::validation(
          place + " is " + (value.empty() ? "empty" : "'" + value + "'") + ", which is no part of a path", place));
    out += uri_encode(value);
  }
  return out;
}

Result<void> put_of_target(Pairs& pairs, const Value& map, const Value& event, const std::string& place,
                           bool any_case) {
  if (!map.is_object()) return {};
  for (const auto& member : map.as_object()) {
    FIXPOINT_TRY(value, value_of(member.value, event, place + "." + member.key));
    put(pairs, member.key, value, any_case);
  }
  return {};
}

Result<std::string> body_of(const std::string& text, const Value& parameters) {
  if (parameters.size() == 0) return text;
  auto body = json::parse(text);
  if (!body || !body->is_object())
    return fail(
        errors::validation("the connection has body parameters, and what the target gets is no JSON object that "
                           "they could be added to",
                           "InvocationHttpParameters.BodyParameters"));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    body->set(parameters[i]["Key"].string_or(""), parameters[i]["Value"]);
  return json::print(*body);
}

}  // namespace

Result<void> check_url(const std::string& url, const std::string& parameter) {
  const auto wrong = [&](const std::string& reason) {
    return fail(errors::validation("Parameter " + parameter + " is not valid. Reason: " + reason, parameter));
  };
  const std::size_t end = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (end == 0) return wrong("it has to be a URL that begins with https://.");
  const std::string authority = url.substr(end, std::min(url.find_first_of("/?#", end), url.size()) - end);
  if (authority.empty() || authority.find('*') != std::string::npos) return wrong("it names no host.");
  if (authority.find('@') != std::string::npos)
    return wrong("it has credentials in it; a connection is where they belong.");
  if (url.find('#') != std::string::npos) return wrong("it has a fragment (#), which is not sent.");
  for (const char c : url)
    if (c <= ' ' || c > '~') return wrong("it has a character that has to be written as %XX.");
  return {};
}

Result<void> check_http_parameters(const Value& parameters) {
  const auto check = [](const Value& value, const std::string& place) -> Result<void> {
    const std::string_view text = value.string_or("");
    if (!is_dynamic(text)) return {};
    const auto path = Path::read(text);
    if (!path) return fail(errors::validation(place + ": " + path.error().message, place));
    return {};
  };
  const Value& path = parameters["PathParameterValues"];
  for (std::size_t i = 0; i < path.size(); ++i)
    FIXPOINT_CHECK(check(path[i], "HttpParameters.PathParameterValues[" + std::to_string(i) + "]"));
  for (const auto* map : {"HeaderParameters", "QueryStringParameters"})
    if (parameters[map].is_object())
      for (const auto& member : parameters[map].as_object())
        FIXPOINT_CHECK(check(member.value, "HttpParameters." + std::string(map) + "." + member.key));
  return {};
}

Result<PreparedRequest> destination_request(const Destination& destination, const std::string& type,
                                            const Value& parameters, const Value& http, const Value& event,
                                            const std::string& text, const std::string& token) {
  const Value& own = parameters["InvocationHttpParameters"];
  FIXPOINT_TRY(endpoint, filled(destination.endpoint, http["PathParameterValues"], event));
  const Url url = split_url(endpoint);
  Pairs query;
  FIXPOINT_CHECK(
      put_of_target(query, http["QueryStringParameters"], event, "HttpParameters.QueryStringParameters", false));
  put_all(query, own["QueryStringParameters"], false);
  Pairs headers{{"Content-Type", "application/json; charset=utf-8"}};
  FIXPOINT_CHECK(put_of_target(headers, http["HeaderParameters"], event, "HttpParameters.HeaderParameters", true));
  put_all(headers, own["HeaderParameters"], true);
  if (type == "BASIC") {
    const Value& basic = parameters["BasicAuthParameters"];
    put(headers, "Authorization",
        "Basic " + base64_encode(std::string(basic["Username"].string_or("")) + ":" +
                                 std::string(basic["Password"].string_or(""))),
        true);
  } else if (type == "API_KEY") {
    const Value& key = parameters["ApiKeyAuthParameters"];
    put(headers, std::string(key["ApiKeyName"].string_or("")), std::string(key["ApiKeyValue"].string_or("")), true);
  } else {
    put(headers, "Authorization", "Bearer " + token, true);
  }
  PreparedRequest out;
  out.base_url = url.base;
  out.request.method = destination.method;
  out.request.target = target_of(url, query);
  for (const auto& [name, value] : headers)
    if (std::find(kept_headers.begin(), kept_headers.end(), to_lower(trim(name))) == kept_headers.end())
      out.request.headers.add(name, value);
  for (const auto& [name, value] : Pairs{{"User-Agent", "Amazon/EventBridge/ApiDestinations"},
                                         {"Range", "bytes=0-1048575"},
                                         {"Accept-Encoding", "gzip,deflate"},
                                         {"Connection", "close"}})
    out.request.headers.add(name, value);
  if (destination.method == "GET" || destination.method == "HEAD") return out;
  FIXPOINT_TRY(body, body_of(text, own["BodyParameters"]));
  out.request.body = std::move(body);
  return out;
}

Result<PreparedRequest> token_request(const Value& oauth) {
  const Value& client = oauth["ClientParameters"];
  const Value& more = oauth["OAuthHttpParameters"];
  Pairs form{{"grant_type", "client_credentials"},
             {"client_id", std::string(client["ClientID"].string_or(""))},
             {"client_secret", std::string(client["ClientSecret"].string_or(""))}};
  put_all(form, more["BodyParameters"], false);
  Pairs query, headers{{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  put_all(query, more["QueryStringParameters"], false);
  put_all(headers, more["HeaderParameters"], true);
  const std::string url(oauth["AuthorizationEndpoint"].string_or(""));
  FIXPOINT_CHECK(check_url(url, "AuthorizationEndpoint"));
  const Url parts = split_url(url);
  PreparedRequest out;
  out.base_url = parts.base;
  out.request.method = oauth["HttpMethod"].string_or("POST");
  // A GET has no body to carry them.
  if (out.request.method == "GET")
    for (const auto& [key, value] : form) put(query, key, value, false);
  else
    out.request.body = form_of(form);
  out.request.target = target_of(parts, query);
  for (const auto& [name, value] : headers)
    if (std::find(kept_headers.begin(), kept_headers.end(), to_lower(trim(name))) == kept_headers.end())
      out.request.headers.add(name, value);
  out.request.headers.add("User-Agent", "Amazon/EventBridge/ApiDestinations");
  return out;
}

}  // namespace fixpoint::bus
