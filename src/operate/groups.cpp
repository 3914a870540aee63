#include "operate/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/amounts.hpp"
#include "broker/broker.hpp"
#include "broker/group_is_taken.hpp"
#include "config/section.hpp"
#include "consume/broker_operations.hpp"
#include "domain/subscription_rules.hpp"
#include "operate/request_error.hpp"
#include "projection/read_model_setup.hpp"

namespace sluice::operate {

namespace {

using groups_by_name = std::map<std::string, std::vector<broker::known_group>>;

lasting_brokers open_lasting_brokers(const commit::environment& env) {
    lasting_brokers opened;
    for (const auto& [name, broker] : env.parts().brokers) {
        if (!broker->can().cross_process) continue;
        opened.emplace(name, consume::open_broker_operations(env.parts(), name));
    }
    return opened;
}

groups_by_name known_groups(const lasting_brokers& brokers) {
    groups_by_name known;
    for (const auto& [name, operations] : brokers) known.emplace(name, operations->known_groups());
    return known;
}

/// `did you mean "shop.notify"?`, or which groups there are.
std::string nearest(const std::string& name, const groups_by_name& groups) {
    std::set<std::string> names;
    for (const auto& [broker, known] : groups) {
        for (const broker::known_group& each : known) names.insert(each.group);
    }
    const std::vector<std::string> sorted{names.begin(), names.end()};
    return config::did_you_mean(name, sorted, "groups are", "there are no groups");
}

/// @throws request_error  a lane or a sequential handler of one of the databases has an owner
void require_no_server(const commit::environment& env) {
    const date_time now = system_clock().now();
    for (const auto& [name, database] : env.parts().databases) {
        for (const store::lane_status& lane : database->open_operations()->lanes()) {
            if (lane.owner.empty() || lane.expires_at <= now) continue;
            throw conflict("server_running",
                           fmt::format("a server of this domain is running: {} in database {} belongs to {} for {} "
                                       "more; stop every server first. Nothing was changed",
                                       lane.lane, name, lane.owner, base::age_text(lane.expires_at - now)));
        }
    }
}

/// @throws usage_error  the new name is that of another group on a stream of the old one
void require_free(const std::string& from, const std::string& to, const std::string& broker,
                  const std::vector<broker::known_group>& known) {
    for (const broker::known_group& each : known) {
        if (each.group != from) continue;
        const bool is_taken = std::any_of(known.begin(), known.end(), [&](const auto& other) {
            return other.stream == each.stream && other.group == to;
        });
        if (is_taken) throw broker::group_is_taken(to, each.stream + " of broker " + broker);
    }
}

bool is_read(const std::vector<consume::route>& routes, const std::string& group, const std::string& stream) {
    return std::any_of(routes.begin(), routes.end(), [&](const consume::route& each) {
        return each.group == group &&
               (stream.empty() || std::find(each.streams.begin(), each.streams.end(), stream) != each.streams.end());
    });
}

}  // namespace

void require_names(const std::string& from, const std::string& to) {
    if (from == to) throw wrong_request("the two names are the same");
    if (!detail::is_group_name(to) || to.empty()) {
        throw wrong_request(
            fmt::format("`{}` is no name for a group: it has 1 to 200 characters, none of them white "
                        "space or `@`",
                        to));
    }
}

renamed_group rename_group(const declared_installation& in, const std::string& from, const std::string& to) {
    require_names(from, to);
    require_no_server(*in.env);
    const lasting_brokers brokers = open_lasting_brokers(*in.env);
    const groups_by_name groups = known_groups(brokers);
    for (const auto& [broker, known] : groups) require_free(from, to, broker, known);

    renamed_group renamed{.from = from, .to = to};
    for (const auto& [name, database] : in.env->parts().databases) {
        renamed.inbox_marks += database->open_operations()->rename_handler(from, to);
    }
    for (const auto& [name, operations] : brokers) renamed.streams += operations->rename_group(from, to);
    if (renamed.inbox_marks == 0 && renamed.streams == 0) {
        throw not_found(fmt::format("nothing is called {}; {}", from, nearest(from, groups)));
    }
    projection::look_up_readers(*in.env);
    renamed.has_handler = is_read(consume::routes_of(*in.env), to, {});
    return renamed;
}

group_retirement::group_retirement(const declared_installation& in, std::string group, std::string stream)
    : in_{in}, group_{std::move(group)}, stream_{std::move(stream)} {
    if (is_read(in.routes, group_, stream_)) {
        throw conflict("still_declared",
                       fmt::format("a handler of this build reads in the name of {}; remove it from the domain first, "
                                   "or name a --stream that it does not read. Nothing was changed",
                                   group_));
    }
    brokers_ = open_lasting_brokers(*in.env);
    count();
}

void group_retirement::count() {
    const groups_by_name known = known_groups(brokers_);
    for (const auto& [name, operations] : brokers_) {
        for (const broker::group_status& each : operations->groups()) {
            if (each.group != group_ || (!stream_.empty() && each.stream != stream_)) continue;
            ++streams_;
            unread_ += each.lag + each.pending;
            dead_ += each.dead;
        }
    }
    if (streams_ > 0) return;
    throw not_found(fmt::format("there is no group {}{}; {}", group_, stream_.empty() ? "" : " on " + stream_,
                                nearest(group_, known)));
}

retired_group group_retirement::apply() {
    retired_group retired{.group = group_};
    bool is_left = false;
    for (const auto& [name, operations] : brokers_) {
        retired.streams += operations->retire_group(stream_, group_);
        for (const broker::known_group& each : operations->known_groups()) is_left |= each.group == group_;
    }
    for (const auto& [name, database] : in_.env->parts().databases) {
        if (!is_left) retired.inbox_marks += database->open_operations()->forget_handler(group_);
    }
    return retired;
}

json::value to_json(const renamed_group& renamed) {
    return json::object{
        {"from", renamed.from}, {"to", renamed.to}, {"streams", renamed.streams}, {"inbox_marks", renamed.inbox_marks}};
}

json::value to_json(const retired_group& retired) {
    return json::object{{"group", retired.group}, {"streams", retired.streams}, {"inbox_marks", retired.inbox_marks}};
}

}  // namespace sluice::operate
