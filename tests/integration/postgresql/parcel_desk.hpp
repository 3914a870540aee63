#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "consume/subscription.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/post_office.hpp"

namespace sluice::store::postgresql_test {

/// A subscriber that writes a letter for each parcel, in a database that the test takes away from it.
class parcel_desk {
public:
    parcel_desk(postgresql_options where, config::subscription_settings with) {
        database_ = make_postgresql_database(std::move(where));
        database_->setup();
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker_);
        env_ = std::make_unique<commit::environment>(domain_.declared(), config::configuration{}, parts, system_clock(),
                                                     base::system_random());
        for (auto& each : consume::routes_of(*env_)) {
            if (each.name != "post.parcel_counter") continue;
            each.settings = with;
            subscription_ = std::make_unique<consume::subscription>(*env_, each, "desk-0");
        }
        thread_ = std::jthread{[this](const std::stop_token& stop) { subscription_->run(stop); }};
    }

    /// @param letter  for which it is; otherwise each parcel has one of its own
    void arrives(const std::string& parcel, const std::string& letter = {}) {
        const std::string id = "m-" + parcel;
        const std::string key = "abroad::parcel-" + parcel;
        const std::string body = post::parcel_arrived(id, letter.empty() ? parcel : letter);
        const broker::outgoing message{.stream = "abroad::parcel", .message_id = id, .key = key, .body = body};
        const auto verdicts = broker_->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{1});
        ASSERT_TRUE(std::holds_alternative<broker::delivered>(verdicts.at(0)));
    }

    [[nodiscard]] consume::subscription_status status() const { return subscription_->status(); }
    [[nodiscard]] std::size_t dead() { return broker_->open_operations()->dead_letters({}).size(); }
    [[nodiscard]] std::size_t tries() const { return hook_->seen("parcel_counter").size(); }

private:
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
    std::shared_ptr<database> database_;
    std::shared_ptr<broker::broker> broker_ = broker::make_inline_broker("default");
    std::unique_ptr<commit::environment> env_;
    std::unique_ptr<consume::subscription> subscription_;
    std::jthread thread_;
};

}  // namespace sluice::store::postgresql_test
