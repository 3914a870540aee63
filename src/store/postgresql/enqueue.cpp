#include "store/postgresql/enqueue.hpp"

#include <fmt/format.h>

#include <string_view>

#include <sluice/error.hpp>

#include "store/postgresql/broker_numbers.hpp"
#include "store/postgresql/commit_call.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"

namespace sluice::store {
namespace {

using namespace postgresql;

/// The lock of a stream; and the commit will be as durable as one of Sluice's own, because the event leaves as soon as
/// it can be seen. That holds for the rest of the transaction; a stronger setting stays.
statement lock_for_durable_commit(const commit_statements& sql) {
    return {"", "SELECT locked.*, durable.* FROM (" + sql.lock_one_more.sql +
                    ") AS locked CROSS JOIN (SELECT CASE WHEN current_setting('synchronous_commit') <> 'remote_apply'"
                    " THEN set_config('synchronous_commit', 'on', true) END) AS durable"};
}

void require_transaction(const PGconn& connection) {
    if (PQpipelineStatus(&connection) != PQ_PIPELINE_OFF) {
        throw usage_error{"an event was to be enqueued on a PostgreSQL connection in pipeline mode; leave it before"};
    }
    switch (PQtransactionStatus(&connection)) {
        case PQTRANS_INTRANS:
            return;
        case PQTRANS_IDLE:
            throw usage_error{
                "an event was to be enqueued on a PostgreSQL connection with no transaction open; execute BEGIN "
                "before, so that the event commits together with the application's own changes"};
        case PQTRANS_INERROR:
            throw usage_error{
                "an event was to be enqueued in a PostgreSQL transaction that has failed; roll it back and repeat all "
                "of it"};
        case PQTRANS_ACTIVE:
            throw usage_error{
                "an event was to be enqueued on a PostgreSQL connection that still works on another statement; read "
                "all its results before"};
        case PQTRANS_UNKNOWN:
            break;
    }
    throw store_error{"an event was to be enqueued on a PostgreSQL connection that is broken; connect again",
                      error_nature::retryable};
}

/// Sluice's texts are UTF-8. A connection that says otherwise would store other characters, without a word.
void require_utf8(const PGconn& connection) {
    const char* const name = PQparameterStatus(&connection, "client_encoding");
    const std::string_view encoding = name == nullptr ? "" : name;
    // SQL_ASCII converts nothing, and the server checks the bytes against its own encoding.
    if (encoding == "UTF8" || encoding == "SQL_ASCII") return;
    throw usage_error{fmt::format(
        "an event was to be enqueued on a PostgreSQL connection with client_encoding {}, which would store other "
        "characters; nothing was written. Call PQsetClientEncoding(connection, \"UTF8\") before",
        encoding.empty() ? "of an unknown name" : encoding)};
}

std::string name_of(const PGconn& connection) {
    const auto text = [](const char* value) { return std::string_view{value == nullptr ? "" : value}; };
    return fmt::format("postgresql {}:{}/{}", text(PQhost(&connection)), text(PQport(&connection)),
                       text(PQdb(&connection)));
}

result execute(PGconn& connection, const statement& what, const parameters& with) {
    const auto values = with.values();
    result answer{PQexecParams(&connection, what.sql.c_str(), with.count(), with.types(), values.data(), with.lengths(),
                               with.formats(), 1)};
    const auto status = answer ? PQresultStatus(answer.get()) : PGRES_FATAL_ERROR;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return answer;
    if (!answer || PQstatus(&connection) != CONNECTION_OK) {
        throw store_error{name_of(connection) + ": the connection broke; its transaction is lost",
                          error_nature::retryable};
    }
    throw statement_error{name_of(connection), answer, 0};
}

/// They stay without number when the application rolls back.
void number_brokers_within(PGconn& connection, const std::string& schema, const std::vector<std::string>& names) {
    const broker_statements sql{schema};
    static_cast<void>(execute(connection, sql.lock, parameters{array_of(names)}));
    for (const auto& name : names) static_cast<void>(execute(connection, sql.add, parameters{name}));
}

}  // namespace

std::string enqueue(pg_conn& connection, const std::string& schema, const placeable_event& event) {
    require_transaction(connection);
    require_utf8(connection);
    const commit_statements sql{schema};
    const auto locked = execute(connection, lock_for_durable_commit(sql), parameters{event.stream});
    // A statement of its own: one that waited for the lock would still see the stream as it was before.
    const auto head = execute(connection, sql.next_position, parameters{event.stream});
    const event_write write = event.at(head.integer(0, 0));
    const auto append_if_numbered = sql.append_if_numbered(write.target_brokers.size());
    const auto append = [&] { return execute(connection, append_if_numbered, values_of(write)); };
    try {
        if (append().rows() == 0 && !write.target_brokers.empty()) {
            number_brokers_within(connection, schema, write.target_brokers);
            static_cast<void>(append());
        }
    } catch (const statement_error& refusal) {
        if (is_number_in_use(refusal)) {
            throw store_error{behind_its_table(name_of(connection), schema), error_nature::retryable};
        }
        if (const auto why = no_number_left(refusal, name_of(connection)); !why.empty()) throw store_error{why};
        if (refusal.sqlstate() != "23505") throw;  // unique_violation
        throw store_error{
            fmt::format("{}: stream {} has got a later event than this transaction can see; use READ COMMITTED, or "
                        "roll back and repeat all of it",
                        name_of(connection), event.stream),
            error_nature::retryable};
    }
    return write.event.message_id;
}

}  // namespace sluice::store
