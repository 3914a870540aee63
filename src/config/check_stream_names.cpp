#include "config/check_stream_names.hpp"

#include <map>
#include <string>
#include <utility>

#include "config/lane_choice.hpp"
#include "config/section.hpp"
#include "envelope/text_template.hpp"

namespace sluice::config {

namespace {

/// Who brings a stream to a broker.
struct stream_user {
    std::string who;       ///< aggregate Order
    std::string named_by;  ///< what gives the stream its name: .stream_category of aggregate Order
};

/// The streams of each broker, as the domain and the lanes name them.
class named_streams {
public:
    named_streams(const detail::registry& domain, const configuration& with) : domain_{domain}, with_{with} {
        for (const auto& [cpp_name, aggregate] : domain_.aggregates) add_inside(aggregate.category, user_of(aggregate));
        for (const auto& [cpp_name, command] : domain_.commands) add_commands(command.aggregate);
        for (const auto& [cpp_name, process] : domain_.processes) add(process);
        for (const std::string& broker : with_.outbox.external_brokers) add_lane(broker);
        for (const auto& each : domain_.subscribers) {
            const stream_user user{"subscriber " + each.name, ".stream of subscriber " + each.name};
            if (each.broker == with_.outbox.broker) {
                add_inside(each.stream, user);
            } else {
                add(each.broker, each.stream, user);
            }
        }
    }

    /// Of each broker: the stream and who brought it first.
    [[nodiscard]] const std::map<std::string, std::map<std::string, stream_user>>& by_broker() const {
        return by_broker_;
    }

private:
    static stream_user user_of(const detail::aggregate_entry& aggregate) {
        return {"aggregate " + aggregate.name, ".stream_category of aggregate " + aggregate.name};
    }

    void add_commands(const std::string& of_aggregate) {
        const auto aggregate = domain_.aggregates.find(of_aggregate);
        if (aggregate == domain_.aggregates.end()) return;
        stream_user user = user_of(aggregate->second);
        user.who = "commands of " + user.who;
        add_inside(aggregate->second.category + ":command", user);
    }

    void add(const detail::process_entry& process) {
        if (process.on_timeout == nullptr) return;
        add_inside(process.timeout_category, {"timeouts of process manager " + process.fqn,
                                              ".stream_category of process manager " + process.fqn});
    }

    void add_lane(const std::string& broker) {
        const lane_options lane = with_.outbox.lane_of(broker);
        const std::string section = "[" + join_key("outbox.lanes", broker) + "]";
        for (const auto& [cpp_name, event] : domain_.events) {
            const auto aggregate = domain_.aggregates.find(event.aggregate);
            if (!event.published || aggregate == domain_.aggregates.end()) continue;
            if (!wants(lane, event, aggregate->second)) continue;
            add(broker, envelope::fill_template(lane.stream, {aggregate->second.category, event.type}),
                {"published event " + event.name, "stream of " + section});
        }
    }

    /// To the broker of the context itself, where low priorities may have a stream of their own.
    void add_inside(const std::string& stream, const stream_user& user) {
        const auto& lanes = with_.server.priority_lanes;
        add(with_.outbox.broker, stream, user);
        if (lanes.enabled) add(with_.outbox.broker, stream + ":" + lanes.backfill_suffix, user);
    }

    void add(const std::string& broker, const std::string& stream, const stream_user& user) {
        by_broker_[broker].try_emplace(stream, user);
    }

    const detail::registry& domain_;
    const configuration& with_;
    std::map<std::string, std::map<std::string, stream_user>> by_broker_;
};

/// Two streams with one place, as people see them.
struct collision {
    const std::string& broker;
    const std::pair<const std::string, stream_user>& first;
    const std::pair<const std::string, stream_user>& second;
    const stream_place& first_place;
    const stream_place& second_place;
};

std::string told(const std::pair<const std::string, stream_user>& stream) {
    return "\"" + stream.first + "\" (" + stream.second.who + ")";
}

finding finding_of(const collision& what) {
    const auto& [broker, first, second, first_place, second_place] = what;
    const std::string streams =
        "the streams " + told(first) + " and " + told(second) + " of broker \"" + broker + "\" ";
    const std::string places = first_place.name == second_place.name
                                   ? "share the " + first_place.what + " \"" + first_place.name + "\""
                                   : "would be the " + first_place.what + "s \"" + first_place.name + "\" and \"" +
                                         second_place.name + "\", of which there can be only one";
    return {.level = severity::error,
            .code = "STREAMS_SHARE_NAME",
            .element = "brokers." + broker,
            .message = streams + places,
            .remedy = "write them in one way when they are meant to be one, else rename one: " + first.second.named_by +
                      ", or " + second.second.named_by};
}

void check_broker(const broker_settings& broker, const std::map<std::string, stream_user>& streams,
                  std::vector<finding>& found) {
    using named = std::pair<const std::string, stream_user>;
    std::map<std::string, std::pair<const named*, stream_place>> taken;
    for (const auto& stream : streams) {
        const stream_place place = broker.kind->place_of(stream.first, broker.options);
        const std::string& taken_as = place.taken_as.empty() ? place.name : place.taken_as;
        const auto [first, is_new] = taken.try_emplace(taken_as, &stream, place);
        if (is_new) continue;
        found.push_back(finding_of({broker.name, *first->second.first, stream, first->second.second, place}));
    }
}

}  // namespace

void check_stream_names(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    const named_streams all{domain, with};
    for (const auto& [name, streams] : all.by_broker()) {
        const auto broker = with.brokers.find(name);
        if (broker != with.brokers.end()) check_broker(broker->second, streams, found);
    }
}

}  // namespace sluice::config
