#include "net/linger.hpp"

#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Reads until the client ends, is lost, or was too slow. Lives as long as a read is under way.
class discarding : public std::enable_shared_from_this<discarding> {
public:
    explicit discarding(std::shared_ptr<boost::beast::tcp_stream> from) : from_{std::move(from)} {}

    void read() {
        from_->async_read_some(asio::buffer(unread_), [self = shared_from_this()](error_code problem, std::size_t) {
            if (!problem) self->read();
        });
    }

private:
    std::shared_ptr<boost::beast::tcp_stream> from_;
    std::array<char, 16'384> unread_{};
};

}  // namespace

void linger(std::shared_ptr<boost::beast::tcp_stream> stream, std::chrono::milliseconds within) {
    error_code gone;
    stream->socket().shutdown(asio::ip::tcp::socket::shutdown_send, gone);
    stream->expires_after(within);
    std::make_shared<discarding>(std::move(stream))->read();
}

}  // namespace sluice::net
