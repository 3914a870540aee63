#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "cli/commands/commands.hpp"
#include "cli/terminal/units.hpp"
#include "operate/doctor.hpp"

namespace sluice::cli {

namespace {

using operate::diagnosis;

struct doctor_arguments {
    bool strict = false;
};

/// `domain shop: 1 database, 2 brokers, 3 lanes of 1 engine, 4 groups, 2 files`
std::string describe(const operate::doctor_report& report) {
    const auto& seen = report.looked_at;
    return fmt::format("{}{}, {}, {} of {}, {}, {}", seen.domain.empty() ? "" : "domain " + seen.domain + ": ",
                       count_of(seen.databases, "database"), count_of(seen.brokers, "broker"),
                       count_of(seen.lanes, "lane"), count_of(seen.engines, "engine"),
                       count_of(seen.groups, "consumer group"),
                       count_of(seen.files, "file with a certificate or secret", "files with a certificate or secret"));
}

void print(const session& in, const operate::doctor_report& report) {
    if (!report.is_misconfigured) in.out.print(safe_lines(describe(report)));
    for (const config::finding& each : report.findings) in.out.print(to_text(each, in.out));
    in.out.print(report.findings.empty() ? in.out.paint("no problems", tone::good)
                                         : fmt::format("{}, {}", count_of(report.errors(), "error"),
                                                       count_of(report.warnings(), "warning")));
}

exit_code how_to_end(diagnosis result, bool strict) {
    switch (result) {
        case diagnosis::healthy:
            return exit_code::ok;
        case diagnosis::warnings:
            return strict ? exit_code::failed : exit_code::ok;
        case diagnosis::failing:
            return exit_code::failed;
        case diagnosis::unavailable:
            return exit_code::unavailable;
        case diagnosis::misconfigured:
            return exit_code::configuration;
    }
    return exit_code::failed;
}

exit_code examine(const session& in, const doctor_arguments& given) {
    const operate::doctor_report report = operate::examine(in.site);
    if (in.out.json()) {
        in.out.print_json(to_json(report));
    } else {
        print(in, report);
    }
    return how_to_end(report.result(), given.strict);
}

}  // namespace

void add_doctor(command& root) {
    const auto given = std::make_shared<doctor_arguments>();
    root.add("doctor", "Look at everything that runs and say what to do; writes nothing")
        .flag("--strict", given->strict, "End with 1 when there are only warnings, too")
        .runs(examine, given);
}

}  // namespace sluice::cli
