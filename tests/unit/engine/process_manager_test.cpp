#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/sluice.hpp>

#include <functional>

#include "process/step.hpp"
#include "support/bank.hpp"
#include "support/process_world.hpp"

// Process managers with their timers, messages carried by hand.
namespace {

using namespace std::chrono_literals;
using sluice::testing::process_world;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string stream = "bank::transfer-t-1";

class process_manager : public testing::Test {
protected:
    process_manager() {
        world.give(bank::OpenAccount{.account_id = "ada", .balance = 100});
        world.give(bank::OpenAccount{.account_id = "bob"});
    }

    void request(const std::string& id, std::int64_t amount = 30) {
        world.give(bank::RequestTransfer{.transfer_id = id, .from = "ada", .to = "bob", .amount = amount});
    }
    void accept(const std::string& id) { world.give(bank::AcceptTransfer{.transfer_id = id}); }
    void gift(const std::string& reference) {
        world.give(bank::Deposit{.account_id = "bob", .reference = reference, .amount = 1});
    }
    [[nodiscard]] std::int64_t balance(const std::string& account) {
        auto in = world.context();
        const sluice::unit_of_work work{in};
        return in.repository<bank::Account>().get(account).balance();
    }
    [[nodiscard]] std::string outcome(const std::string& id) {
        auto in = world.context();
        const sluice::unit_of_work work{in};
        return in.repository<bank::Payment>().get(id).outcome();
    }
    /// The first message of a type, as the broker would deliver it.
    [[nodiscard]] sluice::store::stream_event sent(const std::string& type) {
        for (auto& each : world.sent()) {
            if (each.event.type == type) return each;
        }
        throw std::runtime_error{"nothing was sent of type " + type};
    }

    process_world world{bank::make_domain()};
};

TEST_F(process_manager, takes_every_step_of_a_process_until_it_is_complete) {
    request("t-1");
    world.settle();
    EXPECT_EQ(balance("ada"), 70);
    EXPECT_EQ(balance("bob"), 0);
    EXPECT_FALSE(world.last(stream).is_complete);
    EXPECT_THAT(world.scheduled(), SizeIs(1));
    accept("t-1");
    world.settle();
    EXPECT_EQ(balance("bob"), 30);
    EXPECT_EQ(outcome("t-1"), "accepted");
    EXPECT_TRUE(world.last(stream).is_complete);
    EXPECT_THAT(world.last(stream).timers, IsEmpty());
    EXPECT_THAT(world.scheduled(), IsEmpty());
}

TEST_F(process_manager, keeps_its_state_as_transitions_in_a_stream_of_its_own_and_sends_them_to_nobody) {
    request("t-1");
    accept("t-1");
    world.settle();
    std::vector<std::string> steps;
    for (const auto& each : world.stream(stream)) {
        EXPECT_EQ(each.event.message_id, stream + "-" + std::to_string(each.position));
        EXPECT_EQ(each.event.type, "Bank._PMTransition.v1");
        EXPECT_EQ(each.event.stream_category, "bank::transfer");
        EXPECT_THAT(world.database->open_operations()->list({.message_id = each.event.message_id}), IsEmpty());
        steps.push_back(sluice::process::decode_transition(each).handler_name);
    }
    EXPECT_THAT(steps, ElementsAre("TransferRequested", "TransferAccepted", "Deposited"));
    EXPECT_EQ(world.stream(stream).at(0).event.data,
              R"({"state":{"from":"ada","to":"bob","amount":30},"handler_name":"TransferRequested",)"
              R"("is_complete":false,"timers":{"acceptance":{"id":"bank::transfer:timeout-t-1-0.acceptance",)"
              R"("due":"2026-01-01T00:05:00+00:00"}}})");
    EXPECT_EQ(world.stream(stream).at(2).event.data,
              R"({"state":{"from":"ada","to":"bob","amount":30},"handler_name":"Deposited","is_complete":true})");
    const auto metadata = process_world::as_message(world.stream(stream).front().event).metadata();
    EXPECT_EQ(metadata.domain.causation_id, sent("Bank.TransferRequested.v1").event.message_id);
    EXPECT_EQ(metadata.domain.correlation_id,
              process_world::as_message(sent("Bank.TransferRequested.v1").event).correlation_id());
    EXPECT_EQ(metadata.domain.sequence_id, "0");
}

TEST_F(process_manager, keeps_instances_with_different_correlations_apart) {
    request("t-1", 10);
    request("t-2", 20);
    accept("t-2");
    world.settle();
    EXPECT_EQ(balance("bob"), 20);
    EXPECT_FALSE(world.last("bank::transfer-t-1").is_complete);
    EXPECT_TRUE(world.last("bank::transfer-t-2").is_complete);
    EXPECT_EQ(world.last("bank::transfer-t-1").state.at("amount").as_int(), 10);
}

TEST_F(process_manager, a_duplicate_takes_no_second_step) {
    request("t-1");
    accept("t-1");
    world.settle();
    const auto sent_again = world.sent();
    world.outcomes.clear();
    for (const auto& each : sent_again) world.deliver(each);
    EXPECT_THAT(world.outcomes, SizeIs(3));
    EXPECT_THAT(world.outcomes, testing::Each(sluice::command::outcome::duplicate));
    EXPECT_EQ(balance("ada"), 70);
    EXPECT_THAT(world.stream(stream), SizeIs(3));
}

TEST_F(process_manager, ignores_what_belongs_to_a_complete_instance) {
    request("t-1");
    accept("t-1");
    world.settle();
    gift("t-1");
    world.settle();
    EXPECT_THAT(world.stream(stream), SizeIs(3));
    const auto ignored = world.traced("pm.ignored");
    ASSERT_THAT(ignored, SizeIs(1));
    EXPECT_EQ(ignored.front().metadata.at("reason").as_string(), "complete");
    EXPECT_EQ(ignored.front().status, "ok");
}

TEST_F(process_manager, skips_an_event_without_an_instance_and_tells_of_it) {
    gift("nobody");
    world.settle();
    EXPECT_THAT(world.stream("bank::transfer-nobody"), IsEmpty());
    const auto unmatched = world.traced("pm.unmatched");
    ASSERT_THAT(unmatched, SizeIs(1));
    EXPECT_EQ(unmatched.front().status, "skipped");
    EXPECT_EQ(unmatched.front().stream, "bank::transfer-nobody");
    EXPECT_EQ(unmatched.front().handler, "bank.Transfer");
}

TEST_F(process_manager, refuses_an_event_that_names_no_instance_with_event_and_member) {
    gift("");
    try {
        world.settle();
        FAIL() << "it was taken";
    } catch (const sluice::validation_error& e) {
        EXPECT_STREQ(e.what(),
                     "Deposited is not valid: reference: must not be empty; process manager bank.Transfer "
                     "finds its instance by it");
    }
}

TEST_F(process_manager, tells_of_each_transition_once_it_is_committed) {
    request("t-1");
    accept("t-1");
    world.settle();
    const auto steps = world.traced("pm.transition");
    ASSERT_THAT(steps, SizeIs(3));
    EXPECT_EQ(steps.back().metadata.at("pm_type").as_string(), "Transfer");
    EXPECT_EQ(steps.back().metadata.at("pm_stream_category").as_string(), "bank::transfer");
    EXPECT_EQ(steps.back().metadata.at("position").as_int(), 2);
    EXPECT_TRUE(steps.back().metadata.at("is_complete").as_bool());
    EXPECT_EQ(steps.back().stream, stream);
    EXPECT_EQ(steps.back().message_type, "Bank.Deposited.v1");
}

TEST_F(process_manager, a_step_that_fails_leaves_nothing_behind) {
    request("t-1", 300);
    EXPECT_THROW(world.settle(), sluice::validation_error) << "ada does not have so much";
    EXPECT_EQ(balance("ada"), 100);
    EXPECT_THAT(world.stream(stream), IsEmpty());
    EXPECT_THAT(world.scheduled(), IsEmpty());
    EXPECT_THAT(world.traced("pm.transition"), IsEmpty());
}

/// Runs at the begin of a step, once.
std::function<void()> meanwhile;

TEST_F(process_manager, steps_of_one_instance_at_the_same_time_are_taken_one_after_the_other) {
    request("t-1");
    world.settle();
    accept("t-1");
    auto racing = world.domain.declared().processes.at("bank::Transfer");
    int attempts = 0;
    // While TransferAccepted is handled, another consumer is faster with the timeout.
    meanwhile = [&] {
        if (++attempts > 1) return;
        world.clock.advance(5min);
        static_cast<void>(world.schedule->work());
        world.deliver(sent("Bank._PMTimeout.v1"));
    };
    racing.on.at("bank::TransferAccepted").run = [](sluice::process_root& object, const void* event,
                                                    sluice::context& in) {
        meanwhile();
        static_cast<bank::Transfer&>(object).on(*static_cast<const bank::TransferAccepted*>(event), in);
    };
    const auto accepted = process_world::as_message(sent("Bank.TransferAccepted.v1").event);
    EXPECT_EQ(sluice::process::handle_process(*world.env, racing, accepted, {"1"}), sluice::command::outcome::handled);
    EXPECT_EQ(attempts, 2) << "the second attempt sees what the other left";
    std::vector<std::string> steps;
    for (const auto& each : world.stream(stream)) {
        steps.push_back(sluice::process::decode_transition(each).handler_name);
    }
    EXPECT_THAT(steps, ElementsAre("TransferRequested", "timeout:acceptance", "TransferAccepted"));
    EXPECT_EQ(balance("bob"), 30) << "deposited once";
}

TEST_F(process_manager, a_timer_comes_when_its_time_has_passed_and_not_before) {
    request("t-1");
    world.settle();
    ASSERT_THAT(world.scheduled(), SizeIs(1));
    world.pass(5min - 1us);
    EXPECT_EQ(outcome("t-1"), "open");
    world.pass(1us);
    EXPECT_EQ(outcome("t-1"), "expired");
    EXPECT_EQ(balance("ada"), 100) << "the money comes back";
    EXPECT_TRUE(world.last(stream).is_complete);
    EXPECT_THAT(world.scheduled(), IsEmpty());
    accept("t-1");
    world.pass(1h);
    EXPECT_EQ(balance("ada"), 100);
    EXPECT_EQ(balance("bob"), 0);
}

TEST_F(process_manager, a_timeout_travels_through_the_outbox_like_every_message) {
    request("t-1");
    world.settle();
    const auto due = world.clock.now() + 5min;
    world.clock.advance(7min);
    static_cast<void>(world.schedule->work());
    const auto timeout = sent("Bank._PMTimeout.v1");
    EXPECT_EQ(timeout.event.message_id, "bank::transfer:timeout-t-1-0.acceptance");
    EXPECT_EQ(timeout.event.stream, "bank::transfer:timeout-t-1");
    EXPECT_EQ(timeout.event.stream_category, "bank::transfer:timeout");
    EXPECT_EQ(timeout.event.created_at, world.clock.now()) << "its age in the outbox counts from the release";
    const auto m = process_world::as_message(timeout.event);
    EXPECT_EQ(m.metadata().headers.time, due);
    EXPECT_EQ(m.correlation_id(), process_world::as_message(sent("Bank.TransferRequested.v1").event).correlation_id());
    EXPECT_EQ(m.metadata().domain.causation_id, sent("Bank.TransferRequested.v1").event.message_id);
    const auto rows = world.database->open_operations()->list({.message_id = timeout.event.message_id});
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows.front().target_broker, "default");
    ASSERT_THAT(world.traced("schedule.released"), SizeIs(1));
}

TEST_F(process_manager, a_timeout_that_was_released_before_the_process_completed_is_ignored) {
    request("t-1");
    world.settle();
    world.clock.advance(5min);
    static_cast<void>(world.schedule->work());
    accept("t-1");
    world.deliver(sent("Bank.TransferAccepted.v1"));
    world.deliver(sent("Bank.Deposited.v1"));
    world.deliver(sent("Bank._PMTimeout.v1"));
    EXPECT_EQ(balance("ada"), 70);
    ASSERT_THAT(world.traced("pm.ignored"), SizeIs(1));
    EXPECT_THAT(world.stream(stream), SizeIs(3));
}

// --- a process manager that does with its timers what a test says ---

struct Told {
    static constexpr sluice::event_of<bank::Account> contract{};
    sluice::identifier account_id;
    std::string what{};
};

struct Answered {
    static constexpr sluice::event_of<bank::Payment> contract{};
    sluice::identifier account_id;
};

class Patient : public sluice::process_manager<Patient> {
public:
    void on(const Told& e, sluice::context& in) {
        log_ += e.what + ";";
        if (!since_) since_ = in.now();
        if (e.what == "arm") in_time("nudge", 1min);
        if (e.what == "arm later") in_time("nudge", 2min);
        if (e.what == "arm both") {
            in_time("nudge", 1min);
            in_time("nudge", 3min);
            at("other", in.now() - 1h);
        }
        if (e.what == "cancel") cancel("nudge");
        if (e.what == "arm and cancel") {
            in_time("nudge", 1min);
            cancel("nudge");
        }
        if (e.what == "bad name") in_time("no.dots", 1min);
        if (e.what == "too far") in_time("far", sluice::duration::max());
        if (e.what == "complete") complete();
        if (e.what == "break") log_ = std::string(200, 'x');
    }
    void on(const Answered&, sluice::context& in) {
        const sluice::duration waited = in.now() - since_.value();
        log_ += "answered after " + std::to_string(waited.count()) + ";";
    }
    void on(const sluice::timeout& t, sluice::context&) {
        log_ += t.name + ";";
        if (t.name == "other") in_time("other", 10min);
    }
    void check(sluice::violations& broken) const {
        if (log_.size() > 150) broken.add("log", "is too long");
    }

private:
    std::string log_;
    std::optional<sluice::date_time> since_;
    BOOST_DESCRIBE_CLASS(Patient, (), (), (), (log_, since_))
};

}  // namespace

namespace {

/// Events written as an aggregate would have raised them.
class timers : public testing::Test {
protected:
    static sluice::domain make_domain(sluice::when_missing policy = sluice::when_missing::skip,
                                      const std::string& database = "default") {
        sluice::domain domain{"clinic"};
        domain.stream<bank::Account>().events<Told>();
        domain.stream<bank::Payment>().events<Answered>();
        domain.process_manager<Patient>({.stream_category = "patients", .database = database})
            .starts<Told>(&Told::account_id)
            .continues<Answered>([](const Answered& e) { return e.account_id.str(); })
            .when_missing(policy);
        return domain;
    }

    void say(process_world& to, const std::string& what) {
        send(to, "Clinic.Told.v1", "clinic::account", sluice::codec::encode(Told{.account_id = "p", .what = what}));
    }
    void say(const std::string& what) { say(world, what); }
    void answer(process_world& to) {
        send(to, "Clinic.Answered.v1", "clinic::payment", sluice::codec::encode(Answered{.account_id = "p"}));
    }

    void send(process_world& to, const std::string& type, const std::string& category, const std::string& data) {
        sluice::message_metadata metadata;
        metadata.headers.id = category + "-p-" + std::to_string(++count_);
        metadata.headers.type = type;
        metadata.headers.stream = category + "-p";
        metadata.domain.stream_category = category;
        last_ = {.seq = 1000 + count_,
                 .event = {.message_id = metadata.headers.id,
                           .stream = metadata.headers.stream,
                           .stream_category = category,
                           .type = type,
                           .data = data,
                           .metadata = sluice::envelope::encode_metadata(metadata)}};
        to.deliver(last_);
    }
    void again(process_world& to) const { to.deliver(last_); }

    [[nodiscard]] std::string log() { return world.last("clinic::patients-p").state.at("log").as_string(); }

    process_world world{make_domain()};

private:
    int count_ = 0;
    sluice::store::stream_event last_;
};

TEST_F(timers, setting_one_anew_replaces_it) {
    say("arm");
    world.pass(30s);
    say("arm later");
    ASSERT_THAT(world.scheduled(), SizeIs(1));
    world.pass(1min);
    EXPECT_EQ(log(), "arm;arm later;");
    world.pass(1min);
    EXPECT_EQ(log(), "arm;arm later;nudge;");
}

TEST_F(timers, of_one_step_the_last_setting_counts_and_names_are_apart) {
    say("arm both");
    ASSERT_THAT(world.scheduled(), SizeIs(2));
    world.pass(0s);
    EXPECT_EQ(log(), "arm both;other;") << "a moment that has passed is due at once";
    world.pass(2min);
    EXPECT_EQ(log(), "arm both;other;");
    world.pass(1min);
    EXPECT_EQ(log(), "arm both;other;nudge;");
    world.pass(7min);
    EXPECT_EQ(log(), "arm both;other;nudge;other;") << "a timeout may set its own timer again";
}

TEST_F(timers, a_cancelled_one_does_not_come) {
    say("arm");
    say("cancel");
    EXPECT_THAT(world.scheduled(), IsEmpty());
    say("arm and cancel");
    EXPECT_THAT(world.scheduled(), IsEmpty());
    world.pass(1h);
    EXPECT_EQ(log(), "arm;cancel;arm and cancel;");
}

TEST_F(timers, a_timeout_on_its_way_does_not_count_after_a_cancel_or_a_new_setting) {
    say("arm");
    world.clock.advance(1min);
    static_cast<void>(world.schedule->work());
    say("cancel");
    world.settle();
    EXPECT_EQ(log(), "arm;cancel;");

    say("arm");
    world.clock.advance(1min);
    static_cast<void>(world.schedule->work());
    say("arm later");
    world.settle();
    EXPECT_EQ(log(), "arm;cancel;arm;arm later;") << "it is the timeout of the first setting";
    world.pass(2min);
    EXPECT_EQ(log(), "arm;cancel;arm;arm later;nudge;");
    for (const auto& each : world.traced("pm.ignored")) {
        EXPECT_EQ(each.metadata.at("reason").as_string(), "timer_not_armed");
    }
    EXPECT_THAT(world.traced("pm.ignored"), SizeIs(2));
}

TEST_F(timers, complete_cancels_all_of_them) {
    say("arm both");
    say("complete");
    EXPECT_THAT(world.scheduled(), IsEmpty());
    EXPECT_TRUE(world.last("clinic::patients-p").is_complete);
    say("arm");
    EXPECT_THAT(world.stream("clinic::patients-p"), SizeIs(2)) << "a start event does not begin it again";
}

TEST_F(timers, have_names_that_cannot_be_mixed_up_and_times_that_can_be_written) {
    EXPECT_THROW(say("bad name"), sluice::usage_error);
    EXPECT_THROW(say("too far"), sluice::usage_error);
    EXPECT_THAT(world.stream("clinic::patients-p"), IsEmpty());
}

TEST_F(timers, a_state_that_breaks_its_rule_is_not_written) {
    say("arm");
    EXPECT_THROW(say("break"), sluice::validation_error);
    EXPECT_EQ(log(), "arm;");
}

TEST_F(timers, a_start_event_goes_on_with_an_instance_that_exists) {
    say("one");
    say("two");
    EXPECT_EQ(log(), "one;two;");
    EXPECT_THAT(world.stream("clinic::patients-p"), SizeIs(2));
}

TEST_F(timers, live_in_the_database_of_the_process_where_a_duplicate_is_known_too) {
    process_world other{make_domain(sluice::when_missing::skip, "archive")};
    say(other, "arm");
    again(other);
    EXPECT_THAT(other.outcomes, ElementsAre(sluice::command::outcome::handled, sluice::command::outcome::duplicate));
    EXPECT_THAT(other.scheduled(), IsEmpty());
    EXPECT_TRUE(other.archive->open_unit()->next_due());
}

TEST_F(timers, events_of_other_streams_may_come_first_when_the_process_waits_for_its_start) {
    process_world waiting{make_domain(sluice::when_missing::retry)};
    try {
        answer(waiting);
        FAIL() << "it was skipped";
    } catch (const sluice::not_found_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("there is no process")) << e.what();
        EXPECT_THAT(e.what(), HasSubstr("Answered"));
    }
    say(waiting, "one");
    answer(waiting);
    EXPECT_EQ(waiting.last("clinic::patients-p").state.at("log").as_string(), "one;answered after 0;");
}

// The reference gives the text of a date back where there was a date.
TEST_F(timers, dates_in_the_state_come_back_as_dates) {
    world.clock.advance(1us);
    say("one");
    EXPECT_EQ(world.last("clinic::patients-p").state.at("since").as_string(), "2026-01-01T00:00:00.000001+00:00");
    world.clock.advance(1500001us);
    answer(world);
    EXPECT_EQ(log(), "one;answered after 1500001;");
}

}  // namespace
