#pragma once

#include <string>

#include "cli/commands/workspace.hpp"
#include "cli/terminal/command_line.hpp"
#include "cli/terminal/exit_code.hpp"

namespace sluice::cli {

// Each adds a command with all that is below it.
void add_server(command& root);
void add_process(command& root);
void add_audit(command& root);
/// Below `outbox`.
void add_backfills(command& outbox);
void add_check(command& root);
void add_config(command& root);
void add_console(command& root);
void add_db(command& root);
void add_describe(command& root);
void add_doctor(command& root);
void add_status(command& root);
void add_subscriptions(command& root);
void add_outbox(command& root);
void add_dlq(command& root);
void add_events(command& root);
void add_lanes(command& root);
void add_metrics(command& root);
void add_processes(command& root);
void add_projection(command& root);
void add_snapshot(command& root);
void add_version(command& root);

/// @param line     with all commands; must outlive them
/// @param program  its name, as people call it
void add_completion(command& root, const command_line& line, std::string program);
void add_man(command& root, const command_line& line, std::string program, std::string exit_codes);

}  // namespace sluice::cli
