#pragma once

#include <string>

#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

namespace sluice::store::postgresql_test {

/// A lane that waits for a transaction which has drawn a number between two events and stays open. Its session is
/// called nightly_import.
class held_gap {
public:
    held_gap(database& store, const std::string& uri, const std::string& schema)
        : lane_{store.open_lane()},
          grant_{*lane_.lease->acquire("default:partner", "me", system_clock().now(), ttl)},
          slow_{uri + "?application_name=nightly_import"} {
        const auto unit = store.open_unit();
        const auto commit = [&unit](event_write what) {
            unit->commit({.events = {std::move(what)}, .at = system_clock().now()});
        };
        commit(event("m-1", "a"));
        slow_.execute("SET search_path = " + schema);
        slow_.execute("BEGIN");
        append_event(slow_, schema, "m-2", "shop::order-slow");
        commit(event("m-3", "b"));
    }

    /// The lane looks at its rows and reports. False when it is no longer its own.
    [[nodiscard]] bool look() {
        static_cast<void>(lane_.rows->due(grant_, "partner", 0, 10));
        return lane_.lease->renew(grant_, {.state = "idle", .since = grant_.expires_at}, system_clock().now(), ttl);
    }
    /// Of the transaction's process.
    [[nodiscard]] std::string pid() { return slow_.scalar("SELECT pg_backend_pid()"); }
    /// The transaction ends.
    void fill() { slow_.execute("COMMIT"); }

private:
    static constexpr auto ttl = duration{std::chrono::seconds{30}};

    lane_session lane_;
    lease_grant grant_;
    session slow_;
};

}  // namespace sluice::store::postgresql_test
