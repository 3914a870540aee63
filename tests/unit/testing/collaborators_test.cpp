#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Handlers of every kind with collaborators of their own.
namespace quotes {

using ::testing::Contains;
using ::testing::UnorderedElementsAre;

class Quote;

struct QuoteGiven {
    static constexpr sluice::event_of<Quote> contract{};
    sluice::identifier quote_id;
    std::int64_t cents = 0;
};

struct GiveQuote {
    static constexpr sluice::command_of<Quote> contract{};
    sluice::identifier quote_id;
    std::int64_t euros = 0;
};

class Quote : public sluice::aggregate<Quote> {
public:
    Quote() = default;
    Quote(sluice::identifier id, std::int64_t cents) : quote_id_{std::move(id)} {
        raise(QuoteGiven{.quote_id = quote_id_, .cents = cents});
    }

private:
    sluice::identifier quote_id_;
    BOOST_DESCRIBE_CLASS(Quote, (), (), (), (quote_id_))
};

struct QuoteLine {
    static constexpr sluice::projection_of contract{.name = "quote_line"};
    sluice::identifier quote_id;
    sluice::text label;
};

// [handler]
/// What the domain wants of the outside. Called by several threads at a time.
class price_list {
public:
    virtual ~price_list() = default;
    [[nodiscard]] virtual std::int64_t cents(std::int64_t euros) const = 0;
};

class quote_commands {
public:
    explicit quote_commands(std::shared_ptr<const price_list> prices) : prices_{std::move(prices)} {}

    void operator()(const GiveQuote& command, sluice::context& in) const {
        in.repository<Quote>().add(Quote{command.quote_id, prices_->cents(command.euros)});
    }

private:
    std::shared_ptr<const price_list> prices_;
};
// [/handler]

/// Writes down who was called.
using journal = std::shared_ptr<std::vector<std::string>>;

struct announcer {
    journal calls;
    void operator()(const QuoteGiven& e, sluice::context&) const {
        calls->push_back("event handler " + e.quote_id.str());
    }
};

struct line_writer {
    std::shared_ptr<const price_list> prices;
    void operator()(const QuoteGiven& e, sluice::read_model<QuoteLine>& rows) const {
        rows.put({.quote_id = e.quote_id, .label = std::to_string(prices->cents(1))});
    }
};

struct foreign_quotes {
    journal calls;
    void operator()(const sluice::message& m, sluice::context& in) const {
        calls->push_back("subscriber " + m.data().at("id").as_string());
        in.submit(GiveQuote{.quote_id = m.data().at("id").as_string(), .euros = 2});
    }
};

// [process]
class follow_up : public sluice::process_manager<follow_up> {
public:
    follow_up() = default;
    explicit follow_up(journal calls) : calls_{std::move(calls)} {}

    void on(const QuoteGiven& e, sluice::context&) {
        ++steps_;
        (*calls_)->push_back("process manager " + e.quote_id.str() + ", step " + std::to_string(steps_));
        in_time("ask", std::chrono::hours{1});
    }
    void on(const sluice::timeout&, sluice::context&) {
        ++steps_;
        (*calls_)->push_back("process manager " + correlation() + ", step " + std::to_string(steps_));
        complete();
    }

private:
    std::int64_t steps_ = 0;
    sluice::not_stored<journal> calls_{};
    BOOST_DESCRIBE_CLASS(follow_up, (), (), (), (steps_, calls_))
};
// [/process]

// [wiring]
sluice::domain make_domain(const std::shared_ptr<const price_list>& prices, const journal& calls) {
    sluice::domain quotes{"quotes"};
    quotes.aggregate<Quote>().events<QuoteGiven>();
    quotes.command_handler<quote_commands, GiveQuote>(quote_commands{prices});
    quotes.event_handler<announcer, QuoteGiven>(announcer{calls});
    quotes.projector<line_writer, QuoteLine, QuoteGiven>({}, line_writer{prices});
    quotes.subscriber<foreign_quotes>({.broker = "default", .stream = "partner::quote"}, foreign_quotes{calls});
    quotes.process_manager<follow_up>({}, follow_up{calls}).starts<QuoteGiven>(&QuoteGiven::quote_id);
    return quotes;
}
// [/wiring]

// [fake]
struct two_cents final : price_list {
    [[nodiscard]] std::int64_t cents(std::int64_t euros) const override { return 2 * euros; }
};

TEST(collaborators, of_handlers_are_what_the_test_gives) {
    const auto calls = std::make_shared<std::vector<std::string>>();
    sluice::test::runtime quotes{make_domain(std::make_shared<two_cents>(), calls)};
    quotes.process(GiveQuote{.quote_id = "q-1", .euros = 21});
    quotes.drain();
    EXPECT_EQ(quotes.events_of<QuoteGiven>().at(0).cents, 42);
    EXPECT_THAT(*calls, Contains("event handler q-1"));
}
// [/fake]

TEST(collaborators, reach_projectors_and_subscribers) {
    const auto calls = std::make_shared<std::vector<std::string>>();
    sluice::test::runtime quotes{make_domain(std::make_shared<two_cents>(), calls)};
    quotes.deliver("default", "partner::quote", "m-1", "Partner.Asked.v1", {{"id", "q-2"}});
    quotes.drain();
    EXPECT_THAT(*calls, UnorderedElementsAre("subscriber q-2", "event handler q-2", "process manager q-2, step 1"));
    quotes.advance(std::chrono::hours{2});
    EXPECT_EQ(calls->back(), "process manager q-2, step 2") << "an instance that was loaded has it, too";
    const auto line = quotes.context().view<QuoteLine>().get("q-2");
    EXPECT_EQ(line.label.str(), "2");
}

}  // namespace quotes
