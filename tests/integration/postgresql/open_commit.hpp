#pragma once

#include <string>
#include <vector>

#include "store/postgresql/commit_call.hpp"
#include "support/postgresql_server.hpp"

namespace sluice::store::postgresql_test {

inline void append_event_unlocked(testing::postgresql::session& db, const std::string& schema,
                                  const std::string& message, const std::string& stream,
                                  const std::string& broker = "partner") {
    if (db.scalar("SELECT count(*) FROM pg_prepared_statements WHERE name = 'append'") == "0") {
        db.execute("PREPARE append (text, text, text, text, timestamptz, text, text, integer, text) AS " +
                   postgresql::commit_statements{schema}.append(1).sql);
    }
    // As the first commit to the broker does, in a transaction of its own.
    testing::postgresql::session apart{testing::postgresql::uri()};
    apart.execute("SET search_path = " + schema);
    if (apart.scalar("SELECT count(*) FROM outbox_broker WHERE name = '" + broker + "'") == "0") {
        apart.execute("INSERT INTO outbox_broker (number, name) SELECT coalesce(max(number), -1) + 1, '" + broker +
                      "' FROM outbox_broker ON CONFLICT DO NOTHING");
    }
    db.execute("EXECUTE append ('" + message + "', '" + stream + "', 'shop::order', 't', now(), '{}', '{}', 0, '" +
               broker + "')");
}

/// Does what a unit's commit does, in a transaction that the test ends.
inline void append_event(testing::postgresql::session& db, const std::string& schema, const std::string& message,
                         const std::string& stream, const std::string& broker = "partner") {
    if (db.scalar("SELECT count(*) FROM pg_prepared_statements WHERE name = 'lock'") == "0") {
        db.execute("PREPARE lock (text) AS " + postgresql::commit_statements{schema}.lock_stream.sql);
    }
    db.execute("EXECUTE lock ('" + stream + "')");
    append_event_unlocked(db, schema, message, stream, broker);
}

}  // namespace sluice::store::postgresql_test
