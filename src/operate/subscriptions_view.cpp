#include "operate/subscriptions_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/amounts.hpp"

namespace sluice::operate {

namespace {

subscription_state state_of(const std::optional<broker::group_status>& group) {
    if (!group) return subscription_state::never_read;
    if (group->dead > 0) return subscription_state::dead_letters;
    return group->lag > 0 ? subscription_state::lagging : subscription_state::ok;
}

std::string value_text(const config::decided_setting& setting) {
    return std::visit([](const auto& value) { return fmt::format("{}", value); }, setting.value);
}

}  // namespace

const char* to_text(subscription_state state) noexcept {
    switch (state) {
        case subscription_state::ok:
            return "ok";
        case subscription_state::lagging:
            return "lagging";
        case subscription_state::dead_letters:
            return "has dead letters";
        case subscription_state::never_read:
            return "never read";
        case subscription_state::unknown:
            break;
    }
    return "-";
}

const char* to_word(subscription_state state) noexcept {
    switch (state) {
        case subscription_state::ok:
        case subscription_state::lagging:
            return to_text(state);
        case subscription_state::dead_letters:
            return "dead_letters";
        case subscription_state::never_read:
            return "never_read";
        case subscription_state::unknown:
            break;
    }
    return "unknown";
}

std::vector<subscription_row> view_subscriptions(const std::vector<consume::route>& routes,
                                                 const groups_by_broker& seen) {
    std::vector<subscription_row> rows;
    for (const consume::route& route : routes) {
        const auto broker = seen.find(route.broker);
        for (const std::string& stream : route.streams) {
            subscription_row row{.of = &route, .stream = stream, .backfill = stream != route.streams.front()};
            if (broker != seen.end()) {
                const auto& groups = broker->second;
                const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& each) {
                    return each.stream == stream && each.group == route.group;
                });
                if (group != groups.end()) row.group = *group;
                row.state = state_of(row.group);
            }
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

std::vector<orphan_row> view_orphans(const std::vector<consume::route>& routes, const groups_by_broker& seen,
                                     const consume::broker_places& places, std::string_view domain) {
    std::vector<orphan_row> rows;
    std::set<std::string> told;
    for (const auto& [broker, groups] : seen) {
        if (const auto place = places.find(broker); place != places.end() && !told.insert(place->second).second) {
            continue;
        }
        std::vector<broker::known_group> known;
        for (const auto& each : groups) known.push_back({each.stream, each.group, each.domain});
        for (const auto& orphan : consume::orphan_groups(known, routes, broker, places, domain)) {
            const auto counts = std::find_if(groups.begin(), groups.end(), [&](const auto& each) {
                return each.stream == orphan.stream && each.group == orphan.group;
            });
            rows.push_back({broker, *counts});
        }
    }
    return rows;
}

config::finding to_finding(const orphan_row& orphan) {
    const broker::group_status& group = orphan.group;
    const auto holds = [](std::int64_t count, std::string_view what) {
        return count == 0 ? std::string{} : ", " + base::count_of(count, what);
    };
    return {
        .level = config::severity::warning,
        .code = "ORPHANED_GROUP",
        .element = orphan.broker + ":" + group.group,
        .message = fmt::format("no handler reads consumer group {} on stream {} of broker {} any more ({} unread{})",
                               group.group, group.stream, orphan.broker,
                               base::count_of(group.lag + group.pending, "message"), holds(group.dead, "dead letter")),
        .remedy = consume::remedy_for({group.stream, group.group, group.domain})};
}

json::value to_json(const orphan_row& orphan) {
    const broker::group_status& group = orphan.group;
    return json::object{{"group", group.group},
                        {"broker", orphan.broker},
                        {"stream", group.stream},
                        {"lag", group.lag},
                        {"pending", group.pending},
                        {"dead", group.dead},
                        {"remedy", to_finding(orphan).remedy}};
}

std::string settings_text(const std::vector<config::decided_setting>& decided) {
    std::vector<std::string> parts;
    for (const config::decided_setting& each : decided) {
        if (each.profile.empty()) continue;
        std::string profile = "profile=" + each.profile;
        if (std::find(parts.begin(), parts.end(), profile) == parts.end()) parts.push_back(std::move(profile));
    }
    for (const config::decided_setting& each : decided) {
        if (each.deviates) parts.push_back(fmt::format("{}={}", each.key, value_text(each)));
    }
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
    return text;
}

std::int64_t count_in(const std::vector<subscription_row>& rows, subscription_state state) {
    return std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.state == state; });
}

std::string summary_text(const std::vector<subscription_row>& rows) {
    struct part {
        subscription_state state;
        const char* text;
    };
    static constexpr std::array parts{part{subscription_state::ok, "ok"}, part{subscription_state::lagging, "lagging"},
                                      part{subscription_state::dead_letters, "with dead letters"},
                                      part{subscription_state::never_read, "never read"},
                                      part{subscription_state::unknown, "unknown"}};
    std::string text;
    for (const auto& [state, word] : parts) {
        const std::int64_t count = count_in(rows, state);
        if (count > 0) text += fmt::format("{}{} {}", text.empty() ? ": " : ", ", base::count_text(count), word);
    }
    return base::count_of(std::ssize(rows), "subscription") + text;
}

}  // namespace sluice::operate
