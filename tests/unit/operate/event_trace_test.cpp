#include "operate/event_trace.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "operate/request_error.hpp"
#include "store/memory/memory_database.hpp"

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

/// A log in memory in which message n follows from message n - `step`, all of one correlation.
class trace_near : public ::testing::Test {
protected:
    trace_near() {
        database_->setup();
        databases_.push_back({"default", database_->open_operations()});
    }

    void write(int count, int step) {
        const auto unit = database_->open_unit();
        store::commit_batch batch;
        batch.at = date_time::parse("2026-11-30T08:00:00Z");
        for (int n = 1; n <= count; ++n) {
            const std::string cause = n > step ? name(n - step) : "a command";
            store::event_write each;
            each.event = {
                name(n),
                "shop::order-" + std::to_string(n),
                "shop::order",
                "Shop.OrderPlaced.v1",
                "{}",
                R"({"headers":{},"domain":{"kind":"EVENT","correlation_id":"c","causation_id":")" + cause + "\"}}",
                batch.at};
            each.target_brokers = {"default"};
            batch.events.push_back(std::move(each));
        }
        unit->commit(batch);
    }
    static std::string name(int n) { return "m-" + std::to_string(n); }
    static std::size_t logged(const event_trace& trace) {
        return static_cast<std::size_t>(
            std::ranges::count_if(trace.tree.nodes(), [](const auto& node) { return node.message.has_value(); }));
    }

    std::shared_ptr<store::database> database_ = store::make_memory_database("default");
    std::vector<open_database> databases_;
};

TEST_F(trace_near, has_those_next_to_it_and_no_more_than_wanted) {
    write(1000, 1000);
    const event_trace trace = read_trace_near(databases_, name(500), {.most = 20});
    EXPECT_EQ(logged(trace), 21U);
    for (const int n : {490, 499, 501, 510}) EXPECT_TRUE(trace.tree.find(name(n))) << n;
    for (const int n : {489, 511}) EXPECT_FALSE(trace.tree.find(name(n))) << n;
    EXPECT_EQ(logged(read_trace_near(databases_, name(500), {.numbers = 3})), 7U);
}

TEST_F(trace_near, has_what_led_to_it_however_far_that_is) {
    write(1000, 300);
    const event_trace trace = read_trace_near(databases_, name(950), {.numbers = 5, .most = 4});
    ASSERT_TRUE(trace.tree.find(name(950)));
    std::vector<std::string> path;
    for (const std::size_t node : trace.tree.path_to(*trace.tree.find(name(950)))) {
        path.push_back(trace.tree.nodes()[node].id);
    }
    EXPECT_THAT(path, ::testing::ElementsAre("a command", name(50), name(350), name(650), name(950)));
}

TEST_F(trace_near, has_the_copies_of_each_message_only_when_they_are_wanted) {
    write(3, 1);
    const auto copies = [&](bool wanted) {
        const event_trace trace = read_trace_near(databases_, name(2), {.with_rows = wanted});
        return trace.tree.nodes()[*trace.tree.find(name(3))].message->rows.size();
    };
    EXPECT_EQ(copies(true), 1U);
    EXPECT_EQ(copies(false), 0U);
}

TEST_F(trace_near, of_a_message_that_nobody_has_is_an_error) {
    EXPECT_THROW(static_cast<void>(read_trace_near(databases_, "m-1", {})), request_error);
}

}  // namespace
}  // namespace sluice::operate
