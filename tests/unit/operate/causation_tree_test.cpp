#include "operate/causation_tree.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

traced_message message(store::sequence seq, const std::string& id, const std::string& cause) {
    store::stream_event at{.seq = seq};
    at.event.message_id = id;
    at.event.metadata = R"({"domain":{"kind":"EVENT","correlation_id":"c","causation_id":)" +
                        (cause.empty() ? std::string{"null"} : '"' + cause + '"') + "}}";
    return make_traced("default", std::move(at));
}

std::vector<std::string> ids(const causation_tree& tree, const std::vector<std::size_t>& nodes) {
    std::vector<std::string> names;
    for (const std::size_t each : nodes) names.push_back(tree.nodes()[each].id);
    return names;
}

using names = std::vector<std::string>;

TEST(traced_message, takes_kind_and_cause_from_the_metadata) {
    const auto made = message(1, "a", "x");
    EXPECT_EQ(made.kind, "EVENT");
    EXPECT_EQ(made.causation_id, "x");
    EXPECT_EQ(correlation_of(made.at.event), "c");
}

TEST(traced_message, of_broken_metadata_has_no_cause) {
    store::stream_event at;
    at.event.metadata = "not json";
    const auto made = make_traced("default", at);
    EXPECT_EQ(made.kind, "");
    EXPECT_EQ(made.causation_id, "");
    EXPECT_EQ(correlation_of(at.event), "");
}

TEST(causation_tree, puts_every_effect_below_its_cause_in_the_order_of_the_log) {
    const causation_tree tree{{message(3, "c", "a"), message(1, "a", ""), message(2, "b", "a"), message(4, "d", "b")}};
    ASSERT_EQ(ids(tree, tree.roots()), names{"a"});
    EXPECT_EQ(ids(tree, tree.nodes()[*tree.find("a")].effects), (names{"b", "c"}));
    EXPECT_EQ(ids(tree, tree.nodes()[*tree.find("b")].effects), names{"d"});
}

TEST(causation_tree, a_cause_outside_the_log_is_a_node_of_its_own) {
    const causation_tree tree{{message(1, "a", "command"), message(2, "b", "command")}};
    ASSERT_EQ(ids(tree, tree.roots()), names{"command"});
    EXPECT_FALSE(tree.nodes()[tree.roots()[0]].message);
    EXPECT_EQ(ids(tree, tree.nodes()[tree.roots()[0]].effects), (names{"a", "b"}));
}

TEST(causation_tree, roots_stand_in_the_order_of_their_first_message) {
    const causation_tree tree{{message(2, "late", ""), message(1, "early", "command"), message(3, "last", "")}};
    EXPECT_EQ(ids(tree, tree.roots()), (names{"command", "late", "last"}));
}

TEST(causation_tree, tells_the_way_from_the_root_to_a_message) {
    const causation_tree tree{{message(1, "a", "command"), message(2, "b", "a"), message(3, "c", "a")}};
    EXPECT_EQ(ids(tree, tree.path_to(*tree.find("b"))), (names{"command", "a", "b"}));
}

TEST(causation_tree, cuts_circles_and_loses_no_message) {
    const causation_tree tree{{message(1, "a", "b"), message(2, "b", "a"), message(3, "self", "self")}};
    EXPECT_EQ(tree.nodes().size(), 3u);
    EXPECT_EQ(ids(tree, tree.roots()), (names{"b", "self"}));
    EXPECT_EQ(ids(tree, tree.nodes()[*tree.find("b")].effects), names{"a"});
}

TEST(causation_tree, a_message_read_twice_counts_once) {
    const causation_tree tree{{message(1, "a", ""), message(1, "a", "")}};
    EXPECT_EQ(tree.nodes().size(), 1u);
}

}  // namespace
}  // namespace sluice::operate
