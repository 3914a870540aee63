#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace sluice::chaos {

/// A message as it came to a partner.
struct arrival {
    std::string key;  ///< the stream of its aggregate
    std::string id;
};

/// A partner with a broker of the kind that the lane publishes to.
class partner {
public:
    virtual ~partner() = default;

    /// The lines of `[brokers.partner]`.
    [[nodiscard]] virtual std::string configuration() const = 0;
    /// Everything that came, copies included, in the order of arrival. Asked once, at the end.
    /// @param expected  so many different messages must be there; it waits for them, as far as its broker needs that
    [[nodiscard]] virtual std::vector<arrival> arrivals(std::size_t expected) = 0;
};

/// A kind of broker.
struct partner_kind {
    std::string name;
    std::function<std::unique_ptr<partner>(const std::filesystem::path& directory)> make;
    /// What was sent, and not settled before its owner was killed, does not come twice.
    bool recognises_copies = false;

    friend void PrintTo(const partner_kind& kind, std::ostream* out) { *out << kind.name; }
};

/// Those that this build has, and a server for in this run.
[[nodiscard]] const std::vector<partner_kind>& partner_kinds();

}  // namespace sluice::chaos
