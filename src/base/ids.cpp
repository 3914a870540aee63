#include "base/ids.hpp"

#include "base/hex.hpp"

namespace sluice::base {

std::string uuid4_hex(random_source& random) {
    constexpr std::uint64_t version_mask = 0xF000;
    constexpr std::uint64_t version_4 = 0x4000;
    constexpr std::uint64_t variant_mask = 0xC000000000000000;
    constexpr std::uint64_t variant_rfc4122 = 0x8000000000000000;

    std::string text;
    text.reserve(32);
    append_hex(text, (random.next() & ~version_mask) | version_4, 16);
    append_hex(text, (random.next() & ~variant_mask) | variant_rfc4122, 16);
    return text;
}

std::string uuid4(random_source& random) {
    std::string text = uuid4_hex(random);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
    return text;
}

}  // namespace sluice::base
