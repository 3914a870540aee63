#include <sluice/priority.hpp>

#include <exception>
#include <utility>

#include "base/one_line.hpp"
#include "command/context_state.hpp"
#include "observe/log.hpp"

namespace sluice {

namespace {

using detail::context_state;

/// Events recorded so far get the priority that has held so far.
void collect(context& in) {
    context_state& state = context_state::of(in);
    if (state.open != nullptr) state.open->collect(state.origin(in));
}

}  // namespace

processing_priority::processing_priority(context& in, int priority) : context_{in}, before_{in.priority()} {
    collect(in);
    context_state::of(in).priority = priority;
}

processing_priority::~processing_priority() {
    context_state& state = context_state::of(context_);
    const observe::log_scope scope{state.env.log()};
    try {
        collect(context_);
    } catch (const std::exception& e) {
        state.open->doom();
        observe::log(observe::level::error, "unit.doomed", {{"reason", base::one_line(e.what())}});
    } catch (...) {
        state.open->doom();
    }
    state.priority = before_;
}

}  // namespace sluice
