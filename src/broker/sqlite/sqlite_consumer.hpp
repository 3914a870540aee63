#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "broker/reader.hpp"
#include "broker/sqlite/file_link.hpp"
#include "broker/sqlite/streams.hpp"
#include "sqlite/commit_watch.hpp"

namespace sluice::broker::sqlite {

/// One member of a group on one stream. Who holds which message stands in the file; which of ours this object has
/// handed out, in `held_`.
///
/// A message that another consumer took over after our claim ran out is not ours any more: acknowledging, deferring or
/// burying it changes nothing. A consumer of another process that has our name is another consumer.
class sqlite_consumer {
public:
    sqlite_consumer(const std::shared_ptr<broker_file>& file, std::string stream, membership member)
        : link_{file, flush::lazily}, stream_{std::move(stream)}, member_{std::move(member)} {}

    /// As the members of reader and keeper do.
    [[nodiscard]] std::vector<delivery> read(std::size_t limit, date_time now);
    void heartbeat(date_time now);
    void release();
    void ack(std::span<const std::string> entries);
    void defer(std::string_view entry, int attempts, date_time not_before);
    void dead_letter(const delivery& message, const death& why);

    /// Somebody has committed since the last `read`.
    [[nodiscard]] bool has_news();
    /// Sleeps until then.
    /// @param other_news  asked beside that; looks at the same file over another connection
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout,
                                         const std::function<bool()>& other_news);

private:
    using entry_id = std::int64_t;

    struct candidate {
        entry_id id;
        std::string_view key;
        std::string_view body;
        std::string_view head{};          ///< as it is stored
        std::string_view content_type{};  ///< the same
        int attempts = 0;
        std::optional<date_time> not_before{};
    };

    template <class Action>
    auto guarded(Action action);
    void join(connection& db);
    /// Offers the messages of the group in order: `take(candidate, is_new)`, `park(id, key)`.
    template <class Take, class Park>
    void walk(connection& db, std::size_t limit, date_time now, Take take, Park park) const;
    [[nodiscard]] bool something_to_read(connection& db, date_time now) const;
    [[nodiscard]] std::vector<delivery> claim(connection& db, std::size_t limit, date_time now);
    [[nodiscard]] delivery to_delivery(const candidate& from) const;
    void stay_alive(connection& db, date_time now) const;
    /// Names of consumers that are dead and hold nothing go; a living one with our name is told of.
    void look_at_members(connection& db, date_time now);
    [[nodiscard]] bool give_up(connection& db, entry_id id) const;

    file_link link_;
    std::string stream_;
    membership member_;
    std::string seat_ = member_.seat();
    std::optional<group_row> group_{};
    std::uint64_t joined_ = 0;  ///< generation of the link that `group_` and `watch_` belong to
    std::optional<sluice::sqlite::commit_watch> watch_{};
    std::int64_t seen_version_ = -1;  ///< `data_version` of the link's connection before the last read
    std::unordered_set<entry_id> held_{};
    date_time next_look_at_members_{};
    bool told_of_namesake_ = false;
};

}  // namespace sluice::broker::sqlite
