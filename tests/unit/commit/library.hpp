#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "store/memory/memory_database.hpp"
#include "support/forwarding_store.hpp"

/// A small domain for the tests of the commit room.
namespace library {

class Book;
class Shelf;

struct BookBought {
    static constexpr sluice::event_of<Book> contract{};
    sluice::identifier isbn;
};

struct BookLent {
    static constexpr sluice::event_of<Book> contract{.published = true, .version = 2};
    sluice::identifier isbn;
    sluice::string<10> reader;
};

struct NeverDeclared {
    static constexpr sluice::event_of<Book> contract{};
    sluice::identifier isbn;
};

class Book : public sluice::aggregate<Book> {
public:
    Book() = default;
    explicit Book(sluice::identifier isbn) : isbn_{std::move(isbn)} { raise(BookBought{.isbn = isbn_}); }

    void lend(const std::string& reader) {
        reader_ = reader;
        raise(BookLent{.isbn = isbn_, .reader = reader});
    }
    void rename(const std::string& title) { title_ = title; }
    void damage(int pages) { lost_pages_ += pages; }
    void raise_undeclared() { raise(NeverDeclared{.isbn = isbn_}); }
    [[nodiscard]] const std::string& title() const { return title_.str(); }

    void check(sluice::violations& v) const {
        if (lost_pages_ > 100) v.add("lost_pages", "a book without pages is no book");
    }

private:
    sluice::identifier isbn_;
    sluice::string<20> title_ = "untitled";
    std::optional<sluice::text> reader_;
    int lost_pages_ = 0;

    BOOST_DESCRIBE_CLASS(Book, (), (), (), (isbn_, title_, reader_, lost_pages_))
};

class Shelf : public sluice::aggregate<Shelf> {
public:
    Shelf() = default;
    explicit Shelf(sluice::identifier name) : name_{std::move(name)} {}
    void put() { ++books_; }

private:
    sluice::identifier name_;
    int books_ = 0;

    BOOST_DESCRIBE_CLASS(Shelf, (), (), (), (name_, books_))
};

struct BuyBook {
    static constexpr sluice::command_of<Book> contract{};
    sluice::identifier isbn;
    bool lend_at_once = false;
};

struct LendBook {
    static constexpr sluice::command_of<Book> contract{};
    sluice::identifier isbn;
    sluice::string<10> reader;
};

struct Ponder {
    static constexpr sluice::command_of<Book> contract{};
};

struct commands {
    void operator()(const BuyBook& c, sluice::context& in) const {
        in.repository<Book>().add(Book{c.isbn});
        if (c.lend_at_once) in.process(LendBook{.isbn = c.isbn, .reader = "ada"});
    }
    void operator()(const LendBook& c, sluice::context& in) const {
        in.repository<Book>().get(c.isbn.str()).lend(c.reader.str());
    }
    void operator()(const Ponder&, sluice::context&) const {}
};

inline sluice::domain make_domain() {
    sluice::domain domain{"Public Library"};
    domain.aggregate<Book>().events<BookBought, BookLent>();
    domain.aggregate<Shelf>();
    domain.command_handler<commands, BuyBook, LendBook, Ponder>();
    return domain;
}

/// A clock that stands still.
class fixed_clock final : public sluice::clock {
public:
    [[nodiscard]] sluice::date_time now() const override { return sluice::date_time::parse("2026-11-23T07:56:25.5Z"); }
    [[nodiscard]] sluice::instant monotonic_now() const override { return {}; }
};

/// Counts how many connections a unit asked for.
class counting_database final : public sluice::testing::forwarding_database {
public:
    using forwarding_database::forwarding_database;

    [[nodiscard]] std::unique_ptr<sluice::store::unit_session> open_unit() override {
        ++opened;
        return forwarding_database::open_unit();
    }

    int opened = 0;
};

/// The domain on a memory store with an internal and one external broker; no lane runs.
struct fixture {
    explicit fixture(sluice::domain d = make_domain()) : domain{std::move(d)} {
        database = std::make_shared<counting_database>(sluice::store::make_memory_database("library"));
        database->setup();
        sluice::config::configuration configuration;
        configuration.outbox.external_brokers = {"partner"};
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        env = std::make_unique<sluice::commit::environment>(domain.declared(), configuration, parts, clock, random);
    }

    [[nodiscard]] sluice::context context() { return sluice::command::make_context(*env); }
    [[nodiscard]] std::vector<sluice::store::outbox_row> rows() {
        auto all = database->open_operations()->list({.limit = 1000});
        return {all.rbegin(), all.rend()};
    }
    [[nodiscard]] std::optional<sluice::store::logged_event> event(std::string_view id) {
        return database->open_operations()->event(id);
    }

    sluice::domain domain;
    fixed_clock clock;
    sluice::base::seeded_random random{7};
    std::shared_ptr<counting_database> database;
    std::unique_ptr<sluice::commit::environment> env;
};

}  // namespace library
