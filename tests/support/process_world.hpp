#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "consume/route.hpp"
#include "engine/scheduler.hpp"
#include "envelope/envelope.hpp"
#include "process/transition.hpp"
#include "store/memory/memory_database.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::testing {

/// A domain whose messages a test carries by hand, on one thread and a clock of its own: the log stands for the
/// broker, and nothing happens unless it is asked for.
class process_world {
public:
    explicit process_world(sluice::domain declared) : domain{std::move(declared)} {
        domain.validate();
        commit::adapters parts;
        database->setup();
        parts.databases.emplace("default", database);
        archive->setup();
        parts.databases.emplace("archive", archive);
        env = std::make_unique<commit::environment>(domain.declared(), config::configuration{}, parts, clock, random);
        env->tracer().subscribe([this](const trace_event& event) { traces.push_back(event); });
        schedule = std::make_unique<engine::scheduler>(*env, "default");
        routes = consume::routes_of(*env);
    }

    [[nodiscard]] sluice::context context() { return command::make_context(*env); }

    template <class Command>
    void give(const Command& command) {
        auto in = context();
        in.process(command);
    }

    /// The log's messages that went to the outbox, in order.
    [[nodiscard]] std::vector<store::stream_event> sent() {
        auto operations = database->open_operations();
        std::vector<store::stream_event> found;
        for (store::stream_event& each : operations->events({.limit = 10'000})) {
            if (!operations->list({.message_id = each.event.message_id, .limit = 1}).empty()) {
                found.push_back(std::move(each));
            }
        }
        return found;
    }

    [[nodiscard]] static message as_message(const store::logged_event& event) {
        return message::decode(envelope::render_internal(event.data, event.metadata));
    }

    /// Hands one message to every route that wants it.
    void deliver(const store::stream_event& what) {
        const message m = as_message(what.event);
        for (const consume::route& each : routes) {
            if (each.streams.front() != what.event.stream_category) continue;
            if (each.interest_in(m) != consume::interest::wanted) continue;
            outcomes.push_back(each.handle(m, {std::to_string(what.seq)}));
        }
    }

    /// Delivers what was not delivered yet, and what comes of it, until nothing is left.
    void settle() {
        for (bool more = true; more;) {
            more = false;
            for (const store::stream_event& each : sent()) {
                if (!delivered_.insert(each.seq).second) continue;
                deliver(each);
                more = true;
            }
        }
    }

    /// Time goes by; what is due is released and delivered.
    void pass(duration time) {
        clock.advance(time);
        static_cast<void>(schedule->work());
        settle();
    }

    [[nodiscard]] std::vector<store::stream_event> stream(const std::string& name) {
        return database->open_operations()->events({.stream = name, .limit = 10'000});
    }
    [[nodiscard]] process::process_transition last(const std::string& name) {
        return process::decode_transition(stream(name).back());
    }
    [[nodiscard]] std::vector<store::scheduled_message> scheduled() {
        return database->open_unit()->due_messages(date_time::parse("9999-12-31T00:00:00Z"), 1000);
    }
    [[nodiscard]] std::vector<trace_event> traced(const std::string& event) const {
        std::vector<trace_event> found;
        for (const auto& each : traces) {
            if (each.event == event) found.push_back(each);
        }
        return found;
    }

    sluice::domain domain;
    virtual_clock clock;
    base::seeded_random random{7};
    std::shared_ptr<store::database> database = store::make_memory_database("world");
    std::shared_ptr<store::database> archive = store::make_memory_database("archive");
    std::unique_ptr<commit::environment> env;
    std::unique_ptr<engine::scheduler> schedule;
    std::vector<consume::route> routes;
    std::vector<trace_event> traces;
    std::vector<command::outcome> outcomes;

private:
    std::set<store::sequence> delivered_;
};

}  // namespace sluice::testing
