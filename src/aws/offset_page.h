#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// A page of a list that is read whole: at most `limit` of `items` from the place that `token` (a page's NextToken, or
/// "" for the start) stands for, under `member`, with a NextToken where there are more. Error: `bad_token` for a token
/// of another form.
Result<json::Value> offset_page(const json::Array& items, std::size_t limit, std::string_view token, const char* member,
                                const Error& bad_token);

}  // namespace fixpoint::aws
