#include "command/command_call.hpp"

#include <utility>
#include <vector>

#include <sluice/codec.hpp>
#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "base/ids.hpp"
#include "base/names.hpp"
#include "command/given_trace_parent.hpp"
#include "command/remembered_failure.hpp"
#include "command/repeat.hpp"
#include "commit/event_metadata.hpp"
#include "envelope/header_rules.hpp"
#include "observe/span_source.hpp"

namespace sluice::command {

namespace {

using detail::context_state;
using detail::unit;

/// Runs `body` within the open unit; whatever it throws dooms the unit.
template <class Body>
auto run_joined(unit& in, const Body& body) {
    try {
        return body();
    } catch (...) {
        in.doom();
        throw;
    }
}

/// @throws validation_error naming every offending field
std::string valid_data(const detail::command_entry& entry, const void* command, const process_options& options) {
    if (auto violations = entry.validate(command); !violations.empty()) {
        throw validation_error{entry.name, std::move(violations)};
    }
    violations broken;
    envelope::check_correlation_id("correlation_id", options.correlation_id, broken);
    codec::detail::require_none(entry.name, broken);
    return entry.encode(command);
}

}  // namespace

const detail::command_entry& command_named(const detail::registry& declared, std::string_view name) {
    if (const auto* found = declared.command_by_name(name)) return *found;
    std::vector<std::string> names;
    for (const auto& [cpp_name, entry] : declared.commands) names.push_back(entry.name);
    const std::string nearest = base::suggest(name, names);
    std::string known;
    for (const std::string& each : names) known += (known.empty() ? "" : ", ") + each;
    throw usage_error{
        "domain `" + declared.name + "` has no command `" + std::string{name} + "`; " +
        (nearest.empty() ? "it knows: " + (known.empty() ? "none" : known) : "did you mean `" + nearest + "`?")};
}

const detail::command_entry& command_of_type(const detail::registry& declared, std::string_view cpp_name) {
    const auto found = declared.commands.find(cpp_name);
    if (found == declared.commands.end()) {
        throw usage_error{"command `" + std::string{cpp_name} + "` has no handler in domain `" + declared.name +
                          "`; declare it with `domain.command_handler<Handler, Command>()`"};
    }
    return found->second;
}

command_call::command_call(context& caller, const detail::command_entry& entry, const void* command,
                           const process_options& options)
    : caller_{caller},
      from_{context_state::of(caller)},
      env_{from_.env},
      entry_{entry},
      command_{command},
      options_{options},
      given_deadline_{deadline_in(options, env_.time().now())},
      deadline_{earlier(given_deadline_, from_.deadline)},
      data_{valid_data(entry, command, options)},
      trace_{given_trace_parent(options.traceparent)} {
    if (!trace_) trace_ = observe::trace_or_here(from_.traceparent);
    if (options.idempotency_key) key_.emplace(keyed(entry, *options.idempotency_key, data_));
    if (const auto& enrichers = env_.domain().command_enrichers; !enrichers.empty()) {
        const std::string identity = entry.identity(command);
        extensions_ = commit::enrich(enrichers, {entry.name, identity, data_.value(), caller});
    }
    id_ = base::uuid4(env_.random());
}

observe::span command_call::begin_span(const char* what) {
    const auto* const spans = env_.tracer().spans();
    if (spans == nullptr) return {};
    observe::span begun = spans->begin(what + (' ' + entry_.name), span_kind::internal, trace_);
    begun.set_text("sluice.domain", env_.domain().name);
    begun.set_text("sluice.command", entry_.name);
    begun.set_text("messaging.message.id", id_);
    trace_ = *begun.context();
    return begun;
}

std::shared_ptr<void> command_call::process() {
    observe::span whole = begin_span("command");
    return observe::within(whole, [this] { return process_here(); });
}

std::shared_ptr<void> command_call::process_here() {
    if (unit* open = from_.open) {
        return run_joined(*open, [&] { return process_in(*open); });
    }
    return repeat(env_, deadline_, [&] { return attempt(); });
}

/// The outcome is recorded with the commit of the whole. There is none of a failure, because the whole is lost then.
std::shared_ptr<void> command_call::process_in(unit& open) {
    require_time_left(entry_.name, deadline_, env_.time().now());
    if (key_) {
        if (const auto earlier = open.outcome_of(entry_, key_->key)) return answer_again(*key_, *earlier);
    }
    return run_handler(open);
}

std::shared_ptr<void> command_call::attempt() {
    require_time_left(entry_.name, deadline_, env_.time().now());
    if (!key_) return attempt_once();
    std::optional<store::command_outcome> first = find_outcome(env_, *key_);
    if (first) return answer_again(*key_, *first);
    try {
        return attempt_once();
    } catch (const expected_version_error&) {
        // Whoever was faster may have given the same command.
        first = find_outcome(env_, *key_);
        if (!first) throw;
    } catch (const error& failure) {
        if (!is_answer(failure)) throw;
        first = remember_failure(env_, *key_, failure);
        if (!first) throw;
    }
    return answer_again(*key_, *first);
}

std::shared_ptr<void> command_call::attempt_once() {
    unit outermost{env_};
    std::shared_ptr<void> result = run_handler(outermost);
    outermost.commit();
    return result;
}

std::shared_ptr<void> command_call::run_handler(unit& in) {
    // Events recorded so far were caused by the caller, not by this command.
    in.collect(from_.origin(caller_));
    const detail::unit::extent before = in.end();
    context handler = handler_context();
    context_state& inner = context_state::of(handler);
    inner.open = &in;
    inner.deadline = deadline_;
    std::shared_ptr<void> result = entry_.handle(command_, handler);
    in.collect(inner.origin(handler));
    // What came of it names it as the cause, and what it was caused by itself must not be lost with it.
    if (!from_.causation_id.empty() && in.end() != before) {
        in.insert_command(before, entry_, data_, inner.extensions, id_, origin_of(handler),
                          {.idempotency_key = options_.idempotency_key, .deadline = deadline_, .at_once = true});
    }
    if (key_) in.record(entry_, success_of(env_, *key_, result.get()));
    return result;
}

std::string command_call::submit() {
    observe::span whole = begin_span("submit");
    return observe::within(whole, [this] { return submit_here(); });
}

std::string command_call::submit_here() {
    commit::command_terms terms{.idempotency_key = options_.idempotency_key, .deadline = given_deadline_};
    const auto& standard = env_.configuration().commands.default_timeout_seconds;
    if (!terms.deadline && standard) terms.deadline = later_by(env_.time().now(), base::from_seconds(*standard));
    require_time_left(entry_.name, terms.deadline, env_.time().now());
    if (unit* open = from_.open) {
        run_joined(*open, [&] { write_down(*open, terms); });
        return id_;
    }
    repeat(env_, terms.deadline, [&] {
        unit outermost{env_};
        write_down(outermost, terms);
        outermost.commit();
    });
    return id_;
}

void command_call::write_down(unit& in, const commit::command_terms& terms) {
    in.collect(from_.origin(caller_));
    context handler = handler_context();
    const context_state& inner = context_state::of(handler);
    in.add_command(entry_, data_, inner.extensions, id_, origin_of(handler), terms);
}

/// Where the command itself comes from. @param handler  as made by `handler_context`
detail::provenance command_call::origin_of(context& handler) const {
    const context_state& inner = context_state::of(handler);
    return {handler, inner.correlation_id, from_.causation_id, inner.traceparent, inner.priority, from_.event_stream};
}

/// The context in which the handler runs: the caller's, continued.
context command_call::handler_context() const {
    auto state = std::make_unique<context_state>(env_);
    state->current = from_.current;
    state->causation_id = id_;
    state->correlation_id = !options_.correlation_id.empty() ? options_.correlation_id : from_.correlation_id;
    if (state->correlation_id.empty()) state->correlation_id = base::uuid4_hex(env_.random());
    state->traceparent = trace_;
    state->priority = options_.priority.value_or(from_.priority);
    state->origin_stream = from_.event_stream;
    state->extensions = from_.extensions;
    for (const auto& [key, value] : extensions_) state->extensions.set(key, value);
    return context{std::move(state)};
}

}  // namespace sluice::command
