#include "http/worker_health.hpp"

#include <algorithm>

namespace sluice::http {

readiness decide(phase at, const std::vector<worker_health>& workers) {
    if (at == phase::draining) return readiness::unavailable;
    const bool any = std::any_of(workers.begin(), workers.end(), [](const worker_health& w) { return w.ready; });
    return any ? readiness::ok : readiness::degraded;
}

json::value to_json(phase at, const std::vector<worker_health>& workers) {
    json::array details;
    for (const worker_health& each : workers) {
        details.push_back(json::object{{"worker", each.index},
                                       {"status", each.ready ? "ok" : "unavailable"},
                                       {"pid", each.pid == 0 ? json::value{} : json::value{each.pid}},
                                       {"restarts", each.restarts}});
    }
    const auto ready = std::count_if(workers.begin(), workers.end(), [](const worker_health& w) { return w.ready; });
    json::object block{{"total", workers.size()}, {"ready", ready}, {"details", std::move(details)}};
    return json::object{
        {"status", to_string(decide(at, workers))},
        {"checks", json::object{{"shutting_down", at == phase::draining}, {"workers", std::move(block)}}}};
}

}  // namespace sluice::http
