#include "consume/subscription.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "post_fixture.hpp"
#include "support/consumer.hpp"
#include "support/eventually.hpp"
#include "support/scripted_broker.hpp"

namespace {

using namespace std::chrono_literals;
using post::fixture;
using post::moody_database;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* parcels = "abroad::parcel";
constexpr const char* counter = "post.parcel_counter";

/// Works, and lets time pass in small steps, until `done`; gives up after an hour of the test's clock.
template <class Done>
bool work_until(fixture& f, sluice::consume::subscription& s, Done done) {
    for (int second = 0; second < 3600; ++second) {
        static_cast<void>(s.work());
        if (done()) return true;
        f.clock.advance(1s);
    }
    return false;
}

/// A rest ends by itself after a second, so only what is sooner was woken. Whoever is late because the machine is busy
/// gets further attempts; whoever is not woken is late each time.
/// @param attempt  how long the wake-up took
template <class Attempt>
bool is_sooner_than_the_fallback_poll(Attempt attempt) {
    for (int attempts = 0; attempts < 10; ++attempts) {
        if (attempt() < 900ms) return true;
    }
    return false;
}

auto refuse(std::string letter, int* times) {
    return [letter = std::move(letter), times](const std::string& id) {
        if (id == letter && (*times)-- > 0) throw std::runtime_error{"the scales\nare broken"};
    };
}

TEST(subscription, handles_commits_and_acknowledges) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    f.publish_parcel("m-2", "p-2");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.stamps("p-2"), 0);
    EXPECT_EQ(f.pending(parcels, counter), 0);
    EXPECT_EQ(s->status().state, "idle");
    EXPECT_EQ(s->status().handled, 2);
    EXPECT_THAT(f.traced("handler.started"), ElementsAre("m-1", "m-2"));
    EXPECT_THAT(f.traced("handler.completed"), ElementsAre("m-1", "m-2"));
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-1", "m-2"));
    const auto& completed = *std::ranges::find(f.traces, "handler.completed", &sluice::trace_event::event);
    EXPECT_EQ(completed.stream, parcels);
    EXPECT_EQ(completed.handler, counter);
    EXPECT_EQ(completed.message_type, "Abroad.ParcelArrived.v1");
    EXPECT_EQ(completed.broker, "default");
    EXPECT_EQ(completed.worker_id, "desk-0");
    EXPECT_TRUE(completed.duration_ms.has_value());
}

TEST(subscription, a_duplicate_delivery_has_no_second_effect) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    // A copy under another entry, as a republished message has it.
    f.publish(parcels, "copy", "abroad::parcel-p-1", post::parcel_arrived("m-1", "p-1"));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.pending(parcels, counter), 0);
    std::vector<bool> duplicate;
    for (const auto& t : f.traces) {
        if (t.event == "message.acked") duplicate.push_back(t.metadata.contains("duplicate"));
    }
    EXPECT_THAT(duplicate, ElementsAre(false, true));
}

TEST(subscription, poison_between_good_messages_goes_to_the_dead_letters_with_its_bytes) {
    fixture f;
    const std::string bytes{"\x00\xff not JSON", 10};
    f.publish_parcel("m-1", "p-1");
    f.publish(parcels, "x-1", "k", bytes);
    f.publish(parcels, "x-2", "k", "[1, 2]");
    f.publish(parcels, "x-3", "k", R"({"metadata":{}})");
    f.publish(parcels, "x-4", "k", R"({"data":"text"})");
    f.publish_parcel("m-2", "p-2");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.stamps("p-2"), 0);
    EXPECT_EQ(f.pending(parcels, counter), 0);

    const auto dead = f.dead();
    ASSERT_EQ(dead.size(), 4U) << "one each, and no more";
    EXPECT_EQ(dead.back().body, bytes);
    EXPECT_EQ(dead.back().code, "undecodable");
    EXPECT_EQ(dead.back().group, counter);
    EXPECT_EQ(dead.back().attempts, 0);
    EXPECT_FALSE(dead.back().reason.empty());
    EXPECT_EQ(f.traced("message.dlq").size(), 4U);
    static_cast<void>(s->work());
    EXPECT_EQ(f.dead().size(), 4U);
}

TEST(subscription, a_message_whose_headers_no_store_keeps_goes_to_the_dead_letters_at_once) {
    fixture f;
    f.publish_parcel(std::string(3000, 'm'), "p-1");
    f.publish(parcels, "x-1", "k", post::parcel_arrived("m\\u0000", "p-2"));
    f.publish_parcel("m-3", "p-3");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-3"), 0);
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-3"));
    const auto dead = f.dead();
    ASSERT_EQ(dead.size(), 2U);
    EXPECT_EQ(dead[1].code, "invalid_header");
    EXPECT_THAT(dead[1].reason, HasSubstr("headers.id has 3000 bytes; at most 1500 are allowed"));
    EXPECT_THAT(dead[0].reason, HasSubstr("headers.id must not contain the character U+0000"));
    EXPECT_EQ(f.pending(parcels, counter), 0);
}

TEST(subscription, a_failing_message_holds_back_only_its_key) {
    fixture f;
    int refusals = 2;
    f.hook->on_handle(refuse("p-1", &refusals));
    f.publish_parcel("m-1", "p-1");
    f.publish_parcel("m-2", "p-1");
    f.publish_parcel("m-3", "p-2");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-1", "p-2"));
    EXPECT_EQ(f.stamps("p-1"), -1);
    EXPECT_EQ(s->status().detail, "the scales are broken");

    EXPECT_TRUE(work_until(f, *s, [&] { return f.stamps("p-1") == 1; })) << "both messages, in order";
    EXPECT_THAT(f.traced("message.nacked"), ElementsAre("m-1", "m-1"));
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-3", "m-1", "m-2"));
    EXPECT_THAT(f.dead(), IsEmpty());
}

TEST(subscription, gives_up_after_the_last_attempt_and_tells_why) {
    fixture f;
    int refusals = 100;
    f.hook->on_handle(refuse("p-1", &refusals));
    f.publish_parcel("m-1", "p-1");
    f.publish(parcels, "m-2", "abroad::parcel-p-1", post::parcel_arrived("m-2", "p-9"));
    const auto s = f.subscribe();
    EXPECT_TRUE(work_until(f, *s, [&] { return !f.dead().empty(); }));
    EXPECT_EQ(f.stamps("p-9"), 0) << "its key went on";
    const auto dead = f.dead();
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead[0].reason, "the scales are broken");
    EXPECT_EQ(dead[0].code, "handler_failed");
    EXPECT_EQ(dead[0].attempts, 3);
    EXPECT_EQ(f.hook->seen("parcel_counter").size(), 4U);
    EXPECT_EQ(s->status().dead, 1);
}

TEST(subscription, without_dead_letters_an_exhausted_message_is_dropped_and_told) {
    sluice::config::configuration configuration;
    configuration.server.subscription.enable_dlq = false;
    fixture f{configuration};
    int refusals = 100;
    f.hook->on_handle(refuse("p-1", &refusals));
    f.publish_parcel("m-1", "p-1");
    f.publish(parcels, "m-2", "abroad::parcel-p-1", post::parcel_arrived("m-2", "p-9"));
    f.publish(parcels, "m-3", "x", "no message at all");
    const auto s = f.subscribe();
    ASSERT_TRUE(work_until(f, *s, [&] { return f.stamps("p-9") == 0; })) << "its key goes on";
    EXPECT_TRUE(work_until(f, *s, [&] { return f.pending(parcels, counter) == 0; }));

    EXPECT_THAT(f.dead(), IsEmpty());
    EXPECT_THAT(f.traced("message.dlq"), IsEmpty());
    EXPECT_EQ(s->status().dead, 0);
    EXPECT_EQ(s->status().dropped, 2);
    ASSERT_EQ(f.traced("message.dropped").size(), 2U);
    const auto told = std::find_if(f.traces.begin(), f.traces.end(), [](const auto& event) {
        return event.event == "message.dropped" && event.message_id == "m-1";
    });
    ASSERT_NE(told, f.traces.end());
    EXPECT_EQ(told->handler, counter);
    EXPECT_EQ(told->error, "the scales are broken");
    EXPECT_EQ(told->status, "error");
    EXPECT_EQ(told->metadata.at("retry_count").as_int(), 3);

    const auto again = f.subscribe();
    f.clock.advance(1h);
    static_cast<void>(again->work());
    EXPECT_EQ(f.hook->seen("parcel_counter").size(), 4U) << "it does not come back";
}

TEST(subscription, attempts_survive_a_restart) {
    fixture f;
    int refusals = 100;
    f.hook->on_handle(refuse("p-1", &refusals));
    f.publish_parcel("m-1", "p-1");
    for (int life = 0; life < 3; ++life) {
        EXPECT_THAT(f.dead(), IsEmpty());
        const auto s = f.subscribe();  // a new process with the same consumer name
        static_cast<void>(s->work());
        f.clock.advance(10s);
    }
    EXPECT_EQ(f.dead().size(), 1U);
    EXPECT_EQ(f.hook->seen("parcel_counter").size(), 3U);
}

TEST(subscription, a_crash_between_commit_and_acknowledgement_has_no_second_effect) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    {
        // The first life handles the message and dies before it can say so.
        const auto route = f.route(counter);
        auto consumer = sluice::testing::open_consumer(*f.broker, parcels, {.group = counter, .consumer = "desk-0"});
        const auto got = consumer->read(10, f.clock.now());
        ASSERT_EQ(got.size(), 1U);
        EXPECT_EQ(route.handle(sluice::message::decode(got[0].body), {got[0].entry}),
                  sluice::command::outcome::handled);
    }
    EXPECT_EQ(f.pending(parcels, counter), 1);
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.pending(parcels, counter), 0);
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-1")) << "the inbox answered before the handler";
}

TEST(subscription, another_consumer_takes_over_in_order_after_the_claim_time) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    f.publish_parcel("m-2", "p-1");
    {
        auto dead = sluice::testing::open_consumer(*f.broker, parcels, {.group = counter, .consumer = "desk-7"});
        ASSERT_EQ(dead->read(1, f.clock.now()).size(), 1U);
    }
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_THAT(f.traced("message.acked"), IsEmpty()) << "m-2 waits for m-1, which desk-7 holds";
    f.clock.advance(31s);
    static_cast<void>(s->work());
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-1", "m-2"));
}

TEST(subscription, an_outage_of_the_store_costs_no_attempt) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    f.database->is = moody_database::mood::away;
    const auto s = f.subscribe();
    for (int minute = 0; minute < 60; ++minute) {
        static_cast<void>(s->work());
        EXPECT_EQ(s->status().state, "paused");
        f.clock.advance(1min);
    }
    EXPECT_EQ(s->status().failed, 0);
    EXPECT_THAT(s->status().detail, HasSubstr("database is locked"));
    f.database->is = moody_database::mood::well;
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.dead(), IsEmpty());
    EXPECT_THAT(f.traced("message.nacked"), IsEmpty());
    EXPECT_EQ(s->status().state, "idle");
}

TEST(subscription, a_commit_in_doubt_is_decided_by_the_inbox) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    f.database->is = moody_database::mood::doubtful;
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.pending(parcels, counter), 1);
    f.database->is = moody_database::mood::well;
    f.clock.advance(1min);
    static_cast<void>(s->work());
    EXPECT_EQ(f.pending(parcels, counter), 0);
    EXPECT_EQ(f.stamps("p-1"), 0) << "the commit had taken effect; it was not repeated";
    EXPECT_EQ(s->status().failed, 0);
}

TEST(subscription, a_replayed_dead_letter_reaches_the_group_that_failed_and_no_other) {
    fixture f;
    int refusals = 3;
    f.hook->on_handle(refuse("p-1", &refusals));
    f.publish_parcel("m-1", "p-1");
    auto other = sluice::testing::open_consumer(*f.broker, parcels, {.group = "bystander", .consumer = "b"});
    ASSERT_EQ(other->read(10, f.clock.now()).size(), 1U);

    const auto s = f.subscribe();
    ASSERT_TRUE(work_until(f, *s, [&] { return !f.dead().empty(); }));
    EXPECT_EQ(f.broker->open_operations()->replay({.group = counter}).changed, 1U);
    f.clock.advance(1s);
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.dead(), IsEmpty());
    EXPECT_THAT(other->read(10, f.clock.now()), IsEmpty());
}

TEST(subscription, a_broker_that_is_away_is_asked_again_with_growing_pauses) {
    fixture f;
    const auto script = std::make_shared<sluice::testing::broker_script>();
    const auto scripted = std::make_shared<sluice::testing::scripted_broker>(f.broker, script);
    sluice::commit::adapters parts = f.env->parts();
    parts.brokers["default"] = scripted;
    sluice::commit::environment env{f.domain.declared(), {}, parts, f.clock, f.random};
    sluice::consume::subscription s{env, sluice::consume::routes_of(env).back(), "desk-0"};
    f.publish_parcel("m-1", "p-1");

    script->set_unreachable(true, "nobody at home");
    std::vector<sluice::duration> pauses;
    for (int i = 0; i < 7; ++i) pauses.push_back(s.work());
    EXPECT_THAT(pauses, ElementsAre(1s, 2s, 4s, 8s, 16s, 30s, 30s));
    EXPECT_EQ(s.status().state, "disconnected");
    EXPECT_THAT(s.status().detail, HasSubstr("nobody at home"));

    script->set_unreachable(false);
    EXPECT_LE(s.work(), 1s);
    EXPECT_EQ(f.stamps("p-1"), 0);
    script->set_unreachable(true);
    f.clock.advance(1s);
    EXPECT_EQ(s.work(), 1s) << "the pauses start afresh";
}

TEST(subscription, event_handlers_ignore_other_events_of_the_domain_and_set_foreign_types_aside) {
    fixture f;
    const auto event = [](const std::string& id, const std::string& type, const std::string& data) {
        return R"({"data":)" + data + R"(,"metadata":{"headers":{"id":")" + id + R"(","type":")" + type +
               R"(","stream":"post::letter-l-1"}}})";
    };
    {
        auto in = sluice::command::make_context(*f.env);
        in.process(post::post_letter{.letter_id = "l-1"});
    }
    f.publish("post::letter", "e-1", "", event("e-1", "Post.LetterStamped.v1", R"({"letter_id":"l-1","stamps":1})"));
    f.publish("post::letter", "e-2", "", event("e-2", "Post.LetterPosted.v2", R"({"letter_id":"l-1"})"));
    f.publish("post::letter", "e-3", "", event("e-3", "Post.LetterPosted.v1", R"({"letter_id":"l-1","new":true})"));
    const auto s = f.subscribe("post.stamp_clerk");
    static_cast<void>(s->work());
    EXPECT_THAT(f.hook->seen("stamp_clerk"), ElementsAre("l-1"));
    EXPECT_EQ(f.stamps("l-1"), 1);
    EXPECT_EQ(f.pending("post::letter", "post.stamp_clerk"), 0);
    const auto dead = f.dead();
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead[0].code, "unknown_type");
    EXPECT_THAT(dead[0].reason, HasSubstr("Post.LetterPosted.v2"));
    EXPECT_THAT(f.traced("message.acked"), UnorderedElementsAre("e-1", "e-3"));
}

TEST(subscription, asynchronous_commands_are_taken_from_the_broker_and_handled_once) {
    fixture f;
    {
        auto in = sluice::command::make_context(*f.env);
        in.process(post::post_letter{.letter_id = "l-1"});
    }
    const auto command = [](const std::string& id, const std::string& type, const std::string& data) {
        return R"({"data":)" + data + R"(,"metadata":{"headers":{"id":")" + id + R"(","type":")" + type +
               R"("},"domain":{"kind":"COMMAND"}}})";
    };
    const std::string stamp = command("c-1", "Post.StampLetter.v1", R"({"letter_id":"l-1"})");
    f.publish("post::letter:command", "c-1", "k", stamp);
    f.publish("post::letter:command", "c-1 again", "k", stamp);
    f.publish("post::letter:command", "c-2", "k", command("c-2", "Post.BurnLetter.v1", "{}"));
    const auto s = f.subscribe("commands");
    EXPECT_EQ(s->where().group, "protean.server.engine.Commands:post::letter");
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("l-1"), 1);
    ASSERT_EQ(f.dead().size(), 1U);
    EXPECT_EQ(f.dead()[0].code, "unknown_type");
}

TEST(subscription, skips_a_command_whose_deadline_has_passed_and_says_so) {
    fixture f;
    const auto stamp = [](const std::string& id, const sluice::date_time& deadline) {
        return R"({"data":{"letter_id":"l-1"},"metadata":{"headers":{"id":")" + id +
               R"(","type":"Post.StampLetter.v1","deadline":")" + deadline.to_string() + R"("}}})";
    };
    {
        auto in = sluice::command::make_context(*f.env);
        in.process(post::post_letter{.letter_id = "l-1"});
    }
    f.publish("post::letter:command", "late", "k", stamp("late", f.clock.now()));
    f.publish("post::letter:command", "early", "k", stamp("early", f.clock.now() + 1s));
    f.publish("post::letter:command", "odd", "k",
              R"({"data":{"letter_id":"l-1"},"metadata":{"headers":{"id":"odd","type":"Post.StampLetter.v1",)"
              R"("deadline":"soon"}}})");
    const auto s = f.subscribe("commands");
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("l-1"), 0 + 1) << "the early one only";
    EXPECT_THAT(f.traced("handler.started"), ElementsAre("early"));
    EXPECT_THAT(f.traced("handler.completed"), ElementsAre("early"));
    EXPECT_THAT(f.traced("handler.failed"), ElementsAre("odd")) << "what cannot be read is no reason to skip";
    EXPECT_THAT(f.traced("message.acked"), UnorderedElementsAre("late", "early"));
    const auto skipped = std::find_if(f.traces.begin(), f.traces.end(),
                                      [](const auto& each) { return each.event == "handler.skipped"; });
    ASSERT_NE(skipped, f.traces.end());
    EXPECT_EQ(skipped->message_id, "late");
    EXPECT_EQ(skipped->status, "expired");
    EXPECT_EQ(skipped->metadata.at("reason").as_string(), "deadline_exceeded");
    EXPECT_EQ(skipped->metadata.at("deadline").as_string(), f.clock.now().to_string());
}

TEST(subscription, acknowledges_a_second_command_with_the_same_key_without_handling_it) {
    fixture f;
    const auto stamp = [](const std::string& id, const std::string& letter) {
        return R"({"data":{"letter_id":")" + letter + R"("},"metadata":{"headers":{"id":")" + id +
               R"(","type":"Post.StampLetter.v1","idempotency_key":"once"}}})";
    };
    {
        auto in = sluice::command::make_context(*f.env);
        in.process(post::post_letter{.letter_id = "l-1"});
    }
    f.publish("post::letter:command", "c-1", "k", stamp("c-1", "l-1"));
    f.publish("post::letter:command", "c-2", "k", stamp("c-2", "l-1"));
    f.publish("post::letter:command", "c-3", "k", stamp("c-3", "l-2"));
    const auto s = f.subscribe("commands");
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("l-1"), 1);
    EXPECT_THAT(f.traced("message.acked"), UnorderedElementsAre("c-1", "c-2"));
    EXPECT_THAT(f.traced("handler.failed"), ElementsAre("c-3")) << "the key belongs to other data";
}

TEST(subscription, with_priority_lanes_the_backfill_lane_is_read_after_the_primary) {
    sluice::config::configuration configuration;
    configuration.server.priority_lanes.enabled = true;
    fixture f{configuration};
    f.publish("abroad::parcel:backfill", "b-1", "k", post::parcel_arrived("b-1", "slow"));
    f.publish_parcel("m-1", "quick");
    const auto s = f.subscribe();
    EXPECT_THAT(s->where().streams, ElementsAre(parcels, "abroad::parcel:backfill"));
    static_cast<void>(s->work());
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("quick", "slow"));
    EXPECT_EQ(f.pending("abroad::parcel:backfill", counter), 0);
}

TEST(subscription, finishes_the_message_in_hand_when_it_is_stopped) {
    fixture f;
    for (int i = 0; i < 5; ++i) f.publish_parcel("m-" + std::to_string(i), "p-" + std::to_string(i));
    std::stop_source stop;
    f.hook->on_handle([&](const std::string& id) {
        if (id == "p-1") stop.request_stop();
    });
    const auto s = f.subscribe();
    s->run(stop.get_token());
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-0", "p-1"));
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-0", "m-1")) << "what is done is told";
    EXPECT_EQ(s->status().state, "stopped");
}

TEST(subscription, hands_back_what_it_holds_when_it_is_stopped) {
    fixture f;
    for (int i = 0; i < 3; ++i) f.publish_parcel("m-" + std::to_string(i), "p-1");
    std::stop_source stop;
    f.hook->on_handle([&](const std::string&) { stop.request_stop(); });
    f.subscribe()->run(stop.get_token());
    const auto other = f.subscribe(counter, "another host");
    static_cast<void>(other->work());
    EXPECT_EQ(f.stamps("p-1"), 2) << "without waiting for the claim time";
    EXPECT_EQ(f.pending(parcels, counter), 0);
}

TEST(subscription, sleeps_until_a_message_is_published_and_ends_at_once_when_stopped) {
    fixture f;
    std::atomic<bool> handled = false;
    f.hook->on_handle([&](const std::string&) { handled = true; });
    const auto s = f.subscribe();
    std::jthread thread{[&](const std::stop_token& stop) { s->run(stop); }};
    while (s->status().state != "idle") std::this_thread::yield();
    f.publish_parcel("m-1", "p-1");
    while (!handled) std::this_thread::yield();
    while (s->status().state != "idle") std::this_thread::yield();
    thread.request_stop();
    thread.join();
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_TRUE(is_sooner_than_the_fallback_poll([&] {
        std::jthread again{[&](const std::stop_token& stop) { s->run(stop); }};
        while (s->status().state != "idle") std::this_thread::yield();
        const auto begin = std::chrono::steady_clock::now();
        again.request_stop();
        again.join();
        return std::chrono::steady_clock::now() - begin;
    }));
}

sluice::config::configuration with_concurrency(std::size_t n) {
    sluice::config::configuration configuration;
    configuration.server.subscription.concurrency = n;
    return configuration;
}

/// Works without moving the clock until the handlers' threads have done it.
template <class Done>
bool keep_working(sluice::consume::subscription& s, Done done) {
    return sluice::testing::eventually([&] {
        static_cast<void>(s.work());
        return done();
    });
}

TEST(several_handlers, handle_messages_of_different_keys_side_by_side) {
    fixture f{with_concurrency(3)};
    std::barrier all_are_here{3};
    f.hook->on_handle([&](const std::string&) { all_are_here.arrive_and_wait(); });
    for (const char* id : {"p-1", "p-2", "p-3"}) f.publish_parcel(std::string{"m-"} + id, id);
    const auto s = f.subscribe();
    EXPECT_TRUE(keep_working(*s, [&] { return s->status().handled == 3; }));
    EXPECT_EQ(f.stamps("p-3"), 0);
    EXPECT_EQ(s->status().in_hand, 0U);
    EXPECT_EQ(f.pending(parcels, counter), 0);
}

TEST(several_handlers, handle_one_key_in_order_and_one_at_a_time_through_failures) {
    fixture f{with_concurrency(4)};
    constexpr int keys = 3;
    constexpr int each = 30;
    std::mutex mutex;
    std::set<std::string> inside;
    std::map<std::string, int> tries;
    std::atomic<bool> overlap = false;
    f.hook->on_handle([&](const std::string& id) {
        int attempt = 0;
        {
            const std::lock_guard lock{mutex};
            overlap = overlap || !inside.insert(id).second;
            attempt = ++tries[id];
        }
        std::this_thread::yield();
        const std::lock_guard lock{mutex};
        inside.erase(id);
        if (attempt % 5 == 0) throw std::runtime_error{"every fifth"};
    });
    for (int i = 0; i < keys * each; ++i) {
        f.publish_parcel("m-" + std::to_string(i), "p-" + std::to_string(i % keys));
    }
    const auto s = f.subscribe();
    EXPECT_TRUE(keep_working(*s, [&] {
        f.clock.advance(1s);
        return s->status().handled == keys * each;
    }));
    static_cast<void>(s->work());
    EXPECT_FALSE(overlap);
    std::map<std::string, std::vector<int>> order;
    for (const auto& t : f.traces) {
        if (t.event != "handler.completed") continue;
        const int number = std::stoi(t.message_id.substr(2));
        order[std::to_string(number % keys)].push_back(number);
    }
    EXPECT_EQ(order.size(), static_cast<std::size_t>(keys));
    for (const auto& [key, numbers] : order) {
        EXPECT_EQ(numbers.size(), static_cast<std::size_t>(each)) << key;
        EXPECT_TRUE(std::ranges::is_sorted(numbers)) << key;
    }
    EXPECT_THAT(f.dead(), IsEmpty());
}

TEST(several_handlers, a_long_one_loses_its_message_to_nobody) {
    fixture f{with_concurrency(2)};
    std::promise<void> go_on;
    f.hook->on_handle([&, wait = go_on.get_future().share()](const std::string&) { wait.wait(); });
    f.publish_parcel("m-1", "p-1");
    const auto s = f.subscribe();
    ASSERT_TRUE(keep_working(*s, [&] { return !f.hook->seen("parcel_counter").empty(); }));
    EXPECT_EQ(s->status().in_hand, 1U);
    EXPECT_EQ(s->status().state, "working");
    auto other = sluice::testing::open_consumer(*f.broker, parcels, {.group = counter, .consumer = "another host"});
    for (int i = 0; i < 12; ++i) {
        f.clock.advance(10s);
        static_cast<void>(s->work());
        EXPECT_THAT(other->read(10, f.clock.now()), IsEmpty()) << "its claims are renewed meanwhile";
    }
    go_on.set_value();
    EXPECT_TRUE(keep_working(*s, [&] { return s->status().handled == 1; }));
    static_cast<void>(s->work());
    EXPECT_EQ(f.pending(parcels, counter), 0);
}

TEST(several_handlers, are_waited_for_when_the_subscription_is_stopped) {
    fixture f{with_concurrency(2)};
    std::promise<void> go_on;
    f.hook->on_handle([&, wait = go_on.get_future().share()](const std::string&) { wait.wait(); });
    for (int i = 0; i < 4; ++i) f.publish_parcel("m-" + std::to_string(i), "p-" + std::to_string(i));
    const auto s = f.subscribe();
    std::jthread thread{[&](const std::stop_token& stop) { s->run(stop); }};
    ASSERT_TRUE(sluice::testing::eventually([&] { return f.hook->seen("parcel_counter").size() == 2; }));
    thread.request_stop();
    EXPECT_FALSE(sluice::testing::eventually([&] { return s->status().state == "stopped"; }, 50ms));
    go_on.set_value();
    thread.join();
    EXPECT_EQ(s->status().handled, 2);
    EXPECT_EQ(s->status().state, "stopped");
    EXPECT_THAT(f.traced("message.acked"), UnorderedElementsAre("m-0", "m-1")) << "what is done is told";
    auto other = sluice::testing::open_consumer(*f.broker, parcels, {.group = counter, .consumer = "another host"});
    EXPECT_EQ(other->read(10, f.clock.now()).size(), 2U) << "what is not done is free at once";
}

TEST(several_handlers, wake_the_subscription_with_their_result) {
    EXPECT_TRUE(is_sooner_than_the_fallback_poll([] {
        fixture f{with_concurrency(2)};
        std::promise<void> go_on;
        f.hook->on_handle([&, wait = go_on.get_future().share()](const std::string&) { wait.wait(); });
        f.publish_parcel("m-1", "p-1");
        f.publish_parcel("m-2", "p-1");
        const auto s = f.subscribe();
        std::jthread thread{[&](const std::stop_token& stop) { s->run(stop); }};
        EXPECT_TRUE(sluice::testing::eventually([&] { return s->status().in_hand == 1; }));
        const auto begin = std::chrono::steady_clock::now();
        go_on.set_value();
        EXPECT_TRUE(sluice::testing::eventually([&] { return s->status().handled == 2; }));
        return std::chrono::steady_clock::now() - begin;
    }));
}

TEST(circuit_breaker_of_a_subscription, stops_reading_tells_so_and_goes_on_after_a_probe) {
    sluice::config::configuration configuration;
    configuration.server.subscription.circuit_breaker_threshold = 3;
    configuration.server.subscription.circuit_breaker_reset_seconds = 60;
    configuration.server.subscription.max_retries = 10;
    fixture f{configuration};
    bool broken = true;
    f.hook->on_handle([&](const std::string&) {
        if (broken) throw std::runtime_error{"the counter is closed"};
    });
    for (int i = 0; i < 5; ++i) f.publish_parcel("m-" + std::to_string(i), "p-" + std::to_string(i));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(s->status().state, "open");
    EXPECT_EQ(s->status().failed, 3);
    const auto opened = std::ranges::find(f.traces, "subscription.circuit_breaker.opened", &sluice::trace_event::event);
    ASSERT_NE(opened, f.traces.end());
    EXPECT_EQ(opened->status, "opened");
    EXPECT_EQ(opened->message_type, "circuit_breaker");
    EXPECT_EQ(opened->stream, parcels);
    EXPECT_EQ(opened->handler, counter);
    EXPECT_EQ(opened->metadata.at("consecutive_handler_failures").as_int(), 3);
    EXPECT_EQ(opened->metadata.at("circuit_breaker_threshold").as_int(), 3);

    for (int i = 0; i < 5; ++i) {
        f.clock.advance(10s);
        static_cast<void>(s->work());
    }
    EXPECT_EQ(s->status().failed, 3) << "nothing is handled while it is open";
    broken = false;
    f.clock.advance(10s);
    static_cast<void>(s->work());
    EXPECT_EQ(s->status().handled, 5);
    EXPECT_EQ(s->status().state, "idle");
    EXPECT_EQ(f.traced("subscription.circuit_breaker.half_open").size(), 1U);
    EXPECT_EQ(f.traced("subscription.circuit_breaker.closed").size(), 1U);
}

sluice::config::configuration with_lanes() {
    sluice::config::configuration configuration;
    configuration.server.priority_lanes.enabled = true;
    return configuration;
}

// In the reference low priority waits for seconds, or for ever, while the primary stream is idle.
TEST(priority_lanes, an_idle_primary_never_delays_the_backfill) {
    EXPECT_TRUE(is_sooner_than_the_fallback_poll([] {
        fixture f{with_lanes()};
        std::atomic<bool> handled = false;
        f.hook->on_handle([&](const std::string&) { handled = true; });
        const auto s = f.subscribe();
        std::jthread thread{[&](const std::stop_token& stop) { s->run(stop); }};
        EXPECT_TRUE(sluice::testing::eventually([&] { return s->status().state == "idle"; }));
        const auto begin = std::chrono::steady_clock::now();
        f.publish("abroad::parcel:backfill", "b-1", "k", post::parcel_arrived("b-1", "slow"));
        EXPECT_TRUE(sluice::testing::eventually([&] { return handled.load(); }));
        return std::chrono::steady_clock::now() - begin;
    }));
}

TEST(priority_lanes, a_full_backfill_never_delays_the_primary_by_more_than_one_message) {
    fixture f{with_lanes()};
    for (int i = 0; i < 50; ++i) {
        const std::string id = "b-" + std::to_string(i);
        f.publish("abroad::parcel:backfill", id, id, post::parcel_arrived(id, id));
    }
    f.hook->on_handle([&](const std::string& letter) {
        if (letter == "b-4" || letter == "b-17") f.publish_parcel("m-" + letter, "quick after " + letter);
    });
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    const auto seen = f.hook->seen("parcel_counter");
    ASSERT_EQ(seen.size(), 52U);
    EXPECT_EQ(seen.at(5), "quick after b-4") << "although the broker had handed out b-5 to b-9 already";
    EXPECT_EQ(seen.at(19), "quick after b-17");
}

}  // namespace
