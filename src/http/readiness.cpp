#include "http/readiness.hpp"

#include <algorithm>

#include "base/seconds.hpp"
#include "store/lane_name.hpp"

namespace sluice::http {

namespace {

using operate::lane_rows;
using operate::lane_view;

/// A lane that carries rows this old falls behind, whatever it says of itself.
constexpr duration tolerable_age = std::chrono::minutes{1};
/// The refresher looks every two seconds.
constexpr duration stale_age = std::chrono::seconds{6};

bool is_ok(const component& c) { return c.sign.is == sign::ok; }

json::value or_null(const std::optional<std::int64_t>& number) { return number ? json::value{*number} : nullptr; }

const char* word_for(const lane_view& lane) {
    if (!lane.rows) return "unknown";
    if (lane.depth() == 0) return "ok";
    const bool moves = lane.state == "idle" || lane.state == "flowing" || lane.state == "draining";
    return moves && lane.rows->age.value_or(duration{0}) <= tolerable_age ? "ok" : "lagging";
}

json::value lag_seconds(const lane_view& lane) {
    if (!lane.rows) return nullptr;
    return base::seconds(lane.rows->age.value_or(duration{0}));
}

json::value or_null(const std::string& text) { return text.empty() ? json::value{} : json::value{text}; }

/// One of the counts of a lane; null while they are not known.
json::value count_of(const lane_view& lane, std::int64_t lane_rows::*count) {
    return lane.rows ? json::value{(*lane.rows).*count} : nullptr;
}

json::value detail_of(const lane_view& lane) {
    json::object seen{{"name", store::make_lane_name(lane.database, lane.broker)},
                      {"handler_name", "outbox"},
                      {"subscription_type", "outbox"},
                      {"stream_category", lane.database + " → " + lane.broker + (lane.external ? " (external)" : "")},
                      {"lag", lane.rows ? json::value{lane.depth()} : nullptr},
                      {"pending", count_of(lane, &lane_rows::failed)},
                      {"status", word_for(lane)},
                      {"dlq_depth", count_of(lane, &lane_rows::abandoned)},
                      {"lag_seconds", lag_seconds(lane)},
                      {"state", lane.state},
                      {"detail", or_null(lane.last_detail())}};
    json::array shards;
    for (const lane_view& each : lane.shards) {
        shards.push_back(json::object{{"name", store::make_lane_name(lane.database, lane.broker, each.part)},
                                      {"state", each.state},
                                      {"detail", or_null(each.last_detail())}});
    }
    if (!shards.empty()) seen.set("shards", std::move(shards));
    return seen;
}

json::value detail_of(const subscription_health& s) {
    const bool caught_up = s.lag == 0;
    return json::object{{"name", s.handler + " " + s.stream},
                        {"handler_name", s.handler},
                        {"subscription_type", s.type},
                        {"stream_category", s.stream},
                        {"lag", or_null(s.lag)},
                        {"pending", or_null(s.pending)},
                        {"status", !s.lag      ? "unknown"
                                   : caught_up ? "ok"
                                               : "lagging"},
                        {"dlq_depth", or_null(s.dead)},
                        {"lag_seconds", caught_up ? json::value{0} : json::value{}},
                        {"state", s.state}};
}

json::object words(const std::vector<component>& all) {
    json::object result;
    for (const component& each : all) result.set(each.name, to_string(each.sign.is));
    return result;
}

void add_reasons(json::object& to, const char* kind, const std::vector<component>& all) {
    for (const component& each : all) {
        if (!is_ok(each)) to.set(std::string{kind} + "." + each.name, each.sign.reason);
    }
}

template <class Visit>
void each_component(const health_report& report, Visit visit) {
    for (const component& each : report.databases) visit(each);
    for (const component& each : report.brokers) visit(each);
}

json::object subscriptions_block(const health_report& report, const std::optional<duration>& age) {
    json::array details;
    for (const lane_view& lane : report.lanes) details.push_back(detail_of(lane));
    for (const subscription_health& each : report.subscriptions) details.push_back(detail_of(each));
    json::object block{{"total", details.size()}, {"details", std::move(details)}};
    if (!age) block.set("collection_pending", true);
    if (age && *age > stale_age) {
        block.set("stale", true);
        block.set("age_seconds", base::seconds(*age));
    }
    return block;
}

/// Of the oldest finished check; empty while one of them has none.
std::optional<duration> age_of(const health_report& report) {
    std::optional<duration> oldest{duration{0}};
    each_component(report, [&](const component& each) {
        oldest = oldest && each.sign.age ? std::optional{std::max(*oldest, *each.sign.age)} : std::nullopt;
    });
    return oldest;
}

}  // namespace

const char* to_string(readiness r) noexcept {
    switch (r) {
        case readiness::ok:
            return "ok";
        case readiness::degraded:
            return "degraded";
        case readiness::unavailable:
            break;
    }
    return "unavailable";
}

readiness decide(const health_report& report) {
    if (report.at != phase::running) return readiness::unavailable;
    bool all_there = true;
    each_component(report, [&](const component& each) { all_there = all_there && (!each.decisive || is_ok(each)); });
    return all_there ? readiness::ok : readiness::degraded;
}

json::value to_json(const health_report& report) {
    json::object checks{{"shutting_down", report.at == phase::draining}};
    if (report.at == phase::starting) checks.set("starting", true);
    if (report.at == phase::running) {
        const bool event_log = std::all_of(report.databases.begin(), report.databases.end(), is_ok);
        const std::optional<duration> age = age_of(report);
        checks.set("providers", words(report.databases));
        checks.set("brokers", words(report.brokers));
        checks.set("event_store", to_string(event_log ? sign::ok : sign::unavailable));
        checks.set("caches", json::object{});
        checks.set("subscriptions", subscriptions_block(report, age));
        checks.set("age_seconds", age ? json::value{base::seconds(*age)} : json::value{});
        json::object reasons;
        add_reasons(reasons, "databases", report.databases);
        add_reasons(reasons, "brokers", report.brokers);
        if (!reasons.empty()) checks.set("reasons", std::move(reasons));
    }
    return json::object{{"status", to_string(decide(report))}, {"checks", std::move(checks)}};
}

}  // namespace sluice::http
