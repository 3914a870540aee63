#include <sluice/sluice.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

/// The least that the command line can be tried with: something to count, something that fails, and somebody who
/// listens.
namespace tiny {

class Counter;

struct CounterCreated {
    static constexpr sluice::event_of<Counter> contract{.published = true};
    sluice::identifier counter_id;
};

struct CounterIncreased {
    static constexpr sluice::event_of<Counter> contract{};
    sluice::identifier counter_id;
    int by = 1;
};

class Counter : public sluice::aggregate<Counter> {
public:
    Counter() = default;
    explicit Counter(const sluice::identifier& id) : counter_id_{id} { raise(CounterCreated{.counter_id = id}); }
    void increase(int by) {
        value_ += by;
        raise(CounterIncreased{.counter_id = counter_id_, .by = by});
    }
    [[nodiscard]] int value() const { return value_; }

private:
    sluice::identifier counter_id_;
    int value_ = 0;
    BOOST_DESCRIBE_CLASS(Counter, (), (), (), (counter_id_, value_))
};

struct CreateCounter {
    static constexpr sluice::command_of<Counter> contract{};
    sluice::identifier counter_id;
};

struct Increase {
    static constexpr sluice::command_of<Counter, int> contract{};
    sluice::identifier counter_id;
    int by = 1;
};

struct Explode {
    static constexpr sluice::command_of<Counter> contract{};
    sluice::identifier counter_id;
};

struct counter_commands {
    void operator()(const CreateCounter& command, sluice::context& tiny) const {
        tiny.repository<Counter>().add(Counter{command.counter_id});
    }
    /// Returns the new count.
    int operator()(const Increase& command, sluice::context& tiny) const {
        auto& counter = tiny.repository<Counter>().get(command.counter_id.str());
        counter.increase(command.by);
        return counter.value();
    }
    void operator()(const Explode& /*command*/, sluice::context& /*tiny*/) const {
        throw std::runtime_error{"boom \x1b[2J"};
    }
};

/// Follows a counter until it was increased by ten at once.
class Tally : public sluice::process_manager<Tally> {
public:
    void on(const CounterCreated& /*event*/, sluice::context& /*tiny*/) { in_time("patience", std::chrono::hours{2}); }
    void on(const CounterIncreased& event, sluice::context& /*tiny*/) {
        total_ += event.by;
        if (event.by == enough) complete();
    }
    void on(const sluice::timeout& /*timeout*/, sluice::context& /*tiny*/) { complete(); }

private:
    static constexpr int enough = 10;
    int total_ = 0;
    BOOST_DESCRIBE_CLASS(Tally, (), (), (), (total_))
};

/// Takes nothing from anybody.
struct grumpy_listener {
    void operator()(const sluice::message& m, sluice::context& /*tiny*/) const {
        throw std::runtime_error{"do not like " + m.id() + " \x1b[2J"};
    }
};

/// Who follows trace events holds up the thread that has something to tell: as long as the file is there, a lane that
/// has published to a partner stays in its step.
void set_trap(sluice::domain& tiny, const std::string& file) {
    tiny.on_trace([file](const sluice::trace_event& event) {
        while (event.event == "outbox.external_published" && std::filesystem::exists(file)) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    });
}

sluice::domain make_domain() {
    sluice::domain tiny{"tiny"};
    tiny.aggregate<Counter>().events<CounterCreated, CounterIncreased>();
    tiny.command_handler<counter_commands, CreateCounter, Increase, Explode>();
    tiny.process_manager<Tally>()
        .starts<CounterCreated>(&CounterCreated::counter_id)
        .continues<CounterIncreased>(&CounterIncreased::counter_id);
    tiny.subscriber<grumpy_listener>({.broker = "elsewhere", .stream = "other::thing"});
    if (const char* const file = std::getenv("TINY_TRAP")) set_trap(tiny, file);
    return tiny;
}

}  // namespace tiny

SLUICE_DOMAIN(tiny::make_domain)
