#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include "base/unique_fd.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/command_line.hpp"

// A server below a service manager: what it tells, and what it does when it is told to read its configuration again.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::program_result;

/// The socket on which systemd listens to a service.
class manager_socket {
public:
    explicit manager_socket(const std::filesystem::path& at) : fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, at.c_str(), sizeof address.sun_path - 1);
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::system_error{errno, std::generic_category(), at.string()};
        }
    }

    /// The next message that has the text; what comes before it is passed over. Empty after a minute without it.
    [[nodiscard]] std::string wait_for(const std::string& text) const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes{1};
        while (std::chrono::steady_clock::now() < until) {
            std::string message = next(std::chrono::seconds{1});
            if (message.find(text) != std::string::npos) return message;
        }
        return {};
    }

    [[nodiscard]] bool has_message() const { return !next(std::chrono::milliseconds{0}).empty(); }

    /// Whether nothing comes for so long, once what has come is read.
    [[nodiscard]] bool is_silent_for(std::chrono::milliseconds time) const {
        while (has_message()) continue;
        return next(time).empty();
    }

private:
    [[nodiscard]] std::string next(std::chrono::milliseconds patience) const {
        pollfd waited{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&waited, 1, static_cast<int>(patience.count())) <= 0) return {};
        std::array<char, 4096> buffer{};
        const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
        return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string{};
    }

    base::unique_fd fd_;
};

class served : public command_line {
protected:
    [[nodiscard]] testing::program_settings managed(const std::string& watchdog_micros = {}) const {
        auto all = settings();
        all.environment["NOTIFY_SOCKET"] = (directory_ / "notify").string();
        if (!watchdog_micros.empty()) all.environment["WATCHDOG_USEC"] = watchdog_micros;
        return all;
    }
    [[nodiscard]] std::size_t published_to(const char* file) const {
        const auto broker = broker::make_sqlite_broker({.path = directory_ / file});
        return broker->open_operations()->newest_ids("tiny::counter", 100).size();
    }
    static void stop(testing::running_program& server) {
        server.signal(SIGTERM);
        const program_result result = server.finish();
        EXPECT_EQ(result.code, 0) << result.err;
    }

    /// Room for a machine that is busy with other tests.
    static bool says(testing::running_program& server, const std::string& text) {
        return server.wait_for_text(text) || server.wait_for_text(text) || server.wait_for_text(text);
    }
};

TEST_F(served, tells_its_manager_that_it_is_ready_lives_and_stops) {
    const manager_socket manager{directory_ / "notify"};
    testing::running_program server{{"server"}, managed("600000")};
    EXPECT_THAT(manager.wait_for("READY=1"), AllOf(HasSubstr("STATUS=Running "), HasSubstr("WATCHDOG_USEC=600000")));
    EXPECT_TRUE(says(server, "server.ready"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.wait_for("WATCHDOG=1"), "WATCHDOG=1");
    server.signal(SIGTERM);
    EXPECT_THAT(manager.wait_for("STOPPING=1"), HasSubstr("STATUS="));
    EXPECT_EQ(server.finish().code, 0);
}

constexpr const char* often = "200000";  // microseconds between two signs of life at most; a step may take two seconds

TEST_F(served, a_lane_that_hangs_silences_the_watchdog_until_it_goes_on) {
    const manager_socket manager{directory_ / "notify"};
    auto trapped = managed(often);
    const auto trap = directory_ / "trap";
    trapped.environment["TINY_TRAP"] = trap.string();
    std::ofstream{trap} << "held";
    testing::running_program server{{"server"}, trapped};
    ASSERT_TRUE(says(server, "server.ready"));
    create_counter("c-1");
    {
        // The server waits for a manager that does not read.
        const std::jthread reads{[&](const std::stop_token& stop) {
            while (!stop.stop_requested()) static_cast<void>(manager.is_silent_for(std::chrono::milliseconds{10}));
        }};
        ASSERT_TRUE(says(server, "server.lane_hangs lane=default:partner"));
    }
    EXPECT_TRUE(manager.is_silent_for(std::chrono::seconds{2}));
    std::filesystem::remove(trap);
    EXPECT_EQ(manager.wait_for("WATCHDOG=1"), "WATCHDOG=1");
    stop(server);
}

TEST_F(served, lanes_that_rest_wait_or_work_are_no_hanging_ones) {
    const manager_socket manager{directory_ / "notify"};
    std::filesystem::remove_all(directory_ / "partner");  // its lane is paused, and tries again and again
    testing::running_program server{{"server"}, managed(often)};
    ASSERT_TRUE(says(server, "server.ready"));
    create_counter("c-1");
    ASSERT_TRUE(eventually([&] { return partner_lane().at("state").as_string() == "paused"; }));
    const auto lives_on = [&] {  // for several times longer than a step may take
        constexpr int signs = 100;
        for (int i = 0; i < signs; ++i) {
            if (manager.wait_for("WATCHDOG=1").empty()) return false;
        }
        return true;
    };
    EXPECT_TRUE(lives_on()) << "the partner is away";
    std::filesystem::create_directory(directory_ / "partner");
    ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    EXPECT_TRUE(lives_on()) << "there is nothing to do";
    ASSERT_EQ(sluice({"lanes", "pause", "partner", "--reason=moving"}).code, 0);
    EXPECT_TRUE(lives_on()) << "an operator has paused it";
    stop(server);
}

TEST_F(served, is_not_ready_when_it_cannot_start) {
    const manager_socket manager{directory_ / "notify"};
    configure("nonsense");
    EXPECT_EQ(testing::run_sluice({"server"}, managed()).code, 3);
    EXPECT_FALSE(manager.has_message()) << "it has ended, so nothing more comes";
}

TEST_F(served, takes_another_level_of_its_log_without_touching_the_engine) {
    const manager_socket manager{directory_ / "notify"};
    testing::running_program server{{"server"}, managed()};
    ASSERT_TRUE(says(server, "server.ready"));
    create_counter("c-1");
    ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    EXPECT_FALSE(server.has_text("outbox.external_published"));
    configure(usual + "[log]\nlevel = \"debug\"\n");
    server.signal(SIGHUP);
    EXPECT_THAT(manager.wait_for("RELOADING=1"), HasSubstr("MONOTONIC_USEC="));
    EXPECT_NE(manager.wait_for("READY=1"), "");
    EXPECT_TRUE(says(server, "server.reloaded"));
    EXPECT_TRUE(says(server, "log_level=debug engine=kept"));
    create_counter("c-2");
    EXPECT_TRUE(says(server, "outbox.external_published"));
    stop(server);
}

TEST_F(served, works_with_another_address_after_a_reload_in_the_same_process) {
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(says(server, "server.ready"));
    create_counter("c-1");
    ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    std::string moved = usual;
    moved.replace(moved.find("partner/events.db"), std::string{"partner/events.db"}.size(), "partner/other.db");
    configure(moved);
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "engine=replaced"));
    create_counter("c-2");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 2; }));
    EXPECT_EQ(published_to("partner/other.db"), 1U);
    EXPECT_EQ(published_to("partner/events.db"), 1U);
    stop(server);
}

TEST_F(served, goes_on_as_before_when_the_new_configuration_is_wrong) {
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(says(server, "server.ready"));
    configure(usual + "[outbox.retry]\nmax_attempts = -1\n");
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "server.not_reloaded"));
    ASSERT_TRUE(says(server, "outbox.retry.max_attempts"));
    configure(usual);
    create_counter("c-1");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    stop(server);
}

TEST_F(served, all_workers_read_their_configuration_again) {
    const manager_socket manager{directory_ / "notify"};
    testing::running_program server{{"server", "--workers", "2"}, managed("900000")};
    EXPECT_THAT(manager.wait_for("READY=1"), HasSubstr("STATUS=Running 2 workers"));
    EXPECT_EQ(manager.wait_for("WATCHDOG=1"), "WATCHDOG=1");
    configure(usual + "[log]\nlevel = \"debug\"\n");
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "supervisor.reloading workers=2"));
    EXPECT_TRUE(server.wait_for_text("server.reloaded", 2)) << "the other worker, too";
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(served, ends_in_order_when_its_terminal_goes_and_reads_its_configuration_when_it_is_asked_there) {
    auto on_terminal = settings();
    on_terminal.on_terminal = true;
    testing::running_program server{{"server"}, on_terminal};
    ASSERT_TRUE(says(server, "server.ready"));
    server.signal(SIGHUP);
    ASSERT_TRUE(says(server, "server.reloaded"));
    server.close_input();
    server.close_output();
    ASSERT_TRUE(server.ends_unread());
    EXPECT_EQ(server.finish().code, 0);
    EXPECT_EQ(partner_lane().at("state").as_string(), "stopped");
}

}  // namespace
}  // namespace sluice
