#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "integration/cli_program.hpp"
#include "integration/tiny_project.hpp"
#include "support/eventually.hpp"

namespace sluice {

/// A configuration for the tiny domain, without probes.
inline const std::string usual =
    std::string{testing::tiny_configuration} + "subscription.max_retries = 1\nhealth.enabled = false\n";

/// Looks again and again until the condition holds; false when it does not within twenty seconds.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds) {
    return testing::eventually(holds);
}

/// The real program, on a tiny domain, in a directory of its own.
class command_line : public testing::tiny_project {
protected:
    command_line() { configure(usual); }

    [[nodiscard]] testing::program_result sluice(const std::vector<std::string>& arguments,
                                                 std::string_view input = {}) const {
        return testing::run_sluice(arguments, settings(), input);
    }
    /// Runs a command that must succeed with `--json` and reads its output.
    [[nodiscard]] json::value sluice_json(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        const testing::program_result result = sluice(arguments);
        EXPECT_EQ(result.code, 0) << result.err;
        return json::parse(result.out);
    }
    [[nodiscard]] json::value partner_lane() const { return sluice_json({"status"}).at("lanes").at(1); }
    [[nodiscard]] bool exists(const char* file) const { return std::filesystem::exists(directory_ / file); }
    void sql(const char* file, const char* statement) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open((directory_ / file).c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, statement, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }
};

}  // namespace sluice
