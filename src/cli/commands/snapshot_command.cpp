#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/terminal/units.hpp"
#include "commit/snapshot.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"

namespace sluice::cli {

namespace {

struct snapshot_arguments {
    std::string aggregate;
    std::string id;
    bool all = false;
};

const detail::aggregate_entry& aggregate_named(const detail::registry& declared, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& [cpp_name, entry] : declared.aggregates) {
        if (entry.sourcing) names.push_back(entry.name);
    }
    const detail::aggregate_entry* const found = declared.aggregate_by_name(name);
    if (found != nullptr && found->sourcing) return *found;
    if (found != nullptr) {
        throw wrong_usage(fmt::format(
            "aggregate {} is stored as its state and has no snapshots; only event-sourced ones have", name));
    }
    throw wrong_usage(
        fmt::format("domain {} has no aggregate `{}`; {}", declared.name, name,
                    config::did_you_mean(name, names, "event-sourced are", "none of its aggregates is event-sourced")));
}

exit_code create_one(const session& in, commit::environment& env, const detail::aggregate_entry& type,
                     const std::string& id) {
    const auto result = commit::create_snapshot(env, type, id);
    if (!result) throw not_found(fmt::format("there is no {} with identity `{}`", type.name, id));
    if (in.out.json()) {
        in.out.print_json(json::object{
            {"aggregate", type.name}, {"id", id}, {"version", result->version}, {"written", result->is_new}});
    } else {
        in.out.print(
            safe_lines(fmt::format("{} {}: {} version {}", type.name, id,
                                   result->is_new ? "snapshot of" : "there was a snapshot of", result->version)));
    }
    return exit_code::ok;
}

/// Goes through all instances of one aggregate, one commit each, so that it can be stopped anywhere and begun again.
class snapshot_tour {
public:
    snapshot_tour(const session& in, commit::environment& env, const detail::aggregate_entry& type)
        : in_{in}, env_{env}, type_{type} {}

    exit_code run() {
        constexpr std::size_t page_size = 500;
        const std::string before_id = type_.category + "-";
        const auto operations = env_.parts().databases.at(type_.database)->open_operations();
        std::string after;
        for (auto page = operations->streams(type_.category, after, page_size); !page.empty();
             page = operations->streams(type_.category, after, page_size)) {
            for (const std::string& stream : page) visit(stream, stream.substr(before_id.size()));
            after = page.back();
        }
        progress_.clear();
        summarise();
        return failed_ > 0 ? exit_code::failed : exit_code::ok;
    }

private:
    void visit(const std::string& stream, const std::string& id) {
        try {
            if (commit::is_fact_stream(env_, type_, stream)) return;
            const auto result = commit::create_snapshot(env_, type_, id);
            if (!result) return;
            ++(result->is_new ? written_ : current_);
        } catch (const store_error&) {
            throw;  // the next ones fare no better
        } catch (const std::exception& e) {
            report(id, e.what());
        }
        progress_.update(written_ + current_, failed_, 0);
    }

    void report(const std::string& id, std::string_view reason) {
        ++failed_;
        progress_.clear();
        in_.out.warn(fmt::format("{} {}: {}", type_.name, config::printable(id), config::printable(reason)));
    }

    void summarise() const {
        if (in_.out.json()) {
            in_.out.print_json(json::object{
                {"aggregate", type_.name}, {"written", written_}, {"current", current_}, {"failed", failed_}});
            return;
        }
        in_.out.print(fmt::format("{} of {} written, {} already current, {} failed", count_of(written_, "snapshot"),
                                  type_.name, count_text(current_), count_text(failed_)));
    }

    const session& in_;
    commit::environment& env_;
    const detail::aggregate_entry& type_;
    progress_bar progress_{-1};  // the number of instances is not known beforehand
    std::int64_t written_ = 0;
    std::int64_t current_ = 0;
    std::int64_t failed_ = 0;
};

exit_code create(const session& in, const snapshot_arguments& given) {
    if (given.id.empty() != given.all) {
        throw wrong_usage(given.all ? "an ID and --all contradict each other"
                                    : "say of which instance to take a snapshot: an ID, or --all");
    }
    const application opened = open_application(in);
    const detail::aggregate_entry& type = aggregate_named(opened.declared->declared(), given.aggregate);
    if (given.all) return snapshot_tour{in, *opened.env, type}.run();
    return create_one(in, *opened.env, type, given.id);
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
