#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/commands/rebuild_progress.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "observe/log.hpp"
#include "operate/read_models.hpp"

namespace sluice::cli {

namespace {

using operate::read_model_view;
using operate::rebuild_result;

// --- list ---

tone tone_of(projection::table_state state) {
    return state == projection::table_state::current ? tone::good : tone::caution;
}

std::string rebuild_cell(const read_model_view& view, date_time now) {
    const auto& rebuild = view.state.status.rebuild;
    if (!rebuild) return "";
    return fmt::format("{} of {}, moved {} ago", count_text(rebuild->position), count_text(view.head),
                       age_text(now - rebuild->updated_at));
}

void print_remedy(const session& in, const read_model_view& view) {
    const std::string& name = view.state.projector->table.name;
    if (view.state.table == projection::table_state::absent) {
        in.out.print(fmt::format("\n{}: there is no table; run: sluice db setup", name));
    } else if (view.state.table != projection::table_state::current) {
        in.out.print(fmt::format("\n{}: run: sluice projection rebuild {}", name, name));
    }
}

void print(const session& in, const std::vector<read_model_view>& views) {
    if (views.empty()) return in.out.print("the domain has no read models");
    table listing{{{"READ MODEL"},
                   {"STATE"},
                   {"ROWS", alignment::right},
                   {"GENERATION", alignment::right},
                   {"WAITING", alignment::right},
                   {"DEAD", alignment::right},
                   {"REBUILT", alignment::right},
                   {"REBUILD"}}};
    const date_time now = system_clock().now();
    for (const read_model_view& view : views) {
        const auto& status = view.state.status;
        listing.add({view.state.projector->table.name,
                     {to_string(view.state.table), tone_of(view.state.table)},
                     count_text(view.rows),
                     std::to_string(status.generation),
                     view.lag ? count_text(view.lag->waiting) : "?",
                     view.lag ? cell{count_text(view.lag->dead), view.lag->dead > 0 ? tone::bad : tone::plain} : "?",
                     status.rebuilt_at ? age_text(now - *status.rebuilt_at) + " ago" : "-",
                     rebuild_cell(view, now)});
    }
    in.out.print(listing.render(in.out));
    for (const read_model_view& view : views) print_remedy(in, view);
}

exit_code list(const session& in) {
    const application opened = open_application(in, read_models::as_they_are);
    const operate::read_models_view found = operate::list_read_models(*opened.env);
    if (const auto& away = found.broker_away) {
        in.out.warn(fmt::format("{} is unavailable: {}", away->subject(), away->reason));
    }
    if (in.out.json()) {
        in.out.print_json(to_json(found));
    } else {
        print(in, found.read_models);
    }
    return found.broker_away ? exit_code::unavailable : exit_code::ok;
}

// --- rebuild ---

struct rebuild_arguments {
    std::string name;
    bool all = false;
    bool restart = false;
};

/// Shows how far it is, and lets a signal end it.
class command_line_host final : public projection::rebuild_host {
public:
    command_line_host(const std::string& read_model, stop_signals& signals) : display_{read_model}, signals_{signals} {}

    bool stopped() override {
        if (!signal_) signal_ = signals_.poll();
        return signal_.has_value();
    }
    void rest(duration time) override {
        pollfd signal{.fd = signals_.fd(), .events = POLLIN, .revents = 0};
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(time).count();
        static_cast<void>(::poll(&signal, 1, static_cast<int>(milliseconds)));
    }
    void progress(const projection::rebuild_progress& now) override {
        last_ = now;
        display_.show(now);
    }

    [[nodiscard]] std::optional<int> signal() const noexcept { return signal_; }
    [[nodiscard]] store::sequence head() const noexcept { return last_.head; }
    [[nodiscard]] double seconds() const { return display_.elapsed().count(); }
    void clear() noexcept { display_.clear(); }

private:
    rebuild_display display_;
    stop_signals& signals_;
    std::optional<int> signal_{};
    projection::rebuild_progress last_{};
};

void warn_of_unknown(const session& in, const std::string& name, const projection::rebuild_report& report) {
    for (const auto& [type, count] : report.unknown) {
        in.out.warn(fmt::format("{}: {} of type {}, which the domain does not declare, passed over", name,
                                count_of(count, "event"), type));
    }
}

std::string summary_of(const std::string& name, const projection::rebuild_report& report,
                       const command_line_host& host) {
    if (!report.finished) {
        return fmt::format("{}: stopped at {} of {}; run it again to go on", name, count_text(report.position),
                           count_text(host.head()));
    }
    return fmt::format("{}: {} from {}{} in {:.1f} s, {}, generation {}", name, report.resumed ? "finished" : "rebuilt",
                       report.resumed ? "the last " : "", count_of(report.events, "event"), host.seconds(),
                       count_of(report.rows, "row"), report.generation);
}

/// One read model. With `--all` one that fails does not keep the others from theirs.
rebuild_result rebuild_one(const session& in, commit::environment& env, const detail::projector_entry& projector,
                           const rebuild_arguments& given, command_line_host& host) {
    const std::string& name = projector.table.name;
    projection::rebuild_report report;
    try {
        report = operate::rebuild(env, projector, given.restart, host);
    } catch (const std::exception& e) {
        if (!given.all) throw;
        host.clear();
        in.out.warn(fmt::format("{}: not rebuilt: {}", name, config::printable(e.what())));
        return {.name = name, .report = {}, .error = e.what()};
    }
    host.clear();
    warn_of_unknown(in, name, report);
    if (!in.out.json()) in.out.print(summary_of(name, report, host));
    return {.name = name, .report = std::move(report), .error = {}, .seconds = host.seconds()};
}

/// Ends with 128 and the signal when one came: what was done so far is kept.
int rebuild(const session& in, const rebuild_arguments& given) {
    stop_signals signals;
    // Nobody watches a bar that is not shown: then lines tell.
    if (isatty(STDERR_FILENO) != 1) observe::configure_log({.threshold = observe::level::info});
    const application opened = open_application(in, read_models::as_they_are);
    if (given.all == !given.name.empty()) throw wrong_usage("say which read model to rebuild: a NAME, or --all");
    std::vector<rebuild_result> results;
    std::optional<int> signal;
    for (const detail::projector_entry* projector : operate::projectors_of(opened.env->domain(), given.name)) {
        command_line_host host{projector->table.name, signals};
        results.push_back(rebuild_one(in, *opened.env, *projector, given, host));
        const auto& report = results.back().report;
        if (!report || report->finished) continue;
        signal = host.signal();
        break;
    }
    if (in.out.json()) in.out.print_json(to_json(results, signal.has_value()));
    constexpr int signal_base = 128;
    if (signal) return signal_base + *signal;
    const bool any_failed = std::ranges::any_of(results, [](const rebuild_result& each) { return !each.report; });
    return static_cast<int>(any_failed ? exit_code::failed : exit_code::ok);
}

}  // namespace

void add_projection(command& root) {
    const auto given = std::make_shared<rebuild_arguments>();
    command projection = root.add("projection", "Look at read models, and rebuild them from the event log");
    projection.add("list", "List the read models of the domain").runs(list);
    projection.add("rebuild", "Build a read model anew while the service runs; goes on with an interrupted rebuild")
        .optional_argument("NAME", given->name, "Name of the read model")
        .flag("--all", given->all, "All read models of the domain")
        .flag("--restart", given->restart, "Throw away what an interrupted rebuild has done")
        .runs(rebuild, given);
}

}  // namespace sluice::cli
