#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "commit/stored_log.hpp"
#include "domain/databases.hpp"
#include "lease/owner.hpp"
#include "observe/log.hpp"

namespace sluice::engine {

namespace {

/// Share of the shutdown time that a hanging broker may use up; the rest is for settling and leaving.
constexpr double publishing_share = 0.8;
constexpr auto grace = std::chrono::seconds{1};  // for settling and leaving

/// Tells apart the deployments that may run on one host: the same domain on another database is another deployment.
std::string deployment_of(commit::environment& env) {
    std::string text = env.domain().normalized;
    for (const auto& [name, database] : env.parts().databases) text += '\n' + name + '=' + database->identity();
    return text;
}

std::string name_of(const consume::subscription& s) { return s.where().name + " " + s.where().streams.front(); }

}  // namespace

duration usual_patience(const config::configuration& with) {
    return base::from_seconds(with.server.shutdown_seconds) + grace;
}

engine::running_lane::running_lane(commit::environment& env, const outbox::lane_settings& settings)
    : random{env.random().next()},
      lane{settings,
           {env.sessions(settings.database).database(), env.broker(settings.broker), env.time(), random, env.tracer()}},
      wake{env.lanes(), settings.database, lane.signal()} {}

engine::engine(commit::environment& env) : env_{env} {}

engine::~engine() { static_cast<void>(stop()); }

void engine::start() {
    const std::lock_guard lock{mutex_};
    if (std::exchange(started_, true)) throw usage_error{"an engine starts once; make another one"};
    try {
        require_sound_histories();
        tell_weaknesses();
        require_readable_log();
        slot_ = std::make_unique<instance_slot>(deployment_of(env_));
        consumer_ = host_name() + "-" + env_.domain().normalized + "-" + std::to_string(slot_->number());
        const std::string owner = lease::make_lane_owner(env_.random());
        make_lanes(owner);
        make_subscriptions({.id = lease::make_incarnation(env_.random()), .place = slot_->place()});
        make_schedulers();
        make_workers(owner);
        for (const auto& each : workers_) each.thread->start();
    } catch (...) {
        discard();
        started_ = false;
        throw;
    }
    running_ = true;
    observe::log(observe::level::info, "engine.started",
                 {{"domain", env_.domain().name},
                  {"lanes", lanes_.size()},
                  {"subscriptions", subscriptions_.size()},
                  {"consumer", consumer_}});
}

bool engine::stop() { return stop(usual_patience(env_.configuration())); }

bool engine::stop(duration patience) {
    // More than a year is for ever, and does not overflow.
    constexpr duration longest = std::chrono::days{366};
    const auto deadline = std::chrono::steady_clock::now() + std::clamp(patience, duration{0}, longest);
    bool first = false;
    {
        // Not held while waiting: the status can be asked for during the drain. The workers stay what they are.
        const std::lock_guard lock{mutex_};
        first = std::exchange(running_, false);
    }
    for (const auto& each : workers_) each.thread->request_stop();
    bool all_ended = true;
    for (const auto& each : workers_) {
        if (each.thread->ended_by(deadline)) continue;
        all_ended = false;
        observe::log(observe::level::error, "engine.still_busy", {{"worker", each.thread->name()}});
    }
    if (first) observe::log(observe::level::info, "engine.stopped", {{"in_time", all_ended ? "yes" : "no"}});
    return all_ended;
}

std::vector<worker_status> engine::status() const {
    const std::lock_guard lock{mutex_};
    std::vector<worker_status> all;
    for (const running_worker& each : workers_) {
        const worker::health health = each.thread->state();
        worker_status one{.what = each.what,
                          .name = each.name,
                          .state = !health.running  ? "stopped"
                                   : health.waiting ? "restarting"
                                                    : "running",
                          .detail = health.last_failure,
                          .restarts = health.restarts};
        if (each.subscription != nullptr && one.state == "running") {
            consume::subscription_status own = each.subscription->status();
            one.state = std::move(own.state);
            one.detail = std::move(own.detail);
        }
        all.push_back(std::move(one));
    }
    return all;
}

std::optional<hanging_lane> engine::find_hanging_lane(duration longest) const {
    const std::lock_guard lock{mutex_};
    const instant now = env_.time().monotonic_now();
    for (const auto& each : lanes_) {
        const duration in_step = now - each->lane.in_step_since();
        if (in_step > longest) return hanging_lane{each->lane.name(), in_step};
    }
    return std::nullopt;
}

std::string engine::consumer_name() const {
    const std::lock_guard lock{mutex_};
    return consumer_;
}

void engine::require_sound_histories() const {
    for (const auto& [name, database] : env_.parts().databases) {
        for (const auto& fault : database->faults(0)) {
            if (fault.fatal) throw store_error{fault.message + "; " + fault.remedy};
        }
    }
}

void engine::tell_weaknesses() const {
    for (const auto& [name, database] : env_.parts().databases) {
        for (const auto& [code, message, remedy] : database->weaknesses()) {
            observe::log(observe::level::warn, "database.weakness",
                         {{"database", name}, {"code", code}, {"message", message}, {"remedy", remedy}});
        }
    }
}

void engine::require_readable_log() const {
    std::string complaints;
    for (const auto& [name, database] : env_.parts().databases) {
        const auto operations = database->open_operations();
        for (const commit::log_problem& each : commit::problems_of_log(env_.domain(), *operations)) {
            if (each.is_error) {
                complaints += (complaints.empty() ? "" : "\n") + each.message + "; " + each.remedy;
            } else {
                observe::log(observe::level::info, "log.unknown_events",
                             {{"database", name}, {"type", each.type}, {"reason", each.message}});
            }
        }
    }
    if (!complaints.empty()) throw store_error{complaints};
}

void engine::make_lanes(const std::string& owner) {
    const auto& configuration = env_.configuration();
    const double shutdown = configuration.server.shutdown_seconds;
    config::outbox_settings outbox = configuration.outbox;
    outbox.publish_timeout_seconds = std::min(outbox.publish_timeout_seconds, shutdown * publishing_share);

    for (const std::string& database : detail::databases_with_lanes(env_.domain())) {
        const auto add = [&](const std::string& broker, bool external) {
            const int shards = outbox.shards_of(broker);
            for (int number = 1; number <= shards; ++number) {
                lanes_.push_back(std::make_unique<running_lane>(
                    env_, outbox::lane_settings{.database = database,
                                                .broker = broker,
                                                .external = external,
                                                .part = {number, shards},
                                                .owner = owner,
                                                .system = env_.system_of(broker),
                                                .outbox = outbox,
                                                .priority_lanes = configuration.server.priority_lanes,
                                                .drain = base::from_seconds(shutdown)}));
            }
        };
        add(outbox.broker, false);
        for (const std::string& broker : outbox.external_brokers) add(broker, true);
    }
}

void engine::make_subscriptions(const broker::incarnation& process) {
    for (consume::route& route : consume::routes_of(env_)) {
        subscriptions_.push_back(std::make_unique<consume::subscription>(env_, std::move(route), consumer_, process));
    }
}

void engine::make_schedulers() {
    for (const std::string& database : detail::databases_with_lanes(env_.domain())) {
        schedulers_.push_back(std::make_unique<scheduler>(env_, database));
    }
}

void engine::make_workers(const std::string& owner) {
    using kind = worker_status::kind;
    for (const auto& each : lanes_) {
        workers_.push_back(
            {.what = kind::lane,
             .name = each->lane.name(),
             .thread = std::make_unique<worker>(
                 "lane " + each->lane.name(), [&lane = each->lane](const std::stop_token& stop) { lane.run(stop); })});
    }
    const auto add = [this](kind what, const std::string& name, worker::loop body) {
        workers_.push_back({.what = what, .name = name, .thread = std::make_unique<worker>(name, std::move(body))});
    };
    for (const auto& each : subscriptions_) {
        add(kind::subscription, name_of(*each), [&one = *each](const std::stop_token& stop) { one.run(stop); });
        workers_.back().subscription = each.get();
    }
    maintenance_ = std::make_unique<maintenance>(env_, owner);
    add(kind::maintenance, "maintenance", [this](const std::stop_token& stop) { maintenance_->run(stop); });
    for (const auto& each : schedulers_) {
        add(kind::schedule, "schedule " + each->database(),
            [&one = *each](const std::stop_token& stop) { one.run(stop); });
    }
}

void engine::discard() noexcept {
    workers_.clear();
    schedulers_.clear();
    maintenance_.reset();
    subscriptions_.clear();
    lanes_.clear();
    slot_.reset();
    consumer_.clear();
}

}  // namespace sluice::engine
