#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "envelope/envelope.hpp"
#include "projection/projection.hpp"
#include "projection/rebuild.hpp"
#include "projection/row_unit.hpp"
#include "store/store.hpp"
#include "support/depot.hpp"
#include "support/depot_rows.hpp"
#include "support/forwarding_store.hpp"

namespace sluice::testing {

/// What a process that dies throws through everything.
struct killed {};

/// What a test does to a rebuild.
struct interference {
    std::function<void(const char* call)> hit{};            ///< at every call to the database
    std::function<store::sequence(store::sequence)> see{};  ///< how much of the log it sees, while it has no lock
    bool locked = false;                                    ///< it has the lock
};

/// A session whose calls may fail before they did anything or after they did all of it, and that says when its lock is
/// held.
class watched_read_models final : public store::read_model_session {
public:
    watched_read_models(std::unique_ptr<store::read_model_session> behind, interference& by)
        : behind_{std::move(behind)}, by_{by} {}
    ~watched_read_models() override { by_.locked = false; }

    std::vector<store::projection_status> list() override { return behind_->list(); }
    std::int64_t count_rows(const store::row_table& table) override { return behind_->count_rows(table); }
    void register_reader(const std::string& name, const std::string& group) override {
        behind_->register_reader(name, group);
    }
    bool create(const detail::table_layout& layout) override { return behind_->create(layout); }
    store::rebuild_status begin_rebuild(const detail::table_layout& layout, bool restart, date_time now) override {
        hit("begin");
        auto begun = behind_->begin_rebuild(layout, restart, now);
        hit("begun");
        return begun;
    }
    store::log_end end_of_log() override {
        hit("look");
        auto end = behind_->end_of_log();
        if (by_.see && !by_.locked) end.head = by_.see(end.head);
        return end;
    }
    std::vector<store::stream_event> events(const std::vector<std::string>& categories, store::sequence after,
                                            store::sequence upto, std::size_t limit) override {
        hit("events");
        return behind_->events(categories, after, upto, limit);
    }
    std::optional<store::stored_row> load_row(const store::row_table& table, std::string_view key) override {
        return behind_->load_row(table, key);
    }
    void advance(const detail::table_layout& layout, const store::rebuild_step& step) override {
        hit("advance");
        behind_->advance(layout, step);
        hit("advanced");
    }
    void lock(const detail::table_layout& layout, const store::rebuild_status& at) override {
        hit("lock");
        behind_->lock(layout, at);
        by_.locked = true;
    }
    void complete(const detail::table_layout& layout, const store::rebuild_step& step) override {
        hit("complete");
        behind_->complete(layout, step);
        by_.locked = false;
        hit("completed");
    }
    void unlock() noexcept override {
        behind_->unlock();
        by_.locked = false;
    }
    std::size_t drop_former(const detail::table_layout& layout) override { return behind_->drop_former(layout); }

private:
    void hit(const char* call) const {
        if (by_.hit) by_.hit(call);
    }

    std::unique_ptr<store::read_model_session> behind_;
    interference& by_;
};

/// A database whose read models are watched.
class watched_database final : public sluice::testing::forwarding_database {
public:
    using forwarding_database::forwarding_database;

    [[nodiscard]] std::unique_ptr<store::read_model_session> open_read_models() override {
        return std::make_unique<watched_read_models>(forwarding_database::open_read_models(), by);
    }

    interference by{};
};

/// A depot, its projectors with messages on their way to them in the order of each stream, and rebuilds that anything
/// may happen to.
class projection_world {
public:
    projection_world(std::uint64_t seed, std::unique_ptr<store::database> on)
        : random_{seed}, database_{std::make_shared<watched_database>(std::move(on))}, depot_{database_} {
        depot_.create_tables();
    }

    /// Commits, deliveries, and now and then a whole rebuild with all of that between its steps.
    void live(int steps) {
        for (int i = 0; i < steps; ++i) chance(0.02) ? rebuild() : everyday();
    }
    /// Delivers what is on its way, finishes what was begun.
    void come_to_rest() {
        for (const auto* table : tables) {
            while (deliver(table)) {
            }
        }
    }
    [[nodiscard]] depot::fixture& depot() { return depot_; }
    [[nodiscard]] int finished() const { return finished_; }
    [[nodiscard]] int killed_rebuilds() const { return killed_; }

    static constexpr std::array tables{"crate_summary", "customer_totals"};

private:
    [[nodiscard]] bool chance(double probability) { return random_.uniform() < probability; }
    [[nodiscard]] std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_.next() % limit); }
    [[nodiscard]] const char* some_table() { return tables.at(below(tables.size())); }

    void everyday() {
        if (chance(0.4)) return commit();
        if (chance(0.1)) return redeliver();
        static_cast<void>(deliver(some_table()));
    }

    void commit() {
        depot_.commit([&](context& in) {
            const auto crates = in.repository<depot::Crate>();
            const std::string customer = "customer-" + std::to_string(below(3));
            if (chance(0.3) || crates_.empty()) {
                crates_.push_back("crate-" + std::to_string(++last_crate_));
                crates.add(depot::Crate{crates_.back(), customer});
            } else if (chance(0.1)) {
                const auto customers = in.repository<depot::Customer>();
                depot::Customer* known = customers.find(customer);
                if (known == nullptr) known = &customers.add(depot::Customer{customer});
                known->rename("name " + std::to_string(below(1000)));
            } else {
                const auto which = below(crates_.size());
                depot::Crate& crate = crates.get(crates_[which]);
                for (std::size_t events = 0; events <= below(3); ++events) crate.add(static_cast<int>(below(9)));
                if (chance(0.1)) crate.ship(in.now());
                if (chance(0.05)) {
                    crate.burn();
                    crates_.erase(crates_.begin() + static_cast<std::ptrdiff_t>(which));
                }
            }
        });
        for (const auto& logged : database_->open_operations()->events({.after = sent_, .limit = 1000})) {
            sent_ = logged.seq;
            for (const auto* table : tables) queues_[table][logged.event.stream].push_back(logged.event);
        }
    }

    /// The next message of some stream.
    bool deliver(const std::string& table) {
        auto& streams = queues_[table];
        std::erase_if(streams, [](const auto& stream) { return stream.second.empty(); });
        if (streams.empty()) return false;
        auto stream = streams.begin();
        std::advance(stream, static_cast<std::ptrdiff_t>(below(streams.size())));
        const store::logged_event logged = stream->second.front();
        stream->second.pop_front();
        handle(table, logged);
        history_.emplace_back(table, logged);
        return true;
    }
    /// A message that was handled once comes again, however old it is.
    void redeliver() {
        if (history_.empty()) return;
        const auto& [table, logged] = history_[below(history_.size())];
        handle(table, logged);
    }
    void handle(const std::string& table, const store::logged_event& logged) {
        const auto& projector = depot_.projector(table);
        const auto* event = depot_.domain.declared().event_by_type(logged.type);
        if (!projector.on.contains(event->cpp_name)) return;
        const auto m = message::decode(envelope::render_internal(logged.data, logged.metadata));
        static_cast<void>(projection::project(*depot_.env, projector, m, {"1-0"}));
    }

    /// Life goes on between the steps; the rebuild may be stopped, killed, or told that its connection broke.
    class host final : public projection::rebuild_host {
    public:
        explicit host(projection_world& world) : world_{world} {}
        bool stopped() override {
            if (!world_.database_->by.locked) {
                for (std::size_t i = world_.below(4); i > 0; --i) world_.everyday();
            }
            return world_.chance(0.02);
        }
        void rest(duration) override {}
        void progress(const projection::rebuild_progress&) override {}

    private:
        projection_world& world_;
    };

    void rebuild() {
        // A little more of the log at each look, so that a rebuild has many steps.
        database_->by.see = [this](store::sequence head) {
            seen_ = std::min(head, seen_ + 1 + static_cast<store::sequence>(below(40)));
            return seen_;
        };
        seen_ = 0;
        database_->by.hit = [this](const char* call) {
            if (chance(0.02)) throw killed{};
            if (chance(0.03)) {
                const bool after = std::string_view{call}.ends_with("ed");
                throw store_error{"scripted trouble", after ? error_nature::in_doubt : error_nature::retryable};
            }
        };
        try {
            host around{*this};
            projection::projection_rebuild work{*depot_.env, depot_.projector(some_table()), chance(0.2)};
            if (work.run(around).finished) ++finished_;
        } catch (const killed&) {
            ++killed_;
        } catch (const store_error&) {
            // It gave up; another one goes on.
        }
        database_->by.hit = {};
        database_->by.see = {};
    }

    base::seeded_random random_;
    std::shared_ptr<watched_database> database_;
    depot::fixture depot_;
    std::vector<std::string> crates_;
    int last_crate_ = 0;
    store::sequence sent_ = 0;
    std::map<std::string, std::map<std::string, std::deque<store::logged_event>>> queues_;
    std::vector<std::pair<std::string, store::logged_event>> history_;
    store::sequence seen_ = 0;
    int finished_ = 0;
    int killed_ = 0;
};

}  // namespace sluice::testing
