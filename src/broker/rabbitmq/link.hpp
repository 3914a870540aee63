#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "broker/rabbitmq/connection.hpp"
#include "broker/rabbitmq/server.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::rabbitmq {

/// Keeps one connection: made on demand, dropped after trouble. Its heart beats while its owner does something else.
///
/// Thread safety: used by one thread at a time, which holds `use()` meanwhile.
class link {
public:
    /// @param role  shown by the server, see connection
    link(std::shared_ptr<server> at, std::string role);

    /// To be held during each call that touches the connection.
    [[nodiscard]] std::unique_lock<std::mutex> use() { return std::unique_lock{state_->mutex}; }

    /// The connection, made when there is none; making it takes no longer than the connect timeout. @throws outage
    [[nodiscard]] connection& open(const net::deadline& until);
    [[nodiscard]] connection* current() noexcept { return state_->up ? &*state_->up : nullptr; }
    void drop() noexcept { state_->up.reset(); }
    /// Says good-bye first, so that the server has heard all that was sent.
    void close(const net::deadline& until) noexcept;

    /// Another connection to the same server.
    [[nodiscard]] link another(std::string role) const { return link{server_, std::move(role)}; }

    [[nodiscard]] server& at() const noexcept { return *server_; }
    [[nodiscard]] net::deadline answer_deadline(const net::haste* haste = nullptr) const {
        return net::deadline{server_->options().answer_timeout, haste};
    }
    /// The same trouble with the server's name in front.
    [[nodiscard]] outage named(const outage& trouble) const;

private:
    struct state final : pulsing {
        void pulse() noexcept override;

        std::mutex mutex;
        std::optional<connection> up;
    };

    std::shared_ptr<server> server_;
    std::string role_;
    std::shared_ptr<state> state_;
};

}  // namespace sluice::broker::rabbitmq
