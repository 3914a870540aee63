#include <gtest/gtest.h>

#include "broker/inline/inline_broker.hpp"
#include "consume/route.hpp"
#include "envelope/envelope.hpp"
#include "store/memory/memory_database.hpp"
#include "support/depot.hpp"

namespace {

using sluice::command::outcome;

/// Each does something that would show if it happened twice.
void pack_a_spare(const std::string& prefix, sluice::context& in) {
    const auto crates = in.repository<depot::Crate>();
    const bool again = crates.find(prefix + "-1") != nullptr;
    crates.add(depot::Crate{prefix + (again ? "-2" : "-1"), "ada"});
}
struct spare_packer {
    void operator()(const depot::CratePacked&, sluice::context& in) const { pack_a_spare("handler", in); }
};
struct parcel_reader {
    void operator()(const sluice::message&, sluice::context& in) const { pack_a_spare("subscriber", in); }
};

// The reference guards projectors only.
TEST(inbox, guards_event_handlers_subscribers_and_projectors_alike) {
    sluice::domain domain = depot::make_domain();
    domain.event_handler<spare_packer, depot::CratePacked>();
    domain.subscriber<parcel_reader>({.broker = "default", .stream = "abroad::parcel"});
    depot::fixture f{sluice::store::make_memory_database("depot"), std::move(domain)};
    f.create_tables();
    f.pack("c-1");
    const auto logged = f.log().front().event;
    const auto m = sluice::message::decode(sluice::envelope::render_internal(logged.data, logged.metadata));

    int guarded = 0;
    for (const auto& route : sluice::consume::routes_of(*f.env)) {
        if (route.name == "commands" || route.interest_in(m) != sluice::consume::interest::wanted) continue;
        if (route.streams.front() == "depot::customer") continue;
        EXPECT_EQ(route.handle(m, "1-0"), outcome::handled) << route.name << ' ' << route.streams.front();
        EXPECT_EQ(route.handle(m, "2-0"), outcome::duplicate) << route.name << ' ' << route.streams.front();
        ++guarded;
    }
    EXPECT_EQ(guarded, 4) << "a handler, a subscriber, two projectors";
    EXPECT_EQ(f.context().view<depot::CustomerTotals>().get("ada").crates, 1);
    EXPECT_EQ(f.log().size(), 3U) << "the crate, and one spare each";
}

// What a restored database or a second deployment of the producer raises may have an id that was there before.
TEST(inbox, lets_another_message_of_one_id_take_effect_once_everywhere) {
    sluice::domain domain = depot::make_domain();
    domain.event_handler<spare_packer, depot::CratePacked>();
    domain.subscriber<parcel_reader>({.broker = "default", .stream = "abroad::parcel"});
    depot::fixture f{sluice::store::make_memory_database("depot"), std::move(domain)};
    f.create_tables();
    f.pack("c-1");
    const auto logged = f.log().front().event;
    const auto read = [&](std::string data) {
        auto metadata = sluice::json::parse(logged.metadata);
        metadata.as_object().erase("envelope");  // its checksum is that of the first
        return sluice::message::decode(sluice::envelope::render_internal(data, sluice::json::dump(metadata)));
    };
    auto changed = sluice::json::parse(logged.data);
    changed.as_object().set("crate_id", "c-2");
    const auto one = read(logged.data);
    const auto other = read(sluice::json::dump(changed));
    ASSERT_EQ(one.id(), other.id());

    int guarded = 0;
    for (const auto& route : sluice::consume::routes_of(*f.env)) {
        if (route.name == "commands" || route.interest_in(one) != sluice::consume::interest::wanted) continue;
        if (route.streams.front() == "depot::customer") continue;
        const auto& where = route.name;
        EXPECT_EQ(route.handle(one, "1-0"), outcome::handled) << where;
        EXPECT_EQ(route.handle(other, "2-0"), outcome::handled) << where;
        EXPECT_EQ(route.handle(one, "3-0"), outcome::duplicate) << where;
        EXPECT_EQ(route.handle(other, "4-0"), outcome::duplicate) << where;
        ++guarded;
    }
    EXPECT_EQ(guarded, 4) << "a handler, a subscriber, two projectors";
    EXPECT_EQ(f.context().view<depot::CustomerTotals>().get("ada").crates, 2);
}

}  // namespace
