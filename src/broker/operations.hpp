#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "broker/publisher.hpp"
#include "broker/stream_walk.hpp"

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

/// What came of an action on dead letters.
struct letters_outcome {
    /// Dead letters of one group that stay where they were, for one reason.
    struct left_behind {
        std::string stream;
        std::string group;
        std::string reason;  ///< with the remedy, one line
        std::size_t count = 0;
    };

    std::size_t changed = 0;
    std::vector<left_behind> left{};
    /// Why the action ended before it had seen all, one line; empty when it did not. What was changed stays so.
    std::string interrupted{};

    void leave(std::string_view stream, std::string_view group, std::string_view reason);
    [[nodiscard]] std::size_t left_count() const;
};

struct group_status {
    std::string stream;
    std::string group;
    std::int64_t length = 0;   ///< entries kept in the stream
    std::int64_t lag = 0;      ///< entries not yet delivered to the group
    std::int64_t pending = 0;  ///< delivered and not acknowledged
    std::int64_t dead = 0;
    std::string shared_name{};  ///< a consumer name that two living processes have; empty: none was seen
    std::string domain{};       ///< whose group it is; empty when nobody has said so
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
/// Thread safety: used by one thread at a time, but for `hurry`. Throws broker_error when the broker is away.
class operations {
public:
    virtual ~operations() = default;

    /// Newest first.
    [[nodiscard]] virtual std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter) = 0;
    /// How many match, whatever the limit. Costs little, however many there are.
    [[nodiscard]] virtual std::size_t count(const dead_letter_filter& filter) = 0;
    /// Hands the matching dead letters to the group that failed, and to no other, as if new with no attempts; oldest
    /// first, each atomically with removing it. At most `limit` of those that there are when it begins; one that cannot
    /// be handed back is passed over, and does not count towards the limit.
    [[nodiscard]] virtual letters_outcome replay(const dead_letter_filter& filter) = 0;
    /// Deletes the matching dead letters, oldest first and at most `limit`.
    [[nodiscard]] virtual letters_outcome purge(const dead_letter_filter& filter) = 0;
    /// How far each group is. Asked every few seconds, so it reads no messages; dead letters are counted by a counter.
    /// Groups that are gone and left dead letters are there, too.
    [[nodiscard]] virtual std::vector<group_status> groups() = 0;

    /// Who published last under this name; none where the broker does not fence, or nobody did.
    [[nodiscard]] virtual std::optional<fence_state> fence_of(std::string_view /*producer*/) { return std::nullopt; }
    /// Ids of the messages published last into the stream, newest first, at most `limit`. None where the broker cannot
    /// be asked.
    [[nodiscard]] virtual std::vector<std::string> newest_ids(std::string_view /*stream*/, std::size_t /*limit*/) {
        return {};
    }

    /// A walk through the stream, from the first entry that is not older than `from`; from the first that is kept, when
    /// that is not given or the broker cannot tell. Null unless `capabilities::walks`.
    [[nodiscard]] virtual std::unique_ptr<stream_walk> walk(std::string_view /*stream*/,
                                                            std::optional<date_time> /*from*/) {
        return nullptr;
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

    /// Call this from any thread to let calls that wait for the broker end soon: the one under way and all later ones
    /// wait no longer than `patience` from now. Adapters that never wait for anybody do nothing.
    virtual void hurry(duration /*patience*/) noexcept {}
};

}  // namespace sluice::broker
