#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/reader.hpp"
#include "broker/redis/bell.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/pace.hpp"
#include "broker/redis/reader_seat.hpp"
#include "broker/redis/told_time.hpp"

namespace sluice::broker::redis {

/// One member of a group on one stream. It reads while it has the group's seat, else it stands by.
///
/// What is pending is claimed whole before anything new is read, without bodies, and then read page by page.
///
/// The group reads two streams: the one it is named for, and before that its dead letters that are replayed, whose
/// entries are called `replay/1795421921058-0`.
class redis_consumer {
public:
    redis_consumer(std::shared_ptr<server> at, const std::string& stream, const membership& member);
    redis_consumer(const redis_consumer&) = delete;
    redis_consumer& operator=(const redis_consumer&) = delete;

    /// As the members of reader and keeper do.
    [[nodiscard]] std::vector<delivery> read(std::size_t limit, date_time now);
    void heartbeat(date_time now);
    void release();
    void ack(std::span<const std::string> entries);
    void defer(std::string_view entry, int attempts, date_time not_before);
    void dead_letter(const delivery& message, const death& why);

    /// Something is there to be handed out without asking the server.
    [[nodiscard]] bool has_backlog() const noexcept { return !backlog_.empty(); }
    [[nodiscard]] bool is_reading() const noexcept { return seat_.held(); }
    /// Where it may hear of more to read: as many places for each consumer.
    [[nodiscard]] std::array<bell::place, 2> places() const;
    /// The bell has rung there.
    void heard(std::span<const bell::place> rung);

private:
    enum class origin { replay, stream };

    /// An entry of one of the two streams.
    struct position {
        origin from = origin::stream;
        entry_id id;

        friend auto operator<=>(const position&, const position&) = default;
        [[nodiscard]] std::string text() const;
        /// @throws usage_error when the text is nothing that `read` returned
        [[nodiscard]] static position parse(std::string_view text);
    };
    struct source {
        origin from;
        std::string key;
        std::optional<entry_id> resume{};  ///< what we had pending is still to be read behind this one
        entry_id seen{};                   ///< up to here everything was given to the group
        entry_id heard{};                  ///< the entry that ended the last sleep
    };
    struct fetched {
        position at;
        std::string original;  ///< id in the stream that it was published in
        std::string body;
    };
    struct attempt_record {
        int attempts = 0;
        date_time not_before;
    };

    using monotonic = std::chrono::steady_clock;

    template <class Action>
    auto guarded(Action action);
    void disconnect() noexcept;

    [[nodiscard]] bool join(const net::deadline& until);
    void load_attempts(const net::deadline& until);
    void start_over(const net::deadline& until);
    void read_pending_again();
    [[nodiscard]] date_time local_now() const;

    [[nodiscard]] bool may_go_on(const net::deadline& until) const;
    [[nodiscard]] bool gather(std::size_t limit, const net::deadline& until);
    [[nodiscard]] std::optional<reply> run(const commands& what, const net::deadline& until);
    [[nodiscard]] bool recover(source& from, std::size_t limit, const net::deadline& until);
    [[nodiscard]] bool read_new(std::size_t limit, const net::deadline& until);
    [[nodiscard]] bool read_on(std::size_t limit, const net::deadline& until);
    [[nodiscard]] bool read_replayed(std::size_t limit, const net::deadline& until);
    void add_reading(commands& into, const source& from, std::size_t limit, const std::string& after) const;
    /// What an XREADGROUP gave; nothing when there is no such group.
    [[nodiscard]] std::optional<std::vector<fetched>> entries_in(const reply& answer, const source& from);
    [[nodiscard]] std::vector<fetched> parse_entries(const reply& entries, const source& from);
    [[nodiscard]] bool reclaim();
    [[nodiscard]] bool is_known(const position& at) const;
    void remove_idle_names(const net::deadline& until);
    void drop_vanished(const net::deadline& until);
    [[nodiscard]] std::size_t replays_in_hand() const;
    [[nodiscard]] std::vector<delivery> hand_out(std::size_t limit);

    [[nodiscard]] bool settle(const commands& what);
    [[nodiscard]] commands settling(const std::vector<position>& entries) const;
    [[nodiscard]] source& of(origin from) { return sources_[from == origin::replay ? 0 : 1]; }
    [[nodiscard]] const source& of(origin from) const { return sources_[from == origin::replay ? 0 : 1]; }

    reader_seat seat_;
    std::string attempts_key_;
    std::array<source, 2> sources_;

    std::deque<fetched> backlog_;           ///< ours on the server, and not yet handed out
    std::map<position, std::string> held_;  ///< handed out, with the original id
    std::map<std::string, attempt_record, std::less<>>
        attempts_;                    ///< by entry; as on the server while we hold the lease
    std::vector<position> vanished_;  ///< pending entries that the stream does not have any more
    reading_pace reading_;
    duration took_{};  ///< the last transaction
    monotonic::time_point next_reclaim_{};
    monotonic::time_point next_clean_up_{};
    std::optional<told_time> local_{};  ///< the time that we were told last
};

}  // namespace sluice::broker::redis
