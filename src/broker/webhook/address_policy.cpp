#include "broker/webhook/address_policy.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sluice::broker::webhook {
namespace {

using ipv4_bytes = std::array<std::uint8_t, 4>;
using ipv6_bytes = std::array<std::uint8_t, 16>;

struct ipv4_range {
    std::uint32_t first;
    unsigned bits;
    std::string_view what;
};

constexpr std::uint32_t number(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24U | b << 16U | c << 8U | d;
}

// IANA's registry of special-purpose addresses.
constexpr std::array ipv4_ranges{
    ipv4_range{number(0, 0, 0, 0), 8, "this host"},
    ipv4_range{number(10, 0, 0, 0), 8, "private network"},
    ipv4_range{number(100, 64, 0, 0), 10, "shared network of a provider"},
    ipv4_range{number(127, 0, 0, 0), 8, "loopback"},
    ipv4_range{number(169, 254, 0, 0), 16, "link-local, where clouds answer with credentials"},
    ipv4_range{number(172, 16, 0, 0), 12, "private network"},
    ipv4_range{number(192, 0, 0, 0), 24, "reserved for protocols"},
    ipv4_range{number(192, 0, 2, 0), 24, "for documentation"},
    ipv4_range{number(192, 88, 99, 0), 24, "relay to IPv6"},
    ipv4_range{number(192, 168, 0, 0), 16, "private network"},
    ipv4_range{number(198, 18, 0, 0), 15, "for measurements"},
    ipv4_range{number(198, 51, 100, 0), 24, "for documentation"},
    ipv4_range{number(203, 0, 113, 0), 24, "for documentation"},
    ipv4_range{number(224, 0, 0, 0), 4, "multicast"},
    ipv4_range{number(240, 0, 0, 0), 4, "reserved"},
};

std::string_view judge(const ipv4_bytes& bytes) {
    const std::uint32_t address = number(bytes[0], bytes[1], bytes[2], bytes[3]);
    for (const auto& each : ipv4_ranges) {
        if (address >> (32U - each.bits) == each.first >> (32U - each.bits)) return each.what;
    }
    return {};
}

bool begins_with(const ipv6_bytes& bytes, std::initializer_list<std::uint8_t> prefix) {
    return std::memcmp(bytes.data(), prefix.begin(), prefix.size()) == 0;
}

ipv4_bytes last_four(const ipv6_bytes& bytes) { return {bytes[12], bytes[13], bytes[14], bytes[15]}; }

std::string_view judge(const ipv6_bytes& bytes) {
    if (bytes == ipv6_bytes{}) return "this host";
    if (begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return judge(last_four(bytes));
    if (begins_with(bytes, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return judge(last_four(bytes));
    if (begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {
        return last_four(bytes) == ipv4_bytes{0, 0, 0, 1} ? "loopback" : "IPv4 in an outdated form";
    }
    if (bytes[0] == 0xff) return "multicast";
    if ((bytes[0] & 0xfeU) == 0xfcU) return "private network";
    if (bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80U) return "link-local";
    if ((bytes[0] & 0xe0U) != 0x20U) return "not assigned to the public internet";
    if (begins_with(bytes, {0x20, 0x02})) return "a tunnel to any IPv4 address (6to4)";
    if (begins_with(bytes, {0x20, 0x01}) && (bytes[2] & 0xfeU) == 0) return "reserved for protocols and tunnels";
    if (begins_with(bytes, {0x20, 0x01, 0x0d, 0xb8})) return "for documentation";
    if (begins_with(bytes, {0x3f, 0xff}) && (bytes[2] & 0xf0U) == 0) return "for documentation";
    return {};
}

}  // namespace

std::string_view why_not_public(const net::socket_address& address) {
    if (address.storage.ss_family == AF_INET) {
        sockaddr_in of{};
        std::memcpy(&of, &address.storage, sizeof of);
        ipv4_bytes bytes{};
        std::memcpy(bytes.data(), &of.sin_addr, bytes.size());
        return judge(bytes);
    }
    if (address.storage.ss_family == AF_INET6) {
        sockaddr_in6 of{};
        std::memcpy(&of, &address.storage, sizeof of);
        ipv6_bytes bytes{};
        std::memcpy(bytes.data(), &of.sin6_addr, bytes.size());
        return judge(bytes);
    }
    return "no internet address";
}

std::string address_text(const net::socket_address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = nullptr;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (address.storage.ss_family == AF_INET) {
        std::memcpy(&v4, &address.storage, sizeof v4);
        bytes = &v4.sin_addr;
    } else if (address.storage.ss_family == AF_INET6) {
        std::memcpy(&v6, &address.storage, sizeof v6);
        bytes = &v6.sin6_addr;
    }
    if (bytes == nullptr) return "an address of another kind";
    if (::inet_ntop(address.storage.ss_family, bytes, text.data(), text.size()) == nullptr) return "an odd address";
    return text.data();
}

}  // namespace sluice::broker::webhook
