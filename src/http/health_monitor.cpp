#include "http/health_monitor.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "broker/broker.hpp"
#include "consume/broker_operations.hpp"
#include "domain/databases.hpp"
#include "operate/subscriptions.hpp"

namespace sluice::http {

namespace {

std::vector<counted_lane> lanes_to_count(const commit::environment& env) {
    std::vector<counted_lane> lanes;
    const auto& outbox = env.configuration().outbox;
    for (const std::string& database : detail::databases_with_lanes(env.domain())) {
        lanes.push_back({database, outbox.broker, false});
        for (const std::string& broker : outbox.external_brokers) lanes.push_back({database, broker, true});
    }
    return lanes;
}

std::vector<counted_subscription> subscriptions_to_count(const std::vector<consume::route>& routes) {
    std::vector<counted_subscription> all;
    for (const consume::route& route : routes) {
        for (const std::string& stream : route.streams) all.push_back({route.name, route.broker, stream});
    }
    return all;
}

/// The state of a subscription as its engine shows it.
std::string state_of(const std::vector<engine::worker_status>& workers, const std::string& name) {
    const auto found = std::find_if(workers.begin(), workers.end(), [&](const engine::worker_status& each) {
        return each.what == engine::worker_status::kind::subscription && each.name == name;
    });
    return found == workers.end() ? "stopped" : found->state;
}

}  // namespace

std::shared_ptr<metrics> make_metrics(commit::environment& env) {
    return std::make_shared<metrics>(env.domain().name, lanes_to_count(env),
                                     subscriptions_to_count(consume::routes_of(env)));
}

health_monitor::health_monitor(commit::environment& env, std::shared_ptr<const metrics> counts,
                               const std::optional<watch_timing>& timing)
    : env_{env}, routes_{consume::routes_of(env)}, metrics_{std::move(counts)} {
    if (timing) add_watches(*timing);
}

void health_monitor::watch(const engine::engine& running) {
    engine_ = &running;
    for (const auto& each : databases_) each->watch.start();
    for (const auto& each : brokers_) each->watch.start();
    phase_ = phase::running;
}

bool health_monitor::leave(duration patience) {
    const auto each_watch = [this](auto visit) {
        for (const auto& each : databases_) visit(each->watch);
        for (const auto& each : brokers_) visit(each->watch);
    };
    each_watch([](http::watch& w) { w.request_stop(); });
    for (const auto& each : brokers_) each->check.hurry();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    bool all_ended = true;
    each_watch([&](http::watch& w) { all_ended = w.ended_by(deadline) && all_ended; });
    return all_ended;
}

void health_monitor::add_watches(const watch_timing& timing) {
    const std::set<std::string> with_lanes = detail::databases_with_lanes(env_.domain());
    for (const auto& [name, database] : env_.parts().databases) {
        databases_.push_back(std::make_unique<watched_database>(name, database, with_lanes.contains(name), timing));
    }
    for (const auto& [name, broker] : env_.parts().brokers) {
        const bool is_read = std::any_of(routes_.begin(), routes_.end(),
                                         [&key = name](const consume::route& each) { return each.broker == key; });
        broker_check::operations_opener operations;
        if (is_read) operations = [this, name = name] { return consume::open_broker_operations(env_.parts(), name); };
        brokers_.push_back(std::make_unique<watched_broker>(name, broker, std::move(operations), timing));
    }
}

health_report health_monitor::report() const {
    health_report seen{.at = phase_};
    if (seen.at == phase::starting) return seen;
    const auto& outbox = env_.configuration().outbox;
    const date_time now = env_.time().now();
    for (const auto& each : databases_) {
        component one{.name = each->name, .decisive = true, .sign = each->watch.sign()};
        if (each->has_lanes) add_lanes(*each, one.sign.is == sign::ok, now, seen);
        seen.databases.push_back(std::move(one));
    }
    for (const auto& each : brokers_) {
        seen.brokers.push_back(
            {.name = each->name, .decisive = each->name == outbox.broker, .sign = each->watch.sign()});
    }
    add_subscriptions(seen);
    return seen;
}

void health_monitor::add_lanes(const watched_database& of, bool answers, date_time now, health_report& to) const {
    const auto& outbox = env_.configuration().outbox;
    const database_findings found = of.check.findings();
    auto lanes =
        answers ? operate::view_lanes(outbox, of.name, found.lanes, now) : operate::unknown_lanes(outbox, of.name);
    std::move(lanes.begin(), lanes.end(), std::back_inserter(to.lanes));
    if (!answers) return;
    to.writers.push_back({.database = of.name, .oldest = found.writer});
    to.schedules.push_back({.database = of.name, .overdue = std::max(now - found.next_due.value_or(now), duration{0})});
}

process_figures health_monitor::figures() const {
    process_figures process{.uptime = std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begin_)};
    if (const engine::engine* const running = engine_; running != nullptr) {
        for (const engine::worker_status& each : running->status()) {
            process.restarts.emplace_back(each.name, each.restarts);
        }
    }
    process.spans = env_.tracer().spans_counted();
    return process;
}

void health_monitor::add_subscriptions(health_report& to) const {
    operate::groups_by_broker seen;
    for (const auto& each : brokers_) {
        if (each->watch.sign().is != sign::ok) continue;
        if (auto groups = each->check.findings()) seen.emplace(each->name, *std::move(groups));
    }
    const engine::engine* const running = engine_;
    const auto workers = running == nullptr ? std::vector<engine::worker_status>{} : running->status();
    for (const operate::subscription_row& row : operate::view_subscriptions(routes_, seen)) {
        subscription_health one{.handler = row.of->name,
                                .type = is_subscriber(row.of->name) ? "broker" : "stream",
                                .broker = row.of->broker,
                                .stream = row.stream,
                                .state = state_of(workers, row.of->name + " " + row.of->streams.front())};
        if (row.group) {
            one.lag = row.group->lag;
            one.pending = row.group->pending;
            one.dead = row.group->dead;
        }
        to.subscriptions.push_back(std::move(one));
    }
}

bool health_monitor::is_subscriber(const std::string& handler) const {
    const auto& subscribers = env_.domain().subscribers;
    return std::any_of(subscribers.begin(), subscribers.end(), [&](const auto& each) { return each.name == handler; });
}

}  // namespace sluice::http
