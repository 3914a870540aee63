#pragma once

#include <functional>
#include <memory>

#include "broker/broker.hpp"
#include "common/workload.hpp"

namespace sluice::bench {

struct latency_run {
    int events = 400;
    int per_second = 100;
    int committers = 1;          ///< threads that share the rate
    bool other_process = false;  ///< the lane's process does not commit
};

struct latency {
    double p50_ms = 0;
    double p99_ms = 0;
    double per_second = 0;  ///< commits that were made; fewer than wanted when the database is slower
};

/// Opens a workload; called once in each process.
using workload_factory = std::function<std::unique_ptr<workload>()>;

/// From the return of the commit to the broker's confirmation, on the lane to `partner_1`.
[[nodiscard]] latency measure_latency(const workload_factory& open, broker::broker& to, const latency_run& run);

}  // namespace sluice::bench
