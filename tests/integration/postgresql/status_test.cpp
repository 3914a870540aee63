#include <fstream>

#include "integration/cli_program.hpp"
#include "integration/postgresql/held_gap.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/temporary_directory.hpp"

/// `sluice status` over a real server: it needs no running engine, only what the lanes have left in the database.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class postgresql_status : public postgresql_ready {
protected:
    [[nodiscard]] std::string status(bool strict, const std::vector<std::string>& more = {}) const {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "postgresql"
database_uri = ")" << uri_ << R"("
schema = ")" << schema_ << R"("
strict_order = )" << (strict ? "true" : "false") << R"(
[brokers.default]
provider = "inline"
[brokers.partner]
provider = "inline"
[outbox]
external_brokers = ["partner"]
)";
        std::vector<std::string> arguments{"status"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto result = sluice::testing::run_sluice(arguments, {.directory = directory_.path()});
        EXPECT_EQ(result.code, 0) << result.err;
        return result.out;
    }

    sluice::testing::temporary_directory directory_;
};

TEST_F(postgresql_status, names_the_transaction_that_holds_a_lane_back) {
    held_gap gap{*store_, uri_, schema_};
    const auto look = [&] { return gap.look(); };
    ASSERT_TRUE(look());

    const auto pid = gap.pid();
    std::string shown;
    ASSERT_TRUE(eventually([&] { return (shown = status(true)).find("pid") != std::string::npos; })) << shown;
    EXPECT_THAT(shown, AllOf(HasSubstr("partner: held back by pid " + pid + ", open for "),
                             HasSubstr("(nightly_import, idle in transaction)"), Not(HasSubstr("default: held"))));
    EXPECT_THAT(status(true, {"--json"}),
                AllOf(HasSubstr("\"pid\": " + pid), HasSubstr("\"application\": \"nightly_import\"")));
    EXPECT_THAT(status(false), HasSubstr("partner: keeps a place in the log for pid " + pid));

    gap.fill();
    EXPECT_TRUE(eventually([&] { return look() && status(true).find("pid") == std::string::npos; }));
}

TEST_F(postgresql_status, counts_what_was_published_behind_later_events) {
    const auto lane = store_->open_lane();
    auto grant = take(lane);
    ASSERT_TRUE(lane.lease->renew(grant, {.state = "flowing", .since = grant.expires_at, .overtaken = 3},
                                  system_clock().now(), ttl));
    EXPECT_THAT(status(false), HasSubstr("partner: 3 events published behind later ones, of transactions that took "
                                         "longer than order_wait_ms\n"));
    EXPECT_THAT(status(false, {"--json"}), AllOf(HasSubstr("\"overtaken\": 3"), HasSubstr("\"order_wait_ms\": 50")));
    EXPECT_THAT(status(true, {"--json"}), HasSubstr("\"order_wait_ms\": null"));
    lane.lease->release(grant, {.state = "lost", .since = grant.expires_at, .overtaken = 3});
    EXPECT_EQ(take(lane, "partner", "next").epoch, grant.epoch + 1);
    EXPECT_THAT(status(false), Not(HasSubstr("behind later ones"))) << "of this owner there are none";
}

}  // namespace
}  // namespace sluice::store::postgresql_test
