#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_files.hpp"
#include "service_process.hpp"

/// Two `sluice server` processes of the bank, killed at any moment: between two steps of a transfer, while a timer is
/// set, while it is released, while its message is handled.
namespace {

constexpr int usual_kills = 20;

using sluice::chaos::eventually;
using sluice::chaos::is_set_up;
using sluice::chaos::kills;
using sluice::chaos::one_value;
using sluice::chaos::seed;
using sluice::chaos::service_process;
using namespace std::chrono_literals;

class process_chaos : public sluice::chaos::chaos_test {
protected:
    process_chaos() {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "bank.db"
synchronous = "normal"
[brokers.default]
provider = "sqlite"
URI = "internal.db"
synchronous = "normal"
[outbox]
lease_seconds = 2
publish_timeout_seconds = 1
[server]
health.enabled = false
[server.subscription]
claim_seconds = 1
max_retries = 100
retry_delay_seconds = 0.05
max_retry_delay_seconds = 0.1
)";
    }

    /// The committer is never killed, so it takes every command.
    void send(const std::string& command, const std::string& data) {
        ASSERT_TRUE(committer_->write_line(command_line(command, data)));
    }
    void request(int number) {
        send("RequestTransfer",
             R"("transfer_id": "t-)" + std::to_string(number) + R"(", "from": "ada", "to": "bob", "amount": 1)");
    }
    void accept(int number) { send("AcceptTransfer", R"("transfer_id": "t-)" + std::to_string(number) + "\""); }
    /// Of three transfers one is accepted at once, one never, and one about when its time is over.
    void send_transfer(int number) {
        constexpr int a_little_later = 15;
        request(number);
        if (number % 3 == 0) accept(number);
        if (number >= a_little_later && (number - a_little_later) % 3 == 2) accept(number - a_little_later);
    }
    [[nodiscard]] std::filesystem::path bank_db() const { return directory_ / "bank.db"; }
    [[nodiscard]] std::string bank(const std::string& sql) const { return one_value(bank_db(), sql); }
    [[nodiscard]] int count(const std::string& sql) const { return std::stoi(bank("SELECT count(*) FROM " + sql)); }
    [[nodiscard]] int events(const std::string& type) const {
        return count("event_log WHERE type = 'Bank." + type + ".v1'");
    }
    [[nodiscard]] int ended(const std::string& how) const {
        return count("aggregate_state WHERE aggregate = 'Payment' AND json_extract(state, '$.outcome') = '" + how +
                     "'");
    }
    [[nodiscard]] std::string balance(const std::string& account) const {
        return bank(
            "SELECT json_extract(state, '$.balance') FROM aggregate_state WHERE aggregate = 'Account' AND id = '" +
            account + "'");
    }

    std::mt19937 random_{seed()};
    std::unique_ptr<service_process> committer_ = service(PROCESS_DOMAIN, {"process", "-"});
    std::array<std::unique_ptr<service_process>, 2> servers_{service(PROCESS_DOMAIN, {"server"}),
                                                             service(PROCESS_DOMAIN, {"server"})};
};

TEST_F(process_chaos, ends_every_transfer_once_through_sigkills) {
    constexpr int money = 1'000'000;
    committer_->start();
    send("OpenAccount", R"("account_id": "ada", "balance": )" + std::to_string(money));
    send("OpenAccount", R"("account_id": "bob", "balance": 0)");
    ASSERT_TRUE(eventually([&] { return is_set_up(bank_db()) && balance("bob") == "0"; }));
    for (const auto& each : servers_) each->start();

    std::uniform_int_distribution<int> pause_ms{20, 300};
    int transfers = 0;
    for (int done = 0; done < kills(usual_kills); ++done) {
        work_for(std::chrono::milliseconds{pause_ms(random_)}, 20ms, [&] { send_transfer(transfers++); });
        service_process& chosen = *servers_.at(random_() % servers_.size());
        chosen.kill();
        chosen.start();
    }
    EXPECT_TRUE(eventually([&] { return events("TransferRequested") == transfers; }));
    static_cast<void>(committer_->terminate());

    const std::string complete =
        "event_log WHERE type = 'Bank._PMTransition.v1' AND json_extract(data, '$.is_complete')";
    EXPECT_TRUE(eventually([&] { return count(complete) == transfers; }))
        << count(complete) << " of " << transfers << " processes are complete";
    const int accepted = ended("accepted");
    EXPECT_EQ(accepted + ended("expired"), transfers);
    EXPECT_GE(accepted, transfers / 3);
    EXPECT_GE(ended("expired"), transfers / 3);

    // Money is neither made nor lost: every step had its effect once.
    EXPECT_EQ(balance("ada"), std::to_string(money - accepted));
    EXPECT_EQ(balance("bob"), std::to_string(accepted));
    EXPECT_EQ(events("Withdrawn"), transfers);
    EXPECT_EQ(events("Deposited"), transfers);
    EXPECT_EQ(count("scheduled"), 0) << "a process that ended leaves no timer";
    EXPECT_EQ(one_value(directory_ / "internal.db", "SELECT count(*) FROM broker_dead_letter"), "0");
    for (const auto& each : servers_) EXPECT_EQ(each->terminate(), 0);
    std::printf("%d kills, %d transfers, %d accepted\n", kills(usual_kills), transfers, accepted);
}

}  // namespace
