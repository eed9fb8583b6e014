#include "main/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::main {
namespace {

// The bytes of the character that this one begins; 1 for one that begins none.
std::size_t length_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte >= 0xF0 && byte <= 0xF4 ? 4 : byte >= 0xE0 && byte < 0xF0 ? 3 : byte >= 0xC2 && byte < 0xE0 ? 2 : 1;
}

// How many bytes of what is there belong to the character at its beginning: up to the first that does not go on.
std::size_t present(std::string_view text) {
  const std::size_t length = length_of(text[0]);
  std::size_t count = 1;
  while (count < std::min(length, text.size()) && (static_cast<unsigned char>(text[count]) & 0xC0U) == 0x80) ++count;
  return count;
}

// The number of a character that a terminal acts on; nothing for all others. Line end and tab are text.
std::optional<unsigned> control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(character[i])); };
  unsigned point = byte(0);
  if (character.size() == 2) point = (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
  if (character.size() == 3) point = (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
  if (character.size() > 3 || point == '\n' || point == '\t') return std::nullopt;
  const bool acts = point < 0x20 || (point >= 0x7F && point <= 0x9F) || (point >= 0x202A && point <= 0x202E) ||
                    (point >= 0x2066 && point <= 0x2069);
  return acts ? std::optional(point) : std::nullopt;
}

std::string escaped(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    const std::string_view character = std::string_view(json).substr(i, present(std::string_view(json).substr(i)));
    i += character.size();
    const auto point = control(character);
    char text[8];
    if (point) std::snprintf(text, sizeof text, "\\u%04x", *point);
    out += point ? std::string_view(text) : character;
  }
  return out;
}

}  // namespace

class Harmless::Buffer : public std::streambuf {
 public:
  explicit Buffer(std::streambuf* under) : under_(under) {}
  std::streambuf* under() const { return under_; }
  // What waits for its other bytes will not get them.
  void end() {
    if (!begun_.empty()) write("?");
    begun_.clear();
  }
  int error() const { return error_; }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    const char one = traits_type::to_char_type(c);
    return xsputn(&one, 1) == 1 ? c : traits_type::eof();
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    std::string in = std::move(begun_);
    begun_.clear();
    in.append(text, static_cast<std::size_t>(size));
    std::string out;
    out.reserve(in.size());
    for (std::size_t i = 0; i < in.size();) {
      const std::string_view rest = std::string_view(in).substr(i);
      const std::string_view character = rest.substr(0, present(rest));
      if (character.size() == rest.size() && character.size() < length_of(rest[0])) {
        begun_ = character;
        break;
      }
      out += is_valid_utf8(character) && !control(character) ? character : "?";
      i += character.size();
    }
    return write(out) ? size : 0;
  }
  int sync() override {
    errno = 0;
    if (under_->pubsync() == 0) return 0;
    note_error();
    return -1;
  }

 private:
  bool write(std::string_view text) {
    errno = 0;
    const std::streamsize written = under_->sputn(text.data(), static_cast<std::streamsize>(text.size()));
    if (written == static_cast<std::streamsize>(text.size())) return true;
    note_error();
    return false;
  }
  void note_error() {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }

  std::streambuf* under_;
  std::string begun_;  // the first bytes of a character
  int error_ = 0;
};

Harmless::Harmless(std::ostream& stream) : stream_(stream), buffer_(std::make_unique<Buffer>(stream.rdbuf())) {
  stream_.rdbuf(buffer_.get());
}

int Harmless::finish() {
  buffer_->end();
  buffer_->pubsync();
  return buffer_->error();
}

Harmless::~Harmless() {
  finish();
  stream_.rdbuf(buffer_->under());
}

bool prints_as_one_line(std::string_view text) {
  if (text.find('\n') != std::string_view::npos || !is_valid_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view character = text.substr(i, present(text.substr(i)));
    if (control(character)) return false;
    i += character.size();
  }
  return true;
}

std::string print_escaped(const json::Value& value) {
  return escaped(json::print(value));
}

std::string print_pretty_escaped(const json::Value& value) {
  return escaped(json::print_pretty(value));
}

}  // namespace fixpoint::main
