#include "testing/stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "broker/inline/provider.hpp"
#include "command/invocation.hpp"
#include "config/check.hpp"
#include "config/loader.hpp"
#include "domain/databases.hpp"
#include "observe/log.hpp"
#include "projection/read_model_setup.hpp"
#include "store/memory/memory_database.hpp"
#include "store/memory/provider.hpp"

namespace sluice::testing_kit {

namespace {

using test::failure;
using test::runtime_options;

constexpr std::size_t everything = 1'000'000;
/// Rounds after which a domain that still finds something to do is one whose handlers keep each other busy for ever.
constexpr int most_rounds = 10'000;

std::set<std::string> brokers_of(const detail::registry& domain, const runtime_options& options) {
    std::set<std::string> names{"default"};
    names.insert(options.external_brokers.begin(), options.external_brokers.end());
    for (const auto& subscriber : domain.subscribers) names.insert(subscriber.broker);
    return names;
}

std::set<std::string> databases_of(const detail::registry& domain) {
    std::set<std::string> names = detail::databases_with_lanes(domain);
    names.insert("default");
    return names;
}

/// domain.toml of a domain in memory.
std::string configuration_text(const detail::registry& domain, const runtime_options& options) {
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

stage::stage(domain declared, const runtime_options& options, const std::function<bool(const consume::route&)>& plays)
    : declared_{std::move(declared)}, time_{options.start}, random_{options.seed} {
    if (!options.logged) observe::configure_log({.threshold = observe::level::off});
    declared_.validate();
    config::configuration configuration =
        config::parse(configuration_text(registry(), options), "test.toml",
                      {.databases = {&store::memory_provider()}, .brokers = {&broker::inline_provider()}},
                      [](const std::string&) { return std::optional<std::string>{}; });
    // A test may declare a part of a domain: what else its aggregates raise fails the command that raises it.
    std::vector<config::finding> found = config::check(registry(), configuration);
    std::erase_if(found, [](const config::finding& each) { return each.code == "UNDECLARED_EVENT"; });
    config::require_no_errors(found);

    commit::adapters adapters;
    for (const auto& [name, settings] : configuration.databases) {
        auto database = std::shared_ptr{store::make_memory_database(name)};
        database->setup();
        adapters.databases.emplace(name, std::move(database));
    }
    for (const auto& [name, settings] : configuration.brokers) {
        auto broker = std::make_shared<observed_broker>(name);
        brokers_.emplace(name, broker);
        adapters.brokers.emplace(name, std::move(broker));
    }
    env_ = std::make_unique<commit::environment>(registry(), std::move(configuration), std::move(adapters), time_,
                                                 random_, time_);
    env_->tracer().subscribe([this](const trace_event& event) {
        ++steps_;
        if (event.event == "handler.failed") failure_ = event.error;
    });
    projection::require_read_models(*env_);
    context_.emplace(command::make_context(*env_));
    make_lanes();
    for (const auto& [name, database] : env_->parts().databases) {
        schedulers_.push_back(std::make_unique<engine::scheduler>(*env_, name));
    }
    for (consume::route& route : consume::routes_of(*env_)) {
        if (plays && !plays(route)) continue;
        subscriptions_.push_back(std::make_unique<consume::subscription>(*env_, std::move(route), "test"));
    }
}

void stage::make_lanes() {
    const auto& configuration = env_->configuration();
    for (const auto& [database, adapter] : env_->parts().databases) {
        const auto add = [&, &database = database, &adapter = adapter](const std::string& broker, bool external) {
            lanes_.push_back(std::make_unique<outbox::lane>(
                outbox::lane_settings{.database = database,
                                      .broker = broker,
                                      .external = external,
                                      .owner = "test",
                                      .outbox = configuration.outbox,
                                      .priority_lanes = configuration.server.priority_lanes,
                                      .overlapping = outbox::overlap::none},
                outbox::lane_ports{*adapter, env_->broker(broker), time_, random_, env_->tracer()}));
        };
        add(configuration.outbox.broker, false);
        for (const std::string& broker : configuration.outbox.external_brokers) add(broker, true);
    }
}

observed_broker& stage::broker(const std::string& name) const {
    const auto found = brokers_.find(name);
    if (found != brokers_.end()) return *found->second;
    throw usage_error{"the runtime has no broker `" + name + "`; name it in runtime_options::external_brokers"};
}

/// What is due at the present time, once around.
void stage::round() {
    for (const auto& each : schedulers_) static_cast<void>(each->work());
    for (const auto& each : lanes_) {
        each->look();
        for (int turns = 0; !each->turn(); ++turns) {
            if (turns > most_rounds) throw failure{"lane " + each->name() + " does not come to rest"};
        }
    }
    for (const auto& each : subscriptions_) static_cast<void>(each->work());
}

void stage::drain() {
    for (int rounds = 0; rounds < most_rounds; ++rounds) {
        const std::uint64_t before = steps_;
        round();
        if (steps_ == before) return;
    }
    throw failure{"the domain does not come to rest: its handlers keep each other busy"};
}

/// When the next timer or scheduled command is due.
std::optional<date_time> stage::next_due() const {
    std::optional<date_time> next;
    for (const auto& [name, database] : env_->parts().databases) {
        const auto due = env_->sessions(name).borrow()->next_due();
        if (due) next = std::min(next.value_or(*due), *due);
    }
    return next;
}

void stage::advance(duration by) {
    const date_time end = now() + by;
    drain();
    for (auto due = next_due(); due && *due < end; due = next_due()) {
        time_.move_to(*due);
        drain();
    }
    time_.move_to(end);
    drain();
}

void stage::put(const std::string& broker, const std::string& stream, const std::string& of, std::string_view id,
                std::string_view type, const json::value& data) {
    const json::object headers{{"id", id}, {"type", type}, {"time", now().to_string()}, {"stream", of}};
    const std::string body = json::dump(json::object{{"data", data}, {"metadata", json::object{{"headers", headers}}}});
    this->broker(broker).put({.stream = stream, .message_id = id, .key = of, .body = body});
}

void stage::for_each_event(const event_visit& visit) const {
    for (const auto& [name, database] : env_->parts().databases) {
        for (const auto& each : database->open_operations()->events({.limit = everything})) visit(each);
    }
}

void stage::for_each_new_event(const event_visit& visit) {
    for (const auto& [name, database] : env_->parts().databases) {
        store::sequence& last = seen_[name];
        for (const auto& each : database->open_operations()->events({.limit = everything})) {
            if (each.seq <= last) continue;
            last = each.seq;
            visit(each);
        }
    }
}

}  // namespace sluice::testing_kit
