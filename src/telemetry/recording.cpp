#include "telemetry/recording.hpp"

#include <utility>

#include "base/backoff.hpp"
#include "observe/span_source.hpp"
#include "telemetry/http_transport.hpp"

namespace sluice::telemetry {

namespace {

exporter::options options_of(const config::telemetry_settings& with, const std::string& domain) {
    exporter::options made;
    made.endpoint = with.endpoint;
    made.from = make_resource(with, domain, identity_of_this_process());
    made.timing.batch = with.max_batch_spans;
    made.timing.delay = base::from_seconds(with.delay_seconds);
    made.timing.metrics_every = with.metrics ? base::from_seconds(with.metrics_interval_seconds) : duration{0};
    made.queue.spans = with.max_queued_spans;
    made.queue.batch = with.max_batch_spans;
    made.timeout = base::from_seconds(with.timeout_seconds);
    made.farewell = base::from_seconds(with.shutdown_seconds);
    return made;
}

}  // namespace

observe::sampler sampler_of(const config::telemetry_settings& with) {
    using rule = observe::sampler::rule;
    const bool heeds_parent = with.sampler.starts_with("parentbased_");
    if (with.sampler.ends_with("traceidratio")) return {rule::ratio, heeds_parent, with.sampling_ratio};
    return {with.sampler.ends_with("always_off") ? rule::always_off : rule::always_on, heeds_parent};
}

std::unique_ptr<exporter> begin_recording(observe::tracer& tracer, recording how) {
    std::unique_ptr<exporter> made;
    std::shared_ptr<const observe::span_counts> counts;
    if (how.with.enabled && (how.with.traces || how.with.metrics)) {
        made = std::make_unique<exporter>(options_of(how.with, how.domain), std::make_unique<http_transport>(how.with),
                                          std::move(how.log));
    }
    if (made && how.with.traces) {
        how.sinks.push_back(made->sink());
        counts = made->counts();
    }
    if (how.sinks.empty()) return made;
    tracer.record_with(
        std::make_shared<const observe::span_source>(sampler_of(how.with), how.time, how.random, std::move(how.sinks)),
        std::move(counts));
    return made;
}

}  // namespace sluice::telemetry
