#include <gtest/gtest.h>

#include <memory>

#include "envelope/envelope.hpp"
#include "unit/commit/library.hpp"

namespace {

using namespace std::chrono_literals;
using library::Book;
using library::BuyBook;
using sluice::command::outcome;

sluice::message incoming(const std::string& id) {
    return sluice::message::decode(R"({"data":{"isbn":"b-1"},"metadata":{"headers":{"id":")" + id +
                                   R"(","type":"Elsewhere.BookFound.v1"},"domain":{"correlation_id":"c-1"},)"
                                   R"("extensions":{"tenant":"acme"}}})");
}

TEST(handle, commits_the_change_and_the_mark_together_so_that_a_duplicate_has_no_effect) {
    library::fixture f;
    const auto buy = [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); };
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", buy), outcome::handled);
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"2-0"}, "sub",
                                      [](sluice::context&) { FAIL() << "ran twice"; }),
              outcome::duplicate);
    EXPECT_EQ(f.rows().size(), 1U);
}

TEST(handle, keeps_handlers_apart) {
    library::fixture f;
    const auto buy = [](const char* isbn) {
        return [isbn](sluice::context& in) { in.process(BuyBook{.isbn = isbn}); };
    };
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "one", buy("a")), outcome::handled);
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "two", buy("b")), outcome::handled);
}

TEST(handle, leaves_neither_change_nor_mark_after_an_error) {
    library::fixture f;
    EXPECT_THROW(static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub",
                                                           [](sluice::context& in) {
                                                               in.process(BuyBook{.isbn = "b-1"});
                                                               throw std::runtime_error{"no"};
                                                           })),
                 std::runtime_error);
    EXPECT_TRUE(f.rows().empty());
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub",
                                      [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); }),
              outcome::handled);
}

TEST(handle, writes_nothing_for_a_handler_that_changed_nothing) {
    library::fixture f;
    int runs = 0;
    const auto ponder = [&](sluice::context&) { ++runs; };
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", ponder), outcome::handled);
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", ponder), outcome::handled);
    EXPECT_EQ(runs, 2);
}

TEST(handle, sees_a_duplicate_that_another_consumer_committed_meanwhile) {
    library::fixture f;
    const auto result = sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", [&](sluice::context& in) {
        static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", [](sluice::context& other) {
            other.process(BuyBook{.isbn = "theirs"});
        }));
        in.process(BuyBook{.isbn = "mine"});
    });
    EXPECT_EQ(result, outcome::duplicate);
    EXPECT_EQ(f.rows().size(), 1U);
}

TEST(handle, writes_nothing_under_a_fence_that_is_somebody_else_s) {
    library::fixture f;
    const auto lane = f.database->open_lane();
    const auto now = f.clock.now();
    const auto mine = lane.lease->acquire("sequential/sub", "one", now, std::chrono::seconds{15});
    const auto buy = [](const char* isbn) {
        return [isbn](sluice::context& in) { in.process(BuyBook{.isbn = isbn}); };
    };
    const sluice::store::lease_fence fence{mine->lane, mine->epoch};
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), {"1-0", fence}, "sub", buy("a")), outcome::handled);

    const auto theirs =
        lane.lease->acquire("sequential/sub", "two", now + std::chrono::seconds{16}, std::chrono::seconds{15});
    ASSERT_TRUE(theirs);
    EXPECT_THROW(static_cast<void>(sluice::command::handle(*f.env, incoming("m-2"), {"2-0", fence}, "sub", buy("b"))),
                 sluice::store::lease_lost);
    EXPECT_EQ(f.rows().size(), 1U);
    const sluice::store::lease_fence newer{theirs->lane, theirs->epoch};
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-2"), {"2-0", newer}, "sub", buy("b")), outcome::handled)
        << "the message stayed for the new owner";
}

/// Books are in a database of their own.
struct archive_fixture : library::fixture {
    archive_fixture() {
        domain_of_archive.aggregate<Book>({.database = "archive"}).events<library::BookBought, library::BookLent>();
        domain_of_archive.command_handler<library::commands, BuyBook, library::LendBook>();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        parts.databases.emplace("archive", archive);
        env_of_archive = std::make_unique<sluice::commit::environment>(
            domain_of_archive.declared(), sluice::config::configuration{}, parts, clock, random);
    }

    sluice::domain domain_of_archive{"Public Library"};
    std::shared_ptr<sluice::store::database> archive = sluice::store::make_memory_database("archive");
    std::unique_ptr<sluice::commit::environment> env_of_archive;
};

TEST(handle, refuses_a_change_that_its_fence_does_not_reach) {
    archive_fixture f;
    const auto buy = [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); };
    const sluice::store::lease_fence fence{"sequential/sub", 1};
    try {
        static_cast<void>(sluice::command::handle(*f.env_of_archive, incoming("m-1"), {"1-0", fence}, "sub", buy));
        FAIL() << "a fence of one database says nothing about another";
    } catch (const sluice::usage_error& e) {
        EXPECT_NE(std::string{e.what()}.find("`archive`"), std::string::npos) << e.what();
    }
    EXPECT_TRUE(f.archive->open_operations()->list({.limit = 10}).empty());
}

TEST(handle, removes_a_kept_message_with_what_it_writes_to_the_same_database) {
    library::fixture f;
    const auto kept = f.database->open_kept_messages();
    const sluice::store::kept_message message{
        .at = {.broker = "partner", .stream = "s", .group = "sub"}, .entry = "1-0", .key = "k"};
    const auto number = kept->keep({&message, 1}, {.owner = "desk", .now = f.clock.now(), .ttl = 30s}).at(0);
    const sluice::command::message_terms terms{
        .entry = "kept/1",
        .kept = sluice::store::kept_removal{
            .at = message.at, .owner = "desk", .name = {.number = number, .key = message.key}}};
    const auto ponder = [](sluice::context&) {};
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), terms, "sub", ponder), outcome::handled);
    EXPECT_EQ(kept->counts("partner").size(), 1U) << "nothing was written, so nothing was removed";
    const auto buy = [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); };
    EXPECT_EQ(sluice::command::handle(*f.env, incoming("m-1"), terms, "sub", buy), outcome::settled);
    EXPECT_TRUE(kept->counts("partner").empty());
}

TEST(handle, leaves_a_kept_message_that_is_in_another_database) {
    archive_fixture f;
    const sluice::command::message_terms terms{
        .entry = "kept/1", .kept = sluice::store::kept_removal{.owner = "desk", .name = {.number = 1}}};
    const auto buy = [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); };
    EXPECT_EQ(sluice::command::handle(*f.env_of_archive, incoming("m-1"), terms, "sub", buy), outcome::handled);
    EXPECT_EQ(f.archive->open_operations()->list({.limit = 10}).size(), 1U);
}

/// An event of the library itself.
sluice::message own_event(const std::string& id) {
    return sluice::message::decode(R"({"data":{"isbn":"b-1"},"metadata":{"headers":{"id":")" + id +
                                   R"(","type":"PublicLibrary.BookBought.v1","stream":"public_library::book-b-1"},)"
                                   R"("domain":{"kind":"EVENT","correlation_id":"c-1"}}})");
}

sluice::message_metadata metadata_of(library::fixture& f, std::string_view id) {
    return sluice::envelope::decode_metadata(sluice::json::parse(f.event(id)->metadata));
}

TEST(handle, what_comes_of_an_event_by_a_command_names_the_stream_of_the_event_as_its_origin) {
    library::fixture f;
    static_cast<void>(sluice::command::handle(*f.env, own_event("m-1"), {"1-0"}, "handler", [](sluice::context& in) {
        in.process(BuyBook{.isbn = "b-2"});
        sluice::unit_of_work work{in};
        in.repository<Book>().add(Book{"b-3"});
        work.commit();
    }));
    EXPECT_EQ(metadata_of(f, "public_library::book-b-2-0.1").domain.origin_stream, "public_library::book-b-1");
    EXPECT_EQ(metadata_of(f, "public_library::book-b-3-0.1").domain.origin_stream, std::nullopt)
        << "an event without a command has none";
}

TEST(handle, a_submitted_command_carries_the_origin_to_its_own_events) {
    library::fixture f;
    std::string submitted;
    static_cast<void>(sluice::command::handle(*f.env, own_event("m-1"), {"1-0"}, "handler", [&](sluice::context& in) {
        submitted = in.submit(BuyBook{.isbn = "b-2", .lend_at_once = true});
    }));
    const auto written = *f.event(submitted);
    EXPECT_EQ(metadata_of(f, submitted).domain.origin_stream, "public_library::book-b-1");
    const auto m = sluice::message::decode(sluice::envelope::render_internal(written.data, written.metadata));
    EXPECT_EQ(sluice::command::handle_command(*f.env, m, {"1-0"}, "commands"), outcome::handled);
    EXPECT_EQ(metadata_of(f, "public_library::book-b-2-0.1").domain.origin_stream, "public_library::book-b-1");
    EXPECT_EQ(metadata_of(f, "public_library::book-b-2-0.2").domain.origin_stream, std::nullopt)
        << "a command that a command gives does not answer the event";
}

TEST(handle, what_comes_of_a_message_from_elsewhere_has_no_origin) {
    library::fixture f;
    static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub",
                                              [](sluice::context& in) { in.process(BuyBook{.isbn = "b-1"}); }));
    EXPECT_EQ(metadata_of(f, "public_library::book-b-1-0.1").domain.origin_stream, std::nullopt);
}

TEST(handle, a_chain_of_commands_that_ran_at_once_can_be_walked_to_the_message) {
    library::fixture f;
    static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", [](sluice::context& in) {
        in.process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    }));
    const std::string lend = metadata_of(f, "public_library::book-b-1-0.2").domain.causation_id.value();
    EXPECT_EQ(f.event(lend)->type, "PublicLibrary.LendBook.v1");
    EXPECT_FALSE(metadata_of(f, lend).domain.asynchronous);
    EXPECT_EQ(metadata_of(f, lend).domain.kind, sluice::message_kind::command);
    const std::string buy = metadata_of(f, lend).domain.causation_id.value();
    EXPECT_EQ(f.event(buy)->type, "PublicLibrary.BuyBook.v1");
    EXPECT_EQ(metadata_of(f, "public_library::book-b-1-0.1").domain.causation_id, buy);
    EXPECT_EQ(metadata_of(f, buy).domain.causation_id, "m-1");
    EXPECT_EQ(metadata_of(f, buy).domain.correlation_id, "c-1");
    const auto log = f.database->open_operations()->events({.limit = 10});
    EXPECT_EQ(log.size(), 4U);
    EXPECT_EQ(f.rows().size(), 3U) << "the commands go to no broker";
}

TEST(handle, records_no_command_that_nothing_came_of) {
    library::fixture f;
    static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub",
                                              [](sluice::context& in) { in.process(library::Ponder{}); }));
    EXPECT_TRUE(f.database->open_operations()->events({.limit = 10}).empty());
}

TEST(handle, continues_the_message) {
    library::fixture f;
    static_cast<void>(sluice::command::handle(*f.env, incoming("m-1"), {"1-0"}, "sub", [](sluice::context& in) {
        EXPECT_EQ(in.correlation_id(), "c-1");
        EXPECT_EQ(in.causation_id(), "m-1");
        EXPECT_EQ(in.extensions().at("tenant").as_string(), "acme");
        ASSERT_NE(in.current_message(), nullptr);
        EXPECT_TRUE(in.current_message()->type().names("BookFound"));
    }));
}

TEST(handle_command, runs_the_handler_and_refuses_what_it_does_not_know) {
    library::fixture f;
    const auto command = [](const char* type) {
        return sluice::message::decode(std::string{R"({"data":{"isbn":"b-1","lend_at_once":false},"metadata":)"} +
                                       R"({"headers":{"id":"c-1","type":")" + type + R"("}}})");
    };
    EXPECT_EQ(sluice::command::handle_command(*f.env, command("PublicLibrary.BuyBook.v1"), {"1-0"}, "commands"),
              outcome::handled);
    EXPECT_EQ(sluice::command::handle_command(*f.env, command("PublicLibrary.BuyBook.v1"), {"1-0"}, "commands"),
              outcome::duplicate);
    EXPECT_THROW(static_cast<void>(
                     sluice::command::handle_command(*f.env, command("PublicLibrary.Nope.v1"), {"1-0"}, "commands")),
                 sluice::decode_error);
}

TEST(process_by_name, suggests_the_nearest_command_and_names_every_bad_field) {
    library::fixture f;
    auto context = f.context();
    try {
        context.process("LendBok", sluice::json::object{});
        FAIL();
    } catch (const sluice::usage_error& e) {
        EXPECT_NE(std::string{e.what()}.find("did you mean `LendBook`?"), std::string::npos) << e.what();
    }
    try {
        context.process("LendBook", sluice::json::object{{"reader", "a reader with a long name"}, {"isbm", "x"}});
        FAIL();
    } catch (const sluice::validation_error& e) {
        EXPECT_EQ(e.violations().size(), 3U) << e.what();
    }
}

}  // namespace
