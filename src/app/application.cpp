#include <sluice/application.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include <sluice/domain.hpp>
#include <sluice/error.hpp>

#include "app/application_parts.hpp"
#include "app/compose.hpp"
#include "app/read_settings.hpp"
#include "base/random.hpp"
#include "base/signal_mask.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "config/check.hpp"
#include "engine/engine.hpp"
#include "engine/schemas.hpp"
#include "http/health_monitor.hpp"
#include "observe/log.hpp"
#include "projection/read_model_setup.hpp"
#include "telemetry/recording.hpp"

namespace sluice {

namespace {

/// What the looks at databases and brokers get at the end, however long the engine took.
constexpr duration least_for_looks = std::chrono::milliseconds{100};
constexpr duration longest_for_looks = std::chrono::minutes{10};

const char* kind_of(engine::worker_status::kind what) {
    switch (what) {
        case engine::worker_status::kind::lane:
            return "lane";
        case engine::worker_status::kind::subscription:
            return "subscription";
        case engine::worker_status::kind::schedule:
            return "schedule";
        case engine::worker_status::kind::maintenance:
            break;
    }
    return "maintenance";
}

std::vector<thread_status> threads_of(const engine::engine& of) {
    std::vector<thread_status> threads;
    for (engine::worker_status& each : of.status()) {
        threads.push_back({.kind = kind_of(each.what),
                           .name = std::move(each.name),
                           .state = std::move(each.state),
                           .detail = std::move(each.detail),
                           .restarts = each.restarts});
    }
    return threads;
}

std::vector<lane_status> lanes_of(const http::health_report& seen) {
    std::vector<lane_status> lanes;
    for (const operate::lane_view& each : seen.lanes) {
        lanes.push_back({.database = each.database,
                         .broker = each.broker,
                         .external = each.external,
                         .state = each.state,
                         .detail = each.last_detail()});
        if (!each.rows) continue;
        lanes.back().open = each.rows->open();
        lanes.back().failed = each.rows->failed;
        lanes.back().abandoned = each.rows->abandoned;
        lanes.back().oldest = each.rows->age;
    }
    return lanes;
}

std::vector<subscription_status> subscriptions_of(const http::health_report& seen) {
    std::vector<subscription_status> subscriptions;
    for (const http::subscription_health& each : seen.subscriptions) {
        subscriptions.push_back({.handler = each.handler,
                                 .broker = each.broker,
                                 .stream = each.stream,
                                 .state = each.state,
                                 .lag = each.lag,
                                 .pending = each.pending,
                                 .dead = each.dead});
    }
    return subscriptions;
}

std::vector<component_health> components_of(const std::vector<http::component>& seen) {
    std::vector<component_health> components;
    components.reserve(seen.size());
    for (const http::component& each : seen) {
        components.push_back({.name = each.name,
                              .decisive = each.decisive,
                              .available = each.sign.is == http::sign::ok,
                              .reason = each.sign.reason,
                              .age = each.sign.age});
    }
    return components;
}

/// @throws configuration_error when there is an error among them
std::vector<configuration_warning> warnings_among(std::vector<config::finding> found) {
    config::require_no_errors(found);
    std::vector<configuration_warning> warnings;
    warnings.reserve(found.size());
    for (config::finding& each : found) {
        warnings.push_back({.code = std::move(each.code),
                            .element = std::move(each.element),
                            .message = std::move(each.message),
                            .remedy = std::move(each.remedy)});
    }
    return warnings;
}

std::shared_ptr<const observe::log_route> route_of(application_options& options, const config::log_section& with) {
    const log_level threshold = options.log_threshold.value_or(observe::level_named(with.level));
    return std::make_shared<const observe::log_route>(threshold, std::move(options.log));
}

const sluice::clock& clock_of(const application_options& options) {
    return options.clock ? *options.clock : system_clock();
}

}  // namespace

const char* to_string(application_phase phase) noexcept {
    switch (phase) {
        case application_phase::stopped:
            return "stopped";
        case application_phase::starting:
            return "starting";
        case application_phase::running:
            return "running";
        case application_phase::stopping:
            break;
    }
    return "stopping";
}

/// `turns` is held by the whole of a start or a stop, `mutex` for moments only: so questions are answered meanwhile.
struct application::implementation {
    /// An engine, and the eyes that are on it.
    struct running_engine {
        running_engine(commit::environment& env, std::shared_ptr<const http::metrics> counts)
            : core{env}, monitor{env, std::move(counts), looks_of(env)} {}

        [[nodiscard]] static std::optional<http::watch_timing> looks_of(const commit::environment& env) {
            return env.configuration().server.health.enabled ? std::optional{http::watch_timing{}} : std::nullopt;
        }

        engine::engine core;
        http::health_monitor monitor;  // gone before the engine that it watches
    };

    implementation(domain from, config::explained_configuration given, application_options options)
        : declared{std::move(from)},
          console{std::move(given.console)},
          settings{std::move(given.settings)},
          warnings{warnings_among(config::findings_of(declared, given.values))},
          clock{options.clock},
          log{route_of(options, given.values.log)},
          env{declared.declared(),
              given.values,
              app::make_adapters(given.values),
              clock_of(options),
              base::system_random(),
              base::system_sleeper(),
              log},
          counts{http::make_metrics(env)},
          exporter{begin_recording(options)} {
        env.tracer().count_with(counts);
        if (exporter) collection.emplace(exporter->collect([this] { return metrics(); }));
    }
    implementation(const implementation&) = delete;
    implementation& operator=(const implementation&) = delete;
    ~implementation() {
        const observe::log_scope scope{log};
        current.reset();  // waits for the threads
    }

    [[nodiscard]] std::unique_ptr<telemetry::exporter> begin_recording(application_options& options) {
        std::vector<span_sink> own;
        if (options.spans) own.push_back(std::move(options.spans));
        return telemetry::begin_recording(env.tracer(), {.with = env.configuration().telemetry,
                                                         .domain = env.domain().name,
                                                         .time = env.time(),
                                                         .random = env.random(),
                                                         .log = log,
                                                         .sinks = std::move(own)});
    }

    [[nodiscard]] std::vector<metric_family> metrics() const {
        if (const auto running = look().current) return running->monitor.metrics_values();
        return counts->collect({}, {});
    }

    /// What there is at one moment.
    struct seen {
        std::shared_ptr<running_engine> current;
        application_phase phase;
        bool hangs;
    };
    [[nodiscard]] seen look() const {
        const std::lock_guard lock{mutex};
        return {current, phase, hangs};
    }
    void become(application_phase next, std::shared_ptr<running_engine> with, bool is_hanging = false) {
        const std::lock_guard lock{mutex};
        phase = next;
        hangs = is_hanging;
        current.swap(with);  // the former one goes after the lock
    }

    /// @pre nothing runs, and a start has its turn
    [[nodiscard]] std::shared_ptr<running_engine> make_running() {
        for (const auto& [code, element, message, remedy] : warnings) {
            observe::log(observe::level::warn, "configuration.warning",
                         {{"code", code}, {"element", element}, {"message", message}, {"remedy", remedy}});
        }
        engine::require_current_schemas(env.domain(), env.configuration(), env.parts(),
                                        "call application::setup() or run `sluice db setup`");
        projection::require_read_models(env);
        auto made = std::make_shared<running_engine>(env, counts);
        made->core.start();
        made->monitor.watch(made->core);
        return made;
    }

    domain declared;
    config::console_settings console;
    std::vector<config::effective_setting> settings;
    std::vector<configuration_warning> warnings;
    std::shared_ptr<const sluice::clock> clock;
    std::shared_ptr<const observe::log_route> log;
    commit::environment env;
    std::shared_ptr<http::metrics> counts;
    std::mutex turns;
    mutable std::mutex mutex;
    application_phase phase = application_phase::stopped;
    bool hangs = false;  ///< a stop has not ended in time
    std::shared_ptr<running_engine> current;
    std::unique_ptr<telemetry::exporter> exporter;
    std::optional<telemetry::exporter::collection> collection;
};

application::application(domain declared, const settings& configuration, application_options options) {
    config::explained_configuration given = app::read_settings(configuration, declared.declared().normalized);
    implementation_ = std::make_unique<implementation>(std::move(declared), std::move(given), std::move(options));
}

app::application_parts app::application_parts::of(application& whole) {
    application::implementation& self = *whole.implementation_;
    return {.env = self.env, .console = self.console, .settings = self.settings};
}

application::application(application&&) noexcept = default;
application& application::operator=(application&&) noexcept = default;
application::~application() = default;

const std::vector<configuration_warning>& application::warnings() const noexcept { return implementation_->warnings; }

void application::setup() {
    implementation& self = *implementation_;
    const std::lock_guard turn{self.turns};
    const observe::log_scope scope{self.log};
    engine::set_up(self.env.domain(), self.env.parts());
}

void application::start() {
    implementation& self = *implementation_;
    const std::lock_guard turn{self.turns};
    if (self.look().current != nullptr) {
        throw usage_error{self.look().hangs ? "the last stop of the application has not ended; call stop() until it "
                                              "returns true"
                                            : "the application runs already; stop it first"};
    }
    const observe::log_scope scope{self.log};
    const base::blocked_signals blocked;  // the threads made here inherit that
    self.become(application_phase::starting, nullptr);
    try {
        self.become(application_phase::running, self.make_running());
    } catch (...) {
        self.become(application_phase::stopped, nullptr);
        throw;
    }
}

void application::drain() noexcept {
    if (const auto running = implementation_->look().current) running->monitor.drain();
}

bool application::stop() { return stop(engine::usual_patience(implementation_->env.configuration())); }

bool application::stop(duration patience) {
    implementation& self = *implementation_;
    const std::lock_guard turn{self.turns};
    const auto running = self.look().current;
    if (running == nullptr) return true;
    const observe::log_scope scope{self.log};
    const auto begin = std::chrono::steady_clock::now();
    running->monitor.drain();
    self.become(application_phase::stopping, running);
    const bool engine_ended = running->core.stop(patience);
    const auto left = [&] {
        const auto taken = std::chrono::ceil<duration>(std::chrono::steady_clock::now() - begin);
        return std::clamp(patience - taken, least_for_looks, longest_for_looks);
    };
    if (self.exporter) static_cast<void>(self.exporter->flush_within(left()));
    const bool looks_ended = running->monitor.leave(left());
    const bool ended = engine_ended && looks_ended;
    if (ended) {
        self.become(application_phase::stopped, nullptr);
    } else {
        self.become(application_phase::stopping, running, true);
    }
    return ended;
}

context application::context() { return command::make_context(implementation_->env); }

application_status application::status() const {
    const auto [running, phase, hangs] = implementation_->look();
    if (running == nullptr) return {.phase = phase};
    const http::health_report seen = running->monitor.report();
    return {.phase = phase,
            .consumer = running->core.consumer_name(),
            .threads = threads_of(running->core),
            .lanes = lanes_of(seen),
            .subscriptions = subscriptions_of(seen)};
}

application_health application::health() const {
    const auto [running, phase, hangs] = implementation_->look();
    const http::health_report seen = running == nullptr ? http::health_report{} : running->monitor.report();
    const http::readiness state = http::decide(seen);
    return {.live = !hangs,
            .ready = state == http::readiness::ok,
            .status = http::to_string(state),
            .databases = components_of(seen.databases),
            .brokers = components_of(seen.brokers),
            .details = http::to_json(seen)};
}

std::string application::metrics_text() const {
    if (const auto running = implementation_->look().current) return running->monitor.metrics_text();
    return implementation_->counts->render({}, {});
}

std::vector<metric_family> application::metrics() const { return implementation_->metrics(); }

}  // namespace sluice
