#include "lease/sequence_lease.hpp"

#include <exception>
#include <utility>

#include "base/one_line.hpp"

namespace sluice::lease {

sequence_lease::sequence_lease(store::database& where, std::string name, std::string owner, duration ttl)
    : database_{where}, name_{std::move(name)}, owner_{std::move(owner)}, times_{ttl, duration{0}} {}

bool sequence_lease::tend(base::moment now) {
    if (grant_ && !times_.is_trusted(now.steady)) forget(now);
    if (now.steady < due_) return is_held();
    try {
        grant_ ? renew(now) : acquire(now);
    } catch (const std::exception& trouble) {
        session_.reset();
        obstacle_ = base::one_line(trouble.what());
        due_ = now.steady + times_.stand_by_interval();
    }
    return is_held();
}

void sequence_lease::acquire(base::moment now) {
    auto answer = session().acquire(name_, owner_, now.wall, times_.ttl());
    if (!answer) {
        obstacle_ = answer.obstacle().empty() ? "another process handles these messages" : answer.obstacle();
        due_ = now.steady + times_.stand_by_interval();
        return;
    }
    grant_ = std::move(*answer);
    since_ = now.wall;
    obstacle_.clear();
    times_.granted(now.steady);
    due_ = times_.renew_at();
}

void sequence_lease::renew(base::moment now) {
    if (!session().renew(*grant_, report(), now.wall, times_.ttl())) return forget(now);
    obstacle_.clear();
    times_.granted(now.steady);
    due_ = times_.renew_at();
}

void sequence_lease::forget(base::moment now) noexcept {
    grant_.reset();
    due_ = now.steady + times_.stand_by_interval();
}

void sequence_lease::release(base::moment now) noexcept {
    if (!grant_) return;
    try {
        session().release(*grant_, report());
    } catch (const std::exception&) {
        session_.reset();
    }
    forget(now);
}

store::lease_session& sequence_lease::session() {
    if (!session_) session_ = database_.open_lease();
    return *session_;
}

store::lease_report sequence_lease::report() const { return {.since = since_}; }

}  // namespace sluice::lease
