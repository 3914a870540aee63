#include <utility>

#include "app/transactional_outbox.hpp"
#include "store/postgresql/enqueue.hpp"
#include "store/postgresql/provider.hpp"

namespace sluice {

std::string transactional_outbox::write(pg_conn* connection, described event, const enqueue_options& options) const {
    return implementation_->write(
        store::postgresql_provider(), std::move(event), options,
        [&](const config::database_settings& database, const store::placeable_event& placeable) {
            return store::enqueue(*connection, store::read_postgresql_options(database).schema, placeable);
        });
}

}  // namespace sluice
