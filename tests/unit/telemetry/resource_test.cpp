#include "telemetry/resource.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sluice::telemetry {
namespace {

const process_identity process{.host = "box", .pid = 42, .instance = "i-1"};

std::map<std::string, span_value> attributes_of(const config::telemetry_settings& with) {
    std::map<std::string, span_value> found;
    for (const auto& [key, value] : make_resource(with, "Shop", process).attributes) {
        EXPECT_TRUE(found.emplace(key, value).second) << key << " is there twice";
    }
    return found;
}

TEST(resource, names_service_and_process) {
    auto found = attributes_of({});
    EXPECT_EQ(found["service.name"], span_value{"Shop"});
    EXPECT_EQ(found["service.instance.id"], span_value{"i-1"});
    EXPECT_EQ(found["host.name"], span_value{"box"});
    EXPECT_EQ(found["process.pid"], span_value{std::int64_t{42}});
    EXPECT_EQ(found["telemetry.sdk.name"], span_value{"sluice"});
    EXPECT_EQ(found["telemetry.sdk.language"], span_value{"cpp"});
}

TEST(resource, what_is_configured_wins) {
    config::telemetry_settings with;
    with.resource = {{"service.name", "from resource"}, {"deployment.environment.name", "test"}, {"host.name", "pod"}};
    auto found = attributes_of(with);
    EXPECT_EQ(found["service.name"], span_value{"from resource"});
    EXPECT_EQ(found["host.name"], span_value{"pod"});
    EXPECT_EQ(found["deployment.environment.name"], span_value{"test"});
    with.service_name = "orders";
    EXPECT_EQ(attributes_of(with)["service.name"], span_value{"orders"});
}

}  // namespace
}  // namespace sluice::telemetry
