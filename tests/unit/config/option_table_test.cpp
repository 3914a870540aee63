#include "config/option_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using ::testing::ElementsAre;

enum class polish { none, wax };

struct shoe_options {
    std::size_t size = 42;
    std::int64_t eyelets = 6;
    std::chrono::microseconds drying = std::chrono::milliseconds{1'500};
    std::chrono::hours worn{24};
    polish with = polish::wax;
    bool laced = true;
    std::string color = "brown";
    std::string maker{};
    struct box_options {
        std::filesystem::path label{};
        bool open = false;
    } box{};
};

option_table<shoe_options> shoes() {
    using options = shoe_options;
    option_table<options> table;
    table.whole("size", &options::size, 30, 50, "How large")
        .whole("eyelets", &options::eyelets, -1, 20, "How many holes")
        .milliseconds("drying_ms", &options::drying, 0, 9'000, "How long it dries")
        .hours("worn_hours", &options::worn, 0, 100, "How long it was worn")
        .choice<polish>("polish", &options::with, {{"none", polish::none}, {"wax", polish::wax}}, "What shines")
        .flag("laced", &options::laced, "Whether there are laces")
        .text("color", &options::color, "The color")
        .secret("maker", &options::maker, "Who made it")
        .file(
            "label", [](auto& of) -> auto& { return of.box.label; }, "The picture on the box")
        .flag(
            "open", [](auto& of) -> auto& { return of.box.open; }, "Whether the box is open");
    return table;
}

std::vector<std::string> defaults(const option_table<shoe_options>& of) {
    std::vector<std::string> all;
    for (const provider_option& each : of.options()) all.push_back(each.usual);
    return all;
}

TEST(option_table, takes_the_defaults_from_the_members) {
    EXPECT_THAT(defaults(shoes()), ElementsAre("42", "6", "1500", "24", "wax", "true", "brown", "", "", "false"));
}

TEST(option_table, describes_a_key_in_its_own_terms) {
    const auto table = shoes();
    const provider_option& size = table.options()[0];
    EXPECT_EQ(size.key, "size");
    EXPECT_EQ(size.what, provider_option::kind::whole);
    EXPECT_EQ(size.lowest, 30);
    EXPECT_EQ(size.highest, 50);
    EXPECT_EQ(size.purpose, "How large");
    const provider_option& shine = table.options()[4];
    EXPECT_EQ(shine.what, provider_option::kind::choice);
    EXPECT_THAT(shine.words, ElementsAre("none", "wax"));
}

TEST(option_table, sets_the_members_of_the_keys_that_are_given) {
    const shoe_options read = shoes().read({{"size", "37"},
                                            {"eyelets", "-1"},
                                            {"drying_ms", "250"},
                                            {"worn_hours", "3"},
                                            {"polish", "none"},
                                            {"laced", "false"},
                                            {"color", ""},
                                            {"maker", "Ann"},
                                            {"label", "/srv/label.png"},
                                            {"open", "true"}});
    EXPECT_EQ(read.size, 37U);
    EXPECT_EQ(read.eyelets, -1);
    EXPECT_EQ(read.drying, std::chrono::milliseconds{250});
    EXPECT_EQ(read.worn, std::chrono::hours{3});
    EXPECT_EQ(read.with, polish::none);
    EXPECT_FALSE(read.laced);
    EXPECT_EQ(read.color, "");
    EXPECT_EQ(read.maker, "Ann");
    EXPECT_EQ(read.box.label, "/srv/label.png");
    EXPECT_TRUE(read.box.open);
}

TEST(option_table, leaves_the_other_members_as_the_caller_has_them) {
    const shoe_options read = shoes().read({{"size", "37"}, {"unknown", "x"}}, {.eyelets = 8, .color = "red"});
    EXPECT_EQ(read.size, 37U);
    EXPECT_EQ(read.eyelets, 8);
    EXPECT_EQ(read.color, "red");
    EXPECT_EQ(read.with, polish::wax);
}

TEST(option_table, hands_a_table_over_by_the_names_of_its_keys) {
    struct basket {
        std::map<std::string, std::string> fruits;
        std::size_t handles = 1;
    };
    const auto table =
        option_table<basket>{}
            .table(
                "fruits", &basket::fruits, [](std::string_view) { return std::string{}; }, "What is in it")
            .whole("handles", &basket::handles, 0, 2, "To carry it");
    EXPECT_EQ(table.options()[0].what, provider_option::kind::table);
    EXPECT_EQ(table.options()[0].usual, "");
    const basket read = table.read({{"fruit", "x"}, {"fruits.apple", "3"}, {"fruits.red.plum", "4"}, {"handles", "2"}});
    EXPECT_EQ(read.fruits, (std::map<std::string, std::string>{{"apple", "3"}, {"red.plum", "4"}}));
    EXPECT_EQ(read.handles, 2U);
}

}  // namespace
}  // namespace sluice::config
