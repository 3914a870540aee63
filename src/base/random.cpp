#include "base/random.hpp"

#include <sluice/error.hpp>

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace sluice::base {
namespace {

class kernel_random final : public random_source {
public:
    [[nodiscard]] std::uint64_t next() override {
        std::uint64_t bits = 0;
        // Up to 256 bytes come whole or not at all.
        while (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
            if (errno != EINTR) throw error{"getrandom failed: " + std::generic_category().message(errno)};
        }
        return bits;
    }
};

}  // namespace

random_source& system_random() {
    static kernel_random instance;
    return instance;
}

}  // namespace sluice::base
