#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint {

std::string sha256(std::string_view bytes);                             ///< 32 raw bytes
std::string sha512(std::string_view bytes);                             ///< 64 raw bytes
std::string sha256_hex(std::string_view bytes);                         ///< 64 lower-case digits
std::string sha1(std::string_view bytes);                               ///< 20 raw bytes; checksums only
std::string md5(std::string_view bytes);                                ///< 16 raw bytes; checksums and ETags only
std::string hmac_sha256(std::string_view key, std::string_view bytes);  ///< 32 raw bytes
std::uint32_t crc32(std::string_view bytes);                            ///< ISO-HDLC (zip, S3's CRC32)
std::uint32_t crc32c(std::string_view bytes);                           ///< Castagnoli (S3's CRC32C)
std::uint64_t crc64nvme(std::string_view bytes);                        ///< NVME (S3's CRC64NVME)
/// True where both are the same, in time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace fixpoint
