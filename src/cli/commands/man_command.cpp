#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include <sluice/time.hpp>
#include <sluice/version.hpp>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/manual_page.hpp"

namespace sluice::cli {

namespace {

struct man_arguments {
    const command_line* line = nullptr;
    std::string program;  ///< as people call it
    std::string exit_codes;
    std::string command{};
    std::string directory{};
    std::string date{};
};

std::vector<manual_page> pages_of(const man_arguments& given) {
    constexpr std::size_t day = 10;  // characters
    command_outline program = given.line->outline();
    program.name = given.program;
    return manual_pages(program,
                        {.version = std::string{"sluice "} + version(),
                         .date = given.date.empty() ? system_clock().now().to_string().substr(0, day) : given.date,
                         .exit_codes = given.exit_codes});
}

void write(const manual_page& page, const std::filesystem::path& directory) {
    const auto file = directory / (page.name + ".1");
    std::ofstream to{file};
    to << page.text;
    to.close();
    if (!to) {
        throw failure{exit_code::failed, "not_written",
                      "cannot write " + file.string() + ": " + std::generic_category().message(errno) +
                          "; name a --directory that this user may write to"};
    }
}

exit_code show(const session& in, const man_arguments& given) {
    const std::vector<manual_page> pages = pages_of(given);
    if (!given.directory.empty()) {
        std::error_code ignored;  // what is missing then shows when a page is written
        std::filesystem::create_directories(given.directory, ignored);
        for (const manual_page& each : pages) write(each, given.directory);
        return exit_code::ok;
    }
    const std::string name = given.command.empty() ? given.program : given.program + "-" + given.command;
    const auto page = std::ranges::find(pages, name, &manual_page::name);
    if (page == pages.end()) {
        throw wrong_usage("there is no command `" + given.command + "`; `" + given.program + " --help` lists them");
    }
    in.out.print(page->text);
    return exit_code::ok;
}

}  // namespace

void add_man(command& root, const command_line& line, std::string program, std::string exit_codes) {
    const auto given = std::make_shared<man_arguments>(
        man_arguments{.line = &line, .program = std::move(program), .exit_codes = std::move(exit_codes)});
    root.add("man", "Print a manual page, made from the definitions of the commands")
        .optional_argument("COMMAND", given->command, "The command; without it the page of the program")
        .option("--directory", "DIRECTORY", given->directory, "Write the pages of all commands there")
        .option("--date", "DATE", given->date, "Date on the pages, 2026-11-23 (default today)")
        .runs(show, given);
}

}  // namespace sluice::cli
