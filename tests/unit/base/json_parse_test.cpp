#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace {

namespace json = sluice::json;

std::string failure(std::string_view text) {
    try {
        static_cast<void>(json::parse(text));
    } catch (const sluice::decode_error& e) {
        return e.what();
    }
    return "accepted";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(json_parse, keeps_the_text_of_every_number) {
    for (const char* text : {"0", "-0", "2", "2.0", "1.50", "1e5", "1E-05", "1E400", "1180591620717411303424", "NaN",
                             "Infinity", "-Infinity"}) {
        EXPECT_EQ(json::parse(text).as_number().text, text);
    }
}

TEST(json_parse, reads_escapes_and_surrogate_pairs) {
    EXPECT_EQ(json::parse(R"("\"\\\/\b\f\n\r\t")").as_string(), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(json::parse(R"("\u0041\u00e9\u20AC\ud83d\uDE00")").as_string(), "Aé€😀");
    EXPECT_EQ(json::parse(R"("a\u0000b")").as_string(), std::string_view("a\0b", 3));
}

TEST(json_parse, of_a_repeated_key_the_last_value_counts_at_the_place_of_the_first) {
    EXPECT_EQ(json::dump(json::parse(R"({"a":1,"b":2,"\u0061":3,"b":4,"c":5})")), R"({"a":3,"b":4,"c":5})");
}

TEST(json_parse, finds_repeated_keys_in_large_objects_too) {
    std::string text = "{";
    for (int i = 0; i < 1000; ++i) text += "\"k" + std::to_string(i % 500) + "\":" + std::to_string(i) + ",";
    text.back() = '}';
    const json::value v = json::parse(text);
    ASSERT_EQ(v.as_object().size(), 500U);
    EXPECT_EQ(v.as_object().begin()->first, "k0");
    EXPECT_EQ(v.at("k0").as_int(), 500);
    EXPECT_EQ(v.at("k499").as_int(), 999);
}

TEST(json_parse, nesting_is_limited_to_200) {
    EXPECT_NO_THROW(static_cast<void>(json::parse(nested(200))));
    EXPECT_EQ(failure(nested(201)), "invalid JSON at byte 200: nested more than 200 deep");
    EXPECT_THAT(failure(std::string(1'000'000, '[')), testing::HasSubstr("200 deep"));
    std::string siblings = "[";
    for (int i = 0; i < 300; ++i) siblings += "[{}],";
    siblings.back() = ']';
    EXPECT_NO_THROW(static_cast<void>(json::parse(siblings)));
}

TEST(json_parse, says_what_is_wrong_and_where) {
    EXPECT_EQ(failure(""), "invalid JSON at byte 0: expected a value, found the end");
    EXPECT_EQ(failure("  "), "invalid JSON at byte 2: expected a value, found the end");
    EXPECT_EQ(failure("1 2"), "invalid JSON at byte 2: text after the value");
    EXPECT_EQ(failure("[1 2]"), "invalid JSON at byte 3: expected ',' or ']'");
    EXPECT_EQ(failure("{\"a\":1;}"), "invalid JSON at byte 6: expected ',' or '}'");
    EXPECT_EQ(failure("{a:1}"), "invalid JSON at byte 1: expected a key in double quotes");
    EXPECT_EQ(failure("{\"a\" 1}"), "invalid JSON at byte 5: expected ':'");
    EXPECT_EQ(failure("\"abc"), "invalid JSON at byte 4: the string has no closing quote");
    EXPECT_EQ(failure("\"a\nb\""), "invalid JSON at byte 2: a control character in a string; write it as an escape");
    EXPECT_EQ(failure("\"a\\x\""), "invalid JSON at byte 2: an unknown escape");
    EXPECT_EQ(failure("\"\\u12g4\""), "invalid JSON at byte 5: expected four hexadecimal digits");
}

TEST(json_parse, refuses_what_rfc_8259_does_not_know) {
    for (const char* text : {"[1,]",
                             "{\"a\":1,}",
                             "[,1]",
                             "01",
                             "-",
                             "+1",
                             "1.",
                             ".5",
                             "1e",
                             "1e+",
                             "0x1",
                             "--1",
                             "-a",
                             "tru",
                             "nul",
                             "TRUE",
                             "nan",
                             "-NaN",
                             "Infinit",
                             "'a'",
                             "[",
                             "{",
                             "{\"a\"",
                             "{\"a\":",
                             "[1",
                             "]",
                             "}",
                             "\"\\",
                             "\"\\u",
                             "\"\\u00",
                             "\xEF\xBB\xBF[]",
                             "// c\n1",
                             "1\v"}) {
        EXPECT_NE(failure(text), "accepted") << text;
    }
}

TEST(json_parse, refuses_lone_surrogates) {
    for (const char* text :
         {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")", R"("\ud800\u0041")"}) {
        EXPECT_EQ(failure(text), "invalid JSON at byte 1: a lone surrogate") << text;
    }
}

TEST(json_parse, refuses_invalid_utf8_and_accepts_the_edges_of_valid) {
    for (const char* bytes :
         {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
          "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        EXPECT_EQ(failure('"' + std::string{bytes} + '"'), "invalid JSON at byte 1: invalid UTF-8");
        EXPECT_EQ(failure("\"12345678" + std::string{bytes}), "invalid JSON at byte 9: invalid UTF-8");
    }
    for (const char* bytes : {"\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                              "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(json::parse('"' + std::string{bytes} + '"').as_string(), bytes);
    }
}

TEST(json_parse, does_not_quote_the_text) {
    EXPECT_THAT(failure("{\"password\":\"s3cret\" oops}"), testing::Not(testing::HasSubstr("s3cret")));
}

TEST(json_parse, reads_doubles_of_every_size) {
    EXPECT_EQ(json::parse("1.5").as_double(), 1.5);
    EXPECT_EQ(json::parse("-2").as_double(), -2.0);
    EXPECT_EQ(json::parse("1E400").as_double(), std::numeric_limits<double>::infinity());
    EXPECT_EQ(json::parse("1e-400").as_double(), 0.0);
    EXPECT_EQ(json::parse("-Infinity").as_double(), -std::numeric_limits<double>::infinity());
    EXPECT_NE(json::parse("NaN").as_double(), json::parse("NaN").as_double());
    const std::string many_zeros(400, '0');
    EXPECT_EQ(json::parse("0." + many_zeros + "1e401").as_double(), 1.0);
    EXPECT_EQ(json::parse("1" + many_zeros + "e-400").as_double(), 1.0);
    EXPECT_EQ(json::parse("0." + many_zeros + "1").as_double(), 0.0);
    EXPECT_EQ(json::parse("1" + many_zeros + ".5").as_double(), std::numeric_limits<double>::infinity());
    EXPECT_EQ(json::parse("1e9223372036854775807").as_double(), std::numeric_limits<double>::infinity());
}

}  // namespace
