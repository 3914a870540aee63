#pragma once

#include "cli/commands/workspace.hpp"
#include "cli/terminal/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace sluice::cli {

// Each adds a command with all that is below it.
void add_server(command& root);
void add_process(command& root);
void add_check(command& root);
void add_config(command& root);
void add_db(command& root);
void add_describe(command& root);
void add_status(command& root);
void add_subscriptions(command& root);
void add_outbox(command& root);
void add_dlq(command& root);
void add_events(command& root);
void add_processes(command& root);
void add_projection(command& root);
void add_snapshot(command& root);
void add_version(command& root);

}  // namespace sluice::cli
