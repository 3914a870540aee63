#include "store/postgresql/long_transaction.hpp"

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"

namespace sluice::store::postgresql {

long_transaction::long_transaction(connection& db) : db_{db} {
    run({"", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"});
}

long_transaction::~long_transaction() {
    if (!open_ || !db_.usable()) return;
    try {
        run({"", "ROLLBACK"});
    } catch (const store_error&) {
        return;  // the connection broke, and the server rolls back by itself
    }
}

result long_transaction::run(const statement& what, const parameters& with) {
    exchange trip{db_, exchange::raw};
    const auto place = trip.add(what, with);
    try {
        trip.run();
    } catch (const statement_error&) {
        open_ = false;  // rolled back
        throw;
    }
    return trip.take(place);
}

void long_transaction::commit() {
    run({"", "COMMIT"});
    open_ = false;
}

}  // namespace sluice::store::postgresql
