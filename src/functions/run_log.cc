#include "functions/run_log.h"

#include <algorithm>

#include "base/text.h"

namespace fixpoint::functions {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

std::size_t length_after(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

}  // namespace

std::string make_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = length_after(static_cast<unsigned char>(bytes[0]));
    if (length != 0 && length <= bytes.size() && is_valid_utf8(bytes.substr(0, length))) {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    } else {
      out += replacement;
      bytes.remove_prefix(1);
    }
  }
  return out;
}

void RunLog::append(std::string_view bytes) {
  total_ += bytes.size();
  if (head_.size() < limit_bytes_) head_ += bytes.substr(0, limit_bytes_ - head_.size());
  if (bytes.size() >= tail_bytes) {
    tail_.assign(bytes.substr(bytes.size() - tail_bytes));
  } else {
    tail_ += bytes;
    if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
  }
}

std::string RunLog::tail() const {
  std::string out = make_utf8(tail_);
  // Replacing makes text longer: three bytes for one.
  while (out.size() > tail_bytes)
    out.erase(0, std::max<std::size_t>(length_after(static_cast<unsigned char>(out[0])), 1));
  return out;
}

std::string RunLog::text() const {
  if (total_ <= limit_bytes_) return make_utf8(head_);
  return make_utf8(head_) + "\n[fixpoint: the log has " + std::to_string(total_) + " bytes; those between the first " +
         std::to_string(limit_bytes_) + " and the last " + std::to_string(tail_.size()) + " are left out]\n" +
         make_utf8(tail_);
}

}  // namespace fixpoint::functions
