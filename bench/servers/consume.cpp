#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "commit/environment.hpp"
#include "common/statistics.hpp"
#include "common/workload.hpp"
#include "consume/route.hpp"
#include "consume/subscription.hpp"
#include "servers/backlog.hpp"
#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto stream = "bench::reading";
constexpr auto read_size = "100";

class Copy : public aggregate<Copy> {
public:
    Copy() = default;
    Copy(identifier copy_id, text content) : copy_id_{std::move(copy_id)}, content_{std::move(content)} {}

private:
    identifier copy_id_;
    text content_;
    BOOST_DESCRIBE_CLASS(Copy, (), (), (), (copy_id_, content_))
};

struct reading_events {
    void operator()(const message& m, context& mirror) const {
        mirror.repository<Copy>().add(Copy{m.data().at("reading_id").as_string(), m.data().at("content").as_string()});
    }
};

domain make_mirror() {
    domain mirror{"mirror"};
    mirror.aggregate<Copy>();
    mirror.subscriber<reading_events>({.broker = "default", .stream = stream});
    return mirror;
}

/// Gives a member of the headers another text.
void set_header(std::string& metadata, std::string_view name, const std::string& text) {
    const auto key = fmt::format(R"("{}":")", name);
    const auto begin = metadata.find(key) + key.size();
    metadata.replace(begin, metadata.find('"', begin) - begin, text);
}

/// Puts messages as a lane sends them into the stream, each of an aggregate of its own.
void fill(const private_redis& redis, const std::string& metadata, std::size_t messages) {
    std::string commands;
    for (std::size_t i = 0; i < messages; ++i) {
        const auto id = "r" + std::to_string(i);
        auto own = metadata;
        set_header(own, "id", "bench::reading-" + id + "-0.1");
        set_header(own, "stream", "bench::reading-" + id);
        append_command(commands,
                       {"XADD", stream, "*", "data", R"({"data":)" + state_text(id) + R"(,"metadata":)" + own + "}"});
    }
    redis_link link{redis.port()};
    link.send(commands);
    for (std::size_t i = 0; i < messages; ++i) static_cast<void>(link.bulk());
}

std::string reading_id_in(std::string_view body) {
    constexpr std::string_view key = R"("reading_id":")";
    const auto begin = body.find(key) + key.size();
    return std::string{body.substr(begin, body.find('"', begin) - begin)};
}

/// Reads, writes mark and state in one round trip for each message, and acknowledges what was read.
double consume_bare(const std::string& uri, const private_redis& redis) {
    const pg_link db{uri};
    db.prepare("mark", "INSERT INTO inbox (message_id, handler, processed_at) VALUES ($1, 'bare', now())");
    db.prepare("state", "INSERT INTO aggregate_state VALUES ('Copy', $1, 0, $2::json)");
    db.begin_pipeline();
    redis_link link{redis.port()};
    link.send(redis_command({"XGROUP", "CREATE", stream, "bare", "0"}));
    link.status();
    std::size_t handled = 0;
    const auto begin = steady::now();
    for (;;) {
        link.send(redis_command({"XREADGROUP", "GROUP", "bare", "one", "COUNT", read_size, "STREAMS", stream, ">"}));
        if (link.array() == 0) break;
        static_cast<void>(link.array());
        static_cast<void>(link.bulk());
        std::vector<std::string> entries;
        std::vector<std::string> bodies;
        const auto count = link.array();
        for (std::int64_t i = 0; i < count; ++i) {
            static_cast<void>(link.array());
            entries.emplace_back(link.bulk());
            static_cast<void>(link.array());
            static_cast<void>(link.bulk());
            bodies.emplace_back(link.bulk());
        }
        for (const auto& body : bodies) {
            const auto id = reading_id_in(body);
            db.send("mark", pg_values{}.text("bench::reading-" + id + "-0.1"));
            db.send("state", pg_values{}.text(id).text(state_text(id)));
            db.sync();
            static_cast<void>(db.next());
            static_cast<void>(db.next());
            db.synced();
        }
        std::string acknowledge;
        for (const auto& entry : entries) append_command(acknowledge, {"XACK", stream, "bare", entry});
        link.send(acknowledge);
        for (std::size_t i = 0; i < entries.size(); ++i) link.status();
        handled += entries.size();
    }
    const std::chrono::duration<double> spent = steady::now() - begin;
    return static_cast<double>(handled) / spent.count();
}

/// How a subscription is told to work.
struct way {
    const char* name;
    std::size_t concurrency = 1;
    std::size_t messages_per_transaction = 1;
    bound within{};
};

constexpr std::array ways{
    way{.name = "one handler", .within = {.floor = 0.75, .aim = 0.9}},
    way{.name = "concurrency = 8", .concurrency = 8, .within = {.floor = 0.75, .aim = 0.9}},
    way{.name = "messages_per_transaction = 50", .messages_per_transaction = 50, .within = {.floor = 0.75, .aim = 0.9}},
};

double consume_by_subscription(const std::string& uri, const private_redis& redis, std::size_t messages,
                               const way& how) {
    const auto mirror = make_mirror();
    config::configuration configuration;
    configuration.server.subscription.concurrency = how.concurrency;
    configuration.server.subscription.messages_per_transaction = how.messages_per_transaction;
    commit::adapters parts;
    parts.databases.emplace("default", open_postgresql(uri));
    parts.brokers.emplace("default", open_redis(redis));
    commit::environment env{mirror.declared(), std::move(configuration), std::move(parts), system_clock(),
                            base::system_random()};
    consume::subscription reader{env, consume::routes_of(env).front(), "bench-1"};
    const auto begin = steady::now();
    const std::jthread reading{[&](const std::stop_token& stop) { reader.run(stop); }};
    while (static_cast<std::size_t>(reader.status().handled) < messages) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    const std::chrono::duration<double> spent = steady::now() - begin;
    return static_cast<double>(messages) / spent.count();
}

}  // namespace

void measure_consume(const bed& on) {
    print_section("consume: read, handle, commit state and inbox mark, acknowledge; one consumer", "bare loop",
                  "subscription");
    const auto uri = on.postgresql.make_database("consume");
    const auto metadata = backlog{uri, 1, {partner(1)}}.external_metadata();
    const auto measure = [&](auto consume) {
        pg_link{uri}.execute("TRUNCATE inbox, aggregate_state; CHECKPOINT");
        fill(on.redis, metadata, on.size.messages);
        const double rate = consume();
        on.redis.flush();
        return rate;
    };
    std::vector<double> bare;
    std::array<std::vector<double>, ways.size()> rates;
    std::array<std::vector<double>, ways.size()> ratios;
    for (int round = 0; round < on.size.rounds; ++round) {
        bare.push_back(measure([&] { return consume_bare(uri, on.redis); }));
        for (std::size_t i = 0; i < ways.size(); ++i) {
            rates.at(i).push_back(
                measure([&] { return consume_by_subscription(uri, on.redis, on.size.messages, ways.at(i)); }));
            ratios.at(i).push_back(rates.at(i).back() / bare.back());
        }
    }
    for (std::size_t i = 0; i < ways.size(); ++i) {
        print_line(fmt::format("{} messages, {}", on.size.messages, ways.at(i).name), rate_text(median(bare)),
                   rate_text(median(rates.at(i))), median(ratios.at(i)), ways.at(i).within);
    }
}

}  // namespace sluice::bench
