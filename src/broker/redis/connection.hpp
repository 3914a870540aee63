#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/redis/outage.hpp"
#include "broker/redis/resp.hpp"
#include "broker/redis/server.hpp"
#include "net/byte_stream.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::redis {

/// One logged-in connection. Replies come in the order of the commands, so after any `outage` it must be closed: what
/// is still under way would be taken for the answer to something else.
///
/// Thread safety: used by one thread at a time.
class connection {
public:
    /// Connects, logs in, selects the database.
    /// @param role  shows in CLIENT LIST: `sluice-publisher`
    /// @throws outage
    connection(server& at, const char* role, const net::deadline& until);

    /// Sends all commands, then reads all replies; errors are replies like any other.
    /// @throws outage, and unacceptable_command when the server names a command that it does not take as it is
    [[nodiscard]] std::vector<reply> run(const commands& pipeline, const net::deadline& until);
    /// One command. @throws outage when the reply is an error
    [[nodiscard]] reply call(const commands& one, const net::deadline& until);

    void send(const commands& pipeline, const net::deadline& until);
    [[nodiscard]] reply receive(const net::deadline& until);
    /// A reply that is there already. @throws outage
    [[nodiscard]] std::optional<reply> receive_now();
    /// One attempt without waiting for room or for a reply.
    void send_and_forget(const commands& pipeline) noexcept;

    /// True when the server has closed it since, as servers do with idle ones.
    [[nodiscard]] bool is_closed() noexcept;
    [[nodiscard]] int fd() const noexcept { return stream_->fd(); }

private:
    void log_in(const endpoint& as, const char* role, const net::deadline& until);
    [[nodiscard]] std::size_t read_some();

    std::unique_ptr<net::byte_stream> stream_;
    reply_reader reader_;
    std::string write_failure_;  ///< what the server had to say before it closed may still be read
    std::vector<char> buffer_;
};

/// Keeps one connection: made on demand, dropped after trouble.
///
/// Thread safety: used by one thread at a time.
class link {
public:
    link(std::shared_ptr<server> at, const char* role) : server_{std::move(at)}, role_{role} {}

    /// The connection, made when there is none; making it takes no longer than the connect timeout.
    /// @throws outage that names the server
    [[nodiscard]] connection& open(const net::deadline& until);
    [[nodiscard]] connection* current() noexcept { return connection_ ? &*connection_ : nullptr; }
    void drop() noexcept { connection_.reset(); }
    /// Call where a new connection is as good as the old one: before anything was sent. True when it was dropped.
    bool drop_if_closed() noexcept;

    [[nodiscard]] server& at() const noexcept { return *server_; }
    /// For one call: as long as the answer timeout without progress, and several times as long while bytes flow.
    /// @param haste  as deadline takes it
    [[nodiscard]] net::deadline answer_deadline(const net::haste* haste = nullptr) const {
        constexpr int most_steps = 6;
        const auto patience = server_->options().answer_timeout;
        return net::deadline{most_steps * patience, haste}.with_patience(patience);
    }
    /// The same trouble with the server's name in front.
    [[nodiscard]] outage named(const outage& trouble) const;

private:
    std::shared_ptr<server> server_;
    const char* role_;
    std::optional<connection> connection_;
};

}  // namespace sluice::broker::redis
