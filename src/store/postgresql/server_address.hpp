#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/error.hpp>

#include "store/postgresql/host_lookup.hpp"
#include "store/postgresql/postgresql_database.hpp"

namespace sluice::store::postgresql {

struct connection_closer {
    void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
};
using connection_handle = std::unique_ptr<PGconn, connection_closer>;

/// Where the server is and how to reach it: the user's connection string, with deadlines where it has none.
///
/// Thread safety: const members may be called concurrently.
class server_address {
public:
    /// @throws configuration_error  libpq cannot read the connection string
    explicit server_address(const postgresql_options& options,
                            std::shared_ptr<host_lookup> lookup = std::make_shared<host_lookup>());

    /// A few words without credentials: `postgresql shop at db.example:5432`. When the connection string can be read in
    /// two ways it names neither database nor host, for they may be a part of the password.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::map<std::string, std::string>& settings() const noexcept { return settings_; }

    /// @throws store_error  an outage, with libpq's reason
    [[nodiscard]] connection_handle connect() const;

private:
    /// The settings with the addresses of their hosts.
    /// @throws store_error  an outage, when no host has one
    [[nodiscard]] std::map<std::string, std::string> with_addresses() const;
    [[nodiscard]] store_error cannot_connect(std::string_view reason) const;

    std::map<std::string, std::string> settings_;
    std::shared_ptr<host_lookup> lookup_;
    bool may_be_shown_;
    std::string name_;
};

}  // namespace sluice::store::postgresql
