#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/json.hpp>

#include <fstream>

#include "integration/cli_program.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

// `sluice snapshot`, on the example bank in a directory of its own.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::program_result;

class snapshot_command : public ::testing::Test {
protected:
    snapshot_command() {
        std::filesystem::create_directory(directory_ / "auditor");
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///bank.db"
synchronous = "normal"
[brokers.default]
provider = "inline"
[brokers.auditor]
provider = "sqlite"
URI = "auditor/broker.db"
[outbox]
external_brokers = ["auditor"]
)";
    }

    [[nodiscard]] program_result sluice(const std::vector<std::string>& arguments) const {
        return testing::run_sluice(
            arguments, {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", SAVINGS_DOMAIN}}});
    }
    void open(const std::string& id) const {
        const auto opened = sluice({"process", "OpenAccount", R"({"account_id":")" + id + R"(","owner":"ada"})"});
        ASSERT_EQ(opened.code, 0) << opened.err;
    }
    [[nodiscard]] std::optional<store::stored_snapshot> snapshot_of(const std::string& id) const {
        const auto database = store::make_sqlite_database({.path = directory_ / "bank.db"});
        return database->open_unit()->load_snapshot("Account", id);
    }

    testing::temporary_directory directory_;
};

TEST_F(snapshot_command, takes_one_of_an_instance) {
    open("a-1");
    ASSERT_FALSE(snapshot_of("a-1"));
    const program_result first = sluice({"snapshot", "create", "Account", "a-1"});
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_EQ(first.out, "Account a-1: snapshot of version 0\n");
    ASSERT_TRUE(snapshot_of("a-1"));
    const program_result again = sluice({"snapshot", "create", "Account", "a-1", "--json"});
    EXPECT_EQ(json::parse(again.out), json::parse(R"({"aggregate":"Account","id":"a-1","version":0,"written":false})"));
}

// The facts of an account have streams of their own in the range of the account's streams.
TEST_F(snapshot_command, takes_one_of_each_instance_and_none_of_its_facts) {
    for (const char* id : {"a-1", "a-2", "z"}) open(id);
    ASSERT_EQ(sluice({"snapshot", "create", "Account", "a-2"}).code, 0);
    const program_result all = sluice({"snapshot", "create", "Account", "--all", "--json"});
    EXPECT_EQ(all.code, 0) << all.err;
    EXPECT_EQ(json::parse(all.out), json::parse(R"({"aggregate":"Account","written":2,"current":1,"failed":0})"));
    EXPECT_TRUE(snapshot_of("z"));
    EXPECT_FALSE(snapshot_of("fact-a-1"));
    EXPECT_EQ(sluice({"snapshot", "create", "Account", "--all"}).out,
              "0 snapshots of Account written, 3 already current, 0 failed\n");
}

TEST_F(snapshot_command, says_what_is_not_there) {
    open("a-1");
    const program_result unknown = sluice({"snapshot", "create", "Account", "nobody"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.err, HasSubstr("there is no Account with identity `nobody`"));
    const program_result misspelt = sluice({"snapshot", "create", "Acount", "a-1"});
    EXPECT_EQ(misspelt.code, 2);
    EXPECT_THAT(misspelt.err, HasSubstr("did you mean \"Account\"?"));
    const program_result stored = sluice({"snapshot", "create", "Customer", "c-1"});
    EXPECT_EQ(stored.code, 2);
    EXPECT_THAT(stored.err, HasSubstr("has no snapshots"));
    EXPECT_EQ(sluice({"snapshot", "create", "Account"}).code, 2);
    EXPECT_EQ(sluice({"snapshot", "create", "Account", "a-1", "--all"}).code, 2);
}

TEST_F(snapshot_command, of_a_transfer_leaves_the_balances_as_they_are) {
    open("a-1");
    open("a-2");
    ASSERT_EQ(sluice({"process", "DepositMoney", R"({"account_id":"a-1","cents":500})"}).code, 0);
    const auto transfer = [&](int cents) {
        return sluice({"process", "TransferMoney",
                       R"({"from_account":"a-1","to_account":"a-2","cents":)" + std::to_string(cents) + "}"});
    };
    ASSERT_EQ(transfer(300).code, 0);
    ASSERT_EQ(sluice({"snapshot", "create", "Account", "--all"}).code, 0);
    const program_result refused = transfer(201);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("balance: must not be negative"));
    EXPECT_EQ(transfer(200).code, 0);
}

}  // namespace
}  // namespace sluice
