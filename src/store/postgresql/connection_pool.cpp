#include "store/postgresql/connection_pool.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>

#include <sluice/error.hpp>

namespace sluice::store::postgresql {

connection_pool::connection_pool(const server_address& server, connection_use shared, std::size_t most, duration wait)
    : server_{server}, shared_{std::move(shared)}, most_{std::max<std::size_t>(most, 1)}, wait_{wait} {
    idle_.reserve(most_);
}

connection_pool::~connection_pool() {
    assert(taken_ == 0);  // a session that outlives its database would give its connection back to freed memory
}

connection_pool::lease::~lease() {
    if (!held_) return;
    const bool good = returns_ && connection_ != nullptr && connection_->usable();
    pool_.give_back(good ? std::move(connection_) : nullptr);
}

connection_pool::lease connection_pool::borrow() {
    auto idle = take_place();
    lease taken{*this, true};
    while (idle != nullptr && !idle->look_alive()) {
        // The others were probably cut off by the same restart, but each is asked.
        const std::lock_guard lock{mutex_};
        idle = idle_.empty() ? nullptr : std::move(idle_.back());
        if (idle != nullptr) idle_.pop_back();
    }
    taken.fresh_ = idle == nullptr;
    taken.connection_ = idle != nullptr ? std::move(idle) : std::make_unique<connection>(server_, shared_);
    return taken;
}

connection_pool::lease connection_pool::keep(const connection_use& use) {
    static_cast<void>(take_place());  // an idle connection makes room
    lease taken{*this, false};
    taken.fresh_ = true;
    taken.connection_ = std::make_unique<connection>(server_, use);
    return taken;
}

std::unique_ptr<connection> connection_pool::take_place() {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, wait_, [this] { return taken_ < most_; })) {
        throw store_error{
            fmt::format("{}: all {} connections of this process were in use for {}; raise max_connections, or let less"
                        " happen at once",
                        server_.name(), most_, std::chrono::duration_cast<std::chrono::milliseconds>(wait_)),
            error_nature::outage};
    }
    ++taken_;
    if (idle_.empty()) return nullptr;
    auto idle = std::move(idle_.back());
    idle_.pop_back();
    return idle;
}

void connection_pool::give_back(std::unique_ptr<connection> idle) noexcept {
    const std::lock_guard lock{mutex_};
    --taken_;
    if (idle != nullptr) idle_.push_back(std::move(idle));  // room was reserved
    changed_.notify_one();
}

}  // namespace sluice::store::postgresql
