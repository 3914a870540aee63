#include "http/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <sluice/version.hpp>

#include "base/seconds.hpp"
#include "http/bucket_exemplars.hpp"
#include "http/openmetrics.hpp"
#include "observe/log.hpp"

namespace sluice::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using labels = std::vector<std::pair<std::string, std::string>>;

constexpr const char* latency_name = "sluice_outbox_latency_seconds";
constexpr const char* handler_name = "sluice_handler_duration_seconds";
/// From a commit to the broker's confirmation: usually milliseconds, after an outage hours.
const prometheus::Histogram::BucketBoundaries latency_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                              1,     2.5,    5,     10,   30,    60,   300, 3600};
const prometheus::Histogram::BucketBoundaries handler_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                              0.25,  0.5,    1,     2.5,  5,     10,   30};

/// Metrics that are read off when somebody asks.
class page {
public:
    void gauge(const char* name, const char* help, const labels& of, double value) {
        ClientMetric& metric = add(name, help, prometheus::MetricType::Gauge, of);
        metric.gauge.value = value;
    }
    void counter(const char* name, const char* help, const labels& of, double value) {
        ClientMetric& metric = add(name, help, prometheus::MetricType::Counter, of);
        metric.counter.value = value;
    }
    void add(std::vector<MetricFamily> counted) {
        std::move(counted.begin(), counted.end(), std::back_inserter(families_));
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer{}.Serialize(out, families_);
        return std::move(out).str();
    }
    [[nodiscard]] const std::vector<MetricFamily>& families() const noexcept { return families_; }

private:
    ClientMetric& add(const char* name, const char* help, prometheus::MetricType type, const labels& of) {
        auto family = std::find_if(families_.begin(), families_.end(), [&](const auto& f) { return f.name == name; });
        if (family == families_.end()) {
            families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
            family = std::prev(families_.end());
        }
        ClientMetric& metric = family->metric.emplace_back();
        for (const auto& [key, value] : of) metric.label.push_back({key, value});
        return metric;
    }

    std::vector<MetricFamily> families_;
};

labels of_lane(const std::string& domain, const std::string& database, const std::string& broker, bool external) {
    return {{"domain", domain}, {"database", database}, {"broker", broker}, {"external", external ? "true" : "false"}};
}

labels of_subscription(const std::string& domain, const std::string& handler, const std::string& broker,
                       const std::string& stream) {
    return {{"domain", domain}, {"handler", handler}, {"broker", broker}, {"stream", stream}};
}

labels with(labels all, const char* key, std::string value) {
    all.emplace_back(key, std::move(value));
    return all;
}

prometheus::Labels native(const labels& all) { return {all.begin(), all.end()}; }

void add_process(page& to, duration uptime) {
    to.gauge("sluice_up", "1 while the process answers.", {}, 1);
    to.gauge("sluice_build_info", "Version of Sluice; the value is always 1.", {{"version", version()}}, 1);
    to.gauge("sluice_uptime_seconds", "Seconds since the start of the process.", {}, base::seconds(uptime));
    to.counter("sluice_log_lines_dropped_total", "Log lines that nobody read in time, or that could not be written.",
               {}, static_cast<double>(observe::dropped_log_lines()));
}

void add_spans(page& to, const observe::span_counts& spans) {
    to.counter("sluice_spans_exported_total", "Spans that the receiver took.", {}, static_cast<double>(spans.exported));
    const auto dropped = [&](const char* reason, std::uint64_t count) {
        to.counter("sluice_spans_dropped_total", "Spans that were recorded and did not reach the receiver.",
                   {{"reason", reason}}, static_cast<double>(count));
    };
    dropped("queue_full", spans.queue_full);
    dropped("refused", spans.refused);
    dropped("undelivered", spans.undelivered);
}

void add_components(page& to, const health_report& report) {
    for (const component& each : report.databases) {
        to.gauge("sluice_database_up", "1 when the database answers.", {{"database", each.name}},
                 each.sign.is == sign::ok ? 1 : 0);
    }
    for (const component& each : report.brokers) {
        to.gauge("sluice_broker_up", "1 when the broker answers.",
                 {{"broker", each.name}, {"internal", each.decisive ? "true" : "false"}},
                 each.sign.is == sign::ok ? 1 : 0);
    }
    const auto age = [&](const char* kind, const component& each) {
        if (!each.sign.age) return;
        to.gauge("sluice_check_age_seconds", "Seconds since the last finished look at a database or broker.",
                 {{"kind", kind}, {"name", each.name}}, base::seconds(*each.sign.age));
    };
    for (const component& each : report.databases) age("database", each);
    for (const component& each : report.brokers) age("broker", each);
}

/// Seconds since 1970.
double seconds_of(date_time at) { return base::seconds(duration{at.micros()}); }

void add_audit(page& to, const labels& of, const store::audit_note& audit) {
    to.gauge("sluice_audit_timestamp_seconds", "When sluice audit last looked at all events for the broker.", of,
             seconds_of(audit.at));
    to.gauge("sluice_audit_closed_timestamp_seconds",
             "When such an audit last found nothing missing; 0 when none ever did.", of,
             audit.closed_at ? seconds_of(*audit.closed_at) : 0);
}

void add_lane(page& to, const std::string& domain, const operate::lane_view& lane) {
    const labels of = of_lane(domain, lane.database, lane.broker, lane.external);
    for (const std::string& state : operate::lane_states()) {
        to.gauge("sluice_lane_state", "1 for the state that the lane is in.", with(of, "state", state),
                 lane.state == state ? 1 : 0);
    }
    for (const operate::lane_view& shard : lane.shards) {
        const labels of_shard =
            with(of, "shard", std::to_string(shard.part.number) + "/" + std::to_string(shard.part.count));
        for (const std::string& state : operate::lane_states()) {
            to.gauge("sluice_shard_state", "1 for the state that a shard of the lane is in.",
                     with(of_shard, "state", state), shard.state == state ? 1 : 0);
        }
    }
    if (lane.audit) add_audit(to, of, *lane.audit);
    if (!lane.rows) return;
    const operate::lane_rows& rows = *lane.rows;
    to.gauge("sluice_outbox_pending", "Rows that the broker has not confirmed.", of, static_cast<double>(rows.open()));
    to.gauge("sluice_outbox_failed", "Rows that the broker refused and that wait for another attempt.", of,
             static_cast<double>(rows.failed));
    to.gauge("sluice_outbox_abandoned", "Rows that were given up and not retried or discarded since.", of,
             static_cast<double>(rows.abandoned));
    to.gauge("sluice_outbox_oldest_age_seconds", "Age of the oldest row that the broker has not confirmed.", of,
             base::seconds(rows.age.value_or(duration{0})));
}

void add_schedule(page& to, const std::string& domain, const schedule_health& schedule) {
    to.gauge("sluice_schedule_overdue_seconds",
             "Since the first timer or scheduled command that is not released was due.",
             {{"domain", domain}, {"database", schedule.database}}, base::seconds(schedule.overdue));
}

void add_writer(page& to, const std::string& domain, const writer_health& writer) {
    labels of{{"domain", domain}, {"database", writer.database}, {"pid", ""}, {"application", ""}};
    if (writer.oldest) {
        of[2].second = std::to_string(writer.oldest->pid);
        of[3].second = writer.oldest->application;
    }
    to.gauge("sluice_log_writer_age_seconds",
             "Since the oldest transaction began that has written events and not ended.", of,
             writer.oldest ? base::seconds(writer.oldest->age.value_or(duration{0})) : 0);
}

void add_subscription(page& to, const std::string& domain, const subscription_health& s) {
    const labels of = of_subscription(domain, s.handler, s.broker, s.stream);
    const auto show = [&](const char* name, const char* help, const std::optional<std::int64_t>& value) {
        if (value) to.gauge(name, help, of, static_cast<double>(*value));
    };
    show("sluice_subscription_lag", "Messages not yet delivered to the group.", s.lag);
    show("sluice_subscription_pending", "Messages delivered to the group and not acknowledged.", s.pending);
    show("sluice_subscription_dead_letters", "Messages of the group among the dead letters.", s.dead);
}

metric_kind kind_of(prometheus::MetricType type) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return metric_kind::counter;
        case prometheus::MetricType::Histogram:
            return metric_kind::histogram;
        default:
            return metric_kind::gauge;
    }
}

metric_sample sample_of(const ClientMetric& from, metric_kind kind) {
    metric_sample sample;
    for (const auto& label : from.label) sample.labels.emplace_back(label.name, label.value);
    if (kind == metric_kind::counter) sample.value = from.counter.value;
    if (kind == metric_kind::gauge) sample.value = from.gauge.value;
    if (kind == metric_kind::histogram) {
        sample.value = from.histogram.sample_sum;
        sample.count = from.histogram.sample_count;
        for (const auto& bucket : from.histogram.bucket) {
            sample.buckets.push_back({.upper_bound = bucket.upper_bound, .count = bucket.cumulative_count});
        }
    }
    return sample;
}

std::vector<metric_family> families_of(const page& seen) {
    std::vector<metric_family> all;
    for (const MetricFamily& each : seen.families()) {
        metric_family family{.name = each.name, .help = each.help, .kind = kind_of(each.type)};
        for (const ClientMetric& metric : each.metric) family.samples.push_back(sample_of(metric, family.kind));
        all.push_back(std::move(family));
    }
    return all;
}

/// What the buckets of one series have to show.
struct series_exemplars {
    const char* name;
    labels of;
    std::vector<std::optional<metric_exemplar>> of_buckets;
};

void add_exemplars(std::vector<metric_family>& to, std::vector<series_exemplars> all) {
    for (series_exemplars& each : all) {
        const auto family = std::ranges::find(to, each.name, &metric_family::name);
        if (family == to.end()) continue;
        const auto series = std::ranges::find(family->samples, each.of, &metric_sample::labels);
        if (series == family->samples.end()) continue;
        const std::size_t count = std::min(series->buckets.size(), each.of_buckets.size());
        for (std::size_t i = 0; i < count; ++i) series->buckets[i].exemplar = std::move(each.of_buckets[i]);
    }
}

page page_of(const std::vector<worker_health>& workers, duration uptime) {
    page all;
    add_process(all, uptime);
    for (const worker_health& each : workers) {
        const labels of{{"worker", std::to_string(each.index)}};
        all.gauge("sluice_worker_up", "1 while the worker runs and has said that it is ready.", of, each.ready ? 1 : 0);
        all.counter("sluice_worker_restarts_total", "Restarts of the worker.", of, each.restarts);
    }
    return all;
}

}  // namespace

/// The registry and the ways into it.
struct metrics::instruments {
    /// One series of a histogram, and the exemplars of its buckets.
    struct traced_histogram {
        traced_histogram(prometheus::Family<prometheus::Histogram>& family, const prometheus::Labels& by,
                         const prometheus::Histogram::BucketBoundaries& bounds)
            : of{by.begin(), by.end()},
              counts{&family.Add(by, bounds)},
              exemplars{std::make_unique<bucket_exemplars>(bounds)} {}

        /// After the observation was counted: an exemplar that is shown is counted, too.
        void keep(const std::optional<observe::exemplar>& example) const {
            if (example) exemplars->keep(*example);
        }

        labels of;  ///< as the registry shows them
        prometheus::Histogram* counts;
        std::unique_ptr<bucket_exemplars> exemplars;
    };
    struct of_a_lane {
        counted_lane is;
        prometheus::Counter* published;
        prometheus::Counter* failed;
        prometheus::Counter* abandoned;
        prometheus::Counter* overtaken;
        traced_histogram latency;
    };
    struct of_a_subscription {
        counted_subscription is;
        prometheus::Counter* handled;
        prometheus::Counter* failed;
        prometheus::Counter* expired;
        prometheus::Counter* retries;
        prometheus::Counter* dead;
        prometheus::Counter* dropped;
        traced_histogram took;
        std::map<std::string, prometheus::Counter*, std::less<>> breaker;  ///< by what it turned to
    };

    explicit instruments(std::string name) : domain{std::move(name)} {}

    prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<prometheus::Histogram>& histogram(const char* name, const char* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    [[nodiscard]] std::vector<of_a_subscription>::const_iterator find(std::string_view handler, std::string_view broker,
                                                                      std::string_view stream) const {
        return std::find_if(subscriptions.begin(), subscriptions.end(), [&](const auto& each) {
            return each.is.stream == stream && each.is.handler == handler && each.is.broker == broker;
        });
    }

    [[nodiscard]] page page_of(const health_report& report, const process_figures& process) const;
    /// Of both histograms.
    [[nodiscard]] std::vector<series_exemplars> exemplars() const;

    std::string domain;
    prometheus::Registry registry;
    std::vector<of_a_lane> lanes;
    std::vector<of_a_subscription> subscriptions;
};

metrics::metrics(std::string domain, const std::vector<counted_lane>& lanes,
                 const std::vector<counted_subscription>& subscriptions)
    : instruments_{std::make_unique<instruments>(std::move(domain))} {
    instruments& all = *instruments_;
    auto& published = all.counter("sluice_outbox_published_total", "Rows that the broker confirmed.");
    auto& failed = all.counter("sluice_outbox_failed_total", "Attempts that the broker refused.");
    auto& abandoned = all.counter("sluice_outbox_abandoned_total", "Rows given up after their last attempt.");
    auto& overtaken = all.counter("sluice_outbox_overtaken_total", "Rows published behind later ones.");
    auto& latency = all.histogram(latency_name, "From the commit to the broker's confirmation.");
    for (const counted_lane& lane : lanes) {
        const auto of = native(of_lane(all.domain, lane.database, lane.broker, lane.external));
        all.lanes.push_back({lane,
                             &published.Add(of),
                             &failed.Add(of),
                             &abandoned.Add(of),
                             &overtaken.Add(of),
                             {latency, of, latency_buckets}});
    }
    auto& processed = all.counter("sluice_subscription_processed_total", "Attempts to handle a message.");
    auto& expired = all.counter("sluice_subscription_expired_total", "Commands skipped because of their deadline.");
    auto& retries = all.counter("sluice_subscription_retries_total", "Messages put off to be handled again.");
    auto& dead = all.counter("sluice_subscription_dlq_total", "Messages set aside to the dead letters.");
    auto& dropped =
        all.counter("sluice_subscription_dropped_total", "Messages given up by a subscription without dead letters.");
    auto& breaker = all.counter("sluice_subscription_circuit_breaker_total", "Turns of the circuit breaker.");
    auto& took = all.histogram(handler_name, "Time in the handler and its commit.");
    for (const counted_subscription& s : subscriptions) {
        const labels base = of_subscription(all.domain, s.handler, s.broker, s.stream);
        const auto of = native(base);
        all.subscriptions.push_back({s,
                                     &processed.Add(native(with(base, "status", "ok"))),
                                     &processed.Add(native(with(base, "status", "error"))),
                                     &expired.Add(of),
                                     &retries.Add(of),
                                     &dead.Add(of),
                                     &dropped.Add(of),
                                     {took, of, handler_buckets},
                                     {}});
        for (const char* to : {"opened", "half_open", "closed"}) {
            all.subscriptions.back().breaker.emplace(to, &breaker.Add(native(with(base, "to", to))));
        }
    }
}

metrics::~metrics() = default;

void metrics::count(const observe::settled_rows& rows) noexcept {
    const auto lane = std::find_if(instruments_->lanes.begin(), instruments_->lanes.end(), [&](const auto& each) {
        return each.is.broker == rows.broker && each.is.database == rows.database;
    });
    if (lane == instruments_->lanes.end()) return;
    try {
        lane->published->Increment(static_cast<double>(rows.published));
        lane->failed->Increment(static_cast<double>(rows.failed + rows.abandoned));
        lane->abandoned->Increment(static_cast<double>(rows.abandoned));
        lane->overtaken->Increment(static_cast<double>(rows.overtaken));
        std::vector<double> increments(latency_buckets.size() + 1);
        double sum = 0;
        for (const double latency : rows.latencies) {
            const auto bucket = std::lower_bound(latency_buckets.begin(), latency_buckets.end(), latency);
            ++increments[static_cast<std::size_t>(bucket - latency_buckets.begin())];
            sum += latency;
        }
        if (!rows.latencies.empty()) lane->latency.counts->ObserveMultiple(increments, sum);
        lane->latency.keep(rows.example);
    } catch (...) {  // NOLINT(bugprone-empty-catch): what cannot be counted (out of memory) is still published
    }
}

void metrics::count(const observe::breaker_change& change) noexcept {
    const auto found = instruments_->find(change.handler, change.broker, change.stream);
    if (found == instruments_->subscriptions.end()) return;
    const auto counter = found->breaker.find(change.to);
    if (counter != found->breaker.end()) counter->second->Increment();
}

void metrics::count(const observe::handled_message& message) noexcept {
    const auto found = instruments_->find(message.handler, message.broker, message.stream);
    if (found == instruments_->subscriptions.end()) return;
    try {
        switch (message.what) {
            case observe::handling::handled:
                found->handled->Increment();
                found->took.counts->Observe(base::seconds(message.took));
                found->took.keep(message.example);
                break;
            case observe::handling::failed:
                found->failed->Increment();
                found->took.counts->Observe(base::seconds(message.took));
                found->took.keep(message.example);
                break;
            case observe::handling::expired:
                found->expired->Increment();
                break;
            case observe::handling::put_off:
                found->retries->Increment();
                break;
            case observe::handling::set_aside:
                found->dead->Increment();
                break;
            case observe::handling::dropped:
                found->dropped->Increment();
                break;
        }
    } catch (...) {  // NOLINT(bugprone-empty-catch): as above
    }
}

/// Everything of one moment.
page metrics::instruments::page_of(const health_report& report, const process_figures& process) const {
    page all;
    add_process(all, process.uptime);
    if (process.spans != nullptr) add_spans(all, *process.spans);
    all.gauge("sluice_ready", "1 when /readyz answers 200.", {}, decide(report) == readiness::ok ? 1 : 0);
    add_components(all, report);
    for (const operate::lane_view& lane : report.lanes) add_lane(all, domain, lane);
    for (const schedule_health& each : report.schedules) add_schedule(all, domain, each);
    for (const writer_health& each : report.writers) add_writer(all, domain, each);
    for (const subscription_health& each : report.subscriptions) add_subscription(all, domain, each);
    for (const auto& [name, restarts] : process.restarts) {
        all.counter("sluice_thread_restarts_total",
                    "Restarts of a lane, a subscription, a schedule or the maintenance.",
                    {{"domain", domain}, {"thread", name}}, restarts);
    }
    all.add(registry.Collect());
    return all;
}

std::vector<series_exemplars> metrics::instruments::exemplars() const {
    std::vector<series_exemplars> all;
    for (const of_a_lane& each : lanes) {
        all.push_back({latency_name, each.latency.of, each.latency.exemplars->latest()});
    }
    for (const of_a_subscription& each : subscriptions) {
        all.push_back({handler_name, each.took.of, each.took.exemplars->latest()});
    }
    return all;
}

std::string metrics::render(const health_report& report, const process_figures& process, metrics_format format) const {
    if (format == metrics_format::openmetrics) return to_openmetrics(collect(report, process));
    return instruments_->page_of(report, process).text();
}

std::vector<metric_family> metrics::collect(const health_report& report, const process_figures& process) const {
    auto latest = instruments_->exemplars();  // before the counts, which then include them
    auto families = families_of(instruments_->page_of(report, process));
    add_exemplars(families, std::move(latest));
    return families;
}

std::string render_metrics(const std::vector<worker_health>& workers, duration uptime, metrics_format format) {
    if (format == metrics_format::openmetrics) return to_openmetrics(collect_metrics(workers, uptime));
    return page_of(workers, uptime).text();
}

std::vector<metric_family> collect_metrics(const std::vector<worker_health>& workers, duration uptime) {
    return families_of(page_of(workers, uptime));
}

}  // namespace sluice::http
