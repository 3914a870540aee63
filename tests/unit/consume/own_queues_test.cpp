#include "consume/own_queues.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "post_fixture.hpp"

namespace sluice::consume {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A broker with a queue for each group on each stream, or with none.
class queue_kind final : public config::broker_provider {
public:
    explicit queue_kind(bool has_queues) : has_queues_{has_queues} {}

    [[nodiscard]] std::string_view name() const override { return "queues"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::unused; }
    [[nodiscard]] std::string queue_of(std::string_view group, std::string_view stream) const override {
        return has_queues_ ? std::string{group} + "." + std::string{stream} : std::string{};
    }

private:
    bool has_queues_;
};

route reading(const std::string& name, const std::string& group, const std::string& stream,
              const std::string& broker = "default") {
    route made;
    made.name = name;
    made.broker = broker;
    made.streams = {stream};
    made.group = group;
    return made;
}

std::string problem_of(const std::vector<route>& routes, bool has_queues = true) {
    const queue_kind kind{has_queues};
    config::configuration with;
    for (const char* name : {"default", "partner"}) with.brokers[name].kind = &kind;
    try {
        require_own_queues(with, routes);
    } catch (const configuration_error& e) {
        return e.what();
    }
    return {};
}

TEST(own_queues, are_not_those_of_another_group_and_stream) {
    EXPECT_THAT(problem_of({reading("clerk", "billing", "shop.order"), reading("boss", "billing.shop", "order")}),
                AllOf(HasSubstr("clerk (group `billing` on stream `shop.order`) and boss (group `billing.shop` on "
                                "stream `order`) would share the queue `billing.shop.order` of broker `default`"),
                      HasSubstr("give one of the handlers another name")));
}

TEST(own_queues, are_kept_apart_by_broker_group_and_stream) {
    EXPECT_EQ(problem_of({reading("clerk", "billing", "shop.order"), reading("boss", "billing", "shop.invoice"),
                          reading("boss", "audit", "shop.order")}),
              "");
    EXPECT_EQ(
        problem_of({reading("clerk", "billing", "shop.order"), reading("boss", "billing.shop", "order", "partner")}),
        "");
}

TEST(own_queues, do_not_matter_where_a_broker_has_none) {
    EXPECT_EQ(problem_of({reading("clerk", "billing", "shop.order"), reading("boss", "billing.shop", "order")}, false),
              "");
}

/// A broker that has one queue for everybody.
class one_queue_kind final : public config::broker_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "queue"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::unused; }
    [[nodiscard]] std::string queue_of(std::string_view /*group*/, std::string_view /*stream*/) const override {
        return "all";
    }
};

TEST(own_queues, are_wanted_of_all_routes_of_a_domain) {
    const one_queue_kind kind;
    config::configuration with;
    with.brokers["default"].kind = &kind;
    post::fixture f{with};
    EXPECT_THROW(static_cast<void>(routes_of(*f.env)), configuration_error);
}

}  // namespace
}  // namespace sluice::consume
