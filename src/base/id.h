#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint {

/// `bytes` bytes from the operating system's generator. Aborts where there is none: nothing that needs secrets may go
/// on.
std::string random_bytes(std::size_t bytes);
/// A random UUID (RFC 9562 version 4), lower case with dashes.
std::string random_uuid();
/// `digits` random lower-case hexadecimal digits, as in EC2's identifiers.
std::string random_hex(std::size_t digits);
/// `length` characters of `alphabet`, evenly distributed.
std::string random_text(std::size_t length, std::string_view alphabet);

}  // namespace fixpoint
