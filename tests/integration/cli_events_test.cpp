#include <gmock/gmock.h>

#include "integration/command_line.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class events_command : public command_line {
protected:
    events_command() {
        create_counter("a");
        run({"process", "Increase", R"({"counter_id":"a","by":2})", "--correlation-id", "story"});
        run({"process", "Increase", R"({"counter_id":"a","by":3})", "--correlation-id", "story"});
        create_counter("b");
    }

    void run(const std::vector<std::string>& arguments) const {
        const auto result = sluice(arguments);
        EXPECT_EQ(result.code, 0) << result.err;
    }
    [[nodiscard]] std::vector<std::string> ids(std::vector<std::string> arguments) const {
        std::vector<std::string> found;
        const json::value listed = sluice_json(std::move(arguments));
        for (const json::value& each : listed.at("events").as_array()) {
            found.push_back(each.at("message_id").as_string());
        }
        return found;
    }
};

using names = std::vector<std::string>;

TEST_F(events_command, list_shows_the_newest_first_and_chooses_by_every_option) {
    const names all{"tiny::counter-b-0.1", "tiny::counter-a-2.1", "tiny::counter-a-1.1", "tiny::counter-a-0.1"};
    EXPECT_EQ(ids({"events", "list"}), all);
    EXPECT_EQ(ids({"events", "list", "--oldest-first"}), (names{all.rbegin(), all.rend()}));
    EXPECT_EQ(ids({"events", "list", "--stream", "tiny::counter-b"}), names{"tiny::counter-b-0.1"});
    EXPECT_EQ(ids({"events", "list", "--stream", "tiny::counter"}), all);
    EXPECT_EQ(ids({"events", "list", "--type", "Tiny.CounterIncreased.v1", "--limit", "1"}), names{all[1]});
    EXPECT_EQ(ids({"events", "list", "--correlation", "story"}), (names{all[1], all[2]}));
    EXPECT_EQ(ids({"events", "list", "--newer-than", "1h"}), all);
    EXPECT_EQ(ids({"events", "list", "--older-than", "1h"}), names{});
}

TEST_F(events_command, list_is_a_table_for_people) {
    const auto result = sluice({"events", "list", "--data", "--limit", "2"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, AllOf(ContainsRegex("SEQ +CREATED +TYPE +STREAM +POSITION +MESSAGE ID +DATA"),
                                  HasSubstr(R"({"counter_id":"a","by":3})"),
                                  HasSubstr("the newest 2 events; there may be more (--limit)")));
    EXPECT_EQ(sluice({"events", "list", "--stream", "nobody"}).out, "no events\n");
}

TEST_F(events_command, show_tells_an_event_with_its_place_and_its_copies) {
    const auto shown = sluice({"events", "show", "tiny::counter-a-0.1"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out,
                AllOf(HasSubstr("stream    tiny::counter-a, position 0"), HasSubstr("for       default: pending"),
                      HasSubstr("for       partner: pending"), HasSubstr(R"("counter_id": "a")")));
    const json::value as_json = sluice_json({"events", "show", "tiny::counter-a-2.1"});
    EXPECT_EQ(as_json.at("position").as_int(), 2);
    EXPECT_EQ(as_json.at("rows").as_array().size(), 1u);
}

TEST_F(events_command, an_unknown_id_is_not_found) {
    for (const char* command : {"show", "trace"}) {
        const auto result = sluice({"events", command, "nothing"});
        EXPECT_EQ(result.code, 1);
        EXPECT_THAT(result.err, AllOf(HasSubstr("`nothing`"), HasSubstr("sluice events list")));
    }
}

TEST_F(events_command, trace_draws_the_tree_of_a_correlation) {
    const auto drawn = sluice({"events", "trace", "story"});
    EXPECT_EQ(drawn.code, 0);
    EXPECT_THAT(drawn.out,
                AllOf(HasSubstr("correlation story\n"), HasSubstr("(not in the log: given from outside"),
                      HasSubstr("└─ Tiny.CounterIncreased.v1  tiny::counter-a-1.1  +0.000 ms  default pending"),
                      Not(HasSubstr("tiny::counter-b"))));
    EXPECT_EQ(sluice_json({"events", "trace", "story"}).at("roots").as_array().size(), 2u);
}

TEST_F(events_command, trace_of_a_message_follows_its_causes_or_its_effects) {
    const json::value up = sluice_json({"events", "trace", "tiny::counter-a-2.1", "--causes"});
    ASSERT_EQ(up.at("causes").as_array().size(), 2u);
    EXPECT_FALSE(up.at("causes").at(0).at("logged").as_bool());
    EXPECT_EQ(up.at("causes").at(1).at("message_id").as_string(), "tiny::counter-a-2.1");
    const json::value down = sluice_json({"events", "trace", "tiny::counter-a-2.1", "--effects"});
    EXPECT_EQ(down.at("roots").at(0).at("effects").as_array().size(), 0u);
    EXPECT_EQ(sluice({"events", "trace", "story", "--effects"}).code, 2);
    EXPECT_EQ(sluice({"events", "trace", "tiny::counter-a-2.1", "--effects", "--causes"}).code, 2);
}

}  // namespace
}  // namespace sluice
