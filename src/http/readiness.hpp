#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "http/vital_signs.hpp"
#include "operate/lanes.hpp"

namespace sluice::http {

enum class phase { starting, running, draining };

/// A database or a broker.
struct component {
    std::string name;
    bool decisive = true;  ///< without it there is nothing useful that the service could do
    vital_sign sign{};
};

struct subscription_health {
    std::string handler{};
    std::string type{};  ///< `stream` on the internal broker, `broker` for a subscriber
    std::string broker{};
    std::string stream{};
    std::string state{};                    ///< of the engine's worker: idle, working, paused, …
    std::optional<std::int64_t> lag{};      ///< messages not yet delivered to the group; empty when not known
    std::optional<std::int64_t> pending{};  ///< delivered and not acknowledged
    std::optional<std::int64_t> dead{};
};

/// The timers and scheduled commands of a database that answers.
struct schedule_health {
    std::string database{};
    duration overdue{};  ///< since the first of them was due; zero when none is
};

/// What lanes of a database that answers keep a place in the log for.
struct writer_health {
    std::string database{};
    std::optional<store::open_writer> oldest{};  ///< empty when no transaction lasts
};

/// Everything that a probe or a scrape tells.
struct health_report {
    phase at = phase::starting;
    std::vector<component> databases{};
    std::vector<component> brokers{};
    std::vector<operate::lane_view> lanes{};
    std::vector<schedule_health> schedules{};
    std::vector<writer_health> writers{};
    std::vector<subscription_health> subscriptions{};
};

enum class readiness {
    ok,
    degraded,    ///< something decisive is away
    unavailable  ///< starting, or shutting down
};

[[nodiscard]] const char* to_string(readiness r) noexcept;

/// The databases and the internal broker decide. A partner's broker does not: a partner that is down must not take this
/// service out of rotation. Pure.
[[nodiscard]] readiness decide(const health_report& report);

/// The body of `/readyz` (docs/observability.md).
[[nodiscard]] json::value to_json(const health_report& report);

}  // namespace sluice::http
