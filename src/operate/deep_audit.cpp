#include "operate/deep_audit.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "broker/broker.hpp"
#include "envelope/version_suffix.hpp"
#include "outbox/dispatch.hpp"

namespace sluice::operate {
namespace {

constexpr store::sequence events_at_once = 65'536;
/// The log is asked for the ids of so many entries together.
constexpr std::size_t entries_at_once = 1'000;
/// An entry's time is its broker's, that of an event its producer's.
constexpr duration clock_difference = std::chrono::minutes{1};
/// Of a stream of one aggregate.
constexpr std::size_t later_events_at_once = 100;

outbox::dispatch_rules rules_of(const config::configuration& with, const std::string& broker) {
    const auto lane = with.outbox.lane_of(broker);
    return broker == with.outbox.broker ? outbox::dispatch_rules::internal(lane, with.server.priority_lanes)
                                        : outbox::dispatch_rules::external(lane);
}

/// Empty when it can be asked.
std::string obstacle(const installation& with, const std::string& name) {
    const auto found = with.parts.brokers.find(name);
    if (found == with.parts.brokers.end()) return "it is not in the configuration";
    const auto can = found->second->can();
    if (!can.walks) return "a broker of its kind does not show what it has taken";
    if (!can.cross_process) return "it is in the memory of another process";
    return {};
}

/// Asks one broker.
class question {
public:
    question(const installation& with, store::operations_session& in, const std::string& broker, audited_part part)
        : log_{in},
          name_{broker},
          part_{part},
          upto_{in.audit(broker, part.after, part.after).end},
          rules_{rules_of(with.configuration, broker)},
          operations_{with.parts.brokers.find(broker)->second->open_operations()},
          audit_{part.after, upto_} {}

    store::delivery_sum answer() {
        for_each_confirmed([this](const store::confirmation& each) {
            audit_.expect(each.seq);
            walks_.try_emplace(stream_of(each));
        });
        for (auto& [stream, walk] : walks_) {
            auto from = part_.since;
            if (from) *from = *from - clock_difference;
            walk = operations_->walk(stream, from);
            see_all_of(*walk);
        }
        if (audit_.has_unseen()) {
            for_each_confirmed([this](const store::confirmation& each) {
                if (audit_.is_unseen(each.seq)) audit_.lose(each.seq, has_expired(each));
            });
        }
        return audit_.sum();
    }

private:
    using places = std::unordered_map<std::string, store::located_event>;  ///< by id

    template <class Action>
    void for_each_confirmed(Action action) {
        for (auto begin = part_.after; begin < upto_; begin += events_at_once) {
            for (const auto& each : log_.confirmations(name_, begin, std::min(begin + events_at_once, upto_))) {
                action(each);
            }
        }
    }

    [[nodiscard]] std::string stream_of(const store::confirmation& of) const {
        return rules_.stream_of(
            {.priority = of.priority, .event = {.stream_category = of.stream_category, .type = of.type}});
    }

    [[nodiscard]] bool has_expired(const store::confirmation& of) {
        // What is confirmed since the walks began may go to a stream without one; it is not asked for.
        const auto walk = walks_.find(stream_of(of));
        return walk != walks_.end() && walk->second->has_expired(of.receipt, of.confirmed_at);
    }

    void see_all_of(broker::stream_walk& walk) {
        std::optional<std::size_t> part;
        for (auto page = take(walk); !page.empty(); page = take(walk)) {
            const auto known = locate(page);
            for (const auto& each : page) {
                if (part != each.part) audit_.begin_part();
                part = each.part;
                see(each.message_id, known);
            }
        }
    }

    static std::vector<broker::walked_entry> take(broker::stream_walk& walk) {
        std::vector<broker::walked_entry> page;
        while (page.size() < entries_at_once) {
            auto more = walk.next(entries_at_once - page.size());
            if (more.empty()) break;
            std::ranges::move(more, std::back_inserter(page));
        }
        return page;
    }

    [[nodiscard]] places locate(const std::vector<broker::walked_entry>& page) {
        std::vector<std::string> ids;
        ids.reserve(page.size());
        for (const auto& each : page) {
            if (!each.message_id.empty()) ids.emplace_back(envelope::origin_of(each.message_id).event_id);
        }
        places known;
        for (auto& each : log_.locate(ids)) {
            auto id = each.message_id;
            known.emplace(std::move(id), std::move(each));
        }
        return known;
    }

    /// What the log does not have is somebody else's.
    void see(const std::string& message_id, const places& known) {
        const auto origin = envelope::origin_of(message_id);
        const auto found = known.find(std::string{origin.event_id});
        if (found == known.end()) return;
        const auto& event = found->second;
        const auto place = audit_.see(event.seq, event.stream, origin.version);
        if (place == store::delivery_audit::place::unknown && is_behind_a_later(event)) audit_.convict(event.seq);
    }

    [[nodiscard]] bool is_behind_a_later(const store::located_event& than) {
        for (auto last = than.seq;;) {
            const auto later =
                log_.events({.stream = than.stream, .after = last, .upto = upto_, .limit = later_events_at_once});
            const auto is_here = [this](const store::stream_event& each) { return audit_.is_in_part(each.seq); };
            if (std::ranges::any_of(later, is_here)) return true;
            if (later.size() < later_events_at_once) return false;
            last = later.back().seq;
        }
    }

    store::operations_session& log_;
    const std::string& name_;
    audited_part part_;
    store::sequence upto_;
    outbox::dispatch_rules rules_;
    std::unique_ptr<broker::operations> operations_;
    store::delivery_audit audit_;
    std::map<std::string, std::unique_ptr<broker::stream_walk>> walks_{};  ///< by stream
};

}  // namespace

asked_broker ask_broker(const installation& with, store::operations_session& in, const std::string& broker,
                        const audited_part& part) {
    asked_broker asked{.cannot_be_asked = obstacle(with, broker)};
    if (!asked.cannot_be_asked.empty()) return asked;
    asked.sum = question{with, in, broker, part}.answer();
    asked.faults = name_faults(in, asked.sum.faults);
    return asked;
}

json::value to_json(const asked_broker& asked) {
    if (!asked.cannot_be_asked.empty()) {
        return json::object{{"asked", false}, {"reason", asked.cannot_be_asked}};
    }
    const auto& sum = asked.sum;
    return json::object{{"asked", true},
                        {"confirmed", sum.confirmed},
                        {"present", sum.present},
                        {"expired", sum.expired},
                        {"missing", sum.missing},
                        {"doubled", sum.doubled},
                        {"out_of_order", sum.out_of_order},
                        {"closes", asked.closes()},
                        {"faults", to_json(asked.faults)}};
}

}  // namespace sluice::operate
