#pragma once

#include <optional>
#include <string_view>

#include "aws/models.h"
#include "json/value.h"

namespace fixpoint::changes {

/// What stands in the place of a secret in whatever is stored, shown or hashed.
inline constexpr std::string_view secret_mark = "(secret, not kept)";

/// The value with every member that the service's model calls sensitive (passwords, secret keys, code) replaced by
/// secret_mark; nothing where there is none in it. Names and ARNs of keys, which some models call so too, stay: they
/// say what is to be done.
std::optional<json::Value> without_secrets(const aws::Shape* shape, const json::Value& value);

}  // namespace fixpoint::changes
