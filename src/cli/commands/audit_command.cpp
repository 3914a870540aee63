#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands/commands.hpp"
#include "cli/commands/since.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "operate/audit.hpp"
#include "operate/outbox_rows.hpp"

namespace sluice::cli {

namespace {

using operate::audit_report;
using operate::audited_broker;
using operate::named_fault;
using store::audit_fault;

struct audit_arguments {
    std::string broker;
    std::string since;
    bool resend = false;
};

const char* meaning_of(audit_fault::kind what) {
    switch (what) {
        case audit_fault::kind::missing:
            return "is neither confirmed nor parked, and its lane does not look there again";
        case audit_fault::kind::doubled:
            return "is accounted for twice";
        case audit_fault::kind::stray:
            break;
    }
    return "is listed as delivered, and is no event for this broker";
}

void print_faults(const session& in, const audited_broker& of) {
    for (const named_fault& each : of.faults) {
        in.out.print(in.out.paint(store::to_string(each.fault.what), tone::bad) +
                     safe_lines(fmt::format(" {}: event {} {} {}", of.broker, each.fault.seq,
                                            each.message_id.empty() ? "(not in the log)" : each.message_id,
                                            meaning_of(each.fault.what))));
    }
    const auto all = of.sum.missing + of.sum.doubled + of.sum.stray;
    if (all > std::ssize(of.faults)) in.out.print(fmt::format("and {} more", count_text(all - std::ssize(of.faults))));
}

void print(const session& in, const audit_report& report, const audit_arguments& given) {
    if (report.brokers.empty()) return in.out.print("no events for any broker");
    table listing{{{"DATABASE"},
                   {"BROKER"},
                   {"COMMITTED", alignment::right},
                   {"CONFIRMED", alignment::right},
                   {"WAITING", alignment::right},
                   {"PARKED", alignment::right},
                   {"PURGED", alignment::right},
                   {"MISSING", alignment::right}}};
    for (const audited_broker& each : report.brokers) {
        const auto& sum = each.sum;
        listing.add({each.database, each.broker, count_text(sum.committed), count_text(sum.confirmed),
                     count_text(sum.waiting), count_text(sum.parked), count_text(sum.purged),
                     cell{count_text(sum.missing), sum.missing > 0 ? tone::bad : tone::plain}});
    }
    in.out.print(listing.render(in.out));
    for (const audited_broker& each : report.brokers) print_faults(in, each);
    in.out.print(report.closes() ? in.out.paint("every event is accounted for", tone::good)
                                 : in.out.paint("the sum does not close", tone::bad));
    const bool some_missing =
        std::ranges::any_of(report.brokers, [](const auto& each) { return each.sum.missing > 0; });
    if (!some_missing) return;
    in.out.print(given.resend
                     ? "the lanes send what is missing"
                     : "an event of a transaction that has just ended may be missing for a moment: look again. "
                       "To have the lanes send what is missing: sluice audit --resend");
}

exit_code audit_outbox(const session& in, const audit_arguments& given) {
    operate::audit_request asked{.broker = given.broker};
    if (!given.since.empty()) asked.since = read_since("--since", given.since, system_clock().now());
    const installation with = operate::open_installation(in.site);
    const auto databases = operate::open_all(with.parts);
    if (!asked.broker.empty()) {
        const std::string doubt = operate::doubt_about(asked.broker, with.configuration, databases);
        if (!doubt.empty()) throw wrong_usage(doubt);
    }
    const audit_report report = operate::audit(databases, asked);
    if (given.resend) operate::resend_missing(databases, report);
    if (in.out.json()) {
        in.out.print_json(operate::to_json(report));
    } else {
        print(in, report, given);
    }
    return report.closes() ? exit_code::ok : exit_code::failed;
}

}  // namespace

void add_audit(command& root) {
    const auto given = std::make_shared<audit_arguments>();
    root.add("audit", "Prove that everything committed is confirmed, waiting or parked at each broker")
        .option("--broker", "NAME", given->broker, "Only this broker")
        .option("--since", "AGE|TIME", given->since, "Only events from then on: 24h, 7d, 2026-11-30T08:00:00Z")
        .flag("--resend", given->resend, "Have the lanes send what is missing; the broker may get it twice")
        .runs(audit_outbox, given);
}

}  // namespace sluice::cli
