#include <sluice/codec.hpp>

#include <gmock/gmock.h>

#include <limits>
#include <map>

namespace shop {

enum class status { draft, placed, shipped };

struct Address {
    sluice::string<40> street;
    std::string city;
    bool operator==(const Address&) const = default;
};

struct Line {
    sluice::identifier product_id;
    int quantity = 1;

    void check(sluice::violations& broken) const {
        if (quantity < 1) broken.add("quantity", "must be at least 1");
    }
    bool operator==(const Line&) const = default;
};

struct Everything {
    static constexpr int contract = 1;
    bool flag = false;
    std::int8_t tiny = 0;
    std::uint64_t huge = 0;
    double price = 0;
    float ratio = 0;
    std::string plain;
    sluice::identifier id;
    sluice::text note;
    sluice::string<5> code;
    sluice::date_time at;
    status state = status::draft;
    std::optional<int> maybe{};
    std::vector<bool> flags;
    std::vector<Line> lines;
    std::map<std::string, double> weights;
    std::map<sluice::identifier, std::vector<Address>> addresses;
    Address address;
    sluice::json::value any;
    sluice::json::object more;
    bool operator==(const Everything&) const = default;
};

struct ShipOrder {
    sluice::identifier order_id;
    std::optional<sluice::string<50>> tracking_number{};
    bool operator==(const ShipOrder&) const = default;
};

struct PlaceOrder {
    sluice::identifier order_id;
    std::vector<Line> lines;
    Address address;
    status state = status::placed;
    std::optional<Address> billing{};

    void check(sluice::violations& broken) const {
        if (lines.empty()) broken.add("lines", "must have at least one line");
    }
};

struct Nothing {};

struct Tree {
    std::string name;
    std::vector<Tree> children;
};

struct Evolved {
    sluice::identifier id = "none";
    int added = 7;
    std::optional<int> optional = 9;
    std::vector<Line> lines;

    void check(sluice::violations& broken) const {
        if (added < 8) broken.add("added", "is too small");
    }
};

class Order {
public:
    Order() = default;
    explicit Order(sluice::identifier id) : order_id_{std::move(id)} {}
    [[nodiscard]] const sluice::identifier& id() const { return order_id_; }

private:
    sluice::identifier order_id_;
    status status_ = status::draft;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, status_))
};

class PrivateHook {
    int x_ = 0;
    void check(sluice::violations&) const {}
    BOOST_DESCRIBE_CLASS(PrivateHook, (), (), (), (x_))
};

// A strong type of a user: it keeps the rule of what it derives from.
struct order_id : sluice::identifier {
    using identifier::identifier;
};
struct WithStrongId {
    order_id id;
};

}  // namespace shop

namespace {

namespace codec = sluice::codec;
namespace json = sluice::json;
using sluice::violation;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

template <class T>
std::vector<violation> problems(std::string_view text, codec::unknown_keys unknown = codec::unknown_keys::refuse,
                                codec::missing_keys missing = codec::missing_keys::refuse) {
    try {
        (void)codec::decode<T>(json::parse(text), unknown, missing);
        return {};
    } catch (const sluice::validation_error& e) {
        return e.violations();
    }
}

shop::Everything sample() {
    shop::Everything e;
    e.flag = true;
    e.tiny = -128;
    e.huge = std::numeric_limits<std::uint64_t>::max();
    e.price = 2;
    e.ratio = 0.1F;
    e.plain = "a\"b";
    e.id = "o1";
    e.note = "Gr\u00fc\u00dfe";
    e.code = "12345";
    e.at = sluice::date_time::from_micros(1'000'001);
    e.state = shop::status::shipped;
    e.flags = {true, false};
    e.lines = {{.product_id = "p1", .quantity = 2}};
    e.weights = {{"a", 0.5}, {"b", 1.0}};
    e.addresses = {{"home", {{.street = "s", .city = "c"}}}};
    e.any = json::array{1, "x", nullptr};
    e.more = json::object{{"k", 1.5}};
    return e;
}

TEST(codec, encodes_members_in_declaration_order_as_compact_json) {
    EXPECT_EQ(codec::encode(sample()),
              R"({"flag":true,"tiny":-128,"huge":18446744073709551615,"price":2.0,"ratio":0.10000000149011612,)"
              R"("plain":"a\"b","id":"o1","note":"Grüße","code":"12345","at":"1970-01-01T00:00:01.000001+00:00",)"
              R"("state":"shipped","maybe":null,"flags":[true,false],"lines":[{"product_id":"p1","quantity":2}],)"
              R"("weights":{"a":0.5,"b":1.0},"addresses":{"home":[{"street":"s","city":"c"}]},)"
              R"("address":{"street":"","city":""},"any":[1,"x",null],"more":{"k":1.5}})");
}

TEST(codec, decodes_what_it_encoded) {
    const shop::Everything e = sample();
    EXPECT_EQ(codec::decode<shop::Everything>(json::parse(codec::encode(e))), e);
}

TEST(codec, encode_appends) {
    std::string out = "[";
    codec::encode(out, shop::Nothing{});
    EXPECT_EQ(out, "[{}");
}

TEST(codec, encodes_and_decodes_private_state) {
    EXPECT_EQ(codec::encode(shop::Order{"o1"}), R"({"order_id":"o1","status":"draft"})");
    const auto order = codec::decode<shop::Order>(json::parse(R"({"order_id":"o2","status":"placed"})"));
    EXPECT_EQ(order.id(), "o2");
    shop::Order target;
    codec::decode_into(target, json::parse(R"({"order_id":"o3","status":"placed"})"));
    EXPECT_EQ(target.id(), "o3");
}

TEST(codec, a_struct_may_contain_itself) {
    const shop::Tree tree{.name = "a", .children = {{.name = "b", .children = {}}}};
    EXPECT_EQ(codec::encode(tree), R"({"name":"a","children":[{"name":"b","children":[]}]})");
    EXPECT_EQ(codec::decode<shop::Tree>(json::parse(codec::encode(tree))).children[0].name, "b");
}

TEST(codec, an_optional_member_may_be_null_or_missing) {
    EXPECT_EQ(codec::decode<shop::ShipOrder>(json::parse(R"({"order_id":"o1"})")), (shop::ShipOrder{.order_id = "o1"}));
    EXPECT_EQ(codec::decode<shop::ShipOrder>(json::parse(R"({"order_id":"o1","tracking_number":null})")),
              (shop::ShipOrder{.order_id = "o1"}));
}

TEST(codec, all_problems_are_found_at_once) {
    EXPECT_THAT(problems<shop::PlaceOrder>(R"({
                    "lines": [{"product_id": "p1", "quantity": 1},
                              {"product_id": "", "quantity": 0},
                              {"product_id": 5, "quantity": "many"},
                              7],
                    "address": {"street": "12345678901234567890123456789012345678901", "town": "x"},
                    "state": "sent",
                    "billing": []})"),
                ElementsAre(violation{"order_id", "is required"},                   //
                            violation{"lines[1].product_id", "must not be empty"},  //
                            violation{"lines[1].quantity", "must be at least 1"},   //
                            violation{"lines[2].product_id", "expected a string, got number"},
                            violation{"lines[2].quantity", "expected a whole number, got string"},
                            violation{"lines[3]", "expected an object, got number"},
                            violation{"address.street", "has 41 characters; at most 40 are allowed"},
                            violation{"address.city", "is required"},
                            violation{"address.town", "is not a field of Address, which has: street, city"},
                            violation{"state", "expected one of: draft, placed, shipped"},
                            violation{"billing", "expected an object, got array"}));
}

TEST(codec, the_error_names_the_type) {
    try {
        (void)codec::decode<shop::ShipOrder>(json::parse(R"({"order_id":"o1","traking_number":"x"})"));
        FAIL() << "an unknown key must be refused";
    } catch (const sluice::validation_error& e) {
        EXPECT_STREQ(e.what(),
                     "ShipOrder is not valid: traking_number: is not a field of ShipOrder; did you mean "
                     "`tracking_number`?");
    }
}

TEST(codec, unknown_keys_can_be_ignored_at_every_depth) {
    EXPECT_THAT(problems<shop::PlaceOrder>(R"({"order_id":"o","lines":[{"product_id":"p","quantity":1,"x":1}],
                                               "address":{"street":"s","city":"c","x":1},"state":"draft",
                                               "billing":{"street":"s","city":"c","x":1},"x":1})",
                                           codec::unknown_keys::ignore),
                IsEmpty());
}

TEST(codec, only_an_object_can_be_a_struct) {
    EXPECT_THAT(problems<shop::ShipOrder>("[]"), ElementsAre(violation{"", "expected an object, got array"}));
    EXPECT_THAT(problems<shop::Nothing>("null"), ElementsAre(violation{"", "expected an object, got null"}));
    EXPECT_THAT(problems<shop::Nothing>(R"({"a":1})"), ElementsAre(violation{"a", "is not a field of Nothing"}));
}

TEST(codec, null_is_no_value_for_a_required_member) {
    EXPECT_THAT(problems<shop::ShipOrder>(R"({"order_id":null})"), ElementsAre(violation{"order_id", "is required"}));
}

TEST(codec, a_missing_member_can_keep_its_initialiser) {
    const auto decoded = codec::decode<shop::Evolved>(json::parse(R"({"lines":[{"product_id":"p"}]})"),
                                                      codec::unknown_keys::ignore, codec::missing_keys::keep_default);
    EXPECT_EQ(decoded.id, "none");
    EXPECT_EQ(decoded.added, 7) << "the rules of `check` are left to the next commit";
    EXPECT_EQ(decoded.optional, 9);
    EXPECT_EQ(decoded.lines[0].quantity, 1);
    EXPECT_THAT(problems<shop::Evolved>(R"({"id":"x","added":7,"lines":[]})"),
                ElementsAre(violation{"added", "is too small"}));
    EXPECT_THAT(problems<shop::Evolved>(R"({"id":null,"added":"x"})", codec::unknown_keys::ignore,
                                        codec::missing_keys::keep_default),
                ElementsAre(violation{"id", "is required"}, violation{"added", "expected a whole number, got string"}));
}

TEST(codec, rules_across_members_do_not_see_a_member_that_could_not_be_read) {
    EXPECT_THAT(
        problems<shop::PlaceOrder>(R"({"order_id":"o","lines":5,"address":{"street":"s","city":"c"},"state":"draft"})"),
        ElementsAre(violation{"lines", "expected an array, got number"}));
}

TEST(codec, integers_are_checked_against_their_type) {
    struct Numbers {
        std::int8_t tiny = 0;
        std::uint8_t byte = 0;
        std::int64_t big = 0;
        std::uint64_t huge = 0;
    };
    EXPECT_THAT(
        problems<Numbers>(R"({"tiny":-129,"byte":256,"big":9223372036854775808,"huge":18446744073709551616})"),
        ElementsAre(violation{"tiny", "must be between -128 and 127"}, violation{"byte", "must be between 0 and 255"},
                    violation{"big", "must be between -9223372036854775808 and 9223372036854775807"},
                    violation{"huge", "must be between 0 and 18446744073709551615"}));
    EXPECT_THAT(problems<Numbers>(R"({"tiny":1.5,"byte":-1,"big":1e3,"huge":NaN})"),
                ElementsAre(violation{"tiny", "must be a whole number"}, violation{"byte", "must be between 0 and 255"},
                            violation{"big", "must be a whole number"}, violation{"huge", "must be a whole number"}));
    EXPECT_THAT(problems<Numbers>(R"({"tiny":127,"byte":-0,"big":-9223372036854775808,"huge":18446744073709551615})"),
                IsEmpty());
}

TEST(codec, floating_point_numbers_are_finite) {
    struct Numbers {
        double wide = 0;
        float narrow = 0;
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_THAT(
        codec::validate(Numbers{.wide = infinity, .narrow = std::numeric_limits<float>::quiet_NaN()}),
        ElementsAre(violation{"wide", "must be a finite number"}, violation{"narrow", "must be a finite number"}));
    EXPECT_THAT(
        problems<Numbers>(R"({"wide":NaN,"narrow":-Infinity})"),
        ElementsAre(violation{"wide", "must be a finite number"}, violation{"narrow", "must be a finite number"}));
    EXPECT_THAT(problems<Numbers>(R"({"wide":1e999,"narrow":1e39})"),
                ElementsAre(violation{"wide", "must be a finite number"}, violation{"narrow", "is too large"}));
    EXPECT_THAT(problems<Numbers>(R"({"wide":1,"narrow":-1})"), IsEmpty());
}

TEST(codec, times_are_iso_8601_between_the_years_1_and_9999) {
    struct Times {
        sluice::date_time at;
    };
    EXPECT_THAT(problems<Times>(R"({"at":"yesterday"})"),
                ElementsAre(violation{"at", "is not a date and time in ISO 8601, such as 2026-11-23T07:56:25+00:00"}));
    EXPECT_THAT(problems<Times>(R"({"at":17})"), ElementsAre(violation{"at", "expected a string, got number"}));
    EXPECT_THAT(codec::validate(Times{sluice::date_time::from_micros(std::numeric_limits<std::int64_t>::max())}),
                ElementsAre(violation{"at", "must be between the years 1 and 9999"}));
    for (const std::int64_t edge : {-62'135'596'800'000'000LL, 253'402'300'799'999'999LL}) {
        const Times times{sluice::date_time::from_micros(edge)};
        EXPECT_THAT(codec::validate(times), IsEmpty());
        EXPECT_EQ(codec::decode<Times>(json::parse(codec::encode(times))).at, times.at);
    }
}

TEST(codec, validate_finds_every_broken_rule) {
    shop::Everything e = sample();
    e.id = std::string(256, 'x');
    e.code = "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc";
    e.note = "ok\xff";
    e.plain = "\xc0";
    e.state = static_cast<shop::status>(77);
    e.lines[0].product_id = std::string{"a\0b", 3};
    e.lines[0].quantity = -1;
    e.weights["a"] = std::numeric_limits<double>::infinity();
    e.addresses[""] = {};
    e.addresses["home"][0].street = std::string(41, 's');
    EXPECT_THAT(
        codec::validate(e),
        UnorderedElementsAre(
            violation{"id", "has 256 characters; at most 255 are allowed"},
            violation{"code", "has 6 characters; at most 5 are allowed"},
            violation{"note", "is not valid UTF-8 at byte 2"}, violation{"plain", "is not valid UTF-8 at byte 0"},
            violation{"state", "expected one of: draft, placed, shipped"},
            violation{"lines[0].product_id", "must not contain the character U+0000"},
            violation{"lines[0].quantity", "must be at least 1"}, violation{"weights.a", "must be a finite number"},
            violation{"addresses", "key must not be empty"},
            violation{"addresses.home[0].street", "has 41 characters; at most 40 are allowed"}));
}

TEST(codec, no_text_may_contain_u0000_wherever_it_stands) {
    const std::string broken{"x\0y", 3};
    shop::Everything e = sample();
    e.code = std::string{"\0", 1};
    e.note = broken;
    e.plain = broken;
    e.lines[0].product_id = broken;
    e.addresses["home"][0].street = broken;
    e.weights[broken] = 1;
    const char* const problem = "must not contain the character U+0000";
    EXPECT_THAT(
        codec::validate(e),
        UnorderedElementsAre(violation{"code", problem}, violation{"note", problem}, violation{"plain", problem},
                             violation{"lines[0].product_id", problem}, violation{"addresses.home[0].street", problem},
                             violation{"weights." + broken, std::string{"key "} + problem}));
}

TEST(codec, text_stored_with_u0000_stays_readable_but_is_not_taken_from_outside) {
    const json::value stored = json::parse(R"({"order_id":"o\u0000-1"})");
    EXPECT_EQ(codec::decode<shop::ShipOrder>(stored, codec::unknown_keys::ignore).order_id, (std::string{"o\0-1", 4}));
    EXPECT_THROW(static_cast<void>(codec::decode<shop::ShipOrder>(stored)), sluice::validation_error);
}

TEST(codec, lengths_count_characters_at_their_bounds) {
    EXPECT_THAT(codec::validate(shop::ShipOrder{.order_id = std::string(255, 'x')}), IsEmpty());
    std::string fifty;
    for (int i = 0; i < 50; ++i) fifty += "\U0001f600";
    EXPECT_THAT(codec::validate(shop::ShipOrder{.order_id = "o", .tracking_number = fifty}), IsEmpty());
    EXPECT_EQ(codec::validate(shop::ShipOrder{.order_id = "o", .tracking_number = fifty + "x"}).size(), 1U);
}

TEST(codec, free_form_json_must_be_json) {
    struct Free {
        json::value any;
        json::object more;
    };
    Free free;
    free.any = json::array{json::number{"1."}, json::number{" 1"}, "\xff", json::value{1.5}, json::number{"NaN"}};
    free.more = json::object{{"a\xff", 1}, {"b", json::number{"true"}}};
    EXPECT_THAT(
        codec::validate(free),
        ElementsAre(violation{"any[0]", "is not a JSON number"}, violation{"any[1]", "is not a JSON number"},
                    violation{"any[2]", "is not valid UTF-8 at byte 0"}, violation{"any[4]", "must be a finite number"},
                    violation{"more.a\xff", "key is not valid UTF-8 at byte 1"},
                    violation{"more.b", "is not a JSON number"}));
    EXPECT_THAT(problems<Free>(R"({"any":null,"more":{}})"), IsEmpty());
    EXPECT_THAT(problems<Free>(R"({"more":1})"),
                ElementsAre(violation{"any", "is required"}, violation{"more", "expected an object, got number"}));

    json::value deep;
    for (int i = 0; i < 200; ++i) deep = json::array{std::move(deep)};
    free = {.any = std::move(deep), .more = {}};
    ASSERT_EQ(codec::validate(free).size(), 1U);
    EXPECT_EQ(codec::validate(free)[0].message, "is nested deeper than 100 levels");
}

TEST(codec, require_valid_names_the_type_and_all_fields) {
    EXPECT_NO_THROW(codec::require_valid(shop::ShipOrder{.order_id = "o"}));
    try {
        codec::require_valid(shop::PlaceOrder{});
        FAIL() << "must throw";
    } catch (const sluice::validation_error& e) {
        EXPECT_STREQ(e.what(),
                     "PlaceOrder is not valid: order_id: must not be empty; lines: must have at least one line");
    }
}

TEST(codec, a_type_derived_from_a_field_keeps_its_rule) {
    EXPECT_EQ(codec::encode(shop::WithStrongId{.id = "o1"}), R"({"id":"o1"})");
    EXPECT_THAT(problems<shop::WithStrongId>(R"({"id":""})"), ElementsAre(violation{"id", "must not be empty"}));
}

TEST(codec, notices_a_rule_hook_that_it_cannot_call) {
    struct not_const {
        void check(sluice::violations&) {}
    };
    struct field_of_that_name {
        bool check = false;
    };
    EXPECT_TRUE(codec::detail::has_unusable_check<shop::PrivateHook>());
    EXPECT_TRUE(codec::detail::has_unusable_check<not_const>());
    EXPECT_FALSE(codec::detail::has_unusable_check<field_of_that_name>());
    EXPECT_FALSE(codec::detail::has_unusable_check<shop::PlaceOrder>());
    EXPECT_FALSE(codec::detail::has_unusable_check<shop::ShipOrder>());
}

TEST(codec, knows_which_types_it_can_store) {
    struct Base {};
    struct Derived : Base {
        int x = 0;
    };
    EXPECT_TRUE(codec::field_type<std::optional<std::vector<shop::Address>>>);
    EXPECT_TRUE((codec::field_type<std::map<std::string, json::value>>));
    EXPECT_FALSE(codec::field_type<char>);
    EXPECT_FALSE(codec::field_type<const char*>);
    EXPECT_FALSE(codec::field_type<long double>);
    EXPECT_FALSE(codec::field_type<std::optional<std::optional<int>>>);
    EXPECT_FALSE((codec::field_type<std::map<int, int>>));
    EXPECT_FALSE((codec::field_type<std::vector<std::pair<int, int>>>));
    EXPECT_FALSE(codec::field_type<Derived>);
    EXPECT_FALSE(codec::field_type<std::string_view>);
}

}  // namespace
