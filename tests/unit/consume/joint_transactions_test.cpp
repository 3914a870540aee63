#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "post_fixture.hpp"
#include "support/eventually.hpp"

namespace {

using namespace std::chrono_literals;
using post::fixture;
using post::moody_database;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr auto of_partner = "abroad::parcel";
constexpr auto of_commands = "post::letter:command";

sluice::config::configuration up_to(std::size_t messages, std::size_t concurrency = 1) {
    sluice::config::configuration configuration;
    configuration.server.subscription.messages_per_transaction = messages;
    configuration.server.subscription.concurrency = concurrency;
    return configuration;
}

std::string stamp_of(const std::string& id, const std::string& letter, const std::string& more = {}) {
    return R"({"data":{"letter_id":")" + letter + R"("},"metadata":{"headers":{"id":")" + id +
           R"(","type":"Post.StampLetter.v1")" + more + "}}}";
}

void post_letters(fixture& f, const std::vector<std::string>& letters) {
    auto in = sluice::command::make_context(*f.env);
    for (const std::string& each : letters) in.process(post::post_letter{.letter_id = each});
    f.database->commits = 0;
}

TEST(joint_transactions, commit_the_effects_of_several_messages_at_once) {
    fixture f{up_to(10)};
    f.publish_parcels(4);
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 1);
    EXPECT_EQ(f.database->looks, 0);
    EXPECT_THAT(f.traced("handler.completed"), ElementsAre("m-1", "m-2", "m-3", "m-4"));
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-1", "m-2", "m-3", "m-4"));
    EXPECT_EQ(s->status().handled, 4);

    // Each has its mark, and each event names the message that led to it.
    const auto lane = f.database->open_operations();
    for (int i = 1; i <= 4; ++i) {
        const std::string number = std::to_string(i);
        const auto event = lane->event("post::letter-p-" + number + "-0.1");
        ASSERT_TRUE(event) << number;
        const auto metadata = sluice::json::parse(event->metadata);
        const auto command = lane->event(metadata.at("domain").at("causation_id").as_string());
        ASSERT_TRUE(command) << number;
        EXPECT_EQ(sluice::json::parse(command->metadata).at("domain").at("causation_id").as_string(), "m-" + number);
        f.publish(of_partner, "copy-" + number, "k-" + number, post::parcel_arrived("m-" + number, "p-" + number));
    }
    static_cast<void>(s->work());
    EXPECT_EQ(f.hook->seen("parcel_counter").size(), 4U) << "the inbox knows each of them";
    EXPECT_EQ(f.pending(of_partner, "post.parcel_counter"), 0);
}

TEST(joint_transactions, are_no_larger_than_allowed) {
    fixture f{up_to(3)};
    f.publish_parcels(7);
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 3);
    EXPECT_EQ(f.stamps("p-7"), 0);
}

TEST(joint_transactions, show_a_message_what_the_one_before_has_changed) {
    fixture f{up_to(10)};
    // One letter under two keys.
    f.publish(of_partner, "m-1", "k-1", post::parcel_arrived("m-1", "p-1"));
    f.publish(of_partner, "m-2", "k-2", post::parcel_arrived("m-2", "p-1"));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 1);
    EXPECT_EQ(f.stamps("p-1"), 1) << "posted by the first, stamped by the second";
}

TEST(joint_transactions, write_nothing_of_a_message_that_fails_and_all_of_the_others) {
    fixture f{up_to(10)};
    f.publish_parcels(4);
    f.hook->on_handle([](const std::string& letter) {
        if (letter == "p-3") throw std::runtime_error{"the scales are broken"};
    });
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 3) << "each alone";
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-1", "m-2", "m-4"));
    EXPECT_THAT(f.traced("handler.failed"), ElementsAre("m-3"));
    EXPECT_EQ(s->status().failed, 1) << "the attempt with the others is none";
    for (const char* each : {"p-1", "p-2", "p-4"}) EXPECT_EQ(f.stamps(each), 0) << each;
    EXPECT_EQ(f.stamps("p-3"), -1);

    f.publish_parcel("m-5", "p-5");
    f.publish_parcel("m-6", "p-6");
    for (int minute = 0; minute < 10; ++minute) {
        f.clock.advance(1min);
        static_cast<void>(s->work());
    }
    ASSERT_EQ(f.dead().size(), 1U);
    EXPECT_EQ(f.dead()[0].attempts, 3);
    EXPECT_EQ(f.stamps("p-6"), 0);
}

TEST(joint_transactions, hold_a_copy_among_them_once) {
    fixture f{up_to(10)};
    f.publish_parcels(2);
    f.publish(of_partner, "copy", "another key", post::parcel_arrived("m-1", "p-1"));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 1);
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-1", "p-2"));
}

TEST(joint_transactions, leave_out_what_another_consumer_has_handled_meanwhile) {
    fixture f{up_to(10)};
    f.publish_parcels(3);
    const auto s = f.subscribe();
    f.handle_second_parcel_elsewhere();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.stamps("p-2"), 0) << "handled once more, and committed once";
    EXPECT_EQ(f.stamps("p-3"), 0);
    EXPECT_EQ(std::ranges::count(f.hook->seen("parcel_counter"), "p-2"), 2) << "elsewhere, and here in vain";
    EXPECT_EQ(s->status().failed, 0);
    EXPECT_EQ(f.pending(of_partner, "post.parcel_counter"), 0);
}

TEST(joint_transactions, an_outage_costs_no_attempt) {
    fixture f{up_to(10)};
    f.publish_parcels(3);
    f.database->is = moody_database::mood::gone;
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(s->status().state, "paused");
    EXPECT_EQ(f.database->looks, 1) << "the others need not ask";
    f.database->is = moody_database::mood::well;
    f.clock.advance(1min);
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 1);
    EXPECT_EQ(s->status().failed, 0);
    EXPECT_EQ(f.stamps("p-3"), 0);
}

TEST(joint_transactions, in_doubt_are_decided_by_the_inbox) {
    fixture f{up_to(10)};
    f.publish_parcels(3);
    f.database->is = moody_database::mood::doubtful;
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    f.database->is = moody_database::mood::well;
    f.clock.advance(1min);
    static_cast<void>(s->work());
    EXPECT_EQ(f.pending(of_partner, "post.parcel_counter"), 0);
    for (const char* each : {"p-1", "p-2", "p-3"}) EXPECT_EQ(f.stamps(each), 0) << each;
    EXPECT_EQ(s->status().failed, 0);
}

TEST(joint_transactions, of_commands_know_keys_and_deadlines) {
    fixture f{up_to(10)};
    post_letters(f, {"l-1", "l-2"});
    const std::string key = R"(,"idempotency_key":"once")";
    f.publish(of_commands, "c-1", "k-1", stamp_of("c-1", "l-1", key));
    f.publish(of_commands, "c-2", "k-2", stamp_of("c-2", "l-1", key));
    f.publish(of_commands, "c-3", "k-3", stamp_of("c-3", "l-2", R"(,"deadline":")" + f.clock.now().to_string() + '"'));
    f.publish(of_commands, "c-4", "k-4", stamp_of("c-4", "l-2"));
    const auto s = f.subscribe("commands");
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 1);
    EXPECT_EQ(f.stamps("l-1"), 1) << "the second has the same key";
    EXPECT_EQ(f.stamps("l-2"), 1) << "the late one did nothing";
    EXPECT_THAT(f.traced("handler.skipped"), ElementsAre("c-3"));
    EXPECT_THAT(f.traced("message.acked"), UnorderedElementsAre("c-1", "c-2", "c-3", "c-4"));
}

TEST(joint_transactions, take_in_no_message_that_has_failed_before) {
    fixture f{up_to(10)};
    f.publish_parcels(2);
    int refusals = 2;  // with the other, and alone
    f.hook->on_handle([&](const std::string& letter) {
        if (letter == "p-1" && refusals-- > 0) throw std::runtime_error{"the scales are broken"};
    });
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    f.publish_parcel("m-3", "p-3");
    f.publish_parcel("m-4", "p-4");
    f.clock.advance(1min);
    f.database->commits = 0;
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->commits, 2) << "the one that had failed, and the new ones";
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.dead(), IsEmpty());
}

TEST(joint_transactions, are_handled_side_by_side) {
    fixture f{up_to(5, 3)};
    f.publish_parcels(40);
    const auto s = f.subscribe();
    std::jthread running{[&](const std::stop_token& stop) { s->run(stop); }};
    EXPECT_TRUE(sluice::testing::eventually([&] { return s->status().handled == 40; }));
    running.request_stop();
    running.join();
    EXPECT_LT(f.database->commits, 40);
    for (int i = 1; i <= 40; ++i) EXPECT_EQ(f.stamps("p-" + std::to_string(i)), 0) << i;
}

TEST(joint_transactions, are_for_handlers_that_can_share_a_unit) {
    fixture f{up_to(10)};
    for (const auto& route : sluice::consume::routes_of(*f.env)) EXPECT_TRUE(route.joins) << route.name;
}

}  // namespace
