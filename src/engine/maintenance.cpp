#include "engine/maintenance.hpp"

#include <algorithm>
#include <chrono>

#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "base/one_line.hpp"
#include "broker/operations.hpp"
#include "consume/broker_operations.hpp"
#include "consume/orphan_groups.hpp"
#include "observe/log.hpp"

namespace sluice::engine {

namespace {

// No lane is named so: a lane's name has a colon.
constexpr std::string_view lease_name = "maintenance";
constexpr duration lease_time = std::chrono::minutes{1};

}  // namespace

void maintenance::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] { signal_.notify(); }};
    const duration interval = base::from_seconds(env_.configuration().outbox.cleanup.interval_seconds);
    while (!stop.stop_requested()) {
        round(stop);
        static_cast<void>(base::wait_any(signal_, nullptr, interval));  // only the stop ends it before its time
    }
}

void maintenance::round(const std::stop_token& stop) {
    for (const auto& [name, database] : env_.parts().databases) {
        if (stop.stop_requested()) return;
        try {
            report_orphans(name, *database);
            forget_what_expired(name, *database, stop);
        } catch (const store_error& e) {
            observe::log(observe::level::warn, "engine.maintenance_failed",
                         {{"database", name}, {"reason", base::one_line(e.what())}});
        }
    }
    for (const auto& [name, settings] : env_.parts().brokers) {
        if (stop.stop_requested()) return;
        try {
            tidy_broker(name, stop);
        } catch (const broker_error& e) {
            if (stop.stop_requested()) return;  // it was not given the time
            observe::log(observe::level::warn, "engine.maintenance_failed",
                         {{"broker", name}, {"reason", base::one_line(e.what())}});
        }
    }
}

/// None of it is worth waiting for when the engine is to stop.
void maintenance::tidy_broker(const std::string& name, const std::stop_token& stop) {
    const auto operations = consume::open_broker_operations(env_.parts(), name);
    const std::stop_callback give_up{stop, [&] { operations->hurry(duration{0}); }};
    const auto orphans = consume::orphan_groups(operations->known_groups(), consume::routes_of(env_), name,
                                                consume::places_of(env_), env_.domain().normalized);
    for (const broker::known_group& each : orphans) {
        operations->abandon_group(each.stream, each.group, env_.time().now());
        if (!told_.insert({each.stream, each.group}).second) continue;
        observe::log(observe::level::warn, "subscription.orphaned",
                     {{"group", each.group},
                      {"broker", name},
                      {"stream", each.stream},
                      {"reason", "no handler of this build reads it"},
                      {"remedy", consume::remedy_for(each)}});
    }
    operations->trim(env_.time().now());
}

void maintenance::report_orphans(std::string_view name, store::database& database) const {
    const auto& outbox = env_.configuration().outbox;
    for (const auto& [broker, counts] : database.open_operations()->outbox_summary()) {
        const bool has_lane = broker == outbox.broker ||
                              std::find(outbox.external_brokers.begin(), outbox.external_brokers.end(), broker) !=
                                  outbox.external_brokers.end();
        if (has_lane) continue;
        std::int64_t open = 0;
        for (const auto& [status, count] : counts.by_status) open += store::is_open(status) ? count : 0;
        if (open == 0) continue;
        observe::log(observe::level::warn, "outbox.orphaned",
                     {{"broker", broker},
                      {"database", std::string{name}},
                      {"rows", open},
                      {"remedy",
                       "add it to outbox.external_brokers again, or give the rows up with: sluice outbox "
                       "retire " +
                           broker}});
    }
}

void maintenance::forget_what_expired(std::string_view name, store::database& database, const std::stop_token& stop) {
    constexpr double seconds_per_hour = 3600;
    const auto& configuration = env_.configuration();
    const base::moment now = base::moment_of(env_.time());
    const date_time begin = now.wall;
    const date_time before = begin - base::from_seconds(configuration.inbox.retention_hours * seconds_per_hour);
    const std::size_t batch = configuration.outbox.cleanup.batch_size;

    const auto lease = database.open_lease();
    auto grant = lease->acquire(lease_name, owner_, begin, lease_time);
    auto& calendar = calendars_[std::string{name}];
    calendar.noted(now);
    if (!grant) return;
    if (grant->expired_before) calendar.compare(*grant->expired_before, now);
    const store::lease_report report{.state = "idle", .detail = {}, .since = begin};
    const auto operations = database.open_operations();
    if (now.steady < calendar.trusted_from()) return lease->release(*grant, report);
    /// True when there is nothing left to forget, false when the work is somebody else's now.
    const auto in_batches = [&](const auto& forget) {
        while (!stop.stop_requested() && forget() >= batch) {
            if (!lease->renew(*grant, report, env_.time().now(), lease_time)) return false;
        }
        return true;
    };
    if (!in_batches([&] { return operations->purge_inbox(before, batch); })) return;
    if (!in_batches([&] { return operations->purge_outcomes(begin, batch); })) return;
    lease->release(*grant, report);
}

}  // namespace sluice::engine
