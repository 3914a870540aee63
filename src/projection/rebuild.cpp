#include "projection/rebuild.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "base/one_line.hpp"
#include "envelope/envelope.hpp"
#include "observe/log.hpp"

namespace sluice::projection {

namespace {

constexpr std::size_t events_per_step = 500;
constexpr std::chrono::seconds between_lines{10};

constexpr base::backoff between_attempts{
    .first = std::chrono::milliseconds{250}, .factor = 2, .most = std::chrono::seconds{15}};
constexpr int most_attempts = 8;

}  // namespace

projection_rebuild::projection_rebuild(commit::environment& env, const detail::projector_entry& projector, bool restart)
    : env_{env},
      projector_{projector},
      database_{env.sessions(env.domain().database_of(projector)).database()},
      categories_{env.domain().categories_of(projector)},
      restart_{restart} {}

rebuild_report projection_rebuild::run(rebuild_host& host) {
    for (int failures = 0;;) {
        try {
            moved_ = false;
            report_.finished = attempt(host);
            return report_;
        } catch (const store_error& trouble) {
            session_.reset();
            if (!trouble.retryable() && !trouble.in_doubt()) throw;
            // Somebody waits for the first step, and may have to act: no table, no right, no server.
            if (trouble.nature() == error_nature::outage && report_.generation == 0) throw;
            failures = moved_ ? 1 : failures + 1;
            if (failures >= most_attempts || host.stopped()) throw;
            observe::log(observe::level::warn, "projection.rebuild_interrupted",
                         {{"read_model", projector_.table.name}, {"reason", base::one_line(trouble.what())}});
            host.rest(between_attempts.delay(failures));
        }
    }
}

bool projection_rebuild::attempt(rebuild_host& host) {
    session_ = database_.open_read_models();
    if (was_completed()) return true;
    session_->create(projector_.table);
    at_ = session_->begin_rebuild(projector_.table, restart_, env_.time().now());
    restart_ = false;
    table_ = {&projector_.table, at_.generation};
    report_.resumed = report_.resumed || (report_.generation == 0 && at_.position > 0);
    report_.generation = at_.generation;
    rebuild_plan plan{at_.position};
    const auto now = [] { return std::chrono::steady_clock::now(); };

    while (!host.stopped()) {
        const rebuild_next next = plan.next(now());
        if (std::holds_alternative<rebuild_action::look>(next)) {
            plan.looked(session_->end_of_log());
            tell(host, plan);
        } else if (const auto* some = std::get_if<rebuild_action::apply>(&next)) {
            perform(*some, plan);
            tell(host, plan);
        } else if (const auto* pause = std::get_if<rebuild_action::rest>(&next)) {
            host.rest(pause->time);
        } else if (std::holds_alternative<rebuild_action::lock>(next)) {
            lock(plan.position()) ? plan.locked(now()) : plan.unlocked(now());
        } else if (std::holds_alternative<rebuild_action::unlock>(next)) {
            session_->unlock();
            plan.unlocked(now());
        } else {
            perform(std::get<rebuild_action::finish>(next));
            clean_up();
            return true;
        }
    }
    session_->unlock();
    report_.position = plan.position();
    return false;
}

/// The answer to the last step may have been lost.
bool projection_rebuild::was_completed() {
    if (report_.generation == 0) return false;
    for (const store::projection_status& each : session_->list()) {
        if (each.name != projector_.table.name || each.generation != report_.generation) continue;
        report_.position = each.floor;
        clean_up();
        return true;
    }
    return false;
}

bool projection_rebuild::lock(store::sequence position) {
    try {
        store::rebuild_status here = at_;
        here.position = position;
        session_->lock(projector_.table, here);
        return true;
    } catch (const store_error& refused) {
        if (!refused.retryable()) throw;
        session_->unlock();
        return false;
    }
}

row_unit projection_rebuild::rows_of_new_table() {
    return row_unit{[this](std::string_view key) { return session_->load_row(table_, key); }};
}

store::sequence projection_rebuild::apply_some(store::sequence after, store::sequence upto, row_unit& rows,
                                               std::int64_t& applied) {
    const auto events = session_->events(categories_, after, upto, events_per_step);
    for (const store::stream_event& each : events) apply_event(each, rows);
    applied += static_cast<std::int64_t>(events.size());
    return events.size() < events_per_step ? upto : events.back().seq;
}

void projection_rebuild::perform(const rebuild_action::apply& act, rebuild_plan& plan) {
    auto rows = rows_of_new_table();
    std::int64_t applied = 0;
    const store::sequence upto = apply_some(act.after, act.upto, rows, applied);
    session_->advance(projector_.table, {.generation = at_.generation,
                                         .from = act.after,
                                         .upto = upto,
                                         .rows = rows.writes(table_, env_.random()),
                                         .at = env_.time().now()});
    report_.events += applied;
    moved_ = true;
    plan.applied(upto);
}

void projection_rebuild::perform(const rebuild_action::finish& act) {
    auto rows = rows_of_new_table();
    std::int64_t applied = 0;
    for (store::sequence after = act.after; after < act.upto;) after = apply_some(after, act.upto, rows, applied);
    session_->complete(projector_.table, {.generation = at_.generation,
                                          .from = act.after,
                                          .upto = act.upto,
                                          .rows = rows.writes(table_, env_.random()),
                                          .at = env_.time().now()});
    report_.events += applied;
    report_.position = act.upto;
    observe::log(observe::level::info, "projection.rebuilt",
                 {{"read_model", projector_.table.name},
                  {"generation", at_.generation},
                  {"events", report_.events},
                  {"upto", act.upto}});
}

void projection_rebuild::apply_event(const store::stream_event& logged, row_unit& rows) {
    const detail::event_entry* event = env_.domain().event_by_type(logged.event.type);
    if (event == nullptr) return pass_over(logged);
    const auto step = projector_.on.find(event->cpp_name);
    if (step == projector_.on.end()) return;
    try {
        const json::value data = json::parse(logged.event.data);
        const auto current = env_.domain().read_event(logged.event.type, data);
        std::optional<message> whole;
        if (projector_.wants_messages) {
            whole = message::decode(envelope::render_internal(logged.event.data, logged.event.metadata));
            if (current->is_upcast()) whole = whole->with_data(current->data());
        }
        step->second(current->data(), whole ? &*whole : nullptr, rows);
    } catch (const store_error&) {
        throw;
    } catch (const std::exception& e) {
        throw decode_error{"event " + logged.event.message_id + " (number " + std::to_string(logged.seq) + ", type " +
                           logged.event.type + ") cannot be projected into read model " + projector_.table.name + ": " +
                           base::one_line(e.what()) +
                           "; correct the projector and rebuild again, with --restart when former events count too"};
    }
}

/// An event that the domain does not know is none of the projector's, unless it is one of its own in another version.
void projection_rebuild::pass_over(const store::stream_event& logged) {
    const message_type type{logged.event.type};
    for (const auto& [cpp_name, step] : projector_.on) {
        const auto event = env_.domain().events.find(cpp_name);
        if (event == env_.domain().events.end() || !type.names(event->second.name)) continue;
        throw decode_error{"event " + logged.event.message_id + " (number " + std::to_string(logged.seq) +
                           ") is of type " + logged.event.type + ", which this build cannot read: it knows " +
                           event->second.type + "; rebuild with a build that reads both versions"};
    }
    ++report_.unknown[logged.event.type];
}

void projection_rebuild::tell(rebuild_host& host, const rebuild_plan& plan) {
    host.progress({.position = plan.position(),
                   .head = std::max(plan.head(), plan.position()),
                   .events = report_.events,
                   .waiting_for = plan.waiting_for()});
    const auto now = std::chrono::steady_clock::now();
    if (now < next_line_) return;
    next_line_ = now + between_lines;
    observe::log(observe::level::info, "projection.rebuild_progress",
                 {{"read_model", projector_.table.name},
                  {"position", plan.position()},
                  {"head", plan.head()},
                  {"events", report_.events},
                  {"waiting_for", plan.waiting_for()}});
}

/// The old table has done its work. One that cannot be dropped now, because somebody reads it, goes with the next
/// rebuild.
void projection_rebuild::clean_up() noexcept {
    try {
        report_.rows = session_->count_rows(table_);
        session_->drop_former(projector_.table);
    } catch (const store_error& trouble) {
        observe::log(observe::level::warn, "projection.old_table_stays",
                     {{"read_model", projector_.table.name}, {"reason", base::one_line(trouble.what())}});
    }
}

}  // namespace sluice::projection
