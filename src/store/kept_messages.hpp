#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "envelope/header.hpp"
#include "store/kept_removal.hpp"
#include "store/records.hpp"

namespace sluice::store {

/// A message whose handling failed, or that came behind one of its key. The database of the context that reads it keeps
/// it, when the broker cannot.
struct kept_message {
    sequence number = 0;  ///< given when it is kept: the order within a key
    kept_place at{};
    std::string entry{};  ///< the broker's id; unique within the place
    std::string key{};    ///< empty: it stands alone
    std::string body{};   ///< raw bytes
    envelope::header_list head{};
    std::string content_type{};
    int attempts = 0;
    std::optional<date_time> not_before{};
    std::string reason{};    ///< of the last failure; empty: none
    std::string code{};      ///< the same
    std::string consumer{};  ///< at which it failed
    /// Since when it is a dead letter; else it waits for its next attempt.
    std::optional<date_time> dead_since{};
};

/// Who works with messages, and until when the others leave them alone.
struct kept_claim {
    std::string owner{};  ///< no two living readers of a group have the same
    date_time now{};
    duration ttl{};
};

struct kept_filter {
    std::string broker{};
    std::string stream{};              ///< empty: any
    std::string group{};               ///< empty: any
    std::optional<sequence> number{};  ///< none: any
    std::size_t limit = 100;
};

struct kept_counts {
    kept_place at;
    std::int64_t waiting = 0;  ///< claimed by nobody
    std::int64_t claimed = 0;
    std::int64_t dead = 0;
};

/// How many messages to take.
struct kept_page {
    std::size_t limit = 100;
    std::size_t behind = 100;  ///< of these, so many at most that are not the first of their key
};

/// The messages of brokers that keep none themselves.
///
/// Of the messages of a key that wait, the one with the lowest number is the first; the others are behind it. Who has
/// claimed the first may take the others, and nobody else may. So the order of a key holds over several processes.
///
/// Thread safety: one session is used by one thread at a time.
class kept_message_session {
public:
    virtual ~kept_message_session() = default;

    /// Which of the keys have a message that waits there.
    [[nodiscard]] virtual std::vector<std::string> waiting_keys(const kept_place& at,
                                                                std::span<const std::string> keys) = 0;
    /// Keeps messages of one place, each behind those of its key; the first of its key is claimed. A message whose
    /// entry is kept already stays as it is. Returns their numbers, in order.
    [[nodiscard]] virtual std::vector<sequence> keep(std::span<const kept_message> messages,
                                                     const kept_claim& claim) = 0;
    /// Claims messages that wait and may be taken; by number, whether they are due or not.
    /// @param in_hand  numbers that the caller has already
    [[nodiscard]] virtual std::vector<kept_message> take(const kept_place& at, const kept_page& page,
                                                         std::span<const sequence> in_hand,
                                                         const kept_claim& claim) = 0;
    /// Notes a failed attempt of a message that the owner has claimed. Here and below, one that somebody else has
    /// claimed since is left alone.
    virtual void defer(sequence number, std::string_view owner, int attempts, date_time not_before) = 0;
    /// Turns a message into a dead letter, as which `failed` shows it.
    virtual void bury(const kept_name& name, std::string_view owner, const kept_message& failed) = 0;
    /// Removes messages that were handled, in a transaction of its own. A handler that writes to the same database
    /// removes its message with that (`commit_batch::kept`).
    virtual void remove(const kept_place& at, std::string_view owner, std::span<const kept_name> names) = 0;
    /// Prolongs all claims of an owner in a group.
    virtual void renew(std::string_view broker, std::string_view group, const kept_claim& claim) = 0;
    /// Gives them up.
    virtual void release(std::string_view broker, std::string_view group, std::string_view owner) = 0;

    /// Dead letters, newest first.
    [[nodiscard]] virtual std::vector<kept_message> dead(const kept_filter& filter) = 0;
    [[nodiscard]] virtual std::size_t count_dead(const kept_filter& filter) = 0;
    /// Lets dead letters wait again, without attempts and behind all others of their key; oldest first, at most
    /// `limit`. Returns how many.
    virtual std::size_t replay(const kept_filter& filter) = 0;
    /// Deletes dead letters, oldest first, at most `limit`. Returns how many.
    virtual std::size_t purge(const kept_filter& filter) = 0;
    [[nodiscard]] virtual std::vector<kept_counts> counts(std::string_view broker) = 0;
    /// Gives what a group has there to another name.
    virtual void rename_group(std::string_view broker, std::string_view from, std::string_view to) = 0;
    /// Deletes all that a group has, on one stream or, when that is empty, on all.
    virtual void retire_group(std::string_view broker, std::string_view stream, std::string_view group) = 0;
};

}  // namespace sluice::store
