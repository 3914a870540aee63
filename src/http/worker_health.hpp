#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "http/readiness.hpp"

namespace sluice::http {

/// A worker process as its parent sees it.
struct worker_health {
    int index = 0;       ///< from 1
    int pid = 0;         ///< 0 while it waits for its next start
    bool ready = false;  ///< it has said that it serves, and it lives
    int restarts = 0;
};

/// One ready worker is enough: the lanes of the others are taken over. Pure.
[[nodiscard]] readiness decide(phase at, const std::vector<worker_health>& workers);

/// The body of the parent's `/readyz`.
[[nodiscard]] json::value to_json(phase at, const std::vector<worker_health>& workers);

}  // namespace sluice::http
