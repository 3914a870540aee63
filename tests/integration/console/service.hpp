#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "integration/cli_program.hpp"
#include "integration/console/http_client.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {

/// A directory with the tiny domain's configuration, whose probes are on ports that were free a moment ago.
class tiny_service : public ::testing::Test {
protected:
    tiny_service() {
        std::filesystem::create_directory(directory_ / "partner");
        configure("");
    }

    /// @param more  lines of `[server]`
    void configure(const std::string& more) const {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
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
health.port = )" << port_ << "\n" << more;
    }
    [[nodiscard]] program_settings settings() const {
        return {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    }
    void create_counter(const std::string& id) const {
        ASSERT_EQ(run_sluice({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}, settings()).code, 0);
    }
    [[nodiscard]] http_response get(std::string_view path, int worker = 0) const {
        return http_get(static_cast<std::uint16_t>(port_ + worker), path);
    }
    [[nodiscard]] static bool soon(const std::function<bool()>& holds) {
        return eventually(holds, std::chrono::seconds{30});
    }

    temporary_directory directory_;
    std::uint16_t port_ = free_port(3);
};

}  // namespace sluice::testing
