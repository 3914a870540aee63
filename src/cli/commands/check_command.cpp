#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/commands/commands.hpp"
#include "cli/terminal/units.hpp"
#include "operate/findings.hpp"

namespace sluice::cli {

namespace {

/// Nothing of what there is none.
std::string also(std::size_t count, std::string_view what) { return count == 0 ? "" : ", " + count_of(count, what); }

/// `domain shop: 1 aggregate, 5 events (2 published), …`
std::string describe(const operate::check_report& report) {
    const operate::declaration_counts& declared = report.declared;
    return fmt::format("domain {}: {}, {} ({} published), {}, {}, {}{}{}", report.domain,
                       count_of(declared.aggregates, "aggregate"), count_of(declared.events, "event"),
                       declared.published, count_of(declared.commands, "command"),
                       count_of(declared.event_handlers, "event handler"), count_of(declared.subscribers, "subscriber"),
                       also(declared.processes, "process manager"), also(declared.read_models, "read model"));
}

void print(const session& in, const operate::check_report& report) {
    in.out.print(safe_lines(describe(report)));
    if (!report.built_in_database.empty()) {
        in.out.print(safe_lines(fmt::format("database default (built-in): {}, as {} configures none",
                                            report.built_in_database, report.configuration)));
    }
    for (const config::finding& each : report.findings) in.out.print(to_text(each, in.out));
    in.out.print(report.findings.empty() ? in.out.paint("no problems", tone::good)
                                         : fmt::format("{}, {}", count_of(report.errors(), "error"),
                                                       count_of(report.warnings(), "warning")));
}

exit_code check(const session& in) {
    const operate::check_report report = operate::check(in.site);
    if (in.out.json()) {
        in.out.print_json(to_json(report));
    } else {
        print(in, report);
    }
    return report.errors() > 0 ? exit_code::configuration : exit_code::ok;
}

}  // namespace

void add_check(command& root) {
    root.add("check", "Check the domain and its configuration; writes nothing").runs(check);
}

}  // namespace sluice::cli
