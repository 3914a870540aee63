#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sluice/registry.hpp>

#include "config/configuration.hpp"

namespace sluice {
class domain;
}

namespace sluice::config {

enum class severity { warning, error };
[[nodiscard]] const char* to_string(severity level) noexcept;

/// Something worth telling about a domain together with its configuration.
struct finding {
    severity level = severity::warning;
    std::string code;     ///< stable word: PUBLISHED_NO_EXTERNAL_BROKER
    std::string element;  ///< what it is about: `shop.OrderShipped`, `brokers.partner_events`
    std::string message;
    std::string remedy;

    friend bool operator==(const finding&, const finding&) = default;
};

/// Compares what the domain declares with what the configuration offers, before any row is written. Pure.
///
/// Errors: a subscriber's broker, or the database of an aggregate or process manager is not configured; a section for a
/// subscription that the domain does not have; a profile that does not exist; a member to redact that no event has; two
/// streams with one name at a broker; fewer connections to a database than an engine keeps.
/// Warnings: published events without external brokers, a lane's pattern that means nothing, several hosts of a
/// database without a choice among them, an older version of an event that cannot be read, an external broker that no
/// other process can read, a subscription that keeps no dead letters, and what `check_addresses` finds.
[[nodiscard]] std::vector<finding> check(const detail::registry& domain, const configuration& with);

/// The same, and the mistakes in the declaration itself.
[[nodiscard]] std::vector<finding> findings_of(const domain& declared, const configuration& with);

/// @throws configuration_error with all that are errors, each with its remedy
void require_no_errors(const std::vector<finding>& found);

}  // namespace sluice::config
