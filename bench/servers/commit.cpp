#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/statistics.hpp"
#include "common/workload.hpp"
#include "engine/engine.hpp"
#include "servers/pg_link.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"
#include "store/memory/memory_database.hpp"

namespace sluice::bench {

namespace {

using steady = std::chrono::steady_clock;

/// Microseconds for one commit, over `commits` of them.
double time_commits(int commits, const std::function<void()>& commit_one) {
    const auto begin = steady::now();
    for (int i = 0; i < commits; ++i) commit_one();
    const std::chrono::duration<double, std::micro> spent = steady::now() - begin;
    return spent.count() / commits;
}

/// Writes the state of an aggregate, and its event when it is asked to, in one round trip and nothing else.
class plain_write {
public:
    plain_write(const std::string& uri, bool with_event) : db_{uri}, with_event_{with_event} {
        db_.execute("CREATE TABLE IF NOT EXISTS plain_state (LIKE aggregate_state INCLUDING ALL)");
        db_.execute("CREATE TABLE IF NOT EXISTS plain_event (LIKE event_log INCLUDING ALL)");
        metadata_ = db_.scalar("SELECT metadata FROM event_log LIMIT 1");
        db_.prepare("state", "INSERT INTO plain_state VALUES ('Reading', $1, 0, $2::json)");
        db_.prepare("event",
                    "INSERT INTO plain_event (message_id, stream, stream_category, position, type, created_at, data, "
                    "metadata) VALUES ($1, $2, 'bench::reading', 0, 'Bench.ReadingTaken.v1', now(), $3::json, "
                    "$4::json)");
        db_.begin_pipeline();
    }

    void commit_one() {
        const auto id = (with_event_ ? "e" : "s") + std::to_string(++next_);
        const auto state = state_text(id);
        db_.send("state", pg_values{}.text(id).text(state));
        if (with_event_) {
            const auto stream = "bench::reading-" + id;
            db_.send("event", pg_values{}.text(stream + "-0.1").text(stream).text(state).text(metadata_));
        }
        db_.sync();
        static_cast<void>(db_.next());
        if (with_event_) static_cast<void>(db_.next());
        db_.synced();
    }

private:
    pg_link db_;
    bool with_event_;
    std::string metadata_;
    std::size_t next_ = 0;
};

/// A workload and who commits to it.
struct subject {
    subject(std::shared_ptr<store::database> database, int external) : work{std::move(database), external} {
        commits.commit_one();
    }

    workload work;
    committer commits{work};
};

/// Commits of so many threads in so many seconds, per second.
double write_for(workload& work, int writers, std::chrono::seconds time) {
    std::atomic<bool> counting = false;
    std::atomic<std::size_t> committed = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < writers; ++i) {
        threads.emplace_back([&](const std::stop_token& stop) {
            committer one{work};
            while (!stop.stop_requested()) {
                one.commit_one();
                if (counting) ++committed;
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{500});  // connections are made
    counting = true;
    const auto begin = steady::now();
    std::this_thread::sleep_for(time);
    counting = false;
    const std::chrono::duration<double> spent = steady::now() - begin;
    return static_cast<double>(committed) / spent.count();
}

}  // namespace

void measure_commit(const bed& on) {
    const auto uri = on.postgresql.make_database("commit");
    print_section("commit: one client, process() of a command, against a plain insert in one round trip", "plain",
                  "process");
    subject none{open_postgresql(uri), 0};
    subject one{open_postgresql(uri), 1};
    subject three{open_postgresql(uri), 3};
    subject eight{open_postgresql(uri), 8};
    subject alone{store::make_memory_database("commit"), 1};  // what the program does before it asks a server
    plain_write state{uri, false};
    plain_write state_and_event{uri, true};

    struct variant {
        const char* name;
        std::function<void()> commit_one;
        std::vector<double> us{};
    };
    std::vector<variant> plain{{"the state", [&] { state.commit_one(); }},
                               {"the state and the event", [&] { state_and_event.commit_one(); }}};
    std::vector<variant> sluice{{"no external broker", [&] { none.commits.commit_one(); }},
                                {"1 external broker", [&] { one.commits.commit_one(); }},
                                {"3 external brokers", [&] { three.commits.commit_one(); }},
                                {"8 external brokers", [&] { eight.commits.commit_one(); }},
                                {"1 external broker, a database in memory", [&] { alone.commits.commit_one(); }}};
    for (int round = -1; round < 2 * on.size.rounds; ++round) {  // the first one warms up
        for (auto* const group : {&plain, &sluice}) {
            for (auto& [name, commit_one, us] : *group) {
                const double spent = time_commits(on.size.commits / 2, commit_one);
                if (round >= 0) us.push_back(spent);
            }
        }
    }
    for (const auto& base : plain) {
        for (const auto& subject : sluice) {
            std::vector<double> ratio;
            for (std::size_t i = 0; i < base.us.size(); ++i) ratio.push_back(subject.us[i] / base.us[i]);
            const auto name = fmt::format("{}, against {}", subject.name, base.name);
            const auto limit = fmt::format("{:.0f} us", median(base.us));
            const auto own = fmt::format("{:.0f} us", median(subject.us));
            const bool is_bound = &subject == &sluice[1] && &base == &plain.front();
            if (is_bound) {
                print_line(name, limit, own, median(ratio), {.floor = 1.35, .aim = 1.2, .upper = true});
            } else {
                print_note(name, limit, own, median(ratio));
            }
        }
    }
}

void measure_committers(const bed& on) {
    print_section("committers: throughput while the lanes run in the writers' process", "no lanes", "lanes running");
    const auto uri = on.postgresql.make_database("committers");
    const std::chrono::seconds time{on.size.writing_seconds};
    for (const int writers : {8, 32}) {
        std::vector<double> without;
        std::vector<double> with;
        std::vector<double> ratio;
        for (int round = 0; round < on.size.rounds; ++round) {
            for (const bool lanes : {false, true}) {
                const broker_map brokers{{"default", open_redis(on.redis)}, {partner(1), open_redis(on.redis)}};
                workload work{open_postgresql(uri), 1, brokers};
                pg_link{uri}.execute(
                    "TRUNCATE outbox_row, outbox_ledger, event_log, aggregate_state; DELETE FROM lease; CHECKPOINT");
                engine::engine lanes_of{work.env()};
                if (lanes) lanes_of.start();
                (lanes ? with : without).push_back(write_for(work, writers, time));
                on.redis.flush();
            }
            ratio.push_back(with.back() / without.back());
        }
        print_line(fmt::format("{} writers, 2 brokers for each event", writers), rate_text(median(without)),
                   rate_text(median(with)), median(ratio), {.floor = 0.85, .aim = 0.95});
    }
}

}  // namespace sluice::bench
