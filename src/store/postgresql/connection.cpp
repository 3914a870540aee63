#include "store/postgresql/connection.hpp"

#include <poll.h>

#include <memory>

#include <sluice/error.hpp>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"

namespace sluice::store::postgresql {
namespace {

/// A pooler invents the process number that it tells its clients. The settings are made only in a session of our own.
const statement handshake{"",
                          "SELECT pg_backend_pid() = $1,"
                          " (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid())),"
                          " CASE WHEN pg_backend_pid() = $1 THEN"
                          " (SELECT count(set_config(setting.name, " SLUICE_SETTING_VALUE
                          ", false))"
                          " FROM unnest($2::text[], $3::text[]) AS setting (name, value)) END"};

struct notification_freer {
    void operator()(PGnotify* notification) const noexcept { PQfreemem(notification); }
};

}  // namespace

connection::connection(const server_address& server, const connection_use& use)
    : server_{server}, use_{use}, handle_{server.connect()} {
    try {
        introduce();
    } catch (const store_error& e) {
        throw store_error{e.what(), error_nature::outage};
    }
}

void connection::introduce() {
    PQsetNoticeReceiver(handle(), &connection::on_notice, this);
    if (PQsetnonblocking(handle(), 1) != 0 || PQenterPipelineMode(handle()) != 1) lose(PQerrorMessage(handle()));
    array<std::string_view> names;
    array<std::string_view> values;
    for (const auto& [name, value] : use_.settings) {
        names.push(std::string_view{name});
        values.push(std::string_view{value});
    }
    exchange trip{*this, exchange::raw};
    const auto answer = trip.add(handshake, parameters{std::int32_t{backend()}, names, values});
    const auto rights = server_questions::add_rights(trip);
    trip.run();
    // Without the right to see its own start a session is treated as a stranger's: slower, and never wrong.
    if (trip[answer].boolean(0, 0)) backend_start_ = trip[answer].optional_time(0, 1);
    const auto may = server_questions::from(trip[rights]);
    may_ask_timeline_ = may.may_ask_timeline();
    server_stamp_ = may.ask(*this);
}

int connection::backend() const noexcept { return PQbackendPID(handle()); }

int connection::socket() const noexcept { return PQsocket(handle()); }

bool connection::look_alive() noexcept {
    pollfd look{.fd = socket(), .events = POLLIN, .revents = 0};
    if (usable_ && ::poll(&look, 1, 0) > 0) {
        // Between two exchanges a server says something only to notify, to tell of a changed setting or to say
        // good-bye.
        const bool read = PQconsumeInput(handle()) == 1;
        static_cast<void>(PQisBusy(handle()));  // has it understood; a good-bye goes to `on_notice`
        usable_ = usable_ && read && PQstatus(handle()) == CONNECTION_OK;
    }
    return usable_;
}

void connection::on_notice(void* self, const PGresult* notice) noexcept {
    const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != nullptr && std::string_view{severity} == "FATAL") static_cast<connection*>(self)->usable_ = false;
}

void connection::read_pending() {
    if (PQconsumeInput(handle()) != 1) lose(PQerrorMessage(handle()));
}

std::optional<std::string> connection::next_notification() {
    const std::unique_ptr<PGnotify, notification_freer> next{PQnotifies(handle())};
    if (next == nullptr) return std::nullopt;
    return next->extra;
}

void connection::lose(std::string_view reason, error_nature nature) {
    usable_ = false;
    throw connection_lost{server_name(), reason.empty() ? "the connection was lost" : reason, nature};
}

}  // namespace sluice::store::postgresql
