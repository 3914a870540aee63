#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <sluice/error.hpp>

#include "store/store.hpp"

namespace sluice::commit {

/// Keeps the connections of finished units for the next ones, so that a unit costs no connect.
///
/// Holds at most as many connections as units ran at once. Thread safety: all members may be called concurrently.
class session_pool {
public:
    explicit session_pool(std::shared_ptr<store::database> database) : database_{std::move(database)} {}

    /// Borrows a session; it returns by itself when the lease is destroyed, unless `discard` was called.
    class lease {
    public:
        lease(session_pool& pool, std::unique_ptr<store::unit_session> session)
            : pool_{&pool}, session_{std::move(session)} {}
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) noexcept = default;
        ~lease();

        [[nodiscard]] store::unit_session& operator*() const noexcept { return *session_; }
        [[nodiscard]] store::unit_session* operator->() const noexcept { return session_.get(); }
        /// False when it was discarded.
        [[nodiscard]] explicit operator bool() const noexcept { return session_ != nullptr; }
        /// The connection failed: close it instead of returning it.
        void discard() noexcept { session_.reset(); }

    private:
        session_pool* pool_;
        std::unique_ptr<store::unit_session> session_;
    };

    [[nodiscard]] lease borrow();

    /// Lends a session for one call. One whose connection failed is not used again.
    template <class Use>
    auto use(const Use& call) {
        lease borrowed = borrow();
        try {
            return call(*borrowed);
        } catch (const store_error&) {
            borrowed.discard();
            throw;
        }
    }

    [[nodiscard]] store::database& database() const noexcept { return *database_; }

private:
    std::shared_ptr<store::database> database_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<store::unit_session>> idle_;
};

}  // namespace sluice::commit
