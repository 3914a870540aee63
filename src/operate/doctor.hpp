#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "config/check.hpp"
#include "operate/installation.hpp"

namespace sluice::operate {

/// What a doctor's visit comes to, the best first.
enum class diagnosis {
    healthy,
    warnings,       ///< nothing stops, but somebody should look
    failing,        ///< something does not work, or soon will not
    unavailable,    ///< a database is away or not set up
    misconfigured,  ///< the configuration or the declaration of the domain is wrong
};

/// `healthy`, `warnings`, `failing`, `unavailable`, `misconfigured`.
[[nodiscard]] const char* to_string(diagnosis result) noexcept;

/// All that is wrong with an installation as it runs, and how much was looked at.
struct doctor_report {
    struct {
        std::string domain{};  ///< empty when none is named
        std::size_t databases = 0;
        std::size_t brokers = 0;
        std::size_t lanes = 0;
        std::size_t engines = 0;  ///< owners of lanes
        std::size_t groups = 0;
        std::size_t files = 0;  ///< certificates, keys and secrets
    } looked_at{};
    bool is_misconfigured = false;
    std::vector<config::finding> findings{};  ///< errors first

    [[nodiscard]] std::size_t errors() const;
    [[nodiscard]] std::size_t warnings() const { return findings.size() - errors(); }
    [[nodiscard]] diagnosis result() const;
};

/// Looks at everything: what `check` finds, and the running world. That is the schema of the databases, the lanes and
/// who owns them, transactions that hold them, clocks and connections of database servers, certificates and rights of
/// files, rows and marks that ought to be gone, dead letters and rows that were given up.
///
/// Needs no running engine, and writes nothing. What is away is a finding and hides nothing else. Without a domain its
/// declaration and the groups of its handlers are not looked at.
/// @throws configuration_error when a domain that is named cannot be loaded
[[nodiscard]] doctor_report examine(const site& at);

[[nodiscard]] json::value to_json(const doctor_report& report);

}  // namespace sluice::operate
