#include "operate/event_trace.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

traced_message caused(store::sequence seq, const std::string& id, const std::string& cause) {
    store::stream_event at{.seq = seq};
    at.event.message_id = id;
    return {.database = "default", .at = std::move(at), .kind = "EVENT", .causation_id = cause};
}

/// `command` → a → b → c, and a → d. The command is not in the log.
event_trace story(std::optional<std::string> asked) {
    return {.correlation_id = "story",
            .asked = std::move(asked),
            .tree = causation_tree{
                {caused(1, "a", "command"), caused(2, "b", "a"), caused(3, "c", "b"), caused(4, "d", "a")}}};
}

std::vector<std::string> ids_of(const event_trace& trace, trace_part part, const std::string& word) {
    std::vector<std::string> ids;
    for (const std::size_t each : nodes_of(trace, part, word)) ids.push_back(trace.tree.nodes()[each].id);
    return ids;
}

TEST(event_trace, a_part_is_what_led_to_a_message_or_came_of_it) {
    using names = std::vector<std::string>;
    EXPECT_EQ(ids_of(story("b"), trace_part::all, "b"), (names{"command"}));
    EXPECT_EQ(ids_of(story("b"), trace_part::causes, "b"), (names{"command", "a", "b"}));
    EXPECT_EQ(ids_of(story("b"), trace_part::effects, "b"), (names{"b"}));
}

TEST(event_trace, a_correlation_has_no_causes) {
    EXPECT_EQ(ids_of(story({}), trace_part::all, "story").size(), 1U);
    EXPECT_THROW(static_cast<void>(nodes_of(story({}), trace_part::causes, "story")), request_error);
}

TEST(event_trace_to_json, draws_effects_below_their_causes_and_a_path_without_them) {
    const json::value all = to_json(story("b"), trace_part::all, "b");
    EXPECT_EQ(all.at("correlation_id").as_string(), "story");
    const json::value& root = all.at("roots").at(0);
    EXPECT_FALSE(root.at("logged").as_bool());
    EXPECT_EQ(root.at("effects").at(0).at("message_id").as_string(), "a");
    EXPECT_EQ(root.at("effects").at(0).at("effects").as_array().size(), 2U);

    const json::value path = to_json(story("b"), trace_part::causes, "b");
    EXPECT_EQ(path.at("causes").as_array().size(), 3U);
    EXPECT_FALSE(path.at("causes").at(1).contains("effects"));
    EXPECT_EQ(path.at("causes").at(1).at("kind").as_string(), "EVENT");
}

}  // namespace
}  // namespace sluice::operate
