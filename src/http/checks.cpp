#include "http/checks.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::http {

namespace {

/// A connection that stays open does not show that new ones are refused, or that a file was moved away.
constexpr auto connection_life = std::chrono::seconds{10};
constexpr duration probe_timeout = std::chrono::seconds{3};
constexpr duration least_pause = std::chrono::seconds{2};

/// Runs an expensive question when it is due, and says when it is due again.
template <class Question>
void when_due(instant& due, Question ask) {
    const instant begin = instant_now();
    if (begin < due) return;
    ask();
    const instant end = instant_now();
    due = end + pause_after(std::chrono::duration_cast<duration>(end - begin), least_pause);
}

/// Asked for only while a lane keeps a place in the log.
std::optional<store::open_writer> oldest_writer(store::operations_session& session,
                                                const std::vector<store::lane_status>& leases) {
    if (std::none_of(leases.begin(), leases.end(), [](const auto& each) { return each.horizon.has_value(); }))
        return {};
    for (auto& each : operate::long_writers(session.open_writers())) {
        if (each.age) return std::move(each);
    }
    return {};
}

}  // namespace

void database_check::look() {
    if (session_ && instant_now() - opened_ > connection_life) close();
    try {
        ask();
    } catch (const error&) {
        close();
        ask();
    }
}

void database_check::ask() {
    try {
        open();
        auto leases = session_->lanes();
        auto pauses = session_->paused_lanes();
        auto audits = session_->noted_audits();
        const auto next_due = schedule_->next_due();
        auto writer = oldest_writer(*session_, leases);
        {
            const std::lock_guard lock{mutex_};
            found_.lanes.leases = std::move(leases);
            found_.lanes.pauses = std::move(pauses);
            found_.lanes.audits = std::move(audits);
            found_.writer = std::move(writer);
            found_.next_due = next_due;
        }
        when_due(count_at_, [this] {
            auto counts = session_->outbox_summary();
            const std::lock_guard lock{mutex_};
            found_.lanes.counts = std::move(counts);
        });
    } catch (...) {
        close();
        throw;
    }
}

void database_check::open() {
    if (session_) return;
    schedule_ = database_->open_unit();
    session_ = database_->open_operations();
    opened_ = instant_now();
}

void database_check::close() noexcept {
    session_.reset();
    schedule_.reset();
}

database_findings database_check::findings() const {
    const std::lock_guard lock{mutex_};
    return found_;
}

void broker_check::look() {
    std::string trouble = (publisher_ ? *publisher_ : open_publisher()).probe(probe_timeout);
    if (!trouble.empty()) trouble = open_publisher().probe(probe_timeout);
    if (!trouble.empty()) throw broker_error{trouble, error_nature::retryable};
    if (make_operations_) when_due(groups_at_, [this] { ask_for_groups(); });
}

/// Connections are written with the mutex held, and read with it by any other thread than the one that looks.
broker::publisher& broker_check::open_publisher() {
    auto fresh = broker_->open_publisher();
    const std::lock_guard lock{mutex_};
    if (in_a_hurry_) fresh->hurry({});
    publisher_ = std::move(fresh);
    return *publisher_;
}

broker::operations& broker_check::open_operations() {
    auto fresh = make_operations_();
    const std::lock_guard lock{mutex_};
    if (in_a_hurry_) fresh->hurry({});
    operations_ = std::move(fresh);
    return *operations_;
}

void broker_check::hurry() noexcept {
    const std::lock_guard lock{mutex_};
    in_a_hurry_ = true;
    if (publisher_) publisher_->hurry({});
    if (operations_) operations_->hurry({});
}

void broker_check::ask_for_groups() {
    std::optional<std::vector<broker::group_status>> groups;
    try {
        groups = (operations_ ? *operations_ : open_operations()).groups();
    } catch (const error&) {
        const std::lock_guard lock{mutex_};
        operations_.reset();  // the broker answered the probe: only this question has no answer now
    }
    const std::lock_guard lock{mutex_};
    groups_ = std::move(groups);
}

std::optional<std::vector<broker::group_status>> broker_check::findings() const {
    const std::lock_guard lock{mutex_};
    return groups_;
}

}  // namespace sluice::http
