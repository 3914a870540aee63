#include "operate/audit.hpp"

#include <algorithm>
#include <limits>

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

std::vector<named_fault> name_faults(store::operations_session& in, const store::audit_sum& sum) {
    std::vector<named_fault> named;
    named.reserve(sum.faults.size());
    for (const auto& fault : sum.faults) {
        named_fault one{.fault = fault};
        for (auto& found : in.events({.after = fault.seq - 1, .upto = fault.seq, .limit = 1})) {
            one.message_id = std::move(found.event.message_id);
            one.stream = std::move(found.event.stream);
            one.type = std::move(found.event.type);
        }
        named.push_back(std::move(one));
    }
    return named;
}

json::value fault_json(const named_fault& of) {
    const auto text_or_null = [](const std::string& text) { return text.empty() ? json::value{} : json::value{text}; };
    return json::object{{"fault", store::to_string(of.fault.what)},
                        {"seq", of.fault.seq},
                        {"message_id", text_or_null(of.message_id)},
                        {"stream", text_or_null(of.stream)},
                        {"type", text_or_null(of.type)}};
}

}  // namespace

bool audit_report::closes() const noexcept {
    return std::ranges::all_of(brokers, [](const audited_broker& each) { return each.sum.closes(); });
}

audit_report audit(const std::vector<open_database>& databases, const audit_request& asked) {
    audit_report report;
    for (const auto& [name, session] : databases) {
        const auto after = start_of(*session, asked);
        for (const auto& broker : session->brokers()) {
            if (!asked.broker.empty() && asked.broker != broker) continue;
            audited_broker one{.database = name, .broker = broker};
            if (after) one.sum = sum_of(*session, broker, *after);
            one.faults = name_faults(*session, one.sum);
            report.brokers.push_back(std::move(one));
        }
    }
    return report;
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
        json::array faults;
        faults.reserve(each.faults.size());
        for (const auto& fault : each.faults) faults.push_back(fault_json(fault));
        brokers.push_back(json::object{{"database", each.database},
                                       {"broker", each.broker},
                                       {"committed", each.sum.committed},
                                       {"confirmed", each.sum.confirmed},
                                       {"waiting", each.sum.waiting},
                                       {"parked", each.sum.parked},
                                       {"purged", each.sum.purged},
                                       {"missing", each.sum.missing},
                                       {"doubled", each.sum.doubled},
                                       {"stray", each.sum.stray},
                                       {"closes", each.sum.closes()},
                                       {"faults", std::move(faults)}});
    }
    return json::object{{"closes", report.closes()}, {"brokers", std::move(brokers)}};
}

}  // namespace sluice::operate
