#include "operate/concerns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "operate/json_forms.hpp"

namespace sluice::operate {

namespace {

/// A lane that works has nothing older, but for what its broker refuses.
constexpr duration long_time = std::chrono::minutes{1};

std::string amount_of(std::int64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class concern_list {
public:
    void add(concern found) { all_.push_back(std::move(found)); }

    void add_lane(const lane_view& lane) {
        concern of{.what = concern::about::lane, .database = lane.database, .broker = lane.broker};
        const std::string state = lane.shown_state();
        // What an owner says when it leaves in order is no reason.
        const std::string detail = lane.last_detail() == "released" ? "" : lane.last_detail();
        const std::string waiting = amount_of(lane.depth(), "row") + (lane.depth() == 1 ? " waits" : " wait");
        if (lane.pause) {
            of.how = urgency::soon;
            of.text = fmt::format("The lane to {} is paused by an operator; {}.", lane.broker, waiting);
            of.remedy = "Resume it when the reason is gone.";
        } else if (state == "paused") {
            of.text = fmt::format("The lane to {} is paused, because its broker cannot be reached{}{}; {}.",
                                  lane.broker, detail.empty() ? "" : ": ", detail, waiting);
            of.remedy = "It goes on by itself as soon as the broker answers.";
        } else if (state == "stopped" || state == "lost") {
            of.how = lane.depth() > 0 ? urgency::now : urgency::soon;
            of.text = fmt::format("Nobody serves the lane to {}{}{}; {}.", lane.broker, detail.empty() ? "" : ": ",
                                  detail, waiting);
            of.remedy = "Start `sluice server`.";
        } else if (state == "blocked") {
            of.text = fmt::format("The lane to {} is blocked{}{}; {}.", lane.broker, detail.empty() ? "" : ": ", detail,
                                  waiting);
            of.remedy = "End the transaction that it waits for.";
        } else if (lane.rows && lane.rows->failed > 0 && lane.rows->age.value_or(duration{0}) > long_time) {
            of.how = urgency::soon;
            of.text = fmt::format("{} refuses {}, which wait for another attempt and hold back their own streams.",
                                  lane.broker, amount_of(lane.rows->failed, "row"));
            of.remedy = "Look at the errors; they are tried again by themselves.";
        } else {
            return;
        }
        add(std::move(of));
    }

    void add_abandoned(const lane_view& lane) {
        if (!lane.rows || lane.rows->abandoned == 0) return;
        add({.what = concern::about::rows,
             .database = lane.database,
             .broker = lane.broker,
             .text = fmt::format("{} for {} {} given up, after the last attempt or by an operator.",
                                 amount_of(lane.rows->abandoned, "row"), lane.broker,
                                 lane.rows->abandoned == 1 ? "was" : "were"),
             .remedy = "Retry them when the reason is gone."});
    }

    [[nodiscard]] std::vector<concern> sorted() && {
        std::ranges::stable_sort(all_, {}, &concern::how);
        return std::move(all_);
    }

private:
    std::vector<concern> all_{};
};

void add_groups(const status_view& status, concern_list& into) {
    for (const located_group& each : status.groups) {
        if (each.group.dead == 0) continue;
        into.add({.what = concern::about::dead_letters,
                  .broker = each.broker,
                  .stream = each.group.stream,
                  .group = each.group.group,
                  .text = fmt::format("{} gave up on {} of {}.", each.group.group,
                                      amount_of(each.group.dead, "message"), each.group.stream),
                  .remedy = "Replay them when the reason is gone."});
    }
    for (const orphan_group& each : status.orphaned_groups) {
        into.add({.how = urgency::note,
                  .what = concern::about::group,
                  .broker = each.broker,
                  .stream = each.group.stream,
                  .group = each.group.group,
                  .text = fmt::format("No handler of this build reads for the group {} of {}.", each.group.group,
                                      each.group.stream),
                  .remedy = "Rename or retire it: `sluice subscriptions --help`."});
    }
}

}  // namespace

const char* to_string(urgency how) noexcept {
    switch (how) {
        case urgency::now:
            return "now";
        case urgency::soon:
            return "soon";
        case urgency::note:
            break;
    }
    return "note";
}

std::vector<concern> concerns_of(const status_view& status) {
    concern_list found;
    for (const outage& each : status.outages) {
        found.add({.what = concern::about::outage,
                   .database = each.what == outage::kind::database ? each.name : "",
                   .broker = each.what == outage::kind::broker ? each.name : "",
                   .text = fmt::format("The {} does not answer: {}", each.subject(), each.reason),
                   .remedy = "Look at its server and at the way there."});
    }
    for (const lane_view& each : status.lanes) found.add_lane(each);
    for (const lane_view& each : status.lanes) found.add_abandoned(each);
    for (const overdue_schedule& each : status.overdue) {
        found.add({.what = concern::about::schedule,
                   .database = each.database,
                   .text = fmt::format("{} of database {} ought to have been released by now.",
                                       amount_of(static_cast<std::int64_t>(each.messages), "scheduled message"),
                                       each.database),
                   .remedy = "Start `sluice server`, or look for `schedule.` in its log."});
    }
    add_groups(status, found);
    for (const orphan_rows& each : status.orphaned) {
        found.add(
            {.how = urgency::note,
             .what = concern::about::rows,
             .database = each.database,
             .broker = each.broker,
             .text = fmt::format("{} for {}, which no lane serves any more.", amount_of(each.open, "row"), each.broker),
             .remedy = fmt::format("Name it in the outbox again, or `sluice outbox retire {}`.", each.broker)});
    }
    return std::move(found).sorted();
}

json::value to_json(const concern& of) {
    return json::object{{"urgency", to_string(of.how)},
                        {"text", of.text},
                        {"remedy", of.remedy},
                        {"database", text_or_null(of.database)},
                        {"broker", text_or_null(of.broker)},
                        {"stream", text_or_null(of.stream)},
                        {"group", text_or_null(of.group)}};
}

}  // namespace sluice::operate
