#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "config/check.hpp"
#include "operate/installation.hpp"

namespace sluice::operate {

/// How much a domain declares.
struct declaration_counts {
    std::size_t aggregates = 0;
    std::size_t events = 0;
    std::size_t published = 0;  ///< of the events
    std::size_t commands = 0;
    std::size_t event_handlers = 0;
    std::size_t subscribers = 0;
    std::size_t processes = 0;
    std::size_t read_models = 0;
};

[[nodiscard]] declaration_counts counts_of(const detail::registry& domain);

/// All that is wrong or worth telling about a domain, its configuration, its databases and its brokers.
struct check_report {
    std::string domain;
    std::string configuration;  ///< the file
    declaration_counts declared{};
    std::string built_in_database{};  ///< file of the database that Sluice chose, as none is configured; else empty
    std::vector<config::finding> findings{};

    [[nodiscard]] std::size_t errors() const;
    [[nodiscard]] std::size_t warnings() const { return findings.size() - errors(); }
};

/// Writes nothing. Databases and brokers that are away are findings, and so are mistakes in the file.
/// @throws request_error when no domain is named, configuration_error when it cannot be loaded
[[nodiscard]] check_report check(const site& at);
/// The same without what needs a declaration; `domain` is empty.
[[nodiscard]] check_report check_without_domain(const site& at);

[[nodiscard]] inline bool is_error(const config::finding& found) { return found.level == config::severity::error; }

[[nodiscard]] json::value to_json(const config::finding& found);
[[nodiscard]] json::value to_json(const check_report& report);

}  // namespace sluice::operate
