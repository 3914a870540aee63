#include <sluice/trace.hpp>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(trace_event, becomes_an_object_with_every_key) {
    trace_event event;
    event.event = "outbox.published";
    event.domain = "shop";
    event.stream = "shop::order-1";
    event.message_id = "m-1";
    event.message_type = "Shop.OrderShipped.v1";
    event.status = "ok";
    event.broker = "default";
    event.worker_id = "host-1-abc";
    event.correlation_id = "c-1";
    EXPECT_EQ(json::dump(to_json(event)),
              R"({"event":"outbox.published","domain":"shop","stream":"shop::order-1","message_id":"m-1",)"
              R"("message_type":"Shop.OrderShipped.v1","status":"ok","handler":null,"duration_ms":null,"error":null,)"
              R"("metadata":{},"worker_id":"host-1-abc","broker":"default","correlation_id":"c-1",)"
              R"("causation_id":null,"timestamp":"1970-01-01T00:00:00+00:00"})");
}

TEST(trace_event, rounds_the_duration_to_hundredths) {
    trace_event event;
    event.duration_ms = 12.34567;
    EXPECT_EQ(json::dump(to_json(event).at("duration_ms")), "12.35");
}

}  // namespace
}  // namespace sluice
