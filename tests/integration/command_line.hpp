#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "integration/cli_program.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace sluice {

/// A configuration for the tiny domain.
inline constexpr const char* usual = R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
synchronous = "normal"

[brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "sqlite"
URI = "partner/events.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"

[outbox]
external_brokers = ["partner"]
[server]
subscription.max_retries = 1
health.enabled = false
)";

/// Looks again and again until the condition holds; false when it does not within twenty seconds.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds) {
    return testing::eventually(holds, std::chrono::seconds{20});
}

/// The real program, on a tiny domain, in a directory of its own.
class command_line : public ::testing::Test {
protected:
    command_line() {
        configure(usual);
        std::filesystem::create_directory(directory_ / "partner");
    }

    void configure(const std::string& text) const { std::ofstream{directory_ / "domain.toml"} << text; }

    [[nodiscard]] testing::program_settings settings() const {
        return {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    }
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
    void create_counter(const std::string& id) const {
        ASSERT_EQ(sluice({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}).code, 0);
    }
    [[nodiscard]] json::value partner_lane() const { return sluice_json({"status"}).at("lanes").at(1); }
    [[nodiscard]] bool exists(const char* file) const { return std::filesystem::exists(directory_ / file); }
    void sql(const char* file, const char* statement) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open((directory_ / file).c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, statement, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }

    testing::temporary_directory directory_;
};

}  // namespace sluice
