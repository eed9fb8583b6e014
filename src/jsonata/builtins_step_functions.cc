#include <cmath>
#include <openssl/evp.h>

#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

// What Step Functions adds:
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn. The
// limits are those of the intrinsic functions that these stand for (States.ArrayPartition, States.ArrayRange, ...):
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html. AWS names no codes for their errors;
// D3150 to D3154 are this implementation's own.

namespace fixpoint::jsonata {
namespace {

[[noreturn]] void refuse(const char* code, std::string message, const char* function) {
  throw Failure{code, std::move(message), Failure::nowhere, function};
}

Item partition(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const double size = a[1].is_number() ? std::round(a[1].as_double()) : 0;
  if (!(size >= 1)) refuse("D3150", "the size of a chunk must be an integer of 1 or more", "partition");
  const ArrayView view(a[0]);
  e.charge(view.size());
  ArrayNode* result = e.new_array();
  ArrayNode* chunk = nullptr;
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (chunk == nullptr || chunk->size >= size) {
      chunk = e.new_array();
      e.push(result, Item::of(chunk));
    }
    e.push(chunk, view[i]);
  }
  return Item::of(result);
}

Item range(Evaluator& e, const Arguments& a) {
  if (!a[0].is_number() || !a[1].is_number() || !a[2].is_number()) return {};
  const double first = std::round(a[0].as_double());
  const double last = std::round(a[1].as_double());
  const double step = std::round(a[2].as_double());
  if (step == 0 || !std::isfinite(step)) refuse("D3151", "the step must be an integer other than 0", "range");
  const double size = std::floor((last - first) / step) + 1;
  if (size > 1000) refuse("D3152", "a range may have 1000 elements at most, not " + number_text(size), "range");
  ArrayNode* result = e.new_array();
  for (double n = 0; n < size; ++n) e.push(result, Item::of(first + n * step));
  return Item::of(result);
}

Item hash(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined() || !a[1].is_string()) return {};
  const std::string_view wanted = a[1].string();
  const EVP_MD* algorithm = nullptr;
  if (wanted == "MD5") algorithm = EVP_md5();
  if (wanted == "SHA-1") algorithm = EVP_sha1();
  if (wanted == "SHA-256") algorithm = EVP_sha256();
  if (wanted == "SHA-384") algorithm = EVP_sha384();
  if (wanted == "SHA-512") algorithm = EVP_sha512();
  if (algorithm == nullptr)
    refuse("D3153",
           "the algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512, not \"" + std::string(wanted.substr(0, 40)) +
               "\"",
           "hash");
  const std::string_view data = e.text_of(a[0]);
  e.charge(1 + data.size() / 16);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), digest, &size, algorithm, nullptr) != 1)
    refuse("D3153", "this machine refuses the algorithm " + std::string(wanted), "hash");
  return e.string(hex_encode({reinterpret_cast<const char*>(digest), size}));
}

// 53 bits to a number from 0 to below 1.
double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

Item random(Evaluator&, const Arguments& a) {
  std::uint64_t bits = 0;
  if (a[0].is_number()) {
    // The same seed gives the same number. SplitMix64's output function: https://prng.di.unimi.it/splitmix64.c
    const double seed = a[0].as_double();
    std::memcpy(&bits, &seed, sizeof bits);
    bits += 0x9e3779b97f4a7c15U;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
    bits ^= bits >> 31;
  } else {
    for (const char c : random_bytes(8)) bits = (bits << 8) | static_cast<unsigned char>(c);
  }
  return Item::of(unit(bits));
}

Item uuid(Evaluator& e, const Arguments&) {
  return e.string(random_uuid());
}

Item parse(Evaluator& e, const Arguments& a) {
  if (!a[0].is_string()) return {};
  e.charge(1 + a[0].size / 8);
  e.arena().check_room_for(std::size_t{a[0].size} * 4);
  auto value = json::parse(a[0].string());
  if (!value) refuse("D3154", "the text is no JSON: " + value.error().message + " at " + value.error().where, "parse");
  const auto held = std::make_shared<const json::Value>(std::move(*value));
  e.arena().hold(held);
  return Item::of(*held);
}

constexpr Builtin table[] = {
    {"partition", "<an:a>", 2, partition}, {"range", "<nnn:a>", 3, range}, {"hash", "<xs:s>", 2, hash},
    {"random", "<n?:n>", 0, random},       {"uuid", "<:s>", 0, uuid},      {"parse", "<s-:x>", 1, parse},
};

}  // namespace

std::span<const Builtin> step_functions_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
