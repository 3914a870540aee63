#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "net/deadline.hpp"

namespace sluice::net {

/// Bytes both ways over a socket that never blocks.
///
/// Thread safety: used by one thread at a time. Trouble throws `outage`.
class byte_stream {
public:
    virtual ~byte_stream() = default;

    /// Bytes that were there; 0 when there are none now. The end of the stream throws.
    [[nodiscard]] virtual std::size_t read(std::span<char> into) = 0;
    /// Bytes that were taken; 0 when there is no room now.
    [[nodiscard]] virtual std::size_t write(std::string_view bytes) = 0;

    [[nodiscard]] virtual int fd() const noexcept = 0;
    /// What the last read or write that moved nothing waits for: POLLIN or POLLOUT.
    [[nodiscard]] virtual short wanted() const noexcept = 0;
};

/// A connected TCP or Unix socket as it is.
class socket_stream final : public byte_stream {
public:
    explicit socket_stream(base::unique_fd socket) : socket_{std::move(socket)} {}

    [[nodiscard]] std::size_t read(std::span<char> into) override;
    [[nodiscard]] std::size_t write(std::string_view bytes) override;
    [[nodiscard]] int fd() const noexcept override { return socket_.get(); }
    [[nodiscard]] short wanted() const noexcept override { return wanted_; }

private:
    base::unique_fd socket_;
    short wanted_ = 0;
};

/// Sleeps until the stream can go on with what it wanted, or the time has passed (then throws).
void wait_until_ready(const byte_stream& stream, short events, const deadline& until);

}  // namespace sluice::net
