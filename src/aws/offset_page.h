#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// A page of a list that is read whole: at most `limit` of `items` from the place that `token` (a page's NextToken, or
/// "" for the start) stands for, under `member`, with a NextToken where there are more. An item is known by its first
/// member (a text by itself): a list that grows or shrinks between pages goes on behind the last item that was handed
/// out, so that who deletes what a page shows misses none. Error: `bad_token` for a token of another form.
Result<json::Value> offset_page(const json::Array& items, std::size_t limit, std::string_view token, const char* member,
                                const Error& bad_token);

}  // namespace fixpoint::aws
