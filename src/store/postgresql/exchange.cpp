#include "store/postgresql/exchange.hpp"

#include <poll.h>

#include <cerrno>
#include <utility>

#include "store/postgresql/failure.hpp"

namespace sluice::store::postgresql {
namespace {

// In a session of our own an exchange is one implicit transaction, which costs no statement. A pooler's session has
// settings of its own, so there each transaction brings what it relies on.
const statement begin_transaction{"", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
const statement begin_one_snapshot{"", "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"};
const statement commit_transaction{"", "COMMIT"};
const statement roll_back_transaction{"", "ROLLBACK"};
const statement set_locally{"", "SELECT set_config(setting.name, " SLUICE_SETTING_VALUE
                                ", true)"
                                " FROM unnest($1::text[], $2::text[]) AS setting (name, value)"};

std::string_view sqlstate_of(const result& answer) {
    const char* state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
}

/// A server that ends connections for reasons of its own says so. One that dies under a statement has no time to.
error_nature nature_of_end(const result& answer) {
    return nature_of(sqlstate_of(answer)) == error_nature::outage ? error_nature::outage : error_nature::retryable;
}

std::string last_words(const result& answer) {
    const char* message = PQresultErrorField(answer.get(), PG_DIAG_MESSAGE_PRIMARY);
    return first_clause(sqlstate_of(answer), message == nullptr ? PQresultErrorMessage(answer.get()) : message);
}

}  // namespace

std::size_t exchange::add(const statement& what, const parameters& with) {
    if (open_ == block::none) {
        if (!raw_ && over_.pooled()) {
            begin(begin_transaction);
        } else {
            open_ = block::implicit;
        }
    }
    send(what, with);
    sent_.push_back({.what = step::query, .place = answers_.size()});
    answers_.emplace_back();
    return answers_.size() - 1;
}

void exchange::begin_snapshot() { begin(begin_one_snapshot); }

void exchange::begin(const statement& how) {
    open_ = block::explicit_one;
    send_aside(how, parameters{});
    if (!over_.pooled()) return;
    array<std::string_view> names;
    array<std::string_view> values;
    for (const auto& [name, value] : over_.use_.settings) {
        names.push(std::string_view{name});
        values.push(std::string_view{value});
    }
    send_aside(set_locally, parameters{names, values});
}

void exchange::send(const statement& what, const parameters& with) {
    const auto values = with.values();
    auto* const handle = over_.handle();
    const bool prepare = over_.use_.prepare && !over_.pooled() && !what.name.empty();
    if (prepare && !over_.prepared_.contains(what.name)) {
        if (PQsendPrepare(handle, what.name.c_str(), what.sql.c_str(), with.count(), with.types()) != 1) {
            over_.lose(PQerrorMessage(handle));
        }
        sent_.push_back({.what = step::prepare, .name = what.name, .place = answers_.size()});
        over_.prepared_.insert(what.name);  // taken back when the server refuses it
    }
    const int done = prepare ? PQsendQueryPrepared(handle, what.name.c_str(), with.count(), values.data(),
                                                   with.lengths(), with.formats(), 1)
                             : PQsendQueryParams(handle, what.sql.c_str(), with.count(), with.types(), values.data(),
                                                 with.lengths(), with.formats(), 1);
    if (done != 1) over_.lose(PQerrorMessage(handle));
}

void exchange::send_aside(const statement& what, const parameters& with) {
    send(what, with);
    sent_.push_back({.what = step::aside});
}

void exchange::flush() {
    if (PQsendFlushRequest(over_.handle()) != 1) over_.lose(PQerrorMessage(over_.handle()));
}

void exchange::end() {
    const auto ended = std::exchange(open_, block::none);
    if (ended == block::none) return;
    if (ended == block::explicit_one) send_aside(commit_transaction, parameters{});
    if (PQpipelineSync(over_.handle()) != 1) over_.lose(PQerrorMessage(over_.handle()));
    sent_.push_back({.what = step::end});
}

void exchange::run() {
    end();
    give_up_ = std::chrono::steady_clock::now() + over_.use_.patience;
    read_all();
    if (!refusal_) return;
    const auto refusal = std::exchange(refusal_, {});
    roll_back();
    throw statement_error{over_.server_name(), refusal, refused_};
}

void exchange::read_all() {
    for (const auto& expected : std::exchange(sent_, {})) read(expected);
}

void exchange::read(const sent& expected) {
    auto answer = next_answer();
    switch (answer ? PQresultStatus(answer.get()) : PGRES_EMPTY_QUERY) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            if (expected.what == step::query) answers_[expected.place] = std::move(answer);
            break;
        case PGRES_PIPELINE_SYNC:
            return;
        case PGRES_PIPELINE_ABORTED:
            // The server skipped it after an earlier refusal.
            if (expected.what == step::prepare) over_.prepared_.erase(expected.name);
            break;
        case PGRES_FATAL_ERROR: {
            if (expected.what == step::prepare) over_.prepared_.erase(expected.name);
            const bool goes = ends_connection(answer) || PQstatus(over_.handle()) != CONNECTION_OK;
            if (goes) over_.lose(last_words(answer), nature_of_end(answer));
            if (!refusal_) {
                refusal_ = std::move(answer);
                refused_ = expected.place;
            }
            // A refused commit is followed by the end that it belongs to.
            if (expected.what == step::end) return read(expected);
            break;
        }
        default:
            over_.lose("the server answered out of turn");
    }
    if (next_answer()) over_.lose("the server answered out of turn");
}

result exchange::next_answer() {
    wait_for_answer();
    return result{PQgetResult(over_.handle())};
}

void exchange::wait_for_answer() {
    auto* const handle = over_.handle();
    bool unsent = PQflush(handle) == 1;
    while (unsent || PQisBusy(handle) == 1) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up_ - std::chrono::steady_clock::now());
        if (left.count() <= 0) over_.lose("no answer in time");
        pollfd socket{.fd = over_.socket(), .events = POLLIN, .revents = 0};
        if (unsent) socket.events |= POLLOUT;
        if (::poll(&socket, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) over_.lose("poll failed");
        if ((socket.revents & ~POLLOUT) != 0 && PQconsumeInput(handle) != 1) over_.lose(PQerrorMessage(handle));
        const int flushed = PQflush(handle);
        // What the server said before it hung up is worth reading: it is the reason.
        unsent = flushed == 1;
        if (flushed < 0 && PQconsumeInput(handle) != 1) over_.lose(PQerrorMessage(handle));
    }
}

/// After a refusal a session is still in a transaction that it was told to begin.
void exchange::roll_back() {
    if (PQtransactionStatus(over_.handle()) == PQTRANS_IDLE) return;
    exchange trip{over_, raw};
    trip.add(roll_back_transaction);
    trip.run();
}

}  // namespace sluice::store::postgresql
