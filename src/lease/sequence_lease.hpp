#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sluice/time.hpp>

#include "base/moment.hpp"
#include "lease/lease_keeper.hpp"
#include "store/store.hpp"

namespace sluice::lease {

/// The right to handle the messages of one sequential handler: a lease in a database, so that of all processes one at a
/// time has it. What is committed under its fence has no effect once somebody else took the lease over.
///
/// It is renewed every third of its life, and counts as lost a moment before it expires. The database's trouble costs
/// it only when that lasts as long.
///
/// Thread safety: none; it belongs to the thread of its subscription, with a connection of its own.
/// Lifetime: the database must outlive it.
class sequence_lease {
public:
    /// @param name  no lane's: one without a colon
    /// @param owner  different for each start of each process
    /// @param ttl  how long a silent owner keeps it
    sequence_lease(store::database& where, std::string name, std::string owner, duration ttl);
    sequence_lease(const sequence_lease&) = delete;
    sequence_lease& operator=(const sequence_lease&) = delete;
    ~sequence_lease() = default;

    /// Takes or renews the lease, when it is time for that. True while it is ours. Nothing is thrown: trouble of the
    /// database is in `obstacle`.
    [[nodiscard]] bool tend(base::moment now);
    /// When `tend` has something to do again.
    [[nodiscard]] instant due() const noexcept { return due_; }

    [[nodiscard]] bool is_held() const noexcept { return grant_.has_value(); }
    /// @pre is_held()
    [[nodiscard]] store::lease_fence fence() const { return {grant_->lane, grant_->epoch}; }
    /// 0 while it is not held.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return grant_ ? grant_->epoch : 0; }
    /// Who has it, or why it cannot be asked for; one line, empty while it is ours.
    [[nodiscard]] const std::string& obstacle() const noexcept { return obstacle_; }

    /// Somebody else was found to have it.
    void forget(base::moment now) noexcept;
    /// Gives it back, so that another process need not wait. What fails here expires.
    void release(base::moment now) noexcept;

private:
    void acquire(base::moment now);
    void renew(base::moment now);
    [[nodiscard]] store::lease_session& session();
    [[nodiscard]] store::lease_report report() const;

    store::database& database_;
    std::string name_;
    std::string owner_;
    lease::lease_keeper times_;
    std::unique_ptr<store::lease_session> session_;
    std::optional<store::lease_grant> grant_;
    instant due_;
    date_time since_;
    std::string obstacle_;
};

}  // namespace sluice::lease
