#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/history.hpp"
#include "store/postgresql/server_address.hpp"

namespace sluice::store::postgresql {

/// A statement as the catalogue of a database holds it. Its name is that under which a session prepares it; without one
/// it is never prepared.
struct statement {
    std::string name;
    std::string sql;
};

/// The value of a setting as it is to be made: `setting.value`, but a synchronous_commit that waits for more than `on`
/// does stays.
#define SLUICE_SETTING_VALUE                                                                                   \
    "CASE WHEN setting.name = 'synchronous_commit' AND current_setting('synchronous_commit') = 'remote_apply'" \
    " THEN 'remote_apply' ELSE setting.value END"

/// What a connection is used for.
struct connection_use {
    std::vector<std::pair<std::string, std::string>> settings;  ///< server settings, as text
    bool prepare = true;
    duration patience{};  ///< how long to wait for an answer; the server's own timeout ends a statement before that
};

/// One connection to the server. Statements go through an `exchange`.
///
/// A connection that a pooler stands behind is told from a direct one when it is made: nothing may be kept in its
/// session then, so its settings travel with every transaction and nothing is prepared.
///
/// Thread safety: used by one thread at a time.
class connection {
public:
    /// @throws store_error  an outage
    connection(const server_address& server, const connection_use& use);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    [[nodiscard]] const std::string& server_name() const noexcept { return server_.name(); }
    [[nodiscard]] bool pooled() const noexcept { return !backend_start_; }
    /// False once it broke; it stays broken.
    [[nodiscard]] bool usable() const noexcept { return usable_; }
    /// Notices without waiting that the server has closed it.
    [[nodiscard]] bool look_alive() noexcept;

    /// 150018 for 15.18.
    [[nodiscard]] int server_version() const noexcept { return PQserverVersion(handle()); }
    /// The server process behind a direct connection, recognisable for ever by number and start.
    [[nodiscard]] int backend() const noexcept;
    [[nodiscard]] std::optional<date_time> backend_start() const noexcept { return backend_start_; }

    /// Which server this was when the connection was made, and its timeline; a standby has none.
    [[nodiscard]] const history_stamp& server_stamp() const noexcept { return server_stamp_; }
    /// The account may ask for the timeline.
    [[nodiscard]] bool may_ask_timeline() const noexcept { return may_ask_timeline_; }

    /// For `poll`.
    [[nodiscard]] int socket() const noexcept;
    /// Reads what has come without being asked for.
    /// @throws connection_lost
    void read_pending();
    /// The payload of a notification that has come, oldest first.
    [[nodiscard]] std::optional<std::string> next_notification();

private:
    friend class exchange;

    static void on_notice(void* self, const PGresult* notice) noexcept;
    [[nodiscard]] PGconn* handle() const noexcept { return handle_.get(); }
    void introduce();
    [[noreturn]] void lose(std::string_view reason, error_nature nature = error_nature::retryable);

    const server_address& server_;
    connection_use use_;
    connection_handle handle_;
    bool usable_ = true;
    std::optional<date_time> backend_start_;
    history_stamp server_stamp_;
    bool may_ask_timeline_ = false;
    std::set<std::string, std::less<>> prepared_;
};

}  // namespace sluice::store::postgresql
