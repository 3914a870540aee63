#include <gtest/gtest.h>

#include <sluice/test.hpp>

#include "unit/commit/library.hpp"

namespace sluice::test {
namespace {

using library::Book;
using library::BookBought;
using library::BookLent;

std::string complaint(const std::function<void()>& expectation) {
    try {
        expectation();
    } catch (const failure& e) {
        return e.what();
    }
    return "nothing";
}

const auto lend = [](Book& book) { book.lend("ada"); };

TEST(given, what_was_raised_is_compared_with_what_was_expected) {
    given{Book{"b-1"}}.when(lend).then(BookLent{.isbn = "b-1", .reader = "ada"});
}

TEST(given, what_was_raised_before_does_not_count) {
    given{Book{"b-1"}}.when([](Book&) {}).then_nothing();
}

TEST(given, a_difference_shows_both_sides) {
    const std::string text =
        complaint([] { given{Book{"b-1"}}.when(lend).then(BookLent{.isbn = "b-1", .reader = "eve"}); });
    EXPECT_EQ(text,
              "Book: events differ from number 1 on\n"
              "expected:\n  library::BookLent {\"isbn\":\"b-1\",\"reader\":\"eve\"}\n"
              "found:\n  library::BookLent {\"isbn\":\"b-1\",\"reader\":\"ada\"}\n");
    EXPECT_NE(complaint([] { given{Book{"b-1"}}.when(lend).then_nothing(); }).find("expected:\n  nothing\n"),
              std::string::npos);
    EXPECT_NE(complaint([] {
                  given{Book{"b-1"}}.when([](Book&) {}).then(BookLent{.isbn = "b-1", .reader = "ada"});
              }).find("found:\n  nothing\n"),
              std::string::npos);
}

TEST(given, a_refusal_is_told_by_its_kind_and_its_text) {
    auto lent = given{Book{"b-1"}};
    lent.when([](Book& book) { book.lend("a name that is too long"); }).then_refused("reader");
    EXPECT_EQ(complaint([&] { lent.then_refused<usage_error>(); }).substr(0, 35),
              "another refusal was expected than: ");
    EXPECT_NE(complaint([&] { lent.then_refused("title"); }).find("does not say `title`"), std::string::npos);
    EXPECT_NE(complaint([&] { lent.then_nothing(); }).find("events were expected, but it was refused"),
              std::string::npos);
}

TEST(given, invariants_are_looked_at_as_a_commit_would) {
    given{Book{"b-1"}}.when([](Book& book) { book.damage(101); }).then_refused("a book without pages is no book");
}

TEST(given, what_goes_through_is_no_refusal) {
    EXPECT_EQ(complaint([] { given{Book{"b-1"}}.when(lend).then_refused(); }),
              "a refusal was expected, but it went through");
}

TEST(given, the_state_can_be_looked_at) {
    auto book = given{Book{"b-1"}};
    book.when([](Book& b) { b.rename("Sluices"); });
    EXPECT_EQ(book.state().title(), "Sluices");
}

class Meter;
struct MeterRead {
    static constexpr sluice::event_of<Meter> contract{};
    sluice::identifier meter_id;
    int value;
};
/// Its last value is not part of what is stored, though it should be.
class Meter : public sluice::event_sourced<Meter> {
public:
    [[nodiscard]] int used() const { return used_; }

private:
    friend sluice::event_sourced<Meter>;
    void apply(const MeterRead& e) {
        meter_id_ = e.meter_id;
        used_ += e.value - *last_;
        last_ = e.value;
    }

    sluice::identifier meter_id_;
    int used_ = 0;
    sluice::not_stored<int> last_{0};
    BOOST_DESCRIBE_CLASS(Meter, (), (), (), (meter_id_, used_, last_))
};

TEST(given_events, lead_to_the_same_state_with_and_without_snapshots) {
    const auto text = complaint([] {
        static_cast<void>(
            given_events<Meter>(MeterRead{.meter_id = "m", .value = 5}, MeterRead{.meter_id = "m", .value = 7}));
    });
    EXPECT_NE(text.find("Meter: its events alone lead to another state"), std::string::npos) << text;
    EXPECT_NE(text.find("\"used\":7"), std::string::npos) << text;
    EXPECT_NE(text.find("\"used\":12"), std::string::npos) << text;
    EXPECT_EQ(given_events<Meter>(MeterRead{.meter_id = "m", .value = 5}).state().used(), 5);
}

}  // namespace
}  // namespace sluice::test
