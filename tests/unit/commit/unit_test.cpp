#include <gtest/gtest.h>

#include "library.hpp"

namespace {

using library::Book;
using library::BuyBook;
using library::LendBook;
using library::Shelf;

TEST(unit_of_work, commits_what_was_added) {
    library::fixture f;
    auto context = f.context();
    {
        sluice::unit_of_work work{context};
        context.repository<Book>().add(Book{"b-1"});
        work.commit();
    }
    sluice::unit_of_work work{context};
    EXPECT_EQ(context.repository<Book>().get("b-1").version(), 0);
}

TEST(unit_of_work, leaves_nothing_without_a_commit) {
    library::fixture f;
    auto context = f.context();
    {
        sluice::unit_of_work work{context};
        context.repository<Book>().add(Book{"b-1"});
    }
    sluice::unit_of_work work{context};
    EXPECT_EQ(context.repository<Book>().find("b-1"), nullptr);
    EXPECT_TRUE(f.rows().empty());
}

TEST(unit_of_work, hands_out_one_object_for_one_identity) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    sluice::unit_of_work work{context};
    Book& first = context.repository<Book>().get("b-1");
    EXPECT_EQ(&first, &context.repository<Book>().get("b-1"));
    EXPECT_EQ(context.repository<Book>().all(), std::vector{&first});
}

TEST(unit_of_work, writes_a_changed_object_and_leaves_a_read_one_alone) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "changed"});
    context.process(BuyBook{.isbn = "read"});
    {
        sluice::unit_of_work work{context};
        context.repository<Book>().get("changed").rename("Dune");
        EXPECT_EQ(context.repository<Book>().get("read").title(), "untitled");
        work.commit();
    }
    sluice::unit_of_work work{context};
    EXPECT_EQ(context.repository<Book>().get("changed").version(), 1);
    EXPECT_EQ(context.repository<Book>().get("changed").title(), "Dune");
    EXPECT_EQ(context.repository<Book>().get("read").version(), 0);
}

TEST(unit_of_work, removes) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    {
        sluice::unit_of_work work{context};
        context.repository<Book>().remove(context.repository<Book>().get("b-1"));
        EXPECT_EQ(context.repository<Book>().find("b-1"), nullptr);
        EXPECT_TRUE(context.repository<Book>().all().empty());
        work.commit();
    }
    sluice::unit_of_work work{context};
    EXPECT_THROW(static_cast<void>(context.repository<Book>().get("b-1")), sluice::not_found_error);
}

TEST(unit_of_work, refuses_an_identity_that_was_used_and_removed_before) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    {
        sluice::unit_of_work work{context};
        context.repository<Book>().remove(context.repository<Book>().get("b-1"));
        work.commit();
    }
    EXPECT_THROW(context.process(BuyBook{.isbn = "b-1"}), sluice::usage_error);
}

TEST(unit_of_work, finds_by_field_and_sees_its_own_changes) {
    library::fixture f;
    auto context = f.context();
    for (const char* isbn : {"a", "b", "c"}) context.process(BuyBook{.isbn = isbn});
    sluice::unit_of_work work{context};
    const auto books = context.repository<Book>();
    books.get("a").rename("Dune");
    books.get("c").rename("Dune");
    books.add(Book{"d"});
    EXPECT_EQ(books.find_by("title", "Dune"), (std::vector{&books.get("a"), &books.get("c")}));
    EXPECT_EQ(books.find_by("title", "untitled"), (std::vector{&books.get("b"), &books.get("d")}));
    EXPECT_TRUE(books.find_by("title", "dune").empty());
}

TEST(unit_of_work, knows_nothing_under_an_identity_that_no_store_keeps) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    sluice::unit_of_work work{context};
    const auto books = context.repository<Book>();
    for (const std::string& id : {std::string{"b\0-1", 4}, std::string{"b-\xff"}}) {
        EXPECT_EQ(books.find(id), nullptr);
        EXPECT_THROW(static_cast<void>(books.get(id)), sluice::not_found_error);
        EXPECT_THROW(static_cast<void>(books.find_by("title", id)), sluice::validation_error);
    }
}

TEST(unit_of_work, joins_the_outer_one) {
    library::fixture f;
    auto context = f.context();
    {
        sluice::unit_of_work outer{context};
        {
            sluice::unit_of_work inner{context};
            context.repository<Book>().add(Book{"b-1"});
            inner.commit();
        }
        EXPECT_TRUE(f.rows().empty()) << "an inner commit writes nothing durable";
        outer.commit();
    }
    EXPECT_EQ(f.rows().size(), 1U);
}

TEST(unit_of_work, is_doomed_by_an_inner_rollback) {
    library::fixture f;
    auto context = f.context();
    {
        sluice::unit_of_work outer{context};
        context.repository<Book>().add(Book{"b-1"});
        {
            sluice::unit_of_work inner{context};
            context.repository<Book>().add(Book{"b-2"});
        }
        EXPECT_THROW(outer.commit(), sluice::usage_error);
    }
    EXPECT_TRUE(f.rows().empty());
}

TEST(unit_of_work, is_doomed_by_a_failing_inner_command_even_when_the_error_is_caught) {
    library::fixture f;
    auto context = f.context();
    sluice::unit_of_work outer{context};
    context.repository<Book>().add(Book{"b-1"});
    EXPECT_THROW(context.process(LendBook{.isbn = "missing", .reader = "ada"}), sluice::not_found_error);
    EXPECT_THROW(outer.commit(), sluice::usage_error);
}

TEST(unit_of_work, ends_once) {
    library::fixture f;
    auto context = f.context();
    sluice::unit_of_work work{context};
    work.commit();
    EXPECT_THROW(work.commit(), sluice::usage_error);
    EXPECT_THROW(work.rollback(), sluice::usage_error);
}

TEST(unit_of_work, is_needed_for_a_repository) {
    library::fixture f;
    auto context = f.context();
    EXPECT_THROW(static_cast<void>(context.repository<Book>()), sluice::usage_error);
}

TEST(unit_of_work, opens_no_connection_for_a_handler_that_touches_no_repository) {
    library::fixture f;
    f.context().process(library::Ponder{});
    EXPECT_EQ(f.database->opened, 0);
}

TEST(unit_of_work, reuses_the_connection_of_the_unit_before) {
    library::fixture f;
    auto context = f.context();
    for (const char* isbn : {"a", "b", "c"}) context.process(BuyBook{.isbn = isbn});
    EXPECT_EQ(f.database->opened, 1);
}

TEST(unit_of_work, names_every_broken_rule_of_all_its_objects_at_once) {
    library::fixture f;
    auto context = f.context();
    sluice::unit_of_work work{context};
    context.repository<Book>().add(Book{"b-1"}).rename("a title that is far too long for its field");
    context.repository<Book>().add(Book{"b-2"}).damage(101);
    try {
        work.commit();
        FAIL() << "an invalid unit committed";
    } catch (const sluice::validation_error& e) {
        ASSERT_EQ(e.violations().size(), 2U);
        EXPECT_EQ(e.violations()[0].field, "Book.title");
        EXPECT_EQ(e.violations()[1].field, "Book.lost_pages");
    }
    EXPECT_TRUE(f.rows().empty());
}

TEST(unit_of_work, reports_a_version_conflict_to_whoever_opened_it) {
    library::fixture f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    sluice::unit_of_work work{context};
    context.repository<Book>().get("b-1").rename("mine");
    f.context().process(LendBook{.isbn = "b-1", .reader = "ada"});
    EXPECT_THROW(work.commit(), sluice::expected_version_error);
}

TEST(unit_of_work, retries_a_command_after_a_version_conflict_with_fresh_state) {
    sluice::domain domain{"library"};
    domain.aggregate<Book>().events<library::BookBought, library::BookLent>();
    library::fixture* fixture = nullptr;
    struct meddled {
        library::fixture** f;
        int* runs;
        void operator()(const LendBook& c, sluice::context& in) const {
            Book& book = in.repository<Book>().get(c.isbn.str());
            if (++*runs == 1) {
                auto other = (*f)->context();
                sluice::unit_of_work work{other};
                other.repository<Book>().get(c.isbn.str()).rename("theirs");
                work.commit();
            }
            book.lend(c.reader.str());
        }
        void operator()(const BuyBook& c, sluice::context& in) const { in.repository<Book>().add(Book{c.isbn}); }
    };
    int runs = 0;
    domain.command_handler<meddled, LendBook, BuyBook>(meddled{&fixture, &runs});
    library::fixture f{domain};
    fixture = &f;
    auto context = f.context();
    context.process(BuyBook{.isbn = "b-1"});
    context.process(LendBook{.isbn = "b-1", .reader = "ada"});
    EXPECT_EQ(runs, 2);
    sluice::unit_of_work work{context};
    EXPECT_EQ(context.repository<Book>().get("b-1").title(), "theirs");
    EXPECT_EQ(context.repository<Book>().get("b-1").version(), 2);
}

TEST(unit_of_work, refuses_an_event_that_is_not_declared) {
    library::fixture f;
    auto context = f.context();
    sluice::unit_of_work work{context};
    context.repository<Book>().add(Book{"b-1"}).raise_undeclared();
    EXPECT_THROW(work.commit(), sluice::usage_error);
}

}  // namespace
