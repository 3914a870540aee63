#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

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

sluice::domain domain_with_every_kind_of_reader() {
    sluice::domain domain = depot::make_domain();
    domain.event_handler<spare_packer, depot::CratePacked>();
    domain.subscriber<parcel_reader>({.broker = "default", .stream = "abroad::parcel"});
    return domain;
}

/// A crate was packed. Its event goes to whom the test gives it.
class inbox : public ::testing::Test {
protected:
    inbox() {
        depot_.create_tables();
        depot_.pack("c-1");
        packed_ = depot_.log().front().event;
    }

    /// The event, with other data where some are given.
    [[nodiscard]] sluice::message message(const std::string& data = {}) const {
        if (data.empty()) return sluice::message::decode(render(packed_.data, packed_.metadata));
        auto metadata = sluice::json::parse(packed_.metadata);
        metadata.as_object().erase("envelope");  // its checksum is that of the first
        return sluice::message::decode(render(data, sluice::json::dump(metadata)));
    }
    /// Every route that wants it: a handler, a subscriber and two projectors.
    void for_each_reader_of(const sluice::message& m, const std::function<void(const sluice::consume::route&)>& act) {
        int readers = 0;
        for (const auto& route : sluice::consume::routes_of(*depot_.env)) {
            if (route.name == "commands" || route.interest_in(m) != sluice::consume::interest::wanted) continue;
            if (route.streams.front() == "depot::customer") continue;
            SCOPED_TRACE(route.name + ' ' + route.streams.front());
            act(route);
            ++readers;
        }
        EXPECT_EQ(readers, 4);
    }
    [[nodiscard]] std::int64_t crates_of_ada() {
        return depot_.context().view<depot::CustomerTotals>().get("ada").crates;
    }

    depot::fixture depot_{sluice::store::make_memory_database("depot"), domain_with_every_kind_of_reader()};
    sluice::store::logged_event packed_;

private:
    [[nodiscard]] static std::string render(const std::string& data, const std::string& metadata) {
        return sluice::envelope::render_internal(data, metadata);
    }
};

TEST_F(inbox, guards_event_handlers_subscribers_and_projectors_alike) {
    const auto m = message();
    for_each_reader_of(m, [&](const sluice::consume::route& route) {
        EXPECT_EQ(route.handle(m, {"1-0"}), outcome::handled);
        EXPECT_EQ(route.handle(m, {"2-0"}), outcome::duplicate);
    });
    EXPECT_EQ(crates_of_ada(), 1);
    EXPECT_EQ(depot_.log().size(), 3U) << "the crate, and one spare each";
}

// What a restored database or a second deployment of the producer raises may have an id that was there before.
TEST_F(inbox, lets_another_message_of_one_id_take_effect_once_everywhere) {
    auto changed = sluice::json::parse(packed_.data);
    changed.as_object().set("crate_id", "c-2");
    const auto one = message(packed_.data);
    const auto other = message(sluice::json::dump(changed));
    ASSERT_EQ(one.id(), other.id());
    for_each_reader_of(one, [&](const sluice::consume::route& route) {
        EXPECT_EQ(route.handle(one, {"1-0"}), outcome::handled);
        EXPECT_EQ(route.handle(other, {"2-0"}), outcome::handled);
        EXPECT_EQ(route.handle(one, {"3-0"}), outcome::duplicate);
        EXPECT_EQ(route.handle(other, {"4-0"}), outcome::duplicate);
    });
    EXPECT_EQ(crates_of_ada(), 2);
}

}  // namespace
