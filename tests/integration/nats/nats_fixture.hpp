#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "broker/nats/nats_broker.hpp"
#include "observe/log.hpp"
#include "support/eventually.hpp"
#include "support/nats_server.hpp"
#include "support/notes.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::nats_test {

using sluice::testing::is;
using sluice::testing::note;
using sluice::testing::publish;
using sluice::testing::told;
using std::chrono::milliseconds;
using std::chrono::seconds;
using strings = std::vector<std::string>;

/// Publishes again and again, as a lane does, until all is delivered.
[[nodiscard]] inline bool delivers(publisher& to, const std::vector<note>& notes,
                                   duration within = sluice::testing::long_enough) {
    return sluice::testing::eventually(
        [&] {
            const auto verdicts = publish(to, notes, seconds{2});
            return std::ranges::all_of(verdicts, is<delivered>);
        },
        within);
}

/// `n` messages with keys of their own.
[[nodiscard]] inline std::vector<note> many(const std::string& prefix, int n) {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        made.push_back({.id = prefix + std::to_string(i), .key = "shop::order-" + std::to_string(i)});
    }
    return made;
}

/// A server of its own for each test.
class nats_test : public ::testing::Test {
protected:
    explicit nats_test(strings arguments = {}) : server_{directory_ / "nats", std::move(arguments)} {
        observe::configure_log({.threshold = observe::level::off});
    }
    ~nats_test() override { observe::configure_log({}); }

    [[nodiscard]] std::unique_ptr<broker> connect(nats_options options = {}) const {
        if (options.uri == nats_options{}.uri) options.uri = server_.uri();
        return make_nats_broker(std::move(options));
    }
    void make_orders(sluice::testing::nats_server::stream_settings settings = {}) {
        settings.name = "ORDERS";
        settings.subjects = {"shop.order"};
        server_.make_stream(settings);
    }
    [[nodiscard]] strings ids() { return server_.message_ids("ORDERS"); }

    sluice::testing::temporary_directory directory_;
    sluice::testing::nats_server server_;
};

}  // namespace sluice::broker::nats_test
