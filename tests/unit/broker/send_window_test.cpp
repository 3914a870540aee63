#include "broker/send_window.hpp"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "broker/partner_name.hpp"

namespace sluice::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

outgoing message(std::string_view id, std::string_view key, std::string_view body = "{}") {
    return {.stream = "shop::order", .message_id = id, .key = key, .body = body};
}

const unreachable late{"no confirmation in time"};
const refused too_big{"too big", "TOO_BIG", true};

/// A publisher whose broker is the test.
class sender {
public:
    explicit sender(const send_limits& limits = {}) : window{limits} {}

    void begin(std::vector<outgoing> batch) {
        batch_ = std::move(batch);
        window.begin(batch_);
    }
    /// Sends all that may be sent: the ids.
    std::vector<std::string> send() {
        std::vector<std::string> ids;
        while (const auto each = window.next()) {
            ids.emplace_back(each->message->message_id);
            sent[ids.back()] = each->number;
        }
        return ids;
    }
    void confirm(const std::string& id) { window.settle(sent.at(id), delivered{"r-" + id}); }
    void refuse(const std::string& id) { window.settle(sent.at(id), too_big); }
    /// What became of the batch: `delivered`, `refused` or `unreachable`, by message.
    std::vector<std::string> finish() {
        std::vector<std::string> words;
        for (const auto& each : window.finish(late)) {
            words.emplace_back(std::holds_alternative<delivered>(each) ? "delivered"
                               : std::holds_alternative<refused>(each) ? "refused"
                                                                       : "unreachable");
        }
        return words;
    }

    send_window window;
    std::map<std::string, send_window::ticket> sent;

private:
    std::vector<outgoing> batch_;
};

TEST(send_window, has_one_message_of_a_key_on_its_way_and_many_keys) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b"), message("a3", "a")});
    EXPECT_THAT(s.send(), ElementsAre("a1", "b1"));
    s.confirm("a1");
    EXPECT_THAT(s.send(), ElementsAre("a2"));
    s.confirm("a2");
    s.confirm("b1");
    EXPECT_THAT(s.send(), ElementsAre("a3"));
    EXPECT_FALSE(s.window.is_settled());
    s.confirm("a3");
    EXPECT_TRUE(s.window.is_settled());
    EXPECT_THAT(s.finish(), ElementsAre("delivered", "delivered", "delivered", "delivered"));
}

TEST(send_window, sends_a_run_at_once_where_the_broker_takes_all_or_nothing) {
    sender s{{.one_per_key = false}};
    s.begin({message("a1", "a"), message("a2", "a")});
    EXPECT_THAT(s.send(), ElementsAre("a1", "a2"));
}

TEST(send_window, tells_when_nothing_waits_to_be_sent) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b")});
    EXPECT_FALSE(s.window.is_all_sent());
    s.send();
    EXPECT_FALSE(s.window.is_all_sent()) << "a2 waits for a1";
    s.confirm("a1");
    s.send();
    EXPECT_TRUE(s.window.is_all_sent());
    s.finish();

    s.begin({message("a2", "a"), message("c1", "c")});
    EXPECT_FALSE(s.window.is_all_sent()) << "b1 is on its way, and not of this batch";
    s.send();
    EXPECT_TRUE(s.window.is_all_sent());
}

TEST(send_window, sends_nothing_behind_a_refused_message_of_its_key) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b")});
    s.send();
    s.refuse("a1");
    EXPECT_THAT(s.send(), IsEmpty());
    s.confirm("b1");
    EXPECT_TRUE(s.window.is_settled());
    EXPECT_THAT(s.finish(), ElementsAre("refused", "unreachable", "delivered"));
}

TEST(send_window, refuses_what_no_broker_keeps_before_it_is_sent) {
    sender s{{.largest_message = 4}};
    s.begin({message("a1", "a", "12345"), message("a2", "a"), message("b1", "b")});
    EXPECT_THAT(s.send(), ElementsAre("b1"));
    s.confirm("b1");
    EXPECT_THAT(s.finish(), ElementsAre("refused", "unreachable", "delivered"));
}

TEST(send_window, is_bounded_in_messages_and_bytes) {
    sender few{{.messages = 2}};
    few.begin({message("a", "1"), message("b", "2"), message("c", "3")});
    EXPECT_THAT(few.send(), ElementsAre("a", "b"));
    few.confirm("b");
    EXPECT_THAT(few.send(), ElementsAre("c"));

    sender small{{.bytes = 4}};
    small.begin({message("a", "1", "123456"), message("b", "2", "12"), message("c", "3", "123")});
    EXPECT_THAT(small.send(), ElementsAre("a"));
    small.confirm("a");
    EXPECT_THAT(small.send(), ElementsAre("b"));
    EXPECT_EQ(small.window.bytes_on_their_way(), 2);
    small.confirm("b");
    EXPECT_THAT(small.send(), ElementsAre("c"));
}

TEST(send_window, waits_for_what_was_given_up_and_does_not_send_it_again) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a")});
    s.send();
    EXPECT_THAT(s.finish(), ElementsAre("unreachable", "unreachable"));

    s.begin({message("a1", "a"), message("a2", "a")});
    EXPECT_THAT(s.send(), IsEmpty());
    s.confirm("a1");
    EXPECT_THAT(s.send(), ElementsAre("a2"));
    s.confirm("a2");
    EXPECT_THAT(s.finish(), ElementsAre("delivered", "delivered"));
}

TEST(send_window, lets_nothing_of_its_key_pass_what_was_given_up) {
    sender s;
    s.begin({message("a1", "a")});
    s.send();
    EXPECT_THAT(s.finish(), ElementsAre("unreachable"));

    s.begin({message("a2", "a"), message("b1", "b")});
    EXPECT_THAT(s.send(), ElementsAre("b1"));
    s.confirm("a1");
    EXPECT_THAT(s.send(), ElementsAre("a2"));
}

TEST(send_window, remembers_an_answer_that_came_between_two_batches) {
    sender s;
    s.begin({message("a1", "a"), message("b1", "b")});
    s.send();
    EXPECT_THAT(s.finish(), ElementsAre("unreachable", "unreachable"));
    s.confirm("a1");
    s.refuse("b1");

    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b"), message("b2", "b")});
    EXPECT_THAT(s.send(), ElementsAre("a2"));
    s.confirm("a2");
    EXPECT_TRUE(s.window.is_settled());
    EXPECT_THAT(s.finish(), ElementsAre("delivered", "delivered", "refused", "unreachable"));
}

TEST(send_window, takes_another_message_of_an_equal_id_for_another_message) {
    sender s;
    s.begin({message("a1", "a", "old")});
    s.send();
    EXPECT_THAT(s.finish(), ElementsAre("unreachable"));
    s.confirm("a1");

    s.begin({message("a1", "a", "new")});
    EXPECT_THAT(s.send(), ElementsAre("a1"));
}

TEST(send_window, sends_again_what_was_in_doubt_on_a_connection_that_is_lost) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b"), message("b2", "b")});
    s.send();
    s.confirm("b1");
    s.window.lost_connection({"connection reset"});
    EXPECT_THAT(s.send(), ElementsAre("b2"));
    s.confirm("b2");
    EXPECT_TRUE(s.window.is_settled());
    EXPECT_THAT(s.finish(), ElementsAre("unreachable", "unreachable", "delivered", "delivered"));

    s.begin({message("a1", "a"), message("a2", "a")});
    EXPECT_THAT(s.send(), ElementsAre("a1"));
}

TEST(send_window, sends_again_what_was_given_up_once_its_connection_is_lost) {
    sender s;
    s.begin({message("a1", "a")});
    s.send();
    EXPECT_THAT(s.finish(), ElementsAre("unreachable"));
    s.begin({message("a2", "a")});
    EXPECT_THAT(s.send(), IsEmpty());
    s.window.lost_connection({"connection reset"});
    EXPECT_THAT(s.send(), ElementsAre("a2"));
}

TEST(send_window, looks_for_the_culprit_of_a_failure_of_several) {
    sender s;
    s.begin({message("a1", "a"), message("b1", "b"), message("c1", "c"), message("d1", "d"), message("d2", "d")});
    EXPECT_THAT(s.send(), ElementsAre("a1", "b1", "c1", "d1"));
    s.confirm("a1");
    s.window.failed_together(too_big);
    EXPECT_THAT(s.send(), ElementsAre("b1"));
    s.confirm("b1");
    EXPECT_THAT(s.send(), ElementsAre("c1"));
    s.window.failed_together(too_big);
    EXPECT_THAT(s.send(), ElementsAre("d1"));
    s.confirm("d1");
    EXPECT_THAT(s.send(), ElementsAre("d2"));
    s.confirm("d2");
    EXPECT_THAT(s.finish(), ElementsAre("delivered", "delivered", "refused", "delivered", "delivered"));
}

TEST(send_window, goes_on_looking_for_the_culprit_in_the_next_batch) {
    sender s;
    const std::vector batch{message("a1", "a"), message("b1", "b")};
    s.begin(batch);
    s.send();
    s.window.failed_together(too_big);
    EXPECT_THAT(s.finish(), ElementsAre("unreachable", "unreachable"));
    s.begin(batch);
    EXPECT_THAT(s.send(), ElementsAre("a1"));
}

TEST(send_window, sends_first_what_was_taken_back) {
    sender s;
    s.begin({message("a1", "a"), message("a2", "a"), message("b1", "b")});
    const auto first = s.window.next();
    ASSERT_TRUE(first);
    s.window.take_back(first->number);
    EXPECT_THAT(s.send(), ElementsAre("a1", "b1"));
}

TEST(send_window, ignores_an_answer_to_what_is_not_on_its_way) {
    sender s;
    s.begin({message("a1", "a")});
    s.send();
    s.confirm("a1");
    s.refuse("a1");
    s.window.settle(99, late);
    EXPECT_THAT(s.finish(), ElementsAre("delivered"));
}

TEST(send_window, lets_messages_without_a_key_go_side_by_side) {
    sender s;
    s.begin({message("1", ""), message("2", "")});
    EXPECT_THAT(s.send(), ElementsAre("1", "2"));
    s.refuse("1");
    s.confirm("2");
    EXPECT_THAT(s.finish(), ElementsAre("refused", "delivered"));
}

TEST(partner_name, has_no_colon) {
    EXPECT_EQ(partner_name("shop::order"), "shop.order");
    EXPECT_EQ(partner_name("shop::order:backfill"), "shop.order-backfill");
    EXPECT_EQ(partner_name("orders"), "orders");
    EXPECT_EQ(partner_name("a:::b:"), "a.-b-");
    EXPECT_EQ(partner_name(""), "");
}

}  // namespace
}  // namespace sluice::broker
