#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_process.hpp"

namespace sluice::chaos {

/// Transfers of the bank (process_domain.cpp), moved by two `sluice server` processes that share a database and a
/// broker. Something happens to the servers at any moment: between two steps of a transfer, while a timer is set, while
/// it is released, while its message is handled. Where all of it is stored, a test says.
class transfer_story : public chaos_test {
protected:
    /// Nobody works any more when the database and the broker of a test go.
    void TearDown() override;

    /// @param places  the sections of the database and of the broker
    void configure(const std::string& places) const;

    /// The first column of the first row of a query that every store understands.
    [[nodiscard]] virtual std::string value(const std::string& sql) const = 0;
    /// The database has its tables.
    [[nodiscard]] virtual bool is_set_up() const = 0;
    /// What the broker has set aside; empty when that is nothing.
    [[nodiscard]] virtual std::string dead_letters() const = 0;

    /// Opens the accounts and starts the servers.
    void begin();
    /// Of three transfers one is accepted at once, one never, and one about when its time is over.
    void send_transfer();
    /// Kills a server and starts it again, over and over, while transfers are sent.
    void kill_servers(int times);
    /// Sends transfers until the condition holds; false when it does not in time.
    template <class Condition>
    [[nodiscard]] bool send_until(const Condition& holds, std::chrono::seconds within) {
        const auto give_up = std::chrono::steady_clock::now() + within;
        for (; !holds(); std::this_thread::sleep_for(between_transfers)) {
            if (std::chrono::steady_clock::now() > give_up) return false;
            send_transfer();
        }
        return true;
    }
    /// Waits for the end of all, and ends the servers.
    void expect_every_transfer_to_end_once();

    static constexpr std::chrono::milliseconds between_transfers{20};

    std::mt19937 random_{seed()};
    /// It is never killed, so it takes every command.
    std::unique_ptr<service_process> committer_ = service(PROCESS_DOMAIN, {"process", "-"});
    std::array<std::unique_ptr<service_process>, 2> servers_{service(PROCESS_DOMAIN, {"server"}),
                                                             service(PROCESS_DOMAIN, {"server"})};

private:
    void give(const std::string& command, const std::string& data);
    void accept(int number);
    [[nodiscard]] int count(const std::string& sql) const;
    [[nodiscard]] int events(const std::string& type) const;
    [[nodiscard]] int ended(const std::string& how) const;
    [[nodiscard]] std::string balance(const std::string& account) const;

    void expect_money_kept(int accepted) const;
    void expect_timers_once(int expired) const;
    void expect_other_handlers_to_follow(int accepted) const;
    void expect_log_without_gaps() const;

    int transfers_ = 0;
};

}  // namespace sluice::chaos
