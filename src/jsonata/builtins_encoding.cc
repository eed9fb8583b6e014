#include "base/text.h"
#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// What encodeURIComponent leaves as it is, and what encodeURI leaves besides (ECMA-262 section 19.2.6).
constexpr std::string_view unescaped_marks = "-_.!~*'()";
constexpr std::string_view reserved = ";/?:@&=+$,#";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[noreturn]] void malformed(const char* function) {
  throw Failure{"D3140", "the text is no well-formed part of a URL", Failure::nowhere, function};
}

Item encode(Evaluator& e, const Item& item, std::string_view also_kept, const char* function) {
  if (!item.is_string()) return {};
  e.charge(1 + item.size / 16);
  if (has_lone_surrogate(item.string())) malformed(function);
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : item.string()) {
    if (is_alphanumeric(c) || unescaped_marks.find(c) != std::string_view::npos ||
        also_kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    }
  }
  return e.string(out);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Item decode(Evaluator& e, const Item& item, std::string_view kept_encoded, const char* function) {
  if (!item.is_string()) return {};
  e.charge(1 + item.size / 16);
  const std::string_view text = item.string();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) malformed(function);
    const char byte = static_cast<char>(high * 16 + low);
    if (kept_encoded.find(byte) != std::string_view::npos)
      out += text.substr(i, 3);
    else
      out += byte;
    i += 2;
  }
  if (!is_valid_utf8(out)) malformed(function);
  return e.string(out);
}

Item encode_component(Evaluator& e, const Arguments& a) {
  return encode(e, a[0], {}, "encodeUrlComponent");
}
Item encode_url(Evaluator& e, const Arguments& a) {
  return encode(e, a[0], reserved, "encodeUrl");
}
Item decode_component(Evaluator& e, const Arguments& a) {
  return decode(e, a[0], {}, "decodeUrlComponent");
}
Item decode_url(Evaluator& e, const Arguments& a) {
  return decode(e, a[0], reserved, "decodeUrl");
}

// The official implementation takes each UTF-16 unit's low byte for a byte, so that what is not Latin-1 comes out
// wrong. Here a text that is Latin-1 gives the same base64, and any other that of its UTF-8.
Item to_base64(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 16);
  std::string bytes;
  for (std::size_t at = 0; at < a[0].size;) {
    const std::uint32_t code = next_code_point(a[0].string(), at);
    if (code > 0xff) return e.string(base64_encode(a[0].string()));
    bytes += static_cast<char>(code);
  }
  return e.string(base64_encode(bytes));
}

Item from_base64(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 16);
  // As Node reads it: both alphabets, anything else skipped, and the end at the first '='.
  std::string clean;
  for (const char c : a[0].string()) {
    if (c == '=') break;
    if (is_alphanumeric(c) || c == '+' || c == '/') clean += c;
    if (c == '-') clean += '+';
    if (c == '_') clean += '/';
  }
  if (clean.size() % 4 == 1) clean.pop_back();
  const auto bytes = base64_decode(clean);
  if (!bytes) return e.string("");
  bool ascii = true;
  for (const char c : *bytes) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii || is_valid_utf8(*bytes)) return e.string(*bytes);
  std::string text;
  for (const char c : *bytes) append_code_point(text, static_cast<unsigned char>(c));
  return e.string(text);
}

constexpr Builtin table[] = {
    {"base64encode", "<s-:s>", 1, to_base64},
    {"base64decode", "<s-:s>", 1, from_base64},
    {"encodeUrlComponent", "<s-:s>", 1, encode_component},
    {"encodeUrl", "<s-:s>", 1, encode_url},
    {"decodeUrlComponent", "<s-:s>", 1, decode_component},
    {"decodeUrl", "<s-:s>", 1, decode_url},
};

}  // namespace

std::span<const Builtin> encoding_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
