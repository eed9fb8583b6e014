#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::json {
namespace {

using boost::json::error_code;
using boost::json::string_view;

// Builds the value from the events of Boost's parser. The parser's own numbers are not used: one in seven doubles of
// 17 digits comes out one unit in the last place off, and 1e400 as infinity.
struct Handler {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Value root;
  std::vector<Value> open;        // containers that are not closed yet
  std::vector<std::string> keys;  // for each open object the name that waits for its value
  std::string text;               // a string's or number's parts so far
  bool number_out_of_range = false;

  void put(Value value) {
    if (open.empty()) {
      root = std::move(value);
      return;
    }
    Value& parent = open.back();
    if (parent.is_array())
      parent.as_array().push_back(std::move(value));
    else
      parent.as_object().set(keys.back(), std::move(value));
  }
  void close() {
    Value done = std::move(open.back());
    open.pop_back();
    if (done.is_object()) keys.pop_back();
    put(std::move(done));
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    open.emplace_back(Object());
    keys.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    close();
    return true;
  }
  bool on_array_begin(error_code&) {
    open.emplace_back(Array());
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    close();
    return true;
  }
  bool on_key_part(string_view s, std::size_t, error_code&) {
    text.append(s.data(), s.size());
    return true;
  }
  bool on_key(string_view s, std::size_t, error_code&) {
    text.append(s.data(), s.size());
    keys.back() = std::move(text);
    text.clear();
    return true;
  }
  bool on_string_part(string_view s, std::size_t, error_code&) {
    text.append(s.data(), s.size());
    return true;
  }
  bool on_string(string_view s, std::size_t, error_code&) {
    if (text.empty()) {
      put(Value(std::string_view(s.data(), s.size())));
    } else {
      text.append(s.data(), s.size());
      put(Value(std::move(text)));
      text.clear();
    }
    return true;
  }
  bool on_number_part(string_view s, error_code&) {
    text.append(s.data(), s.size());
    return true;
  }
  bool on_number(string_view s, error_code& ec) {
    text.append(s.data(), s.size());
    const std::string number = std::move(text);
    text.clear();
    if (number != "-0") {
      if (const auto integer = to_int64(number)) {
        put(Value(*integer));
        return true;
      }
    }
    const auto value = to_double(number);
    const bool integral = number.find_first_of(".eE") == std::string::npos;
    if (!value && !integral) {
      number_out_of_range = true;
      ec = boost::json::error::exponent_overflow;
      return false;
    }
    if (value && !integral && print_double(*value) == number)
      put(Value(*value));
    else
      put(Value(NumberText{number}));
    return true;
  }
  bool on_int64(std::int64_t, string_view s, error_code& ec) { return on_number(s, ec); }
  bool on_uint64(std::uint64_t, string_view s, error_code& ec) { return on_number(s, ec); }
  bool on_double(double, string_view s, error_code& ec) { return on_number(s, ec); }
  bool on_bool(bool b, error_code&) {
    put(Value(b));
    return true;
  }
  bool on_null(error_code&) {
    put(Value());
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

std::string place(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  std::size_t line = 1;
  std::size_t start = 0;
  for (std::size_t i = 0; i < offset; ++i)
    if (text[i] == '\n') {
      ++line;
      start = i + 1;
    }
  return "line " + std::to_string(line) + ", column " + std::to_string(offset - start + 1);
}

std::string sentence(const error_code& ec) {
  using boost::json::error;
  if (ec == error::incomplete) return "the JSON text ends too early";
  if (ec == error::extra_data) return "there is text after the JSON value";
  if (ec == error::too_deep) return "the JSON text is nested too deeply";
  if (ec == error::illegal_leading_surrogate || ec == error::illegal_trailing_surrogate ||
      ec == error::expected_utf16_escape)
    return "a \\u escape is half of a surrogate pair";
  return "not JSON: " + ec.message();
}

}  // namespace

Result<Value> parse(std::string_view text, Limits limits) {
  if (text.size() > limits.bytes)
    return fail(errors::too_large("the JSON text has " + std::to_string(text.size()) + " bytes; at most " +
                                  std::to_string(limits.bytes) + " are taken"));
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::json::basic_parser<Handler> parser(options);
  error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = boost::json::error::extra_data;
  if (ec) {
    Handler& handler = parser.handler();
    std::string message = handler.number_out_of_range ? "a number is too large for a double" : sentence(ec);
    if (ec == boost::json::error::too_deep) message += " (at most " + std::to_string(limits.depth) + " levels)";
    return fail(errors::serialization(std::move(message), place(text, used)));
  }
  return std::move(parser.handler().root);
}

Result<Value> parse_printed(std::string_view text) {
  Limits limits;
  limits.depth += 100;
  limits.bytes *= 2;
  return parse(text, limits);
}

}  // namespace fixpoint::json
