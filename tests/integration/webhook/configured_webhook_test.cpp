// The real program, with a configuration that names an endpoint: nothing else is needed for an event to leave, and to
// be received.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>

#include <sluice/json.hpp>

#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/tiny_project.hpp"
#include "integration/webhook/webhook_fixture.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using sluice::testing::eventually;
using sluice::testing::http_endpoint;
using sluice::testing::http_request;
using sluice::testing::reply_with;
using sluice::testing::run_sluice;
using sluice::testing::running_program;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

class configured_webhook : public sluice::testing::tiny_project {
protected:
    /// @param partner  lines of [brokers.partner]
    [[nodiscard]] static std::string configuration(const std::string& partner, const std::string& more = {}) {
        return "[databases.default]\nprovider = \"sqlite\"\ndatabase_uri = \"sqlite:///tiny.db\"\n"
               "[brokers.default]\nprovider = \"sqlite\"\nURI = \"default.db\"\n"
               "[brokers.partner]\nprovider = \"webhook\"\n" +
               partner +
               "[brokers.elsewhere]\nprovider = \"sqlite\"\nURI = \"elsewhere.db\"\n"
               "[outbox]\nexternal_brokers = [\"partner\", \"elsewhere\"]\nmax_probe_interval_seconds = 1\n" +
               more + "[server.health]\nenabled = false\n";
    }
    [[nodiscard]] static std::string post_to(const http_endpoint& endpoint) {
        return fmt::format("URI = \"{}\"\nsecrets = \"${{WEBHOOK_SECRET}}\"\nallow_private = true\n", endpoint.uri());
    }
    [[nodiscard]] sluice::testing::program_settings with_secret() const {
        auto with = settings();
        with.environment["WEBHOOK_SECRET"] = test_secret;
        return with;
    }
    void create(const std::string& id) const {
        ASSERT_EQ(run_sluice({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}, with_secret()).code, 0);
    }
};

http_endpoint::handler fine() {
    return [](const http_request&, const std::stop_token&) { return reply_with(200); };
}

TEST_F(configured_webhook, carries_a_published_event_and_shows_no_secret) {
    http_endpoint partner{fine()};
    configure(configuration(post_to(partner)));
    create("c-1");
    const auto checked = run_sluice({"check"}, with_secret());
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    running_program server{{"server"}, with_secret()};
    ASSERT_TRUE(eventually([&] { return !partner.requests().empty(); }));
    const auto got = partner.requests()[0];
    EXPECT_EQ(json::parse(got.body).at("data").at("counter_id").as_string(), "c-1");
    EXPECT_THAT(got.headers, IsSupersetOf({Key("webhook-signature"), Key("sluice-key"), Key("content-type")}));
    EXPECT_THAT(got.headers.at("webhook-id"), HasSubstr("tiny::counter-c-1-"));
    server.signal(SIGTERM);
    const auto ended = server.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto status = run_sluice({"status"}, with_secret());
    const auto shown = run_sluice({"config", "show"}, with_secret());
    EXPECT_THAT(shown.out, HasSubstr("secrets")) << shown.err;
    for (const std::string& each : {checked.out, checked.err, ended.out, ended.err, status.out, shown.out}) {
        EXPECT_THAT(each, Not(HasSubstr("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")));
    }
}

TEST_F(configured_webhook, carries_cloudevents_in_both_modes) {
    http_endpoint partner{fine()};
    for (const char* format : {"cloudevents-binary", "cloudevents-structured"}) {
        configure(configuration(post_to(partner), fmt::format("[outbox.lanes.partner]\nformat = \"{}\"\n"
                                                              "source = \"/tiny\"\n[server]\n",
                                                              format)));
        const std::size_t before = partner.requests().size();
        create(fmt::format("c-{}", before));
        running_program server{{"server"}, with_secret()};
        ASSERT_TRUE(eventually([&] { return partner.requests().size() > before; })) << format;
        server.signal(SIGTERM);
        EXPECT_EQ(server.finish().code, 0);
    }
    const auto requests = partner.requests();
    ASSERT_THAT(requests, SizeIs(2));
    EXPECT_EQ(requests[0].headers.at("ce-specversion"), "1.0");
    EXPECT_THAT(requests[0].headers, IsSupersetOf({Key("ce-id"), Key("ce-type"), Key("ce-source"), Key("ce-time")}));
    EXPECT_THAT(requests[0].headers, Not(::testing::Contains(Key("ce-datacontenttype"))));
    EXPECT_THAT(requests[0].headers.at("content-type"), HasSubstr("application/json"));
    EXPECT_EQ(json::parse(requests[0].body).at("counter_id").as_string(), "c-0");
    EXPECT_THAT(requests[1].headers.at("content-type"), HasSubstr("application/cloudevents+json"));
    EXPECT_EQ(json::parse(requests[1].body).at("specversion").as_string(), "1.0");
}

TEST_F(configured_webhook, pauses_its_lane_visibly_while_the_endpoint_does_not_want_us_and_loses_nothing) {
    std::atomic<bool> is_gone = true;
    std::mutex mutex;
    std::set<std::string> taken;
    http_endpoint partner{[&](const http_request& request, const std::stop_token&) {
        if (is_gone) return reply_with(410);
        const std::lock_guard lock{mutex};
        taken.insert(request.headers.at("sluice-key"));
        return reply_with(200);
    }};
    configure(configuration(post_to(partner)));
    for (const char* id : {"c-1", "c-2", "c-3"}) create(id);
    running_program server{{"server"}, with_secret()};
    ASSERT_TRUE(eventually([&] { return partner.requests().size() >= 9; })) << "it is asked again and again";
    EXPECT_THAT(run_sluice({"status"}, with_secret()).out, AllOf(HasSubstr("410"), HasSubstr("external_brokers")));
    is_gone = false;
    EXPECT_TRUE(eventually([&] {
        const std::lock_guard lock{mutex};
        return taken.size() == 3;
    })) << "no row was abandoned meanwhile";
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

/// The same program elsewhere, whose handler reads stream other::thing of broker `elsewhere`, and likes nothing.
class two_webhooks : public configured_webhook {
protected:
    void configure_receiver(std::uint16_t port) const {
        std::filesystem::create_directory(directory_ / "receiver");
        std::ofstream{directory_ / "receiver" / "domain.toml"} << fmt::format(
            "[databases.default]\nprovider = \"sqlite\"\ndatabase_uri = \"sqlite:///tiny.db\"\n"
            "[brokers.default]\nprovider = \"sqlite\"\nURI = \"default.db\"\n"
            "[brokers.elsewhere]\nprovider = \"webhook\"\nlisten = \"127.0.0.1:{}\"\nstream = \"other::thing\"\n"
            "inbox_file = \"inbox.db\"\nsecrets = \"${{WEBHOOK_SECRET}}\"\n[server.health]\nenabled = false\n",
            port);
    }
    /// @param partner  further lines of [brokers.partner] of the sender
    /// @param more     lines below its [outbox]
    void configure_both(const std::string& partner = {}, const std::string& more = {}) const {
        const std::uint16_t port = sluice::testing::free_port();
        configure_receiver(port);
        configure(configuration(fmt::format("URI = \"http://127.0.0.1:{}/\"\nsecrets = \"${{WEBHOOK_SECRET}}\"\n"
                                            "allow_private = true\n{}",
                                            port, partner),
                                more));
    }
    [[nodiscard]] sluice::testing::program_settings receiver() const {
        auto there = with_secret();
        there.directory = directory_ / "receiver";
        return there;
    }
};

TEST_F(two_webhooks, speak_to_each_other) {
    configure_both();
    const auto checked = run_sluice({"check"}, receiver());
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    running_program there{{"server"}, receiver()};
    ASSERT_TRUE(there.wait_for_text("webhook.listening"));
    create("c-1");
    running_program here{{"server"}, with_secret()};
    EXPECT_TRUE(there.wait_for_text("do not like tiny::counter-c-1-")) << "the handler got it";
    here.signal(SIGTERM);
    EXPECT_EQ(here.finish().code, 0);
    const auto status = run_sluice({"status"}, receiver());
    EXPECT_THAT(status.out, HasSubstr("other::thing"));
    there.signal(SIGTERM);
    const auto ended = there.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
}

/// A process that opens and closes a database file beside SQLite has no locks on it any more, and the next that closes
/// its connection removes the log under the others.
TEST_F(two_webhooks, keep_the_locks_of_the_inbox_whatever_is_read_beside_it) {
    configure_both();
    running_program there{{"server"}, receiver()};
    ASSERT_TRUE(there.wait_for_text("webhook.listening"));
    create("c-1");
    running_program here{{"server"}, with_secret()};
    EXPECT_TRUE(there.wait_for_text("do not like tiny::counter-c-1-"));
    there.signal(SIGHUP);
    ASSERT_TRUE(there.wait_for_text("engine=kept")) << "what came in is no change of the configuration";
    const auto inbox = directory_ / "receiver" / "inbox.db";
    EXPECT_EQ(make_sqlite_broker({.path = inbox})->open_operations()->newest_ids("other::thing", 10).size(), 1U);
    EXPECT_TRUE(std::filesystem::exists(inbox.string() + "-wal")) << "the one who looked was not the last";
}

TEST_F(two_webhooks, lose_and_double_nothing_while_the_receiver_is_killed_again_and_again) {
    constexpr std::size_t count = 20;
    configure_both("connections = 2\n", "[outbox.lanes.partner]\nrate_limit = 5\n[server]\n");
    for (std::size_t i = 0; i < count; ++i) create(fmt::format("c-{}", i));
    const auto inbox = make_sqlite_broker({.path = directory_ / "receiver" / "inbox.db"});
    // Each look opens and closes the file, as `sluice status` does.
    const auto received = [&] { return inbox->open_operations()->newest_ids("other::thing", 10 * count); };
    running_program here{{"server"}, with_secret()};
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random{seed};
    const auto give_up = std::chrono::steady_clock::now() + 100s;
    int kills = 0;
    while (received().size() < count && std::chrono::steady_clock::now() < give_up) {
        running_program there{{"server"}, receiver()};
        const auto before = received().size();
        static_cast<void>(eventually([&] { return received().size() >= std::min(count, before + 3); }, 20s));
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 50});
        there.signal(SIGKILL);
        ++kills;
    }
    EXPECT_GE(kills, 3);
    here.signal(SIGTERM);
    EXPECT_EQ(here.finish().code, 0);
    const auto ids = received();
    EXPECT_EQ(ids.size(), count);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), count);
}

}  // namespace
}  // namespace sluice::broker
