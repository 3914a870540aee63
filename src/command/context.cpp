#include <sluice/context.hpp>

#include <sluice/error.hpp>

#include "command/command_call.hpp"
#include "command/context_state.hpp"
#include "observe/log.hpp"

namespace sluice {

using detail::context_state;
using detail::unit;

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

std::shared_ptr<void> context::process_erased(std::string_view cpp_name, const void* command,
                                              const process_options& options) {
    const observe::log_scope scope{state_->env.log()};
    const detail::command_entry& entry = command::command_of_type(state_->env.domain(), cpp_name);
    return command::command_call{*this, entry, command, options}.process();
}

json::value context::process(std::string_view command, const json::value& data, const process_options& options) {
    const observe::log_scope scope{state_->env.log()};
    const detail::command_entry& entry = command::command_named(state_->env.domain(), command);
    const std::shared_ptr<const void> decoded = entry.decode(data);
    const auto result = command::command_call{*this, entry, decoded.get(), options}.process();
    return json::parse(entry.encode_result(result.get()));
}

std::string context::submit_erased(std::string_view cpp_name, const void* command, const process_options& options) {
    const observe::log_scope scope{state_->env.log()};
    const detail::command_entry& entry = command::command_of_type(state_->env.domain(), cpp_name);
    return command::command_call{*this, entry, command, options}.submit();
}

std::string context::submit(std::string_view command, const json::value& data, const process_options& options) {
    const observe::log_scope scope{state_->env.log()};
    const detail::command_entry& entry = command::command_named(state_->env.domain(), command);
    const std::shared_ptr<const void> decoded = entry.decode(data);
    return command::command_call{*this, entry, decoded.get(), options}.submit();
}

date_time context::now() const { return state_->env.time().now(); }
const message* context::current_message() const noexcept { return state_->current; }
const std::string& context::correlation_id() const noexcept { return state_->correlation_id; }
const std::string& context::causation_id() const noexcept { return state_->causation_id; }
const json::object& context::extensions() const noexcept { return state_->extensions; }
int context::priority() const noexcept { return state_->priority; }
std::optional<date_time> context::deadline() const noexcept { return state_->deadline; }

unit_of_work::unit_of_work(context& in) : context_{in}, outermost_{in.state_->open == nullptr} {
    if (!outermost_) return;
    in.state_->enter_unit();
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
    state.leave_unit();
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
    state.leave_unit();
}

}  // namespace sluice
