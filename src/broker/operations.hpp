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
    std::string domain{};  ///< whose group it is; empty when nobody has said so
};

/// A consumer group on one stream.
struct known_group {
    std::string stream;
    std::string group;
    std::string domain{};  ///< empty when nobody has said so

    friend bool operator==(const known_group&, const known_group&) = default;
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

    /// The same groups without their counts, which may cost a walk through every stream.
    [[nodiscard]] virtual std::vector<known_group> known_groups() = 0;
    /// Gives a group another name on every stream: its place, what it has in hand or waiting, its failed attempts, its
    /// dead letters, and what is on its way back to it. No consumer of it may be at work. One that was interrupted can
    /// be repeated. Returns on how many streams it was found.
    /// @throws usage_error  there is a group of the new name on one of the streams; nothing was changed
    virtual std::size_t rename_group(std::string_view from, std::string_view to) = 0;
    /// Removes a group with everything that it holds, its dead letters, too: from one stream, or from all when none is
    /// named. Returns from how many.
    virtual std::size_t retire_group(std::string_view stream, std::string_view group) = 0;
    /// Says that a group has no handler any more: it keeps its place, but from now on what it has not read is kept for
    /// no longer than the broker's retention. Its next consumer takes that back.
    virtual void abandon_group(std::string_view stream, std::string_view group, date_time now) = 0;
    /// Removes now what retention does not keep any more, in small steps; brokers that do it by themselves do nothing.
    virtual void trim(date_time now) = 0;
};

}  // namespace sluice::broker
