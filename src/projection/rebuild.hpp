#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "projection/rebuild_plan.hpp"
#include "projection/row_unit.hpp"

namespace sluice::projection {

struct rebuild_progress {
    store::sequence position = 0;
    store::sequence head = 0;
    std::int64_t events = 0;      ///< applied by this run
    std::size_t waiting_for = 0;  ///< transactions that write events and have not ended
};

/// What a rebuild needs of whoever runs it.
class rebuild_host {
public:
    virtual ~rebuild_host() = default;
    /// True when it shall end early; it can be gone on with.
    [[nodiscard]] virtual bool stopped() = 0;
    /// Waits; may return early when `stopped`.
    virtual void rest(duration time) = 0;
    virtual void progress(const rebuild_progress& now) = 0;
};

struct rebuild_report {
    bool finished = false;         ///< false: stopped early
    bool resumed = false;          ///< it went on with an interrupted one
    std::int64_t generation = 0;   ///< of the new table
    store::sequence position = 0;  ///< every event up to here is in it
    std::int64_t events = 0;       ///< applied by this run
    std::int64_t rows = 0;         ///< in the new table in the end
    /// Events of types that the domain does not declare any more were passed over: their number by type.
    std::map<std::string, std::int64_t> unknown{};
};

/// Builds a read model anew from the event log, while its projector goes on with the old table, and lets the new one
/// take the old one's place. What was done so far is in the database, so it may be interrupted anywhere, also by
/// SIGKILL, and another run goes on.
///
/// Thread safety: none. Lifetime: `env` and `projector` outlive it.
class projection_rebuild {
public:
    /// @param restart  throw away what an interrupted rebuild has done
    projection_rebuild(commit::environment& env, const detail::projector_entry& projector, bool restart);

    /// @throws store::rebuild_superseded  another process rebuilds the same read model
    /// @throws decode_error  an event cannot be projected; names it, the reason and the remedy
    /// @throws store_error  the database is away for longer than about a minute, or refuses
    [[nodiscard]] rebuild_report run(rebuild_host& host);

private:
    [[nodiscard]] bool attempt(rebuild_host& host);
    [[nodiscard]] bool was_completed();
    [[nodiscard]] row_unit rows_of_new_table();
    /// Applies events of (after, upto], one step's worth at most, and adds their number to `applied`.
    /// @returns up to where it came
    [[nodiscard]] store::sequence apply_some(store::sequence after, store::sequence upto, row_unit& rows,
                                             std::int64_t& applied);
    void apply_event(const store::stream_event& logged, row_unit& rows);
    void pass_over(const store::stream_event& logged);
    void perform(const rebuild_action::apply& act, rebuild_plan& plan);
    void perform(const rebuild_action::finish& act);
    /// Takes the lock; false when it is not to be had at the moment.
    [[nodiscard]] bool lock(store::sequence position);
    void tell(rebuild_host& host, const rebuild_plan& plan);
    void clean_up() noexcept;

    commit::environment& env_;
    const detail::projector_entry& projector_;
    store::database& database_;
    const std::vector<std::string> categories_;
    bool restart_;
    std::unique_ptr<store::read_model_session> session_;
    store::row_table table_{};
    store::rebuild_status at_{};
    rebuild_report report_{};
    bool moved_ = false;  ///< since the last trouble
    std::chrono::steady_clock::time_point next_line_{};
};

}  // namespace sluice::projection
