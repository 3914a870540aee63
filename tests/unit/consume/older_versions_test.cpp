#include <gtest/gtest.h>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "commit/environment.hpp"
#include "consume/subscription.hpp"
#include "store/memory/memory_database.hpp"

// Messages of older versions, from the broker to the handler.
namespace sluice::consume {
namespace {

class Parcel : public aggregate<Parcel> {
    identifier parcel_id_;
    BOOST_DESCRIBE_CLASS(Parcel, (), (), (), (parcel_id_))
};

struct ParcelSent {
    static constexpr event_of<Parcel> contract{.version = 3};
    identifier parcel_id;
    std::int64_t grams = 0;
    std::string carrier;
};

/// Tells what it was given.
struct parcel_watcher {
    std::vector<std::string>* seen;

    void operator()(const ParcelSent& e, context& in) const {
        seen->push_back(e.parcel_id.str() + " " + std::to_string(e.grams) + " " + e.carrier + " " +
                        in.current_message()->id());
    }
};

json::object with_grams(json::object data) {
    data.set("grams", data.at("kilos").as_int() * 1000);
    data.erase("kilos");
    return data;
}

json::object with_carrier(json::object data) {
    data.set("carrier", "owl");
    return data;
}

/// A subscription of the watcher, and a broker that holds what the test puts there.
struct fixture {
    fixture() {
        parcels.aggregate<Parcel>().events<ParcelSent>();
        parcels.event_handler<parcel_watcher, ParcelSent>(parcel_watcher{&seen});
        parcels.upcaster<ParcelSent, from<1>, to<2>>(with_grams);
        parcels.upcaster<ParcelSent, from<2>, to<3>>(with_carrier);
        parcels.validate();
        database->setup();
        commit::adapters parts;
        parts.databases.emplace("default", database);
        parts.brokers.emplace("default", broker);
        config::configuration configuration;
        configuration.server.subscription.max_retries = 1;
        env = std::make_unique<commit::environment>(parcels.declared(), configuration, parts, system_clock(), random);
        watcher = std::make_unique<subscription>(*env, routes_of(*env).at(0), "desk-0");
    }

    void publish(const std::string& id, const std::string& type, const std::string& data) {
        const std::string body = R"({"data":)" + data + R"(,"metadata":{"headers":{"id":")" + id + R"(","type":")" +
                                 type + R"(","stream":"parcels::parcel-)" + id + R"("}}})";
        const std::string key = "parcels::parcel-" + id;
        const broker::outgoing message{.stream = "parcels::parcel", .message_id = id, .key = key, .body = body};
        ASSERT_TRUE(std::holds_alternative<broker::delivered>(
            broker->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{1}).at(0)));
    }
    [[nodiscard]] std::vector<broker::dead_letter_entry> dead() { return broker->open_operations()->dead_letters({}); }

    std::vector<std::string> seen;
    domain parcels{"parcels"};
    base::seeded_random random{7};
    std::shared_ptr<store::database> database{store::make_memory_database("parcels")};
    std::shared_ptr<broker::broker> broker = broker::make_inline_broker("default");
    std::unique_ptr<commit::environment> env;
    std::unique_ptr<subscription> watcher;
};

TEST(older_versions, arrive_at_the_handler_in_the_current_one_with_their_ids) {
    fixture f;
    f.publish("p-1", "Parcels.ParcelSent.v1", R"({"parcel_id":"p-1","kilos":2})");
    f.publish("p-2", "Parcels.ParcelSent.v2", R"({"parcel_id":"p-2","grams":300})");
    f.publish("p-3", "Parcels.ParcelSent.v3", R"({"parcel_id":"p-3","grams":40,"carrier":"stork"})");
    (void)f.watcher->work({});
    EXPECT_EQ(f.seen, (std::vector<std::string>{"p-1 2000 owl p-1", "p-2 300 owl p-2", "p-3 40 stork p-3"}));
    EXPECT_TRUE(f.dead().empty());
}

TEST(older_versions, that_cannot_be_upcast_end_among_the_dead_letters_with_the_reason) {
    fixture f;
    f.publish("p-1", "Parcels.ParcelSent.v1", R"({"parcel_id":"p-1"})");
    (void)f.watcher->work({});
    EXPECT_TRUE(f.seen.empty());
    ASSERT_EQ(f.dead().size(), 1U);
    EXPECT_EQ(f.dead()[0].code, "decode_error");
    EXPECT_EQ(f.dead()[0].reason,
              "event `ParcelSent` cannot be brought from version 1 to 2: the JSON object has no key 'kilos'");
}

TEST(older_versions, for_partners_are_nothing_that_a_handler_sees) {
    fixture f;
    std::string extensions;
    const auto m = message::decode(
        R"({"data":{},"metadata":{"headers":{"id":"m"},"extensions":{"tenant":"acme","_also_published":{"1":{}}}}})");
    (void)command::handle(*f.env, m, {"1"}, "handler", [&](context& in) { extensions = json::dump(in.extensions()); });
    EXPECT_EQ(extensions, R"({"tenant":"acme"})");
}

TEST(older_versions, of_tomorrow_are_of_an_unknown_type) {
    fixture f;
    f.publish("p-1", "Parcels.ParcelSent.v4", R"({"parcel_id":"p-1"})");
    (void)f.watcher->work({});
    ASSERT_EQ(f.dead().size(), 1U);
    EXPECT_EQ(f.dead()[0].code, "unknown_type");
}

}  // namespace
}  // namespace sluice::consume
