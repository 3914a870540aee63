#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_files.hpp"
#include "service_process.hpp"

namespace {

using sluice::chaos::eventually;
using sluice::chaos::is_set_up;
using sluice::chaos::kills;
using sluice::chaos::one_value;
using sluice::chaos::query;
using sluice::chaos::seed;
using sluice::chaos::service_process;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int accounts = 8;
constexpr int deposit = 10'000;  ///< of each account, in cents

/// The bank of the examples: submitted commands, a process manager and a projector, and somebody who rebuilds its
/// table.
class bank_chaos : public sluice::chaos::chaos_test {
protected:
    bank_chaos() {
        configure_as_example("bank", "",
                             "\nlease_seconds = 2\npublish_timeout_seconds = 1\n\n"
                             "[server.subscription]\nclaim_seconds = 1\nretry_delay_seconds = 0.05\n");
    }

    [[nodiscard]] fs::path db() const { return directory_ / "bank.db"; }
    [[nodiscard]] std::string value(const std::string& sql) const { return one_value(db(), sql); }
    [[nodiscard]] std::string count(const std::string& event) const {
        return value("SELECT count(*) FROM event_log WHERE type = 'Bank." + event + ".v1'");
    }

    void open_accounts() {
        for (int i = 0; i < accounts; ++i) {
            const std::string id = R"("account_id": "a-)" + std::to_string(i) + "\"";
            send(*committer_, "OpenAccount", id + R"(, "owner": "ada")");
            send(*committer_, "Deposit", id + ", \"cents\": " + std::to_string(deposit));
        }
        ASSERT_TRUE(eventually([&] { return is_set_up(db()) && count("MoneyDeposited") == std::to_string(accounts); }));
    }
    void request_transfer(int number) {
        std::uniform_int_distribution<int> any{0, accounts - 1};
        std::uniform_int_distribution<int> cents{1, deposit};
        const int from = any(random_);
        const int to = (from + 1 + any(random_) % (accounts - 1)) % accounts;
        send(*committer_, "RequestTransfer",
             R"("transfer_id": "t-)" + std::to_string(number) + R"(", "from": "a-)" + std::to_string(from) +
                 R"(", "to": "a-)" + std::to_string(to) + R"(", "cents": )" + std::to_string(cents(random_)));
    }

    std::mt19937 random_{seed()};
    std::unique_ptr<service_process> engine_ = service(BANK_DOMAIN, {"server"});
    std::unique_ptr<service_process> committer_ = service(BANK_DOMAIN, {"process", "-"});
    std::unique_ptr<service_process> rebuilder_ = service(BANK_DOMAIN, {"projection", "rebuild", "statement"});
};

TEST_F(bank_chaos, moves_every_transfer_to_its_end_once_and_keeps_every_cent_through_sigkills) {
    engine_->start();
    committer_->start();
    open_accounts();

    const int wanted = kills(30);
    std::uniform_int_distribution<int> pause_ms{10, 250};
    std::uniform_int_distribution<int> victim{0, 3};
    int transfers = 0;
    for (int done = 0; done < wanted; ++done) {
        if (!rebuilder_->running()) rebuilder_->start();
        work_for(std::chrono::milliseconds{pause_ms(random_)}, 5ms, [&] { request_transfer(++transfers); });
        const int chosen = victim(random_);
        if (chosen == 3) {
            rebuilder_->kill();
            continue;
        }
        // The engine does most of the work, so it dies most often.
        service_process& dying = chosen == 2 ? *committer_ : *engine_;
        dying.kill();
        dying.start();
    }
    committer_->terminate();
    rebuilder_->terminate();

    const std::string requested = count("TransferRequested");
    const auto ended = [&] {
        return value(
            "SELECT count(*) FROM event_log WHERE type IN ('Bank.TransferCompleted.v1', 'Bank.TransferFailed.v1')");
    };
    EXPECT_TRUE(eventually([&] { return ended() == requested; })) << ended() << " of " << requested << " have ended";

    // Each step of each transfer has happened once, and what was sent has arrived or come back.
    for (const char* step :
         {"MoneySent", "MoneyReceived", "MoneyReturned", "SendingRefused", "TransferCompleted", "TransferFailed"}) {
        EXPECT_EQ(
            value("SELECT count(*) - count(DISTINCT json_extract(data, '$.transfer_id')) FROM event_log WHERE type "
                  "= 'Bank." +
                  std::string{step} + ".v1'"),
            "0")
            << step;
    }
    EXPECT_EQ(std::stoi(count("MoneySent")), std::stoi(count("MoneyReceived")) + std::stoi(count("MoneyReturned")));
    EXPECT_EQ(count("MoneyReceived"), count("TransferCompleted"));

    // Every instance of the process knows that it is complete, and none of its timers is left.
    EXPECT_EQ(value("SELECT count(*) FROM event_log e WHERE type = 'Bank._PMTransition.v1' AND NOT json_extract(data, "
                    "'$.is_complete') AND NOT EXISTS (SELECT 1 FROM event_log later WHERE later.stream = e.stream AND "
                    "later.position > e.position)"),
              "0");
    EXPECT_EQ(value("SELECT count(*) FROM scheduled"), "0");

    // The table is what the events add up to, after whatever became of the rebuilds.
    const std::string in_log =
        "SELECT json_extract(data, '$.account_id'), sum(json_extract(data, '$.cents') * CASE WHEN type IN "
        "('Bank.MoneySent.v1', 'Bank.MoneyWithdrawn.v1') THEN -1 ELSE 1 END), count(*) FROM event_log WHERE type IN "
        "('Bank.MoneyDeposited.v1', 'Bank.MoneyWithdrawn.v1', 'Bank.MoneySent.v1', 'Bank.MoneyReceived.v1', "
        "'Bank.MoneyReturned.v1') GROUP BY 1 ORDER BY 1";
    const std::string in_table = "SELECT account_id, balance, movements FROM statement ORDER BY account_id";
    EXPECT_TRUE(eventually([&] { return query(db(), in_table) == query(db(), in_log); }));
    EXPECT_EQ(value("SELECT sum(balance) FROM statement"), std::to_string(accounts * deposit));
    rebuilder_->start();
    EXPECT_TRUE(eventually([&] { return !rebuilder_->running(); }));
    EXPECT_EQ(query(db(), in_table), query(db(), in_log)) << "after a last rebuild";

    for (const fs::path& file : {directory_ / "internal.db", directory_ / "partner.db"}) {
        EXPECT_EQ(one_value(file, "SELECT count(*) FROM broker_dead_letter"), "0") << file;
    }
    EXPECT_EQ(engine_->terminate(), 0);
    std::printf("%d kills, %s transfers\n", wanted, requested.c_str());
}

}  // namespace
