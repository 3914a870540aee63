#include "cli/cli.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <sluice/version.hpp>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

constexpr const char* exit_code_help =
    "Exit codes: 0 done, 1 the operation failed, 2 wrong usage, 3 wrong configuration or declaration,\n"
    "4 database or broker unavailable, 5 internal error. More: docs/cli.md";

/// As people call it: completion and manual pages go by that name.
std::string name_of_program(int argc, const char* const* argv) {
    const std::string name = argc > 0 ? std::filesystem::path{argv[0]}.filename().string() : std::string{};
    return name.empty() ? "sluice" : name;
}

/// Parses and runs; everything that goes wrong leaves as an exception.
int dispatch(int argc, const char* const* argv, session& in) {
    command_line line{{.name = "sluice",
                       .purpose = "Domain framework and event relay: fork at the outbox.",
                       .version = std::string{"sluice "} + version(),
                       .footer = exit_code_help}};
    command root = line.root();
    if (in.site.program.loads_domains()) {
        root.option("--domain", "PATH|NAME", in.site.domain,
                    "Domain library: a path, or a name like shop for libshop.so", "SLUICE_DOMAIN");
    }
    bool json = false;
    root.option("--config", "FILE", in.site.config, "Configuration file (default ./domain.toml)")
        .flag("--json", json, "Print results as JSON");

    add_server(root);
    add_process(root);
    add_audit(root);
    add_check(root);
    add_config(root);
    add_console(root);
    add_db(root);
    add_describe(root);
    add_doctor(root);
    add_status(root);
    add_subscriptions(root);
    add_outbox(root);
    add_dlq(root);
    add_events(root);
    add_lanes(root);
    add_metrics(root);
    add_processes(root);
    add_projection(root);
    add_snapshot(root);
    add_version(root);
    const std::string called = name_of_program(argc, argv);
    add_completion(root, line, called);
    add_man(root, line, called, exit_code_help);

    const action chosen = line.parse(argc, argv);
    in.out.use_json(json);
    return chosen(in);
}

/// A descriptor below 3 that whoever started us has closed would become that of a database, and what is written to
/// standard error would go there.
void occupy_standard_descriptors() noexcept {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
    }
}

}  // namespace

int run_cli(int argc, const char* const* argv, const operate::host& host) noexcept {
    try {
        occupy_standard_descriptors();
        session in{.site = {.program = host}, .out = {}};
        // Commands report by themselves; only a running server tells what it does.
        observe::configure_log({.threshold = observe::level::warn});
        try {
            const int code = dispatch(argc, argv, in);
            in.out.flush();
            return code;
        } catch (const std::exception& e) {
            const verdict_on_error verdict = judge(e);
            in.out.error(verdict.code, verdict.message);
            return static_cast<int>(verdict.how);
        }
    } catch (...) {
        return static_cast<int>(exit_code::internal);  // not even the error could be told
    }
}

}  // namespace sluice::cli
