#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temporary_directory.hpp"

/// PostgreSQL servers for tests, started by servers/postgres.sh.
namespace sluice::testing::postgresql {

class server {
public:
    /// The one that ctest's fixture `postgres` has started. No test may stop it.
    [[nodiscard]] static server shared();
    /// One of the test's own, which goes with it.
    [[nodiscard]] static server own();

    server(server&&) noexcept = default;
    server& operator=(server&&) = delete;
    ~server();

    /// @throws std::runtime_error saying how to start it, when it does not run
    [[nodiscard]] std::string uri() const;
    /// Of the PgBouncer before it.
    [[nodiscard]] std::string pooler_uri() const;
    [[nodiscard]] std::uint16_t port() const;
    /// `restart`, `crash` (as after a power cut), `stop`, `start` or `fail_over_to PORT` (a crash, and a promoted
    /// successor at another address); `add_standby PORT` (streams), `cut_standby` (gets nothing more) and
    /// `promote_standby` (after a crash of the primary); `login FILE` (a pg_hba.conf) and `certificate FILE KEY`, which
    /// count for connections from a moment later on.
    void control(const std::string& action) const;

private:
    explicit server(std::string directory) : directory_{std::move(directory)} {}
    [[nodiscard]] std::string setting(std::string_view name) const;

    std::string directory_;
    std::unique_ptr<temporary_directory> temporary_{};
};

/// The address of the shared server.
[[nodiscard]] inline std::string uri() { return server::shared().uri(); }
/// The same address behind another port.
[[nodiscard]] std::string through_port(const std::string& uri, std::uint16_t port);

/// A name that no other test has.
[[nodiscard]] std::string fresh_schema();

/// A database of the test's own on the shared server, which is dropped with whoever is still connected to it.
class own_database {
public:
    own_database();
    own_database(const own_database&) = delete;
    own_database& operator=(const own_database&) = delete;
    ~own_database();

    [[nodiscard]] std::string uri() const;

private:
    std::string name_ = fresh_schema();
};

/// A connection of the test's own, for looking and for getting in the way. Everything is text.
class session {
public:
    explicit session(const std::string& to = uri());
    session(session&&) noexcept;
    session& operator=(session&&) noexcept;
    ~session();

    /// @throws std::runtime_error with the server's words
    void execute(const std::string& sql);
    /// The first column of the first row; empty when there is none.
    [[nodiscard]] std::string scalar(const std::string& sql);
    /// The first column of all rows.
    [[nodiscard]] std::vector<std::string> column(const std::string& sql);
    /// A notification has come since the last call.
    [[nodiscard]] bool notified();

private:
    struct handle;
    std::unique_ptr<handle> handle_;
};

}  // namespace sluice::testing::postgresql
