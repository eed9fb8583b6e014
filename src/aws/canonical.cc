#include "aws/canonical.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::array<bool, 256> unreserved_table() {
  std::array<bool, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  table['-'] = table['.'] = table['_'] = table['~'] = true;
  return table;
}
constexpr auto unreserved = unreserved_table();

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// What every service but S3 signs: dot segments and empty ones out, and a slash at the end only where there was one.
// (RFC 3986 section 5.2.4 would end `/a/.` in a slash; AWS's own clients do not.)
std::string normalize_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    at = end + 1;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out += '/';
    out += segment;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

bool needs_normalizing(std::string_view path) {
  return path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos;
}

void append_collapsed(std::string& out, std::string_view value) {
  value = trim(value);
  bool blank = false;
  for (const char c : value) {
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    out += c;
  }
}

}  // namespace

void append_encoded(std::string& out, std::string_view bytes, bool keep_slash) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved[byte] || (keep_slash && c == '/')) {
      out += c;
    } else {
      const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
      out.append(escape, 3);
    }
  }
}

PathRule path_rule_of(std::string_view service) {
  for (const std::string_view name : {"s3", "s3-object-lambda", "s3-outposts", "s3express"}) {
    if (service == name) return PathRule::AsSent;
  }
  return PathRule::Normalized;
}

void append_canonical_path(std::string& out, std::string_view path, PathRule rule) {
  if (path.empty()) {
    out += '/';
  } else if (rule == PathRule::AsSent) {
    // Clients differ in what they leave unencoded; one form comes of decoding what came and encoding it whole. A slash
    // that came encoded stays so: it was signed so.
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      const std::string_view segment = path.substr(at, end - at);
      if (segment.find('%') == std::string_view::npos)
        append_encoded(out, segment);
      else
        append_encoded(out, uri_decode(segment));
      if (end < path.size()) out += '/';
      at = end + 1;
    }
  } else if (needs_normalizing(path)) {
    append_encoded(out, normalize_path(path), true);
  } else {
    append_encoded(out, path, true);
  }
}

void append_canonical_query(std::string& out, std::string_view query, std::span<const std::string_view> without) {
  if (query.empty()) return;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::size_t at = 0;
  while (at <= query.size()) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view part = query.substr(at, end - at);
    at = end + 1;
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = uri_decode(part.substr(0, equals));
    if (std::find(without.begin(), without.end(), name) != without.end()) continue;
    auto& [encoded_name, encoded_value] = parameters.emplace_back();
    append_encoded(encoded_name, name);
    if (equals < part.size()) append_encoded(encoded_value, uri_decode(part.substr(equals + 1)));
  }
  std::sort(parameters.begin(), parameters.end());
  bool first = true;
  for (const auto& [name, value] : parameters) {
    if (!first) out += '&';
    first = false;
    out += name;
    out += '=';
    out += value;
  }
}

void append_canonical_headers(std::string& out, const Headers& headers, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    out += name;
    out += ':';
    bool first = true;
    for (const auto& [line_name, value] : headers) {
      if (line_name.size() != name.size() || !equals_ignore_case(line_name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_collapsed(out, value);
    }
    out += '\n';
  }
}

std::string canonical_request(const HttpRequest& request, PathRule rule, std::span<const std::string_view> signed_names,
                              std::string_view payload_hash, std::span<const std::string_view> without_query) {
  std::string out;
  out.reserve(request.target.size() + 1024);
  out += request.method;
  out += '\n';
  append_canonical_path(out, request.path(), rule);
  out += '\n';
  append_canonical_query(out, request.query(), without_query);
  out += '\n';
  append_canonical_headers(out, request.headers, signed_names);
  out += '\n';
  for (std::size_t i = 0; i < signed_names.size(); ++i) {
    if (i != 0) out += ';';
    out += signed_names[i];
  }
  out += '\n';
  out += payload_hash;
  return out;
}

}  // namespace fixpoint::aws
