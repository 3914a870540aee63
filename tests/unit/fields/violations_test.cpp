#include <sluice/violations.hpp>

#include <gmock/gmock.h>

namespace {

using sluice::violation;
using sluice::violations;
using testing::ElementsAre;

TEST(violations, are_found_at_the_path_of_their_scopes) {
    violations broken;
    broken.add("note", "a");
    {
        const violations::scope in_lines{broken, "lines"};
        broken.add("", "b");
        {
            const violations::scope in_third{broken, 2};
            broken.add("quantity", "c");
            broken.add("", "d");
        }
        broken.add("", "e");
    }
    broken.add("", "f");
    EXPECT_THAT(broken.found(),
                ElementsAre(violation{"note", "a"}, violation{"lines", "b"}, violation{"lines[2].quantity", "c"},
                            violation{"lines[2]", "d"}, violation{"lines", "e"}, violation{"", "f"}));
}

TEST(violations, can_be_taken_once) {
    violations broken;
    broken.add("a", "b");
    EXPECT_EQ(broken.take().size(), 1U);
    EXPECT_TRUE(broken.empty());
}

TEST(violations, long_names_are_cut_between_characters) {
    violations broken;
    broken.add(std::string(99, 'x') + "\u00e9\u00e9", "m");
    EXPECT_EQ(broken.found()[0].field, std::string(99, 'x') + "\u00e9...");
}

TEST(validation_error, does_not_name_the_field_of_what_is_wrong_as_a_whole) {
    const sluice::validation_error error{"ShipOrder", {{"", "expected an object, got null"}, {"a", "b"}}};
    EXPECT_STREQ(error.what(), "ShipOrder is not valid: expected an object, got null; a: b");
}

}  // namespace
