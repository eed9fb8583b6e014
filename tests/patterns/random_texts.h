#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace fixpoint::patterns {

/// Random patterns and events over few names and values, so that they meet often.
class RandomTexts {
 public:
  explicit RandomTexts(std::uint64_t seed) : random_(seed) {}

  std::string pattern() { return fields(0, false); }
  std::string event() { return object(0); }
  std::size_t below(std::size_t count) { return random_() % count; }

 private:
  template <std::size_t N>
  const char* one_of(const char* const (&list)[N]) {
    return list[below(N)];
  }

  std::string name() {
    static constexpr const char* names[] = {"a", "b", "c", "d", "a.b", "b.c", "long name of a field", "$or-like", ""};
    return one_of(names);
  }
  std::string quoted(const std::string& text) { return "\"" + text + "\""; }
  std::string text() {
    static constexpr const char* texts[] = {"",
                                            "a",
                                            "ab",
                                            "abc",
                                            "aba",
                                            "ABA",
                                            "abaaba",
                                            "\\u0061b",
                                            "caf\\u00e9",
                                            "CAF\u00c9",
                                            "x y",
                                            "10.0.0.1",
                                            "10.0.0.200",
                                            "2001:db8::1",
                                            "\\\"",
                                            "a\\\\b",
                                            "a*b",
                                            "300",
                                            "null",
                                            "true",
                                            "prefix-longer-than-sixteen-bytes",
                                            "prefix-longer-than-sixteen-bytes-and-more",
                                            "suffix",
                                            "\\ud83d\\udd25"};
    return one_of(texts);
  }
  std::string number() {
    static constexpr const char* numbers[] = {"0",
                                              "-0",
                                              "1",
                                              "1.0",
                                              "10e-1",
                                              "5",
                                              "300",
                                              "3e2",
                                              "-7",
                                              "0.1",
                                              "1e-1",
                                              "9007199254740993",
                                              "9007199254740992",
                                              "12345678901234567890123",
                                              "1e400"};
    return one_of(numbers);
  }
  std::string wildcard() {
    static constexpr const char* wildcards[] = {"*",
                                                "a*",
                                                "*a",
                                                "a*b*a",
                                                "*b*",
                                                "ab",
                                                "",
                                                "a\\\\*b",
                                                "prefix-*-sixteen*",
                                                "*longer-than*",
                                                "*sixteen-bytes-and*",
                                                "*10.0*",
                                                "a\\\\\\\\*"};
    return one_of(wildcards);
  }
  std::string list(const std::string& one, const std::string& two) {
    return below(2) == 0 ? one : "[" + one + "," + two + "]";
  }
  std::string affix() {
    std::string value;
    do value = text();
    while (value.empty());
    return quoted(value);
  }

  std::string value() {
    switch (below(20)) {
      case 0:
      case 1:
      case 2: return quoted(text());
      case 3: return number();
      case 4: return below(2) == 0 ? "true" : "false";
      case 5: return "null";
      case 6: return R"({"prefix":)" + quoted(text()) + "}";
      case 7: return R"({"suffix":)" + quoted(text()) + "}";
      case 8: return R"({"prefix":{"equals-ignore-case":)" + quoted(text()) + "}}";
      case 9: return R"({"suffix":{"equals-ignore-case":)" + quoted(text()) + "}}";
      case 10: return R"({"equals-ignore-case":)" + quoted(text()) + "}";
      case 11: return R"({"wildcard":)" + quoted(wildcard()) + "}";
      case 12:
        return R"({"anything-but":)" +
               (below(2) == 0 ? list(quoted(text()), quoted(text())) : list(number(), number())) + "}";
      case 13: return R"({"anything-but":{"prefix":)" + list(affix(), affix()) + "}}";
      case 14: return R"({"anything-but":{"suffix":)" + list(affix(), affix()) + "}}";
      case 15: return R"({"anything-but":{"wildcard":)" + list(quoted(wildcard()), quoted(wildcard())) + "}}";
      case 16: return R"({"anything-but":{"equals-ignore-case":)" + list(quoted(text()), quoted(text())) + "}}";
      case 17: {
        static constexpr const char* ranges[] = {"[\">\",0]",           "[\">=\",1,\"<\",300]",     "[\"<=\",0.1]",
                                                 "[\"=\",5]",           "[\">\",9007199254740992]", "[\"<\",1e300]",
                                                 "[\">\",-8,\"<=\",-7]"};
        return std::string(R"({"numeric":)") + one_of(ranges) + "}";
      }
      case 18: {
        static constexpr const char* blocks[] = {"10.0.0.0/24",   "10.0.0.0/8", "0.0.0.0/0", "10.0.0.128/25",
                                                 "2001:db8::/32", "::/0",       "::1/127"};
        return std::string(R"({"cidr":")") + one_of(blocks) + "\"}";
      }
      default: return below(3) == 0 ? R"({"exists":true})" : R"({"exists":false})";
    }
  }

  std::string values() {
    std::string out = "[" + value();
    while (below(3) == 0) out += "," + value();
    return out + "]";
  }

  std::string fields(int depth, bool inside) {
    std::string out = "{";
    const std::size_t count = 1 + below(3);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ",";
      if (depth < 2 && below(12) == 0) {
        out += R"("$or":[)" + fields(depth + 1, true) + "," + fields(depth + 1, true) + "]";
        continue;
      }
      out += quoted(name()) + ":";
      out += depth < 3 && below(3) == 0 ? fields(depth + 1, inside) : values();
    }
    return out + "}";
  }

  std::string any(int depth) {
    const std::size_t kind = below(depth < 4 ? 10 : 6);
    if (kind < 3) return quoted(text());
    if (kind < 4) return number();
    if (kind < 5) return below(2) == 0 ? "true" : "false";
    if (kind < 6) return "null";
    if (kind < 8) return object(depth + 1);
    std::string out = "[";
    const std::size_t count = below(4);
    for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? ", " : "") + any(depth + 1);
    return out + "]";
  }

  std::string object(int depth) {
    std::string out = "{";
    const std::size_t count = below(5);
    for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? "," : "") + quoted(name()) + ": " + any(depth);
    return out + "}";
  }

  std::mt19937_64 random_;
};

}  // namespace fixpoint::patterns
