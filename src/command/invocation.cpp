#include "command/invocation.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "base/ids.hpp"
#include "command/context_state.hpp"
#include "command/deadline.hpp"
#include "command/idempotency.hpp"
#include "command/repeat.hpp"
#include "commit/message_identity.hpp"
#include "envelope/envelope.hpp"
#include "envelope/payload.hpp"
#include "observe/span.hpp"

namespace sluice::command {

namespace {

using detail::context_state;

std::string correlation_of(const message& m, commit::environment& env) {
    return m.correlation_id() ? *m.correlation_id() : base::uuid4_hex(env.random());
}

/// Where nobody has begun a span for the handling, its units are part of the message's trace all the same.
const trace_parent* trace_to_join(commit::environment& env, const message& m) {
    const auto& carried = m.metadata().headers.traceparent;
    const bool is_wanted = env.tracer().spans() != nullptr && observe::span_here() == nullptr && carried;
    return is_wanted ? &*carried : nullptr;
}

/// A context that continues the message.
context context_for(commit::environment& env, const message& m, std::string_view entry,
                    const std::string& correlation_id) {
    auto state = std::make_unique<context_state>(env);
    state->current = &m;
    state->correlation_id = correlation_id;
    state->causation_id = commit::known_as(m, entry);
    state->extensions = m.metadata().extensions;
    state->extensions.erase(envelope::older_versions_key);  // for partners, not for handlers
    state->traceparent = observe::trace_here(m.metadata().headers.traceparent);
    state->priority = m.metadata().domain.priority;
    if (m.metadata().domain.kind == message_kind::command) {
        state->origin_stream = m.metadata().domain.origin_stream;
    } else if (env.domain().event_by_type(m.type().text()) != nullptr) {
        state->event_stream = m.metadata().headers.stream;
    }
    return context{std::move(state)};
}

/// Runs `body(context, unit)`, which says whether there was anything to do, and takes what came of it into the unit.
/// @param asks  the inbox before it begins
template <class Body>
outcome handle_within(detail::unit& work, commit::environment& env, const message& m, const message_terms& terms,
                      std::string_view handler, const std::string& correlation_id, const latest_start& until, bool asks,
                      const Body& body) {
    auto mark = commit::known_as(m, terms.entry, handler);
    const auto seen = asks ? work.seen_before(mark) : store::inbox_answer::unknown;
    if (seen == store::inbox_answer::handled) return outcome::duplicate;
    if (seen == store::inbox_answer::other_content) commit::tell_of_reused_id(mark);

    context in = context_for(env, m, terms.entry, correlation_id);
    context_state& state = context_state::of(in);
    state.open = &work;
    state.deadline = until;
    if (body(in, work) == outcome::duplicate) return outcome::duplicate;
    work.collect(state.origin(in));
    work.guard(std::move(mark));
    return outcome::handled;
}

/// One attempt in a unit of its own.
template <class Body>
outcome handle_once(commit::environment& env, const message& m, const message_terms& terms, std::string_view handler,
                    const std::string& correlation_id, const latest_start& until, bool asks, const Body& body) {
    detail::unit work{env};
    if (terms.kept) work.settles(*terms.kept);
    if (terms.fence) work.fence(*terms.fence);
    const auto done = handle_within(work, env, m, terms, handler, correlation_id, until, asks, body);
    if (done == outcome::duplicate) return done;
    try {
        work.commit();
    } catch (const store::duplicate_message&) {
        // Another consumer of the group committed the same message a moment ago.
        return outcome::duplicate;
    }
    return work.has_settled() ? outcome::settled : outcome::handled;
}

template <class Body>
outcome handle_until(commit::environment& env, const message& m, const message_terms& terms, std::string_view handler,
                     const latest_start& until, const Body& body) {
    const std::string correlation_id = correlation_of(m, env);
    const observe::span_scope in_its_trace{trace_to_join(env, m)};
    bool asks = !terms.unmarked;
    if (terms.within != nullptr) {
        return handle_within(*terms.within, env, m, terms, handler, correlation_id, until, asks, body);
    }
    return repeat(env, until, [&] {
        return handle_once(env, m, terms, handler, correlation_id, until, std::exchange(asks, true), body);
    });
}

}  // namespace

context make_context(commit::environment& env) { return context{std::make_unique<context_state>(env)}; }

outcome handle(commit::environment& env, const message& m, const message_terms& terms, std::string_view handler,
               const std::function<void(context&)>& body) {
    return handle_until(env, m, terms, handler, std::nullopt, [&](context& in, detail::unit& /*work*/) {
        body(in);
        return outcome::handled;
    });
}

outcome handle_command(commit::environment& env, const message& m, const message_terms& terms, std::string_view group) {
    const detail::command_entry* command = env.domain().command_by_type(m.type().text());
    if (command == nullptr) {
        throw decode_error{"domain `" + env.domain().name + "` has no command of type `" + m.type().text() + "`"};
    }
    const std::shared_ptr<const void> decoded = command->decode_waiting(m.data());
    if (auto violations = command->validate(decoded.get()); !violations.empty()) {
        throw validation_error{command->name, std::move(violations)};
    }
    std::optional<keyed_command> key;
    if (const auto& given = m.metadata().headers.idempotency_key) {
        // Not of the data as they came: the same command may have been written down by somebody else.
        key.emplace(keyed(*command, *given, envelope::payload{command->encode(decoded.get())}));
    }
    const latest_start until = deadline_of(m);
    return handle_until(env, m, terms, group, until, [&](context& in, detail::unit& work) {
        require_time_left(command->name, until, env.time().now());
        if (key) {
            if (const auto earlier = work.outcome_of(*command, key->key)) {
                static_cast<void>(answer_again(*key, *earlier));  // nobody waits for the result
                return outcome::duplicate;
            }
        }
        const std::shared_ptr<void> result = command->handle(decoded.get(), in);
        if (key) work.record(*command, success_of(env, *key, result.get()));
        return outcome::handled;
    });
}

}  // namespace sluice::command
