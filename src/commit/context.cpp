#include <sluice/context.hpp>

#include <vector>

#include <sluice/error.hpp>

#include "base/ids.hpp"
#include "base/names.hpp"
#include "commit/context_state.hpp"
#include "commit/event_metadata.hpp"
#include "commit/given_trace_parent.hpp"
#include "commit/retry.hpp"

namespace sluice {

namespace {

using detail::context_state;
using detail::unit;

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

/// The state in which a command's handler runs: the caller's, continued.
std::unique_ptr<context_state> state_for(const context_state& caller, const process_options& options,
                                         std::string command_id, const json::object& extensions) {
    auto state = std::make_unique<context_state>(caller.env);
    state->open = caller.open;
    state->current = caller.current;
    state->causation_id = std::move(command_id);
    state->correlation_id = !options.correlation_id.empty() ? options.correlation_id : caller.correlation_id;
    if (state->correlation_id.empty()) state->correlation_id = base::uuid4_hex(caller.env.random());
    const auto given = commit::given_trace_parent(options.traceparent);
    state->traceparent = given ? given : caller.traceparent;
    state->priority = options.priority != 0 ? options.priority : caller.priority;
    state->extensions = caller.extensions;
    for (const auto& [key, value] : extensions) state->extensions.set(key, value);
    return state;
}

/// Runs `body` within the unit `in`; whatever it throws dooms the unit.
template <class Body>
void run_joined(unit& in, const Body& body) {
    try {
        body();
    } catch (...) {
        in.doom();
        throw;
    }
}

}  // namespace

context::context(std::unique_ptr<context_state> state) : state_{std::move(state)} {}
context::context(context&&) noexcept = default;
context& context::operator=(context&&) noexcept = default;
context::~context() = default;

unit& context::open_unit() {
    if (state_->open == nullptr) {
        throw usage_error{
            "a repository needs a unit of work: open one with `sluice::unit_of_work work{context};`, or "
            "work inside a handler"};
    }
    return *state_->open;
}

void context::process(std::string_view command, const json::value& data, const process_options& options) {
    const detail::command_entry& entry = command_named(state_->env.domain(), command);
    const std::shared_ptr<const void> decoded = entry.decode(data);
    process_erased(entry.cpp_name, decoded.get(), options);
}

void context::process_erased(std::string_view cpp_name, const void* command, const process_options& options) {
    const auto& declared = state_->env.domain();
    const auto found = declared.commands.find(cpp_name);
    if (found == declared.commands.end()) {
        throw usage_error{"command `" + std::string{cpp_name} + "` has no handler in domain `" + declared.name +
                          "`; declare it with `domain.command_handler<Handler, Command>()`"};
    }
    const detail::command_entry& entry = found->second;
    if (auto violations = entry.validate(command); !violations.empty()) {
        throw validation_error{entry.name, std::move(violations)};
    }
    std::string data = entry.encode(command);
    const json::value payload = json::parse(data);
    const std::string identity = entry.identity(command);
    json::object extensions = commit::enrich(declared.command_enrichers, {entry.name, identity, payload, *this});
    const std::string command_id = base::uuid4(state_->env.random());

    const auto run = [&](unit& in) {
        // Events recorded so far were caused by the caller, not by this command.
        in.collect(state_->origin(*this));
        context handler_context{state_for(*state_, options, command_id, extensions)};
        context_state& inner = context_state::of(handler_context);
        inner.open = &in;
        if (options.asynchronous) {
            in.add_command(
                entry, data, inner.extensions, command_id,
                {handler_context, inner.correlation_id, state_->causation_id, inner.traceparent, inner.priority});
            return;
        }
        entry.handle(command, handler_context);
        in.collect(inner.origin(handler_context));
    };

    if (state_->open != nullptr) {
        run_joined(*state_->open, [&] { run(*state_->open); });
        return;
    }
    commit::retry_on_version_conflict([&] {
        unit outermost{state_->env};
        run(outermost);
        outermost.commit();
    });
}

date_time context::now() const { return state_->env.time().now(); }
const message* context::current_message() const noexcept { return state_->current; }
const std::string& context::correlation_id() const noexcept { return state_->correlation_id; }
const std::string& context::causation_id() const noexcept { return state_->causation_id; }
const json::object& context::extensions() const noexcept { return state_->extensions; }
int context::priority() const noexcept { return state_->priority; }

unit_of_work::unit_of_work(context& in) : context_{in}, outermost_{in.state_->open == nullptr} {
    if (!outermost_) return;
    in.state_->owned = std::make_unique<unit>(in.state_->env);
    in.state_->open = in.state_->owned.get();
}

unit_of_work::~unit_of_work() {
    if (open_) give_up();
}

void unit_of_work::commit() {
    if (!open_) throw usage_error{"this unit of work was already committed or rolled back; open a new one"};
    context_state& state = *context_.state_;
    if (!outermost_) {
        open_ = false;
        return;
    }
    try {
        state.open->collect(state.origin(context_));
        state.open->commit();
    } catch (...) {
        give_up();
        throw;
    }
    open_ = false;
    state.open = nullptr;
    state.owned.reset();
}

void unit_of_work::rollback() {
    if (!open_) throw usage_error{"this unit of work was already committed or rolled back; open a new one"};
    give_up();
}

void unit_of_work::give_up() noexcept {
    open_ = false;
    context_state& state = *context_.state_;
    if (!outermost_) {
        state.open->doom();
        return;
    }
    state.open = nullptr;
    state.owned.reset();
}

}  // namespace sluice
