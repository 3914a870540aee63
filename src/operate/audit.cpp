#include "operate/audit.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::operate {
namespace {

/// One below the first event that is asked for; nothing when there is none.
std::optional<store::sequence> start_of(store::operations_session& in, const audit_request& asked) {
    if (!asked.since) return 0;
    const auto first = in.events({.created_from = asked.since, .limit = 1});
    if (first.empty()) return std::nullopt;
    return first.front().seq - 1;
}

store::audit_sum sum_of(store::operations_session& in, const std::string& broker, store::sequence after) {
    constexpr store::sequence at_once = 65'536;
    store::audit_sum sum;
    for (auto begin = after;; begin += at_once) {
        const auto page = in.audit(broker, begin, begin + at_once);
        sum.add(page);
        if (page.end > begin + at_once) continue;
        // Beyond the log nothing may be listed.
        sum.add(in.audit(broker, begin + at_once, std::numeric_limits<store::sequence>::max()));
        return sum;
    }
}

}  // namespace

bool audit_report::closes() const noexcept {
    return std::ranges::all_of(brokers, [](const audited_broker& each) { return each.closes(); });
}

audit_report audit(const installation& with, const std::vector<open_database>& databases, const audit_request& asked) {
    audit_report report;
    for (const auto& [name, session] : databases) {
        const auto after = start_of(*session, asked);
        for (const auto& broker : session->brokers()) {
            if (!asked.broker.empty() && asked.broker != broker) continue;
            audited_broker one{.database = name, .broker = broker};
            if (after) one.sum = sum_of(*session, broker, *after);
            one.faults = name_faults(*session, one.sum.faults);
            if (asked.deep) {
                constexpr auto nothing = std::numeric_limits<store::sequence>::max();
                one.deep = ask_broker(with, *session, broker, {after.value_or(nothing), asked.since});
            }
            report.brokers.push_back(std::move(one));
        }
    }
    return report;
}

std::string keep_outcome(const std::vector<open_database>& databases, const audit_report& report, date_time now) {
    try {
        for (const auto& [name, session] : databases) {
            const auto earlier = session->noted_audits();
            for (const auto& each : report.brokers) {
                if (each.database != name) continue;
                const auto known = earlier.find(each.broker);
                const auto last = known == earlier.end() ? store::audit_note{} : known->second;
                session->note_audit(each.broker, last.followed_by(now, each.closes()));
            }
        }
        return {};
    } catch (const store_error& refusal) {
        return refusal.what();
    }
}

void resend_missing(const std::vector<open_database>& databases, const audit_report& report) {
    for (const auto& each : report.brokers) {
        if (!each.sum.first_missing) continue;
        const auto in = std::ranges::find(databases, each.database, &open_database::name);
        in->session->look_again(each.broker, *each.sum.first_missing);
    }
}

json::value to_json(const audit_report& report) {
    json::array brokers;
    brokers.reserve(report.brokers.size());
    for (const auto& each : report.brokers) {
        json::object one{
            {"database", each.database},       {"broker", each.broker},       {"committed", each.sum.committed},
            {"confirmed", each.sum.confirmed}, {"waiting", each.sum.waiting}, {"parked", each.sum.parked},
            {"purged", each.sum.purged},       {"missing", each.sum.missing}, {"doubled", each.sum.doubled},
            {"stray", each.sum.stray},         {"closes", each.closes()},     {"faults", to_json(each.faults)}};
        if (each.deep) one.set("at_broker", to_json(*each.deep));
        brokers.push_back(std::move(one));
    }
    return json::object{{"closes", report.closes()}, {"brokers", std::move(brokers)}};
}

}  // namespace sluice::operate
