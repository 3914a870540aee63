#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "broker/broker.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/rebuild_progress.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "observe/log.hpp"
#include "operate/json_forms.hpp"
#include "projection/read_model_setup.hpp"
#include "projection/rebuild.hpp"

namespace sluice::cli {

namespace {

using operate::time_or_null;
using projection::read_model_state;
using projection::table_state;

// --- list ---

/// What of the events is still on its way to a projector.
struct live_lag {
    std::int64_t waiting = 0;  ///< not handled yet
    std::int64_t dead = 0;
};

struct read_model_view {
    projection::read_model_state state;
    std::int64_t rows = 0;
    store::sequence head = 0;
    std::optional<live_lag> lag{};  ///< unknown while the broker is away
};

/// By consumer group; nothing when the broker is away.
std::optional<std::map<std::string, live_lag>> lags_of(const session& in, const commit::environment& env) {
    const std::string& broker = env.configuration().outbox.broker;
    try {
        std::map<std::string, live_lag> lags;
        for (const broker::group_status& group : env.broker(broker).open_operations()->groups()) {
            live_lag& lag = lags[group.group];
            lag.waiting += group.lag + group.pending;
            lag.dead += group.dead;
        }
        return lags;
    } catch (const broker_error& e) {
        in.out.warn(fmt::format("broker {} is unavailable: {}", broker, e.what()));
        return std::nullopt;
    }
}

read_model_view view_of(const commit::environment& env, projection::read_model_state state) {
    read_model_view view{.state = std::move(state)};
    const auto session = env.parts().databases.at(view.state.database)->open_read_models();
    view.head = session->end_of_log().head;
    if (view.state.table != projection::table_state::absent) {
        view.rows = session->count_rows({&view.state.projector->table, view.state.status.generation});
    }
    return view;
}

tone tone_of(projection::table_state state) {
    return state == projection::table_state::current ? tone::good : tone::caution;
}

json::value as_json(const read_model_view& view) {
    const auto& [projector, database, table, status] = view.state;
    json::value rebuild{};
    if (status.rebuild) {
        rebuild = json::object{{"generation", status.rebuild->generation},
                               {"position", status.rebuild->position},
                               {"head", view.head},
                               {"started_at", status.rebuild->started_at.to_string()},
                               {"updated_at", status.rebuild->updated_at.to_string()}};
    }
    return json::object{{"name", projector->table.name},
                        {"projector", projector->name},
                        {"database", database},
                        {"state", to_string(table)},
                        {"generation", status.generation},
                        {"rows", view.rows},
                        {"floor", status.floor},
                        {"rebuilt_at", time_or_null(status.rebuilt_at)},
                        {"waiting", view.lag ? json::value{view.lag->waiting} : json::value{}},
                        {"dead", view.lag ? json::value{view.lag->dead} : json::value{}},
                        {"rebuild", std::move(rebuild)}};
}

std::string rebuild_cell(const read_model_view& view, date_time now) {
    const auto& rebuild = view.state.status.rebuild;
    if (!rebuild) return "";
    return fmt::format("{} of {}, moved {} ago", count_text(rebuild->position), count_text(view.head),
                       age_text(now - rebuild->updated_at));
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
    for (const read_model_view& view : views) {
        const std::string& name = view.state.projector->table.name;
        if (view.state.table == projection::table_state::absent) {
            in.out.print(fmt::format("\n{}: there is no table; run: sluice db setup", name));
        } else if (view.state.table != projection::table_state::current) {
            in.out.print(fmt::format("\n{}: run: sluice projection rebuild {}", name, name));
        }
    }
}

exit_code list(const session& in) {
    const application opened = open_application(in, read_models::as_they_are);
    projection::look_up_readers(*opened.env);
    const auto lags = lags_of(in, *opened.env);
    std::vector<read_model_view> views;
    for (projection::read_model_state& state :
         projection::read_model_states(opened.env->domain(), opened.env->parts())) {
        read_model_view view = view_of(*opened.env, std::move(state));
        if (lags) {
            const auto found = lags->find(opened.env->reader_of(*view.state.projector));
            view.lag = found == lags->end() ? live_lag{} : found->second;
        }
        views.push_back(std::move(view));
    }
    if (in.out.json()) {
        json::array all;
        for (const read_model_view& view : views) all.push_back(as_json(view));
        in.out.print_json(json::object{{"read_models", std::move(all)}});
    } else {
        print(in, views);
    }
    return lags ? exit_code::ok : exit_code::unavailable;
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

std::vector<const detail::projector_entry*> chosen_of(const detail::registry& domain, const rebuild_arguments& given) {
    if (given.all == !given.name.empty()) {
        throw wrong_usage("say which read model to rebuild: a NAME, or --all");
    }
    std::vector<const detail::projector_entry*> chosen;
    std::vector<std::string> names;
    for (const detail::projector_entry& projector : domain.projectors) {
        names.push_back(projector.table.name);
        if (given.all || projector.table.name == given.name) chosen.push_back(&projector);
    }
    if (chosen.empty() && !given.all) {
        throw not_found(fmt::format("domain `{}` has no read model `{}`; {}", domain.name, given.name,
                                    config::did_you_mean(given.name, names, "it has", "it has none")));
    }
    return chosen;
}

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

json::value as_json(const std::string& name, const projection::rebuild_report& report, const command_line_host& host) {
    json::object unknown;
    for (const auto& [type, count] : report.unknown) unknown.append(type, count);
    return json::object{{"name", name},
                        {"finished", report.finished},
                        {"resumed", report.resumed},
                        {"generation", report.generation},
                        {"position", report.position},
                        {"events", report.events},
                        {"rows", report.rows},
                        {"unknown_types", std::move(unknown)},
                        {"seconds", host.seconds()}};
}

projection::rebuild_report run(commit::environment& env, const detail::projector_entry& projector, bool restart,
                               command_line_host& host) {
    try {
        projection::projection_rebuild work{env, projector, restart};
        return work.run(host);
    } catch (const store::rebuild_superseded& e) {
        throw failure{exit_code::failed, "rebuild_superseded", e.what()};
    }
}

/// Ends with 128 and the signal when one came: what was done so far is kept.
int rebuild(const session& in, const rebuild_arguments& given) {
    stop_signals signals;
    // Nobody watches a bar that is not shown: then lines tell.
    if (isatty(STDERR_FILENO) != 1) observe::configure_log({.threshold = observe::level::info});
    const application opened = open_application(in, read_models::as_they_are);
    json::array results;
    std::size_t failed = 0;
    std::optional<int> signal;
    for (const detail::projector_entry* projector : chosen_of(opened.env->domain(), given)) {
        const std::string& name = projector->table.name;
        command_line_host host{name, signals};
        projection::rebuild_report report;
        try {
            report = run(*opened.env, *projector, given.restart, host);
        } catch (const std::exception& e) {
            if (!given.all) throw;
            host.clear();
            ++failed;
            in.out.warn(fmt::format("{}: not rebuilt: {}", name, config::printable(e.what())));
            results.push_back(json::object{{"name", name}, {"finished", false}, {"error", e.what()}});
            continue;
        }
        host.clear();
        warn_of_unknown(in, name, report);
        if (in.out.json()) {
            results.push_back(as_json(name, report, host));
        } else {
            in.out.print(summary_of(name, report, host));
        }
        if (report.finished) continue;
        signal = host.signal();
        break;
    }
    if (in.out.json()) {
        in.out.print_json(json::object{{"read_models", std::move(results)}, {"interrupted", signal.has_value()}});
    }
    constexpr int signal_base = 128;
    if (signal) return signal_base + *signal;
    return static_cast<int>(failed > 0 ? exit_code::failed : exit_code::ok);
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
