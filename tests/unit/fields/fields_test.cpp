#include <sluice/fields.hpp>

#include <gmock/gmock.h>

#include <optional>
#include <unordered_set>

namespace {

using sluice::identifier;
using sluice::text;

struct shipped {
    identifier order_id;
    std::optional<sluice::string<50>> tracking_number{};
    friend auto operator<=>(const shipped&, const shipped&) = default;
};

TEST(fields, are_made_from_every_kind_of_string) {
    const std::string string = "o1";
    const identifier from_literal = "o1";
    const identifier from_string = string;
    const identifier from_view = std::string_view{string};
    EXPECT_EQ(from_literal.str(), "o1");
    EXPECT_EQ(from_string, from_literal);
    EXPECT_EQ(from_view.view(), "o1");

    const shipped event{.order_id = "o1", .tracking_number = "T-1"};
    EXPECT_EQ(event.tracking_number->str(), "T-1");
    const shipped other{.order_id = string, .tracking_number = string};
    EXPECT_EQ(other.tracking_number, "o1");
}

TEST(fields, keep_a_value_that_breaks_the_rule) {
    const sluice::string<3> kept = "four";
    EXPECT_EQ(kept.str(), "four");
    EXPECT_TRUE(identifier{}.empty());
}

TEST(fields, compare_with_each_other_and_with_strings) {
    const identifier id = "b";
    EXPECT_TRUE(id == "b");
    EXPECT_TRUE("b" == id);
    EXPECT_TRUE(id == std::string{"b"});
    EXPECT_TRUE(id == std::string_view{"b"});
    EXPECT_TRUE(id == text{"b"});
    EXPECT_TRUE(id != "c");
    EXPECT_TRUE(id < "c");
    EXPECT_TRUE("a" < id);
    EXPECT_TRUE(id > sluice::string<5>{"a"});
    EXPECT_TRUE((shipped{.order_id = "a"} < shipped{.order_id = "b"}));
    EXPECT_TRUE((shipped{.order_id = "a"} == shipped{.order_id = "a"}));
}

TEST(fields, give_their_string_away) {
    identifier id = "a rather long text that needs memory of its own";
    const char* const memory = id.str().data();
    const std::string taken = std::move(id).str();
    EXPECT_EQ(taken.data(), memory);
}

TEST(fields, hash_like_the_string_they_hold) {
    const std::unordered_set<identifier> ids{"a", "b", "a"};
    EXPECT_EQ(ids.size(), 2U);
    EXPECT_EQ(std::hash<sluice::string<9>>{}(sluice::string<9>{"x"}), std::hash<text>{}(text{"x"}));
}

TEST(fields, a_null_pointer_is_no_string) {
    EXPECT_FALSE((std::is_constructible_v<identifier, std::nullptr_t>));
    EXPECT_FALSE((std::is_constructible_v<text, std::nullptr_t>));
    EXPECT_FALSE((std::is_constructible_v<sluice::string<5>, std::nullptr_t>));
}

}  // namespace
