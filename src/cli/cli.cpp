#include "cli/cli.hpp"

#include <CLI/CLI.hpp>

#include <sluice/version.hpp>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

constexpr const char* exit_code_help =
    "Exit codes: 0 done, 1 the operation failed, 2 wrong usage, 3 wrong configuration or declaration,\n"
    "4 database or broker unavailable, 5 internal error. More: docs/cli.md";

/// Parses and runs; everything that goes wrong leaves as an exception.
int dispatch(int argc, const char* const* argv, session& in) {
    CLI::App app{"Domain framework and event relay: fork at the outbox.", "sluice"};
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(exit_code_help);
    app.set_version_flag("--version", std::string{"sluice "} + version());
    bool json = false;
    if (in.host.loads_domains()) {
        app.add_option("--domain", in.options.domain, "Domain library: a path, or a name like shop for libshop.so")
            ->envname("SLUICE_DOMAIN")
            ->type_name("PATH|NAME");
    }
    app.add_option("--config", in.options.config, "Configuration file (default ./domain.toml)")->type_name("FILE");
    app.add_flag("--json", json, "Print results as JSON");

    action chosen;
    add_server(app, in, chosen);
    add_process(app, in, chosen);
    add_check(app, in, chosen);
    add_db(app, in, chosen);
    add_status(app, in, chosen);
    add_subscriptions(app, in, chosen);
    add_outbox(app, in, chosen);
    add_dlq(app, in, chosen);
    add_events(app, in, chosen);
    add_processes(app, in, chosen);
    add_projection(app, in, chosen);
    add_snapshot(app, in, chosen);
    add_version(app, in, chosen);

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& e) {
        return app.exit(e);  // --help, --version
    } catch (const CLI::ParseError& e) {
        in.out.use_json(json);
        std::string path = app.get_name();
        for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
            at = at->get_subcommands().front();
            path += " " + at->get_name();
        }
        throw wrong_usage(std::string{e.what()} + "\nTry `" + path + " --help`");
    }
    in.out.use_json(json);
    return chosen();
}

}  // namespace

int run_cli(int argc, const char* const* argv, const cli_host& host) noexcept {
    try {
        session in{host, {}, {}};
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
