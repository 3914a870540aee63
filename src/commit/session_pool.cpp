#include "commit/session_pool.hpp"

namespace sluice::commit {

session_pool::lease::~lease() {
    if (!session_) return;
    const std::lock_guard lock{pool_->mutex_};
    pool_->idle_.push_back(std::move(session_));
}

session_pool::lease session_pool::borrow() {
    {
        const std::lock_guard lock{mutex_};
        while (!idle_.empty()) {
            std::unique_ptr<store::unit_session> session = std::move(idle_.back());
            idle_.pop_back();
            if (session->is_current()) return {*this, std::move(session)};
        }
    }
    return {*this, database_->open_unit()};
}

}  // namespace sluice::commit
