#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/http_message.h"
#include "base/text.h"

namespace fixpoint::test {

/// Takes an HTTP request as it lies in a file apart: LF or CRLF, folded header lines joined to the one before.
inline HttpRequest split_request(std::string_view text) {
  HttpRequest request;
  const auto next_line = [&text]() {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
  };
  const std::string first = next_line();
  const std::size_t method_end = first.find(' ');
  const std::size_t target_end = first.rfind(" HTTP/");
  if (method_end == std::string::npos || target_end == std::string::npos) throw std::runtime_error("no request line");
  request.method = first.substr(0, method_end);
  request.target = first.substr(method_end + 1, target_end - method_end - 1);
  std::string name;
  std::string value;
  const auto flush = [&] {
    if (!name.empty()) request.headers.add(name, value);
    name.clear();
  };
  while (!text.empty()) {
    const std::string line = next_line();
    if (line.empty()) break;
    if (line[0] == ' ' || line[0] == '\t') {
      value += '\n' + line;
      continue;
    }
    flush();
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("no header: " + line);
    name = line.substr(0, colon);
    value = trim(std::string_view(line).substr(colon + 1));
  }
  flush();
  request.body = text;
  return request;
}

}  // namespace fixpoint::test
