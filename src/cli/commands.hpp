#pragma once

#include <functional>

#include "cli/exit_code.hpp"
#include "cli/workspace.hpp"

namespace CLI {
class App;
}

namespace sluice::cli {

/// What was asked for; runs after all arguments are read.
using action = std::function<int()>;

// Each adds a command with its options and, when it is the one asked for, sets `chosen`.
void add_server(CLI::App& app, session& in, action& chosen);
void add_process(CLI::App& app, session& in, action& chosen);
void add_check(CLI::App& app, session& in, action& chosen);
void add_db(CLI::App& app, session& in, action& chosen);
void add_status(CLI::App& app, session& in, action& chosen);
void add_subscriptions(CLI::App& app, session& in, action& chosen);
void add_outbox(CLI::App& app, session& in, action& chosen);
void add_dlq(CLI::App& app, session& in, action& chosen);
void add_events(CLI::App& app, session& in, action& chosen);
void add_processes(CLI::App& app, session& in, action& chosen);
void add_projection(CLI::App& app, session& in, action& chosen);
void add_snapshot(CLI::App& app, session& in, action& chosen);
void add_version(CLI::App& app, session& in, action& chosen);

/// Adapts a command's function to an action.
template <class Command>
[[nodiscard]] action make_action(Command run) {
    return [run = std::move(run)] { return static_cast<int>(run()); };
}

}  // namespace sluice::cli
