#pragma once

#include <string>
#include <vector>

#include <sluice/metrics.hpp>

namespace sluice::http {

/// A metric without its series: what dashboards and rules are made of.
struct metric_entry {
    std::string name;
    metric_kind kind = metric_kind::gauge;
    std::string help;
    std::vector<std::string> labels{};
};

/// Every metric that a server, or the parent of several workers, can ever show, by name. Asked of the code that shows
/// them, so that nothing is listed twice.
[[nodiscard]] std::vector<metric_entry> metric_catalog();

/// `counter`, `gauge`, `histogram`.
[[nodiscard]] const char* to_string(metric_kind kind) noexcept;

}  // namespace sluice::http
