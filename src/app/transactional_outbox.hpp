#pragma once

#include <functional>
#include <string>

#include <sluice/domain.hpp>
#include <sluice/transactional_outbox.hpp>

#include "commit/environment.hpp"
#include "config/configuration.hpp"
#include "store/placeable_event.hpp"
#include "store/provider.hpp"

namespace sluice {

/// What an outbox does whatever the database is. The door of each database is a source of its own, and belongs to the
/// build when its store does.
struct transactional_outbox::implementation {
    implementation(domain from, const settings& configuration);

    /// Writes an event, given the settings of its database. Returns the id of the message.
    using place = std::function<std::string(const config::database_settings&, const store::placeable_event&)>;

    /// @param on  the provider that the connection belongs to
    /// @throws usage_error when the event's database is of another one
    std::string write(const store::provider& on, described event, const enqueue_options& options, const place& at);

    // No database and no broker is opened.
    domain declared;
    commit::environment env;
};

}  // namespace sluice
