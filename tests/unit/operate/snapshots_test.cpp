#include "operate/snapshots.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"
#include "support/depot_domain.hpp"

namespace sluice::operate {
namespace {

TEST(sourced_aggregate, tells_apart_what_has_no_snapshots_and_what_is_not_there) {
    const sluice::domain depot = depot::make_domain();
    for (const auto& [name, text] : {std::pair{"Crate", "is stored as its state"}, {"Create", "has no aggregate"}}) {
        try {
            static_cast<void>(sourced_aggregate(depot.declared(), name));
            FAIL() << name;
        } catch (const request_error& e) {
            EXPECT_EQ(e.why(), request_error::reason::wrong_request);
            EXPECT_NE(std::string{e.what()}.find(text), std::string::npos) << e.what();
        }
    }
}

TEST(snapshots_to_json, tell_what_was_written) {
    EXPECT_EQ(json::dump(to_json(snapshot_view{.aggregate = "Account", .id = "a-1", .version = 7, .is_new = true})),
              R"({"aggregate":"Account","id":"a-1","version":7,"written":true})");
    EXPECT_EQ(json::dump(to_json(snapshots_outcome{.aggregate = "Account", .written = 1, .current = 2, .failed = 3})),
              R"({"aggregate":"Account","written":1,"current":2,"failed":3})");
}

}  // namespace
}  // namespace sluice::operate
