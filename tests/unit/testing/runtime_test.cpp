#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/test.hpp>

#include "support/post_office.hpp"
#include "unit/commit/library.hpp"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using library::BookBought;
using library::BookLent;
using library::BuyBook;
using library::LendBook;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> types(const std::vector<message>& messages) {
    std::vector<std::string> found;
    for (const message& each : messages) found.emplace_back(each.type().name());
    return found;
}
std::vector<std::string> states(const std::vector<row>& rows) {
    std::vector<std::string> found;
    for (const row& each : rows) found.push_back(each.broker + " " + each.status);
    return found;
}

TEST(test_runtime, commits_and_waits_until_it_is_drained) {
    runtime books{library::make_domain(), {.external_brokers = {"partner"}}};
    books.process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    EXPECT_THAT(states(books.rows()), ElementsAre("default pending", "default pending", "partner pending"));
    EXPECT_THAT(books.published("partner"), IsEmpty());
    books.drain();
    EXPECT_THAT(states(books.rows("partner")), ElementsAre("partner published"));
    EXPECT_THAT(types(books.published("partner")), ElementsAre("BookLent"));
    EXPECT_THAT(types(books.published("default")), ElementsAre("BookBought", "BookLent"));
    EXPECT_THAT(types(books.events()), ElementsAre("BookBought", "BookLent"));
}

TEST(test_runtime, tells_which_events_are_new) {
    runtime books{library::make_domain()};
    books.process(BuyBook{.isbn = "b-1"});
    books.expect_events(BookBought{.isbn = "b-1"});
    books.expect_events();
    books.process(LendBook{.isbn = "b-1", .reader = "ada"});
    EXPECT_THROW(books.expect_events(BookBought{.isbn = "b-1"}), failure);
    ASSERT_THAT(books.events_of<BookLent>(), SizeIs(1));
    EXPECT_EQ(books.events_of<BookLent>()[0].reader, "ada");
}

TEST(test_runtime, an_outage_of_a_broker_keeps_its_rows_and_nobody_else_s) {
    runtime books{library::make_domain(), {.external_brokers = {"partner"}}};
    books.take_away("partner");
    books.process(BuyBook{.isbn = "b-1", .lend_at_once = true});
    books.drain();
    EXPECT_THAT(states(books.rows()), ElementsAre("default published", "default published", "partner pending"));
    books.bring_back("partner");
    books.advance(1min);
    EXPECT_THAT(states(books.rows("partner")), ElementsAre("partner published"));
    EXPECT_EQ(books.rows("partner")[0].retry_count, 0);
    EXPECT_THROW(books.take_away("nobody"), usage_error);
}

class post : public ::testing::Test {
protected:
    std::shared_ptr<::post::script> hook = std::make_shared<::post::script>();
    runtime office{::post::make_domain(hook), {.configuration = "[server.subscription]\nmax_retries = 2\n"}};

    void parcel(const std::string& id) {
        office.deliver("default", "abroad::parcel", "m-" + id, "Abroad.ParcelArrived.v1", {{"parcel_id", id}});
    }
};

TEST_F(post, messages_from_elsewhere_run_through_subscribers_and_handlers) {
    parcel("1");
    office.drain();
    EXPECT_THAT(types(office.events()), ElementsAre("LetterPosted", "LetterStamped"));
    EXPECT_THAT(hook->seen("stamp_clerk"), ElementsAre("1"));
}

TEST_F(post, what_fails_is_tried_again_when_the_time_has_come_and_ends_as_a_dead_letter) {
    hook->on_handle([](const std::string&) { throw std::runtime_error{"no ink"}; });
    parcel("1");
    office.drain();
    EXPECT_THAT(hook->seen("parcel_counter"), SizeIs(1));
    EXPECT_THAT(office.dead_letters(), IsEmpty());
    office.advance(1min);
    EXPECT_THAT(hook->seen("parcel_counter"), SizeIs(2));
    ASSERT_THAT(office.dead_letters(), SizeIs(1));
    EXPECT_EQ(office.dead_letters()[0].reason, "no ink");
    EXPECT_EQ(office.dead_letters()[0].attempts, 2);
}

TEST(test_runtime, gives_the_same_ids_and_times_every_time) {
    const auto live = [] {
        runtime books{library::make_domain(), {.external_brokers = {"partner"}, .seed = 7}};
        books.process(BuyBook{.isbn = "b-1", .lend_at_once = true});
        books.advance(5s);
        std::string all;
        for (const message& each : books.published("partner")) all += json::dump(each.raw());
        return all;
    };
    const std::string first = live();
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(first, live());
}

TEST(test_runtime, refuses_a_wrong_configuration) {
    EXPECT_THROW(runtime(library::make_domain(), {.configuration = "[server.subscripton]\n"}), configuration_error);
}

}  // namespace
}  // namespace sluice::test
