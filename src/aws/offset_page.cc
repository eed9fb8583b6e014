#include "aws/offset_page.h"

#include <string>
#include <utility>

#include "base/text.h"

namespace fixpoint::aws {

Result<json::Value> offset_page(const json::Array& items, std::size_t limit, std::string_view token, const char* member,
                                const Error& bad_token) {
  std::size_t skip = 0;
  if (!token.empty()) {
    const auto decoded = base64_decode(token);
    const auto number = decoded ? to_int64(*decoded) : std::nullopt;
    if (!number || *number < 0) return fail(bad_token);
    skip = static_cast<std::size_t>(*number);
  }
  json::Array page;
  for (std::size_t i = skip; i < items.size() && page.size() < limit; ++i) page.push_back(items[i]);
  const std::size_t next = skip + page.size();
  json::Value out{json::Object{{member, std::move(page)}}};
  if (next < items.size()) out.set("NextToken", base64_encode(std::to_string(next)));
  return out;
}

}  // namespace fixpoint::aws
