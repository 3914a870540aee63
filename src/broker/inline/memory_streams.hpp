#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/operations.hpp"
#include "broker/publisher.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::memory {

using entry_id = std::uint64_t;

/// Where a consumer looks, and under which name.
struct seat {
    std::string stream;
    membership member;
};

/// The streams, groups and dead letters of one inline broker.
///
/// Thread safety: all members may be called concurrently.
class memory_streams {
public:
    explicit memory_streams(std::size_t max_entries) : max_entries_{max_entries} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from);

    /// @param held  entries that the calling consumer object handed out and has not settled
    [[nodiscard]] std::vector<delivery> read(const seat& at, const std::unordered_set<entry_id>& held,
                                             std::size_t limit, date_time now);
    void stay_alive(const seat& at, date_time now);
    void release(const seat& at);
    void ack(const seat& at, std::span<const entry_id> entries);
    void defer(const seat& at, entry_id entry, int attempts, date_time not_before);
    void dead_letter(const seat& at, entry_id entry, const delivery& message, const death& why);

    /// Grows whenever there may be something new to read in the stream.
    [[nodiscard]] std::uint64_t version(const std::string& stream);
    /// Notifies `sleeper` of everything new in the stream, until `unwatch`.
    void watch(const std::string& stream, base::wake_signal& sleeper);
    void unwatch(const std::string& stream, base::wake_signal& sleeper);

    [[nodiscard]] std::vector<dead_letter_entry> dead_letters(const dead_letter_filter& filter);
    [[nodiscard]] std::size_t count(const dead_letter_filter& filter);
    [[nodiscard]] std::size_t replay(const dead_letter_filter& filter);
    [[nodiscard]] std::size_t purge(const dead_letter_filter& filter);
    [[nodiscard]] std::vector<group_status> groups();
    [[nodiscard]] std::optional<fence_state> fence_of(std::string_view producer);
    [[nodiscard]] std::vector<std::string> newest_ids(std::string_view name, std::size_t limit);
    /// The entry that came last into any stream.
    [[nodiscard]] entry_id last_entry();
    /// Entries of the stream with their messages' ids, those above `after` and up to `upto`, at most `limit`.
    [[nodiscard]] std::vector<std::pair<entry_id, std::string>> entries(std::string_view name, entry_id after,
                                                                        entry_id upto, std::size_t limit);
    /// Whether room may have been made of an entry that is not there.
    [[nodiscard]] bool may_have_removed(std::string_view name, entry_id entry);
    /// Who keeps the producer from publishing.
    [[nodiscard]] std::optional<fence_state> rival_of(const producer& from);
    [[nodiscard]] std::vector<known_group> known_groups();
    std::size_t rename_group(const std::string& from, const std::string& to);
    std::size_t retire_group(std::string_view stream, const std::string& name);
    void abandon_group(std::string_view stream, const std::string& name);

private:
    struct stored {
        std::string id;
        std::string key;
        std::string body;
        bool replayed = false;  ///< came back for the groups that have it pending; others do not see it
    };
    struct claim {
        std::string key;
        std::optional<std::string> consumer{};  ///< the seat of who holds it; empty: nobody
        int attempts = 0;
        std::optional<date_time> not_before{};
    };
    struct life {
        std::string name;
        incarnation process;
        date_time until;
    };
    struct group {
        entry_id cursor = 0;
        std::map<entry_id, claim> pending;
        std::map<std::string, life> members;  ///< by seat
        std::string domain{};
        bool abandoned = false;  ///< it has no handler, and holds nothing back

        [[nodiscard]] bool is_done_with(entry_id entry) const {
            return abandoned || (entry <= cursor && !pending.contains(entry));
        }
    };
    struct stream {
        std::map<entry_id, stored> entries;
        std::unordered_multimap<std::string, entry_id> by_message_id;  ///< several when their contents differ
        std::map<std::string, group> groups;
        std::multiset<base::wake_signal*> sleepers;
        std::uint64_t version = 0;
    };
    struct grave {
        entry_id entry;
        std::string message_id;
        std::string key;
        dead_letter_entry record;  ///< with the body
    };

    /// Made where the member wants to start when it is new.
    [[nodiscard]] group& group_of(const seat& at);
    [[nodiscard]] claim* claim_of(const seat& at, entry_id entry);
    [[nodiscard]] verdict insert(const outgoing& message);
    [[nodiscard]] static bool make_room(stream& s);
    /// Oldest first, up to the filter's limit.
    [[nodiscard]] std::vector<std::uint64_t> matching(const dead_letter_filter& filter) const;
    void unbury(std::uint64_t id);
    void forget_one(const dead_letter_entry& record);
    static void announce(stream& s);

    std::mutex mutex_;
    const std::size_t max_entries_;
    std::map<std::string, stream, std::less<>> streams_;
    std::map<std::string, fence_state, std::less<>> fences_;  ///< by producer
    std::map<std::uint64_t, grave> graves_;
    std::map<std::pair<std::string, std::string>, std::int64_t> dead_;  ///< graves of a stream and group
    entry_id last_entry_ = 0;
    std::uint64_t last_grave_ = 0;
};

}  // namespace sluice::broker::memory
