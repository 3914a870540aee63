#include <utility>

#include "app/transactional_outbox.hpp"
#include "store/sqlite/enqueue.hpp"
#include "store/sqlite/provider.hpp"

namespace sluice {

std::string transactional_outbox::write(sqlite3* connection, described event, const enqueue_options& options) const {
    return implementation_->write(store::sqlite_provider(), std::move(event), options,
                                  [&](const config::database_settings&, const store::placeable_event& placeable) {
                                      return store::enqueue(*connection, placeable);
                                  });
}

}  // namespace sluice
