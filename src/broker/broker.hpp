#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/consumer.hpp"
#include "broker/hazard.hpp"
#include "broker/operations.hpp"
#include "broker/publisher.hpp"

namespace sluice::broker {

/// What a broker can do; the rest of Sluice asks instead of knowing adapters.
struct capabilities {
    bool durable = false;        ///< a delivered message survives the end of every process
    bool cross_process = false;  ///< other processes can read what we publish
    bool deduplicates = false;   ///< a second publish of one id into one stream is recognised
    bool fences = false;         ///< an older epoch of a producer is refused
    bool dead_letters = false;
    bool knows_keys = true;     ///< `delivery::key` is the key that was published
    bool shares_groups = true;  ///< consumers of a group read side by side; else one reads and the others stand by
    std::size_t max_message_bytes = 0;  ///< 0: no limit of its own
};

/// One configured broker: a factory of connections. Opening does not need the broker to be up: trouble shows in the
/// verdicts, and connections come back by themselves.
///
/// Thread safety: all members may be called concurrently. What it opens must not outlive it.
class broker {
public:
    virtual ~broker() = default;

    /// A few words for people: `sqlite partner/broker.db`. Never contains credentials. Brokers that lead to one place,
    /// and are spelt alike, describe themselves alike.
    [[nodiscard]] virtual std::string describe() const = 0;
    [[nodiscard]] virtual capabilities can() const = 0;
    /// What of the broker's own settings can lose what it has confirmed; it is asked, where there is somebody to ask.
    /// @throws broker_error when the broker is away
    [[nodiscard]] virtual std::vector<hazard> hazards() { return {}; }

    [[nodiscard]] virtual std::unique_ptr<publisher> open_publisher() = 0;
    /// A group that does not exist yet starts at `membership::from`: by default at the beginning of the stream, so that
    /// nothing published before its first start is lost.
    [[nodiscard]] virtual std::unique_ptr<consumer> open_consumer(std::string stream, membership member) = 0;
    [[nodiscard]] virtual std::unique_ptr<operations> open_operations() = 0;
};

}  // namespace sluice::broker
