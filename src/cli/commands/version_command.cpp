#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sluice/version.hpp>

#include "cli/commands/commands.hpp"

namespace sluice::cli {

namespace {

json::array as_json(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

exit_code show_version(const session& in) {
    const config::providers built = in.site.program.providers();
    const std::vector<std::string> databases = config::names_of(built.databases);
    const std::vector<std::string> brokers = config::names_of(built.brokers);
    if (in.out.json()) {
        in.out.print_json(
            json::object{{"version", version()}, {"databases", as_json(databases)}, {"brokers", as_json(brokers)}});
    } else {
        in.out.print(fmt::format("sluice {}\ndatabases: {}\nbrokers: {}", version(), fmt::join(databases, ", "),
                                 fmt::join(brokers, ", ")));
    }
    return exit_code::ok;
}

}  // namespace

void add_version(command& root) {
    root.add("version", "Show the version and the providers of this build").runs(show_version);
}

}  // namespace sluice::cli
