#include "http/worker_health.hpp"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

TEST(worker_health, one_worker_is_enough_to_be_ready) {
    EXPECT_EQ(decide(phase::running, {{.index = 1, .ready = false}, {.index = 2, .ready = true}}), readiness::ok);
    EXPECT_EQ(decide(phase::running, {{.index = 1}, {.index = 2}}), readiness::degraded);
    EXPECT_EQ(decide(phase::draining, {{.index = 1, .ready = true}}), readiness::unavailable);
}

TEST(worker_health, shows_every_worker) {
    EXPECT_EQ(json::dump(to_json(phase::running, {{.index = 1, .pid = 77, .ready = true, .restarts = 0},
                                                  {.index = 2, .pid = 0, .ready = false, .restarts = 3}})),
              R"({"status":"ok","checks":{"shutting_down":false,"workers":{"total":2,"ready":1,"details":[)"
              R"({"worker":1,"status":"ok","pid":77,"restarts":0},)"
              R"({"worker":2,"status":"unavailable","pid":null,"restarts":3}]}}})");
}

}  // namespace
}  // namespace sluice::http
