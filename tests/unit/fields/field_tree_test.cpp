#include <gmock/gmock.h>

#include <map>

#include <sluice/codec.hpp>

#include "domain/kind_text.hpp"

namespace grove {

struct Branch {
    static constexpr auto aliases = sluice::aliases({{"twig", "name"}});
    sluice::text name;
    std::vector<Branch> branches;
};

struct Tree {
    sluice::identifier tree_id;
    std::string kind = "oak";
    int height;
    std::optional<std::vector<int>> rings{};
    std::map<std::string, std::vector<Branch>> branches;
};

class Owner {
    sluice::string<10> name_;
    sluice::not_stored<int> seen_{};
    BOOST_DESCRIBE_CLASS(Owner, (), (), (), (name_, seen_))
};

}  // namespace grove

namespace {

using sluice::detail::field_tree_of;
using sluice::detail::kind_text;
using ::testing::ElementsAre;

TEST(field_tree, names_the_members_in_their_order_with_their_kinds) {
    const auto& tree = field_tree_of<grove::Tree>();
    EXPECT_EQ(tree.name, "grove::Tree");
    std::vector<std::string> members;
    for (const auto& each : tree.members) members.push_back(std::string{each.name} + ": " + kind_text(*each.type));
    EXPECT_THAT(members, ElementsAre("tree_id: identifier", "kind: text", "height: integer", "rings: list of integer",
                                     "branches: map of list of struct"));
}

TEST(field_tree, tells_what_may_be_missing) {
    std::vector<bool> optional;
    std::vector<bool> initialised;
    for (const auto& each : field_tree_of<grove::Tree>().members) {
        optional.push_back(each.type->optional);
        initialised.push_back(each.has_initialiser);
    }
    EXPECT_THAT(optional, ElementsAre(false, false, false, true, false));
    EXPECT_THAT(initialised, ElementsAre(false, true, false, true, true));
}

TEST(field_tree, is_one_for_each_class_also_where_it_contains_itself) {
    const auto& branch = innermost(*field_tree_of<grove::Tree>().members.at(4).type).structure();
    EXPECT_EQ(&branch, &field_tree_of<grove::Branch>());
    EXPECT_EQ(&innermost(*branch.members.at(1).type).structure(), &branch);
    EXPECT_EQ(branch.aliases.front().old_name, "twig");
}

TEST(field_tree, knows_no_member_that_is_not_stored) {
    const auto& tree = field_tree_of<grove::Owner>();
    ASSERT_EQ(tree.members.size(), 1U);
    EXPECT_EQ(tree.members.front().name, "name");
    EXPECT_EQ(tree.members.front().type->length.max_length, 10U);
    EXPECT_NE(tree.in_memory, nullptr) << "it is described, so a member may have been forgotten";
    EXPECT_EQ(field_tree_of<grove::Tree>().in_memory, nullptr);
}

}  // namespace
