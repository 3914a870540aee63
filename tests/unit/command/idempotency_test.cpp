#include "command/idempotency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "unit/commit/box_office.hpp"
#include "unit/consume/post_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using box_office::fixture;
using box_office::OpenShow;
using box_office::Receipt;
using box_office::SellSeats;
using box_office::SellThroughAgent;
using sluice::command::outcome;
using testing::HasSubstr;
using testing::SizeIs;

const sluice::process_options with_key{.idempotency_key = "k-1"};

class sold_out : public sluice::error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "sold_out"; }
};

struct Ponder {
    static constexpr sluice::command_of<post::letter> contract{};
};
struct ponderer {
    void operator()(const Ponder&, sluice::context&) const {}
};

std::string refusal_of(fixture& f, const std::string& key) {
    try {
        f.context().process(OpenShow{.show_id = "s-9"}, {.idempotency_key = key});
        return "none";
    } catch (const sluice::usage_error& e) {
        return e.what();
    }
}

// The reference enforces a key only while Redis is configured and reachable.
TEST(idempotency, is_enforced_by_the_database_alone_and_not_silently_off_without_a_cache) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const Receipt first = f.context().process(SellSeats{.show_id = "s-1", .seats = 2}, with_key);
    const Receipt again = f.context().process(SellSeats{.show_id = "s-1", .seats = 2}, with_key);
    EXPECT_EQ(first, again);
    EXPECT_EQ(f.does->runs, 2);
    EXPECT_EQ(f.sold(), 2);
    EXPECT_EQ(f.rows().size(), 2U) << "no event twice";
}

TEST(idempotency, commits_the_outcome_with_the_effects_or_neither) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const std::size_t rows_before = f.rows().size();
    std::vector<sluice::store::commit_batch> batches;
    f.database->before_commit = [&](const sluice::store::commit_batch& batch) {
        batches.push_back(batch);
        if (!batch.outcomes.empty()) throw sluice::store_error{"the disk is full"};
    };
    EXPECT_THROW(f.context().process(SellSeats{.show_id = "s-1", .seats = 2}, with_key), sluice::store_error);
    EXPECT_EQ(f.sold(), 0);
    EXPECT_EQ(f.rows().size(), rows_before);
    EXPECT_FALSE(f.database->open_unit()->outcome_of("k-1", f.clock.now()));

    ASSERT_EQ(batches.size(), 1U) << "a process that dies between two commits would leave one without the other";
    const sluice::store::commit_batch& whole = batches.front();
    ASSERT_THAT(whole.outcomes, SizeIs(1));
    EXPECT_EQ(whole.outcomes[0].key, "k-1");
    ASSERT_THAT(whole.states, SizeIs(1));
    EXPECT_EQ(whole.states[0].id, "s-1");
    ASSERT_THAT(whole.events, SizeIs(1));
    EXPECT_EQ(whole.events[0].event.type, "BoxOffice.SeatsSold.v1");
    EXPECT_FALSE(f.database->open_operations()->event(whole.events[0].event.message_id));

    f.database->before_commit = nullptr;
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1", .seats = 2}, with_key).sold, 2) << "the key was free";
    EXPECT_EQ(f.rows().size(), rows_before + 1);
}

TEST(idempotency, of_a_command_without_a_result_and_by_name) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    for (int i = 0; i < 2; ++i) f.context().process(SellThroughAgent{.show_id = "s-1"}, {.idempotency_key = "void"});
    EXPECT_EQ(f.sold(), 1);
    const sluice::json::object data{{"show_id", "s-1"}, {"seats", 5}};
    const auto first = f.context().process("SellSeats", data, with_key);
    EXPECT_EQ(first, f.context().process("SellSeats", data, with_key));
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1", .seats = 5}, with_key).sold, 6) << "the typed one too";
}

TEST(idempotency, ends_with_the_retention_time) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    f.context().process(SellSeats{.show_id = "s-1"}, with_key);
    f.clock.advance(24h - 1s);
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
    f.clock.advance(1s);
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 2);
}

TEST(idempotency, refuses_a_key_that_belongs_to_other_data_or_another_command) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"}, with_key);
    EXPECT_THAT(refusal_of(f, "k-1"), HasSubstr("idempotency key `k-1` was used for OpenShow with other data"));
    try {
        f.context().process(SellSeats{.show_id = "s-1"}, with_key);
        FAIL();
    } catch (const sluice::usage_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("`k-1` was used for a command of type BoxOffice.OpenShow.v1"));
    }
    EXPECT_EQ(f.context().process(OpenShow{.show_id = "s-1"}, with_key), "s-1") << "it still has its outcome";
}

TEST(idempotency, needs_a_key_of_1_to_255_characters) {
    fixture f;
    std::string characters;
    for (int i = 0; i < 255; ++i) characters += "ß";
    EXPECT_EQ(refusal_of(f, characters), "none");
    for (const std::string& key : {std::string{}, characters + "x", std::string{"a\nb"}, std::string{"\xff"}}) {
        EXPECT_THAT(refusal_of(f, key), HasSubstr("is not 1 to 255 characters"));
    }
    EXPECT_THROW(f.context().submit(OpenShow{.show_id = "s"}, {.idempotency_key = ""}), sluice::usage_error);
}

TEST(idempotency, repeats_a_permanent_failure_for_a_minute_and_then_tries_anew) {
    fixture f;
    f.does->hook = [](sluice::context&) { throw sold_out{"all gone"}; };
    for (int i = 0; i < 2; ++i) {
        try {
            f.context().process(SellSeats{.show_id = "s-1"}, with_key);
            FAIL();
        } catch (const sluice::error& e) {
            EXPECT_STREQ(e.code(), "sold_out");
            EXPECT_STREQ(e.what(), "all gone");
        }
        f.clock.advance(59s);
    }
    EXPECT_EQ(f.does->runs, 1);
    f.clock.advance(1s);
    f.does->hook = nullptr;
    EXPECT_THROW(f.context().process(SellSeats{.show_id = "s-1"}, with_key), sluice::not_found_error);
    EXPECT_EQ(f.does->runs, 2);
}

TEST(idempotency, repeats_what_the_commit_refused_with_every_field) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    for (int i = 0; i < 2; ++i) {
        try {
            f.context().process(SellSeats{.show_id = "s-1", .seats = 101}, with_key);
            FAIL();
        } catch (const sluice::validation_error& e) {
            ASSERT_EQ(e.violations().size(), 1U);
            EXPECT_EQ(e.violations()[0].field, "Show.sold");
        }
    }
    EXPECT_EQ(f.does->runs, 2);
}

TEST(idempotency, remembers_no_failure_that_may_pass) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const auto fails_with = [&](const auto& failure) {
        f.does->hook = [&](sluice::context&) { throw failure; };
        EXPECT_ANY_THROW(f.context().process(SellSeats{.show_id = "s-1"}, with_key));
    };
    fails_with(sluice::store_error{"busy", sluice::error_nature::retryable});
    fails_with(sluice::store_error{"lost", sluice::error_nature::in_doubt});
    fails_with(std::runtime_error{"a foreign error says nothing about its nature"});
    EXPECT_THROW(f.context().process(SellSeats{.show_id = "s-1"}, {.idempotency_key = "k-1", .timeout = 0s}),
                 sluice::deadline_error);
    f.does->hook = nullptr;
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
}

TEST(idempotency, remembers_no_failure_when_that_is_turned_off) {
    sluice::config::configuration configuration;
    configuration.commands.failure_retention_seconds = 0;
    fixture f{configuration};
    EXPECT_THROW(f.context().process(SellSeats{.show_id = "s-1"}, with_key), sluice::not_found_error);
    f.context().process(OpenShow{.show_id = "s-1"});
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
}

/// While the handler runs for the first time, somebody else gives the same command and is faster.
void let_another_be_faster(fixture& f) {
    f.does->hook = [&f](sluice::context&) {
        f.does->hook = nullptr;
        f.context().process(SellSeats{.show_id = "s-1"}, with_key);
    };
}

TEST(idempotency, gives_the_outcome_of_whoever_was_faster) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    let_another_be_faster(f);
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
    EXPECT_EQ(f.sold(), 1);
}

TEST(idempotency, gives_the_outcome_of_whoever_was_faster_also_without_retries) {
    sluice::config::configuration configuration;
    configuration.server.version_retry.enabled = false;
    fixture f{configuration};
    f.context().process(OpenShow{.show_id = "s-1"});
    let_another_be_faster(f);
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
    EXPECT_EQ(f.sold(), 1);
}

TEST(idempotency, gives_the_success_of_whoever_was_faster_instead_of_a_failure_that_it_caused) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    f.does->hook = [&](sluice::context&) {
        f.does->hook = nullptr;
        f.context().process(SellSeats{.show_id = "s-1"}, with_key);
        throw sold_out{"they took the last one"};
    };
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
}

TEST(idempotency, tells_after_a_commit_in_doubt_what_happened) {
    post::fixture f;
    auto in = sluice::command::make_context(*f.env);
    f.database->is = post::moody_database::mood::doubtful;
    try {
        in.process(post::post_letter{.letter_id = "l-1"}, with_key);
        FAIL();
    } catch (const sluice::store_error& e) {
        EXPECT_TRUE(e.in_doubt());
    }
    f.database->is = post::moody_database::mood::well;
    in.process(post::post_letter{.letter_id = "l-1"}, with_key);
    EXPECT_EQ(f.stamps("l-1"), 0) << "a second run would have stamped the letter";
}

TEST(idempotency, is_never_taken_for_granted_while_the_database_is_away) {
    post::fixture f;
    auto in = sluice::command::make_context(*f.env);
    f.database->is = post::moody_database::mood::away;
    EXPECT_THROW(in.process(post::post_letter{.letter_id = "l-1"}, with_key), sluice::store_error);
}

TEST(idempotency, of_a_command_inside_another_commits_with_the_whole) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const SellThroughAgent agent{.show_id = "s-1", .key = "k-1"};
    {
        auto in = f.context();
        sluice::unit_of_work work{in};
        in.process(agent);
    }
    EXPECT_EQ(f.sold(), 0) << "rolled back";
    f.context().process(agent);
    EXPECT_EQ(f.sold(), 1) << "the key was free";
    f.context().process(agent);
    EXPECT_EQ(f.sold(), 1) << "the inner handler did not run again";
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1);
}

TEST(idempotency, holds_within_one_unit) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    auto in = f.context();
    sluice::unit_of_work work{in};
    EXPECT_EQ(in.process(SellSeats{.show_id = "s-1"}, with_key), in.process(SellSeats{.show_id = "s-1"}, with_key));
    work.commit();
    EXPECT_EQ(f.sold(), 1);
}

TEST(idempotency, of_an_inner_command_lets_the_whole_begin_anew_when_somebody_was_faster) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    let_another_be_faster(f);
    f.context().process(SellThroughAgent{.show_id = "s-1", .key = "k-1"});
    EXPECT_EQ(f.sold(), 1);

    let_another_be_faster(f);
    auto in = f.context();
    f.clock.advance(25h);
    sluice::unit_of_work work{in};
    in.process(SellThroughAgent{.show_id = "s-1", .key = "k-1"});
    EXPECT_THROW(work.commit(), sluice::expected_version_error) << "whoever opened the unit may do it again";
}

TEST(idempotency, of_a_submitted_command_is_enforced_where_it_is_handled) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const std::string one = f.context().submit(SellSeats{.show_id = "s-1"}, with_key);
    const std::string two = f.context().submit(SellSeats{.show_id = "s-1"}, with_key);
    EXPECT_NE(one, two);
    EXPECT_EQ(f.metadata_of(two).headers.idempotency_key, "k-1");
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(one), {"1-0"}, "commands"), outcome::handled);
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(two), {"2-0"}, "commands"), outcome::duplicate);
    EXPECT_EQ(f.sold(), 1);
    EXPECT_EQ(f.context().process(SellSeats{.show_id = "s-1"}, with_key).sold, 1) << "its result can be asked for";

    const std::string other = f.context().submit(SellSeats{.show_id = "s-1", .seats = 9}, with_key);
    EXPECT_THROW(static_cast<void>(sluice::command::handle_command(*f.env, f.message_of(other), {"3-0"}, "commands")),
                 sluice::usage_error);
}

TEST(idempotency, of_a_submitted_command_remembers_success_only_because_the_message_comes_again) {
    fixture f;
    const std::string id = f.context().submit(SellSeats{.show_id = "s-1"}, with_key);
    EXPECT_THROW(static_cast<void>(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands")),
                 sluice::not_found_error);
    f.context().process(OpenShow{.show_id = "s-1"});
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands"), outcome::handled);
    EXPECT_EQ(f.sold(), 1);
}

TEST(idempotency, of_a_submitted_command_does_not_depend_on_how_its_data_were_written) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    f.context().process(SellThroughAgent{.show_id = "s-1"}, with_key);
    const auto sparse = sluice::message::decode(
        R"({"data":{"show_id":"s-1"},"metadata":{"headers":{"id":"m-1","type":"BoxOffice.SellThroughAgent.v1",)"
        R"("idempotency_key":"k-1"}}})");
    EXPECT_EQ(sluice::command::handle_command(*f.env, sparse, {"1-0"}, "commands"), outcome::duplicate);
}

TEST(idempotency, costs_no_look_into_the_database_without_a_key) {
    post::fixture f;
    f.database->is = post::moody_database::mood::away;
    f.domain.command_handler<ponderer, Ponder>();
    auto in = sluice::command::make_context(*f.env);
    in.process(Ponder{});
}

}  // namespace
