#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace {

namespace json = sluice::json;

template <class Call>
std::string failure(Call call) {
    try {
        call();
    } catch (const sluice::decode_error& e) {
        return e.what();
    }
    return "accepted";
}

std::vector<std::string> keys(const json::object& o) {
    std::vector<std::string> found;
    for (const auto& [key, value] : o) found.push_back(key);
    return found;
}

TEST(json_value, knows_its_kind) {
    EXPECT_EQ(json::value{}.kind(), json::kind::null);
    EXPECT_TRUE(json::value{nullptr}.is_null());
    EXPECT_TRUE(json::value{true}.is_bool());
    EXPECT_TRUE(json::value{7}.is_number());
    EXPECT_TRUE(json::value{0.5}.is_number());
    EXPECT_TRUE(json::value{"text"}.is_string());
    EXPECT_TRUE(json::value{json::array{}}.is_array());
    EXPECT_TRUE(json::value{json::object{}}.is_object());
}

TEST(json_value, writes_numbers_as_python_does) {
    EXPECT_EQ(json::value{2.0}.as_number().text, "2.0");
    EXPECT_EQ(json::value{-7}.as_number().text, "-7");
    EXPECT_EQ(json::value{std::numeric_limits<std::uint64_t>::max()}.as_number().text, "18446744073709551615");
}

TEST(json_value, readers_name_the_expected_and_the_found_kind) {
    const json::value text{"a"};
    EXPECT_EQ(failure([&] { static_cast<void>(text.as_int()); }), "expected a JSON value of kind number, found string");
    EXPECT_EQ(failure([&] { static_cast<void>(text.as_bool()); }),
              "expected a JSON value of kind boolean, found string");
    EXPECT_EQ(failure([&] { static_cast<void>(text.at("key")); }),
              "expected a JSON value of kind object, found string");
    EXPECT_EQ(failure([&] { static_cast<void>(text.at(0)); }), "expected a JSON value of kind array, found string");
    EXPECT_EQ(failure([&] { static_cast<void>(json::value{}.as_string()); }),
              "expected a JSON value of kind string, found null");
}

TEST(json_value, as_int_takes_integers_that_fit) {
    EXPECT_EQ(json::parse("-9223372036854775808").as_int(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(json::parse("9223372036854775807").as_int(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(json::parse("-0").as_int(), 0);
    EXPECT_THAT(failure([] { static_cast<void>(json::parse("9223372036854775808").as_int()); }),
                testing::HasSubstr("64 bits"));
    EXPECT_THAT(failure([] { static_cast<void>(json::parse("2.0").as_int()); }), testing::HasSubstr("integer"));
    EXPECT_THAT(failure([] { static_cast<void>(json::parse("1e3").as_int()); }), testing::HasSubstr("integer"));
    EXPECT_THAT(failure([] { static_cast<void>(json::parse("NaN").as_int()); }), testing::HasSubstr("integer"));
}

TEST(json_value, as_double_refuses_a_number_that_is_none) {
    for (const char* text : {"", "abc", "inf", "1x", ".5", "-", "--1", "1e999x"}) {
        EXPECT_NE(failure([&] { static_cast<void>(json::value{json::number{text}}.as_double()); }), "accepted") << text;
    }
}

TEST(json_value, members_and_elements) {
    const json::value v = json::parse(R"({"id":"o-1","none":null,"lines":[1,2]})");
    EXPECT_EQ(v.at("lines").at(1).as_int(), 2);
    EXPECT_EQ(v.find("missing"), nullptr);
    EXPECT_EQ(json::value{1}.find("id"), nullptr);
    EXPECT_EQ(v.string_or("id", "-"), "o-1");
    EXPECT_EQ(v.string_or("none", "-"), "-");
    EXPECT_EQ(v.string_or("lines", "-"), "-");
    EXPECT_EQ(v.string_or("missing", "-"), "-");
    EXPECT_EQ(failure([&] { static_cast<void>(v.at("missing")); }), "the JSON object has no key 'missing'");
    EXPECT_EQ(failure([&] { static_cast<void>(v.at("lines").at(2)); }), "the JSON array has no element 2, only 2");
}

TEST(json_value, equality_goes_by_number_text_and_not_by_member_order) {
    EXPECT_EQ(json::parse(R"({"a":1,"b":[true]})"), json::parse(R"({ "b": [true], "a": 1 })"));
    EXPECT_NE(json::parse("1"), json::parse("1.0"));
    EXPECT_NE(json::parse("[1,2]"), json::parse("[2,1]"));
    EXPECT_NE(json::parse(R"({"a":1})"), json::parse(R"({"b":1})"));
    EXPECT_NE(json::parse(R"({"a":1})"), json::parse(R"({"a":1,"b":1})"));
}

TEST(json_object, keeps_insertion_order) {
    json::object o{{"z", 1}, {"a", 2}};
    o.set("m", 3);
    o.set("z", 4);
    o.append("b", 5);
    EXPECT_THAT(keys(o), testing::ElementsAre("z", "a", "m", "b"));
    EXPECT_EQ(o.at("z").as_int(), 4);
    EXPECT_TRUE(o.erase("a"));
    EXPECT_FALSE(o.erase("a"));
    EXPECT_THAT(keys(o), testing::ElementsAre("z", "m", "b"));
    EXPECT_TRUE(o.contains("m"));
    EXPECT_FALSE(o.contains("a"));
}

TEST(json_object, of_a_repeated_key_the_last_value_counts_at_the_place_of_the_first) {
    const json::object o{{"a", 1}, {"b", 2}, {"a", 3}, {"a", 4}};
    EXPECT_THAT(keys(o), testing::ElementsAre("a", "b"));
    EXPECT_EQ(o.at("a").as_int(), 4);
}

TEST(json_object, found_members_can_be_changed) {
    json::value v = json::parse(R"({"a":{"b":[1]}})");
    v.as_object().find("a")->as_object().find("b")->as_array().push_back("two");
    EXPECT_EQ(json::dump(v), R"({"a":{"b":[1,"two"]}})");
}

TEST(json_kind, has_a_name) {
    EXPECT_STREQ(json::to_string(json::kind::null), "null");
    EXPECT_STREQ(json::to_string(json::kind::boolean), "boolean");
    EXPECT_STREQ(json::to_string(json::kind::object), "object");
}

}  // namespace
