#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "integration/cli_program.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {

/// A configuration for the tiny domain. The lines of `[server]` may follow.
inline constexpr const char* tiny_configuration = R"([databases.default]
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
)";

/// A directory in which the real program works on the tiny domain. What it is configured with is up to the test.
class tiny_project : public ::testing::Test {
protected:
    tiny_project() { std::filesystem::create_directory(directory_ / "partner"); }

    void configure(const std::string& text) const { std::ofstream{directory_ / "domain.toml"} << text; }

    [[nodiscard]] program_settings settings() const {
        return {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    }
    void create_counter(const std::string& id) const {
        ASSERT_EQ(run_sluice({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}, settings()).code, 0);
    }

    temporary_directory directory_;
};

}  // namespace sluice::testing
