#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include <sluice/test.hpp>

#include "base/random.hpp"
#include "base/sleeper.hpp"
#include "commit/environment.hpp"
#include "commit/invocation.hpp"
#include "commit/read_model_setup.hpp"
#include "config/check.hpp"
#include "config/loader.hpp"
#include "consume/subscription.hpp"
#include "engine/scheduler.hpp"
#include "envelope/envelope.hpp"
#include "observe/log.hpp"
#include "outbox/lane.hpp"
#include "store/memory/memory_database.hpp"
#include "testing/observed_broker.hpp"

namespace sluice::test {

namespace {

using testing_kit::observed_broker;

constexpr std::size_t everything = 1'000'000;
/// Rounds after which a domain that still finds something to do is one whose handlers keep each other busy for ever.
constexpr int most_rounds = 10'000;

class moved_clock final : public clock {
public:
    explicit moved_clock(date_time start) : now_{start} {}
    [[nodiscard]] date_time now() const override { return now_; }
    void move_to(date_time at) { now_ = std::max(now_, at); }

private:
    date_time now_;
};

/// Whoever waits lets the time pass.
class passing_time final : public base::sleeper {
public:
    explicit passing_time(moved_clock& time) : time_{time} {}
    void sleep(duration wanted) override { time_.move_to(time_.now() + wanted); }

private:
    moved_clock& time_;
};

std::set<std::string> brokers_of(const sluice::detail::registry& domain, const runtime_options& options) {
    std::set<std::string> names{"default"};
    names.insert(options.external_brokers.begin(), options.external_brokers.end());
    for (const auto& subscriber : domain.subscribers) names.insert(subscriber.broker);
    return names;
}

std::set<std::string> databases_of(const sluice::detail::registry& domain) {
    std::set<std::string> names{"default"};
    for (const auto& [cpp_name, aggregate] : domain.aggregates) names.insert(aggregate.database);
    for (const auto& [cpp_name, process] : domain.processes) names.insert(process.database);
    return names;
}

/// domain.toml of a domain in memory.
std::string configuration_text(const sluice::detail::registry& domain, const runtime_options& options) {
    std::string text;
    for (const std::string& name : databases_of(domain)) {
        text += fmt::format("[databases.{}]\nprovider = \"memory\"\n", name);
    }
    for (const std::string& name : brokers_of(domain, options)) {
        text += fmt::format("[brokers.{}]\nprovider = \"inline\"\n", name);
    }
    std::string external;
    for (const std::string& name : options.external_brokers) external += '"' + name + "\", ";
    return text + fmt::format("[outbox]\nexternal_brokers = [{}]\nlease_seconds = 3600\n", external) +
           options.configuration;
}

}  // namespace

struct runtime::parts {
    parts(domain d, const runtime_options& options)
        : declared{std::move(d)}, time{options.start}, random{options.seed} {
        if (!options.logged) observe::configure_log({.threshold = observe::level::off});
        declared.validate();
        const auto& registry = declared.declared();
        config::configuration configuration =
            config::parse(configuration_text(registry, options), "test.toml", {{"memory"}, {"inline"}},
                          [](const std::string&) { return std::optional<std::string>{}; });
        config::require_no_errors(config::check(registry, configuration));

        commit::adapters adapters;
        for (const auto& [name, settings] : configuration.databases) {
            auto database = std::shared_ptr{store::make_memory_database(name)};
            database->setup();
            adapters.databases.emplace(name, std::move(database));
        }
        for (const auto& [name, settings] : configuration.brokers) {
            auto broker = std::make_shared<observed_broker>(name);
            brokers.emplace(name, broker);
            adapters.brokers.emplace(name, std::move(broker));
        }
        env = std::make_unique<commit::environment>(registry, std::move(configuration), std::move(adapters), time,
                                                    random, pauses);
        env->tracer().subscribe([this](const trace_event&) { ++steps; });
        commit::require_read_models(*env);
        context.emplace(commit::make_context(*env));
        make_lanes();
        for (const auto& [name, adapter] : env->parts().databases) {
            schedulers.push_back(std::make_unique<engine::scheduler>(*env, name));
        }
        for (consume::route& route : consume::routes_of(*env)) {
            subscriptions.push_back(std::make_unique<consume::subscription>(*env, std::move(route), "test"));
        }
    }

    void make_lanes() {
        const auto& configuration = env->configuration();
        for (const auto& [database, adapter] : env->parts().databases) {
            const auto add = [&, &database = database, &adapter = adapter](const std::string& broker, bool external) {
                lanes.push_back(std::make_unique<outbox::lane>(
                    outbox::lane_settings{.database = database,
                                          .broker = broker,
                                          .external = external,
                                          .owner = "test",
                                          .outbox = configuration.outbox,
                                          .priority_lanes = configuration.server.priority_lanes,
                                          .overlapping = outbox::overlap::none},
                    outbox::lane_ports{*adapter, env->broker(broker), time, random, env->tracer()}));
            };
            add(configuration.outbox.broker, false);
            for (const std::string& broker : configuration.outbox.external_brokers) add(broker, true);
        }
    }

    [[nodiscard]] observed_broker& broker(const std::string& name) const {
        const auto found = brokers.find(name);
        if (found != brokers.end()) return *found->second;
        throw usage_error{"the runtime has no broker `" + name + "`; name it in runtime_options::external_brokers"};
    }

    /// When the next timer or scheduled command is due.
    [[nodiscard]] std::optional<date_time> next_due() const {
        std::optional<date_time> next;
        for (const auto& [name, database] : env->parts().databases) {
            const auto due = env->sessions(name).borrow()->next_due();
            if (due) next = std::min(next.value_or(*due), *due);
        }
        return next;
    }

    /// What is due at the present time, once around.
    void round() {
        for (const auto& each : schedulers) static_cast<void>(each->work());
        for (const auto& each : lanes) {
            each->look();
            for (int turns = 0; !each->turn(); ++turns) {
                if (turns > most_rounds) throw failure{"lane " + each->name() + " does not come to rest"};
            }
        }
        for (const auto& each : subscriptions) static_cast<void>(each->work());
    }

    domain declared;
    moved_clock time;
    passing_time pauses{time};
    base::seeded_random random;
    std::map<std::string, std::shared_ptr<observed_broker>, std::less<>> brokers;
    std::unique_ptr<commit::environment> env;
    std::optional<sluice::context> context;
    std::vector<std::unique_ptr<outbox::lane>> lanes;
    std::vector<std::unique_ptr<consume::subscription>> subscriptions;
    std::vector<std::unique_ptr<engine::scheduler>> schedulers;
    std::uint64_t steps = 0;  ///< trace events so far: while there are new ones there is something to do
    std::map<std::string, store::sequence, std::less<>> expected;  ///< by database: the last event that was expected
};

runtime::runtime(domain declared, const runtime_options& options)
    : parts_{std::make_unique<parts>(std::move(declared), options)} {}

runtime::~runtime() = default;

context& runtime::context() noexcept { return *parts_->context; }
date_time runtime::now() const noexcept { return parts_->time.now(); }

void runtime::drain() {
    for (int rounds = 0; rounds < most_rounds; ++rounds) {
        const std::uint64_t before = parts_->steps;
        parts_->round();
        if (parts_->steps == before) return;
    }
    throw failure{"the domain does not come to rest: its handlers keep each other busy"};
}

void runtime::advance(duration by) {
    const date_time end = now() + by;
    drain();
    for (auto due = parts_->next_due(); due && *due < end; due = parts_->next_due()) {
        parts_->time.move_to(*due);
        drain();
    }
    parts_->time.move_to(end);
    drain();
}

void runtime::deliver(const std::string& broker, const std::string& stream, std::string_view message_id,
                      std::string_view type, const json::object& data) {
    const json::value body = json::object{
        {"data", data},
        {"metadata",
         json::object{
             {"headers",
              json::object{{"id", message_id}, {"type", type}, {"time", now().to_string()}, {"stream", stream}}}}}};
    const std::string text = json::dump(body);
    parts_->broker(broker).put({.stream = stream, .message_id = message_id, .key = stream, .body = text});
}

void runtime::take_away(const std::string& broker) { parts_->broker(broker).be_away(true); }
void runtime::bring_back(const std::string& broker) { parts_->broker(broker).be_away(false); }

namespace {

message as_message(const store::logged_event& event) {
    return message::decode(envelope::render_internal(event.data, event.metadata));
}

template <class Visit>
void for_each_event(const commit::environment& env, const Visit& visit) {
    for (const auto& [name, database] : env.parts().databases) {
        for (const store::stream_event& each : database->open_operations()->events({.limit = everything})) {
            visit(name, each);
        }
    }
}

}  // namespace

std::vector<message> runtime::events() const {
    std::vector<message> all;
    for_each_event(*parts_->env,
                   [&](const std::string&, const store::stream_event& each) { all.push_back(as_message(each.event)); });
    return all;
}

std::vector<message> runtime::events_named(std::string_view cpp_name) const {
    const auto& known = parts_->env->domain().events;
    const auto wanted = known.find(cpp_name);
    if (wanted == known.end()) {
        throw usage_error{"event `" + std::string{cpp_name} + "` is not declared in domain `" +
                          parts_->env->domain().name + "`"};
    }
    std::vector<message> all = events();
    std::erase_if(all, [&](const message& each) { return each.type().text() != wanted->second.type; });
    return all;
}

std::vector<event_text> runtime::new_events() {
    std::vector<event_text> found;
    for_each_event(*parts_->env, [&](const std::string& database, const store::stream_event& each) {
        store::sequence& last = parts_->expected[database];
        if (each.seq <= last) return;
        last = each.seq;
        if (const auto* event = parts_->env->domain().event_by_type(each.event.type)) {
            found.push_back({event->cpp_name, each.event.data});
        }
    });
    return found;
}

std::vector<row> runtime::rows(std::string_view broker) const {
    std::vector<row> all;
    for (const auto& [name, database] : parts_->env->parts().databases) {
        std::vector<store::outbox_row> listed =
            database->open_operations()->list({.target_broker = std::string{broker}, .limit = everything});
        std::ranges::stable_sort(listed, {}, &store::outbox_row::seq);  // within an event by the broker's name
        for (store::outbox_row& each : listed) {
            all.push_back({.message_id = std::move(each.message_id),
                           .broker = std::move(each.target_broker),
                           .status = store::to_string(each.status),
                           .type = std::move(each.type),
                           .stream = std::move(each.stream),
                           .retry_count = each.retry_count});
        }
    }
    return all;
}

std::vector<message> runtime::published(const std::string& broker) const {
    std::vector<message> all;
    for (const std::string& body : parts_->broker(broker).taken()) all.push_back(message::decode(body));
    return all;
}

std::vector<dead_letter> runtime::dead_letters() const {
    std::vector<dead_letter> all;
    for (const auto& [name, broker] : parts_->brokers) {
        for (auto& each : broker->open_operations()->dead_letters({.limit = everything})) {
            all.push_back({.group = std::move(each.group),
                           .stream = std::move(each.stream),
                           .reason = std::move(each.reason),
                           .code = std::move(each.code),
                           .attempts = each.attempts,
                           .body = std::move(each.body)});
        }
    }
    return all;
}

}  // namespace sluice::test
