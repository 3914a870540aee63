#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "commit/wake_hub.hpp"
#include "embedded/sections.hpp"
#include "embedded/workload.hpp"
#include "outbox/lane.hpp"

namespace sluice::bench {

namespace {

using nanoseconds = std::int64_t;

/// The steady clock is the same in all processes of the machine.
nanoseconds now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// When the broker confirmed which message.
class confirmations {
public:
    void add(const std::string& message_id, nanoseconds at) {
        const std::lock_guard lock{mutex_};
        at_.emplace(message_id, at);
        changed_.notify_all();
    }
    [[nodiscard]] std::map<std::string, nanoseconds> wait_for(std::size_t messages) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return at_.size() >= messages; });
        return at_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, nanoseconds> at_;
};

/// Notes the time of each confirmation.
class timed_publisher final : public broker::publisher {
public:
    timed_publisher(std::unique_ptr<broker::publisher> inner, confirmations& noted)
        : inner_{std::move(inner)}, noted_{noted} {}

    [[nodiscard]] std::vector<broker::verdict> publish(std::span<const broker::outgoing> batch,
                                                       const broker::producer& from, duration timeout) override {
        auto verdicts = inner_->publish(batch, from, timeout);
        const nanoseconds at = now();
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (std::holds_alternative<broker::delivered>(verdicts[i]))
                noted_.add(std::string{batch[i].message_id}, at);
        }
        return verdicts;
    }
    [[nodiscard]] std::string probe(duration timeout) override { return inner_->probe(timeout); }

private:
    std::unique_ptr<broker::publisher> inner_;
    confirmations& noted_;
};

class timed_broker final : public broker::broker {
public:
    timed_broker(std::unique_ptr<sluice::broker::broker> inner, confirmations& noted)
        : inner_{std::move(inner)}, noted_{noted} {}

    [[nodiscard]] std::string describe() const override { return inner_->describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override { return inner_->can(); }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<timed_publisher>(inner_->open_publisher(), noted_);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::consumer> open_consumer(std::string stream,
                                                                          sluice::broker::membership member) override {
        return inner_->open_consumer(std::move(stream), std::move(member));
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return inner_->open_operations();
    }

private:
    std::unique_ptr<sluice::broker::broker> inner_;
    confirmations& noted_;
};

struct commit_time {
    std::string message_id;
    nanoseconds at;
};

/// Commits at a steady pace and says when each commit had returned.
template <class Report>
void commit_steadily(workload& work, int events, std::chrono::microseconds pace, const Report& report) {
    auto due = std::chrono::steady_clock::now();
    for (int i = 0; i < events; ++i) {
        std::this_thread::sleep_until(due);
        work.commit_one();
        report(commit_time{work.last_message_id(), now()});
        due += pace;
    }
}

std::vector<commit_time> commit_in_another_process(const std::filesystem::path& database, int events,
                                                   std::chrono::microseconds pace) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error{"no pipe"};
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        workload work{database, 1};
        commit_steadily(work, events, pace, [&](const commit_time& commit) {
            const std::string line = commit.message_id + " " + std::to_string(commit.at) + "\n";
            if (::write(ends[1], line.data(), line.size()) < 0) ::_exit(1);
        });
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);

    std::vector<commit_time> commits;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t space = text.find(' ', begin);
        const std::size_t end = text.find('\n', begin);
        commits.push_back({text.substr(begin, space - begin), std::stoll(text.substr(space + 1, end - space - 1))});
        begin = end + 1;
    }
    return commits;
}

void measure(const std::filesystem::path& directory, int events, int per_second, bool other_process) {
    const scratch files{directory};
    const auto pace = std::chrono::microseconds{1'000'000 / per_second};
    workload work{files / "shop.db", 1};
    confirmations confirmed;
    timed_broker broker{sluice::broker::make_sqlite_broker({.path = files / "broker.db"}), confirmed};
    base::seeded_random random{1};
    outbox::lane_settings settings;
    settings.database = "default";
    settings.broker = "partner_1";
    settings.external = true;
    settings.owner = "bench";
    outbox::lane lane{settings, {work.database(), broker, system_clock(), random, work.env().tracer()}};

    std::vector<commit_time> commits;
    {
        const commit::wake_hub::registration woken{work.env().lanes(), "default", lane.signal()};
        // Forked before the lane's thread exists.
        std::jthread thread;
        const auto start_lane = [&] { thread = std::jthread{[&](const std::stop_token& stop) { lane.run(stop); }}; };
        if (other_process) {
            std::jthread lane_starter{start_lane};
            commits = commit_in_another_process(files / "shop.db", events, pace);
        } else {
            start_lane();
            commit_steadily(work, events, pace, [&](const commit_time& commit) { commits.push_back(commit); });
        }
        const auto at = confirmed.wait_for(commits.size());
        std::vector<double> milliseconds;
        for (const auto& [message_id, committed] : commits) {
            // The lane may be done before the committing thread is back.
            milliseconds.push_back(std::max(0.0, static_cast<double>(at.at(message_id) - committed) / 1e6));
        }
        fmt::print("  {:<28}{:>8}/s{:>11.2f}{:>11.2f}{}\n", other_process ? "another process" : "the same process",
                   per_second, quantile(milliseconds, 0.5), quantile(milliseconds, 0.99), "   aim p50 < 5");
        thread.request_stop();
        lane.signal().notify();
    }
}

}  // namespace

void measure_latency(const std::filesystem::path& directory, const scale& size) {
    fmt::print("\nFrom the commit to the broker's confirmation, durable on both sides, tick 1 s\n");
    fmt::print("  {:<28}{:>10}{:>11}{:>11}\n", "committed by", "rate", "p50 ms", "p99 ms");
    for (const bool other_process : {false, true}) {
        measure(directory, size.events, 100, other_process);
    }
}

}  // namespace sluice::bench
