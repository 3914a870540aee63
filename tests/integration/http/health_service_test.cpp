#include "http/health_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "broker/inline/inline_broker.hpp"
#include "command/invocation.hpp"
#include "integration/http/http_client.hpp"
#include "store/memory/memory_database.hpp"
#include "support/eventually.hpp"
#include "support/forwarding_store.hpp"
#include "support/post_office.hpp"
#include "support/scripted_broker.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using sluice::testing::http_get;
using sluice::testing::http_response;
using steady = std::chrono::steady_clock;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

/// A database whose operators' sessions break, or keep who asks waiting.
class moody_database final : public testing::forwarding_database {
public:
    using forwarding_database::forwarding_database;

    [[nodiscard]] std::unique_ptr<store::operations_session> open_operations() override {
        if (gone) throw store_error{"the database is gone", error_nature::retryable};
        return forwarding_database::open_operations();
    }

    std::atomic<bool> gone{false};
};

class health_service_test : public ::testing::Test {
protected:
    health_service_test() {
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.max_probe_interval_seconds = 0.1;
        configuration_.server.shutdown_seconds = 1;
        configuration_.server.health.port = 0;
        configuration_.outbox.retry.max_attempts = 1;
        database_->setup();
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        const auto add = [&](const char* name, const auto& script) {
            parts.brokers.emplace(
                name, std::make_shared<sluice::testing::scripted_broker>(broker::make_inline_broker(name), script));
        };
        add("default", inner_);
        add("partner", partner_);
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                     base::system_random());
        engine_ = std::make_unique<engine::engine>(*env_);
        health_ = std::make_unique<health_service>(*env_, health_options{.timing = {.interval = 10ms, .patience = 1s}});
    }

    void start() {
        engine_->start();
        health_->watch(*engine_);
        ASSERT_TRUE(soon([&] { return readyz().status == 200; }));
    }
    void post(const std::string& letter_id) {
        auto in = command::make_context(*env_);
        in.process(post::post_letter{.letter_id = letter_id});
    }
    [[nodiscard]] http_response readyz() const { return http_get(health_->port(), "/readyz"); }
    [[nodiscard]] std::string metrics_text() const { return http_get(health_->port(), "/metrics").body; }
    [[nodiscard]] static std::string broker_word(const http_response& from, const char* name) {
        return from.json().at("checks").at("brokers").at(name).as_string();
    }
    [[nodiscard]] bool shows(const std::string& sample) const {
        return metrics_text().find("\n" + sample + "\n") != std::string::npos;
    }
    [[nodiscard]] static bool soon(const std::function<bool()>& holds) { return testing::eventually(holds); }

    config::configuration configuration_;
    std::shared_ptr<moody_database> database_ = std::make_shared<moody_database>(store::make_memory_database("post"));
    std::shared_ptr<sluice::testing::broker_script> inner_ = std::make_shared<sluice::testing::broker_script>();
    std::shared_ptr<sluice::testing::broker_script> partner_ = std::make_shared<sluice::testing::broker_script>();
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
    std::unique_ptr<commit::environment> env_;
    std::unique_ptr<engine::engine> engine_;
    std::unique_ptr<health_service> health_;
};

TEST_F(health_service_test, is_alive_at_once_and_ready_when_everything_was_seen) {
    EXPECT_EQ(http_get(health_->port(), "/healthz").body,
              R"({"status": "ok", "checks": {"event_loop": "responsive"}})");
    EXPECT_EQ(readyz().status, 503);
    start();
    EXPECT_EQ(readyz().json().at("status").as_string(), "ok");
    EXPECT_EQ(http_get(health_->port(), "/livez").status, 200);
    EXPECT_EQ(http_get(health_->port(), "/").status, 404);
    EXPECT_EQ(http_get(health_->port(), "/").body, R"({"error": "Not Found"})");
}

TEST_F(health_service_test, a_partner_that_hangs_is_shown_and_delays_no_probe) {
    start();
    partner_->hang(true);
    ASSERT_TRUE(soon([&] { return broker_word(readyz(), "partner") == "unavailable"; }));
    for (int i = 0; i < 20; ++i) {
        const auto begin = steady::now();
        EXPECT_EQ(readyz().status, 200);
        EXPECT_LT(steady::now() - begin, 10s);
    }
    EXPECT_TRUE(shows(R"(sluice_broker_up{broker="partner",internal="false"} 0)"));
    partner_->hang(false);
    EXPECT_TRUE(soon([&] { return broker_word(readyz(), "partner") == "ok"; }));
}

TEST_F(health_service_test, an_internal_broker_that_hangs_or_is_away_decides) {
    start();
    inner_->hang(true);
    ASSERT_TRUE(soon([&] { return readyz().status == 503; }));
    EXPECT_EQ(readyz().json().at("status").as_string(), "degraded");
    EXPECT_EQ(http_get(health_->port(), "/healthz").status, 200);
    inner_->hang(false);
    ASSERT_TRUE(soon([&] { return readyz().status == 200; }));
    inner_->set_unreachable(true, "no such host");
    ASSERT_TRUE(soon([&] { return readyz().status == 503; }));
    EXPECT_EQ(readyz().json().at("checks").at("reasons").at("brokers.default").as_string(), "no such host");
    inner_->set_unreachable(false);
}

TEST_F(health_service_test, the_looking_ends_at_once_although_a_broker_hangs) {
    start();
    partner_->hang(true);
    ASSERT_TRUE(soon([&] { return broker_word(readyz(), "partner") == "unavailable"; }));
    EXPECT_TRUE(health_->leave());
}

TEST_F(health_service_test, is_not_ready_during_the_drain_and_still_alive) {
    start();
    health_->drain();
    EXPECT_EQ(readyz().status, 503);
    EXPECT_EQ(readyz().body, R"({"status": "unavailable", "checks": {"shutting_down": true}})");
    EXPECT_EQ(http_get(health_->port(), "/healthz").status, 200);
    EXPECT_TRUE(engine_->stop());
    EXPECT_TRUE(health_->leave());
    EXPECT_EQ(readyz().status, 503);
    EXPECT_TRUE(shows("sluice_ready 0"));
}

TEST_F(health_service_test, counts_what_lanes_and_subscriptions_do) {
    start();
    partner_->refuse("post::letter-l-2-0.1", 1);
    post("l-1");
    post("l-2");
    const std::string inside = R"({broker="default",database="default",domain="post",external="false"})";
    const std::string outside = R"({broker="partner",database="default",domain="post",external="true"})";
    ASSERT_TRUE(soon([&] { return shows("sluice_outbox_published_total" + inside + " 4"); })) << metrics_text();
    ASSERT_TRUE(soon([&] { return shows("sluice_outbox_abandoned_total" + outside + " 1"); })) << metrics_text();
    EXPECT_TRUE(shows("sluice_outbox_published_total" + outside + " 1"));
    EXPECT_TRUE(shows("sluice_outbox_failed_total" + outside + " 1"));
    EXPECT_TRUE(shows("sluice_outbox_latency_seconds_count" + inside + " 4"));
    EXPECT_TRUE(soon([&] {
        return shows(R"(sluice_subscription_processed_total{broker="default",domain="post",handler="post.stamp_clerk",)"
                     R"(status="ok",stream="post::letter"} 2)");
    })) << metrics_text();
    EXPECT_TRUE(soon([&] {
        return shows(R"(sluice_outbox_abandoned{domain="post",database="default",broker="partner",external="true"} 1)");
    })) << "counted in the database, every two seconds";
}

TEST_F(health_service_test, a_partner_with_a_backlog_is_seen) {
    start();
    partner_->set_unreachable(true);
    post("l-1");
    const std::string of = R"({domain="post",database="default",broker="partner",external="true")";
    EXPECT_TRUE(soon([&] { return shows("sluice_outbox_pending" + of + "} 1"); })) << metrics_text();
    EXPECT_TRUE(soon([&] { return shows("sluice_lane_state" + of + R"(,state="paused"} 1)"); })) << metrics_text();
    EXPECT_THAT(metrics_text(), ContainsRegex("sluice_outbox_oldest_age_seconds[^\n]*partner[^\n]* [0-9.]+\n"));
    EXPECT_EQ(readyz().status, 200);
    partner_->set_unreachable(false);
}

TEST_F(health_service_test, a_database_that_is_gone_decides_once_its_connection_is_renewed) {
    start();
    database_->gone = true;
    ASSERT_TRUE(soon([&] { return readyz().status == 503; }));
    const json::value checks = readyz().json().at("checks");
    EXPECT_EQ(checks.at("providers").at("default").as_string(), "unavailable");
    EXPECT_EQ(checks.at("reasons").at("databases.default").as_string(), "the database is gone");
    EXPECT_EQ(metrics_text().find("sluice_outbox_pending"), std::string::npos) << "an old number looks like a live one";
    EXPECT_TRUE(shows(R"(sluice_database_up{database="default"} 0)"));
    database_->gone = false;
    EXPECT_TRUE(soon([&] { return readyz().status == 200; }));
}

}  // namespace
}  // namespace sluice::http
