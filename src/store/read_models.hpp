#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/error.hpp>

#include "store/records.hpp"

namespace sluice::store {

/// The tables of read models: making, rebuilding and exchanging them. Rows of the generation that counts are written by
/// `unit_session::commit` and read by `unit_session`.
///
/// A rebuild goes like this. `begin_rebuild` makes the next generation's table, or finds the one that an interrupted
/// rebuild left. Each `advance` writes rows and moves the position, in one transaction. `lock` keeps every projector
/// from committing, so that the rest of the log, up to its end, can be applied by `complete`, which makes the new
/// generation count. Everything up to that number is then in it, whether or not the projector had handled it.
///
/// Thread safety: one session is used by one thread at a time.
class read_model_session {
public:
    virtual ~read_model_session() = default;

    /// By name.
    [[nodiscard]] virtual std::vector<projection_status> list() = 0;
    [[nodiscard]] virtual std::int64_t count_rows(const row_table& table) = 0;

    /// Registers a read model and makes its table with view and indexes, unless it is registered; then only missing
    /// indexes are made. While the log is empty there is nothing to be built from, else it counts as not built.
    /// Several processes may do it at once. Returns true when it is new.
    /// @throws store_error  the name belongs to something that is no read model's
    virtual bool create(const detail::table_layout& layout) = 0;
    /// Registers the consumer group that feeds a read model, unless there is one: its place in the streams and its
    /// marks belong to the table, whatever the projector is called later.
    virtual void register_reader(const std::string& name, const std::string& group) = 0;

    /// Goes on with an interrupted rebuild of the same layout, or begins one (again when `restart`). The number of a
    /// generation is never used twice.
    [[nodiscard]] virtual rebuild_status begin_rebuild(const detail::table_layout& layout, bool restart,
                                                       date_time now) = 0;
    [[nodiscard]] virtual log_end end_of_log() = 0;
    /// Events of these categories with a number in (after, upto], by number, at most `limit`.
    [[nodiscard]] virtual std::vector<stream_event> events(const std::vector<std::string>& categories, sequence after,
                                                           sequence upto, std::size_t limit) = 0;
    [[nodiscard]] virtual std::optional<stored_row> load_row(const row_table& table, std::string_view key) = 0;
    /// @throws rebuild_superseded  the register has another generation or position
    virtual void advance(const detail::table_layout& layout, const rebuild_step& step) = 0;

    /// From now on, until `complete`, `unlock` or the end of this session, no projector of this read model commits.
    /// @throws rebuild_superseded
    /// @throws store_error  retryable; somebody else keeps the lock
    virtual void lock(const detail::table_layout& layout, const rebuild_status& at) = 0;
    /// The last step: its rows, and from now on the new generation counts, with `upto` as its floor. Unlocks, whatever
    /// comes of it.
    /// @throws rebuild_superseded
    virtual void complete(const detail::table_layout& layout, const rebuild_step& step) = 0;
    virtual void unlock() noexcept = 0;

    /// Drops the tables of generations that neither count nor are being built. Returns how many.
    virtual std::size_t drop_former(const detail::table_layout& layout) = 0;
};

/// Another process rebuilds the same read model, or has begun it anew.
class rebuild_superseded : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "rebuild_superseded"; }
};

}  // namespace sluice::store
