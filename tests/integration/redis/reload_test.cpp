#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "integration/cli_program.hpp"
#include "support/eventually.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

// Secrets and certificates change while a server runs on a real Redis: SIGHUP takes them over in the same process.
namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

class reload : public ::testing::Test {
protected:
    reload() { set_password("former"); }

    /// At the server, for connections that are made from now on; those that there are end.
    void set_password(const std::string& password) {
        ask({"config", "set", "requirepass", password});
        password_ = password;
        ask({"client", "kill", "type", "normal", "skipme", "yes"});
    }
    void configure(const std::string& password) const {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "tiny.db"
[brokers.default]
provider = "redis"
tls_ca_file = "authority.pem"
URI = "redis://:)" << password << "@127.0.0.1:" << redis_.port()
                                                  << R"(/0"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
[outbox]
max_probe_interval_seconds = 1
[server]
health.enabled = false
)";
    }
    [[nodiscard]] program_settings settings() const {
        return {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    }
    void create_counter(const std::string& id) const {
        ASSERT_EQ(run_sluice({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}, settings()).code, 0);
    }
    [[nodiscard]] json::value lane() const {
        return json::parse(run_sluice({"status", "--json"}, settings()).out).at("lanes").at(0);
    }
    [[nodiscard]] bool has_published(std::int64_t count) const {
        return eventually([&] { return lane().at("published").as_int() == count; }, 60s);
    }
    static bool says(running_program& server, const std::string& text) {
        return server.wait_for_text(text) || server.wait_for_text(text) || server.wait_for_text(text);
    }

    void ask(std::vector<std::string> words) const {
        if (!password_.empty()) words.insert(words.begin(), {"-a", password_, "--no-auth-warning"});
        redis_.cli(words);
    }

    std::string password_;  ///< that the server wants
    temporary_directory directory_;
    redis_server redis_{directory_ / "redis"};
};

TEST_F(reload, takes_a_new_password_over_in_the_same_process) {
    configure("former");
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(says(server, "server.ready"));
    create_counter("c-1");
    ASSERT_TRUE(has_published(1));
    set_password("latter");
    create_counter("c-2");
    ASSERT_TRUE(eventually([&] { return lane().at("state").as_string() == "paused"; }, 60s)) << json::dump(lane());
    configure("latter");
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "engine=replaced"));
    EXPECT_TRUE(has_published(2));
    server.signal(SIGTERM);
    const program_result result = server.finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.err.find("former"), std::string::npos) << "no secret is told";
    EXPECT_EQ(result.err.find("latter"), std::string::npos);
}

TEST_F(reload, notices_that_the_contents_of_a_file_have_changed) {
    configure("former");
    std::ofstream{directory_ / "authority.pem"} << "of last year\n";
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(says(server, "server.ready"));
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "engine=kept"));
    std::ofstream{directory_ / "authority.pem"} << "of this year\n";
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "engine=replaced"));
    create_counter("c-1");
    EXPECT_TRUE(has_published(1));
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

}  // namespace
}  // namespace sluice::testing
