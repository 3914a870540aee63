#include "lease/owner.hpp"

#include <unistd.h>

#include <array>

#include "base/hex.hpp"

namespace sluice::lease {

std::string make_incarnation(base::random_source& random) {
    constexpr int digits = 16;
    std::string made;
    base::append_hex(made, random.next(), digits);
    return made;
}

std::string make_lane_owner(base::random_source& random) {
    std::array<char, 256> host{};
    const bool named = ::gethostname(host.data(), host.size() - 1) == 0 && host.front() != '\0';
    std::string owner = named ? host.data() : "localhost";
    owner += '-' + std::to_string(::getpid()) + '-';
    return owner + make_incarnation(random);
}

}  // namespace sluice::lease
