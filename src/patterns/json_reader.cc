#include "patterns/json_reader.h"

#include <algorithm>
#include <vector>

#include "patterns/decimal.h"

namespace fixpoint::patterns {
namespace {

void append_point(std::string& out, unsigned point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
    return;
  }
  if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0U | point >> 6));
  } else {
    if (point < 0x10000) {
      out.push_back(static_cast<char>(0xE0U | point >> 12));
    } else {
      out.push_back(static_cast<char>(0xF0U | point >> 18));
      out.push_back(static_cast<char>(0x80U | (point >> 12 & 0x3FU)));
    }
    out.push_back(static_cast<char>(0x80U | (point >> 6 & 0x3FU)));
  }
  out.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
}

}  // namespace

bool JsonReader::wrong(std::string fault) {
  fault_ = std::move(fault);
  return false;
}

char JsonReader::peek() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonReader::take(char c) {
  if (peek() != c || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

bool JsonReader::hex4(unsigned& out) {
  if (text_.size() - at_ < 4) return false;
  out = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = text_[at_ + static_cast<std::size_t>(i)];
    unsigned value = 0;
    if (c >= '0' && c <= '9')
      value = static_cast<unsigned>(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      value = static_cast<unsigned>((c | 0x20) - 'a' + 10);
    else
      return false;
    out = out << 4 | value;
  }
  at_ += 4;
  return true;
}

bool JsonReader::string(std::string& out) {
  out.clear();
  if (peek() != '"') return wrong("a string should stand here");
  const std::size_t start = at_++;
  while (at_ < text_.size()) {
    const std::size_t run = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20)
      ++at_;
    out.append(text_, run, at_ - run);
    if (at_ == text_.size()) break;
    if (text_[at_] == '"') {
      ++at_;
      return true;
    }
    if (text_[at_] != '\\') return wrong("a control character stands bare in a string; JSON writes it as an escape");
    if (++at_ == text_.size()) break;
    const char escape = text_[at_++];
    switch (escape) {
      case '"':
      case '\\':
      case '/': out.push_back(escape); break;
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {
        unsigned point = 0;
        if (!hex4(point)) return wrong("\\u is not followed by four hexadecimal digits");
        if (point >= 0xD800 && point < 0xDC00 && text_.substr(at_, 2) == "\\u") {
          const std::size_t back = at_;
          at_ += 2;
          unsigned low = 0;
          if (!hex4(low)) return wrong("\\u is not followed by four hexadecimal digits");
          if (low >= 0xDC00 && low < 0xE000)
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
          else
            at_ = back;
        }
        append_point(out, point);
        break;
      }
      default: --at_; return wrong("JSON knows no such escape");
    }
  }
  at_ = start;
  return wrong("the string that begins here does not end");
}

bool JsonReader::scalar(std::string_view& out) {
  peek();
  std::size_t end = at_;
  while (end < text_.size()) {
    const char c = text_[end];
    if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '+' || c == '.'))
      break;
    ++end;
  }
  out = text_.substr(at_, end - at_);
  Decimal number;
  if (out != "true" && out != "false" && out != "null" && !parse_decimal(out, number))
    return wrong(at_ >= text_.size() ? "the text ends where a value should stand" : "this is no JSON value");
  at_ = end;
  return true;
}

bool JsonReader::skip_value(std::size_t depth) {
  std::vector<char> open;
  std::string text;
  std::string_view ignored;
  while (true) {
    const char c = peek();
    bool opened = false;
    if (c == '{' || c == '[') {
      if (open.size() == depth) return wrong("this is nested too deeply");
      ++at_;
      open.push_back(c == '{' ? '}' : ']');
      opened = true;
    } else if (c == '"') {
      if (!string(text)) return false;
    } else if (!scalar(ignored)) {
      return false;
    }
    while (!open.empty()) {
      if (take(open.back())) {
        open.pop_back();
        opened = false;
        continue;
      }
      if (!opened && !take(',')) return wrong(std::string("a ',' or '") + open.back() + "' should stand here");
      break;
    }
    if (open.empty()) return true;
    if (open.back() == '}') {
      if (!string(text)) return false;
      if (!take(':')) return wrong("a ':' should stand here");
    }
  }
}

Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  offset = std::min(offset, text.size());
  for (std::size_t i = 0; i < offset; ++i) {
    ++place.column;
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    }
  }
  return place;
}

}  // namespace fixpoint::patterns
