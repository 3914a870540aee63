#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/snapshots.hpp"

namespace sluice::cli {

namespace {

using operate::snapshots_outcome;

struct snapshot_arguments {
    std::string aggregate;
    std::string id;
    bool all = false;
};

exit_code create_one(const session& in, commit::environment& env, const detail::aggregate_entry& type,
                     const std::string& id) {
    const operate::snapshot_view snapshot = operate::create_snapshot(env, type, id);
    if (in.out.json()) {
        in.out.print_json(to_json(snapshot));
    } else {
        in.out.print(
            safe_lines(fmt::format("{} {}: {} version {}", type.name, id,
                                   snapshot.is_new ? "snapshot of" : "there was a snapshot of", snapshot.version)));
    }
    return exit_code::ok;
}

/// Shows how far it is, and what failed.
class snapshots_display final : public operate::snapshots_host {
public:
    snapshots_display(const session& in, std::string aggregate) : in_{in}, aggregate_{std::move(aggregate)} {}

    void failed(const std::string& id, std::string_view reason) override {
        progress_.clear();
        in_.out.warn(fmt::format("{} {}: {}", aggregate_, config::printable(id), config::printable(reason)));
    }
    void progress(const snapshots_outcome& now) override { progress_.update(now.written + now.current, now.failed, 0); }
    void clear() noexcept { progress_.clear(); }

private:
    const session& in_;
    std::string aggregate_;
    progress_bar progress_{-1};  // the number of instances is not known beforehand
};

exit_code create_all(const session& in, commit::environment& env, const detail::aggregate_entry& type) {
    snapshots_display display{in, type.name};
    const snapshots_outcome outcome = operate::create_snapshots(env, type, display);
    display.clear();
    if (in.out.json()) {
        in.out.print_json(to_json(outcome));
    } else {
        in.out.print(fmt::format("{} of {} written, {} already current, {} failed",
                                 count_of(outcome.written, "snapshot"), outcome.aggregate, count_text(outcome.current),
                                 count_text(outcome.failed)));
    }
    return outcome.failed > 0 ? exit_code::failed : exit_code::ok;
}

exit_code create(const session& in, const snapshot_arguments& given) {
    if (given.id.empty() != given.all) {
        throw wrong_usage(given.all ? "an ID and --all contradict each other"
                                    : "say of which instance to take a snapshot: an ID, or --all");
    }
    const application opened = open_application(in);
    const detail::aggregate_entry& type = operate::sourced_aggregate(opened.declared->declared(), given.aggregate);
    return given.all ? create_all(in, *opened.env, type) : create_one(in, *opened.env, type, given.id);
}

}  // namespace

void add_snapshot(command& root) {
    const auto given = std::make_shared<snapshot_arguments>();
    command snapshot = root.add("snapshot", "Snapshots of event-sourced aggregates");
    snapshot.add("create", "Write snapshots now, so that loading begins there")
        .argument("AGGREGATE", given->aggregate, "Name of an event-sourced aggregate: Account")
        .optional_argument("ID", given->id, "Identity of one instance")
        .flag("--all", given->all, "Every instance; may be stopped and begun again")
        .runs(create, given);
}

}  // namespace sluice::cli
