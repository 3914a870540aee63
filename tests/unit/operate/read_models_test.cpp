#include "operate/read_models.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"
#include "support/depot_domain.hpp"

namespace sluice::operate {
namespace {

const date_time morning = date_time::parse("2026-11-23T08:00:00Z");

TEST(projectors_of, finds_one_by_its_read_model_or_all) {
    const sluice::domain depot = depot::make_domain();
    EXPECT_EQ(projectors_of(depot.declared(), {}).size(), 2U);
    EXPECT_EQ(projectors_of(depot.declared(), "crate_summary").at(0)->table.name, "crate_summary");
    try {
        static_cast<void>(projectors_of(depot.declared(), "crate_sumary"));
        FAIL();
    } catch (const request_error& e) {
        EXPECT_EQ(e.why(), request_error::reason::not_found);
        EXPECT_NE(std::string{e.what()}.find("did you mean \"crate_summary\"?"), std::string::npos) << e.what();
    }
}

TEST(read_model_to_json, has_its_table_its_lag_and_its_rebuild) {
    const sluice::domain depot = depot::make_domain();
    read_model_view view{.state = {.projector = projectors_of(depot.declared(), "crate_summary").front(),
                                   .database = "default",
                                   .table = projection::table_state::outdated},
                         .rows = 4,
                         .head = 9};
    view.state.status.generation = 2;
    view.state.status.rebuild = {.generation = 3, .position = 5, .started_at = morning, .updated_at = morning};
    const auto shown = [&] { return to_json(read_models_view{.read_models = {view}}).at("read_models").at(0); };
    EXPECT_TRUE(shown().at("waiting").is_null()) << "the broker is away";
    view.lag = live_lag{.waiting = 7, .dead = 1};
    EXPECT_EQ(json::dump(shown()),
              R"({"name":"crate_summary","projector":"depot.crate_summary_projector","database":"default",)"
              R"("state":"outdated","generation":2,"rows":4,"floor":0,"rebuilt_at":null,"waiting":7,"dead":1,)"
              R"("rebuild":{"generation":3,"position":5,"head":9,"started_at":"2026-11-23T08:00:00+00:00",)"
              R"("updated_at":"2026-11-23T08:00:00+00:00"}})");
}

TEST(rebuild_results_to_json, one_that_failed_has_its_reason) {
    std::vector<rebuild_result> results{
        {.name = "a",
         .report =
             projection::rebuild_report{
                 .finished = true, .generation = 2, .events = 9, .rows = 3, .unknown = {{"T.v1", 2}}},
         .error = {},
         .seconds = 1.5},
        {.name = "b", .report = {}, .error = "away"}};
    EXPECT_EQ(json::dump(to_json(results, false)),
              R"({"read_models":[{"name":"a","finished":true,"resumed":false,"generation":2,"position":0,"events":9,)"
              R"("rows":3,"unknown_types":{"T.v1":2},"seconds":1.5},{"name":"b","finished":false,"error":"away"}],)"
              R"("interrupted":false})");
}

}  // namespace
}  // namespace sluice::operate
