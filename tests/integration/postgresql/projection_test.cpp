#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "integration/projection_load.hpp"
#include "projection/read_model_setup.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "store/postgresql/provider.hpp"
#include "support/postgresql_server.hpp"

/// What only a server can get wrong: transactions that overlap, people's own objects, and locks.
namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

class postgresql_projection : public ::testing::Test {
protected:
    [[nodiscard]] std::shared_ptr<store::database> open() const {
        return store::make_postgresql_database(
            {.conninfo = postgresql::uri(), .schema = schema_, .max_connections = 24});
    }
    [[nodiscard]] std::string in_schema(const std::string& name) const { return '"' + schema_ + "\".\"" + name + '"'; }
    [[nodiscard]] static projection::rebuild_report rebuild(depot::fixture& depot, projection::rebuild_host& host) {
        return projection::projection_rebuild{*depot.env, depot.projector("crate_summary"), false}.run(host);
    }

    const std::string schema_ = postgresql::fresh_schema();
};

TEST_F(postgresql_projection, a_rebuild_beside_writers_and_projectors_loses_and_doubles_nothing) {
    expect_rebuilds_under_load_to_be_exact(open(), 4);
}

/// Lets something happen when the rebuild has waited for a while.
class patient_host final : public projection::rebuild_host {
public:
    explicit patient_host(std::function<void()> at_last) : at_last_{std::move(at_last)} {}
    bool stopped() override { return false; }
    void rest(duration) override {
        if (++rests == 20) at_last_();
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    void progress(const projection::rebuild_progress& now) override {
        waited_for = std::max(waited_for, now.waiting_for);
    }

    int rests = 0;
    std::size_t waited_for = 0;

private:
    std::function<void()> at_last_;
};

TEST_F(postgresql_projection, waits_for_a_writer_that_has_drawn_its_number_and_not_committed) {
    depot::fixture depot{open()};
    depot.create_tables();
    depot.pack("c-1");
    postgresql::session writer;
    writer.execute("BEGIN");
    writer.execute("INSERT INTO " + in_schema("event_log") +
                   " (message_id, stream, stream_category, position, type, created_at, data, metadata) VALUES"
                   " ('late', 'depot::crate-late', 'depot::crate', 0, 'Depot.CratePacked.v1', now(),"
                   " '{\"crate_id\":\"late\",\"customer\":\"ada\"}', '{}')");
    depot.pack("c-2");
    patient_host host{[&] { writer.execute("COMMIT"); }};
    const auto report = rebuild(depot, host);
    EXPECT_GE(host.rests, 20);
    EXPECT_GE(host.waited_for, 1U);
    EXPECT_EQ(report.rows, 3);
    EXPECT_TRUE(depot.context().view<depot::CrateSummary>().find("late").has_value());
}

TEST_F(postgresql_projection, does_not_wait_for_a_transaction_that_writes_no_events) {
    depot::fixture depot{open()};
    depot.create_tables();
    depot.pack("c-1");
    postgresql::session reader;
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    static_cast<void>(reader.scalar("SELECT pg_current_xact_id()"));
    static_cast<void>(reader.scalar("SELECT count(*) FROM " + in_schema("event_log")));
    patient_host host{[] { FAIL() << "it waits"; }};
    EXPECT_EQ(rebuild(depot, host).rows, 1);
}

TEST_F(postgresql_projection, keeps_what_people_made_of_the_view) {
    depot::fixture depot{open()};
    depot.create_tables();
    postgresql::session people;
    people.execute("CREATE VIEW " + in_schema("packed") + " AS SELECT count(*) AS n FROM " +
                   in_schema("crate_summary") + " WHERE \"at\" = 'packed'");
    depot.pack("c-1");
    patient_host host{[] {}};
    EXPECT_EQ(rebuild(depot, host).generation, 2);
    EXPECT_EQ(people.scalar("SELECT n FROM " + in_schema("packed")), "1");
    EXPECT_EQ(people.scalar("SELECT to_regclass('" + in_schema("crate_summary__g1") + "') IS NULL"), "t")
        << "the old table is gone";
    EXPECT_EQ(people
                  .scalar("SELECT indexdef FROM pg_indexes WHERE schemaname = '" + schema_ +
                          "' AND tablename = 'crate_summary__g2' AND indexdef LIKE '%customer%'")
                  .empty(),
              false);
}

TEST_F(postgresql_projection, lets_the_old_table_count_while_somebody_reads_the_view_for_long) {
    depot::fixture depot{open()};
    depot.create_tables();
    depot.pack("c-1");
    postgresql::session analyst;
    analyst.execute("BEGIN");
    static_cast<void>(analyst.scalar("SELECT count(*) FROM " + in_schema("crate_summary")));
    int interruptions = 0;
    // The exchange needs the view for itself and gives up quickly, so that nobody queues up behind it.
    struct ending_host final : projection::rebuild_host {
        ending_host(postgresql::session& of, int& count) : reader{of}, times{count} {}
        bool stopped() override { return false; }
        void rest(duration time) override {
            if (time >= std::chrono::milliseconds{250} && ++times == 1) reader.execute("COMMIT");
        }
        void progress(const projection::rebuild_progress&) override {}
        postgresql::session& reader;
        int& times;
    } ending{analyst, interruptions};
    EXPECT_TRUE(rebuild(depot, ending).finished);
    EXPECT_GE(interruptions, 1);
    EXPECT_EQ(depot.context().view<depot::CrateSummary>().count(), 1);
}

TEST_F(postgresql_projection, does_not_take_a_name_that_is_somebody_else_s) {
    depot::fixture depot{open()};
    postgresql::session people;
    people.execute("CREATE TABLE " + in_schema("crate_summary") + " (id int)");
    try {
        depot.create_tables();
        FAIL() << "it was made";
    } catch (const store_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("give the read model another .name"));
    }
}

TEST_F(postgresql_projection, refuses_the_start_while_a_table_is_absent) {
    depot::fixture depot{open(), broker::make_inline_broker("default")};
    auto configuration = depot.env->configuration();
    configuration.databases["default"].kind = &store::postgresql_provider();
    commit::environment env{depot.domain.declared(), configuration, depot.env->parts(), system_clock(),
                            base::system_random()};
    try {
        projection::require_read_models(env);
        FAIL() << "it may start";
    } catch (const store_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("read model crate_summary has no table"));
        EXPECT_THAT(e.what(), HasSubstr("sluice db setup"));
    }
}

}  // namespace
}  // namespace sluice::testing
