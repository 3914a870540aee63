#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/postgresql/connection.hpp"

namespace sluice::store::postgresql {

/// The connections of this process to one database, never more than allowed. Units of work and operators borrow one for
/// each call; a lane keeps one of its own.
///
/// Thread safety: all members may be called concurrently; a lease belongs to one thread. Lifetime: outlives its leases.
class connection_pool {
public:
    /// @param shared  what borrowed connections are used for
    /// @param wait  longest wait for one to be free
    connection_pool(const server_address& server, connection_use shared, std::size_t most, duration wait);
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;
    ~connection_pool();

    /// A connection for as long as this lives.
    class lease {
    public:
        lease(lease&& other) noexcept
            : pool_{other.pool_},
              connection_{std::move(other.connection_)},
              returns_{other.returns_},
              fresh_{other.fresh_},
              held_{std::exchange(other.held_, false)} {}
        lease& operator=(lease&&) = delete;
        ~lease();

        [[nodiscard]] connection& operator*() const noexcept { return *connection_; }
        [[nodiscard]] connection* operator->() const noexcept { return connection_.get(); }
        /// It was made for this lease: trouble with it is no leftover of a server that was restarted since.
        [[nodiscard]] bool fresh() const noexcept { return fresh_; }
        /// Closes the connection instead of giving it back.
        void discard() noexcept { connection_.reset(); }

    private:
        friend class connection_pool;
        lease(connection_pool& pool, bool returns) : pool_{pool}, returns_{returns} {}

        connection_pool& pool_;
        std::unique_ptr<connection> connection_{};
        bool returns_;  ///< to the idle ones
        bool fresh_ = false;
        bool held_ = true;
    };

    /// @throws store_error  an outage; no connection became free in time, or the server cannot be reached
    [[nodiscard]] lease borrow();
    /// One that is made for this use and closed after it.
    [[nodiscard]] lease keep(const connection_use& use);

    [[nodiscard]] const server_address& server() const noexcept { return server_; }

private:
    /// Waits for a place; with it comes an idle connection, if there is one.
    [[nodiscard]] std::unique_ptr<connection> take_place();
    void give_back(std::unique_ptr<connection> idle) noexcept;

    const server_address& server_;
    const connection_use shared_;
    const std::size_t most_;
    const duration wait_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t taken_ = 0;                          ///< places with a lease
    std::vector<std::unique_ptr<connection>> idle_;  ///< connections in other places
};

}  // namespace sluice::store::postgresql
