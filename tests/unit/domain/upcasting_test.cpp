#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <sluice/sluice.hpp>

#include "unit/domain/problems.hpp"

// What was written in older versions arrives in the current one.
namespace parcels {

class Parcel;

struct ParcelSent {
    static constexpr sluice::event_of<Parcel> contract{.published = true, .version = 4};
    sluice::identifier parcel_id;
};

struct ParcelLost {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
};

/// The same event as it was, kept as a struct of its own.
struct ParcelSentLongAgo {
    static constexpr sluice::event_of<Parcel> contract{.name = "ParcelSent"};
    sluice::identifier parcel_id;
};

class Parcel : public sluice::aggregate<Parcel> {
    sluice::identifier parcel_id_;
    BOOST_DESCRIBE_CLASS(Parcel, (), (), (), (parcel_id_))
};

namespace {

using sluice::as_version;
using sluice::from;
using sluice::to;
using sluice::json::object;
using sluice::testing::problems_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Leaves a trace of the step in the payload.
struct note {
    std::string step;
    object operator()(object data) const {
        data.set("steps", data.find("steps") == nullptr ? step : data.at("steps").as_string() + " " + step);
        return data;
    }
};

object first_note(object data) { return note{"1-3"}(std::move(data)); }

sluice::domain make_domain() {
    sluice::domain domain{"post"};
    domain.aggregate<Parcel>().events<ParcelSent>();
    return domain;
}

/// 1 -> 3 -> 4 and 2 -> 3.
sluice::domain with_chain() {
    sluice::domain domain = make_domain();
    domain.upcaster<ParcelSent, from<1>, to<3>>(first_note)
        .upcaster<ParcelSent, from<2>, to<3>>(note{"2-3"})
        .upcaster<ParcelSent, from<3>, to<4>>(std::function<object(object)>{note{"3-4"}});
    return domain;
}

std::string read(const sluice::domain& domain, const std::string& type, const sluice::json::value& data) {
    const auto event = domain.declared().read_event(type, data);
    return event ? event->entry().cpp_name + " " + sluice::json::dump(event->data()) : "nothing";
}

const sluice::json::value payload = object{{"parcel_id", "p-1"}};

TEST(upcasters, bring_every_older_version_to_the_current_one) {
    const auto domain = with_chain();
    EXPECT_EQ(problems_of(domain), "");
    EXPECT_EQ(read(domain, "Post.ParcelSent.v1", payload),
              R"(parcels::ParcelSent {"parcel_id":"p-1","steps":"1-3 3-4"})");
    EXPECT_EQ(read(domain, "Post.ParcelSent.v2", payload),
              R"(parcels::ParcelSent {"parcel_id":"p-1","steps":"2-3 3-4"})");
    EXPECT_EQ(read(domain, "Post.ParcelSent.v3", payload), R"(parcels::ParcelSent {"parcel_id":"p-1","steps":"3-4"})");
    EXPECT_EQ(domain.declared().event_by_type("Post.ParcelSent.v1")->type, "Post.ParcelSent.v4");
}

TEST(upcasters, leave_the_current_version_as_it_is_without_a_copy) {
    const auto domain = with_chain();
    const auto event = domain.declared().read_event("Post.ParcelSent.v4", payload);
    ASSERT_TRUE(event);
    EXPECT_EQ(&event->data(), &payload);
    EXPECT_FALSE(event->is_upcast());
}

TEST(upcasters, leave_unknown_types_and_later_versions_unknown) {
    const auto domain = with_chain();
    for (const char* type : {"Post.ParcelSent.v5", "Post.ParcelSent.v0", "Post.ParcelSent", "Post.Other.v1", ""}) {
        EXPECT_EQ(read(domain, type, payload), "nothing") << type;
        EXPECT_EQ(domain.declared().event_by_type(type), nullptr) << type;
    }
    EXPECT_EQ(read(make_domain(), "Post.ParcelSent.v3", payload), "nothing") << "no upcaster leads from there";
}

TEST(upcasters, may_be_declared_before_their_event_and_in_any_order) {
    sluice::domain domain{"post"};
    domain.upcaster<ParcelSent, from<3>, to<4>>(note{"3-4"});
    domain.aggregate<Parcel>().events<ParcelSent>();
    domain.upcaster<ParcelSent, from<2>, to<3>>(note{"2-3"});
    EXPECT_EQ(read(domain, "Post.ParcelSent.v2", payload),
              R"(parcels::ParcelSent {"parcel_id":"p-1","steps":"2-3 3-4"})");
}

TEST(upcasters, may_keep_what_cannot_be_copied) {
    auto domain = make_domain();
    domain.upcaster<ParcelSent, from<3>, to<4>>([carrier = std::make_unique<std::string>("owl")](object data) {
        data.set("carrier", *carrier);
        return data;
    });
    EXPECT_EQ(read(domain, "Post.ParcelSent.v3", payload),
              R"(parcels::ParcelSent {"parcel_id":"p-1","carrier":"owl"})");
}

std::string failure_of(const sluice::domain& domain, const std::string& type, const sluice::json::value& data) {
    try {
        (void)domain.declared().read_event(type, data);
    } catch (const sluice::decode_error& e) {
        return e.what();
    }
    return {};
}

TEST(upcasters, name_event_versions_and_reason_when_they_throw) {
    auto domain = make_domain();
    domain.upcaster<ParcelSent, from<1>, to<2>>(note{"1-2"})
        .upcaster<ParcelSent, from<2>, to<4>>([](object data) {
            data.set("weight", data.at("grams"));
            return data;
        })
        .upcaster<ParcelSent, from<3>, to<4>>([](object) -> object { throw 7; });
    EXPECT_EQ(failure_of(domain, "Post.ParcelSent.v1", payload),
              "event `ParcelSent` cannot be brought from version 2 to 4: the JSON object has no key 'grams'");
    EXPECT_THAT(failure_of(domain, "Post.ParcelSent.v3", payload),
                HasSubstr("from version 3 to 4: its upcaster threw something that is no std::exception"));
    EXPECT_THAT(failure_of(domain, "Post.ParcelSent.v3", sluice::json::array{}),
                HasSubstr("its data is array, expected an object"));
}

TEST(upcaster_chain, names_every_mistake) {
    auto domain = make_domain();
    domain.upcaster<ParcelSent, from<1>, to<2>>(note{})
        .upcaster<ParcelSent, from<1>, to<4>>(note{})
        .upcaster<ParcelSent, from<3>, to<3>>(note{})
        .upcaster<ParcelSent, from<4>, to<5>>(note{})
        .upcaster<ParcelSent, from<3>, to<4>>(std::function<object(object)>{})
        .upcaster<ParcelLost, from<1>, to<2>>(note{});
    const std::string problems = problems_of(domain);
    EXPECT_THAT(problems, HasSubstr("`parcels::ParcelSent` has two upcasters from version 1, to 2 and to 4; keep one"));
    EXPECT_THAT(problems, HasSubstr("`parcels::ParcelSent` from version 3 to 3 goes nowhere"));
    EXPECT_THAT(problems, HasSubstr("from version 4 to 5 goes beyond its current version 4; set `.version = 5`"));
    EXPECT_THAT(problems, HasSubstr("from version 3 to 4 is an empty function"));
    EXPECT_THAT(problems, HasSubstr("lead from version 1 to 2 and end there, but its current version is 4; add "
                                    "`domain.upcaster<parcels::ParcelSent, sluice::from<2>, sluice::to<4>>(…)`"));
    EXPECT_THAT(problems, HasSubstr("an upcaster names event `parcels::ParcelLost`, which is not declared"));
}

TEST(upcaster_chain, must_not_read_a_type_that_another_event_has) {
    auto domain = with_chain();
    domain.aggregate<Parcel>().events<ParcelSentLongAgo>();
    EXPECT_THAT(problems_of(domain),
                HasSubstr("the upcaster of event `parcels::ParcelSent` from version 1 reads type `Post.ParcelSent.v1`, "
                          "which is one of event `parcels::ParcelSentLongAgo`; remove one of the two"));
}

TEST(upcaster_gap, is_every_older_version_that_nothing_leads_from) {
    auto domain = make_domain();
    const auto gap = [&domain] {
        return domain.declared().unreadable_versions(domain.declared().events.at("parcels::ParcelSent"));
    };
    EXPECT_THAT(gap(), ElementsAre(1, 2, 3));
    domain.upcaster<ParcelSent, from<1>, to<4>>(note{});
    EXPECT_THAT(gap(), ElementsAre(2, 3));
    domain.upcaster<ParcelSent, from<2>, to<3>>(note{});
    EXPECT_THAT(gap(), ElementsAre(2, 3)) << "it leads on to a version that nothing leads from";
    domain.upcaster<ParcelSent, from<3>, to<4>>(note{});
    EXPECT_THAT(gap(), IsEmpty());
}

TEST(upcaster_gap, leaves_out_a_version_that_another_event_declares) {
    sluice::domain domain{"post"};
    domain.aggregate<Parcel>().events<ParcelSent, ParcelSentLongAgo>();
    EXPECT_THAT(domain.declared().unreadable_versions(domain.declared().events.at("parcels::ParcelSent")),
                ElementsAre(2, 3));
}

TEST(also_published, names_every_mistake) {
    auto domain = make_domain();
    domain.aggregate<Parcel>().events<ParcelLost>();
    domain.also_published<ParcelSent, as_version<4>>(note{})
        .also_published<ParcelSent, as_version<1>>(note{})
        .also_published<ParcelSent, as_version<1>>(note{})
        .also_published<ParcelSent, as_version<2>>(std::function<object(object)>{})
        .also_published<ParcelLost, as_version<1>>(note{})
        .also_published<ParcelSentLongAgo, as_version<1>>(note{});
    const std::string problems = problems_of(domain);
    EXPECT_THAT(problems, HasSubstr("`parcels::ParcelSent` is also published as version 4, which is not older than its "
                                    "current version 4"));
    EXPECT_THAT(problems, HasSubstr("`parcels::ParcelSent` is also published as version 1 twice"));
    EXPECT_THAT(problems, HasSubstr("`parcels::ParcelSent` is also published as version 2 by an empty function"));
    EXPECT_THAT(problems, HasSubstr("event `parcels::ParcelLost` is also published in an older version, but is not "
                                    "published; set `.published = true`"));
    EXPECT_THAT(problems,
                HasSubstr("`also_published` names event `parcels::ParcelSentLongAgo`, which is not declared"));
}

}  // namespace
}  // namespace parcels
