#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "operate/deep_audit.hpp"
#include "operate/installation.hpp"
#include "operate/named_fault.hpp"
#include "operate/open_databases.hpp"
#include "store/audit.hpp"

/// Whether everything that was committed is accounted for, at each broker.
namespace sluice::operate {

struct audit_request {
    std::string broker{};              ///< empty: each that events were meant for
    std::optional<date_time> since{};  ///< from the first event on that was created then or later; else all
    bool deep = false;                 ///< the brokers are asked, too
};

/// One broker of one database.
struct audited_broker {
    std::string database;
    std::string broker;
    store::audit_sum sum{};
    std::vector<named_fault> faults{};
    std::optional<asked_broker> deep{};

    [[nodiscard]] bool closes() const noexcept { return sum.closes() && (!deep || deep->closes()); }
};

struct audit_report {
    std::vector<audited_broker> brokers{};

    [[nodiscard]] bool closes() const noexcept;
};

/// Adds up the whole log, or the part that was asked for, broker by broker. Lanes and commits go on meanwhile: each
/// run of events is seen in one snapshot. Writes nothing.
/// @param databases  of the installation
/// @throws store_error, broker_error
[[nodiscard]] audit_report audit(const installation& with, const std::vector<open_database>& databases,
                                 const audit_request& asked);

/// Keeps for each broker what came of an audit of everything, so that the metrics and `sluice status` tell of it.
/// @return why it could not be kept; empty when it was
[[nodiscard]] std::string keep_outcome(const std::vector<open_database>& databases, const audit_report& report,
                                       date_time now);

/// Makes the lanes send what is missing: they look again from the first such event of each broker on, and leave out
/// what is confirmed. What a broker has although its confirmation was lost, it gets twice.
/// @throws store_error
void resend_missing(const std::vector<open_database>& databases, const audit_report& report);

[[nodiscard]] json::value to_json(const audit_report& report);

}  // namespace sluice::operate
