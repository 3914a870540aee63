#include "transfer_story.hpp"

#include <cstdio>
#include <fstream>

#include "service_files.hpp"

namespace sluice::chaos {

namespace {

constexpr int money = 1'000'000;

}  // namespace

void transfer_story::TearDown() {
    committer_->kill();
    for (const auto& each : servers_) each->kill();
}

void transfer_story::configure(const std::string& places) const {
    std::ofstream{directory_ / "domain.toml"} << places << R"([outbox]
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

void transfer_story::give(const std::string& command, const std::string& data) {
    ASSERT_TRUE(committer_->write_line(command_line(command, data)));
}

void transfer_story::begin() {
    committer_->start();
    give("OpenAccount", R"("account_id": "ada", "balance": )" + std::to_string(money));
    give("OpenAccount", R"("account_id": "bob", "balance": 0)");
    ASSERT_TRUE(eventually([&] { return is_set_up() && balance("bob") == "0"; }));
    for (const auto& each : servers_) each->start();
}

void transfer_story::accept(int number) {
    give("AcceptTransfer", R"("transfer_id": "t-)" + std::to_string(number) + "\"");
}

void transfer_story::send_transfer() {
    constexpr int a_little_later = 15;
    const int number = transfers_++;
    give("RequestTransfer",
         R"("transfer_id": "t-)" + std::to_string(number) + R"(", "from": "ada", "to": "bob", "amount": 1)");
    if (number % 3 == 0) accept(number);
    if (number >= a_little_later && (number - a_little_later) % 3 == 2) accept(number - a_little_later);
}

void transfer_story::kill_servers(int times) {
    std::uniform_int_distribution<int> pause_ms{20, 300};
    for (int done = 0; done < times; ++done) {
        work_for(std::chrono::milliseconds{pause_ms(random_)}, between_transfers, [&] { send_transfer(); });
        service_process& chosen = *servers_.at(random_() % servers_.size());
        chosen.kill();
        chosen.start();
    }
}

int transfer_story::count(const std::string& sql) const { return std::stoi(value("SELECT count(*) FROM " + sql)); }

int transfer_story::events(const std::string& type) const {
    return count("event_log WHERE type = 'Bank." + type + ".v1'");
}

int transfer_story::ended(const std::string& how) const {
    return count("aggregate_state WHERE aggregate = 'Payment' AND state ->> 'outcome' = '" + how + "'");
}

std::string transfer_story::balance(const std::string& account) const {
    return value("SELECT state ->> 'balance' FROM aggregate_state WHERE aggregate = 'Account' AND id = '" + account +
                 "'");
}

void transfer_story::expect_every_transfer_to_end_once() {
    EXPECT_TRUE(eventually([&] { return events("TransferRequested") == transfers_; }));
    static_cast<void>(committer_->terminate());

    const std::string complete =
        "event_log WHERE type = 'Bank._PMTransition.v1' AND CAST(data -> 'is_complete' AS text) = 'true'";
    EXPECT_TRUE(eventually([&] { return count(complete) == transfers_; }))
        << count(complete) << " of " << transfers_ << " processes are complete";
    const int accepted = ended("accepted");
    const int expired = ended("expired");
    EXPECT_EQ(accepted + expired, transfers_);
    EXPECT_GE(accepted, transfers_ / 3);
    EXPECT_GE(expired, transfers_ / 3);

    expect_money_kept(accepted);
    expect_timers_once(expired);
    expect_other_handlers_to_follow(accepted);
    expect_log_without_gaps();
    EXPECT_EQ(dead_letters(), "");
    for (const auto& each : servers_) EXPECT_EQ(each->terminate(), 0);
    std::printf("%d transfers, %d accepted\n", transfers_, accepted);
}

/// Money is neither made nor lost: every step had its effect once.
void transfer_story::expect_money_kept(int accepted) const {
    EXPECT_EQ(balance("ada"), std::to_string(money - accepted));
    EXPECT_EQ(balance("bob"), std::to_string(accepted));
    EXPECT_EQ(events("Withdrawn"), transfers_);
    EXPECT_EQ(events("Deposited"), transfers_);
}

void transfer_story::expect_timers_once(int expired) const {
    EXPECT_EQ(count("scheduled"), 0) << "a process that ended leaves no timer";
    const std::string sent = "event_log WHERE stream_category = 'bank::transfer:timeout'";
    const std::string heard =
        "event_log WHERE type = 'Bank._PMTransition.v1' AND data ->> 'handler_name' ="
        " 'timeout:acceptance'";
    // Some come to a process that needs them no more.
    EXPECT_GE(count(sent), count(heard));
    EXPECT_GE(count(heard), expired) << "nothing expires without its timer";
    for (const std::string& timers : {sent, heard}) {
        EXPECT_EQ(value("SELECT count(*) - count(DISTINCT stream) FROM " + timers), "0") << timers;
    }
}

void transfer_story::expect_other_handlers_to_follow(int accepted) const {
    const std::string told =
        "aggregate_state WHERE aggregate = 'Diary' AND state ->> 'money' = 'withdrawn deposited'"
        " AND state ->> 'payment' IN ('requested accepted', 'requested expired')";
    EXPECT_TRUE(eventually([&] { return count(told) == transfers_; }))
        << count(told) << " of " << transfers_ << " transfers were written down in order, and once";

    EXPECT_TRUE(eventually([&] { return events("ReceiptIssued") >= transfers_; }));
    EXPECT_EQ(events("ReceiptIssued"), transfers_);
    EXPECT_EQ(count("event_log WHERE stream_category = 'bank::receipt:command'"), transfers_);
    EXPECT_EQ(count("inbox WHERE handler = 'bank.commands:bank::receipt'"), transfers_);

    for (const std::string tally : {"one", "two"}) {
        const auto entries = [&] {
            return value("SELECT state ->> 'entries' FROM aggregate_state WHERE aggregate = 'Tally' AND id = '" +
                         tally + "'");
        };
        // Two handlers add one for each transfer.
        EXPECT_TRUE(eventually([&] { return entries() == std::to_string(2 * transfers_); })) << entries();
    }

    const auto movements = [&](const std::string& account) {
        return value("SELECT movements FROM account_book WHERE account_id = '" + account + "'");
    };
    const std::string of_ada = std::to_string(2 * transfers_ - accepted);
    EXPECT_TRUE(eventually([&] { return movements("ada") == of_ada && movements("bob") == std::to_string(accepted); }))
        << movements("ada") << " and " << movements("bob");
    EXPECT_EQ(value("SELECT change FROM account_book WHERE account_id = 'ada'"), std::to_string(-accepted));
    EXPECT_EQ(value("SELECT change FROM account_book WHERE account_id = 'bob'"), std::to_string(accepted));
}

void transfer_story::expect_log_without_gaps() const {
    EXPECT_EQ(count("(SELECT stream FROM event_log GROUP BY stream"
                    " HAVING min(position) <> 0 OR max(position) <> count(*) - 1) AS broken"),
              0);
    EXPECT_TRUE(eventually([&] { return count("outbox WHERE status <> 'published'") == 0; }));
}

}  // namespace sluice::chaos
