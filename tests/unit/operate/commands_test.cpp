#include "operate/commands.hpp"

#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "operate/request_error.hpp"
#include "support/depot_domain.hpp"

namespace sluice::operate {
namespace {

TEST(read_request, takes_a_command_with_its_data_and_its_key) {
    const command_request request =
        read_request(R"({"command":"AddItem","data":{"crate_id":"c-1"},"idempotency_key":"k"})");
    EXPECT_EQ(request.command, "AddItem");
    EXPECT_EQ(request.data.at("crate_id").as_string(), "c-1");
    EXPECT_EQ(request.idempotency_key, "k");
    EXPECT_FALSE(read_request(R"({"command":"AddItem","data":null})").idempotency_key);
}

TEST(read_request, refuses_everything_else) {
    for (const char* text :
         {"", "[1]", R"({"command":"A"})", R"({"data":{}})", R"({"command":1,"data":{}})",
          R"({"command":"A","data":{},"more":1})", R"({"command":"A","data":{},"idempotency_key":1})"}) {
        EXPECT_THROW(static_cast<void>(read_request(text)), decode_error) << text;
    }
}

TEST(require_command, offers_the_nearest_name) {
    const sluice::domain depot = depot::make_domain();
    require_command(depot.declared(), "AddItem");
    try {
        require_command(depot.declared(), "AddItm");
        FAIL();
    } catch (const request_error& e) {
        EXPECT_EQ(e.why(), request_error::reason::wrong_request);
        EXPECT_NE(std::string{e.what()}.find("did you mean \"AddItem\"?"), std::string::npos) << e.what();
    }
}

TEST(command_answer_to_json, is_a_result_or_the_id_of_what_was_written_down) {
    EXPECT_EQ(json::dump(to_json(command_answer{.command = "A", .result = 7})),
              R"({"command":"A","processed":1,"failed":0,"result":7})");
    EXPECT_EQ(json::dump(to_json(command_answer{.command = "A", .message_id = "m-1"})),
              R"({"command":"A","message_id":"m-1"})");
}

}  // namespace
}  // namespace sluice::operate
