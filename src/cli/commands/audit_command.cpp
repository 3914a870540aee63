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
    bool deep = false;
    bool resend = false;
};

const char* meaning_of(audit_fault::kind what) {
    switch (what) {
        case audit_fault::kind::missing:
            return "is neither confirmed nor parked, and its lane does not look there again";
        case audit_fault::kind::doubled:
            return "is accounted for twice";
        default:
            return "is listed as delivered, and is no event for this broker";
    }
}

const char* meaning_at_broker(audit_fault::kind what) {
    switch (what) {
        case audit_fault::kind::missing:
            return "is not at the broker, which has confirmed it";
        case audit_fault::kind::doubled:
            return "has one more entry at the broker";
        default:
            return "stands at the broker behind a later event of its stream";
    }
}

using fault_meaning = const char* (*)(audit_fault::kind);

/// @param count  of all faults, those that are not named, too
void print_faults(const session& in, const std::string& broker, const std::vector<named_fault>& faults,
                  std::int64_t count, fault_meaning meaning) {
    for (const named_fault& each : faults) {
        in.out.print(in.out.paint(store::to_string(each.fault.what), tone::bad) +
                     safe_lines(fmt::format(" {}: event {} {} {}", broker, each.fault.seq,
                                            each.message_id.empty() ? "(not in the log)" : each.message_id,
                                            meaning(each.fault.what))));
    }
    const auto rest = count - std::ssize(faults);
    if (rest > 0) in.out.print(fmt::format("and {} more", count_text(rest)));
}

cell bad_count(std::int64_t count) { return {count_text(count), count > 0 ? tone::bad : tone::plain}; }

void print_at_brokers(const session& in, const audit_report& report) {
    table listing{{{"DATABASE"},
                   {"BROKER"},
                   {"CONFIRMED", alignment::right},
                   {"PRESENT", alignment::right},
                   {"EXPIRED", alignment::right},
                   {"MISSING", alignment::right},
                   {"DOUBLED", alignment::right},
                   {"OUT OF ORDER", alignment::right}}};
    bool any = false;
    for (const audited_broker& each : report.brokers) {
        if (!each.deep || !each.deep->cannot_be_asked.empty()) continue;
        const auto& sum = each.deep->sum;
        listing.add({each.database, each.broker, count_text(sum.confirmed), count_text(sum.present),
                     count_text(sum.expired), bad_count(sum.missing), bad_count(sum.doubled),
                     bad_count(sum.out_of_order)});
        any = true;
    }
    if (any) in.out.print(listing.render(in.out));
    for (const audited_broker& each : report.brokers) {
        if (!each.deep) continue;
        const auto& [why_not, sum, faults] = *each.deep;
        if (!why_not.empty()) {
            in.out.print(in.out.paint("not asked", tone::caution) +
                         safe_lines(fmt::format(" {}: {}", each.broker, why_not)));
        }
        print_faults(in, each.broker, faults, sum.missing + sum.doubled + sum.out_of_order, meaning_at_broker);
    }
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
                     count_text(sum.waiting), count_text(sum.parked), count_text(sum.purged), bad_count(sum.missing)});
    }
    in.out.print(listing.render(in.out));
    for (const audited_broker& each : report.brokers) {
        const auto& sum = each.sum;
        print_faults(in, each.broker, each.faults, sum.missing + sum.doubled + sum.stray, meaning_of);
    }
    const auto sum_closes = [](const audited_broker& each) { return each.sum.closes(); };
    in.out.print(std::ranges::all_of(report.brokers, sum_closes)
                     ? in.out.paint("every event is accounted for", tone::good)
                     : in.out.paint("the sum does not close", tone::bad));
    if (given.deep) print_at_brokers(in, report);
    const bool some_missing =
        std::ranges::any_of(report.brokers, [](const auto& each) { return each.sum.missing > 0; });
    if (!some_missing) return;
    in.out.print(given.resend
                     ? "the lanes send what is missing"
                     : "an event of a transaction that has just ended may be missing for a moment: look again. "
                       "To have the lanes send what is missing: sluice audit --resend");
}

exit_code audit_outbox(const session& in, const audit_arguments& given) {
    const date_time now = system_clock().now();
    operate::audit_request asked{.broker = given.broker, .deep = given.deep};
    if (!given.since.empty()) asked.since = read_since("--since", given.since, now);
    const installation with = operate::open_installation(in.site);
    const auto databases = operate::open_all(with.parts);
    if (!asked.broker.empty()) {
        const std::string doubt = operate::doubt_about(asked.broker, with.configuration, databases);
        if (!doubt.empty()) throw wrong_usage(doubt);
    }
    const audit_report report = operate::audit(with, databases, asked);
    const std::string unkept = asked.since ? std::string{} : operate::keep_outcome(databases, report, now);
    if (!unkept.empty()) in.out.warn(fmt::format("the outcome is not kept for metrics and alerts: {}", unkept));
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
        .flag("--deep", given->deep, "Ask the brokers, too, for all that they have confirmed")
        .flag("--resend", given->resend, "Have the lanes send what is missing; the broker may get it twice")
        .runs(audit_outbox, given);
}

}  // namespace sluice::cli
