#include "cli/terminal/console.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/terminal/failure.hpp"
#include "config/printable.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

bool has_variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start, nobody sets any
    return value != nullptr && *value != '\0';
}

constexpr auto longest_wait = std::chrono::seconds{1};

/// Writes what the reader takes in time. False when it does not take all of it.
bool write_in_time(int fd, std::string_view text) {
    const auto until = std::chrono::steady_clock::now() + longest_wait;
    while (!text.empty()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd waited{.fd = fd, .events = POLLOUT, .revents = 0};
        if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) <= 0) return false;
        const ssize_t count = ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool has_somebody_to_ask() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (true) {
        const auto end = text.find('\n');
        visit(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

console::console() {
    const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): as above
    const bool dumb = terminal != nullptr && std::string_view{terminal} == "dumb";
    colours_ = isatty(STDOUT_FILENO) == 1 && !dumb && !has_variable("NO_COLOR");
}

void console::write(std::FILE* to, std::string_view text) const {
    if (manner_ == manner::patient) {
        std::fwrite(text.data(), 1, text.size(), to);
    } else if (manner_ == manner::hasty && !write_in_time(fileno(to), text)) {
        manner_ = manner::mute;  // one wait is enough
    }
}

/// Results and log lines written so far come first, also when all go to one file.
void console::tell(std::string_view kind, std::string_view message) const {
    if (manner_ != manner::mute) observe::flush_log(longest_wait);
    if (manner_ == manner::patient) std::fflush(stdout);
    write(stderr, fmt::format("sluice: {}: {}\n", kind, safe_lines(message)));
}

void console::print(std::string_view text) const {
    write(stdout, text);
    if (!text.ends_with('\n')) write(stdout, "\n");
}

void console::print_json(const json::value& result) const { print(json::dump(result, json::style::pretty)); }

void console::print_line(const json::value& result) const {
    print(json::dump(result));
    if (manner_ == manner::patient) std::fflush(stdout);
}

void console::warn(std::string_view message) const { tell("warning", message); }

void console::error(std::string_view code, std::string_view message) const {
    tell("error", message);
    if (json_) print_json(json::object{{"error", json::object{{"code", code}, {"message", message}}}});
}

bool console::confirm(const std::string& question) const { return !has_somebody_to_ask() || ask(question); }

bool console::confirm_loss(const std::string& question) const {
    if (has_somebody_to_ask()) return ask(question);
    throw wrong_usage(fmt::format("{} There is no terminal to ask on: add --yes when that is meant", question));
}

bool console::ask(const std::string& question) const {
    write(stderr, safe_lines(question) + " [y/N] ");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string console::paint(std::string_view text, tone as) const {
    constexpr std::array<std::string_view, 6> codes{"", "32", "33", "31", "2", "1"};
    const std::string_view code = codes.at(static_cast<std::size_t>(as));
    if (!colours_ || code.empty()) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void console::flush() const {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    throw failure{exit_code::failed, "output_failed", "standard output could not be written completely"};
}

std::string safe_lines(std::string_view text) {
    std::string safe;
    for_each_line(text, [&](std::string_view line) { safe += config::printable(line) + '\n'; });
    safe.pop_back();
    return safe;
}

std::string indented(std::string_view text, std::size_t columns) {
    std::string moved;
    for_each_line(text,
                  [&](std::string_view line) { moved += std::string(columns, ' ') + config::printable(line) + '\n'; });
    moved.pop_back();
    return moved;
}

}  // namespace sluice::cli
