#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace sluice::net {

struct listening_place {
    std::string host;        ///< name or address
    std::uint16_t port = 0;  ///< 0: any free one
    int ports_to_try = 1;    ///< the port and those after it
};

/// A place where clients connect. No program that is started from here inherits a socket of it.
///
/// Thread safety: that of its context, whose thread uses it. Lifetime: the context outlives it.
class listener {
public:
    using tcp = boost::asio::ip::tcp;

    enum class outcome {
        listening,
        unknown_host,    ///< it is no address of this machine
        address_in_use,  ///< by another program; so are the ports after it that were to be tried
        impossible
    };
    struct attempt {
        outcome is = outcome::listening;
        boost::system::error_code problem{};
    };

    explicit listener(boost::asio::io_context& io) : io_{io}, acceptor_{io}, pause_{io} {}

    /// Listens at the first address of the host where that is possible. After a failure it may be called again.
    [[nodiscard]] attempt listen(const listening_place& at);
    /// Where it listens.
    [[nodiscard]] const tcp::endpoint& where() const noexcept { return where_; }

    /// Hands over each client that connects from now on.
    void accept(std::function<void(tcp::socket client)> take);

private:
    [[nodiscard]] boost::system::error_code try_to_listen(const tcp::endpoint& at);
    void accept_next();
    void accept_later();

    boost::asio::io_context& io_;
    tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    tcp::endpoint where_;
    std::function<void(tcp::socket)> take_;
};

}  // namespace sluice::net
