#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "partners.hpp"
#include "service_files.hpp"
#include "service_process.hpp"

/// What comes to a partner when the owners of its lane are killed and frozen. `SLUICE_CHAOS_KILLS` makes a campaign of
/// it; the counts are printed.
namespace {

constexpr int usual_kills = 4;
constexpr int usual_freezes = 2;

using sluice::chaos::arrival;
using sluice::chaos::can_be_written;
using sluice::chaos::eventually;
using sluice::chaos::is_set_up;
using sluice::chaos::kills;
using sluice::chaos::one_value;
using sluice::chaos::partner_kind;
using sluice::chaos::query;
using sluice::chaos::row;
using sluice::chaos::service_process;
using namespace std::chrono_literals;

constexpr auto lease = 2s;

class partner_chaos : public sluice::chaos::chaos_test, public ::testing::WithParamInterface<partner_kind> {
protected:
    partner_chaos() {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "meters.db"
synchronous = "normal"
[brokers.default]
provider = "sqlite"
URI = "internal.db"
synchronous = "normal"
[outbox]
external_brokers = ["partner"]
messages_per_tick = 20
tick_interval = 0.2
lease_seconds = )" << lease.count() << R"(
publish_timeout_seconds = 1
max_probe_interval_seconds = 1
[server]
shutdown_seconds = 5
health.enabled = false
[brokers.partner]
)" << partner_->configuration();
    }

    void SetUp() override {
        committer_->start();
        read_meters_for(200ms);
        ASSERT_TRUE(eventually([&] { return is_set_up(database()); }));
    }

    /// Two handfuls of meters, each read again and again.
    void read_meters_for(std::chrono::milliseconds time) {
        constexpr int meters = 10;
        work_for(time, 1ms, [&] {
            send(*committer_, "ReadMeter", R"("meter_id": "m-)" + std::to_string(++readings_ % meters) + "\"");
        });
    }

    [[nodiscard]] std::unique_ptr<service_process> start_engine() {
        auto engine = service(METER_DOMAIN, {"server"});
        engine->start();
        return engine;
    }

    /// At a moment in which it does not write: its file is everybody's, and nobody else could write for as long.
    void freeze_between_writes(const service_process& engine) {
        for (engine.freeze(); !can_be_written(database(), 500ms); engine.freeze()) {
            engine.thaw();
            read_meters_for(std::chrono::milliseconds{1 + random_() % 20});
        }
    }

    /// Nothing is lost or out of order; what came twice is counted.
    /// @param happenings  of what kind, for people
    void expect_everything_in_order(int times, const char* happenings) {
        committer_->terminate();
        ASSERT_TRUE(eventually([&] { return open_rows() == "0"; })) << open_rows() << " rows are open";
        std::map<std::string, std::vector<std::string>> committed;
        std::size_t events = 0;
        for (const row& r : query(database(),
                                  "SELECT stream, message_id FROM event_log WHERE type LIKE '%MeterRead%'"
                                  " ORDER BY stream, position")) {
            committed[r[0]].push_back(r[1]);
            ++events;
        }
        std::map<std::string, std::vector<std::string>> first;
        std::set<std::string> seen;
        std::size_t copies = 0;
        for (const arrival& each : partner_->arrivals(events)) {
            if (seen.insert(each.id).second) {
                first[each.key].push_back(each.id);
            } else {
                ++copies;
            }
        }
        EXPECT_EQ(first, committed) << "lost, or out of order";
        if (GetParam().recognises_copies) {
            EXPECT_EQ(copies, 0U);
        }
        std::printf("%s: %d %s, %zu events, %zu lost, %zu copies\n", GetParam().name.c_str(), times, happenings, events,
                    events - std::min(events, seen.size()), copies);
    }

    [[nodiscard]] std::string open_rows() const {
        return one_value(database(), "SELECT count(*) FROM outbox WHERE status <> 'published'");
    }
    [[nodiscard]] std::string owner() const {
        return one_value(database(), "SELECT owner FROM lease WHERE lane = 'default:partner'");
    }
    [[nodiscard]] bool owns(const service_process& engine) const {
        return owner().find("-" + std::to_string(engine.pid()) + "-") != std::string::npos;
    }
    [[nodiscard]] std::filesystem::path database() const { return directory_ / "meters.db"; }

    std::unique_ptr<sluice::chaos::partner> partner_ = GetParam().make(directory_.path());
    std::unique_ptr<service_process> committer_ = service(METER_DOMAIN, {"process", "-"});
    int readings_ = 0;
    std::mt19937 random_{sluice::chaos::seed()};
};

TEST_P(partner_chaos, loses_and_disorders_nothing_when_owners_are_killed_while_they_publish) {
    const int times = kills(usual_kills);
    for (int done = 0; done < times; ++done) {
        const auto engine = start_engine();
        ASSERT_TRUE(eventually([&] { return owns(*engine); }));
        read_meters_for(std::chrono::milliseconds{50 + random_() % 300});
        engine->kill();
    }
    const auto last = start_engine();
    expect_everything_in_order(times, "kills");
    EXPECT_EQ(last->terminate(), 0);
}

TEST_P(partner_chaos, loses_and_disorders_nothing_when_owners_are_frozen_past_their_lease) {
    const int times = std::min(kills(usual_freezes), 30);
    auto one = start_engine();
    ASSERT_TRUE(eventually([&] { return owns(*one); }));
    auto other = start_engine();
    for (int done = 0; done < times; ++done) {
        read_meters_for(std::chrono::milliseconds{50 + random_() % 200});
        freeze_between_writes(*one);
        read_meters_for(200ms);
        ASSERT_TRUE(eventually([&] { return owns(*other); })) << "nobody took the lane over";
        read_meters_for(300ms);
        one->thaw();
        read_meters_for(100ms);
        std::swap(one, other);
    }
    expect_everything_in_order(times, "freezes");
    EXPECT_EQ(one->terminate(), 0);
    EXPECT_EQ(other->terminate(), 0);
}

INSTANTIATE_TEST_SUITE_P(partners, partner_chaos, ::testing::ValuesIn(sluice::chaos::partner_kinds()),
                         [](const auto& i) { return i.param.name; });

}  // namespace
