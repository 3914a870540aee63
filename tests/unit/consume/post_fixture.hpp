#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "commit/environment.hpp"
#include "commit/invocation.hpp"
#include "consume/subscription.hpp"
#include "store/memory/memory_database.hpp"
#include "support/post_office.hpp"

namespace post {

/// A database that can be away: sessions throw then, and nothing reaches the tables.
class moody_database final : public sluice::store::database {
public:
    explicit moody_database(std::unique_ptr<sluice::store::database> inner) : inner_{std::move(inner)} {}

    [[nodiscard]] std::string describe() const override { return inner_->describe(); }
    void setup() override { inner_->setup(); }
    [[nodiscard]] sluice::store::schema_status schema() override { return inner_->schema(); }
    [[nodiscard]] std::string identity() override { return inner_->identity(); }
    [[nodiscard]] std::unique_ptr<sluice::store::unit_session> open_unit() override;
    [[nodiscard]] std::unique_ptr<sluice::store::lane_session> open_lane() override { return inner_->open_lane(); }
    [[nodiscard]] std::unique_ptr<sluice::store::operations_session> open_operations() override {
        return inner_->open_operations();
    }
    [[nodiscard]] std::unique_ptr<sluice::store::read_model_session> open_read_models() override {
        return inner_->open_read_models();
    }

    enum class mood { well, away, doubtful };
    mood is = mood::well;  ///< doubtful: commits, and then says that it does not know

private:
    std::unique_ptr<sluice::store::database> inner_;
};

class moody_unit final : public sluice::store::unit_session {
public:
    moody_unit(moody_database& of, std::unique_ptr<sluice::store::unit_session> inner)
        : of_{of}, inner_{std::move(inner)} {}

    [[nodiscard]] std::optional<sluice::store::stored_state> load(std::string_view aggregate,
                                                                  std::string_view id) override {
        require_here();
        return inner_->load(aggregate, id);
    }
    [[nodiscard]] std::vector<sluice::store::stored_state> find(std::string_view aggregate,
                                                                const sluice::store::state_query& query) override {
        require_here();
        return inner_->find(aggregate, query);
    }
    [[nodiscard]] std::vector<sluice::store::stream_event> read_stream(std::string_view stream, std::int64_t from,
                                                                       std::size_t limit) override {
        require_here();
        return inner_->read_stream(stream, from, limit);
    }
    [[nodiscard]] std::optional<sluice::store::stream_event> last_of_stream(std::string_view stream) override {
        require_here();
        return inner_->last_of_stream(stream);
    }
    [[nodiscard]] std::optional<sluice::store::stored_snapshot> load_snapshot(std::string_view aggregate,
                                                                              std::string_view id) override {
        require_here();
        return inner_->load_snapshot(aggregate, id);
    }
    [[nodiscard]] std::optional<sluice::store::command_outcome> outcome_of(std::string_view key,
                                                                           sluice::date_time now) override {
        require_here();
        return inner_->outcome_of(key, now);
    }
    [[nodiscard]] std::vector<sluice::store::scheduled_message> due_messages(sluice::date_time now,
                                                                             std::size_t limit) override {
        require_here();
        return inner_->due_messages(now, limit);
    }
    [[nodiscard]] std::optional<sluice::date_time> next_due() override {
        require_here();
        return inner_->next_due();
    }
    [[nodiscard]] std::optional<sluice::store::projection_gate> look_at_projection(
        std::string_view name, std::string_view handler, std::string_view message_id) override {
        require_here();
        return inner_->look_at_projection(name, handler, message_id);
    }
    [[nodiscard]] std::optional<sluice::store::stored_row> load_row(const sluice::store::row_table& table,
                                                                    std::string_view key) override {
        require_here();
        return inner_->load_row(table, key);
    }
    [[nodiscard]] std::vector<std::string> find_rows(const sluice::store::row_table& table,
                                                     const sluice::detail::row_query& query) override {
        require_here();
        return inner_->find_rows(table, query);
    }
    [[nodiscard]] std::int64_t count_rows(const sluice::store::row_table& table,
                                          const sluice::detail::row_query& query) override {
        require_here();
        return inner_->count_rows(table, query);
    }
    [[nodiscard]] bool is_marked(std::string_view message_id, std::string_view handler) override {
        require_here();
        return inner_->is_marked(message_id, handler);
    }
    void commit(const sluice::store::commit_batch& batch) override {
        require_here();
        inner_->commit(batch);
        if (of_.is == moody_database::mood::doubtful) {
            throw sluice::store_error{"connection lost during commit", sluice::error_nature::in_doubt};
        }
    }

private:
    void require_here() const {
        if (of_.is == moody_database::mood::away) {
            throw sluice::store_error{"database is locked", sluice::error_nature::retryable};
        }
    }

    moody_database& of_;
    std::unique_ptr<sluice::store::unit_session> inner_;
};

inline std::unique_ptr<sluice::store::unit_session> moody_database::open_unit() {
    return std::make_unique<moody_unit>(*this, inner_->open_unit());
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
    explicit fixture(sluice::config::configuration configuration = {}) {
        database->setup();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        parts.brokers.emplace("default", broker);
        domain.validate();
        env = std::make_unique<sluice::commit::environment>(domain.declared(), std::move(configuration), parts, clock,
                                                            random);
        env->tracer().subscribe([this](const sluice::trace_event& event) { traces.push_back(event); });
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

    /// How often the letter was stamped; -1 when there is none.
    [[nodiscard]] int stamps(const std::string& letter_id) {
        sluice::context in = sluice::commit::make_context(*env);
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
    std::vector<sluice::trace_event> traces;
};

}  // namespace post
