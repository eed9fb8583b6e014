#include "jsonata/regex.h"

#include <charconv>
#include <re2/re2.h>

#include "jsonata/failure.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// What \s means in JavaScript, as the inside of a class.
constexpr const char* blanks =
    R"(\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";

// Rewrites JavaScript's syntax (ECMA-262 section 22.2.1 with annex B.1.2, without the u flag) as RE2's.
class Translation {
 public:
  Translation(std::string_view source, std::size_t place) : source_(source), place_(place) {}

  std::string run() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        character_class();
      } else if (c == '.') {
        out_ += R"([^\n\r\x{2028}\x{2029}])";
        ++at_;
      } else if (c == '(' && rest().starts_with("(?")) {
        group();
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure{"S0303", "the regular expression /" + std::string(source_) + "/ " + why, place_, {}};
  }

  void group() {
    const std::string_view r = rest();
    if (r.starts_with("(?=") || r.starts_with("(?!"))
      refuse("looks ahead ('" + std::string(r.substr(0, 3)) + "'), which this implementation does not do");
    if (r.starts_with("(?<=") || r.starts_with("(?<!"))
      refuse("looks behind ('" + std::string(r.substr(0, 4)) + "'), which this implementation does not do");
    if (r.starts_with("(?<")) {
      out_ += "(?P<";
      at_ += 3;
    } else if (r.starts_with("(?:")) {
      out_ += "(?:";
      at_ += 3;
    } else {
      refuse("has a group of an unknown kind ('" + std::string(r.substr(0, 3)) + "')");
    }
  }

  std::optional<std::uint32_t> hex(std::size_t from, std::size_t digits) const {
    if (from + digits > source_.size()) return {};
    std::uint32_t value = 0;
    const char* start = source_.data() + from;
    const auto [end, error] = std::from_chars(start, start + digits, value, 16);
    if (error != std::errc() || end != start + digits) return {};
    return value;
  }

  void code_point(std::uint32_t value) {
    char buffer[16];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, 16);
    out_ += "\\x{";
    out_.append(buffer, result.ptr);
    out_ += '}';
  }

  void escape(bool in_class) {
    if (at_ + 1 >= source_.size()) refuse("ends in a backslash");
    const char c = source_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'S':
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'v':
        out_ += '\\';
        out_ += c;
        return;
      case 's':
        if (in_class)
          out_ += blanks;
        else
          (out_ += '[') += std::string(blanks) + "]";
        return;
      case 'b': out_ += in_class ? "\\x08" : "\\b"; return;
      case 'B': out_ += in_class ? "B" : "\\B"; return;
      case '0': code_point(0); return;
      case 'x':
        if (const auto value = hex(at_, 2)) {
          code_point(*value);
          at_ += 2;
        } else {
          out_ += 'x';
        }
        return;
      case 'u': {
        const auto value = hex(at_, 4);
        if (!value) {
          out_ += 'u';
          return;
        }
        at_ += 4;
        if (*value >= 0xd800 && *value < 0xdc00 && rest().starts_with("\\u")) {
          const auto low = hex(at_ + 2, 4);
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            at_ += 6;
            code_point(0x10000 + ((*value - 0xd800) << 10) + (*low - 0xdc00));
            return;
          }
        }
        if (*value >= 0xd800 && *value < 0xe000)
          refuse("names half of a surrogate pair, and this implementation matches whole characters");
        code_point(*value);
        return;
      }
      case 'c':
        if (at_ < source_.size() && std::isalpha(static_cast<unsigned char>(source_[at_])) != 0) {
          code_point(static_cast<std::uint32_t>(source_[at_]) % 32);
          ++at_;
        } else {
          out_ += "\\\\c";
        }
        return;
      case 'k': refuse("refers back to a group ('\\k'), which this implementation does not do");
      default:
        if (c >= '1' && c <= '9' && !in_class)
          refuse(std::string("refers back to a group ('\\") + c + "'), which this implementation does not do");
        // Any other character stands for itself; RE2 wants no backslash before letters and digits.
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && static_cast<unsigned char>(c) < 0x80) out_ += '\\';
        out_ += c;
    }
  }

  void character_class() {
    ++at_;
    const bool negated = rest().starts_with("^");
    if (negated) ++at_;
    if (rest().starts_with("]")) {  // [] matches nothing, [^] anything
      ++at_;
      out_ += negated ? R"([\x{0}-\x{10ffff}])" : R"([^\x{0}-\x{10ffff}])";
      return;
    }
    out_ += negated ? "[^" : "[";
    while (at_ < source_.size() && source_[at_] != ']') {
      if (source_[at_] == '\\') {
        escape(true);
      } else if (source_[at_] == '[') {  // RE2 would read [:name:]
        out_ += "\\[";
        ++at_;
      } else {
        out_ += source_[at_++];
      }
    }
    if (at_ >= source_.size()) refuse("has a '[' without its ']'");
    out_ += ']';
    ++at_;
  }

  std::string_view source_;
  std::size_t place_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

Pattern::Pattern(std::string_view source, bool ignore_case, bool multi_line, std::size_t place) : source_(source) {
  std::string text = Translation(source, place).run();
  if (multi_line) text = "(?m)" + text;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  compiled_ = std::make_unique<re2::RE2>(text, options);
  if (!compiled_->ok())
    throw Failure{"S0303", "the regular expression /" + source_ + "/ is not valid: " + compiled_->error(), place, {}};
}

Pattern::~Pattern() = default;

std::optional<Pattern::Match> Pattern::find(std::string_view text, std::size_t from) const {
  const int groups = compiled_->NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
  const re2::StringPiece subject(text.data() == nullptr ? "" : text.data(), text.size());
  if (from > text.size() || !compiled_->Match(subject, from, text.size(), re2::RE2::UNANCHORED, found.data(), groups))
    return {};
  Match match;
  match.start = static_cast<std::size_t>(found[0].data() - subject.data());
  match.end = match.start + found[0].size();
  match.groups.reserve(found.size() - 1);
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].data() == nullptr)
      match.groups.emplace_back();
    else
      match.groups.emplace_back(std::string_view(found[i].data(), found[i].size()));
  }
  return match;
}

bool Pattern::matches(std::string_view text) const {
  const re2::StringPiece subject(text.data() == nullptr ? "" : text.data(), text.size());
  return compiled_->Match(subject, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace fixpoint::jsonata
