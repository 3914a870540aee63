#include "common/latency.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "commit/wake_hub.hpp"
#include "common/running_lane.hpp"
#include "common/statistics.hpp"

namespace sluice::bench {

namespace {

using nanoseconds = std::int64_t;

constexpr std::size_t batch = 50;
constexpr auto patience = std::chrono::minutes{1};

/// The steady clock is the same in all processes of the machine.
nanoseconds now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// When the broker confirmed which message.
class confirmations {
public:
    using times = std::unordered_map<std::string, nanoseconds>;

    void add(std::string_view message_id, nanoseconds at) {
        const std::lock_guard lock{mutex_};
        at_.emplace(message_id, at);
        changed_.notify_all();
    }
    [[nodiscard]] times wait_for(std::size_t messages) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, patience, [&] { return at_.size() >= messages; })) {
            throw std::runtime_error{"the broker confirmed " + std::to_string(at_.size()) + " messages of " +
                                     std::to_string(messages)};
        }
        return at_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    times at_;
};

/// Notes the time of each confirmation.
class timed_publisher final : public broker::publisher {
public:
    timed_publisher(std::unique_ptr<broker::publisher> inner, confirmations& noted)
        : inner_{std::move(inner)}, noted_{noted} {}

    [[nodiscard]] std::vector<broker::verdict> publish(std::span<const broker::outgoing> messages,
                                                       const broker::producer& from, duration timeout) override {
        auto verdicts = inner_->publish(messages, from, timeout);
        const nanoseconds at = now();
        for (std::size_t i = 0; i < messages.size(); ++i) {
            if (std::holds_alternative<broker::delivered>(verdicts[i])) noted_.add(messages[i].message_id, at);
        }
        return verdicts;
    }
    [[nodiscard]] std::string probe(duration timeout) override { return inner_->probe(timeout); }
    void hurry(duration within) noexcept override { inner_->hurry(within); }

private:
    std::unique_ptr<broker::publisher> inner_;
    confirmations& noted_;
};

class timed_broker final : public broker::broker {
public:
    timed_broker(sluice::broker::broker& inner, confirmations& noted) : inner_{inner}, noted_{noted} {}

    [[nodiscard]] std::string describe() const override { return inner_.describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override { return inner_.can(); }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<timed_publisher>(inner_.open_publisher(), noted_);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::reader> open_reader(
        const std::vector<std::string>& streams, const sluice::broker::membership& member) override {
        return inner_.open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return inner_.open_operations();
    }

private:
    sluice::broker::broker& inner_;
    confirmations& noted_;
};

struct commit_time {
    std::string message_id;
    nanoseconds at;
};

/// Each thread commits at a steady pace, and notes when each commit had returned.
std::vector<commit_time> commit_steadily(workload& work, const latency_run& run) {
    const auto threads = static_cast<std::size_t>(run.committers);
    std::vector<std::vector<commit_time>> of_thread(threads);
    {
        const auto begin = std::chrono::steady_clock::now();
        std::vector<std::jthread> all;
        for (std::size_t thread = 0; thread < threads; ++thread) {
            all.emplace_back([&, thread] {
                committer one{work};
                for (auto i = thread; i < static_cast<std::size_t>(run.events); i += threads) {
                    std::this_thread::sleep_until(
                        begin + static_cast<int>(i) * std::chrono::nanoseconds{std::nano::den} / run.per_second);
                    one.commit_one();
                    of_thread[thread].push_back({one.last_message_id(), now()});
                }
            });
        }
    }
    std::vector<commit_time> commits;
    for (auto& some : of_thread) std::move(some.begin(), some.end(), std::back_inserter(commits));
    return commits;
}

/// A child that commits when it is told to. It is forked at once, before this process has threads.
class committing_process {
public:
    committing_process(const workload_factory& open, const latency_run& run) {
        std::array<int, 2> to_child{};
        std::array<int, 2> from_child{};
        if (::pipe(to_child.data()) != 0 || ::pipe(from_child.data()) != 0) throw std::runtime_error{"no pipe"};
        pid_ = ::fork();
        if (pid_ < 0) throw std::runtime_error{"no process"};
        start_ = base::unique_fd{to_child[1]};
        report_ = base::unique_fd{from_child[0]};
        const base::unique_fd started{to_child[0]};
        const base::unique_fd reported{from_child[1]};
        if (pid_ == 0) {
            start_ = base::unique_fd{};
            ::_exit(work_in_child(open, run, started.get(), reported.get()));
        }
    }
    committing_process(const committing_process&) = delete;
    committing_process& operator=(const committing_process&) = delete;
    ~committing_process() {
        start_ = base::unique_fd{};
        ::waitpid(pid_, nullptr, 0);
    }

    [[nodiscard]] std::vector<commit_time> commits() {
        if (::write(start_.get(), "!", 1) != 1) throw std::runtime_error{"the committing process is gone"};
        std::string text;
        std::array<char, 65'536> buffer{};
        for (ssize_t got = 0; (got = ::read(report_.get(), buffer.data(), buffer.size())) > 0;) {
            text.append(buffer.data(), static_cast<std::size_t>(got));
        }
        std::vector<commit_time> all;
        for (std::size_t begin = 0; begin < text.size();) {
            const auto space = text.find(' ', begin);
            const auto end = text.find('\n', begin);
            all.push_back({text.substr(begin, space - begin), std::stoll(text.substr(space + 1, end - space - 1))});
            begin = end + 1;
        }
        return all;
    }

private:
    static int work_in_child(const workload_factory& open, const latency_run& run, int started, int reported) {
        try {
            const auto work = open();
            char told = 0;
            if (::read(started, &told, 1) != 1) return 1;
            std::string text;
            for (const auto& [message_id, at] : commit_steadily(*work, run)) {
                text += message_id + ' ' + std::to_string(at) + '\n';
            }
            for (std::string_view rest = text; !rest.empty();) {
                const auto written = ::write(reported, rest.data(), rest.size());
                if (written < 0) return 1;
                rest.remove_prefix(static_cast<std::size_t>(written));
            }
            return 0;
        } catch (const std::exception&) {
            return 1;
        }
    }

    pid_t pid_ = -1;
    base::unique_fd start_;
    base::unique_fd report_;
};

}  // namespace

latency measure_latency(const workload_factory& open, broker::broker& to, const latency_run& run) {
    std::unique_ptr<committing_process> other;
    if (run.other_process) other = std::make_unique<committing_process>(open, run);

    const auto work = open();
    confirmations confirmed;
    timed_broker timed{to, confirmed};
    running_lane lane{lane_to(partner(1), batch), work->database(), timed, work->env().tracer()};
    const commit::wake_hub::registration woken{work->env().lanes(), "default", lane.signal()};
    committer{*work}.commit_one();
    static_cast<void>(confirmed.wait_for(1));  // the lane is there and knows its statements

    auto commits = other ? other->commits() : commit_steadily(*work, run);
    if (commits.empty()) throw std::runtime_error{"the committing process failed"};
    const auto at = confirmed.wait_for(commits.size() + 1);
    std::ranges::sort(commits, {}, &commit_time::at);
    const double seconds = static_cast<double>(commits.back().at - commits.front().at) / std::nano::den;

    // While the connections open, commits come in bursts.
    const auto warm_up = static_cast<std::ptrdiff_t>(commits.size() / 20);
    std::vector<double> milliseconds;
    for (auto commit = commits.begin() + warm_up; commit != commits.end(); ++commit) {
        // The lane may be done before the committing thread is back.
        milliseconds.push_back(std::max(0.0, static_cast<double>(at.at(commit->message_id) - commit->at) / 1e6));
    }
    return {quantile(milliseconds, 0.5), quantile(milliseconds, 0.99),
            static_cast<double>(commits.size() - 1) / seconds};
}

}  // namespace sluice::bench
