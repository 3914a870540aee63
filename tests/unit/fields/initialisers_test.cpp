#include <gmock/gmock.h>

#include <map>

#include <sluice/codec.hpp>

// What was written before a member was there.
namespace grown {

using sluice::codec::missing_keys;
using sluice::codec::unknown_keys;
using ::testing::ElementsAre;

enum class colour { red, green };

struct Place {
    sluice::text city;
    int floor = 1;
};
struct Home {
    sluice::text city = "Ulm";
    int floor = 1;
};

struct Visited {
    sluice::identifier place_id;
    std::string note = "none";
    std::string remark{};
    int pieces = 0;
    int count;
    bool urgent = false;
    colour of = colour::red;
    colour shade;
    std::uint8_t full = 0xA5;
    std::optional<int> maybe{};
    std::vector<int> list;
    std::map<std::string, int> table;
    sluice::date_time at;
    Place place;
    Home home;
    Place given{.city = "Bonn"};
};

Visited read(const char* text, missing_keys missing = missing_keys::initialised) {
    return sluice::codec::decode<Visited>(sluice::json::parse(text), unknown_keys::ignore, missing);
}
std::vector<std::string> missed(const char* text, missing_keys missing = missing_keys::initialised) {
    std::vector<std::string> fields;
    try {
        static_cast<void>(read(text, missing));
    } catch (const sluice::validation_error& e) {
        for (const auto& each : e.violations()) fields.push_back(each.field);
    }
    return fields;
}

TEST(missing_members, are_errors_only_when_they_have_no_initialiser) {
    EXPECT_THAT(missed("{}"), ElementsAre("place_id", "remark", "count", "shade", "at", "place"));
    EXPECT_THAT(missed("{}", missing_keys::refuse),
                ElementsAre("place_id", "note", "remark", "pieces", "count", "urgent", "of", "shade", "full", "list",
                            "table", "at", "place", "home", "given"))
        << "a command from outside";
}

TEST(missing_members, keep_what_they_are_initialised_with) {
    const Visited visited = read(R"({"place_id":"p","remark":"","count":3,"shade":"green",)"
                                 R"("at":"2026-01-01T00:00:00+00:00","place":{"city":"Rom"}})");
    EXPECT_EQ(visited.note, "none");
    EXPECT_EQ(visited.pieces, 0);
    EXPECT_EQ(visited.full, 0xA5) << "though memory was full of that";
    EXPECT_EQ(visited.place.floor, 1) << "also in a part";
    EXPECT_EQ(visited.home.city, "Ulm");
    EXPECT_EQ(visited.given.city, "Bonn");
    EXPECT_TRUE(visited.list.empty());
}

TEST(missing_members, are_still_checked_when_they_are_there) {
    EXPECT_THAT(missed(R"({"place_id":"p","remark":"","count":3,"shade":"green","pieces":"x",)"
                       R"("at":"2026-01-01T00:00:00+00:00","place":{"city":"Rom"},"note":null})"),
                ElementsAre("note", "pieces"));
}

}  // namespace grown
