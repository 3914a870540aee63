#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "integration/http/service.hpp"

// `sluice server --workers N`.
namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class workers : public tiny_service {
protected:
    void start(int count) {
        parent_.emplace(std::vector<std::string>{"server", "--workers", std::to_string(count)}, settings());
        ASSERT_TRUE(soon([&] { return ready() == count; })) << get("/readyz").body;
    }
    [[nodiscard]] json::value block() const { return get("/readyz").json().at("checks").at("workers"); }
    [[nodiscard]] std::int64_t ready() const {
        const http_response answer = get("/readyz");
        return answer.status == 0 ? 0 : answer.json().at("checks").at("workers").at("ready").as_int();
    }
    [[nodiscard]] pid_t pid_of(int worker) const {
        const json::value pid = block().at("details").at(static_cast<std::size_t>(worker) - 1).at("pid");
        return pid.is_null() ? 0 : static_cast<pid_t>(pid.as_int());
    }
    /// Nobody is left of these; whoever adopts orphans has buried them.
    [[nodiscard]] static bool all_gone(const std::set<pid_t>& pids) {
        return soon([&] {
            return std::all_of(pids.begin(), pids.end(), [](pid_t pid) {
                std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
                std::string text;
                return !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
            });
        });
    }

    /// `socket:[4711]`
    [[nodiscard]] static std::set<std::string> sockets_of(pid_t pid) {
        std::set<std::string> sockets;
        for (const auto& each : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/fd"}) {
            std::error_code closed_meanwhile;
            const std::string target = std::filesystem::read_symlink(each.path(), closed_meanwhile).string();
            if (target.starts_with("socket:")) sockets.insert(target);
        }
        return sockets;
    }

    std::optional<running_program> parent_;
};

TEST_F(workers, run_side_by_side_each_with_probes_of_its_own) {
    start(2);
    EXPECT_EQ(get("/readyz").json().at("status").as_string(), "ok");
    EXPECT_EQ(block().at("total").as_int(), 2);
    for (const int worker : {1, 2}) {
        EXPECT_TRUE(soon([&] { return get("/readyz", worker).status == 200; })) << get("/readyz", worker).body;
    }
    EXPECT_THAT(get("/metrics").body, AllOf(HasSubstr("sluice_worker_up{worker=\"1\"} 1\n"),
                                            HasSubstr("sluice_worker_up{worker=\"2\"} 1\n")));
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/else").status, 404);

    create_counter("c-1");
    EXPECT_TRUE(soon([&] {
        const auto published = [&](int worker) {
            return get("/metrics", worker)
                       .body.find(R"(sluice_outbox_published_total{broker="partner",database="default",)"
                                  R"(domain="tiny",external="true"} 1)") != std::string::npos;
        };
        return published(1) || published(2);
    })) << "one of them carries it";
}

TEST_F(workers, one_that_is_killed_is_started_again_and_the_service_stays_ready) {
    start(2);
    const pid_t before = pid_of(1);
    const pid_t other = pid_of(2);
    ASSERT_EQ(kill(before, SIGKILL), 0);
    ASSERT_TRUE(soon([&] { return ready() == 1; }));
    EXPECT_EQ(get("/readyz").status, 200);
    ASSERT_TRUE(soon([&] { return ready() == 2; }));
    EXPECT_NE(pid_of(1), before);
    EXPECT_EQ(pid_of(2), other);
    EXPECT_EQ(block().at("details").at(0).at("restarts").as_int(), 1);
    parent_->signal(SIGTERM);
    const program_result result = parent_->finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, HasSubstr("supervisor.worker_ended worker=1 pid=" + std::to_string(before) +
                                      " by=\"signal 9\" again_in=1000ms"));
}

TEST_F(workers, all_drain_and_end_on_a_signal) {
    start(3);
    const std::set<pid_t> pids{pid_of(1), pid_of(2), pid_of(3)};
    parent_->signal(SIGTERM);
    const program_result result = parent_->finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_TRUE(all_gone(pids));
    EXPECT_THAT(result.err, AllOf(HasSubstr("supervisor.stopped exit_code=0"), Not(HasSubstr("killed"))));
    std::size_t drained = 0;
    for (auto at = result.err.find("engine.stopped in_time=yes"); at != std::string::npos; ++drained) {
        at = result.err.find("engine.stopped in_time=yes", at + 1);
    }
    EXPECT_EQ(drained, 3U);
}

TEST_F(workers, the_parent_is_not_ready_while_they_drain) {
    configure_server("health.drain_delay_seconds = 3\n");
    start(1);
    parent_->signal(SIGINT);
    ASSERT_TRUE(soon([&] { return get("/readyz").status == 503; }));
    EXPECT_TRUE(get("/readyz").json().at("checks").at("shutting_down").as_bool());
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(parent_->finish().code, 0);
}

TEST_F(workers, take_a_new_configuration_over_one_after_the_other) {
    start(2);
    configure_server("shutdown_seconds = 9\n");
    parent_->signal(SIGHUP);
    ASSERT_TRUE(parent_->wait_for_text("server.reloaded", 2));
    EXPECT_EQ(ready(), 2);
    parent_->signal(SIGTERM);
    const program_result result = parent_->finish();
    EXPECT_EQ(result.code, 0);
    const auto first = result.err.find("server.reloaded");
    EXPECT_LT(result.err.find("engine.stopped"), first);
    EXPECT_GT(result.err.find("engine.stopped", result.err.find("engine.stopped") + 1), first)
        << "the second gave its work up before the first was back";
}

TEST_F(workers, keep_what_they_have_when_the_first_cannot_take_a_configuration_over) {
    start(2);
    configure_server("shutdown_seconds = -1\n");
    parent_->signal(SIGHUP);
    ASSERT_TRUE(parent_->wait_for_text("left_alone=1"));
    configure_server("");
    EXPECT_EQ(ready(), 2);
    parent_->signal(SIGHUP);
    ASSERT_TRUE(parent_->wait_for_text("server.reloaded", 2));
    parent_->signal(SIGTERM);
    const program_result result = parent_->finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.err.find(" server.not_reloaded"), result.err.rfind(" server.not_reloaded")) << "the first alone";
}

TEST_F(workers, one_that_does_not_end_is_killed) {
    configure_server("shutdown_seconds = 1\n");
    start(2);
    const pid_t frozen = pid_of(1);
    kill(frozen, SIGSTOP);
    parent_->signal(SIGTERM);
    const program_result result = parent_->finish();
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("supervisor.worker_killed pid=" + std::to_string(frozen)));
    EXPECT_TRUE(all_gone({frozen}));
}

TEST_F(workers, leave_no_orphan_when_their_parent_is_killed) {
    start(2);
    const std::set<pid_t> pids{pid_of(1), pid_of(2)};
    parent_.reset();  // SIGKILL
    EXPECT_TRUE(all_gone(pids));
    EXPECT_EQ(get("/healthz", 1).status, 0);
}

TEST_F(workers, inherit_nothing_of_their_parent) {
    start(2);
    for (const int worker : {1, 2}) {
        // Its own listening socket, and those of the engine, are other sockets than the parent's.
        for (const std::string& socket : sockets_of(parent_->pid())) {
            EXPECT_THAT(sockets_of(pid_of(worker)), Not(Contains(socket))) << worker;
        }
    }
    EXPECT_THAT(sockets_of(parent_->pid()), Not(IsEmpty()));
}

TEST_F(workers, can_be_started_again_while_those_of_a_killed_parent_drain) {
    configure_server("health.drain_delay_seconds = 3\n");
    start(2);
    const std::set<pid_t> old{pid_of(1), pid_of(2)};
    parent_.reset();  // SIGKILL
    ASSERT_TRUE(soon([&] { return get("/readyz", 1).status == 503; })) << "a worker drains, and has its port";
    start(2);
    EXPECT_TRUE(all_gone(old));
}

TEST_F(workers, a_second_signal_ends_everything_at_once) {
    configure_server("health.drain_delay_seconds = 60\n");
    start(2);
    const std::set<pid_t> pids{pid_of(1), pid_of(2)};
    parent_->signal(SIGTERM);
    ASSERT_TRUE(parent_->wait_for_text("server.stopping"));
    std::this_thread::sleep_for(std::chrono::milliseconds{300});  // later than an echo of the first
    parent_->signal(SIGTERM);
    EXPECT_EQ(parent_->finish().code, 128 + SIGTERM);
    EXPECT_TRUE(all_gone(pids));
}

TEST_F(workers, what_can_never_work_is_refused_instead_of_tried_for_ever) {
    const program_result none = run_sluice({"server", "--workers", "0"}, settings());
    EXPECT_EQ(none.code, 2);
    EXPECT_THAT(none.err, HasSubstr("--workers: must be >= 1"));
    EXPECT_THAT(run_sluice({"server", "--workers", "65"}, settings()).err, HasSubstr("must be <= 64"));

    program_settings no_domain = settings();
    no_domain.environment["SLUICE_DOMAIN"] = "./nowhere.so";
    const program_result refused = run_sluice({"server", "--workers", "2"}, no_domain);
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("./nowhere.so"));

    std::ofstream{directory_ / "domain.toml"} << "[databases.default]\nprovider = \"memory\"\n[brokers.default]\n"
                                                 "provider = \"inline\"\n";
    const program_result memory = run_sluice({"server", "--workers", "2"}, settings());
    EXPECT_EQ(memory.code, 3);
    EXPECT_THAT(memory.err, HasSubstr("databases.default is in memory"));
}

}  // namespace
}  // namespace sluice::testing
