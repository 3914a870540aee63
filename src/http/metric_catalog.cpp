#include "http/metric_catalog.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "http/metrics.hpp"

namespace sluice::http {

namespace {

constexpr const char* any = "x";

/// One of everything, with all that can be known of it.
health_report full_report() {
    const component all{.name = any, .sign = {.is = sign::ok, .age = duration{0}}};
    const operate::lane_view shard{.database = any, .broker = any, .part = {1, 2}};
    operate::lane_view lane = shard;
    lane.rows = operate::lane_rows{};
    lane.audit = store::audit_note{};
    lane.shards = {shard, shard};
    return {.at = phase::running,
            .databases = {all},
            .brokers = {all},
            .lanes = {lane},
            .schedules = {{.database = any}},
            .writers = {{.database = any, .oldest = store::open_writer{}}},
            .subscriptions = {{.handler = any, .broker = any, .stream = any, .lag = 0, .pending = 0, .dead = 0}}};
}

metric_entry entry_of(const metric_family& family) {
    metric_entry made{.name = family.name, .kind = family.kind, .help = family.help};
    if (family.samples.empty()) return made;
    for (const auto& [label, value] : family.samples.front().labels) made.labels.push_back(label);
    std::ranges::sort(made.labels);
    return made;
}

}  // namespace

std::vector<metric_entry> metric_catalog() {
    const metrics of_a_server{
        any, {{.database = any, .broker = any}}, {{.handler = any, .broker = any, .stream = any}}};
    const observe::span_counts spans;
    auto families = of_a_server.collect(full_report(), {.restarts = {{any, 0}}, .spans = &spans});
    auto of_the_parent = collect_metrics({worker_health{.index = 1}}, duration{0});
    std::ranges::move(of_the_parent, std::back_inserter(families));
    std::vector<metric_entry> entries;
    for (const metric_family& each : families) {
        if (std::ranges::find(entries, each.name, &metric_entry::name) == entries.end()) {
            entries.push_back(entry_of(each));
        }
    }
    std::ranges::sort(entries, {}, &metric_entry::name);
    return entries;
}

const char* to_string(metric_kind kind) noexcept {
    switch (kind) {
        case metric_kind::counter:
            return "counter";
        case metric_kind::gauge:
            return "gauge";
        case metric_kind::histogram:
            return "histogram";
    }
    return "gauge";
}

}  // namespace sluice::http
