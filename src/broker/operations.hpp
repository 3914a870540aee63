#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "broker/publisher.hpp"

namespace sluice::broker {

/// A message that a consumer group gave up on.
struct dead_letter_entry {
    std::string id;      ///< unique within the broker; what `dlq show|replay` take
    std::string stream;  ///< where it came from
    std::string original_entry;
    std::string group;
    std::string consumer;
    std::string reason;
    std::string code;
    int attempts = 0;
    date_time failed_at;
    std::string body;  ///< raw bytes as published
};

struct dead_letter_filter {
    std::string stream{};  ///< empty: any
    std::string group{};   ///< empty: any
    std::string id{};      ///< empty: any
    std::size_t limit = 100;
};

struct group_status {
    std::string stream;
    std::string group;
    std::int64_t length = 0;   ///< entries kept in the stream
    std::int64_t lag = 0;      ///< entries not yet delivered to the group
    std::int64_t pending = 0;  ///< delivered and not acknowledged
    std::int64_t dead = 0;
};

/// What operators need of a broker.
///
/// Thread safety: used by one thread at a time. Throws broker_error when the broker is away.
class operations {
public:
    virtual ~operations() = default;

    /// Newest first.
    [[nodiscard]] virtual std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) = 0;
    /// Hands the matching dead letters to the group that failed, and to no other, as if new with no attempts; oldest
    /// first, atomically with removing them. Returns how many.
    [[nodiscard]] virtual std::size_t replay(const dead_letter_filter& filter) = 0;
    [[nodiscard]] virtual std::size_t purge(const dead_letter_filter& filter) = 0;
    [[nodiscard]] virtual std::vector<group_status> groups() = 0;

    /// Who published last under this name; none where the broker does not fence, or nobody did.
    [[nodiscard]] virtual std::optional<fence_state> fence_of(std::string_view /*producer*/) { return std::nullopt; }
    /// Ids of the messages published last into the stream, newest first, at most `limit`. None where the broker cannot
    /// be asked.
    [[nodiscard]] virtual std::vector<std::string> newest_ids(std::string_view /*stream*/, std::size_t /*limit*/) {
        return {};
    }
};

}  // namespace sluice::broker
