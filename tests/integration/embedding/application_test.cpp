#include <sluice/application.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sluice/sluice.hpp>

#include "support/eventually.hpp"
#include "support/post_office.hpp"
#include "support/temporary_directory.hpp"

namespace ledger {

class account;

struct paid_in {
    static constexpr sluice::event_of<account> contract{.name = "PaidIn"};
    sluice::identifier account_id;
    int amount = 0;
};

class account : public sluice::aggregate<account> {
public:
    account() = default;
    explicit account(sluice::identifier id) : account_id_{std::move(id)} {}
    int pay_in(int amount) {
        balance_ += amount;
        raise(paid_in{.account_id = account_id_, .amount = amount});
        return balance_;
    }

private:
    sluice::identifier account_id_;
    int balance_ = 0;

    BOOST_DESCRIBE_CLASS(account, (), (), (), (account_id_, balance_))
};

struct pay_in {
    static constexpr sluice::command_of<account, int> contract{.name = "PayIn"};
    sluice::identifier account_id;
    int amount = 0;
};

class too_much : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// [dependencies]
/// Something of the program's own that handlers use; all threads do so at once.
struct payment_limit {
    std::atomic<int> largest = 1000;
};

struct account_commands {
    int operator()(const pay_in& c, sluice::context& in) const {  // returns the new balance
        if (c.amount > limit->largest) throw too_much{"no more than " + std::to_string(limit->largest) + " at once"};
        const auto accounts = in.repository<account>();
        account* known = accounts.find(c.account_id.str());
        if (known == nullptr) known = &accounts.add(account{c.account_id});
        return known->pay_in(c.amount);
    }

    std::shared_ptr<const payment_limit> limit;
};

sluice::domain make_domain(std::shared_ptr<const payment_limit> limit) {
    sluice::domain domain{"ledger"};
    domain.aggregate<account>().events<paid_in>();
    domain.command_handler<account_commands, pay_in>(account_commands{.limit = std::move(limit)});
    return domain;
}
// [/dependencies]

}  // namespace ledger

namespace {

using namespace std::chrono_literals;
using sluice::json::object;
using steady = std::chrono::steady_clock;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// What a sink was given, as texts.
class gathered_log {
public:
    [[nodiscard]] sluice::log_sink sink() {
        return [this](const sluice::log_record& record) {
            const std::lock_guard lock{mutex_};
            lines_.push_back(std::string{sluice::to_string(record.level)} + " " + to_text(record));
        };
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

object sqlite_at(const char* key, const std::string& file) {
    return object{{"provider", "sqlite"}, {key, "sqlite:///" + file}};
}

/// One deployment in a directory of its own, with an internal broker and a partner.
class deployment {
public:
    [[nodiscard]] sluice::settings settings() const {
        return sluice::settings::from_values(
            {{"databases", object{{"default", sqlite_at("database_uri", "state.db")}}},
             {"brokers", object{{"default", sqlite_at("URI", "inner.db")}, {"partner", partner}}},
             {"outbox",
              object{{"external_brokers", sluice::json::array{"partner"}}, {"max_probe_interval_seconds", 0.1}}},
             {"server", object{{"shutdown_seconds", 2}}}},
            directory.path());
    }

    sluice::testing::temporary_directory directory;
    object partner = sqlite_at("URI", "partner.db");
};

bool soon(const std::function<bool()>& holds) { return sluice::testing::eventually(holds); }

/// -1 when there is no such letter.
int stamps_of(sluice::context& in, const std::string& letter_id) {
    const sluice::unit_of_work work{in};
    const post::letter* found = in.repository<post::letter>().find(letter_id);
    return found == nullptr ? -1 : found->stamps();
}

double value_of(const sluice::application& app, const std::string& metric) {
    double sum = 0;
    for (const sluice::metric_family& family : app.metrics()) {
        if (family.name != metric) continue;
        for (const sluice::metric_sample& sample : family.samples) sum += sample.value;
    }
    return sum;
}

class application_test : public testing::Test {
protected:
    [[nodiscard]] sluice::application make(sluice::application_options options = {}) const {
        return sluice::application{post::make_domain(hook_), here_.settings(), std::move(options)};
    }
    [[nodiscard]] static bool everything_is_published(const sluice::application& app) {
        const auto lanes = app.status().lanes;
        return !lanes.empty() && std::ranges::all_of(lanes, [](const auto& lane) { return lane.open == 0; });
    }

    deployment here_;
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    std::shared_ptr<ledger::payment_limit> limit_ = std::make_shared<ledger::payment_limit>();
};

TEST_F(application_test, carries_what_four_threads_commit) {
    sluice::application app = make();
    app.start();
    constexpr int letters_of_a_thread = 10;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&app, thread] {
                sluice::context in = app.context();
                for (int i = 0; i < letters_of_a_thread; ++i) {
                    const auto id = std::to_string(thread) + "-" + std::to_string(i);
                    in.process(post::post_letter{.letter_id = id});
                }
            });
        }
    }
    sluice::context in = app.context();
    for (int thread = 0; thread < 4; ++thread) {
        for (int i = 0; i < letters_of_a_thread; ++i) {
            const auto id = std::to_string(thread) + "-" + std::to_string(i);
            EXPECT_TRUE(soon([&] { return stamps_of(in, id) == 1; })) << id << " by the handler of its event";
        }
    }
    EXPECT_TRUE(soon([&] { return everything_is_published(app); }));
    EXPECT_TRUE(app.stop());
}

TEST_F(application_test, answers_with_results_and_exceptions) {
    sluice::application app{ledger::make_domain(limit_), here_.settings()};
    app.setup();
    sluice::context in = app.context();
    EXPECT_EQ(in.process(ledger::pay_in{.account_id = "a", .amount = 5}), 5);
    EXPECT_EQ(in.process("PayIn", object{{"account_id", "a"}, {"amount", 2}}).as_int(), 7);
    EXPECT_THROW(in.process(ledger::pay_in{.account_id = "a", .amount = 1001}), ledger::too_much);
    EXPECT_THROW(in.process("PayIn", object{{"account", "a"}}), sluice::validation_error);
    EXPECT_THROW(in.process("PayOut", object{}), sluice::usage_error);
    EXPECT_EQ(in.process(ledger::pay_in{.account_id = "a", .amount = 1}), 8) << "what failed left nothing";
}

TEST_F(application_test, starts_again_after_every_stop_and_goes_on_counting) {
    sluice::application app = make();
    double counted = 0;
    for (int round = 1; round <= 3; ++round) {
        app.start();
        EXPECT_EQ(app.status().phase, sluice::application_phase::running);
        EXPECT_THROW(app.start(), sluice::usage_error);
        sluice::context in = app.context();
        const auto id = "l-" + std::to_string(round);
        in.process(post::post_letter{.letter_id = id});
        EXPECT_TRUE(soon([&] { return stamps_of(in, id) == 1; }));
        EXPECT_TRUE(app.stop(20s));
        EXPECT_EQ(app.status().phase, sluice::application_phase::stopped);
        EXPECT_GT(value_of(app, "sluice_outbox_published_total"), counted);
        counted = value_of(app, "sluice_outbox_published_total");
    }
    EXPECT_TRUE(app.stop()) << "nothing runs";
}

TEST_F(application_test, takes_commands_while_nothing_runs) {
    sluice::application app = make();
    app.setup();
    app.setup();
    sluice::context in = app.context();
    in.process(post::post_letter{.letter_id = "l-1"});
    EXPECT_EQ(stamps_of(in, "l-1"), 0);
    app.start();
    EXPECT_TRUE(soon([&] { return stamps_of(in, "l-1") == 1; }));
    ASSERT_TRUE(app.stop());
    in.process(post::post_letter{.letter_id = "l-2"});
    EXPECT_EQ(stamps_of(in, "l-2"), 0);
}

TEST_F(application_test, may_be_moved) {
    sluice::application first = make();
    first.start();
    sluice::application second = std::move(first);
    sluice::context in = second.context();
    in.process(post::post_letter{.letter_id = "l-1"});
    EXPECT_TRUE(soon([&] { return stamps_of(in, "l-1") == 1; }));
}

TEST_F(application_test, shares_a_process_with_another_one) {
    const deployment there;
    gathered_log of_post;
    gathered_log of_ledger;
    sluice::application post_office = make({.log = of_post.sink(), .log_threshold = sluice::log_level::debug});
    sluice::application ledger{ledger::make_domain(limit_), there.settings(), {.log = of_ledger.sink()}};
    post_office.start();
    ledger.start();
    sluice::context letters = post_office.context();
    sluice::context accounts = ledger.context();
    letters.process(post::post_letter{.letter_id = "l-1"});
    EXPECT_EQ(accounts.process(ledger::pay_in{.account_id = "a", .amount = 3}), 3);
    EXPECT_TRUE(soon([&] { return stamps_of(letters, "l-1") == 1; }));
    EXPECT_TRUE(ledger.stop());
    letters.process(post::post_letter{.letter_id = "l-2"});
    EXPECT_TRUE(soon([&] { return stamps_of(letters, "l-2") == 1; })) << "the other one was stopped";
    EXPECT_TRUE(post_office.stop());

    EXPECT_THAT(of_ledger.lines(), Contains(HasSubstr("engine.started domain=ledger")));
    EXPECT_THAT(of_ledger.lines(), Contains(HasSubstr("lane.acquired")));
    EXPECT_THAT(of_ledger.lines(), Each(Not(HasSubstr("debug "))));
    EXPECT_THAT(of_ledger.lines(), Each(Not(HasSubstr("post"))));
    EXPECT_THAT(of_post.lines(), Contains(HasSubstr("debug handler.completed")));
    EXPECT_THAT(of_post.lines(), Each(Not(HasSubstr("ledger"))));
}

/// A program with a tracer of its own: it gives the trace of its request, and gets what was done for it.
TEST_F(application_test, hands_its_spans_to_a_sink) {
    std::mutex mutex;
    std::set<std::string> in_the_trace;
    const std::string trace = "0af7651916cd43dd8448eb211c80319c";
    sluice::application app = make({.spans = [&](const sluice::finished_span& span) {
        const std::lock_guard lock{mutex};
        if (span.context.trace_id == trace) in_the_trace.insert(span.name);
    }});
    app.start();
    sluice::context in = app.context();
    in.process(post::post_letter{.letter_id = "l-1"}, {.traceparent = "00-" + trace + "-b7ad6b7169203331-01"});
    EXPECT_TRUE(soon([&] {
        const std::lock_guard lock{mutex};
        return in_the_trace.contains("command PostLetter") && in_the_trace.contains("publish post::letter") &&
               in_the_trace.contains("process post::letter") && in_the_trace.contains("command StampLetter");
    }));
    EXPECT_TRUE(app.stop());
}

TEST_F(application_test, tells_how_it_is) {
    sluice::application app = make();
    EXPECT_TRUE(app.health().live);
    EXPECT_FALSE(app.health().ready);
    EXPECT_EQ(app.health().status, "unavailable");
    EXPECT_THAT(app.status().threads, IsEmpty());
    EXPECT_THAT(app.metrics_text(), HasSubstr("sluice_ready 0\n"));

    app.start();
    ASSERT_TRUE(soon([&] { return app.health().ready; }));
    const sluice::application_health health = app.health();
    EXPECT_EQ(health.status, "ok");
    ASSERT_EQ(health.brokers.size(), 2U);
    EXPECT_EQ(health.brokers.back().name, "partner");
    EXPECT_FALSE(health.brokers.back().decisive) << "a partner that is away takes nobody out of rotation";
    EXPECT_EQ(health.details.at("status").as_string(), "ok");
    EXPECT_THAT(app.metrics_text(), AllOf(HasSubstr("sluice_ready 1\n"), HasSubstr("sluice_outbox_pending")));

    ASSERT_TRUE(soon([&] {
        const auto lanes = app.status().lanes;
        return lanes.size() == 2 && std::ranges::all_of(lanes, [](const auto& lane) { return lane.state == "idle"; });
    }));
    const sluice::application_status status = app.status();
    EXPECT_FALSE(status.consumer.empty());
    EXPECT_EQ(status.lanes.back().broker, "partner");
    EXPECT_TRUE(status.lanes.back().external);
    std::set<std::string> kinds;
    for (const auto& thread : status.threads) kinds.insert(thread.kind);
    EXPECT_EQ(kinds, (std::set<std::string>{"lane", "maintenance", "schedule", "subscription"}));
    const auto& read = status.subscriptions;
    EXPECT_TRUE(std::ranges::any_of(read, [](const auto& each) { return each.stream == "abroad::parcel"; }));

    app.drain();
    EXPECT_FALSE(app.health().ready);
    EXPECT_EQ(app.status().phase, sluice::application_phase::running);
}

TEST_F(application_test, counts_handlers_in_histograms) {
    sluice::application app = make();
    app.start();
    sluice::context in = app.context();
    in.process(post::post_letter{.letter_id = "l-1"});
    ASSERT_TRUE(soon([&] { return stamps_of(in, "l-1") == 1; }));
    ASSERT_TRUE(app.stop());
    for (const sluice::metric_family& family : app.metrics()) {
        if (family.name != "sluice_handler_duration_seconds") continue;
        EXPECT_EQ(family.kind, sluice::metric_kind::histogram);
        std::uint64_t handled = 0;
        for (const sluice::metric_sample& sample : family.samples) {
            EXPECT_EQ(sample.buckets.back().count, sample.count);
            handled += sample.count;
        }
        EXPECT_EQ(handled, 1U);
        return;
    }
    FAIL() << "no histogram of handlers";
}

/// Keeps the first handler that is called until it is told to go on; later ones do not wait.
class kept_handler {
public:
    explicit kept_handler(post::script& hook) {
        hook.on_handle([shared = shared_](const std::string&) {
            std::call_once(shared->once, [&] {
                shared->entered.set_value();
                shared->released.get_future().wait();
            });
        });
    }

    void wait_until_entered() const { shared_->entered.get_future().wait(); }
    void release() const { shared_->released.set_value(); }

private:
    struct gate {
        std::once_flag once;
        std::promise<void> entered;
        std::promise<void> released;
    };
    std::shared_ptr<gate> shared_ = std::make_shared<gate>();
};

TEST_F(application_test, says_when_a_handler_does_not_return_and_waits_again) {
    const kept_handler handler{*hook_};
    sluice::application app = make();
    app.start();
    app.context().process(post::post_letter{.letter_id = "l-1"});
    handler.wait_until_entered();

    EXPECT_FALSE(app.stop(10ms));
    EXPECT_FALSE(app.health().live);
    EXPECT_EQ(app.status().phase, sluice::application_phase::stopping);
    EXPECT_THROW(app.start(), sluice::usage_error);
    handler.release();
    EXPECT_TRUE(app.stop(20s));
    EXPECT_TRUE(app.health().live);
    app.start();
    EXPECT_TRUE(app.stop(20s));
}

TEST_F(application_test, answers_questions_while_it_is_being_stopped) {
    const kept_handler handler{*hook_};
    sluice::application app = make();
    app.start();
    app.context().process(post::post_letter{.letter_id = "l-1"});
    handler.wait_until_entered();
    auto stopped = std::async(std::launch::async, [&app] { return app.stop(40s); });
    EXPECT_TRUE(soon([&] { return app.status().phase == sluice::application_phase::stopping; }));
    EXPECT_FALSE(app.health().ready);
    EXPECT_THAT(app.metrics_text(), HasSubstr("sluice_ready 0\n"));
    handler.release();
    EXPECT_TRUE(stopped.get());
}

#ifdef SLUICE_WITH_BROKER_REDIS
/// Takes connections and never says a word.
class silent_server {
public:
    silent_server() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        // The sockets interface wants these casts.
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_, generic, size) != 0 || ::listen(socket_, 64) != 0 ||
            ::getsockname(socket_, generic, &size) != 0) {
            throw std::runtime_error{"no silent server"};
        }
        port_ = ntohs(address.sin_port);
    }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;
    ~silent_server() { ::close(socket_); }

    [[nodiscard]] std::string port() const { return std::to_string(port_); }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

TEST_F(application_test, stops_in_time_although_a_broker_hangs) {
    const silent_server partner;
    here_.partner = object{{"provider", "redis"}, {"URI", "redis://127.0.0.1:" + partner.port()}};
    sluice::application app = make();
    app.start();
    sluice::context in = app.context();
    in.process(post::post_letter{.letter_id = "l-1"});
    ASSERT_TRUE(soon([&] { return stamps_of(in, "l-1") == 1; })) << "inside all goes on";
    ASSERT_TRUE(soon([&] {
        const auto lanes = app.status().lanes;
        return lanes.size() == 2 && lanes.back().open == 1;
    }));
    const auto begin = steady::now();
    EXPECT_TRUE(app.stop(10s));
    EXPECT_LT(steady::now() - begin, 10s);
}
#endif

TEST_F(application_test, writes_nothing_to_the_outputs_of_the_program) {
    here_.partner = sqlite_at("URI", "no/such/directory/partner.db");  // something to complain about
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    {
        sluice::application app = make();
        app.start();
        app.context().process(post::post_letter{.letter_id = "l-1"});
        EXPECT_TRUE(soon([&] {
            const auto lanes = app.status().lanes;
            return lanes.size() == 2 && lanes.back().open == 1 && !lanes.back().detail.empty();
        }));
        EXPECT_THROW(app.context().process("Nonsense", object{}), sluice::usage_error);
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

/// The signals that a thread of this process blocks, as the kernel shows them.
std::uint64_t blocked_by(const std::filesystem::path& task) {
    std::ifstream status{task / "status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigBlk:")) return std::stoull(line.substr(7), nullptr, 16);
    }
    return ~std::uint64_t{0};  // it has ended
}

std::set<std::string> tasks() {
    std::set<std::string> all;
    for (const auto& each : std::filesystem::directory_iterator{"/proc/self/task"}) all.insert(each.path().string());
    return all;
}

TEST_F(application_test, leaves_the_signals_of_the_program_alone) {
    const std::array<int, 4> signals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    std::vector<struct sigaction> before(signals.size());
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals.at(i), nullptr, &before[i]);
    const std::uint64_t blocked_here = blocked_by("/proc/thread-self");
    const std::set<std::string> tasks_before = tasks();

    sluice::application app = make();
    app.start();
    std::set<std::string> begun;
    std::ranges::set_difference(tasks(), tasks_before, std::inserter(begun, begun.end()));
    EXPECT_GE(begun.size(), 5U) << "two lanes, subscriptions, schedule, maintenance";
    for (const std::string& each : begun) {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM}) {
            EXPECT_NE(blocked_by(each) & (std::uint64_t{1} << (signal - 1)), 0U) << signal;
        }
    }
    EXPECT_EQ(blocked_by("/proc/thread-self"), blocked_here);
    EXPECT_TRUE(app.stop());
    for (std::size_t i = 0; i < signals.size(); ++i) {
        struct sigaction now {};
        ::sigaction(signals.at(i), nullptr, &now);
        EXPECT_EQ(now.sa_handler, before[i].sa_handler) << signals.at(i);
    }
}

TEST_F(application_test, works_though_its_sink_throws) {
    std::atomic<int> lines = 0;
    sluice::application app = make({.log = [&](const sluice::log_record&) {
        ++lines;
        throw std::runtime_error{"the disk is full"};
    }});
    app.start();
    sluice::context in = app.context();
    in.process(post::post_letter{.letter_id = "l-1"});
    EXPECT_TRUE(soon([&] { return stamps_of(in, "l-1") == 1; }));
    EXPECT_GT(lines, 0);
}

TEST_F(application_test, takes_the_clock_that_it_is_given) {
    const auto clock = std::make_shared<post::moved_clock>();
    clock->advance(sluice::duration{1'800'000'000'000'000});
    sluice::application app = make({.clock = clock});
    EXPECT_EQ(app.context().now(), clock->now());
}

TEST_F(application_test, warns_of_what_is_no_mistake) {
    const sluice::application app{
        post::make_domain(hook_),
        sluice::settings::from_values({{"databases", object{{"default", object{{"provider", "memory"}}}}},
                                       {"brokers", object{{"default", object{{"provider", "inline"}}}}}})};
    const auto& warnings = app.warnings();
    ASSERT_FALSE(warnings.empty());
    EXPECT_TRUE(
        std::ranges::any_of(warnings, [](const auto& each) { return each.code == "PUBLISHED_NO_EXTERNAL_BROKER"; }));
}

std::string complaint_about(const sluice::settings& given, sluice::domain declared) {
    try {
        const sluice::application app{std::move(declared), given};
    } catch (const sluice::configuration_error& e) {
        return e.what();
    }
    return {};
}

TEST_F(application_test, names_everything_that_is_wrong_in_the_settings) {
    const auto from_values = complaint_about(
        sluice::settings::from_values({{"outbox", object{{"broker", "defualt"}}}, {"severs", object{}}}),
        post::make_domain(hook_));
    EXPECT_THAT(from_values, AllOf(HasSubstr("settings"), HasSubstr("outbox.broker"), HasSubstr("severs")));
    const auto from_text = complaint_about(sluice::settings::from_text("[outbox]\nbroker = 'defualt'\nnumber = 3\n"),
                                           post::make_domain(hook_));
    EXPECT_THAT(from_text, AllOf(HasSubstr("settings:2: outbox.broker"), HasSubstr("outbox.number")));
    const auto from_file =
        complaint_about(sluice::settings::from_file(here_.directory / "none.toml"), post::make_domain(hook_));
    EXPECT_THAT(from_file, HasSubstr("none.toml"));
}

TEST_F(application_test, refuses_to_start_on_the_database_of_another_domain) {
    make().setup();
    sluice::application other{ledger::make_domain(limit_), here_.settings()};
    EXPECT_THROW(other.start(), sluice::store_error);
    EXPECT_EQ(other.status().phase, sluice::application_phase::stopped);
    EXPECT_TRUE(other.stop());
}

}  // namespace
