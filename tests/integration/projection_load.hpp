#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "broker/inline/inline_broker.hpp"
#include "engine/engine.hpp"
#include "observe/log.hpp"
#include "projection/rebuild.hpp"
#include "support/depot.hpp"
#include "support/depot_rows.hpp"
#include "support/eventually.hpp"

namespace sluice::testing {

/// Lets a rebuild wait for real, and end early.
class waiting_host final : public projection::rebuild_host {
public:
    /// @param steps  after which it is stopped
    explicit waiting_host(std::uint64_t steps) : left_{steps} {}
    bool stopped() override { return left_-- == 0; }
    void rest(duration time) override {
        std::this_thread::sleep_for(std::min<duration>(time, std::chrono::milliseconds{20}));
    }
    void progress(const projection::rebuild_progress&) override {}

private:
    std::uint64_t left_;
};

/// Commits so many crates, slowly enough for a rebuild to keep up. Every writer has crates of its own; customers are
/// everybody's. What cannot be written under the load is left: the log tells what was.
inline void write_into(depot::fixture& depot, int writer, int crates) {
    base::seeded_random random{static_cast<std::uint64_t>(writer)};
    for (int i = 0; i < crates; ++i) {
        const std::string crate = "crate-" + std::to_string(writer) + "-" + std::to_string(i);
        const std::string customer = "customer-" + std::to_string(random.next() % 3);
        try {
            depot.pack(crate, customer);
            for (std::uint64_t more = random.next() % 3; more > 0; --more) depot.add(crate, 1);
        } catch (const error& busy) {
            if (!busy.retryable() && !busy.in_doubt()) ADD_FAILURE() << busy.what();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

/// An engine feeds the read models of a depot while writers write and rebuilds run, most of which are interrupted.
/// In the end the rows are those that the log makes.
/// @param rebuilds  that have to be finished at least; they go on as long as somebody writes
inline void expect_rebuilds_under_load_to_be_exact(const std::shared_ptr<store::database>& database, int rebuilds) {
    constexpr int crates_of_a_writer = 250;
    observe::configure_log({.threshold = observe::level::off});
    depot::fixture depot{database, broker::make_inline_broker("default")};
    engine::engine engine{*depot.env};
    projection::create_read_models(depot.domain.declared(), depot.env->parts());
    engine.start();
    std::atomic<int> writing = 2;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 2; ++writer) {
        writers.emplace_back([&, writer] {
            write_into(depot, writer, crates_of_a_writer);
            --writing;
        });
    }
    base::seeded_random random{1};
    int finished = 0;
    for (int i = 0; writing > 0 || finished < rebuilds; ++i) {
        const auto* table = i % 2 == 0 ? "crate_summary" : "customer_totals";
        waiting_host host{i % 3 == 2 ? ~std::uint64_t{0} : random.next() % 12};
        try {
            if (projection::projection_rebuild{*depot.env, depot.projector(table), false}.run(host).finished)
                ++finished;
        } catch (const store_error&) {
            // The lock was not to be had for too long under this load.
        }
    }
    for (auto& writer : writers) writer.join();
    for (const auto* table : {"crate_summary", "customer_totals"}) {
        const auto expected = fold(depot, table);
        EXPECT_FALSE(expected.empty());
        EXPECT_TRUE(eventually([&] { return stored(depot, table) == expected; })) << table;
    }
    EXPECT_TRUE(engine.stop());
    EXPECT_TRUE(depot.env->broker("default").open_operations()->dead_letters({}).empty());
    observe::configure_log({});
}

}  // namespace sluice::testing
