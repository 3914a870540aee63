#include "console/target.hpp"

#include <gtest/gtest.h>

namespace sluice::console {
namespace {

using segments = std::vector<std::string>;

TEST(console_segments_of, decodes_each_segment_by_itself) {
    EXPECT_EQ(segments_of("/console/a%2Fb/c"), (segments{"console", "a/b", "c"}));
    EXPECT_EQ(segments_of("/console/"), segments{"console"});
    EXPECT_EQ(segments_of("/"), segments{});
}

TEST(console_segments_of, refuses_ways_out_and_malformed_text) {
    for (const char* path : {"", "console", "//console", "/console//rows", "/console/../etc", "/console/%2e%2E/etc",
                             "/console/.", "/console/%", "/console/%zz", "/console/%00", "/console/%ff", "/a/%"}) {
        EXPECT_FALSE(segments_of(path).has_value()) << path;
    }
}

TEST(console_form_values, reads_what_it_writes) {
    form_values values;
    values.add("a b", "1&2=3%");
    values.add("empty", "");
    values.add("x", "ü");
    EXPECT_EQ(values.to_query(), "a%20b=1%262%3D3%25&x=%C3%BC");
    const auto again = form_values::read(values.to_query());
    EXPECT_EQ(again->get("a b"), "1&2=3%");
    EXPECT_EQ(again->get("x"), "ü");
    EXPECT_EQ(form_values::read("a=1+2&a=3")->all("a"), (segments{"1 2", "3"}));
    EXPECT_FALSE(form_values::read("a=%x").has_value());
    EXPECT_FALSE(form_values::read("a=%00").has_value());
}

TEST(console_form_values, takes_so_many_and_no_more) {
    std::string many;
    for (int i = 0; i < 2001; ++i) many += "a=1&";
    EXPECT_FALSE(form_values::read(many).has_value());
}

TEST(console_target, encodes_what_a_name_may_hold) {
    EXPECT_EQ(target({"console", "a/b", "shop::order-1"}), "/console/a%2Fb/shop%3A%3Aorder-1");
    EXPECT_EQ(segments_of(target({"console", "a/b?#%"})), (segments{"console", "a/b?#%"}));
}

}  // namespace
}  // namespace sluice::console
