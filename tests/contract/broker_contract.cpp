#include "contract/broker_contract.hpp"

#include "broker/inline/inline_broker.hpp"
#include "consume/broker_operations.hpp"
#include "consume/keeping_reader.hpp"
#include "store/memory/memory_database.hpp"
#include "support/keeperless_broker.hpp"
#ifdef SLUICE_WITH_BROKER_SQLITE
#include "broker/sqlite/sqlite_broker.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
#include "broker/redis/redis_broker.hpp"
#include "support/redis_server.hpp"
#endif

namespace sluice::broker::contract {

std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from) {
    std::vector<outgoing> batch;
    batch.reserve(notes.size());
    for (const auto& n : notes) batch.push_back({.stream = n.stream, .message_id = n.id, .key = n.key, .body = n.body});
    return to.publish(batch, from, 10 * second);
}

void deliver(broker& to, const std::vector<note>& notes) {
    for (const auto& v : publish(*to.open_publisher(), notes)) ASSERT_TRUE(is<delivered>(v));
}

std::vector<note> notes(std::string_view prefix, int n, int keys) {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        const auto id = std::string{prefix} + std::to_string(i);
        made.push_back({.id = id, .key = "order-" + std::to_string(i % keys), .body = id});
    }
    return made;
}

std::vector<std::string> entries_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> entries;
    for (const auto& d : deliveries) entries.push_back(d.entry);
    return entries;
}

std::vector<std::string> bodies_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> bodies;
    for (const auto& d : deliveries) bodies.push_back(d.body);
    return bodies;
}

std::vector<std::string> everything_in(broker& in, const std::string& stream) {
    static int groups = 0;
    const auto audit = sluice::testing::open_consumer(
        in, stream, {.group = "audit-" + std::to_string(++groups), .consumer = "auditor"});
    return bodies_of(audit->read(1'000'000, noon));
}

INSTANTIATE_TEST_SUITE_P(inline_broker, broker_contract,
                         ::testing::Values(subject{
                             "inline", [](const auto&, const auto&) { return make_inline_broker("test"); }}),
                         [](const auto& i) { return i.param.name; });

/// A broker that keeps nothing of what failed, with a database that does.
class helped_broker final : public broker {
public:
    [[nodiscard]] std::string describe() const override { return inner_.describe(); }
    [[nodiscard]] capabilities can() const override { return inner_.can(); }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override { return inner_.open_publisher(); }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<consume::keeping_reader>(
            inner_.open_reader(streams, member), database_->open_kept_messages(),
            consume::keeping{.broker = "b",
                             .streams = streams,
                             .member = member,
                             .key_of = [](const delivery& of) { return of.key; },
                             .time = time_,
                             .most_behind = 10'000});
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return consume::make_keeping_operations("b", inner_.open_operations(), database_->open_kept_messages());
    }

private:
    /// Each look is late enough for the next one.
    class hasty_clock final : public clock {
    public:
        [[nodiscard]] date_time now() const override { return noon; }
        [[nodiscard]] instant monotonic_now() const override { return instant{} + ++looks_ * second; }

    private:
        mutable std::atomic<int> looks_ = 0;
    };

    sluice::testing::keeperless_broker inner_{make_inline_broker("test")};
    std::shared_ptr<store::database> database_ = store::make_memory_database("kept");
    hasty_clock time_;
};

INSTANTIATE_TEST_SUITE_P(helped_broker, broker_contract,
                         ::testing::Values(subject{
                             .name = "helped",
                             .make = [](const auto&, const auto&) { return std::make_unique<helped_broker>(); },
                             .fences_members = false}),
                         [](const auto& i) { return i.param.name; });
#ifdef SLUICE_WITH_BROKER_SQLITE
INSTANTIATE_TEST_SUITE_P(sqlite_broker, broker_contract,
                         ::testing::Values(subject{"sqlite",
                                                   [](const std::filesystem::path& directory, const clock& time) {
                                                       return make_sqlite_broker(
                                                           {.path = directory / "broker.db", .time = &time});
                                                   }}),
                         [](const auto& i) { return i.param.name; });
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
/// One server for all tests of the process; each begins with an empty one.
std::unique_ptr<broker> make_on_empty_server(const std::filesystem::path& /*directory*/, const clock& server_time) {
    static const sluice::testing::temporary_directory directory;
    static const sluice::testing::redis_server server{directory / "redis"};
    server.cli({"flushall"});
    return make_redis_broker({.uri = server.uri(), .server_time = &server_time});
}

INSTANTIATE_TEST_SUITE_P(redis_broker, broker_contract,
                         ::testing::Values(subject{.name = "redis",
                                                   .make = make_on_empty_server,
                                                   .deduplicates = false,
                                                   .knows_keys = false,
                                                   .shares_groups = false}),
                         [](const auto& i) { return i.param.name; });
#endif

}  // namespace sluice::broker::contract
