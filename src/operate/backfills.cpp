#include "operate/backfills.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/one_line.hpp"
#include "config/lane_choice.hpp"
#include "config/section.hpp"
#include "operate/request_error.hpp"
#include "store/store.hpp"

namespace sluice::operate {

namespace {

/// `--type` takes what `outbox.lanes.NAME.events` takes, and a type with its version.
bool is_asked_for(const backfill_request& asked, const detail::event_entry& event) {
    return asked.types.empty() || std::ranges::any_of(asked.types, [&](const std::string& pattern) {
               return config::means_event(pattern, event) || pattern == event.type;
           });
}

/// The types under which versions of the event are in the log: `Shop.OrderShipped.v1`, …
void add_types(const detail::event_entry& event, std::vector<std::string>& types) {
    const std::string unversioned = event.type.substr(0, event.type.rfind(".v"));
    for (int version = 1; version <= event.version; ++version) {
        types.push_back(fmt::format("{}.v{}", unversioned, version));
    }
}

void require_partner(const config::outbox_settings& outbox, const std::string& broker) {
    if (std::ranges::find(outbox.external_brokers, broker) != outbox.external_brokers.end()) return;
    if (broker == outbox.broker) {
        throw conflict("internal_broker",
                       fmt::format("{} is the internal broker, which gets every event: a read model is built again by "
                                   "`sluice projection rebuild`",
                                   broker));
    }
    throw not_found(fmt::format("`{}` is none of outbox.external_brokers; {}", base::one_line(broker, 100),
                                config::did_you_mean(broker, outbox.external_brokers, "they are", "there are none")));
}

/// The types that each database has and the broker is to get, of those that it would get today.
std::map<std::string, std::vector<std::string>> types_by_database(const detail::registry& domain,
                                                                  const config::outbox_settings& outbox,
                                                                  const backfill_request& asked) {
    const config::lane_options lane = outbox.lane_of(asked.broker);
    std::map<std::string, std::vector<std::string>> types;
    for (const auto& [cpp_name, event] : domain.events) {
        const detail::aggregate_entry& aggregate = domain.aggregates.at(event.aggregate);
        if (!event.published || !config::wants(lane, event, aggregate) || !is_asked_for(asked, event)) continue;
        if (asked.database.empty() || asked.database == aggregate.database) add_types(event, types[aggregate.database]);
    }
    if (!types.empty()) return types;
    throw not_found(fmt::format("no published event of domain {} that {} gets is meant{}", domain.normalized,
                                asked.broker,
                                asked.types.empty() ? "" : "; `sluice describe` lists the events with their names"));
}

struct located_order {
    std::string database;
    store::backfill_order order;
};

/// One below the first event that is asked for.
store::sequence start_of(store::database& in, const backfill_request& asked) {
    if (asked.first) return std::max<store::sequence>(*asked.first, 1) - 1;
    if (!asked.since) return 0;
    const auto session = in.open_operations();
    const auto first = session->events({.created_from = asked.since, .limit = 1});
    return first.empty() ? last_number(*session) : first.front().seq - 1;
}

std::vector<located_order> orders_of(const detail::registry& domain, const installation& with,
                                     const backfill_request& asked) {
    require_partner(with.configuration.outbox, asked.broker);
    const auto types = types_by_database(domain, with.configuration.outbox, asked);
    if (asked.first && types.size() > 1) {
        throw wrong_request("each database numbers its own events: say which one is meant (--database)");
    }
    std::vector<located_order> orders;
    orders.reserve(types.size());
    for (const auto& [database, of_database] : types) {
        orders.push_back({.database = database,
                          .order = {.broker = asked.broker,
                                    .after = start_of(*with.parts.databases.at(database), asked),
                                    .types = of_database,
                                    .streams = asked.streams,
                                    .rate = asked.rate}});
    }
    return orders;
}

json::array texts(const std::vector<std::string>& all) { return {all.begin(), all.end()}; }

}  // namespace

std::vector<counted_backfill> count_backfill(const detail::registry& domain, const installation& with,
                                             const backfill_request& asked) {
    std::vector<counted_backfill> counted;
    for (const auto& [database, order] : orders_of(domain, with, asked)) {
        counted.push_back({.database = database,
                           .after = order.after,
                           .found = with.parts.databases.at(database)->open_backfills()->count(order)});
    }
    return counted;
}

std::vector<located_backfill> begin_backfill(const detail::registry& domain, const installation& with,
                                             const backfill_request& asked, date_time now) {
    const auto orders = orders_of(domain, with, asked);
    for (const located_backfill& each : list_backfills(with, asked.broker, 1)) {
        if (store::holds_back(each.what.state)) {
            throw conflict("backfill_under_way", store::backfill_under_way(asked.broker).what());
        }
    }
    std::vector<located_backfill> begun;
    begun.reserve(orders.size());
    for (const auto& [database, order] : orders) {
        begun.push_back(
            {.database = database, .what = with.parts.databases.at(database)->open_backfills()->begin(order, now)});
    }
    return begun;
}

std::vector<located_backfill> change_backfill(const installation& with, const std::string& broker,
                                              store::backfill_state to, std::optional<double> rate, date_time now) {
    std::vector<located_backfill> changed;
    for (const auto& [name, database] : with.parts.databases) {
        if (auto one = database->open_backfills()->change(broker, to, rate, now)) {
            changed.push_back({.database = name, .what = std::move(*one)});
        }
    }
    if (changed.empty()) {
        throw conflict("no_backfill", fmt::format("no backfill of {} is under way; `sluice outbox backfills` lists "
                                                  "those that were",
                                                  base::one_line(broker, 100)));
    }
    return changed;
}

std::vector<located_backfill> list_backfills(const installation& with, const std::string& broker, std::size_t limit) {
    std::vector<located_backfill> found;
    for (const auto& [name, database] : with.parts.databases) {
        for (auto& each : database->open_backfills()->list(broker, limit)) {
            found.push_back({.database = name, .what = std::move(each)});
        }
    }
    return found;
}

json::value to_json(const std::vector<counted_backfill>& counted) {
    json::array all;
    all.reserve(counted.size());
    for (const auto& [database, after, found] : counted) {
        all.push_back(
            json::object{{"database", database}, {"after", after}, {"events", found.events}, {"known", found.known}});
    }
    return json::object{{"dry_run", true}, {"databases", std::move(all)}};
}

json::value to_json(const std::vector<located_backfill>& found) {
    json::array all;
    all.reserve(found.size());
    for (const auto& [database, what] : found) {
        all.push_back(
            json::object{{"database", database},
                         {"broker", what.order.broker},
                         {"state", store::to_string(what.state)},
                         {"waits", what.waits},
                         {"after", what.order.after},
                         {"position", what.position},
                         {"upto", what.upto},
                         {"given", what.given},
                         {"rate", what.order.rate},
                         {"types", texts(what.order.types)},
                         {"streams", texts(what.order.streams)},
                         {"begun_at", what.begun_at.to_string()},
                         {"ended_at", what.ended_at ? json::value{what.ended_at->to_string()} : json::value{}}});
    }
    return json::object{{"backfills", std::move(all)}};
}

}  // namespace sluice::operate
