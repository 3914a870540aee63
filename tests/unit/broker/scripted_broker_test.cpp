#include "support/scripted_broker.hpp"

#include <thread>

#include <gmock/gmock.h>

#include <sluice/error.hpp>

#include "broker/inline/inline_broker.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using broker::delivered;
using broker::outgoing;
using broker::refused;
using broker::unreachable;
using broker::verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class a_scripted_broker : public ::testing::Test {
protected:
    static outgoing message(std::string_view id, std::string_view key) {
        return {.stream = "s", .message_id = id, .key = key, .body = "{}"};
    }
    std::vector<verdict> publish(const std::vector<outgoing>& batch, duration timeout = 1s) {
        return publisher_->publish(batch, {}, timeout);
    }

    std::shared_ptr<broker_script> script_ = std::make_shared<broker_script>();
    scripted_broker broker_{broker::make_inline_broker("behind"), script_};
    std::unique_ptr<broker::publisher> publisher_ = broker_.open_publisher();
};

template <class Verdict>
bool is(const verdict& v) {
    return std::holds_alternative<Verdict>(v);
}

TEST_F(a_scripted_broker, passes_everything_on_by_default) {
    const auto verdicts = publish({message("a", "k1"), message("b", "k2")});
    EXPECT_TRUE(is<delivered>(verdicts.at(0)) && is<delivered>(verdicts.at(1)));
    EXPECT_THAT(script_->accepted_ids("s"), ElementsAre("a", "b"));
    EXPECT_EQ(publisher_->probe(1s), "");
}

TEST_F(a_scripted_broker, is_away_and_comes_back) {
    script_->set_unreachable(true, "gone fishing");
    EXPECT_EQ(std::get<unreachable>(publish({message("a", "k1")}).at(0)).reason, "gone fishing");
    EXPECT_EQ(publisher_->probe(1s), "gone fishing");
    EXPECT_THROW(static_cast<void>(broker_.open_operations()->groups()), broker_error);
    EXPECT_THAT(script_->accepted_ids("s"), IsEmpty());

    script_->set_unreachable(false);
    EXPECT_TRUE(is<delivered>(publish({message("a", "k1")}).at(0)));
    EXPECT_EQ(script_->attempts(), 2U);
}

TEST_F(a_scripted_broker, refuses_a_message_and_holds_back_its_key_only) {
    script_->refuse("a", 1);
    const auto verdicts = publish({message("a", "k1"), message("b", "k2"), message("c", "k1")});
    EXPECT_FALSE(std::get<refused>(verdicts.at(0)).permanent);
    EXPECT_TRUE(is<delivered>(verdicts.at(1)));
    EXPECT_TRUE(is<unreachable>(verdicts.at(2)));
    EXPECT_THAT(script_->accepted_ids("s"), ElementsAre("b"));

    EXPECT_TRUE(is<delivered>(publish({message("a", "k1")}).at(0)));
}

TEST_F(a_scripted_broker, refuses_for_ever_when_asked) {
    script_->refuse("a", -1, true);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::get<refused>(publish({message("a", "k1")}).at(0)).permanent);
}

TEST_F(a_scripted_broker, takes_messages_and_loses_the_confirmation) {
    script_->lose_confirmation_of(1);
    const auto verdicts = publish({message("a", "k1"), message("b", "k1"), message("c", "k2")});
    EXPECT_TRUE(is<unreachable>(verdicts.at(0)));
    EXPECT_TRUE(is<unreachable>(verdicts.at(1)));
    EXPECT_TRUE(is<delivered>(verdicts.at(2)));
    EXPECT_THAT(script_->accepted_ids("s"), ElementsAre("a", "b", "c"));

    EXPECT_TRUE(is<delivered>(publish({message("a", "k1")}).at(0)));
    EXPECT_EQ(script_->duplicates(), 1U);
    EXPECT_THAT(script_->accepted_ids("s"), ElementsAre("a", "b", "c"));
}

TEST_F(a_scripted_broker, hangs_until_the_timeout) {
    script_->hang(true);
    EXPECT_TRUE(is<unreachable>(publish({message("a", "k1")}, 1ms).at(0)));
    EXPECT_NE(publisher_->probe(1ms), "");
}

TEST_F(a_scripted_broker, hangs_until_the_hang_ends) {
    script_->hang(true);
    const std::jthread helper{[&] { script_->hang(false); }};
    EXPECT_TRUE(is<unreachable>(publish({message("a", "k1")}, 1h).at(0)) || !script_->accepted_ids("s").empty());
}

}  // namespace
}  // namespace sluice::testing
