#include "telemetry/exporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>

#include <sluice/json.hpp>

#include "integration/telemetry/received.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/http_endpoint.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "telemetry/http_transport.hpp"

// The exporter against receivers of all kinds.
namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;
using sluice::testing::captured_log;
using sluice::testing::http_endpoint;
using sluice::testing::http_reply;
using sluice::testing::http_request;
using sluice::testing::reply_with;
using sluice::testing::spans_in;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using steady = std::chrono::steady_clock;

constexpr auto patience = 40s;  // of a machine that has other work

finished_span named(const std::string& name) {
    finished_span span;
    span.context = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
    span.name = name;
    return span;
}

/// A span leaves at once, and attempts follow each other quickly.
exporter::options eager() {
    exporter::options with;
    with.from.attributes = {{"service.name", std::string{"shop"}}};
    with.timing.delay = 1ms;
    with.timing.metrics_every = 0s;
    with.timing.retry = {.first = 10ms, .factor = 1, .most = 10ms};
    with.farewell = 0s;
    return with;
}

std::unique_ptr<transport> way_to(const std::string& endpoint) {
    config::telemetry_settings with;
    with.endpoint = endpoint;
    with.headers = {{"authorization", "Bearer t"}};
    return std::make_unique<http_transport>(with);
}

/// Answers with one reply after the other, and then with the last one for ever.
class receiver {
public:
    explicit receiver(std::vector<http_reply> replies)
        : replies_{std::move(replies)}, server_{[this](const http_request&, const std::stop_token&) {
              times_[std::min<std::size_t>(count_, 15)] = steady::now();
              return replies_[std::min<std::size_t>(count_++, replies_.size() - 1)];
          }} {}

    [[nodiscard]] std::string endpoint() const { return server_.uri(""); }
    [[nodiscard]] std::vector<http_request> requests() const { return server_.requests(); }
    [[nodiscard]] bool gets(std::size_t requests) const {
        return sluice::testing::eventually([&] { return server_.requests().size() >= requests; }, patience);
    }
    [[nodiscard]] steady::duration between(std::size_t former, std::size_t later) const {
        return times_[later] - times_[former];
    }
    [[nodiscard]] int connections() const { return server_.connections(); }

private:
    std::vector<http_reply> replies_;
    std::atomic<std::size_t> count_ = 0;
    std::array<steady::time_point, 16> times_{};
    http_endpoint server_;  // last: its threads use the rest
};

http_reply taken() { return reply_with(200, "Content-Type: application/json\r\n", "{}"); }

bool becomes(const std::atomic<std::uint64_t>& count, std::uint64_t wanted) {
    return sluice::testing::eventually([&] { return count == wanted; }, patience);
}

TEST(exporter, sends_what_its_sink_is_given_over_one_connection) {
    const receiver to{{taken()}};
    exporter sends{eager(), way_to(to.endpoint())};
    const span_sink sink = sends.sink();
    sink(named("first"));
    ASSERT_TRUE(becomes(sends.counts()->exported, 1));
    sink(named("second"));
    ASSERT_TRUE(becomes(sends.counts()->exported, 2));
    const auto requests = to.requests();
    const auto spans = spans_in(requests);
    ASSERT_THAT(spans, SizeIs(2));
    EXPECT_EQ(spans[0].name, "first");
    EXPECT_EQ(spans[0].service, "shop");
    EXPECT_EQ(requests[0].headers.at("authorization"), "Bearer t");
    EXPECT_THAT(requests[0].headers.at("user-agent"), HasSubstr("OTLP"));
    EXPECT_EQ(to.connections(), 1);
}

TEST(exporter, a_receiver_that_hangs_is_felt_by_nobody) {
    const receiver to{{http_reply{.silent = true}}};
    exporter::options with = eager();
    with.queue.spans = 10;
    with.farewell = 100ms;
    exporter sends{with, way_to(to.endpoint())};
    const span_sink sink = sends.sink();
    sink(named("in the request that hangs"));
    ASSERT_TRUE(to.gets(1));
    const auto begin = steady::now();
    for (int i = 0; i < 1000; ++i) sink(named("waits"));
    EXPECT_LT(steady::now() - begin, 5s) << "a request may take ten";
    EXPECT_EQ(sends.counts()->queue_full, 990U);
    sends.stop();
    EXPECT_LT(steady::now() - begin, 9s);
    EXPECT_EQ(sends.counts()->undelivered, 11U);
}

TEST(exporter, a_refused_connection_is_an_outage_that_the_log_tells_once) {
    std::string nowhere;
    {
        const receiver gone{{taken()}};
        nowhere = gone.endpoint();
    }
    captured_log captured;
    {
        exporter sends{eager(), way_to(nowhere)};
        sends.sink()(named("lost"));
        EXPECT_FALSE(sends.flush(300ms));
        sends.stop();
        EXPECT_EQ(sends.counts()->undelivered, 1U);
        EXPECT_EQ(sends.counts()->exported, 0U);
    }
    const std::string written = captured.text();
    const auto first = written.find("telemetry.unreachable");
    ASSERT_NE(first, std::string::npos) << written;
    EXPECT_EQ(written.find("telemetry.unreachable", first + 1), std::string::npos) << written;
}

TEST(exporter, waits_as_long_as_the_receiver_asks_and_sends_the_same_again) {
    const receiver to{{reply_with(503, "Retry-After: 1\r\n"), reply_with(429), taken()}};
    captured_log captured;
    exporter sends{eager(), way_to(to.endpoint())};
    sends.sink()(named("patient"));
    ASSERT_TRUE(becomes(sends.counts()->exported, 1));
    const auto requests = to.requests();
    ASSERT_THAT(requests, SizeIs(3));
    EXPECT_EQ(requests[0].body, requests[2].body);
    EXPECT_GE(to.between(0, 1), 1s);
    EXPECT_EQ(sends.counts()->refused, 0U);
    EXPECT_THAT(captured.text(), AllOf(HasSubstr("telemetry.unreachable"), HasSubstr("HTTP status 503"),
                                       HasSubstr("telemetry.recovered")));
}

TEST(exporter, what_is_refused_is_counted_and_the_next_batch_goes) {
    const receiver to{{reply_with(400, "", "no such field"), taken()}};
    exporter sends{eager(), way_to(to.endpoint())};
    sends.sink()(named("odd"));
    ASSERT_TRUE(becomes(sends.counts()->refused, 1));
    sends.sink()(named("even"));
    ASSERT_TRUE(becomes(sends.counts()->exported, 1));
    EXPECT_EQ(spans_in(to.requests()).at(1).name, "even");
}

TEST(exporter, what_the_receiver_rejects_of_a_batch_is_counted) {
    const receiver to{{reply_with(200, "", R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"old"}})")}};
    exporter::options with = eager();
    with.timing.delay = 1h;
    exporter sends{with, way_to(to.endpoint())};
    for (const char* each : {"a", "b", "c"}) sends.sink()(named(each));
    ASSERT_TRUE(sends.flush(patience));
    EXPECT_EQ(sends.counts()->exported, 2U);
    EXPECT_EQ(sends.counts()->refused, 1U);
}

TEST(exporter, a_flush_and_a_stop_send_what_waits) {
    const receiver to{{taken()}};
    exporter::options with = eager();
    with.timing.delay = 1h;
    with.farewell = patience;
    exporter sends{with, way_to(to.endpoint())};
    sends.sink()(named("flushed"));
    EXPECT_TRUE(sends.flush(patience));
    EXPECT_EQ(sends.counts()->exported, 1U);
    sends.sink()(named("at the end"));
    sends.stop();
    EXPECT_EQ(sends.counts()->exported, 2U);
    EXPECT_EQ(sends.counts()->undelivered, 0U);
}

/// After the end nobody sends any more; those who still work notice nothing.
TEST(exporter, its_sinks_outlive_it) {
    span_sink sink;
    {
        const exporter sends{eager(), way_to("http://127.0.0.1:9")};
        sink = sends.sink();
    }
    sink(named("late"));
}

TEST(exporter, sends_metrics_for_as_long_as_somebody_collects_them) {
    const receiver to{{taken()}};
    exporter::options with = eager();
    with.timing.metrics_every = 1h;
    exporter sends{with, way_to(to.endpoint())};
    {
        const auto collecting =
            sends.collect([] { return std::vector<metric_family>{{.name = "sluice_up", .samples = {{.value = 1}}}}; });
        ASSERT_TRUE(sends.flush(patience));
    }
    ASSERT_THAT(to.requests(), SizeIs(1));
    EXPECT_EQ(to.requests()[0].target, "/v1/metrics");
    EXPECT_THAT(to.requests()[0].body, HasSubstr("sluice_up"));
    EXPECT_TRUE(sends.flush(patience));
    EXPECT_THAT(to.requests(), SizeIs(1)) << "nobody is asked any more";
}

TEST(exporter, follows_no_redirection) {
    const receiver elsewhere{{taken()}};
    const receiver to{{reply_with(307, "Location: " + elsewhere.endpoint() + "/v1/traces\r\n")}};
    exporter sends{eager(), way_to(to.endpoint())};
    sends.sink()(named("a"));
    ASSERT_TRUE(becomes(sends.counts()->refused, 1));
    EXPECT_THAT(elsewhere.requests(), SizeIs(0));
}

/// The certificate of the receiver is that of a company's own authority.
TEST(exporter, trusts_the_authorities_that_it_is_given_and_no_others) {
    const sluice::testing::temporary_directory files;
    sluice::testing::run_command(
        "cd " + sluice::testing::shell_word(files.path().native()) +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.pem 2>&1");
    http_endpoint to{[](const http_request&, const std::stop_token&) { return taken(); },
                     {.certificate = files / "server.pem", .key = files / "server.key", .client_authority = {}}};
    const auto send = [&](const std::string& ca_file) {
        config::telemetry_settings with;
        with.endpoint = to.uri("");
        with.tls_ca_file = ca_file;
        exporter sends{eager(), std::make_unique<http_transport>(with)};
        sends.sink()(named("a"));
        const bool is_sent = sends.flush(ca_file.empty() ? 1s : patience);
        return is_sent && sends.counts()->exported == 1;
    };
    EXPECT_TRUE(send(files / "server.pem"));
    EXPECT_FALSE(send(""));
    EXPECT_THAT(to.requests(), SizeIs(1));
}

TEST(exporter, an_endless_answer_ends) {
    const receiver to{{reply_with(200, "", std::string(std::size_t{3} << 20U, 'x'))}};
    exporter sends{eager(), way_to(to.endpoint())};
    sends.sink()(named("a"));
    ASSERT_TRUE(to.gets(2)) << "it is no answer";
    EXPECT_EQ(sends.counts()->exported, 0U);
}

}  // namespace
}  // namespace sluice::telemetry
