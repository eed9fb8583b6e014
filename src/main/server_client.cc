#include "main/server_client.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include "aws/sign.h"
#include "base/clock.h"
#include "http/curl_client.h"
#include "json/text.h"

namespace fixpoint::main {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::size_t characters(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

// The cell's lines: broken where it breaks, and behind a blank or comma where there is one in the second half of a
// line.
std::vector<std::string> wrapped(std::string text, std::size_t widest) {
  for (char& c : text)
    if (c == '\t' || c == '\r') c = ' ';
  std::vector<std::string> lines;
  std::string line;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    if (text[i] == '\n') {
      lines.push_back(std::exchange(line, {}));
      length = 0;
      i = end;
      continue;
    }
    if (length == widest) {
      const auto at = line.find_last_of(" ,");
      const std::size_t keep = at != std::string::npos && at > line.size() / 2 ? at + 1 : line.size();
      std::string rest = line.substr(keep);
      line.resize(keep);
      while (line.ends_with(' ')) line.pop_back();
      lines.push_back(std::move(line));
      length = characters(rest);
      line = std::move(rest);
    }
    line.append(text, i, end - i);
    ++length;
    i = end;
  }
  lines.push_back(std::move(line));
  return lines;
}

// The same error in words of who called: not which request failed, but where nobody answered and what helps.
Error no_server(Error error, const std::string& url, const HttpRequest& request) {
  const std::string named = request.method + " " + url + request.target + ": ";
  if (error.message.starts_with(named)) error.message.erase(0, named.size());
  if (error.code == "RequestTimeout")
    error.message = "the server at " + url + " did not answer " + request.target + ": " + error.message;
  else if (error.code == "ConnectionError")
    error.message = "no server answers at " + url + ": " + error.message +
                    " 'fixpoint serve --data DIR' starts one, and 'fixpoint env --data DIR' prints where the one of a "
                    "data folder is";
  return error;
}

}  // namespace

std::vector<Option> server_options(std::vector<Option> more) {
  more.push_back({"endpoint", "URL", "the server, http://127.0.0.1:PORT", "AWS_ENDPOINT_URL", false});
  more.push_back({"json", "", "print JSON", "", false});
  return more;
}

Result<json::Value> call_server(const Arguments& arguments, const std::string& name, const json::Value& input) {
  const std::string endpoint = arguments.get("endpoint");
  if (endpoint.empty())
    return fail(errors::validation(
        "no server is named: give --endpoint, or set AWS_ENDPOINT_URL ('fixpoint env --data DIR' prints it)"));
  const aws::Credentials credentials{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                                     environment("AWS_SESSION_TOKEN")};
  if (credentials.access_key.empty() || credentials.secret.empty())
    return fail(errors::validation(
        "no key is set: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ('fixpoint env --data DIR' prints them)"));
  std::string region = environment("AWS_REGION");
  if (region.empty()) region = environment("AWS_DEFAULT_REGION");
  if (region.empty()) region = "us-east-1";
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/" + name;
  const auto scheme = endpoint.find("://");
  if (scheme == std::string::npos)
    return fail(errors::validation("'" + endpoint + "' is no endpoint; the form is http://127.0.0.1:PORT"));
  std::string host = endpoint.substr(scheme + 3);
  while (host.ends_with('/')) host.pop_back();
  request.headers.add("Host", host);
  request.headers.add("Content-Type", "application/json");
  request.body = json::print(input);
  FIXPOINT_CHECK(
      aws::sign(request, credentials, aws::SigningOptions::for_service("fixpoint", region, SystemClock().now_ms())));
  http::CurlClient client({.use_environment_proxy = false});
  const std::string url = endpoint.substr(0, scheme + 3) + host;
  auto response_or_none = client.send(url, request, 60'000);
  if (!response_or_none) return fail(no_server(std::move(response_or_none.error()), url, request));
  const HttpResponse& response = *response_or_none;
  if (response.status == 413) return fail(errors::too_large("the request is larger than " + endpoint + " takes"));
  auto answer = json::parse(response.body);
  if (!answer)
    return fail(errors::coded("ConnectionError", endpoint + " answered with " + std::to_string(response.status) +
                                                     ", but not as a fixpoint server does"));
  if (response.status >= 300) {
    const json::Value& error = (*answer)["Error"];
    return fail(Error{std::string(error["Code"].string_or("InternalFailure")),
                      std::string(error["Message"].string_or("")), std::string(error["Where"].string_or("")), false,
                      response.status});
  }
  return answer;
}

const json::Array& items_of(const json::Value& value) {
  static const json::Array none;
  return value.is_array() ? value.as_array() : none;
}

std::string call_of(const json::Value& change, std::string_view account) {
  const std::string_view own = change["Account"].string_or(account);
  return std::string(change["Call"].string_or("")) + (own == account ? "" : " in " + std::string(own));
}

const json::Object& members_of(const json::Value& value) {
  static const json::Object none;
  return value.is_object() ? value.as_object() : none;
}

int report(const Error& error) {
  std::cerr << "fixpoint: " << error.message;
  if (error.code == "ConnectionError" || error.code == "RequestTimeout") {
    std::cerr << "\n";
    return unreachable;
  }
  std::cerr << " (" << error.code << (error.where.empty() ? "" : ", " + error.where) << ")\n";
  if (error.http_status >= 500) return refused;
  if (error.code == "ValidationException" || error.code == "InvalidInputException" ||
      error.code == "SerializationException" || error.code == "InvalidEventPatternException")
    return bad_input;
  return refused;
}

int report_unset(const Error& error) {
  if (error.code != "ResourceNotFoundException") return report(error);
  std::cerr << "fixpoint: " << error.message << "\n";
  return negative;
}

void print_table(const std::vector<std::vector<std::string>>& rows, std::size_t widest) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], std::min(widest, characters(row[i])));
    }
  for (const auto& row : rows) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (const auto& cell : row) {
      cells.push_back(wrapped(cell, widest));
      height = std::max(height, cells.back().size());
    }
    for (std::size_t line = 0; line < height; ++line) {
      std::string out;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string text = line < cells[i].size() ? cells[i][line] : std::string();
        out += text + std::string(widths[i] - std::min(widths[i], characters(text)) + 2, ' ');
      }
      while (out.ends_with(' ')) out.pop_back();
      std::cout << out << "\n";
    }
  }
}

}  // namespace fixpoint::main
