#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/domain.hpp>
#include <sluice/error.hpp>
#include <sluice/message.hpp>

/// What a domain is tested with: no server, no thread, no waiting, and the same answer every time.
///
/// `given` tries one aggregate; `runtime` runs the whole domain in memory, with every lane and every subscription, on
/// the thread of the test and by a clock that the test moves. Expectations that are not met throw `test::failure`,
/// which every test framework reports. Link `sluice::testing`.
namespace sluice::test {

/// An expectation was not met. The text shows what was expected and what was there.
///
/// Thread safety: immutable after construction.
class failure : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "test_failure"; }
};

/// An event, without its C++ type: what two events are compared by.
///
/// Thread safety: a value type.
struct event_text {
    std::string type;  ///< `shop::OrderShipped`
    std::string data;  ///< compact JSON

    friend bool operator==(const event_text&, const event_text&) = default;
};

template <event_type Event>
[[nodiscard]] event_text text_of(const Event& event) {
    return {std::string{reflect::type_name<Event>()}, codec::encode(event)};
}

namespace detail {
/// The events that an aggregate has recorded; it has none afterwards.
[[nodiscard]] std::vector<event_text> take_events(aggregate_root& object);
/// @throws failure with both lists side by side unless they are equal
void require_equal(const std::vector<event_text>& expected, const std::vector<event_text>& found,
                   std::string_view subject);
/// @throws failure unless something was thrown, it is of the kind `is_expected` knows, and its text contains `part`
void require_refusal(const std::exception_ptr& thrown, bool is_expected, std::string_view part);
/// @throws failure unless an aggregate is the same with and without snapshots
void require_same_state(const std::string& replayed, const std::string& with_snapshots, std::string_view subject);
[[noreturn]] void report_unexpected(const std::exception_ptr& thrown);
/// Makes a new object one that is stored with this version.
void mark_stored(aggregate_root& object, std::int64_t version);

/// A process manager with the domain around it, of which nothing else works.
class process_stage {
public:
    process_stage(domain declared, std::string_view process, date_time start);
    process_stage(process_stage&&) noexcept;
    ~process_stage();

    /// @throws failure when the process manager does
    void tell(std::string_view event, const std::string& data);
    void pass(duration time);
    /// The commands that were submitted or scheduled since the last call.
    [[nodiscard]] std::vector<event_text> take_commands();
    /// Of the last step. @throws failure when there was none
    [[nodiscard]] bool is_complete() const;
    [[nodiscard]] json::value state() const;

private:
    struct parts;

    std::unique_ptr<parts> parts_;
};
}  // namespace detail

/// Given an aggregate, when something is done to it, then these events were raised, or it was refused.
///
/// @code
/// sluice::test::given{Order{"o-1"}}
///     .when([](Order& order) { order.ship(now); })
///     .then(OrderShipped{.order_id = "o-1", .shipped_at = now});
/// @endcode
///
/// What an aggregate raised before it was given does not count. The invariants (`check`) are looked at after `when`, as
/// a commit would.
///
/// Thread safety: none.
template <std::derived_from<aggregate_root> Aggregate>
class given {
public:
    explicit given(Aggregate start) : object_{std::move(start)} { static_cast<void>(detail::take_events(object_)); }

    /// @param act  is given the aggregate by reference; what it throws is kept for `then_refused`
    template <std::invocable<Aggregate&> Action>
    given& when(Action&& act) {
        thrown_ = nullptr;
        try {
            std::forward<Action>(act)(object_);
            codec::require_valid(object_);
        } catch (...) {
            thrown_ = std::current_exception();
        }
        raised_ = detail::take_events(object_);
        return *this;
    }

    /// Exactly these events, in this order. @throws failure
    template <event_type... Events>
    const given& then(const Events&... expected) const {
        if (thrown_) detail::report_unexpected(thrown_);
        detail::require_equal({text_of(expected)...}, raised_, reflect::short_type_name<Aggregate>());
        return *this;
    }
    const given& then_nothing() const { return then(); }

    /// `when` threw an `Error` whose text contains `part`. @throws failure
    template <class Error = validation_error>
    const given& then_refused(std::string_view part = {}) const {
        bool is_expected = false;
        try {
            if (thrown_) std::rethrow_exception(thrown_);
        } catch (const Error&) {
            is_expected = true;
        } catch (...) {
            is_expected = false;
        }
        detail::require_refusal(thrown_, is_expected, part);
        return *this;
    }

    /// For expectations about the state itself.
    [[nodiscard]] const Aggregate& state() const noexcept { return object_; }

private:
    Aggregate object_;
    std::vector<event_text> raised_;
    std::exception_ptr thrown_;
};

/// The same for an event-sourced aggregate to which these events have happened.
/// @code
/// sluice::test::given_events<Account>(AccountOpened{.account_id = "a-1"}, MoneyDeposited{.account_id = "a-1", .cents =
/// 5})
/// @endcode
///
/// The history is read twice: from its events alone, and with a snapshot after each event. What is given is the second
/// object, as a service has it after a restart.
/// @throws failure when the two differ: something of the state is not in the snapshot
template <event_sourced_type Aggregate, event_type... Events>
[[nodiscard]] given<Aggregate> given_events(const Events&... history) {
    Aggregate replayed{};
    Aggregate object{};
    const auto apply = [&]<class Event>(const Event& event) {
        const json::value data = json::parse(codec::encode(event));
        sluice::detail::event_application::apply<Aggregate, Event>(replayed, data);
        sluice::detail::event_application::apply<Aggregate, Event>(object, data);
        object = codec::decode<Aggregate>(json::parse(codec::encode(object)), codec::unknown_keys::ignore,
                                          codec::missing_keys::keep_default);
    };
    (apply(history), ...);
    detail::require_same_state(codec::encode(replayed), codec::encode(object), reflect::short_type_name<Aggregate>());
    detail::mark_stored(object, static_cast<std::int64_t>(sizeof...(Events)) - 1);
    return given<Aggregate>{std::move(object)};
}

/// Given a process manager that has seen some events, when another comes, then it gives these commands.
///
/// The domain must declare it. The handlers of the commands that it submits do not run; those of commands that it
/// processes in its own step do.
///
/// @code
/// sluice::test::process<TransferProcess>{make_domain()}
///     .given(TransferRequested{…})
///     .when(MoneySent{…})
///     .then(ReceiveMoney{…});
/// @endcode
///
/// Thread safety: none.
template <class Process>
class process {
public:
    explicit process(domain declared, date_time start = date_time::parse("2026-01-01T00:00:00Z"))
        : stage_{std::move(declared), reflect::type_name<Process>(), start} {}

    /// What it gave for these events does not count. @throws failure when it fails
    template <event_type... Events>
    process& given(const Events&... history) {
        (tell(history), ...);
        static_cast<void>(stage_.take_commands());
        return *this;
    }
    /// @throws failure when it fails
    template <event_type Event>
    process& when(const Event& event) {
        static_cast<void>(stage_.take_commands());
        tell(event);
        given_ = stage_.take_commands();
        return *this;
    }
    /// When so much time has passed; its timers come.
    process& when_time_passes(duration time) {
        static_cast<void>(stage_.take_commands());
        stage_.pass(time);
        given_ = stage_.take_commands();
        return *this;
    }

    /// Exactly these commands, in this order. @throws failure
    template <command_type... Commands>
    const process& then(const Commands&... expected) const {
        detail::require_equal({{std::string{reflect::type_name<Commands>()}, codec::encode(expected)}...}, given_,
                              reflect::short_type_name<Process>());
        return *this;
    }
    const process& then_nothing() const { return then(); }
    /// @throws failure
    const process& then_complete(bool complete = true) const {
        if (stage_.is_complete() != complete) {
            throw failure{std::string{reflect::short_type_name<Process>()} + " is " + (complete ? "not " : "") +
                          "complete"};
        }
        return *this;
    }

    /// After the last step. @throws failure when there was none
    [[nodiscard]] Process state() const {
        return codec::decode<Process>(stage_.state(), codec::unknown_keys::ignore, codec::missing_keys::keep_default);
    }

private:
    template <event_type Event>
    void tell(const Event& event) {
        codec::require_valid(event);
        stage_.tell(reflect::type_name<Event>(), codec::encode(event));
    }

    detail::process_stage stage_;
    std::vector<event_text> given_;
};

/// An outbox row as it is in the database.
///
/// Thread safety: a value type.
struct row {
    std::string message_id;
    std::string broker;
    std::string status;  ///< pending, published, failed, abandoned
    std::string type;    ///< `Shop.OrderShipped.v1`
    std::string stream;
    int retry_count = 0;
};

/// A message that a consumer group gave up on.
///
/// Thread safety: a value type.
struct dead_letter {
    std::string group;
    std::string stream;
    std::string reason;
    std::string code;
    int attempts = 0;
    std::string body;
};

/// The world around the domain that a `runtime` runs.
///
/// Thread safety: a value type.
struct runtime_options {
    /// Each gets a lane; published events have a row for each. The internal broker is called `default`.
    std::vector<std::string> external_brokers{};
    date_time start = date_time::parse("2026-01-01T00:00:00Z");
    std::uint64_t seed = 1;  ///< of ids and jitter
    /// More of domain.toml, for example "[server.subscription]\nmax_retries = 1"; databases, brokers and the outbox's
    /// brokers are the runtime's own.
    std::string configuration{};
    bool logged = false;  ///< true: the log goes to standard error, as in a service
};

/// A domain in memory: its database, its brokers, its lanes and its subscriptions, all on the thread of the test.
///
/// @code
/// sluice::test::runtime shop{make_domain(), {.external_brokers = {"partner"}}};
/// shop.process(PlaceOrder{.order_id = "o-1"});
/// shop.drain();
/// EXPECT_EQ(shop.published("partner").at(0).type().name(), "OrderPlaced");
/// @endcode
///
/// Nothing happens by itself: commits wait until `drain`, retries and whatever else is due later until `advance`.
///
/// Thread safety: none.
class runtime {
public:
    /// @throws configuration_error when the domain is not declared correctly, or the options are wrong
    explicit runtime(domain declared, const runtime_options& options = {});
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    ~runtime();

    /// For everything that an application does itself: units of work, queries, commands.
    [[nodiscard]] sluice::context& context() noexcept;
    /// `context().process(…)`.
    template <command_type Command>
    decltype(auto) process(const Command& command, const process_options& options = {}) {
        return context().process(command, options);
    }

    [[nodiscard]] date_time now() const noexcept;
    /// Lets the schedule, every lane and every subscription work until nothing is left to do at the present time.
    /// @throws failure when that does not come to an end
    void drain();
    /// Moves the clock and drains, stopping on the way at every timer and scheduled command that becomes due. Retries
    /// that become due on the way are made at the next stop, or at the end.
    void advance(duration by);

    /// A message from another context arrives at a broker.
    void deliver(const std::string& broker, const std::string& stream, std::string_view message_id,
                 std::string_view type, const json::object& data);
    /// An outage: what is published there waits. @throws usage_error when there is no such broker
    void take_away(const std::string& broker);
    void bring_back(const std::string& broker);

    /// The whole event log, in its order, without the records of commands that were handled at once.
    [[nodiscard]] std::vector<message> events() const;
    /// The events of one type, in the order of the log.
    template <event_type Event>
    [[nodiscard]] std::vector<Event> events_of() const {
        std::vector<Event> found;
        for (const message& each : events_named(reflect::type_name<Event>())) {
            found.push_back(sluice::detail::read_event<Event>(each.data()));
        }
        return found;
    }
    /// Exactly these events were written since the last call, in this order, by whatever unit of work. @throws failure
    template <event_type... Events>
    void expect_events(const Events&... expected) {
        detail::require_equal({text_of(expected)...}, new_events(), "the event log");
    }

    /// Outbox rows in the order of the log; of one broker, or of all.
    [[nodiscard]] std::vector<row> rows(std::string_view broker = {}) const;
    /// What a broker has got, in the order in which it came.
    [[nodiscard]] std::vector<message> published(const std::string& broker) const;
    [[nodiscard]] std::vector<dead_letter> dead_letters() const;

private:
    struct parts;

    [[nodiscard]] std::vector<message> events_named(std::string_view cpp_name) const;
    [[nodiscard]] std::vector<event_text> new_events();

    std::unique_ptr<parts> parts_;
};

}  // namespace sluice::test
