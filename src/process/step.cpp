#include "process/step.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "command/context_state.hpp"
#include "commit/stream_name.hpp"
#include "observe/span_source.hpp"
#include "process/input.hpp"
#include "process/messages.hpp"
#include "process/transition.hpp"
#include "store/contended_keys.hpp"

namespace sluice::detail {

/// The runtime's way into the private part of a process manager.
struct process_access {
    static process_memory& memory(process_root& process) { return process.memory_; }
};

}  // namespace sluice::detail

namespace sluice::process {

namespace {

using detail::armed_timer;
using detail::context_state;
using detail::process_access;
using detail::process_entry;
using detail::process_memory;
using detail::process_reaction;
using timers = std::map<std::string, armed_timer, std::less<>>;

/// What became of a message.
struct step {
    enum class result { taken, unmatched, complete, stale };

    result what = result::unmatched;
    std::int64_t position = -1;
    bool completes = false;
};

std::unique_ptr<process_root> load(store::unit_session& session, const process_entry& process,
                                   const std::string& correlation) {
    const auto last = session.last_of_stream(commit::stream_of(process.category, correlation));
    if (!last) return nullptr;
    process::process_transition transition = process::decode_transition(*last);
    std::unique_ptr<process_root> object = process.decode(transition.state);
    process_memory& memory = process_access::memory(*object);
    memory.correlation = correlation;
    memory.position = last->position;
    memory.complete = transition.is_complete;
    memory.timers = std::move(transition.timers);
    return object;
}

/// One step of one instance inside a unit of work.
class process_stepper {
public:
    process_stepper(commit::environment& env, const process_entry& process, const process::process_input& what,
                    context& in)
        : env_{env}, process_{process}, what_{what}, in_{in}, unit_{*context_state::of(in).open} {}

    [[nodiscard]] step run() {
        if (env_.contention().any()) {
            unit_.take_turn(process_.database,
                            store::stream_key(commit::stream_of(process_.category, what_.correlation)));
        }
        object_ = load(unit_.reading(process_.database), process_, what_.correlation);
        if (object_ == nullptr && !begin()) return {};
        process_memory& memory = process_access::memory(*object_);
        if (memory.complete) return {.what = step::result::complete, .position = memory.position};
        if (what_.reaction == nullptr && !take_timer(memory)) {
            return {.what = step::result::stale, .position = memory.position};
        }
        const timers before = memory.timers;  // what is in the schedule still
        memory.now = env_.time().now();
        react(memory);
        record(memory, before);
        return {.what = step::result::taken, .position = memory.position, .completes = memory.complete};
    }

private:
    /// False when this message begins nothing.
    [[nodiscard]] bool begin() {
        if (what_.reaction != nullptr && what_.reaction->role == process_reaction::part::starts) {
            object_ = process_.create();
            process_access::memory(*object_).correlation = what_.correlation;
            return true;
        }
        if (what_.reaction != nullptr && process_.retry_when_missing) {
            throw not_found_error{"there is no process " + process_.fqn + " for `" + what_.correlation + "` yet; " +
                                  what_.handler_name + " continues one that another event starts"};
        }
        return false;
    }

    /// False when the timer was cancelled or set anew after this message had left.
    [[nodiscard]] bool take_timer(process_memory& memory) const {
        const auto timer = memory.timers.find(what_.fired.name);
        if (timer == memory.timers.end() || timer->second.id != what_.message_id) return false;
        memory.timers.erase(timer);
        return true;
    }

    void react(process_memory& memory) {
        if (what_.reaction == nullptr) {
            process_.on_timeout(*object_, what_.fired, in_);
            return;
        }
        what_.reaction->run(*object_, what_.event.get(), in_);
        if (what_.reaction->role == process_reaction::part::completes) memory.complete = true;
    }

    void record(process_memory& memory, const timers& before) {
        if (auto violations = process_.validate(*object_); !violations.empty()) {
            throw validation_error{process_.name, std::move(violations)};
        }
        if (memory.complete) memory.timers.clear();
        ++memory.position;
        const detail::provenance from = context_state::of(in_).origin(in_);
        change_timers(memory, before, from);
        unit_.append(process_.database,
                     process::write_transition(
                         env_, process_, memory,
                         process::encode_transition(process_.encode(*object_), what_.handler_name, memory), from));
    }

    void change_timers(process_memory& memory, const timers& before, const detail::provenance& from) {
        for (const auto& [name, timer] : before) {
            const auto kept = memory.timers.find(name);
            if (kept == memory.timers.end() || kept->second.id != timer.id) unit_.cancel(process_.database, timer.id);
        }
        for (auto& [name, timer] : memory.timers) {
            if (!timer.id.empty()) continue;
            timer.id = process::timeout_id(process_, memory, name);
            unit_.schedule(process_.database, process::write_timeout(env_, process_, memory, name, timer, from));
        }
    }

    commit::environment& env_;
    const process_entry& process_;
    const process::process_input& what_;
    context& in_;
    detail::unit& unit_;
    std::unique_ptr<process_root> object_;
};

const char* word_for(step::result what) {
    switch (what) {
        case step::result::taken:
            return "taken";
        case step::result::unmatched:
            return "unmatched";
        case step::result::complete:
            return "complete";
        case step::result::stale:
            break;
    }
    return "stale";
}

/// What the reaction gives and raises is part of the span of the step.
step traced_step(commit::environment& env, const process_entry& process, const process::process_input& what,
                 context& in) {
    const auto* const spans = env.tracer().spans();
    if (spans == nullptr) return process_stepper{env, process, what, in}.run();
    auto& caused_by = context_state::of(in).traceparent;
    observe::span span = spans->begin_here("step " + process.name, span_kind::internal, caused_by);
    span.set_text("sluice.process", process.fqn);
    span.set_text("sluice.process.instance", what.correlation);
    span.set_text("sluice.handler", what.handler_name);
    caused_by = *span.context();
    const step taken = observe::within(span, [&] { return process_stepper{env, process, what, in}.run(); });
    span.set_text("sluice.outcome", word_for(taken.what));
    if (taken.what == step::result::taken) span.set("sluice.process.position", taken.position);
    return taken;
}

void tell(const observe::tracer& tracer, const process_entry& process, const message& m,
          const process::process_input& what, const step& taken) {
    trace_event event;
    event.status = "ok";
    event.stream = commit::stream_of(process.category, what.correlation);
    event.message_id = m.id();
    event.message_type = m.type().text();
    event.handler = process.fqn;
    event.correlation_id = m.correlation_id();
    event.causation_id = m.metadata().domain.causation_id;
    event.traceparent = observe::trace_here(m.metadata().headers.traceparent);
    event.metadata.set("pm_type", process.name);
    event.metadata.set("pm_stream_category", process.category);
    switch (taken.what) {
        case step::result::taken:
            event.event = "pm.transition";
            event.metadata.set("position", taken.position);
            event.metadata.set("is_complete", taken.completes);
            break;
        case step::result::unmatched:
            event.event = "pm.unmatched";
            event.status = "skipped";
            break;
        case step::result::complete:
            event.event = "pm.ignored";
            event.metadata.set("reason", "complete");
            break;
        case step::result::stale:
            event.event = "pm.ignored";
            event.metadata.set("reason", "timer_not_armed");
            break;
    }
    tracer.emit(std::move(event));
}

}  // namespace

command::outcome handle_process(commit::environment& env, const detail::process_entry& process, const message& m,
                                const command::message_terms& terms) {
    const process::process_input what = process::read_process_input(env.domain(), process, m);
    step taken;
    const command::outcome result = command::handle(env, m, terms, process.group,
                                                    [&](context& in) { taken = traced_step(env, process, what, in); });
    if (result != command::outcome::duplicate) tell(env.tracer(), process, m, what, taken);
    return result;
}

}  // namespace sluice::process
