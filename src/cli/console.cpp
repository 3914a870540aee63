#include "cli/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/failure.hpp"
#include "config/printable.hpp"

namespace sluice::cli {

namespace {

bool has_variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start, nobody sets any
    return value != nullptr && *value != '\0';
}

void write(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

/// Results written so far come first, also when both go to one file.
void tell(std::string_view kind, std::string_view message) {
    std::fflush(stdout);
    write(stderr, fmt::format("sluice: {}: {}\n", kind, safe_lines(message)));
}

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

void console::print(std::string_view text) const {
    write(stdout, text);
    if (!text.ends_with('\n')) write(stdout, "\n");
}

void console::print_json(const json::value& result) const { print(json::dump(result, json::style::pretty)); }

void console::print_line(const json::value& result) const {
    print(json::dump(result));
    std::fflush(stdout);
}

void console::warn(std::string_view message) const { tell("warning", message); }

void console::error(std::string_view code, std::string_view message) const {
    tell("error", message);
    if (json_) print_json(json::object{{"error", json::object{{"code", code}, {"message", message}}}});
}

bool console::confirm(const std::string& question) const {
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return true;
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
