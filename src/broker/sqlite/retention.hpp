#pragma once

#include <cstdint>

#include <sluice/time.hpp>

#include "broker/sqlite/driver.hpp"
#include "broker/sqlite/sqlite_broker.hpp"

namespace sluice::broker::sqlite {

/// Removes entries that are too old or too many, in small steps beside the publishing. Never one that an existing group
/// has not acknowledged; one that nobody has
/// a handler for any more counts for the time that entries are kept, and then only while it is being read.
///
/// Looks once a minute. When there was more than one step could remove, the next batch goes on.
///
/// Thread safety: used by one thread at a time.
class retention {
public:
    static constexpr std::int64_t step = 500;  ///< entries per batch
    static constexpr duration pause{std::chrono::minutes{1}};

    explicit retention(const sqlite_broker_options& options) : maxlen_{options.maxlen}, keep_{options.retention} {}

    /// Removes at most `step` entries when it is time to. Call within a write transaction.
    void trim(connection& db, date_time now);
    /// The same whatever the time. True when there may be more.
    bool trim_once(connection& db, date_time now) const;

    /// Whether an entry that is not there, published at this time, may have been removed by it.
    [[nodiscard]] bool may_have_removed(connection& db, std::int64_t stream_id, std::int64_t entry,
                                        date_time published_at, date_time now) const;

private:
    [[nodiscard]] std::int64_t trim_stream(connection& db, std::int64_t stream_id, std::int64_t budget,
                                           date_time now) const;
    [[nodiscard]] std::int64_t last_beyond_maxlen(connection& db, std::int64_t stream_id) const;

    std::int64_t maxlen_;
    duration keep_;
    date_time next_{};
};

}  // namespace sluice::broker::sqlite
