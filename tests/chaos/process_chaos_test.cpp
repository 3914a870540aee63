#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "service_files.hpp"
#include "transfer_story.hpp"

/// The transfers on the embedded adapters: two files.
namespace {

using sluice::chaos::one_value;

class process_chaos : public sluice::chaos::transfer_story {
protected:
    process_chaos() {
        configure(R"([databases.default]
provider = "sqlite"
database_uri = "bank.db"
synchronous = "normal"
[brokers.default]
provider = "sqlite"
URI = "internal.db"
synchronous = "normal"
)");
    }

    [[nodiscard]] std::string value(const std::string& sql) const override { return one_value(bank_db(), sql); }
    [[nodiscard]] bool is_set_up() const override { return sluice::chaos::is_set_up(bank_db()); }
    [[nodiscard]] std::string dead_letters() const override {
        return one_value(directory_ / "internal.db", "SELECT group_concat(message_id) FROM broker_dead_letter");
    }

private:
    [[nodiscard]] std::filesystem::path bank_db() const { return directory_ / "bank.db"; }
};

TEST_F(process_chaos, ends_every_transfer_once_through_sigkills) {
    ASSERT_NO_FATAL_FAILURE(begin());
    kill_servers(sluice::chaos::kills(20));
    expect_every_transfer_to_end_once();
}

}  // namespace
