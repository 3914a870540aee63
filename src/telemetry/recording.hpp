#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sluice/span.hpp>
#include <sluice/time.hpp>

#include "base/random.hpp"
#include "config/configuration.hpp"
#include "observe/log.hpp"
#include "observe/sampler.hpp"
#include "observe/tracer.hpp"
#include "telemetry/exporter.hpp"

namespace sluice::telemetry {

[[nodiscard]] observe::sampler sampler_of(const config::telemetry_settings& with);

/// Who records, and for whom. Lifetime: clock and random source must outlive the tracer.
struct recording {
    const config::telemetry_settings& with;
    const std::string& domain;  ///< its name
    const clock& time;
    base::random_source& random;  ///< used by all threads at a time
    std::shared_ptr<const observe::log_route> log{};
    std::vector<span_sink> sinks{};  ///< besides the exporter's; they get spans whether or not anything is exported
};

/// Lets a tracer record what `[telemetry]` and the sinks want. Nothing when they want nothing: then the tracer stays as
/// it is.
/// @returns the exporter; null when `[telemetry]` is not enabled
/// @throws error  the HTTP library cannot be set up
[[nodiscard]] std::unique_ptr<exporter> begin_recording(observe::tracer& tracer, recording how);

}  // namespace sluice::telemetry
