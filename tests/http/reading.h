#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace fixpoint::http::test {

/// What a RequestReader makes of some bytes.
struct Reading {
  std::vector<HttpRequest> requests;
  std::vector<bool> keep_alive;
  int continues = 0;
  Refusal refusal{0, {}};
  bool is_idle = false;
};

/// Feeds `bytes` in pieces, whose sizes `next_piece` gives (at least 1 each).
template <class NextPiece>
Reading read_in_pieces(RequestReader& reader, std::string_view bytes, NextPiece next_piece) {
  Reading reading;
  while (true) {
    const auto state = reader.advance();
    if (state == RequestReader::State::complete) {
      reading.requests.push_back(reader.take());
      reading.keep_alive.push_back(reader.keep_alive());
      continue;
    }
    if (state == RequestReader::State::expects_continue) {
      ++reading.continues;
      continue;
    }
    if (state == RequestReader::State::refused) {
      reading.refusal = reader.refusal();
      break;
    }
    if (bytes.empty()) break;
    const auto space = reader.space();
    const std::size_t piece = std::min({std::max<std::size_t>(1, next_piece()), bytes.size(), space.size()});
    if (piece == 0) break;  // the caller looks: this never happens after need_more
    std::memcpy(space.data(), bytes.data(), piece);
    reader.received(piece);
    bytes.remove_prefix(piece);
  }
  reading.is_idle = reader.is_idle();
  return reading;
}

}  // namespace fixpoint::http::test
