#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands/commands.hpp"
#include "cli/terminal/units.hpp"
#include "operate/lane_pauses.hpp"

namespace sluice::cli {

namespace {

struct lane_arguments {
    std::string broker;
    std::string reason;
};

exit_code pause(const session& in, const lane_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const operate::lane_order order = operate::pause_lanes(with, given.broker, given.reason, system_clock().now());
    if (in.out.json()) {
        in.out.print_json(to_json(order));
    } else {
        in.out.print(safe_lines(fmt::format(
            "paused the lanes to {} of {}; running ones notice within {:g} seconds. To go on: sluice lanes resume {}",
            order.broker, fmt::join(order.databases, ", "), with.configuration.outbox.lease_seconds / 3,
            order.broker)));
    }
    return exit_code::ok;
}

exit_code resume(const session& in, const lane_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const operate::lane_order order = operate::resume_lanes(with, given.broker);
    if (in.out.json()) {
        in.out.print_json(to_json(order));
    } else {
        in.out.print(
            safe_lines(fmt::format("the lanes to {} of {} go on", order.broker, fmt::join(order.databases, ", "))));
    }
    return exit_code::ok;
}

}  // namespace

void add_lanes(command& root) {
    command lanes = root.add("lanes", "Let the lanes to a broker rest, and go on");
    const auto given = std::make_shared<lane_arguments>();
    lanes.add("pause", "Send nothing more to a broker until it is resumed, also after a restart; rows wait in order")
        .argument("BROKER", given->broker, "One that a lane leads to")
        .option("--reason", "TEXT", given->reason, "Why, for those who read `sluice status`")
        .runs(pause, given);
    lanes.add("resume", "Go on after a pause")
        .argument("BROKER", given->broker, "One whose lanes were paused")
        .runs(resume, given);
}

}  // namespace sluice::cli
