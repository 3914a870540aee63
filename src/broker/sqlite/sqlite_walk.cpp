#include "broker/sqlite/sqlite_walk.hpp"

#include <charconv>

#include "broker/sqlite/retention.hpp"

namespace sluice::broker::sqlite {

template <class Result, class Action>
Result sqlite_walk::guarded(Action action) {
    if (link_.untouched()) return Result{};
    try {
        return action(link_.open());
    } catch (const outage& failure) {
        link_.after(failure);
        throw;
    }
}

sqlite_walk::sqlite_walk(file_link& by, std::string_view stream, std::optional<date_time> from) : link_{by} {
    guarded<bool>([&](connection& db) {
        statement known{db, "SELECT id FROM broker_stream WHERE name = ?"};
        if (auto found = known.query(stream); found.next()) stream_id_ = found.integer(0);
        if (!stream_id_) return true;
        statement end{db, "SELECT COALESCE(MAX(id), 0) FROM broker_entry WHERE stream_id = ?"};
        if (auto found = end.query(*stream_id_); found.next()) end_ = found.integer(0);
        if (!from) return true;
        statement first{db, "SELECT COALESCE(MIN(id), ?3) FROM broker_entry WHERE stream_id = ?1 AND created_at >= ?2"};
        if (auto found = first.query(*stream_id_, from->micros(), end_ + 1); found.next()) last_ = found.integer(0) - 1;
        return true;
    });
}

std::vector<walked_entry> sqlite_walk::next(std::size_t limit) {
    return guarded<std::vector<walked_entry>>([&](connection& db) {
        std::vector<walked_entry> page;
        if (!stream_id_) return page;
        statement select{db,
                         "SELECT id, message_id FROM broker_entry WHERE stream_id = ?1 AND id > ?2 AND id <= ?3 "
                         "AND replayed = 0 ORDER BY id LIMIT ?4"};
        for (auto found = select.query(*stream_id_, last_, end_, limit); found.next();) {
            last_ = found.integer(0);
            page.push_back({.message_id = found.text(1)});
        }
        return page;
    });
}

bool sqlite_walk::has_expired(std::string_view receipt, date_time confirmed_at) {
    std::int64_t entry = 0;
    const char* const end = receipt.data() + receipt.size();
    const auto [stop, failure] = std::from_chars(receipt.data(), end, entry);
    if (failure != std::errc{} || stop != end || !stream_id_) return false;
    return guarded<bool>([&](connection& db) {
        return retention{link_.file().options()}.may_have_removed(db, *stream_id_, entry, confirmed_at,
                                                                  link_.file().now());
    });
}

}  // namespace sluice::broker::sqlite
