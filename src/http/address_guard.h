#pragma once

#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace fixpoint::http {

/// True for an address that anybody on the internet could mean: not loopback, link-local, private, shared, multicast,
/// unspecified, documentation or reserved, for IPv6 also not such an IPv4 address within it. A server that sends
/// where strangers tell it to must go nowhere else (server-side request forgery).
/// https://www.iana.org/assignments/iana-ipv4-special-registry,
/// https://www.iana.org/assignments/iana-ipv6-special-registry
bool is_public(const sockaddr& address);
/// Of the written form; false for what is no address.
bool is_public(std::string_view address);

/// Why a URL leads to an address that is not public: a sentence; nothing where it does not, or where its host's name is
/// not known now. Asks the resolver and waits for it. What the name means later is for CurlClientOptions'
/// public_addresses_only to see.
std::optional<std::string> why_not_public(const std::string& url);

}  // namespace fixpoint::http
