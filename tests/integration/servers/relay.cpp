#include "integration/servers/relay.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/postgresql/postgresql_database.hpp"

namespace sluice::testing {

void lane_meter::count(const observe::settled_rows& rows) noexcept {
    const std::lock_guard lock{mutex_};
    auto& so_far = counts_[std::string{rows.broker}];
    so_far.published += rows.published;
    so_far.refused += rows.failed + rows.abandoned;
    if (rows.broker == "default") latencies_.insert(latencies_.end(), rows.latencies.begin(), rows.latencies.end());
    changed_.notify_all();
}

bool lane_meter::wait_for(const std::string& broker, std::size_t rows, std::chrono::seconds time) const {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, time, [&] { return counts_[broker].published >= rows; });
}

std::size_t lane_meter::published(const std::string& broker) const {
    const std::lock_guard lock{mutex_};
    return counts_[broker].published;
}

std::size_t lane_meter::refused(const std::string& broker) const {
    const std::lock_guard lock{mutex_};
    return counts_[broker].refused;
}

std::vector<double> lane_meter::take_latencies() {
    const std::lock_guard lock{mutex_};
    return std::exchange(latencies_, {});
}

relay::relay() : database_{store::make_postgresql_database({.conninfo = postgresql::uri(), .schema = schema_})} {
    database_->setup();
    unit_ = database_->open_unit();
    sql_.execute("SET search_path = " + schema_);
    tracer_.count_with(meter_);
}

relay::running::running(relay& of, const std::string& broker)
    : random{1},
      lane{outbox::lane_settings{.database = "default",
                                 .broker = broker,
                                 .external = broker != "default",
                                 .owner = fmt::format("owner-{}", ++of.lanes_started_),
                                 .outbox = of.settings},
           {*of.database_, *of.brokers_.at(broker), system_clock(), random, of.tracer_}},
      thread{[this](const std::stop_token& stop) { lane.run(stop); }} {}

void relay::start_lane(const std::string& broker) { lanes_[broker] = std::make_unique<running>(*this, broker); }

void relay::fill(const rows& what) {
    auto& from = filled_[what.name];
    for (const auto& broker : what.open) {
        sql_.execute(fmt::format(
            "INSERT INTO outbox_broker (number, name) SELECT coalesce(max(number), -1) + 1, '{0}' FROM outbox_broker "
            "HAVING NOT EXISTS (SELECT FROM outbox_broker WHERE name = '{0}')",
            broker));
    }
    std::string sql = fmt::format(
        R"(WITH numbered AS MATERIALIZED (
               SELECT n, 'shop::order-{0}' || n % {2} AS stream, '{0}' || n % {2} AS id
               FROM generate_series({1}::bigint, {1} + {3} - 1) AS n ORDER BY n
           ), states AS (
               INSERT INTO aggregate_state AS s (aggregate, id, version, state)
               SELECT 'Order', id, count(*), '{{}}' FROM numbered GROUP BY id
               ON CONFLICT (aggregate, id) DO UPDATE SET version = s.version + excluded.version
           ), logged AS (
               INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata,
                                      targets)
               SELECT stream || '-' || n, stream, 'shop::order', n / {2}, 'Shop.OrderChanged.v1', clock_timestamp(),
                      json_build_object('order_id', id, 'note', repeat('x', 100)),
                      json_build_object('headers', json_build_object('id', stream || '-' || n,
                                        'type', 'Shop.OrderChanged.v1', 'stream', stream)),
                      coalesce((SELECT bit_or(1::bigint << number) FROM outbox_broker
                                WHERE name = ANY (ARRAY['{4}']::text[])), 0)
               FROM numbered ORDER BY n
               RETURNING seq, message_id, stream
           ))",
        what.name, from, what.streams, what.count, fmt::join(what.open, "','"));
    sql += fmt::format(
        " INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, published_at, receipt)"
        " SELECT broker, seq, message_id, stream, 'published', clock_timestamp(), 'r'"
        " FROM logged, unnest(ARRAY['{}']::text[]) AS broker WHERE broker <> ''",
        fmt::join(what.published, "','"));
    sql_.execute(sql);
    from += what.count;
    for (const auto& [broker, each] : lanes_) each->lane.signal().notify();
}

double relay::commit(const std::string& order) {
    const auto stream = "shop::order-" + order;
    const auto id = fmt::format("{}-unit-{}", stream, ++commits_);
    store::commit_batch batch;
    batch.at = system_clock().now();
    store::event_write write;
    write.event = {
        id,
        stream,
        "shop::order",
        "Shop.OrderChanged.v1",
        fmt::format(R"({{"order_id":"{}"}})", order),
        fmt::format(R"({{"headers":{{"id":"{}","type":"Shop.OrderChanged.v1","stream":"{}"}}}})", id, stream),
        batch.at};
    write.target_brokers = {"default", "partner"};
    batch.events.push_back(std::move(write));
    const auto begin = std::chrono::steady_clock::now();
    unit_->commit(batch);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    for (const auto& [broker, each] : lanes_) each->lane.signal().notify();
    return took.count();
}

std::string relay::scalar(const std::string& sql) { return sql_.scalar(sql); }

std::pair<std::size_t, std::size_t> relay::published_and_inverted(const std::string& broker) {
    const auto both = sql_.scalar(fmt::format(
        R"(SELECT count(*) || ' ' || count(*) FILTER (WHERE place <= before) FROM (
               SELECT place, lag(place) OVER (ORDER BY seq) AS before FROM (
                   SELECT seq, string_to_array(receipt, '-')::bigint[] AS place FROM outbox
                   WHERE target_broker = '{}' AND status = 'published') AS rows) AS pairs)",
        broker));
    const auto space = both.find(' ');
    return {std::stoull(both.substr(0, space)), std::stoull(both.substr(space + 1))};
}

}  // namespace sluice::testing
