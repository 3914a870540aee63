#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/sha256.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/log_settings.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "console/console.hpp"
#include "console/secrets.hpp"
#include "http/server.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

namespace pages = sluice::console;

struct console_arguments {
    std::vector<std::string> contexts;
    std::string name;
    std::string role{"viewer"};
};

/// `FILE` or `FILE,DOMAIN`.
operate::site site_of(const session& in, const std::string& text) {
    const auto comma = text.rfind(',');
    operate::site site{.program = in.site.program};
    site.config = text.substr(0, comma);
    if (comma != std::string::npos) site.domain = text.substr(comma + 1);
    if (site.config.empty()) {
        throw wrong_usage(fmt::format("--context is `{}`, which names no file; write FILE or FILE,DOMAIN", text));
    }
    return site;
}

http::http_answer show_the_way(const http::http_request& request) {
    if (request.path == "/")
        return {.status = 303, .content_type = "text/plain", .headers = {{"location", "/console"}}};
    return {.status = 404, .body = R"({"error": "Not Found"})"};
}

int serve_console(const session& in, const console_arguments& given) {
    in.out.wait_for_nobody();
    stop_signals signals;  // before any thread
    const config::configuration with = operate::load_configuration(in.site);
    observe::configure_log(to_log_settings(with.log));
    config::console_settings settings = pages::load_settings(in.site);
    if (!settings.enabled.value_or(true)) {
        throw failure{exit_code::configuration, "configuration_error",
                      "the console is switched off (console.enabled = false); remove the key, or set it to true"};
    }
    pages::require_safe_at(settings, settings.host, "console");
    std::vector<std::unique_ptr<pages::context>> contexts;
    contexts.push_back(std::make_unique<pages::context>(in.site, system_clock()));
    for (const std::string& each : given.contexts) {
        contexts.push_back(std::make_unique<pages::context>(site_of(in, each), system_clock()));
    }
    const http::http_settings place{
        .host = settings.host, .port = static_cast<std::uint16_t>(settings.port), .section = "console"};
    pages::console shown{
        {.settings = settings, .host = settings.host}, std::move(contexts), system_clock(), base::system_random()};
    http::http_server server{place, show_the_way, "console.port", shown.mount(with.console_tls)};
    observe::log(observe::level::info, "console.listening", {{"address", server.address()}});
    in.out.print(
        fmt::format("console on {}://{}/console", with.console_tls.is_on() ? "https" : "http", server.address()));
    in.out.flush();

    const int signal = signals.wait();
    signals.release();  // a second signal means: at once
    observe::log(observe::level::info, "console.stopping", {{"signal", signal}});
    constexpr std::chrono::milliseconds patience{500};
    if (server.leave(patience)) return static_cast<int>(exit_code::ok);
    // A database or broker keeps an answer waiting.
    observe::flush_log(std::chrono::seconds{1});
    _exit(static_cast<int>(exit_code::ok));
}

/// What is typed is not shown.
class silent_terminal {
public:
    silent_terminal() {
        if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_silent_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;
    ~silent_terminal() {
        if (is_silent_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }

private:
    termios before_{};
    bool is_silent_ = false;
};

/// One line: from a person without an echo, else from whatever standard input is.
std::string read_secret(const char* prompt) {
    const bool is_person = isatty(STDIN_FILENO) == 1;
    std::string line;
    {
        const silent_terminal silent;
        if (is_person) std::cerr << prompt << std::flush;
        std::getline(std::cin, line);
    }
    if (is_person) std::cerr << '\n';
    return line;
}

void require_role(const console_arguments& given) {
    if (given.role == "viewer" || given.role == "operator") return;
    throw wrong_usage(fmt::format("--role is `{}`; roles are viewer and operator", given.role));
}

/// The line for the configuration, and what else is to be told.
void show_line(const session& in, const char* section, const std::string& name, const std::string& value,
               const std::string& told) {
    if (in.out.json()) {
        json::object result{{"section", section}, {"name", name}, {"value", value}};
        if (!told.empty()) result.append("token", told);
        return in.out.print_json(result);
    }
    in.out.print(fmt::format("[{}]\n{} = {}", section, json::dump(json::value{name}), value));
}

exit_code make_password(const session& in, const console_arguments& given) {
    require_role(given);
    const std::string password = read_secret("Password: ");
    constexpr std::size_t shortest = 10;
    constexpr std::size_t longest = 500;
    if (password.size() < shortest || password.size() > longest) {
        throw wrong_usage(
            fmt::format("the password has {} bytes; choose one of {} to {}", password.size(), shortest, longest));
    }
    if (isatty(STDIN_FILENO) == 1 && read_secret("Again: ") != password) {
        throw wrong_usage("the two passwords differ; type the same one twice");
    }
    const std::string hash = pages::hash_password(password, base::system_random());
    show_line(in, "console.users", given.name, fmt::format(R"({{ role = "{}", password = "{}" }})", given.role, hash),
              "");
    return exit_code::ok;
}

exit_code make_token(const session& in, const console_arguments& given) {
    require_role(given);
    const std::string token = pages::make_secret(base::system_random());
    show_line(in, "console.tokens", given.name,
              fmt::format(R"({{ role = "{}", sha256 = "{}" }})", given.role, base::sha256_hex(token)), token);
    if (!in.out.json()) {
        in.out.print("\n# the token, which is shown only now; send it as `Authorization: Bearer …`\n# " + token);
    }
    return exit_code::ok;
}

}  // namespace

void add_console(command& root) {
    const auto given = std::make_shared<console_arguments>();
    command console = root.add("console", "Serve the web console, for one or several contexts, without running them");
    console.option("--context", "FILE[,DOMAIN]", given->contexts,
                   "One more context: its configuration, and its domain library; may be repeated");
    const auto add = [&](const char* name, const char* purpose) {
        return console.add(name, purpose)
            .argument("NAME", given->name, "Who is to log in")
            .option("--role", "WORD", given->role, "viewer (the default) or operator");
    };
    add("password", "Read a password and print the line for [console.users]").runs(make_password, given);
    add("token", "Make a bearer token and print the line for [console.tokens]").runs(make_token, given);
    console.may_run_alone().runs(serve_console, given);
}

}  // namespace sluice::cli
