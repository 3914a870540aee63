#include "projection/rebuild.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "envelope/envelope.hpp"
#include "projection/projection.hpp"
#include "store/memory/memory_database.hpp"
#include "support/depot.hpp"

/// What another build makes of the same name.
namespace next_build {

struct CrateSummary {
    static constexpr sluice::projection_of contract{.name = "crate_summary", .version = 2};
    sluice::identifier crate_id;
    std::string owner;
};

struct crate_summary_projector {
    void operator()(const depot::CratePacked& e, sluice::read_model<CrateSummary>& rows) const {
        rows.put({.crate_id = e.crate_id, .owner = e.customer.str()});
    }
};

}  // namespace next_build

namespace {

using depot::CrateSummary;
using sluice::projection::projection_rebuild;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Stops after so many looks at whether to stop, and does something at each.
class counting_host final : public sluice::projection::rebuild_host {
public:
    explicit counting_host(int steps = 1'000'000, std::function<void(int)> each = {})
        : left_{steps}, each_{std::move(each)} {}

    bool stopped() override {
        if (each_) each_(++seen_);
        return --left_ < 0;
    }
    void rest(sluice::duration) override {}
    void progress(const sluice::projection::rebuild_progress& now) override { last = now; }

    sluice::projection::rebuild_progress last{};

private:
    int left_;
    int seen_ = 0;
    std::function<void(int)> each_;
};

class projection_rebuild_test : public ::testing::Test {
protected:
    sluice::projection::rebuild_report rebuild(counting_host&& host = counting_host{}, bool restart = false) {
        return projection_rebuild{*depot_.env, depot_.projector("crate_summary"), restart}.run(host);
    }
    /// More events than one step of a rebuild takes.
    void fill() {
        depot_.commit([](sluice::context& in) {
            for (int i = 1; i <= crates_packed; ++i) {
                in.repository<depot::Crate>().add(depot::Crate{"c-" + std::to_string(i), "ada"});
            }
        });
        depot_.add("c-1", 3);
    }
    void handle(const sluice::store::stream_event& logged) {
        const auto m =
            sluice::message::decode(sluice::envelope::render_internal(logged.event.data, logged.event.metadata));
        static_cast<void>(sluice::projection::project(*depot_.env, depot_.projector("crate_summary"), m, {"1-0"}));
    }
    [[nodiscard]] sluice::store::projection_status status() {
        return depot_.database->open_read_models()->list().at(0);
    }
    [[nodiscard]] sluice::view<CrateSummary> crates() { return depot_.context().view<CrateSummary>(); }

    static constexpr int crates_packed = 600;
    depot::fixture depot_{sluice::store::make_memory_database("depot")};
};

TEST_F(projection_rebuild_test, builds_a_new_read_model_from_the_whole_log) {
    fill();
    depot_.create_tables();
    EXPECT_FALSE(status().built);
    const auto report = rebuild();
    EXPECT_TRUE(report.finished);
    EXPECT_EQ(report.events, crates_packed + 1);
    EXPECT_EQ(report.rows, crates_packed);
    EXPECT_EQ(report.position, crates_packed + 1);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
    EXPECT_TRUE(status().built);
    EXPECT_FALSE(status().rebuild);
}

TEST_F(projection_rebuild_test, counts_no_event_twice_that_the_projector_gets_later) {
    depot_.create_tables();
    depot_.pack("c-1");
    depot_.add("c-1", 3);
    const auto log = depot_.log();
    handle(log.at(0));
    static_cast<void>(rebuild());
    EXPECT_EQ(crates().get("c-1").pieces, 3) << "the rebuild was faster than the subscription";
    handle(log.at(1));
    EXPECT_EQ(crates().get("c-1").pieces, 3);
    depot_.add("c-1", 4);
    handle(depot_.log().at(2));
    EXPECT_EQ(crates().get("c-1").pieces, 7);
}

TEST_F(projection_rebuild_test, goes_on_where_it_was_stopped) {
    depot_.create_tables();
    fill();
    const auto first = rebuild(counting_host{3});
    EXPECT_FALSE(first.finished);
    EXPECT_GT(first.position, 0);
    EXPECT_EQ(status().rebuild->position, first.position);
    EXPECT_EQ(crates().count(), 0) << "the old table counts until the new one is whole";
    const auto second = rebuild();
    EXPECT_TRUE(second.finished);
    EXPECT_TRUE(second.resumed);
    EXPECT_EQ(second.generation, first.generation);
    EXPECT_EQ(first.events + second.events, crates_packed + 1);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

TEST_F(projection_rebuild_test, starts_over_when_asked_to_and_drops_what_was_begun) {
    depot_.create_tables();
    fill();
    const auto first = rebuild(counting_host{3});
    const auto second = rebuild(counting_host{}, true);
    EXPECT_FALSE(second.resumed);
    EXPECT_GT(second.generation, first.generation);
    EXPECT_EQ(second.events, crates_packed + 1);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

TEST_F(projection_rebuild_test, gives_way_to_another_that_is_faster) {
    depot_.create_tables();
    fill();
    bool other_ran = false;
    const auto meddle = [&](int step) {
        if (step != 3) return;
        other_ran = rebuild().finished;
    };
    EXPECT_THROW(static_cast<void>(rebuild(counting_host{1'000'000, meddle})), sluice::store::rebuild_superseded);
    EXPECT_TRUE(other_ran);
    EXPECT_EQ(crates().get("c-1").pieces, 3);
}

TEST_F(projection_rebuild_test, stops_at_an_event_that_cannot_be_projected_and_names_it) {
    depot_.create_tables();
    depot_.pack("c-1");
    depot_.commit([](sluice::context& in) { in.repository<depot::Crate>().get("c-1").burn(); });
    depot_.add("c-1", 1);
    try {
        static_cast<void>(rebuild());
        FAIL() << "it was projected";
    } catch (const sluice::decode_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("depot::crate-c-1-2.1"));
        EXPECT_THAT(e.what(), HasSubstr("there is no depot::CrateSummary with key `c-1`"));
    }
    EXPECT_TRUE(status().rebuild);
}

TEST_F(projection_rebuild_test, passes_over_types_that_nobody_knows_and_counts_them) {
    depot_.create_tables();
    depot_.pack("c-1");
    const auto write = [&](const std::string& type) {
        sluice::store::event_write event;
        event.event = {.message_id = type,
                       .stream = "depot::crate-x",
                       .stream_category = "depot::crate",
                       .type = type,
                       .data = "{}",
                       .metadata = "{}",
                       .created_at = depot_.env->time().now()};
        depot_.database->open_unit()->commit({.events = {event}, .at = depot_.env->time().now()});
    };
    write("Depot.CrateWeighed.v1");
    EXPECT_THAT(rebuild().unknown, UnorderedElementsAre(Pair("Depot.CrateWeighed.v1", 1)));
    write("Depot.CratePacked.v7");
    try {
        static_cast<void>(rebuild());
        FAIL() << "an event of the projector's own was passed over";
    } catch (const sluice::decode_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("Depot.CratePacked.v7"));
    }
}

TEST_F(projection_rebuild_test, of_another_layout_lets_the_old_build_wait) {
    depot_.create_tables();
    depot_.pack("c-1");
    sluice::domain newer{"depot"};
    newer.aggregate<depot::Crate>().events<depot::CratePacked>();
    newer.projector<next_build::crate_summary_projector, next_build::CrateSummary, depot::CratePacked>();
    depot::fixture next{depot_.database, std::move(newer)};
    EXPECT_THROW(sluice::projection::require_read_models(*next.env), sluice::store_error) << "the table is the old one";
    counting_host host;
    EXPECT_TRUE((projection_rebuild{*next.env, next.projector("crate_summary"), false}.run(host).finished));
    sluice::projection::require_read_models(*next.env);
    EXPECT_EQ(next.context().view<next_build::CrateSummary>().get("c-1").owner, "ada");
    depot_.pack("c-2");
    try {
        handle(depot_.log().back());
        FAIL() << "the old build wrote into the new table";
    } catch (const sluice::store_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), HasSubstr("another layout"));
    }
}

}  // namespace
