#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/nats/jetstream.hpp"
#include "broker/stream_walk.hpp"

namespace sluice::broker::nats {

/// Walks through one subject by asking for the messages one by one, many at a time: a consumer would be something that
/// JetStream keeps, and that counts towards what keeps messages in a stream of another retention. Reads over the other
/// subjects of JetStream's stream.
class nats_walk final : public stream_walk {
public:
    /// Runs what asks JetStream. @throws broker_error
    using runner = std::function<void(const std::function<void(session&, const net::deadline&)>&)>;

    /// @param stream  ours
    /// @param run     must outlive it
    nats_walk(runner run, std::string_view stream, std::optional<date_time> from);

    [[nodiscard]] std::vector<walked_entry> next(std::size_t limit) override;
    /// What stands before the first message of the subject; in a stream that does not keep by limits, everything.
    [[nodiscard]] bool has_expired(std::string_view receipt, date_time confirmed_at) override;

private:
    void start_at(session& on, date_time from, const net::deadline& until);
    [[nodiscard]] std::vector<walked_entry> entries_in(const std::vector<stored_message>& found) const;
    void find_first_kept();

    runner run_;
    std::string subject_;
    std::optional<std::string> kept_in_{};  ///< nothing takes the subject: there are no messages
    std::uint64_t next_ = 0;
    std::uint64_t end_ = 0;  ///< the last one when the walk began
    std::optional<std::uint64_t> first_kept_{};
};

}  // namespace sluice::broker::nats
