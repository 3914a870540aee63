#include "store/postgresql/server_question.hpp"

#include "store/postgresql/exchange.hpp"

namespace sluice::store::postgresql {

server_state ask_server(connection& db) {
    exchange trip{db};
    // pg_stat_activity hides from most roles what sessions of others are; this counts them all.
    const auto place = trip.add({"",
                                 "SELECT clock_timestamp(), (SELECT sum(numbackends)::bigint FROM pg_stat_database),"
                                 " current_setting('max_connections')::bigint"
                                 " - current_setting('superuser_reserved_connections')::bigint"});
    trip.run();
    const auto& found = trip[place];
    server_state state{.now = found.time(0, 0), .connections_offered = found.integer(0, 2)};
    if (!found.null(0, 1)) state.connections_open = found.integer(0, 1);
    return state;
}

}  // namespace sluice::store::postgresql
