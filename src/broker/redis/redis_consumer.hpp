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
#include "broker/redis/connection.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/guard.hpp"
#include "broker/redis/pace.hpp"

namespace sluice::broker::redis {

/// One member of a group on one stream. It reads while it holds the group's lease, else it stands by; everything it
/// does is done under the lease, so a member that was frozen past its time neither takes nor settles anything behind
/// its successor. Until when the lease lasts is told and judged by the server's clock. A lease that is not renewed for
/// as long as it lasts counts as free, too, whatever time it names.
///
/// What is pending is claimed whole before anything new is read, without bodies, and then read page by page.
///
/// The group reads two streams: the one it is named for, and before that its dead letters that are replayed, whose
/// entries are called `replay/1795421921058-0`.
class redis_consumer {
public:
    redis_consumer(std::shared_ptr<server> at, std::string stream, membership member);
    redis_consumer(const redis_consumer&) = delete;
    redis_consumer& operator=(const redis_consumer&) = delete;
    /// Gives the lease back without waiting, so that another member goes on at once.
    ~redis_consumer();

    /// As the members of reader and keeper do.
    [[nodiscard]] std::vector<delivery> read(std::size_t limit, date_time now);
    void heartbeat(date_time now);
    void release();
    void ack(std::span<const std::string> entries);
    void defer(std::string_view entry, int attempts, date_time not_before);
    void dead_letter(const delivery& message, const death& why);

    /// Something is there to be handed out without asking the server.
    [[nodiscard]] bool has_backlog() const noexcept { return !backlog_.empty(); }
    [[nodiscard]] bool is_reading() const noexcept { return lease_.held(); }
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
    /// A time, and when it was told.
    struct reading {
        date_time time;
        monotonic::time_point at;
        [[nodiscard]] date_time now() const {
            return time + std::chrono::duration_cast<duration>(monotonic::now() - at);
        }
    };
    /// A lease of somebody else, and since when it was seen as it is.
    struct sighting {
        std::string lease;
        monotonic::time_point since;
    };

    template <class Action>
    auto guarded(Action action);
    void disconnect() noexcept;

    [[nodiscard]] bool join(const net::deadline& until);
    [[nodiscard]] std::string beginning(const net::deadline& until);
    [[nodiscard]] bool may_take(const guard::fields& lease, const net::deadline& until);
    [[nodiscard]] bool lives(const guard::fields& lease);
    void tell_of_namesake(const net::deadline& until);
    [[nodiscard]] bool take_over();
    [[nodiscard]] bool inherit(const source& from, const std::string& former);
    void load_attempts(const net::deadline& until);
    void start_over(const net::deadline& until);
    /// Behind which entry a group that is not there is made.
    [[nodiscard]] std::string place_of_new_group() const;
    void read_pending_again();
    [[nodiscard]] commands renewal() const;

    void ask_server_time(const net::deadline& until);
    [[nodiscard]] date_time server_now() const;
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
    void tell_trimmed(std::size_t count, const std::string& first) const;
    void drop_vanished(const net::deadline& until);
    [[nodiscard]] std::size_t replays_in_hand() const;
    [[nodiscard]] std::vector<delivery> hand_out(std::size_t limit);

    [[nodiscard]] bool settle(const commands& what);
    [[nodiscard]] commands settling(const std::vector<position>& entries) const;
    [[nodiscard]] source& of(origin from) { return sources_[from == origin::replay ? 0 : 1]; }
    [[nodiscard]] const source& of(origin from) const { return sources_[from == origin::replay ? 0 : 1]; }

    link link_;
    std::string stream_;
    membership member_;
    std::string attempts_key_;
    guard lease_;
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
    std::optional<reading> local_{};   ///< the time that we were told last
    std::optional<reading> server_{};  ///< the server's clock
    std::optional<sighting> other_{};
    bool told_of_namesake_ = false;
    bool joined_ = false;  ///< at least once: a group that vanished since is made anew at the beginning
};

}  // namespace sluice::broker::redis
