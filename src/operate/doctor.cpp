#include "operate/doctor.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <sluice/error.hpp>

#include "config/problems.hpp"
#include "operate/configured_files.hpp"
#include "operate/findings.hpp"
#include "operate/json_forms.hpp"
#include "operate/status.hpp"
#include "operate/world_findings.hpp"

namespace sluice::operate {

namespace {

using config::finding;
using config::severity;

constexpr std::size_t oldest_rows = 20;  ///< of each broker

/// A database without which nothing can go on.
bool means_unavailable(const finding& found) {
    return is_error(found) && (found.code == "DATABASE_UNAVAILABLE" || found.code.starts_with("SCHEMA_"));
}

kept_for_long oldest_of(const config::outbox_settings& outbox, const std::string& name, store::database& database) {
    const auto session = database.open_operations();
    kept_for_long seen{.database = name, .leases = session->lanes(), .at = system_clock().now()};
    std::vector<std::string> brokers{outbox.external_brokers};
    brokers.push_back(outbox.broker);
    for (const std::string& broker : brokers) {
        store::outbox_filter filter;
        filter.target_broker = broker;
        filter.oldest_first = true;
        filter.limit = oldest_rows;
        std::ranges::move(session->list(filter), std::back_inserter(seen.oldest));
    }
    return seen;
}

/// Collects what there is to tell; no source hides another.
class visit {
public:
    explicit visit(const site& at) : at_{at} {}

    doctor_report make() {
        if (ask_check()) look_around();
        // Errors first. What check and the world say of one thing is told once.
        std::ranges::stable_sort(told_, {}, [](const finding& each) { return !is_error(each); });
        for (finding& each : told_) {
            const auto is_same = [&](const finding& other) {
                return other.code == each.code && other.element == each.element &&
                       (each.code.ends_with("_UNAVAILABLE") || other.message == each.message);
            };
            if (std::ranges::none_of(report_.findings, is_same)) report_.findings.push_back(std::move(each));
        }
        return std::move(report_);
    }

private:
    /// What is wrong with declaration and configuration. False when there is nothing to go on with.
    bool ask_check() {
        if (!at_.knows_domain()) {
            tell({.level = severity::warning,
                  .code = "NO_DOMAIN",
                  .element = {},
                  .message = "no domain is named: its declaration, the events in the log and groups without a handler "
                             "were not looked at",
                  .remedy = "add --domain=PATH_OR_NAME or set SLUICE_DOMAIN"});
        }
        check_report found = at_.knows_domain() ? check(at_) : check_without_domain(at_);
        report_.looked_at.domain = found.domain;
        report_.is_misconfigured = found.errors() > 0;
        add(std::move(found.findings));
        return !report_.is_misconfigured;
    }

    void look_around() {
        const installation with = open_installation(at_);
        report_.looked_at.databases = with.parts.databases.size();
        report_.looked_at.brokers = with.parts.brokers.size();
        const auto files = configured_files(with.configuration);
        report_.looked_at.files = files.size();
        add(certificate_findings(files, system_clock().now()));
        for (const auto& [name, database] : with.parts.databases) {
            look_at_database(with.configuration, name, *database);
        }
        look_at_status();
    }

    void look_at_database(const config::configuration& with, const std::string& name, store::database& database) {
        try {
            ask_server(name, database);
            const schema_view schema = read_schema(name, database);
            auto found = schema_findings(schema);
            if (found.empty()) {
                add(retention_findings(with.outbox, oldest_of(with.outbox, name, database)));
            } else {
                without_schema_.insert(name);
                add(std::move(found));
            }
        } catch (const store_error& e) {
            tell({.level = severity::error,
                  .code = "DATABASE_UNAVAILABLE",
                  .element = "databases." + name,
                  .message = e.what(),
                  .remedy = "bring it back, or mend the connection; engines go on by themselves"});
        }
    }

    void ask_server(const std::string& name, store::database& database) {
        if (!database.server()) return;  // and connecting takes its time, which says nothing of the clock
        asked_server asked;
        asked.before = system_clock().now();
        asked.state = database.server().value();
        asked.after = system_clock().now();
        add(server_findings(name, asked));
    }

    void look_at_status() {
        status_view status = read_status(at_);
        // A database without tables has nothing to tell, and was told of.
        std::erase_if(status.outages, [&](const outage& each) {
            return each.what == outage::kind::database && without_schema_.contains(each.name);
        });
        std::set<std::string> engines;
        for (const lane_view& lane : status.lanes) {
            if (!lane.owner.empty()) engines.insert(lane.owner);
            for (const lane_view& shard : lane.shards) {
                if (!shard.owner.empty()) engines.insert(shard.owner);
            }
        }
        report_.looked_at.lanes = status.lanes.size();
        report_.looked_at.engines = engines.size();
        report_.looked_at.groups = status.groups.size();
        add(status_findings(status));
    }

    void tell(finding found) { told_.push_back(std::move(found)); }
    void add(std::vector<finding> more) { std::ranges::move(more, std::back_inserter(told_)); }

    const site& at_;
    doctor_report report_;
    std::vector<finding> told_;
    std::set<std::string> without_schema_;  ///< databases
};

}  // namespace

const char* to_string(diagnosis result) noexcept {
    switch (result) {
        case diagnosis::healthy:
            return "healthy";
        case diagnosis::warnings:
            return "warnings";
        case diagnosis::failing:
            return "failing";
        case diagnosis::unavailable:
            return "unavailable";
        case diagnosis::misconfigured:
            return "misconfigured";
    }
    return "failing";
}

std::size_t doctor_report::errors() const {
    return static_cast<std::size_t>(std::ranges::count_if(findings, is_error));
}

diagnosis doctor_report::result() const {
    if (is_misconfigured) return diagnosis::misconfigured;
    if (std::ranges::any_of(findings, means_unavailable)) return diagnosis::unavailable;
    if (errors() > 0) return diagnosis::failing;
    return findings.empty() ? diagnosis::healthy : diagnosis::warnings;
}

doctor_report examine(const site& at) { return visit{at}.make(); }

json::value to_json(const doctor_report& report) {
    json::array findings;
    for (const finding& each : report.findings) findings.push_back(to_json(each));
    const auto& seen = report.looked_at;
    return json::object{{"result", to_string(report.result())},
                        {"errors", report.errors()},
                        {"warnings", report.warnings()},
                        {"looked_at", json::object{{"domain", text_or_null(seen.domain)},
                                                   {"databases", seen.databases},
                                                   {"brokers", seen.brokers},
                                                   {"lanes", seen.lanes},
                                                   {"engines", seen.engines},
                                                   {"groups", seen.groups},
                                                   {"files", seen.files}}},
                        {"findings", std::move(findings)}};
}

}  // namespace sluice::operate
