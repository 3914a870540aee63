#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/time.hpp>

namespace sluice::consume {

/// Decides when a subscription stops trying, because what its handler needs is broken: so many messages failed in a row
/// that the next one will fail, too. Pure.
///
/// Counted are messages, not attempts: one that fails again and again counts once and opens nothing by itself. Any
/// success begins the count anew. An open breaker lets nothing through for `reset`; then one message is the probe. Its
/// success closes the breaker, its failure opens it for another `reset`. What was under way when the breaker opened
/// changes nothing.
///
/// Messages are told apart by their stream's number and the broker's id of their entry.
///
/// Thread safety: none; it belongs to a subscription_plan.
class circuit_breaker {
public:
    enum class state { closed, open, half_open };

    /// @param threshold  failing messages in a row that open it; 0: it is always closed
    circuit_breaker(int threshold, duration reset)
        : threshold_{threshold > 0 ? static_cast<std::size_t>(threshold) : 0}, reset_{reset} {}

    [[nodiscard]] state is() const noexcept { return state_; }
    /// True when a message may be handed to the handler now.
    [[nodiscard]] bool admits() const noexcept {
        return state_ == state::closed || (state_ == state::half_open && !probe_);
    }
    /// When an open breaker wants its probe.
    [[nodiscard]] std::optional<instant> probes_at() const noexcept {
        return state_ == state::open ? std::optional{probe_at_} : std::nullopt;
    }
    /// How many messages have failed in a row.
    [[nodiscard]] std::size_t failures() const noexcept { return failing_.size(); }

    /// From `probes_at` on: lets one message through.
    void half_open() noexcept;
    void handed_out(std::size_t source, std::string_view entry);

    /// Both return the state that this led to, when it changed.
    [[nodiscard]] std::optional<state> succeeded(std::size_t source, std::string_view entry);
    [[nodiscard]] std::optional<state> failed(std::size_t source, std::string_view entry, instant now);
    /// Nothing was learned from the message: if it was the probe, another one may be that.
    void withdrawn(std::size_t source, std::string_view entry);

private:
    using name = std::pair<std::size_t, std::string>;

    [[nodiscard]] bool is_probe(std::size_t source, std::string_view entry) const;
    state open(instant now) noexcept;

    std::size_t threshold_;
    duration reset_;
    state state_ = state::closed;
    std::set<name> failing_;  ///< since the last success
    std::optional<name> probe_;
    instant probe_at_;
};

/// `opened`, `half_open`, `closed`, as in the names of the trace events.
[[nodiscard]] std::string_view to_string(circuit_breaker::state state) noexcept;

}  // namespace sluice::consume
