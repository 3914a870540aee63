#include <sluice/codec.hpp>

#include <gmock/gmock.h>

// Renamed members, read under the names they had.
namespace shop {

struct Street {
    static constexpr auto aliases = sluice::aliases({{"road", "name"}});
    sluice::string<10> name;
    int number = 0;
};

struct Delivery {
    static constexpr auto aliases =
        sluice::aliases({{"arrival", "arrived_at"}, {"arrived", "arrived_at"}, {"streets", "route"}});
    sluice::identifier delivery_id;
    std::string arrived_at;
    std::optional<Street> start;
    std::vector<Street> route;
};

class Van {
public:
    static constexpr auto aliases = sluice::aliases({{"plate", "registration"}});
    [[nodiscard]] const std::string& registration() const { return registration_; }

private:
    std::string registration_ = "none";
    BOOST_DESCRIBE_CLASS(Van, (), (), (), (registration_))
};

class PrivateAliases {
    static constexpr auto aliases = sluice::aliases({{"plate", "registration"}});
    std::string registration_;
    BOOST_DESCRIBE_CLASS(PrivateAliases, (), (), (), (registration_))
};

struct NoList {
    static constexpr int aliases = 1;
    int n = 0;
};

struct FieldOfThatName {
    int aliases = 0;
};

}  // namespace shop

namespace {

namespace codec = sluice::codec;
namespace json = sluice::json;
using sluice::violation;
using testing::ElementsAre;

template <class T>
T read(const char* text, codec::unknown_keys unknown = codec::unknown_keys::refuse,
       codec::missing_keys missing = codec::missing_keys::refuse) {
    return codec::decode<T>(json::parse(text), unknown, missing);
}

template <class T>
std::vector<violation> problems(const char* text) {
    try {
        (void)read<T>(text);
    } catch (const sluice::validation_error& e) {
        return e.violations();
    }
    return {};
}

TEST(aliases, let_a_member_be_read_under_its_former_names) {
    EXPECT_EQ(read<shop::Delivery>(R"({"delivery_id":"d","arrival":"noon","route":[]})").arrived_at, "noon");
    EXPECT_EQ(read<shop::Delivery>(R"({"delivery_id":"d","arrived":"dusk","route":[]})").arrived_at, "dusk");
    EXPECT_EQ(read<shop::Delivery>(R"({"delivery_id":"d","arrived":"dusk","arrival":"noon","route":[]})").arrived_at,
              "noon")
        << "of two former names the first in the list counts";
    EXPECT_EQ(read<shop::Delivery>(R"({"delivery_id":"d","arrived_at":"dawn","route":[]})").arrived_at, "dawn");
}

TEST(aliases, give_way_to_the_new_name) {
    EXPECT_EQ(read<shop::Delivery>(R"({"delivery_id":"d","arrival":"noon","arrived_at":"dawn","route":[]})").arrived_at,
              "dawn");
    EXPECT_THAT(problems<shop::Delivery>(R"({"delivery_id":"d","arrival":"noon","arrived_at":null,"route":[]})"),
                ElementsAre(violation{"arrived_at", "is required"}));
}

TEST(aliases, hold_inside_of_other_members) {
    const auto read_one = read<shop::Delivery>(
        R"({"delivery_id":"d","arrival":"noon","start":{"road":"Elm","number":1},"streets":[{"road":"Oak","number":2}]})");
    EXPECT_EQ(read_one.start->name.str(), "Elm");
    EXPECT_EQ(read_one.route.at(0).name.str(), "Oak");
    EXPECT_EQ(
        codec::encode(read_one),
        R"({"delivery_id":"d","arrived_at":"noon","start":{"name":"Elm","number":1},"route":[{"name":"Oak","number":2}]})")
        << "only new names are written";
}

TEST(aliases, hold_in_classes_with_private_state) {
    EXPECT_EQ(read<shop::Van>(R"({"plate":"X 1"})").registration(), "X 1");
    EXPECT_EQ(read<shop::Van>(R"({})", codec::unknown_keys::ignore, codec::missing_keys::keep_default).registration(),
              "none");
}

TEST(aliases, appear_in_errors_as_they_were_written) {
    EXPECT_THAT(problems<shop::Delivery>(
                    R"({"delivery_id":"d","arrived":7,"streets":[{"road":"far too long","number":1}],"arival":1})"),
                ElementsAre(violation{"arrived", "expected a string, got number"},
                            violation{"streets[0].road", "has 12 characters; at most 10 are allowed"},
                            violation{"arival",
                                      "is not a field of Delivery, which has: delivery_id, arrived_at, start, "
                                      "route"}));
    EXPECT_THAT(problems<shop::Street>(R"({"number":1})"), ElementsAre(violation{"name", "is required"}));
}

TEST(aliases, are_noticed_where_the_codec_cannot_see_them) {
    EXPECT_TRUE(codec::detail::has_unusable_aliases<shop::PrivateAliases>());
    EXPECT_TRUE(codec::detail::has_unusable_aliases<shop::NoList>());
    EXPECT_FALSE(codec::detail::has_unusable_aliases<shop::FieldOfThatName>());
    EXPECT_FALSE(codec::detail::has_unusable_aliases<shop::Delivery>());
    EXPECT_FALSE(codec::detail::has_unusable_aliases<shop::Van>());
    EXPECT_EQ(read<shop::FieldOfThatName>(R"({"aliases":3})").aliases, 3);
}

}  // namespace
