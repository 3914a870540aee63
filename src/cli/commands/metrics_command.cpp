#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands/commands.hpp"
#include "cli/terminal/table.hpp"
#include "http/metric_catalog.hpp"

namespace sluice::cli {

namespace {

exit_code list_metrics(const session& in) {
    const auto catalog = http::metric_catalog();
    if (in.out.json()) {
        json::array metrics;
        for (const http::metric_entry& each : catalog) {
            json::array labels;
            for (const std::string& label : each.labels) labels.emplace_back(label);
            metrics.push_back(json::object{{"name", each.name},
                                           {"type", http::to_string(each.kind)},
                                           {"labels", std::move(labels)},
                                           {"help", each.help}});
        }
        in.out.print_json(json::object{{"metrics", std::move(metrics)}});
        return exit_code::ok;
    }
    table metrics{{{"METRIC"}, {"TYPE"}, {"LABELS"}, {"MEANING"}}};
    for (const http::metric_entry& each : catalog) {
        metrics.add(
            {each.name, http::to_string(each.kind), fmt::format("{}", fmt::join(each.labels, ", ")), each.help});
    }
    in.out.print(metrics.render(in.out));
    return exit_code::ok;
}

}  // namespace

void add_metrics(command& root) {
    root.add("metrics", "List every metric that a server can show; asks nobody").runs(list_metrics);
}

}  // namespace sluice::cli
