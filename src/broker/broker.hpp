#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/hazard.hpp"
#include "broker/operations.hpp"
#include "broker/publisher.hpp"
#include "broker/reader.hpp"

namespace sluice::broker {

/// What a broker can do. The rest of Sluice asks instead of knowing adapters; each flag has a reader outside of them.
struct capabilities {
    bool readable = true;       ///< `open_reader` works: subscriptions can read from it
    bool keeps_failed = true;   ///< its readers have a keeper of their own, see `reader::own_keeper`
    bool cross_process = true;  ///< other processes read what we publish, and it outlives this one
    bool fences = false;
    bool walks = false;                 ///< what it keeps can be walked through, see `operations::walk`
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
    /// @param streams  at least one; the reader names them by their index
    /// @throws usage_error  the broker is not `readable`
    [[nodiscard]] virtual std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                              const membership& member);
    /// Of a broker that has nothing to operate on: operations that find nothing.
    [[nodiscard]] virtual std::unique_ptr<operations> open_operations();
};

}  // namespace sluice::broker
