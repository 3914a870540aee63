#include <sluice/json.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace {

namespace json = sluice::json;
using json::style;

struct vector {
    const char* text;
    const char* canonical;
    const char* python;
};

/// What Python 3.11 writes after reading `text`: `json.dumps(v, sort_keys=True, separators=(",", ":"))`,
/// `json.dumps(v)`.
constexpr vector vectors[] = {
    {R"~({})~", R"~({})~", R"~({})~"},
    {R"~([])~", R"~([])~", R"~([])~"},
    {R"~(null)~", R"~(null)~", R"~(null)~"},
    {R"~(true)~", R"~(true)~", R"~(true)~"},
    {R"~([1,2.0,-0,-0.0,0])~", R"~([1,2.0,0,-0.0,0])~", R"~([1, 2.0, 0, -0.0, 0])~"},
    {R"~(1e5)~", R"~(100000.0)~", R"~(100000.0)~"},
    {R"~(1.50)~", R"~(1.5)~", R"~(1.5)~"},
    {R"~(1E400)~", R"~(Infinity)~", R"~(Infinity)~"},
    {R"~(-1E400)~", R"~(-Infinity)~", R"~(-Infinity)~"},
    {R"~(1e-400)~", R"~(0.0)~", R"~(0.0)~"},
    {R"~(-1e-400)~", R"~(-0.0)~", R"~(-0.0)~"},
    {R"~(1E+2)~", R"~(100.0)~", R"~(100.0)~"},
    {R"~(0e10)~", R"~(0.0)~", R"~(0.0)~"},
    {R"~(0.0000)~", R"~(0.0)~", R"~(0.0)~"},
    {R"~(1.0e-5)~", R"~(1e-05)~", R"~(1e-05)~"},
    {R"~(0.0001)~", R"~(0.0001)~", R"~(0.0001)~"},
    {R"~(0.00001)~", R"~(1e-05)~", R"~(1e-05)~"},
    {R"~(0.00012345)~", R"~(0.00012345)~", R"~(0.00012345)~"},
    {R"~(1e15)~", R"~(1000000000000000.0)~", R"~(1000000000000000.0)~"},
    {R"~(1e16)~", R"~(1e+16)~", R"~(1e+16)~"},
    {R"~(9999999999999998.0)~", R"~(9999999999999998.0)~", R"~(9999999999999998.0)~"},
    {R"~(123456789012345678.0)~", R"~(1.2345678901234568e+17)~", R"~(1.2345678901234568e+17)~"},
    {R"~(1e22)~", R"~(1e+22)~", R"~(1e+22)~"},
    {R"~(1e23)~", R"~(1e+23)~", R"~(1e+23)~"},
    {R"~(1e-7)~", R"~(1e-07)~", R"~(1e-07)~"},
    {R"~(5e-324)~", R"~(5e-324)~", R"~(5e-324)~"},
    {R"~(2.4703282292062327e-324)~", R"~(0.0)~", R"~(0.0)~"},
    {R"~(2.4703282292062328e-324)~", R"~(5e-324)~", R"~(5e-324)~"},
    {R"~(1.7976931348623157e308)~", R"~(1.7976931348623157e+308)~", R"~(1.7976931348623157e+308)~"},
    {R"~(1.7976931348623159e308)~", R"~(Infinity)~", R"~(Infinity)~"},
    {R"~(9007199254740993.0)~", R"~(9007199254740992.0)~", R"~(9007199254740992.0)~"},
    {R"~(0.1)~", R"~(0.1)~", R"~(0.1)~"},
    {R"~(0.30000000000000004)~", R"~(0.30000000000000004)~", R"~(0.30000000000000004)~"},
    {R"~(100.10)~", R"~(100.1)~", R"~(100.1)~"},
    {R"~(1180591620717411303424)~", R"~(1180591620717411303424)~", R"~(1180591620717411303424)~"},
    {R"~(-9223372036854775809)~", R"~(-9223372036854775809)~", R"~(-9223372036854775809)~"},
    {R"~(1e99999999999999999999999)~", R"~(Infinity)~", R"~(Infinity)~"},
    {R"~(0.1e-99999999999999999999999)~", R"~(0.0)~", R"~(0.0)~"},
    {R"~([NaN,Infinity,-Infinity])~", R"~([NaN,Infinity,-Infinity])~", R"~([NaN, Infinity, -Infinity])~"},
    {R"~("plain")~", R"~("plain")~", R"~("plain")~"},
    {R"~("")~", R"~("")~", R"~("")~"},
    {R"~("/\/")~", R"~("//")~", R"~("//")~"},
    {R"~("\"\\\n\r\t\b\f")~", R"~("\"\\\n\r\t\b\f")~", R"~("\"\\\n\r\t\b\f")~"},
    {R"~("\u0000\u001f\u0020\u007e\u007f")~", R"~("\u0000\u001f ~\u007f")~", R"~("\u0000\u001f ~\u007f")~"},
    {R"~("é ü ß €")~", R"~("\u00e9 \u00fc \u00df \u20ac")~", R"~("\u00e9 \u00fc \u00df \u20ac")~"},
    {R"~("\u00e9\u20AC")~", R"~("\u00e9\u20ac")~", R"~("\u00e9\u20ac")~"},
    {R"~("\uD83D\uDE00 😀")~", R"~("\ud83d\ude00 \ud83d\ude00")~", R"~("\ud83d\ude00 \ud83d\ude00")~"},
    {R"~("\u2028\u2029")~", R"~("\u2028\u2029")~", R"~("\u2028\u2029")~"},
    {R"~("𐀀􏿿")~", R"~("\ud800\udc00\udbff\udfff")~", R"~("\ud800\udc00\udbff\udfff")~"},
    {R"~({"b":1,"a":2})~", R"~({"a":2,"b":1})~", R"~({"b": 1, "a": 2})~"},
    {R"~({"a":1,"b":2,"a":3})~", R"~({"a":3,"b":2})~", R"~({"a": 3, "b": 2})~"},
    {R"~({"z":{"y":1,"x":[{"d":1,"c":2}]},"a":[]})~", R"~({"a":[],"z":{"x":[{"c":2,"d":1}],"y":1}})~",
     R"~({"z": {"y": 1, "x": [{"d": 1, "c": 2}]}, "a": []})~"},
    {R"~({"é":1,"z":2,"Z":3,"":4})~", R"~({"":4,"Z":3,"z":2,"\u00e9":1})~",
     R"~({"\u00e9": 1, "z": 2, "Z": 3, "": 4})~"},
    {R"~({"😀":1,"￿":2,"a":3})~", R"~({"a":3,"\uffff":2,"\ud83d\ude00":1})~",
     R"~({"\ud83d\ude00": 1, "\uffff": 2, "a": 3})~"},
    {R"~({"a":{},"b":[[],[{}]],"c":""})~", R"~({"a":{},"b":[[],[{}]],"c":""})~",
     R"~({"a": {}, "b": [[], [{}]], "c": ""})~"},
    {R"~({"\u0061":1,"b":2,"a":{"b":1,"b":null}})~", R"~({"a":{"b":null},"b":2})~", R"~({"a": {"b": null}, "b": 2})~"},
    {R"~({"10":1,"9":2,"1":3})~", R"~({"1":3,"10":1,"9":2})~", R"~({"10": 1, "9": 2, "1": 3})~"},
    {R"~({"order_id":"o-0","amount":1.1})~", R"~({"amount":1.1,"order_id":"o-0"})~",
     R"~({"order_id": "o-0", "amount": 1.1})~"},
    {R"~({"price":2.0,"qty":2,"total":4.00,"note":"für Ærøskøbing"})~",
     R"~({"note":"f\u00fcr \u00c6r\u00f8sk\u00f8bing","price":2.0,"qty":2,"total":4.0})~",
     R"~({"price": 2.0, "qty": 2, "total": 4.0, "note": "f\u00fcr \u00c6r\u00f8sk\u00f8bing"})~"},
    {R"~(  [ 1 , { "a" : true , "b" : false } , "x" ]  )~", R"~([1,{"a":true,"b":false},"x"])~",
     R"~([1, {"a": true, "b": false}, "x"])~"},
    {R"~([[[[[["deep"]]]]]])~", R"~([[[[[["deep"]]]]]])~", R"~([[[[[["deep"]]]]]])~"},
    {R"~({"a b":"c\td","A":1.0E+2})~", R"~({"A":100.0,"a b":"c\td"})~", R"~({"a b": "c\td", "A": 100.0})~"},
};

TEST(json_dump, canonical_and_python_styles_are_those_of_python) {
    for (const auto& [text, canonical, python] : vectors) {
        const json::value v = json::parse(text);
        EXPECT_EQ(json::dump(v, style::canonical), canonical) << text;
        EXPECT_EQ(json::dump(v, style::python), python) << text;
    }
}

TEST(json_dump, every_style_reads_back_as_the_same_value) {
    for (const auto& [text, canonical, python] : vectors) {
        const json::value v = json::parse(text);
        EXPECT_EQ(json::parse(json::dump(v, style::compact)), v) << text;
        EXPECT_EQ(json::parse(json::dump(v, style::pretty)), v) << text;
        EXPECT_EQ(json::dump(json::parse(canonical), style::canonical), canonical);
        EXPECT_EQ(json::dump(json::parse(python), style::python), python);
    }
}

TEST(json_dump, compact_keeps_number_texts_order_and_utf8) {
    const json::value v = json::parse(R"( { "b" : 1.50 , "a" : [ 1E400, -0, "\u00e9\ud83d\ude00\u007f\u0001/" ] } )");
    EXPECT_EQ(json::dump(v), "{\"b\":1.50,\"a\":[1E400,-0,\"é😀\x7f\\u0001/\"]}");
}

TEST(json_dump, pretty_is_indented_by_two_spaces) {
    const json::value v = json::parse(R"({"a":[1,{"b":"é"}],"c":{},"d":[]})");
    EXPECT_EQ(json::dump(v, style::pretty), R"({
  "a": [
    1,
    {
      "b": "é"
    }
  ],
  "c": {},
  "d": []
})");
}

TEST(json_dump, an_unescaped_delete_character_is_escaped_only_in_ascii_styles) {
    const json::value v = json::parse("\"\x7f\"");
    EXPECT_EQ(json::dump(v, style::canonical), R"("\u007f")");
    EXPECT_EQ(json::dump(v, style::compact), "\"\x7f\"");
}

TEST(json_dump, special_characters_are_found_at_every_offset) {
    const std::pair<char, std::string> escapes[] = {{'"', R"(\")"},        {'\\', R"(\\)"},
                                                    {'\n', R"(\n)"},       {'\x01', R"(\u0001)"},
                                                    {'\x1f', R"(\u001f)"}, {'\x7f', R"(\u007f)"}};
    const std::string plain(40, 'x');
    for (std::size_t offset = 0; offset < plain.size(); ++offset) {
        for (const auto& [special, escape] : escapes) {
            const std::string before = plain.substr(0, offset);
            const std::string after = plain.substr(offset);
            EXPECT_EQ(json::dump(before + special + after, style::canonical), '"' + before + escape + after + '"');
        }
    }
}

TEST(json_dump, dump_to_appends) {
    std::string out = "data: ";
    json::dump_to(out, json::parse("[1]"));
    EXPECT_EQ(out, "data: [1]");
}

TEST(json_append_string, replaces_each_malformed_sequence_as_python_does) {
    const auto quoted = [](std::string_view text) {
        std::string out;
        json::append_string(out, text);
        return out;
    };
    EXPECT_EQ(quoted("a\x80z"), "\"a\uFFFDz\"");
    EXPECT_EQ(quoted("\xE2\x82z"), "\"\uFFFDz\"");                // cut short: one
    EXPECT_EQ(quoted("\xC0\xAF"), "\"\uFFFD\uFFFD\"");            // overlong
    EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");  // a surrogate
    EXPECT_EQ(quoted("\xF4\x90\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
    EXPECT_EQ(quoted("\xF0\x9F\x98"), "\"\uFFFD\"");
    EXPECT_EQ(json::dump(json::value{"\xFF"}, style::canonical), R"("\ufffd")");
}

TEST(json_append_double, writes_the_repr_of_python) {
    const auto repr = [](double d) {
        std::string out;
        json::append_double(out, d);
        return out;
    };
    EXPECT_EQ(repr(2.0), "2.0");
    EXPECT_EQ(repr(-0.0), "-0.0");
    EXPECT_EQ(repr(0.1), "0.1");
    EXPECT_EQ(repr(1e22), "1e+22");
    EXPECT_EQ(repr(1e-7), "1e-07");
    EXPECT_EQ(repr(1e16), "1e+16");
    EXPECT_EQ(repr(9999999999999998.0), "9999999999999998.0");
    EXPECT_EQ(repr(123456789012345678.0), "1.2345678901234568e+17");
    EXPECT_EQ(repr(5e-324), "5e-324");
    EXPECT_EQ(repr(0.0001), "0.0001");
    EXPECT_EQ(repr(0.00001), "1e-05");
    EXPECT_EQ(repr(std::numeric_limits<double>::quiet_NaN()), "NaN");
    EXPECT_EQ(repr(std::numeric_limits<double>::infinity()), "Infinity");
    EXPECT_EQ(repr(-std::numeric_limits<double>::infinity()), "-Infinity");
}

}  // namespace
