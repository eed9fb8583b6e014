#include "http/response_writer.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/text.h"

namespace fixpoint::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 10: return equals_ignore_case(name, "Connection") || equals_ignore_case(name, "Keep-Alive");
    case 14: return equals_ignore_case(name, "Content-Length");
    case 17: return equals_ignore_case(name, "Transfer-Encoding");
    default: return false;
  }
}

void append_common(std::string& out, int status, const Headers& headers, const Framing& framing,
                   std::string_view date) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(status));
    out += ' ';
    out += reason_of(status);
    out += "\r\n";
  }
  bool dated = false;
  for (const auto& [name, value] : headers) {
    if (is_framing(name)) continue;
    dated = dated || (name.size() == 4 && equals_ignore_case(name, "Date"));
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (!dated) {
    out += "Date: ";
    out += date;
    out += "\r\n";
  }
  if (!framing.keep_alive)
    out += "Connection: close\r\n";
  else if (!framing.http_11)
    out += "Connection: keep-alive\r\n";
}

}  // namespace

std::string_view DateLine::at(std::time_t now) {
  if (now != second_) {
    second_ = now;
    text_ = format_http_date(static_cast<double>(now));
  }
  return text_;
}

bool is_sendable(int status, const Headers& headers) {
  if (status < 200 || status > 999) return false;
  for (const auto& [name, value] : headers) {
    if (name.empty()) return false;
    for (const char c : name)
      if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == ':') return false;
    for (const char c : value)
      if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

bool allows_body(int status) {
  return status != 204 && status != 304;
}

void append_head(std::string& out, int status, const Headers& headers, std::size_t body_bytes, const Framing& framing,
                 std::string_view date) {
  append_common(out, status, headers, framing, date);
  const bool bodiless = framing.head_method || status == 304;
  if (const std::string* own = bodiless && body_bytes == 0 ? headers.find("Content-Length") : nullptr) {
    out += "Content-Length: ";
    out += *own;
    out += "\r\n";
  } else if (status != 204 && (status != 304 || body_bytes > 0)) {
    out += "Content-Length: ";
    append_number(out, body_bytes);
    out += "\r\n";
  }
  out += "\r\n";
}

void append_streamed_head(std::string& out, int status, const Headers& headers, const Framing& framing,
                          std::string_view date) {
  append_common(out, status, headers, framing, date);
  if (framing.http_11 && allows_body(status)) out += "Transfer-Encoding: chunked\r\n";
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view data) {
  append_number(out, data.size(), 16);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

HttpResponse plain_answer(int status, std::string_view sentence) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body.append(sentence).append("\n");
  return response;
}

}  // namespace fixpoint::http
