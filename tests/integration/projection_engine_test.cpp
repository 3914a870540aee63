#include "integration/projection_load.hpp"
#include "projection/read_model_setup.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

TEST(projection_engine, rebuilds_beside_a_running_service_are_exact_in_memory) {
    expect_rebuilds_under_load_to_be_exact(store::make_memory_database("depot"), 4);
}

TEST(projection_engine, rebuilds_beside_a_running_service_are_exact_on_sqlite) {
    const temporary_directory directory;
    expect_rebuilds_under_load_to_be_exact(
        store::make_sqlite_database({.path = directory / "depot.db", .synchronous = store::sqlite_synchronous::normal}),
        4);
}

/// The tables of an embedded database are made at the start.
TEST(projection_engine, makes_absent_tables_and_refuses_outdated_ones) {
    const auto database = std::shared_ptr{store::make_memory_database("depot")};
    depot::fixture depot{database, broker::make_inline_broker("default")};
    {
        projection::require_read_models(*depot.env);
        engine::engine first{*depot.env};
        first.start();
        EXPECT_EQ(database->open_read_models()->list().size(), 2U);
    }
    auto other = depot.projector("crate_summary").table;
    other.fingerprint = "another";
    const auto tables = database->open_read_models();
    const auto begun = tables->begin_rebuild(other, false, depot.env->time().now());
    tables->complete(other, {.generation = begun.generation, .from = 0, .upto = 0, .rows = {}, .at = {}});
    try {
        projection::require_read_models(*depot.env);
        FAIL() << "it may start";
    } catch (const store_error& e) {
        EXPECT_NE(std::string{e.what()}.find("sluice projection rebuild crate_summary"), std::string::npos) << e.what();
    }
}

}  // namespace
}  // namespace sluice::testing
