#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "broker/webhook/webhook_broker.hpp"
#include "support/http_endpoint.hpp"
#include "support/notes.hpp"

namespace sluice::broker {

using sluice::testing::is;
using sluice::testing::note;
using sluice::testing::publish;
using sluice::testing::told;

inline const std::string test_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// `n` messages of as many keys.
[[nodiscard]] inline std::vector<note> notes(int n, int keys = 1'000'000) {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        const auto number = std::to_string(i);
        made.push_back({.id = "m" + number, .key = "k" + std::to_string(i % keys), .body = number});
    }
    return made;
}

/// A broker that may connect to this machine.
[[nodiscard]] inline std::unique_ptr<broker> make_local(webhook_options options) {
    options.allow_private = true;
    return make_webhook_broker(std::move(options));
}

}  // namespace sluice::broker
