#include "engine/scheduler.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "base/failure_cause.hpp"
#include "base/one_line.hpp"
#include "commit/target_brokers.hpp"
#include "envelope/stored_metadata.hpp"
#include "observe/log.hpp"
#include "observe/messaging_span.hpp"
#include "observe/span_source.hpp"

namespace sluice::engine {

namespace {

constexpr base::backoff reconnect{};  // 1, 2, 4 … 30 seconds

store::commit_batch to_batch(const std::vector<store::scheduled_message>& chosen,
                             const std::vector<std::string>& brokers, date_time now) {
    store::commit_batch batch;
    batch.at = now;
    for (const store::scheduled_message& each : chosen) {
        store::event_write& message = batch.events.emplace_back(each.message);
        // The age of its outbox row counts from now on, and goes to the broker that is the internal one today.
        message.event.created_at = now;
        message.target_brokers = brokers;
        batch.cancelled.push_back({.id = each.id, .due = each.due});
    }
    return batch;
}

}  // namespace

scheduler::scheduler(commit::environment& env, std::string database)
    : env_{env},
      database_{std::move(database)},
      plan_{base::from_seconds(env.configuration().outbox.tick_interval)},
      wake_{env.schedules(), database_, signal_} {
    static_cast<void>(env_.sessions(database_));
}

void scheduler::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] { signal_.notify(); }};
    int failures = 0;
    while (!stop.stop_requested()) {
        duration quiet{0};
        try {
            quiet = work(stop);
            if (std::exchange(failures, 0) > 0) {
                observe::log(observe::level::info, "schedule.resumed", {{"database", database_}});
            }
        } catch (const store_error& e) {
            quiet = reconnect.delay(++failures);
            if (failures == 1) {
                observe::log(observe::level::warn, "schedule.paused",
                             {{"database", database_}, {"reason", base::one_line(e.what())}});
            }
        }
        if (!stop.stop_requested()) static_cast<void>(base::wait_any(signal_, nullptr, quiet));
    }
}

duration scheduler::work(const std::stop_token& stop) {
    auto session = env_.sessions(database_).borrow();
    try {
        while (!stop.stop_requested()) {
            const base::moment now = base::moment_of(env_.time());
            const auto next = session->next_due();
            if (!next) return plan_.rest(next, now.wall);  // an idle engine asks one question
            const auto chosen = plan_.choose(session->due_messages(now.wall, plan_.limit()), now.steady);
            if (chosen.empty()) return plan_.rest(next, now.wall);
            try {
                release(*session, chosen, now);
            } catch (const store_error& e) {
                refused(e, chosen, now.steady);
                session.discard();
                session = env_.sessions(database_).borrow();
            }
        }
        return duration{0};
    } catch (const store_error&) {
        session.discard();
        throw;
    }
}

void scheduler::release(store::unit_session& session, const std::vector<store::scheduled_message>& chosen,
                        base::moment now) {
    try {
        session.commit(to_batch(chosen, commit::internal_target(env_.configuration().outbox), now.wall));
        plan_.released();
        env_.lanes().wake(database_);
        tell(chosen);
        trace(chosen, now);
    } catch (const expected_version_error&) {
        plan_.contested(chosen, now.steady);
    } catch (const store::duplicate_message&) {
        plan_.contested(chosen, now.steady);
        if (chosen.size() == 1) forget(session, chosen.front(), now);
    }
}

/// Whether the commit took place or is in doubt, looking again shows what is still there.
void scheduler::refused(const store_error& e, const std::vector<store::scheduled_message>& chosen, instant now) {
    const auto tell = [&](observe::level how, const char* event) {
        observe::log(how, event,
                     {{"database", database_}, {"message", chosen.front().id}, {"reason", base::one_line(e.what())}});
    };
    switch (base::cause_of(e)) {
        case base::failure_cause::outage:
            throw;
        case base::failure_cause::conflict:
            return plan_.contested(chosen, now);
        case base::failure_cause::statement: {
            const auto step = plan_.hindered(chosen, now);
            if (step == release_plan::next_step::pause) throw;
            if (step == release_plan::next_step::put_off) tell(observe::level::warn, "schedule.hindered");
            return;
        }
        case base::failure_cause::message:
            if (plan_.refused(chosen, now)) tell(observe::level::error, "schedule.refused");
    }
}

/// A message that the log has already, and that is still in the schedule: it was sent.
void scheduler::forget(store::unit_session& session, const store::scheduled_message& sent, base::moment now) {
    store::commit_batch batch;
    batch.at = now.wall;
    batch.cancelled.push_back({.id = sent.id, .due = sent.due});
    try {
        session.commit(batch);
    } catch (const expected_version_error&) {  // NOLINT(bugprone-empty-catch): whoever sent it has taken it out
    }
}

/// A message that goes on its way is part of the trace in which it was set.
void scheduler::trace(const std::vector<store::scheduled_message>& released, base::moment begin) const {
    const auto* const spans = env_.tracer().spans();
    if (spans == nullptr) return;
    for (const store::scheduled_message& each : released) {
        const auto metadata = envelope::stored_metadata(each.message.event.metadata);
        if (!metadata) continue;
        const auto& set_in = metadata->headers.traceparent;
        observe::span span = spans->began(begin.wall, begin.steady, "release " + each.message.event.stream_category,
                                          span_kind::internal, set_in ? &*set_in : nullptr);
        observe::describe_message(span, *metadata);
        span.set_text("sluice.database", database_);
        span.set_text("sluice.due", each.due.to_string());
    }
}

void scheduler::tell(const std::vector<store::scheduled_message>& released) const {
    if (!env_.tracer().wanted()) return;
    for (const store::scheduled_message& each : released) {
        trace_event event;
        event.event = "schedule.released";
        event.status = "ok";
        event.stream = each.message.event.stream;
        event.message_id = each.message.event.message_id;
        event.message_type = each.message.event.type;
        event.metadata.set("due", each.due.to_string());
        env_.tracer().emit(std::move(event));
    }
}

}  // namespace sluice::engine
