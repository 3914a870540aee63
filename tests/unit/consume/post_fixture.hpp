#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "consume/subscription.hpp"
#include "store/memory/memory_database.hpp"
#include "support/forwarding_store.hpp"
#include "support/post_office.hpp"

namespace post {

/// A database that can be away: sessions throw then, and nothing reaches the tables.
class moody_database final : public sluice::testing::forwarding_database {
public:
    using forwarding_database::forwarding_database;

    [[nodiscard]] std::unique_ptr<sluice::store::unit_session> open_unit() override;

    /// away: a lock is not granted; gone: the server is not reached; doubtful: commits, and then says that it does not
    /// know.
    enum class mood { well, away, gone, doubtful };
    mood is = mood::well;
    std::atomic<int> looks = 0;     ///< at the inbox, for one message; handlers run on threads of their own
    std::atomic<int> previews = 0;  ///< and for what a read brought
    std::atomic<int> commits = 0;
};

class moody_unit final : public sluice::testing::forwarding_unit {
public:
    moody_unit(moody_database& of, std::unique_ptr<sluice::store::unit_session> inner)
        : forwarding_unit{std::move(inner)}, of_{of} {}

    void commit(const sluice::store::commit_batch& batch) override {
        about_to_read();
        ++of_.commits;
        forwarding_unit::commit(batch);
        if (of_.is == moody_database::mood::doubtful) {
            throw sluice::store_error{"connection lost during commit", sluice::error_nature::in_doubt};
        }
    }

    [[nodiscard]] sluice::store::inbox_answer look_in_inbox(const sluice::store::inbox_mark& message) override {
        ++of_.looks;
        return forwarding_unit::look_in_inbox(message);
    }
    [[nodiscard]] std::vector<std::string> marked_of(std::span<const std::string> message_ids,
                                                     std::string_view handler) override {
        ++of_.previews;
        return forwarding_unit::marked_of(message_ids, handler);
    }

protected:
    void about_to_read() override {
        if (of_.is == moody_database::mood::away) {
            throw sluice::store_error{"database is locked", sluice::error_nature::retryable};
        }
        if (of_.is == moody_database::mood::gone) {
            throw sluice::store_error{"database is not reached", sluice::error_nature::outage};
        }
    }

private:
    moody_database& of_;
};

inline std::unique_ptr<sluice::store::unit_session> moody_database::open_unit() {
    return std::make_unique<moody_unit>(*this, forwarding_database::open_unit());
}

/// Chance for several threads.
class shared_random final : public sluice::base::random_source {
public:
    [[nodiscard]] std::uint64_t next() override {
        const std::lock_guard lock{mutex_};
        return source_.next();
    }

private:
    std::mutex mutex_;
    sluice::base::seeded_random source_{7};
};

/// The post office on a memory store and an inline broker; the test publishes and drives the subscriptions itself.
struct fixture {
    explicit fixture(sluice::config::configuration configuration = {},
                     std::shared_ptr<sluice::broker::broker> on = nullptr) {
        if (on) broker = std::move(on);
        database->setup();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        parts.brokers.emplace("default", broker);
        domain.validate();
        env = std::make_unique<sluice::commit::environment>(domain.declared(), std::move(configuration), parts, clock,
                                                            random);
        env->tracer().subscribe([this](const sluice::trace_event& event) {
            const std::lock_guard lock{traces_mutex};
            traces.push_back(event);
        });
    }

    [[nodiscard]] sluice::consume::route route(const std::string& name) {
        for (auto& each : sluice::consume::routes_of(*env)) {
            if (each.name == name) return each;
        }
        throw sluice::usage_error{"no route " + name};
    }
    [[nodiscard]] std::unique_ptr<sluice::consume::subscription> subscribe(
        const std::string& name = "post.parcel_counter", const std::string& consumer = "desk-0") {
        return std::make_unique<sluice::consume::subscription>(*env, route(name), consumer);
    }

    void publish(const std::string& stream, const std::string& id, const std::string& key, const std::string& body) {
        const sluice::broker::outgoing message{.stream = stream, .message_id = id, .key = key, .body = body};
        const auto verdicts = broker->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{1});
        if (!std::holds_alternative<sluice::broker::delivered>(verdicts.at(0))) throw sluice::broker_error{"refused"};
    }
    void publish_parcel(const std::string& message_id, const std::string& parcel_id) {
        publish("abroad::parcel", message_id, "abroad::parcel-" + parcel_id, parcel_arrived(message_id, parcel_id));
    }

    /// As many, `m-1` of `p-1` and so on.
    void publish_parcels(int count) {
        for (int i = 1; i <= count; ++i) publish_parcel("m-" + std::to_string(i), "p-" + std::to_string(i));
    }
    /// Another consumer of the group handles a copy of the second parcel, once, as soon as the first is being handled.
    void handle_second_parcel_elsewhere() {
        hook->on_handle([this, other = route("post.parcel_counter")](const std::string& letter) {
            if (letter != "p-1") return;
            hook->on_handle({});
            const auto copy = sluice::message::decode(parcel_arrived("m-2", "p-2"));
            EXPECT_EQ(other.handle(copy, {"elsewhere"}), sluice::command::outcome::handled);
        });
    }

    /// How often the letter was stamped; -1 when there is none.
    [[nodiscard]] int stamps(const std::string& letter_id) {
        sluice::context in = sluice::command::make_context(*env);
        const sluice::unit_of_work work{in};
        const letter* found = in.repository<letter>().find(letter_id);
        return found == nullptr ? -1 : found->stamps();
    }
    [[nodiscard]] std::vector<sluice::broker::dead_letter_entry> dead() {
        return broker->open_operations()->dead_letters({});
    }
    [[nodiscard]] std::int64_t pending(const std::string& stream, const std::string& group) {
        for (const auto& each : broker->open_operations()->groups()) {
            if (each.stream == stream && each.group == group) return each.pending;
        }
        return -1;
    }
    [[nodiscard]] std::vector<std::string> traced(const std::string& event) const {
        const std::lock_guard lock{traces_mutex};
        std::vector<std::string> ids;
        for (const auto& each : traces) {
            if (each.event == event) ids.push_back(each.message_id);
        }
        return ids;
    }

    std::shared_ptr<script> hook = std::make_shared<script>();
    sluice::domain domain = make_domain(hook);
    moved_clock clock;
    shared_random random;
    std::shared_ptr<moody_database> database =
        std::make_shared<moody_database>(sluice::store::make_memory_database("post"));
    std::shared_ptr<sluice::broker::broker> broker = sluice::broker::make_inline_broker("default");
    std::unique_ptr<sluice::commit::environment> env;
    mutable std::mutex traces_mutex;
    std::vector<sluice::trace_event> traces;  ///< handlers emit on threads of their own
};

}  // namespace post
