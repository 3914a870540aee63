#include <gmock/gmock.h>

#include "integration/console/world.hpp"
#include "support/depot.hpp"
#include "support/eventually.hpp"

namespace sluice::console {
namespace {

using testing::eventually;
using ::testing::HasSubstr;
using ::testing::Not;

/// A depot with three crates, whose read model is asked to be built anew.
class console_rebuild : public ::testing::Test {
protected:
    console_rebuild() {
        depot_.create_tables();
        for (const char* crate : {"c-1", "c-2", "c-3"}) depot_.pack(crate);
        std::vector<std::unique_ptr<context>> contexts;
        contexts.push_back(
            std::make_unique<context>([] { return operate::settings_view{}; }, *depot_.env, system_clock()));
        config::console_settings settings = settings_with_people();
        settings.tokens["eye"] = {.role = console_role::viewer, .sha256 = base::sha256_hex("token of eye")};
        console_ = std::make_unique<console>(console::options{.settings = settings}, std::move(contexts),
                                             system_clock(), base::system_random());
    }

    [[nodiscard]] http::http_answer call(const std::string& method, const std::string& path,
                                         const std::string& token = "token of ci") {
        http::http_request asked{.method = method, .path = path, .client = "127.0.0.1"};
        asked.headers = {{"host", "localhost:8080"}, {"authorization", "Bearer " + token}};
        return console_->answer(asked);
    }
    [[nodiscard]] json::value read_model() {
        return json::parse(call("GET", api_ + "/read-models").body).at("read_models").at(0);
    }

    const std::string api_ = "/api/v1/contexts/depot";
    depot::fixture depot_{store::make_memory_database("depot"), broker::make_inline_broker("default")};
    std::unique_ptr<console> console_;
};

TEST_F(console_rebuild, is_begun_and_runs_on_beside) {
    EXPECT_EQ(read_model().at("generation").as_int(), 1);
    const http::http_answer begun = call("POST", api_ + "/read-models/crate_summary/rebuild");
    EXPECT_EQ(begun.status, 202U) << begun.body;
    ASSERT_TRUE(eventually([&] { return read_model().at("generation").as_int() == 2; }));
    EXPECT_EQ(read_model().at("rows").as_int(), 3);
    EXPECT_THAT(call("GET", "/api/v1/actions").body, HasSubstr("read_models.rebuild"));
}

TEST_F(console_rebuild, is_for_operators_and_for_read_models_that_there_are) {
    EXPECT_EQ(call("POST", api_ + "/read-models/crate_summary/rebuild", "token of eye").status, 403U);
    EXPECT_EQ(call("POST", api_ + "/read-models/crate_sumary/rebuild").status, 404U);
    const std::string page = "/console/contexts/depot/read-models";
    EXPECT_THAT(call("GET", page).body, HasSubstr("/read-models/crate_summary/rebuild"));
    EXPECT_THAT(call("GET", page, "token of eye").body, Not(HasSubstr("/rebuild")));
    EXPECT_EQ(read_model().at("generation").as_int(), 1);
}

}  // namespace
}  // namespace sluice::console
