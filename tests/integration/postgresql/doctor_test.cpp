#include <csignal>
#include <fstream>
#include <set>

#include <sluice/json.hpp>

#include "integration/cli_program.hpp"
#include "integration/postgresql/held_gap.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/certificate.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

/// `sluice doctor` over real servers.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

class postgresql_doctor : public postgresql_ready {
protected:
    void configure(const std::string& parameters, const std::string& broker) const {
        std::ofstream{directory_ / "domain.toml"} << "[databases.default]\nprovider = \"postgresql\"\ndatabase_uri = \""
                                                  << uri_ << parameters << "\"\nschema = \"" << schema_ << "\"\n"
                                                  << "[brokers.default]\n"
                                                  << broker << "[brokers.partner]\nprovider = \"inline\"\n"
                                                  << "[outbox]\nexternal_brokers = [\"partner\"]\n";
    }
    [[nodiscard]] json::value examine(std::map<std::string, std::string> environment = {}) const {
        const auto result = sluice::testing::run_sluice(
            {"doctor", "--json"}, {.directory = directory_.path(), .environment = std::move(environment)});
        EXPECT_EQ(result.code, 1) << result.out << result.err;
        return json::parse(result.out);
    }
    /// `level CODE element`
    static std::set<std::string> found(const json::value& report) {
        std::set<std::string> all;
        for (const json::value& each : report.at("findings").as_array()) {
            all.insert(each.at("level").as_string() + " " + each.at("code").as_string() + " " +
                       each.at("element").as_string());
        }
        return all;
    }

    sluice::testing::temporary_directory directory_;
};

TEST_F(postgresql_doctor, names_the_transaction_that_holds_a_gap_and_how_to_end_it) {
    configure("", "provider = \"inline\"\n");
    held_gap gap{*store_, uri_, schema_};
    const auto look = [&] { return gap.look(); };
    const auto pid = gap.pid();
    std::string shown;
    ASSERT_TRUE(eventually(
        [&] { return look() && (shown = json::dump(examine())).find("GAP_HELD") != std::string::npos; }, 60s))
        << shown;
    EXPECT_THAT(shown, AllOf(HasSubstr("the transaction of process " + pid + " (nightly_import, idle in transaction)"),
                             HasSubstr("SELECT pg_terminate_backend(" + pid + ")")));
    gap.fill();
    EXPECT_TRUE(eventually([&] { return look() && json::dump(examine()).find("GAP_HELD") == std::string::npos; }, 60s));
}

TEST_F(postgresql_doctor, asks_the_server_for_its_clock_and_its_connections) {
    const session one{uri_};
    const auto state = store_->server();
    ASSERT_TRUE(state);
    EXPECT_LT(system_clock().now() - state->now, 60s);
    ASSERT_TRUE(state->connections_open);
    EXPECT_GE(*state->connections_open, 2);
    EXPECT_LE(*state->connections_open, state->connections_offered);
}

TEST_F(postgresql_doctor, tells_a_clock_that_differs) {
    const std::string library = [] {
        for (const auto& folder : std::filesystem::directory_iterator{"/usr/lib"}) {
            const auto file = folder.path() / "faketime" / "libfaketimeMT.so.1";
            if (std::error_code trouble; std::filesystem::exists(file, trouble)) return file.string();
        }
        return std::string{};
    }();
    if (library.empty()) GTEST_SKIP() << "libfaketime is not installed";
    configure("", "provider = \"inline\"\n");
    EXPECT_THAT(found(examine()), Not(Contains(HasSubstr("CLOCK_DIFFERS"))));
    const json::value report = examine({{"LD_PRELOAD", library},
                                        {"FAKETIME", "-1h"},
                                        {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                                        {"DONT_FAKE_MONOTONIC", "1"}});
    EXPECT_THAT(found(report), Contains("warning CLOCK_DIFFERS databases.default"));
    EXPECT_THAT(json::dump(report), HasSubstr("ahead of that of this machine"));
}

TEST_F(postgresql_doctor, looks_at_redis_and_at_the_certificates_that_it_would_show) {
    sluice::testing::temporary_directory files;
    const sluice::testing::redis_server redis{
        files.path(),
        {"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "no", "--save", ""}};
    const date_time now = system_clock().now();
    std::ofstream{directory_ / "client.pem"} << sluice::testing::make_certificate(
        {.name = "shop", .valid_from = now - 48h, .valid_to = now - 1h, .is_authority = false});
    std::ofstream{directory_ / "client.key"} << sluice::testing::key_like_text;
    std::filesystem::permissions(directory_ / "client.key", std::filesystem::perms{0644});
    configure("?sslmode=disable&sslcert=client.pem&sslkey=client.key",
              "provider = \"redis\"\nURI = \"" + redis.uri() + "\"\n");
    const json::value report = examine();
    EXPECT_THAT(
        found(report),
        IsSupersetOf({"warning REDIS_EVICTS brokers.default", "warning REDIS_WITHOUT_PERSISTENCE brokers.default",
                      "error CERTIFICATE_EXPIRED databases.default", "warning OPEN_TO_OTHERS databases.default",
                      "error LANE_WITHOUT_OWNER default:default"}));
    EXPECT_EQ(report.at("looked_at").at("files").as_int(), 2);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
